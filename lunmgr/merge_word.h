/* SPDX-License-Identifier: Apache-2.0 */
/* Merging one extent: two words become one. Both are held, the missing blocks are copied
 * into one of the two extents, where nobody sees them yet; then, in one step of the home
 * loop, one cell gets the whole word and the other is emptied. Home loop. */
#ifndef LUNMGR_MERGE_WORD_H
#define LUNMGR_MERGE_WORD_H

#include "lunmgr/buf.h"
#include "lunmgr/engine.h"
#include "lunmgr/leaf.h"
#include "lunmgr/stripe.h"

#define MERGE_RUNS_MAX (WORD_BLOCKS / 2) /* runs of a mask's blocks */

struct merge_side {
    struct layer *layer;
    struct leaf *leaf;
    _Atomic uint64_t *cell;
    map_word word; /* as it was when both were held */
};

struct merge_word;

struct merge_io {
    struct engine_io io;
    struct iovec iov;
    struct merge_word *word;
};

struct merge_word {
    struct merge_side parent, child;
    bool down;            /* the parent's cell gets the word */
    bool child_is_sealed; /* it has no writers */
    uint32_t index;
    /* rc: 0: done; -EAGAIN: another holds one of the words; -EIO; -ENOMEM. Perhaps inside
     * merge_word_start. The emptied parent's cell (upwards) stays held and readable:
     * merge_word_bury. */
    void (*done)(struct merge_word *mw, int rc);
    void *arg;    /* the caller's */
    bool is_busy; /* the caller's */
    /* its own */
    map_word merged;
    place from, to; /* of the copy */
    place left_over;
    unsigned blocks; /* to be copied */
    struct stripe_wait wait;
    struct buf buf;
    struct merge_io io[MERGE_RUNS_MAX];
    unsigned due;
    int rc;
};

void merge_word_start(struct merge_word *mw);
/* Once no I/O of the step's time is in flight: the ghost of the parent's word goes. */
void merge_word_bury(struct layer *parent, struct leaf *leaf, uint32_t index);

#endif
