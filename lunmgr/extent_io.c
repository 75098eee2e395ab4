/* SPDX-License-Identifier: Apache-2.0 */
/* One extent's part of a write, unmap or zero: docs/ARCHITECTURE.md, "A write". */
#include "lunmgr/extent_io.h"

#include "lunmgr/block_copy.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define BLOCK_SECTORS (BLOCK_BYTES / SECTOR_BYTES)

static bool extent_start(struct extent_io *x);
static void extent_write(struct extent_io *first, uint32_t run_count);
static void extent_on_drained(struct note *note);

static struct layer *extent_layer(const struct extent_io *x)
{
    return volume_top(x->vio->volume);
}

static struct pool *extent_pool(const struct extent_io *x)
{
    return x->vio->volume->pool;
}

static struct stripe *extent_stripe(const struct extent_io *x)
{
    return pool_stripe(extent_pool(x), extent_layer(x), x->index);
}

static unsigned first_block(const struct extent_io *x)
{
    return x->first_sector / BLOCK_SECTORS;
}

/* Blocks touched. */
static unsigned block_count(const struct extent_io *x)
{
    unsigned last = (x->first_sector + x->sector_count - 1U) / BLOCK_SECTORS;
    return last - first_block(x) + 1;
}

static bool head_is_partial(const struct extent_io *x)
{
    return x->first_sector % BLOCK_SECTORS != 0;
}

static bool tail_is_partial(const struct extent_io *x)
{
    return (x->first_sector + x->sector_count) % BLOCK_SECTORS != 0;
}

/* ---- Coming and going ------------------------------------------------------------ */

static void extent_enter(struct extent_io *x)
{
    x->phase = stripe_enter(extent_stripe(x));
    x->counted = true;
}

static void extent_leave(struct extent_io *x)
{
    if (x->counted)
        stripe_leave(extent_stripe(x), x->phase);
    x->counted = false;
    if (x->held)
        stripe_release(extent_stripe(x), x->cell);
    x->held = false;
}

static void extent_end(struct extent_io *x, int rc)
{
    /* A first write that failed leaves its extent with a word that is not stored: not
     * worth a drain here. */
    map_word w = rc != 0 && x->cell != NULL ? atomic_load(x->cell) : 0;
    if (word_place(w) != 0 && word_mask(w) == 0)
        atomic_store(&extent_pool(x)->has_leaks, true);
    extent_leave(x);
    buf_put(x->vio->lane->buffers, &x->own);
    vio_extent_ended(x->vio, rc);
}

/* Goes on from the word after a wait. */
static void extent_resume(struct extent_io *x)
{
    vio_extent_wakes(x->vio);
    if (extent_start(x))
        extent_write(x, 1);
}

static void extent_on_released(struct note *note)
{
    extent_resume(container_of(note, struct extent_io, wait.stripe.note));
}

static void extent_on_space(struct note *note)
{
    extent_resume(container_of(note, struct extent_io, wait.space.note));
}

static void extent_on_leaf(struct note *note)
{
    struct extent_io *x = container_of(note, struct extent_io, wait.leaf.note);
    if (x->wait.leaf.rc == 0) {
        extent_resume(x);
        return;
    }
    vio_extent_wakes(x->vio);
    extent_end(x, x->wait.leaf.rc == -ENOMEM ? -ENOMEM : -EIO);
}

static struct inbox *extent_inbox(const struct extent_io *x)
{
    return loop_inbox(x->vio->lane->loop);
}

/* For the leaves of the whole stack: a part of a block is filled through it. Asked for in
 * flight, while the layers are sure to be there. */
static void extent_park_for_leaf(struct extent_io *x)
{
    extent_leave(x);
    x->cell = NULL; /* its leaf may be evicted meanwhile */
    x->wait.leaf =
        (struct leaf_wait){.note.run = extent_on_leaf, .inbox = extent_inbox(x)};
    stack_ask(extent_layer(x), x->index, &x->wait.leaf);
    vio_extent_parks(x->vio);
}

/* False: the word was released meanwhile, go again. In flight until it is parked: no
 * longer, and the leaf might be evicted. */
static bool extent_park_for_release(struct extent_io *x)
{
    extent_leave(x);
    x->wait.stripe =
        (struct stripe_wait){.note.run = extent_on_released, .inbox = extent_inbox(x)};
    if (!stripe_park(extent_stripe(x), x->cell, &x->wait.stripe))
        return false;
    vio_extent_parks(x->vio);
    return true;
}

/* No extent to be had now: waits for freed ones that age, fails where there are none. */
static void extent_no_space(struct extent_io *x, int rc)
{
    extent_leave(x);
    if (rc == -ENOSPC) {
        vio_extent_parks(x->vio);
        x->wait.space =
            (struct space_wait){.note.run = extent_on_space, .inbox = extent_inbox(x)};
        if (limbo_park(extent_pool(x), &x->wait.space))
            return;
        vio_extent_wakes(x->vio);
    }
    extent_end(x, rc);
}

/* ---- Words ----------------------------------------------------------------------- */

/* Gives the word an extent where it has none; *w is the word then. */
static int extent_place(struct extent_io *x, map_word *w)
{
    struct volume *volume = x->vio->volume;
    while (word_place(*w) == 0) {
        place p;
        int rc = pool_take(volume->pool, atomic_load(&volume->last_place), &p);
        if (rc != 0)
            return rc;
        map_word named = word_with_place(*w, p);
        if (!atomic_compare_exchange_strong(x->cell, w, named)) {
            pool_untake(volume->pool, p);
            if ((*w & WORD_HELD) != 0 && !x->held)
                return -EAGAIN;
            continue;
        }
        atomic_store(&volume->last_place, p);
        *w = named;
    }
    x->place = word_place(*w);
    return atomic_load(&pool_device(volume->pool, x->place)->failed) ? -EIO : 0;
}

/* The written blocks are in this layer from now on, while the word still names the extent
 * they were written to: else an UNMAP beside the write won. */
static void extent_set_bits(struct extent_io *x)
{
    struct pool *pool = extent_pool(x);
    map_word bits = word_blocks(first_block(x), block_count(x));
    map_word w = atomic_load(x->cell);
    bool done = false;
    while (!done && word_place(w) == x->place && (w & bits) != bits) {
        bool first = word_mask(w) == 0;
        if (first)
            pthread_rwlock_rdlock(&pool->gate);
        done = atomic_compare_exchange_strong(x->cell, &w, w | bits);
        if (done) {
            if (first)
                round_count_extent(pool, extent_layer(x), 1);
            round_mark_word(pool, x->leaf, x->index);
        }
        if (first)
            pthread_rwlock_unlock(&pool->gate);
    }
}

/* The layer has nothing of this extent from now on. False: the word was not `w` any more.
 */
static bool extent_swap_empty(struct extent_io *x, map_word w)
{
    struct pool *pool = extent_pool(x);
    map_word empty =
        (layer_parent(extent_layer(x)) != NULL ? WORD_OPAQUE : 0) | (w & WORD_HELD);
    pthread_rwlock_rdlock(&pool->gate);
    bool done = atomic_compare_exchange_strong(x->cell, &w, empty);
    if (done) {
        if (word_mask(w) != 0)
            round_count_extent(pool, extent_layer(x), -1);
        round_mark_word(pool, x->leaf, x->index);
        /* Before any round can commit the empty word: what no word names is either on its
         * way to be free, or a leak. */
        share_let_go(pool, w);
    }
    pthread_rwlock_unlock(&pool->gate);
    return done;
}

/* ---- Writing --------------------------------------------------------------------- */

static void extent_written(struct extent_io *x, int rc)
{
    if (rc == 0)
        extent_set_bits(x);
    extent_end(x, rc == 0 ? 0 : -EIO);
}

static void extent_on_written(struct engine_io *io, int rc)
{
    struct extent_io *x = container_of(io, struct extent_io, io);
    struct device *device = pool_device(extent_pool(x), x->place);
    /* Before any bit is set: the round that copies the bit then syncs this device. */
    atomic_store(&device->unsynced, true);
    for (uint32_t left = x->run_count; left > 0; left--, x++)
        extent_written(x, rc);
}

/* One I/O for run_count pieces that lie together in memory and on disk. */
static void extent_write(struct extent_io *first, uint32_t run_count)
{
    struct device *device = pool_device(extent_pool(first), first->place);
    size_t bytes = 0;
    for (uint32_t i = 0; i < run_count; i++)
        bytes += (size_t)block_count(&first[i]) * BLOCK_BYTES;
    first->run_count = run_count;
    first->iov = (struct iovec){.iov_base = first->data, .iov_len = bytes};
    first->io = (struct engine_io){
        .op = ENGINE_WRITE,
        .fd = device->fd,
        .offset_bytes = place_extent(first->place) * EXTENT_BYTES +
                        (uint64_t)first_block(first) * BLOCK_BYTES,
        .iov = &first->iov,
        .iov_count = 1,
        .done = extent_on_written,
    };
    engine_submit(first->vio->lane->engine, &first->io);
}

static void hold_start(struct extent_io *x);

/* An ordinary write: takes no lock, looks at the held bit. True: ready to be written. */
static bool write_start(struct extent_io *x)
{
    for (;;) {
        extent_enter(x);
        map_word w = atomic_load(x->cell);
        if ((w & (WORD_SHARED | WORD_HELD)) == WORD_SHARED) {
            extent_leave(x);
            hold_start(x);
            return false;
        }
        int rc = (w & WORD_HELD) != 0 ? -EAGAIN : extent_place(x, &w);
        if (rc == 0)
            return true;
        if (rc != -EAGAIN) {
            extent_no_space(x, rc);
            return false;
        }
        if (extent_park_for_release(x))
            return false;
    }
}

/* ---- Under a hold ---------------------------------------------------------------- */

static void hold_go(struct extent_io *x);

/* Sets the held bit and waits for the writers that came before. */
static void hold_start(struct extent_io *x)
{
    while ((atomic_fetch_or(x->cell, WORD_HELD) & WORD_HELD) != 0)
        if (extent_park_for_release(x))
            return;
    x->held = true;
    x->wait.stripe =
        (struct stripe_wait){.note.run = extent_on_drained, .inbox = extent_inbox(x)};
    if (stripe_drain(extent_stripe(x), &x->wait.stripe))
        hold_go(x);
}

static void extent_on_drained(struct note *note)
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
    if (--x->fills_due == 0)
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

/* Reads the old block into its half of x->own, or zeroes it. */
static void fill_block(struct extent_io *x, const struct stack *stack, bool head)
{
    unsigned end = x->first_sector + x->sector_count;
    unsigned block = head ? first_block(x) : (end - 1) / BLOCK_SECTORS;
    int i = head ? 0 : 1;
    uint8_t *to = x->own.base + (size_t)i * BLOCK_BYTES;
    struct plan_run run;
    struct plan plan = {.runs = &run, .run_max = 1};
    plan_extent(&plan, stack->words, stack->depth, block, 1);
    if (run.slot == 0) {
        memset(to, 0, BLOCK_BYTES);
        return;
    }
    x->fills_due++;
    x->fill_iov[i] = (struct iovec){.iov_base = to, .iov_len = BLOCK_BYTES};
    x->fill[i] = (struct engine_io){
        .op = ENGINE_READ,
        .fd = pool_device(extent_pool(x), place_of(run.slot, 0))->fd,
        .offset_bytes = run.block * BLOCK_BYTES,
        .iov = &x->fill_iov[i],
        .iov_count = 1,
        .done = head ? fill_on_head : fill_on_tail,
    };
    engine_submit(x->vio->lane->engine, &x->fill[i]);
}

/* The blocks that the piece touches are zeros as the volume shows them. */
static bool stack_is_zeros(const struct stack *stack, unsigned first, unsigned count)
{
    struct plan_run runs[WORD_BLOCKS];
    struct plan plan = {.runs = runs, .run_max = WORD_BLOCKS};
    plan_extent(&plan, stack->words, stack->depth, first, count);
    return plan.run_count == 1 && runs[0].slot == 0;
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
    x->fills_due = 1; /* ours, until both are submitted */
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

/* ---- A shared extent: nobody writes it in place ---------------------------------- */

struct unshare {
    struct block_copy copy;
    struct extent_io *x;
};

static void hold_write(struct extent_io *x);

/* The word names the copy from now on. */
static void unshare_swap(struct extent_io *x, place fresh)
{
    struct pool *pool = extent_pool(x);
    pthread_rwlock_rdlock(&pool->gate);
    map_word w = atomic_load(x->cell);
    atomic_store(x->cell, word_with_place(w & ~WORD_SHARED, fresh));
    round_mark_word(pool, x->leaf, x->index);
    share_let_go(pool, w);
    pthread_rwlock_unlock(&pool->gate);
}

static void unshare_on_copied(struct block_copy *copy, int rc)
{
    struct extent_io *x = container_of(copy, struct unshare, copy)->x;
    place fresh = copy->to;
    buf_put(x->vio->lane->buffers, &x->unshare);
    if (rc == 0) {
        unshare_swap(x, fresh);
        hold_write(x);
    } else {
        pool_untake(extent_pool(x), fresh);
        extent_end(x, rc);
    }
}

/* All its valid blocks go to a fresh extent: also those that are written next, for that
 * write may be lost. */
static void hold_unshare(struct extent_io *x, map_word w)
{
    struct pool *pool = extent_pool(x);
    place fresh;
    int rc = pool_take(pool, atomic_load(&x->vio->volume->last_place), &fresh);
    if (rc != 0) {
        extent_no_space(x, rc);
        return;
    }
    if (buf_get(x->vio->lane->buffers, sizeof(struct unshare), &x->unshare) != 0) {
        pool_untake(pool, fresh);
        extent_end(x, -ENOMEM);
        return;
    }
    struct unshare *u = (void *)x->unshare.base;
    *u = (struct unshare){
        .copy = {.lane = x->vio->lane,
                 .pool = pool,
                 .from = word_place(w),
                 .to = fresh,
                 .blocks = word_mask(w),
                 .done = unshare_on_copied},
        .x = x,
    };
    block_copy_start(&u->copy);
}

static void hold_write(struct extent_io *x)
{
    map_word w = atomic_load(x->cell);
    if ((w & WORD_SHARED) != 0)
        hold_unshare(x, w);
    else if (head_is_partial(x) || tail_is_partial(x))
        hold_fill(x);
    else
        hold_write_whole(x);
}

/* ---- Clearing --------------------------------------------------------------------- */

/* Clearing bits gives zeros: the word hides what lies below, or nothing lies there, or
 * all its other blocks are its own. */
static bool may_clear(const struct extent_io *x, map_word w)
{
    unsigned blocks = word_blocks(first_block(x), block_count(x));
    return (w & WORD_OPAQUE) != 0 || layer_parent(extent_layer(x)) == NULL ||
           (word_mask(w) | blocks) == WORD_MASK_FULL;
}

static bool zero_by_writing(struct extent_io *x);

/* Bits may not be cleared after all: an UNMAP does nothing then. */
static void hold_give_way(struct extent_io *x)
{
    extent_leave(x);
    if (x->kind == EXTENT_CLEAR)
        extent_end(x, 0);
    else if (zero_by_writing(x))
        extent_write(x, 1);
}

static void hold_clear(struct extent_io *x)
{
    struct pool *pool = extent_pool(x);
    map_word w = atomic_load(x->cell);
    map_word left = w & ~(map_word)word_blocks(first_block(x), block_count(x));
    if (!may_clear(x, w)) { /* others cleared beside us before we held it */
        hold_give_way(x);
        return;
    }
    if (word_mask(left) == 0) {
        bool swapped = extent_swap_empty(x, w);
        assert(swapped); /* nobody else changes a held word */
    } else {
        if (layer_parent(extent_layer(x)) != NULL)
            left |= WORD_OPAQUE;
        atomic_store(x->cell, left);
        round_mark_word(pool, x->leaf, x->index);
    }
    extent_end(x, 0);
}

static void hold_go(struct extent_io *x)
{
    if (x->kind == EXTENT_WRITE)
        hold_write(x);
    else
        hold_clear(x);
}

/* ---- Unmapping and zeroing ------------------------------------------------------- */

/* Zeros to disk: where bits may not be cleared. */
static bool zero_by_writing(struct extent_io *x)
{
    size_t bytes = (size_t)block_count(x) * BLOCK_BYTES;
    if (buf_get(x->vio->lane->buffers, bytes, &x->own) != 0) {
        extent_end(x, -ENOMEM);
        return false;
    }
    memset(x->own.base, 0, bytes);
    x->data = x->own.base;
    x->kind = EXTENT_WRITE;
    return write_start(x);
}

/* Nothing is here, and nothing shows through. -EAGAIN: what lies below is not in memory.
 */
static int word_is_empty(const struct extent_io *x, map_word w, bool *empty)
{
    struct stack stack;
    *empty = word_place(w) == 0 && (w & WORD_OPAQUE) != 0;
    if (*empty || word_place(w) != 0)
        return 0;
    if (stack_look(extent_layer(x), x->index, &stack) != 0)
        return -EAGAIN;
    *empty = stack_is_zeros(&stack, 0, WORD_BLOCKS);
    return 0;
}

/* The whole extent: swaps the word; whoever writes it now finds another word and gives
 * way. False: it is held, and was released before we could park. */
static bool clear_whole(struct extent_io *x)
{
    extent_enter(x);
    map_word w = atomic_load(x->cell);
    while ((w & WORD_HELD) == 0) {
        bool empty;
        if (word_is_empty(x, w, &empty) != 0) {
            extent_park_for_leaf(x);
            return true;
        }
        if (empty || extent_swap_empty(x, w)) {
            extent_end(x, 0);
            return true;
        }
        w = atomic_load(x->cell);
    }
    return extent_park_for_release(x);
}

/* True: it became a write that is ready. */
static bool clear_start(struct extent_io *x)
{
    if (block_count(x) == WORD_BLOCKS) {
        while (!clear_whole(x))
            ;
        return false;
    }
    map_word w = atomic_load(x->cell);
    unsigned blocks = word_blocks(first_block(x), block_count(x));
    bool is_zeros = (word_mask(w) & blocks) == 0 &&
                    ((w & WORD_OPAQUE) != 0 || layer_parent(extent_layer(x)) == NULL);
    bool may = may_clear(x, w);
    if (is_zeros || (!may && x->kind == EXTENT_CLEAR)) {
        extent_end(x, 0);
        return false;
    }
    if (!may)
        return zero_by_writing(x);
    hold_start(x);
    return false;
}

/* ---- Starting -------------------------------------------------------------------- */

/* True: a write that is ready; else it has ended, or goes on by a note. */
static bool extent_start(struct extent_io *x)
{
    struct layer *layer = extent_layer(x);
    const struct leaf *seen = layer_leaf(layer, x->index);
    x->cell = NULL; /* the leaf of an earlier attempt may have been evicted */
    if (seen == NULL) {
        extent_park_for_leaf(x);
        return false;
    }
    if (x->kind != EXTENT_WRITE && leaf_is_zeros(seen) && layer_parent(layer) == NULL) {
        extent_end(x, 0);
        return false;
    }
    if (layer_leaf_own(layer, x->index, &x->leaf) != 0) {
        extent_end(x, -ENOMEM);
        return false;
    }
    if (x->leaf == NULL) { /* evicted since it was seen */
        extent_park_for_leaf(x);
        return false;
    }
    x->cell = leaf_cell(x->leaf, x->index);
    if (x->kind != EXTENT_WRITE)
        return clear_start(x);
    if (!head_is_partial(x) && !tail_is_partial(x))
        return write_start(x);
    hold_start(x);
    return false;
}

static bool lies_behind(const struct extent_io *a, const struct extent_io *b)
{
    return b->place == a->place + 1 && b->first_sector == 0 &&
           a->first_sector + a->sector_count == WORD_BLOCKS * BLOCK_SECTORS &&
           b->data == a->data + (size_t)block_count(a) * BLOCK_BYTES;
}

void extent_io_start_all(struct extent_io *pieces, uint32_t count)
{
    uint32_t first = 0, run = 0; /* ready pieces first .. first+run-1 lie together */
    for (uint32_t i = 0; i < count; i++) {
        if (!extent_start(&pieces[i]))
            continue;
        if (run > 0 && first + run == i && lies_behind(&pieces[i - 1], &pieces[i])) {
            run++;
            continue;
        }
        if (run > 0)
            extent_write(&pieces[first], run);
        first = i;
        run = 1;
    }
    if (run > 0)
        extent_write(&pieces[first], run);
}
