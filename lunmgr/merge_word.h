/* SPDX-License-Identifier: Apache-2.0 */
/* Merging one extent: two words become one. Both are held, the missing blocks are copied
 * into one of the two extents (a fresh one if neither may be written), where nobody sees
 * them before their word is durable; then, in one step of the home loop, one cell gets
 * the whole word and the other is emptied. Home loop. */
#ifndef LUNMGR_MERGE_WORD_H
#define LUNMGR_MERGE_WORD_H

#include "lunmgr/block_copy.h"
#include "lunmgr/leaf.h"
#include "lunmgr/stripe.h"

struct merge_side {
    struct layer *layer;
    struct leaf *leaf;
    _Atomic uint64_t *cell;
    map_word word; /* as it was when both were held */
};

struct merge_word;

struct merge_word {
    struct merge_side parent, child;
    bool down;            /* the parent's cell gets the word */
    bool child_is_sealed; /* it has no writers */
    uint32_t index;
    /* rc: 0: done; -EAGAIN: another holds one of the words; -EIO; -ENOMEM; -ENOSPC: a
     * fresh one is wanted, and the pool is full. Perhaps inside merge_word_start. The
     * emptied parent's cell (upwards) stays held and readable: merge_word_bury. */
    void (*done)(struct merge_word *mw, int rc);
    void *arg;    /* the caller's */
    bool is_busy; /* the caller's */
    bool copies;  /* by done(): it took disk I/O */
    /* its own */
    map_word merged;
    map_word gone[2];   /* what names its extent no more; 0: none */
    place to;           /* of the copies */
    unsigned blocks[2]; /* to be copied from the parent's extent, from the child's */
    bool is_fresh;      /* `to` is a new extent */
    struct stripe_wait wait;
    struct block_copy copy;
};

void merge_word_start(struct merge_word *mw);
/* Once no I/O of the step's time is in flight: the ghost of the parent's word goes. */
void merge_word_bury(struct layer *parent, struct leaf *leaf, uint32_t index);

#endif
