/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to an extent while its word is held: a shared one is copied, a block that
 * is written in part is filled. */
#include "lunmgr/extent_priv.h"

#include "lunmgr/block_copy.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/stack.h"

#include <errno.h>
#include <string.h>

/* ---- Under a hold ---------------------------------------------------------------- */

static void hold_go(struct extent_io *x);
static void hold_on_drained(struct note *note);

/* Sets the held bit and waits for the writers that came before. */
void extent_hold(struct extent_io *x)
{
    while ((atomic_fetch_or(x->cell, WORD_HELD) & WORD_HELD) != 0)
        if (extent_park_for_release(x))
            return;
    x->held = true;
    x->wait.stripe =
        (struct stripe_wait){.note.run = hold_on_drained, .inbox = extent_inbox(x)};
    if (stripe_drain(extent_stripe(x), &x->wait.stripe))
        hold_go(x);
}

static void hold_on_drained(struct note *note)
{
    hold_go(container_of(note, struct extent_io, wait.stripe.note));
}

/* The sectors of the block around the write, from the old block. */
static void fill_gaps(const struct extent_io *x, const uint8_t *old, bool head)
{
    unsigned end = x->first_sector + x->sector_count;
    unsigned block = head ? first_block(x) : (end - 1) / BLOCK_SECTORS;
    uint8_t *to = x->data + (size_t)(block - first_block(x)) * BLOCK_BYTES;
    if (head) {
        memcpy(to, old, (size_t)(x->first_sector % BLOCK_SECTORS) * SECTOR_BYTES);
    } else {
        size_t from = (size_t)(end % BLOCK_SECTORS) * SECTOR_BYTES;
        memcpy(to + from, old + from, BLOCK_BYTES - from);
    }
}

static void extent_filled(struct extent_io *x)
{
    if (x->rc != 0) {
        extent_end(x, x->rc);
        return;
    }
    if (head_is_partial(x))
        fill_gaps(x, x->own.base, true);
    if (tail_is_partial(x))
        fill_gaps(x, x->own.base + BLOCK_BYTES, false);
    extent_write(x, 1);
}

static void fill_done(struct extent_io *x, int rc)
{
    if (rc != 0)
        x->rc = -EIO;
    if (--x->due == 0)
        extent_filled(x);
}

static void fill_on_head(struct engine_io *io, int rc)
{
    fill_done(container_of(io, struct extent_io, fill[0]), rc);
}

static void fill_on_tail(struct engine_io *io, int rc)
{
    fill_done(container_of(io, struct extent_io, fill[1]), rc);
}

bool extent_read(struct extent_io *x, const struct plan_run *run, uint8_t *to,
                 struct engine_io *io, struct iovec *iov,
                 void (*done)(struct engine_io *io, int rc))
{
    size_t bytes = (size_t)run->count * BLOCK_BYTES;
    if (run->slot == 0) {
        memset(to, 0, bytes);
        return false;
    }
    struct device *device = pool_device(extent_pool(x), place_of(run->slot, 0));
    *iov = (struct iovec){.iov_base = to, .iov_len = bytes};
    *io = (struct engine_io){
        .op = ENGINE_READ,
        .fd = device->fd,
        .device = device,
        .offset_bytes = run->block * BLOCK_BYTES,
        .iov = iov,
        .iov_count = 1,
        .done = done,
    };
    engine_submit(x->vio->lane->engine, io);
    return true;
}

/* Reads the old block into its half of x->own, or zeroes it. */
static void fill_block(struct extent_io *x, const struct stack *stack, bool head)
{
    unsigned end = x->first_sector + x->sector_count;
    unsigned block = head ? first_block(x) : (end - 1) / BLOCK_SECTORS;
    int i = head ? 0 : 1;
    struct plan_run run = {0};
    struct plan plan = {.runs = &run, .run_max = 1};
    plan_extent(&plan, stack->words, stack->depth, block, 1);
    x->due += extent_read(x, &run, x->own.base + (size_t)i * BLOCK_BYTES, &x->fill[i],
                          &x->fill_iov[i], head ? fill_on_head : fill_on_tail);
}

/* A write smaller than a block: the rest of the block is read first, then all is written.
 */
static void hold_fill(struct extent_io *x)
{
    struct stack stack;
    map_word w = atomic_load(x->cell);
    if (stack_look(extent_layer(x), x->index, &stack) != 0) {
        extent_park_for_leaf(x);
        return;
    }
    if (x->zeros && stack_is_zeros(&stack, first_block(x), 1)) {
        extent_end(x, 0); /* zeros already */
        return;
    }
    int rc = extent_place(x, &w);
    if (rc != 0) {
        extent_no_space(x, rc);
        return;
    }
    if (x->own.base == NULL &&
        buf_get(x->vio->lane->buffers, 2 * BLOCK_BYTES, &x->own) != 0) {
        extent_end(x, -ENOMEM);
        return;
    }
    x->rc = 0;
    x->due = 1; /* ours, until both are submitted */
    if (head_is_partial(x))
        fill_block(x, &stack, true);
    if (tail_is_partial(x))
        fill_block(x, &stack, false);
    fill_done(x, 0);
}

/* Whole blocks, to an extent that was shared a moment ago. */
static void hold_write_whole(struct extent_io *x)
{
    map_word w = atomic_load(x->cell);
    int rc = extent_place(x, &w);
    if (rc != 0)
        extent_no_space(x, rc);
    else
        extent_write(x, 1);
}

/* ---- Copying ---------------------------------------------------------------------- */

struct extent_copying {
    struct block_copy copy;
    struct extent_io *x;
    void (*done)(struct extent_io *x, int rc);
};

static void extent_on_copied(struct block_copy *copy, int rc)
{
    struct extent_copying *c = container_of(copy, struct extent_copying, copy);
    struct extent_io *x = c->x;
    void (*done)(struct extent_io *, int) = c->done;
    buf_put(x->vio->lane->buffers, &x->work);
    done(x, rc);
}

void extent_copy(struct extent_io *x, place from, place to, unsigned blocks,
                 void (*done)(struct extent_io *x, int rc))
{
    struct lane *lane = x->vio->lane;
    if (buf_get(lane->buffers, sizeof(struct extent_copying), &x->work) != 0) {
        done(x, -ENOMEM);
        return;
    }
    struct extent_copying *c = (void *)x->work.base;
    *c = (struct extent_copying){
        .copy = {.lane = lane,
                 .pool = extent_pool(x),
                 .family = extent_layer(x)->family,
                 .from = from,
                 .to = to,
                 .blocks = blocks,
                 .done = extent_on_copied},
        .x = x,
        .done = done,
    };
    block_copy_start(&c->copy);
}

/* ---- A shared extent: nobody writes it in place ---------------------------------- */

/* The word names the copy from now on. */
static void unshare_swap(struct extent_io *x)
{
    struct pool *pool = extent_pool(x);
    pthread_rwlock_rdlock(&pool->gate);
    map_word w = atomic_load(x->cell);
    atomic_store(x->cell, word_with_place(w & ~WORD_SHARED, x->place));
    round_mark_word(pool, x->leaf, x->index);
    share_let_go(extent_layer(x), w);
    pthread_rwlock_unlock(&pool->gate);
}

static void unshare_on_copied(struct extent_io *x, int rc)
{
    if (rc == 0) {
        unshare_swap(x);
        extent_write_held(x);
    } else {
        space_untake(extent_pool(x), extent_layer(x), x->place);
        extent_end(x, rc);
    }
}

/* All its valid blocks go to a fresh extent: also those that are written next, for that
 * write may be lost. */
static void hold_unshare(struct extent_io *x, map_word w)
{
    int rc = space_take(extent_pool(x), extent_layer(x),
                        atomic_load(&x->vio->volume->last_place), &x->place);
    if (rc != 0)
        extent_no_space(x, rc);
    else
        extent_copy(x, word_place(w), x->place, word_mask(w), unshare_on_copied);
}

void extent_write_held(struct extent_io *x)
{
    map_word w = atomic_load(x->cell);
    if ((w & WORD_SHARED) != 0)
        hold_unshare(x, w);
    else if (x->kind == EXTENT_OR)
        extent_or(x);
    else if (head_is_partial(x) || tail_is_partial(x))
        hold_fill(x);
    else
        hold_write_whole(x);
}

static void hold_go(struct extent_io *x)
{
    if (extent_clears(x))
        extent_clear_held(x);
    else if (x->kind == EXTENT_COMPARE)
        extent_caw(x);
    else
        extent_write_held(x);
}
