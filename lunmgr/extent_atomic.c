/* SPDX-License-Identifier: Apache-2.0 */
/* An atomic write (SBC-4, 4.29), and the COMPARE AND WRITE of several blocks: all of it
 * or nothing, whoever looks, also over a crash. The words of all its extents are held;
 * its data, and of the first and the last extent the other blocks, go to fresh extents;
 * then all words are swapped in one step under the gate, so that a round has all of them
 * or none. The pieces of one write lie side by side and go together, led by the first. */
#include "lunmgr/extent_priv.h"

#include "lunmgr/lane_priv.h"

#include <errno.h>

static struct extent_io *lead_of(const struct extent_io *x)
{
    return (void *)x->vio->p.work.base;
}

/* ---- Letting go ------------------------------------------------------------------ */

void extent_leave_all(struct extent_io *lead)
{
    for (uint32_t i = 0; i < lead->run_count; i++)
        extent_leave(&lead[i]);
}

void extent_atomic_leave(struct extent_io *x)
{
    struct extent_io *lead = lead_of(x);
    extent_leave_all(lead);
    for (uint32_t i = 0; i < lead->run_count; i++) {
        if (lead[i].place != 0)
            space_untake(extent_pool(x), extent_layer(x), lead[i].place);
        lead[i].place = 0;
    }
}

/* ---- The step -------------------------------------------------------------------- */

static map_word blocks_of(const struct extent_io *x)
{
    return word_blocks(first_block(x), block_count(x));
}

/* The word names the fresh extent from now on: it is the word's. */
static void word_swap(struct extent_io *x)
{
    struct pool *pool = extent_pool(x);
    map_word w = atomic_load(x->cell);
    atomic_store(x->cell, word_with_place((w & ~WORD_SHARED) | blocks_of(x), x->place));
    if (word_mask(w) == 0)
        round_count_extent(pool, extent_layer(x), 1);
    round_mark_word(pool, x->leaf, x->index);
    share_let_go(extent_layer(x), w);
    x->place = 0;
}

static void words_swap(struct extent_io *lead)
{
    struct volume *volume = lead->vio->volume;
    pthread_rwlock_rdlock(&volume->pool->gate);
    atomic_fetch_add(&volume->steps_begun, 1);
    for (uint32_t i = 0; i < lead->run_count; i++)
        word_swap(&lead[i]);
    atomic_fetch_add(&volume->steps_ended, 1);
    pthread_rwlock_unlock(&volume->pool->gate);
}

/* ---- Writing --------------------------------------------------------------------- */

static void io_done(struct extent_io *x, int rc)
{
    struct extent_io *lead = lead_of(x);
    if (lead->rc == 0)
        lead->rc = rc;
    if (--lead->due > 0)
        return;
    if (lead->rc == 0)
        words_swap(lead);
    extent_end(lead, lead->rc);
}

static void piece_on_written(struct engine_io *io, int rc)
{
    struct extent_io *x = container_of(io, struct extent_io, io);
    /* Before the word names the blocks: the round that has the word syncs this device. */
    round_note_write(pool_device(extent_pool(x), x->place), extent_layer(x)->family, rc);
    io_done(x, rc == 0 ? 0 : -EIO);
}

/* What the layer has of the extent and this does not write goes along. */
static void piece_write(struct extent_io *x)
{
    struct extent_io *lead = lead_of(x);
    map_word w = atomic_load(x->cell);
    unsigned kept = word_mask(w) & ~(unsigned)blocks_of(x);
    lead->due += kept != 0 ? 2 : 1;
    extent_submit(x, (size_t)block_count(x) * BLOCK_BYTES, piece_on_written);
    if (kept != 0)
        extent_copy(x, word_place(w), x->place, kept, io_done);
}

static void pieces_write(struct extent_io *lead)
{
    lead->rc = 0;
    lead->due = 1; /* ours, until all are submitted */
    for (uint32_t i = 0; i < lead->run_count; i++)
        piece_write(&lead[i]);
    io_done(lead, 0);
}

/* ---- Fresh extents ----------------------------------------------------------------- */

/* What is taken is kept over a wait for the others. */
static int places_take(struct extent_io *lead)
{
    struct volume *volume = lead->vio->volume;
    for (uint32_t i = 0; i < lead->run_count; i++) {
        if (lead[i].place != 0 && device_gives(pool_device(volume->pool, lead[i].place)))
            continue;
        if (lead[i].place != 0) /* its device is being evacuated, or has failed, since */
            space_untake(volume->pool, extent_layer(lead), lead[i].place);
        lead[i].place = 0;
        int rc = space_take(volume->pool, extent_layer(lead),
                            atomic_load(&volume->last_place), &lead[i].place);
        if (rc != 0)
            return rc;
        atomic_store(&volume->last_place, lead[i].place);
    }
    return 0;
}

void extent_atomic_write(struct extent_io *lead)
{
    int rc = places_take(lead);
    if (rc == 0) {
        pieces_write(lead);
        return;
    }
    extent_leave_all(lead);
    extent_no_space(lead, rc);
}

/* ---- Holding ----------------------------------------------------------------------- */

static void drain_done(struct extent_io *lead)
{
    if (--lead->due > 0)
        return;
    if (lead->vio->p.op == VIO_COMPARE_WRITE)
        extent_caw(lead);
    else
        extent_atomic_write(lead);
}

static void piece_on_drained(struct note *note)
{
    drain_done(lead_of(container_of(note, struct extent_io, wait.stripe.note)));
}

static void holds_drain(struct extent_io *lead)
{
    lead->due = 1; /* ours, until all are asked for */
    for (uint32_t i = 0; i < lead->run_count; i++) {
        struct extent_io *x = &lead[i];
        x->wait.stripe =
            (struct stripe_wait){.note.run = piece_on_drained, .inbox = extent_inbox(x)};
        if (!stripe_drain(extent_stripe(x), &x->wait.stripe))
            lead->due++;
    }
    drain_done(lead);
}

/* All or none, in the order of the volume: who waits for a word holds no other. NULL, or
 * the piece whose word another holds. */
static struct extent_io *holds_take(struct extent_io *lead)
{
    for (uint32_t i = 0; i < lead->run_count; i++) {
        struct extent_io *x = &lead[i];
        if ((atomic_fetch_or(x->cell, WORD_HELD) & WORD_HELD) != 0) {
            extent_leave_all(lead);
            return x;
        }
        x->held = true;
    }
    return NULL;
}

/* ---- Starting ---------------------------------------------------------------------- */

/* The words of all; on a failure *missing is the piece that has none. */
static int words_find(struct extent_io *lead, struct extent_io **missing)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < lead->run_count; i++) {
        *missing = &lead[i];
        rc = extent_own(*missing);
    }
    return rc;
}

void extent_atomic(struct extent_io *x)
{
    struct extent_io *lead = lead_of(x), *other = NULL;
    int rc = words_find(lead, &other);
    if (rc == -EAGAIN) {
        extent_park_for_leaf(other);
        return;
    }
    if (rc != 0) {
        extent_end(lead, rc);
        return;
    }
    while ((other = holds_take(lead)) != NULL)
        if (extent_park_for_release(other))
            return;
    holds_drain(lead);
}
