/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing one extent: a copy that moves no data. Where all that a volume shows of an
 * extent comes from one word, another volume's word gets the same place: both are shared
 * from then on, the target opaque, a count goes up, in one gate step. A lane's thread. */
#ifndef LUNMGR_SHARE_WORD_H
#define LUNMGR_SHARE_WORD_H

#include "lunmgr/leaf.h"
#include "lunmgr/stripe.h"

struct lane;
struct share_word;

struct share_side {
    struct layer *layer; /* the caller's: a top. Then the one whose word it is */
    uint32_t index;
    struct leaf *leaf;
    _Atomic uint64_t *cell;
};

struct share_word {
    /* The caller sets these; it is in flight, and in the fences of both volumes. */
    struct lane *lane;
    struct layer *from_top, *to_top; /* of one pool */
    uint32_t from_index, to_index;
    /* rc: 0: shared. -ENODATA: there is nothing but zeros. -EXDEV: it comes from more
     * than one word. -EAGAIN: `missing` is to be loaded first. -EBUSY: `held` is to be
     * released first. -ENOMEM. Nothing has changed then. Perhaps inside
     * share_word_start. */
    void (*done)(struct share_word *sw, int rc);
    struct share_side missing, held;
    /* its own */
    struct share_side from, to;
    struct stripe_wait wait;
};

void share_word_start(struct share_word *sw);

#endif
