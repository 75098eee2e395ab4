/* SPDX-License-Identifier: Apache-2.0 */
/* One extent's part of a write, OR, COMPARE AND WRITE, unmap or zero:
 * docs/ARCHITECTURE.md, "A write". Here its beginning, its waits, the words, and the
 * ordinary write; extent_hold.c, extent_or.c and extent_caw.c have what is done under a
 * hold, extent_clear.c the unmaps and zeros, extent_atomic.c the atomic write. */
#include "lunmgr/extent_priv.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/stack.h"

#include <errno.h>

static bool extent_start(struct extent_io *x);

/* ---- Coming and going ------------------------------------------------------------ */

void extent_enter(struct extent_io *x)
{
    x->phase = stripe_enter(extent_stripe(x));
    x->counted = true;
}

void extent_leave(struct extent_io *x)
{
    if (x->counted)
        stripe_leave(extent_stripe(x), x->phase);
    x->counted = false;
    if (x->held)
        stripe_release(extent_stripe(x), x->cell);
    x->held = false;
}

void extent_end(struct extent_io *x, int rc)
{
    if (x->kind == EXTENT_ATOMIC)
        extent_atomic_leave(x);
    /* A first write that failed leaves its extent with a word that is not stored: not
     * worth a drain here. */
    map_word w = rc != 0 && x->cell != NULL ? atomic_load(x->cell) : 0;
    if (word_place(w) != 0 && word_mask(w) == 0)
        atomic_store(&extent_pool(x)->has_leaks, true);
    extent_leave(x);
    buf_put(x->vio->lane->buffers, &x->own);
    buf_put(x->vio->lane->buffers, &x->work);
    vio_extent_ended(x->vio, rc);
}

void extent_resume(struct extent_io *x)
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

struct inbox *extent_inbox(const struct extent_io *x)
{
    return loop_inbox(x->vio->lane->loop);
}

/* For the leaves of the whole stack: a part of a block is filled through it. Asked for in
 * flight, while the layers are sure to be there. */
void extent_park_for_leaf(struct extent_io *x)
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
bool extent_park_for_release(struct extent_io *x)
{
    extent_leave(x);
    x->wait.stripe =
        (struct stripe_wait){.note.run = extent_on_released, .inbox = extent_inbox(x)};
    if (!stripe_park(extent_stripe(x), x->cell, &x->wait.stripe))
        return false;
    vio_extent_parks(x->vio);
    return true;
}

void extent_refuse(struct extent_io *x)
{
    news_space_refused(extent_pool(x));
    extent_end(x, -ENOSPC);
}

/* For freed ones that age. False: there are none. */
static bool extent_park_for_space(struct extent_io *x)
{
    vio_extent_parks(x->vio);
    x->wait.space =
        (struct space_wait){.note.run = extent_on_space, .inbox = extent_inbox(x)};
    if (limbo_park(extent_pool(x), &x->wait.space))
        return true;
    vio_extent_wakes(x->vio);
    return false;
}

/* No extent to be had now: waits for freed ones that age; where there are none, or none
 * for this volume, for what may come within its grace. Looked at in flight: what is its
 * top stays. */
void extent_no_space(struct extent_io *x, int rc)
{
    bool left = rc == -ENOSPC && space_is_left(extent_pool(x), extent_layer(x));
    extent_leave(x);
    if (rc != -ENOSPC)
        extent_end(x, rc);
    else if (!(left && extent_park_for_space(x)) && !grace_park(x))
        extent_refuse(x);
}

/* ---- Words ----------------------------------------------------------------------- */

/* Gives the word an extent where it has none; *w is the word then. */
int extent_place(struct extent_io *x, map_word *w)
{
    struct volume *volume = x->vio->volume;
    while (word_place(*w) == 0) {
        place p;
        int rc = space_take(volume->pool, extent_layer(x),
                            atomic_load(&volume->last_place), &p);
        if (rc != 0)
            return rc;
        map_word named = word_with_place(*w, p);
        if (!atomic_compare_exchange_strong(x->cell, w, named)) {
            space_untake(volume->pool, extent_layer(x), p);
            if ((*w & WORD_HELD) != 0 && !x->held)
                return -EAGAIN;
            continue;
        }
        atomic_store(&volume->last_place, p);
        *w = named;
    }
    x->place = word_place(*w);
    return device_is_failed(pool_device(volume->pool, x->place)) ? -EIO : 0;
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
bool extent_swap_empty(struct extent_io *x, map_word w)
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
        share_let_go(extent_layer(x), w);
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
    round_note_write(device, extent_layer(x)->family, rc);
    for (uint32_t left = x->run_count; left > 0; left--, x++)
        extent_written(x, rc);
}

void extent_submit(struct extent_io *x, size_t bytes,
                   void (*done)(struct engine_io *io, int rc))
{
    struct device *device = pool_device(extent_pool(x), x->place);
    x->iov = (struct iovec){.iov_base = x->data, .iov_len = bytes};
    x->io = (struct engine_io){
        .op = ENGINE_WRITE,
        .fd = device->fd,
        .device = device,
        .offset_bytes = place_extent(x->place) * EXTENT_BYTES +
                        (uint64_t)first_block(x) * BLOCK_BYTES,
        .iov = &x->iov,
        .iov_count = 1,
        .done = done,
    };
    engine_submit(x->vio->lane->engine, &x->io);
}

/* One I/O for run_count pieces that lie together in memory and on disk. */
void extent_write(struct extent_io *first, uint32_t run_count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < run_count; i++)
        bytes += (size_t)block_count(&first[i]) * BLOCK_BYTES;
    first->run_count = run_count;
    extent_submit(first, bytes, extent_on_written);
}

/* An ordinary write: takes no lock, looks at the held bit. True: ready to be written. */
bool extent_write_start(struct extent_io *x)
{
    for (;;) {
        extent_enter(x);
        map_word w = atomic_load(x->cell);
        if ((w & (WORD_SHARED | WORD_HELD)) == WORD_SHARED) {
            extent_leave(x);
            extent_hold(x);
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

/* ---- Starting -------------------------------------------------------------------- */

int extent_own(struct extent_io *x)
{
    x->cell = NULL; /* the leaf of an earlier attempt may have been evicted */
    int rc = layer_leaf_own(extent_layer(x), x->index, &x->leaf);
    if (rc != 0)
        return rc;
    if (x->leaf == NULL)
        return -EAGAIN;
    x->cell = leaf_cell(x->leaf, x->index);
    return 0;
}

/* Nothing to be cleared, and no leaf to be made for it. */
static bool clears_nothing(const struct extent_io *x)
{
    struct layer *layer = extent_layer(x);
    const struct leaf *seen = layer_leaf(layer, x->index);
    return seen != NULL && leaf_is_zeros(seen) && layer_parent(layer) == NULL;
}

/* True: a write that is ready; else it has ended, or goes on by a note. */
static bool extent_start(struct extent_io *x)
{
    if (x->kind == EXTENT_ATOMIC) {
        extent_atomic(x);
        return false;
    }
    if (extent_clears(x) && clears_nothing(x)) {
        x->cell = NULL;
        extent_end(x, 0);
        return false;
    }
    int rc = extent_own(x);
    if (rc == -EAGAIN) {
        extent_park_for_leaf(x);
        return false;
    }
    if (rc != 0) {
        extent_end(x, rc);
        return false;
    }
    if (extent_clears(x))
        return extent_clear(x);
    if (x->kind == EXTENT_WRITE && !head_is_partial(x) && !tail_is_partial(x))
        return extent_write_start(x);
    extent_hold(x);
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
