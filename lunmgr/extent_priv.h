/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an extent's way, for the files that share it. The lane's thread. */
#ifndef LUNMGR_EXTENT_PRIV_H
#define LUNMGR_EXTENT_PRIV_H

#include "lunmgr/extent_io.h"
#include "lunmgr/plan.h"
#include "lunmgr/pool_priv.h"

#define BLOCK_SECTORS (BLOCK_BYTES / SECTOR_BYTES)

static inline struct layer *extent_layer(const struct extent_io *x)
{
    return volume_top(x->vio->volume);
}

static inline struct pool *extent_pool(const struct extent_io *x)
{
    return x->vio->volume->pool;
}

static inline struct stripe *extent_stripe(const struct extent_io *x)
{
    return pool_stripe(extent_pool(x), extent_layer(x), x->index);
}

static inline unsigned first_block(const struct extent_io *x)
{
    return x->first_sector / BLOCK_SECTORS;
}

/* Blocks touched. */
static inline unsigned block_count(const struct extent_io *x)
{
    unsigned last = (x->first_sector + x->sector_count - 1U) / BLOCK_SECTORS;
    return last - first_block(x) + 1;
}

static inline bool head_is_partial(const struct extent_io *x)
{
    return x->first_sector % BLOCK_SECTORS != 0;
}

static inline bool tail_is_partial(const struct extent_io *x)
{
    return (x->first_sector + x->sector_count) % BLOCK_SECTORS != 0;
}

/* It only takes blocks away; else it brings data. */
static inline bool extent_clears(const struct extent_io *x)
{
    return x->kind == EXTENT_CLEAR || x->kind == EXTENT_ZERO;
}

/* ---- extent_io.c ------------------------------------------------------------------- */

/* Into its stripe; out of it, and out of its hold. */
void extent_enter(struct extent_io *x);
void extent_leave(struct extent_io *x);
/* The last step. rc: 0, or as vio's. */
void extent_end(struct extent_io *x, int rc);
struct inbox *extent_inbox(const struct extent_io *x);
/* Leave, and begin again from the word when there is what is waited for. */
void extent_park_for_leaf(struct extent_io *x);
bool extent_park_for_release(struct extent_io *x);
void extent_no_space(struct extent_io *x, int rc);
/* Goes on from the word after a wait. */
void extent_resume(struct extent_io *x);
/* The pool is full, and it waits no longer. */
void extent_refuse(struct extent_io *x);

int extent_place(struct extent_io *x, map_word *w) MUST_CHECK;
bool extent_swap_empty(struct extent_io *x, map_word w) MUST_CHECK;

/* Finds x->cell, to be changed. 0; -EAGAIN: its leaf is not loaded; -ENOMEM. */
int extent_own(struct extent_io *x) MUST_CHECK;

bool extent_write_start(struct extent_io *x) MUST_CHECK;
void extent_write(struct extent_io *first, uint32_t run_count);
/* So many bytes of x->data to its blocks of the extent at x->place. */
void extent_submit(struct extent_io *x, size_t bytes,
                   void (*done)(struct engine_io *io, int rc));

/* ---- extent_hold.c ------------------------------------------------------------------
 */

/* Holds the word, then does what there is to do. */
void extent_hold(struct extent_io *x);
/* The blocks of a mask, not 0, go from one extent to another that nobody sees yet. done:
 * as block_copy's; perhaps inside. */
void extent_copy(struct extent_io *x, place from, place to, unsigned blocks,
                 void (*done)(struct extent_io *x, int rc));
/* Whole blocks, or an OR's: unshared where it has to be, filled, written. */
void extent_write_held(struct extent_io *x);
/* The word is held: reads what a run of blocks shows. True: done() comes; zeros cost no
 * I/O. */
bool extent_read(struct extent_io *x, const struct plan_run *run, uint8_t *to,
                 struct engine_io *io, struct iovec *iov,
                 void (*done)(struct engine_io *io, int rc)) MUST_CHECK;

/* ---- extent_show.c ------------------------------------------------------------------
 */

/* The words of `count` pieces side by side are held: where what their blocks show is to
 * be read from, in the lane's scratch, which the next plan takes. NULL, or the piece of
 * whose map some is not in memory. */
struct extent_io *extent_plan(struct extent_io *pieces, uint32_t count,
                              struct plan *plan) MUST_CHECK;
/* Reads all of that, one run behind the other. rc: 0, -EIO or -ENOMEM; perhaps inside. */
void extent_show(struct extent_io *x, const struct plan *plan, uint8_t *to,
                 void (*done)(struct extent_io *x, int rc));

/* ---- extent_or.c --------------------------------------------------------------------
 */

/* The word is held, and is not shared. */
void extent_or(struct extent_io *x);

/* ---- extent_clear.c -----------------------------------------------------------------
 */

/* True: it became a write that is ready. */
bool extent_clear(struct extent_io *x) MUST_CHECK;
/* A part, the word is held. */
void extent_clear_held(struct extent_io *x);

/* ---- extent_atomic.c ----------------------------------------------------------------
 */

/* Any piece: all of it begins, or begins again, from the words. */
void extent_atomic(struct extent_io *x);
/* Lets go of what all its pieces hold and have taken. */
void extent_atomic_leave(struct extent_io *x);
/* All pieces leave: their stripes, their holds. */
void extent_leave_all(struct extent_io *lead);
/* All words are held, and no writer is left that came before. */
void extent_atomic_write(struct extent_io *lead);

/* ---- extent_caw.c -------------------------------------------------------------------
 */

/* The same. */
void extent_caw(struct extent_io *lead);

#endif
