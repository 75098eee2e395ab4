/* SPDX-License-Identifier: Apache-2.0 */
/* One extent's way off a device: all words that name it are held, its blocks are copied
 * to an extent of another device, and in one step of the home loop all words name that
 * one. Words that share it move together, so that they share it still. Home loop. */
#ifndef LUNMGR_EVACUATE_MOVE_H
#define LUNMGR_EVACUATE_MOVE_H

#include "lunmgr/block_copy.h"
#include "lunmgr/layer.h"
#include "lunmgr/leaf.h"
#include "lunmgr/stripe.h"

struct evacuate_side {
    struct layer *layer;
    uint32_t index;
    struct leaf *leaf;
    _Atomic uint64_t *cell;
};

struct evacuate_move {
    /* The caller sets these. The sides' leaves are there, and may be written; a side that
     * turns out not to name the extent any more is dropped. */
    struct pool *pool;
    place from;
    place after; /* where the last one came to; 0: nowhere */
    struct evacuate_side *sides;
    size_t count; /* not 0 */
    /* rc: 0: no side names it any more; -EAGAIN: another holds one of the words; -EIO;
     * -ENOMEM; -ENOSPC. Perhaps inside evacuate_move_start. */
    void (*done)(struct evacuate_move *mv, int rc);
    void *arg;
    bool is_busy;
    /* its own */
    place to; /* after done(0): where its blocks are; 0: there were none */
    size_t drained;
    struct stripe_wait wait;
    struct block_copy copy;
};

void evacuate_move_start(struct evacuate_move *mv);

#endif
