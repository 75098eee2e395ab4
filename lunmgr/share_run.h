/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing a run of extents: a copy that moves no data. Where all that a volume shows of
 * an extent comes from one word, another volume's word gets the same place: both are
 * shared from then on, the target opaque, a count goes up. Up to a leaf's worth of
 * extents is one step: all their words are held, of the others none; all writers that
 * came before are waited for; one passage of the gate. A lane's thread. */
#ifndef LUNMGR_SHARE_RUN_H
#define LUNMGR_SHARE_RUN_H

#include "lunmgr/leaf.h"
#include "lunmgr/stripe.h"

struct lane;
struct share_run;

/* A bit for each extent of a run. */
struct run_bits {
    uint64_t bits[LEAF_WORDS / 64];
};

static inline bool run_bit(const struct run_bits *b, uint32_t i)
{
    return (b->bits[i / 64] >> i % 64 & 1) != 0;
}

struct share_side {
    struct layer *layer;
    uint32_t index;
    struct leaf *leaf;
    _Atomic uint64_t *cell;
};

/* Whose word an extent of the source comes from; none: it is zeros. */
struct share_source {
    struct layer *layer;
    struct leaf *leaf;
};

struct share_run {
    /* The caller sets these; it is in flight, and in the fences of both volumes, which
     * are of one pool. */
    struct lane *lane;
    struct layer *from_top, *to_top;
    uint32_t from_index, to_index;
    uint32_t count; /* 1 to LEAF_WORDS, of one leaf of either */
    /* rc: 0: the first `count` extents, one at least, are shared, or zeros in the target
     * as they are in the source, but for those in `moved`, which come from more than one
     * word, and whose data is to be moved. -EAGAIN: `missing` is to be loaded first.
     * -EBUSY: `held` is to be released first. -ENOMEM; -EIO. Nothing has changed then.
     * Perhaps inside share_run_start. */
    void (*done)(struct share_run *sr, int rc);
    uint32_t shared; /* extents */
    struct run_bits moved;
    struct share_side missing, held;
    /* its own */
    struct leaf *to_leaf;
    struct run_bits from_held, to_held;
    uint32_t drained; /* words waited for, those of the source first */
    struct stripe_wait wait;
    struct run_bits from_marks, to_marks;
    int named; /* extents that the target has more */
    struct share_source sources[LEAF_WORDS];
};

void share_run_start(struct share_run *sr);

#endif
