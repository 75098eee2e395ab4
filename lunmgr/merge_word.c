/* SPDX-License-Identifier: Apache-2.0 */
/* One extent's way through a merge. */
#include "lunmgr/merge_word.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>

static struct pool *word_pool(const struct merge_word *mw)
{
    return mw->parent.layer->pool;
}

static struct lane *word_lane(const struct merge_word *mw)
{
    return lunmgr_home_lane(word_pool(mw)->manager);
}

static struct stripe *side_stripe(const struct merge_word *mw,
                                  const struct merge_side *side)
{
    return pool_stripe(side->layer->pool, side->layer, mw->index);
}

static void side_release(const struct merge_word *mw, const struct merge_side *side)
{
    stripe_release(side_stripe(mw, side), side->cell);
}

static void word_end(struct merge_word *mw, int rc)
{
    buf_put(word_lane(mw)->buffers, &mw->buf);
    mw->done(mw, rc);
}

/* ---- The step -------------------------------------------------------------------- */

static void side_set(const struct merge_word *mw, const struct merge_side *side,
                     map_word word)
{
    int change = (word_mask(word) != 0) - (word_mask(side->word) != 0);
    atomic_store(side->cell, word | WORD_HELD);
    if (change != 0)
        round_count_extent(word_pool(mw), side->layer, change);
    round_mark_word(word_pool(mw), side->leaf, mw->index);
}

/* The parent's word is stored as empty from now on, and still read: who has read the
 * child's old word goes on to this one. */
static void parent_haunt(const struct merge_word *mw)
{
    const struct merge_side *parent = &mw->parent;
    unsigned i = mw->index % LEAF_WORDS;
    atomic_fetch_or(&parent->leaf->ghosts[i / 64], 1ULL << i % 64);
    if (word_mask(parent->word) != 0)
        round_count_extent(word_pool(mw), parent->layer, -1);
    round_mark_word(word_pool(mw), parent->leaf, mw->index);
}

void merge_word_bury(struct layer *parent, struct leaf *leaf, uint32_t index)
{
    unsigned i = index % LEAF_WORDS;
    atomic_store(leaf_cell(leaf, index), WORD_HELD);
    atomic_fetch_and(&leaf->ghosts[i / 64], ~(1ULL << i % 64));
    stripe_release(pool_stripe(parent->pool, parent, index), leaf_cell(leaf, index));
}

static void word_step(struct merge_word *mw)
{
    struct pool *pool = word_pool(mw);
    if (mw->blocks != 0) /* before the words: the round that has them syncs the data */
        atomic_store(&pool_device(pool, mw->to)->unsynced, true);
    if (mw->down) {
        side_set(mw, &mw->parent, mw->merged); /* a reader comes by the child first */
        side_set(mw, &mw->child, 0);
    } else {
        side_set(mw, &mw->child, mw->merged);
        parent_haunt(mw);
    }
    stack_changed(pool, mw->index / LEAF_WORDS);
    if (mw->left_over != 0)
        limbo_add(pool, mw->left_over);
    side_release(mw, &mw->child);
    if (mw->down)
        side_release(mw, &mw->parent);
    word_end(mw, 0);
}

/* Nothing has changed. */
static void word_give_up(struct merge_word *mw, int rc)
{
    side_release(mw, &mw->child);
    side_release(mw, &mw->parent);
    word_end(mw, rc);
}

/* ---- Copying --------------------------------------------------------------------- */

/* `count` blocks from block `first` of the extent at p, to or from their own place in the
 * buffer. */
static void copy_submit(struct merge_word *mw, unsigned run, enum engine_op op, place p,
                        unsigned first, unsigned count,
                        void (*done)(struct engine_io *io, int rc))
{
    struct merge_io *mio = &mw->io[run];
    *mio = (struct merge_io){
        .iov = {.iov_base = mw->buf.base + (size_t)first * BLOCK_BYTES,
                .iov_len = (size_t)count * BLOCK_BYTES},
        .word = mw,
    };
    mio->io = (struct engine_io){
        .op = op,
        .fd = pool_device(word_pool(mw), p)->fd,
        .offset_bytes = (place_extent(p) * WORD_BLOCKS + first) * BLOCK_BYTES,
        .iov = &mio->iov,
        .iov_count = 1,
        .done = done,
    };
    engine_submit(word_lane(mw)->engine, &mio->io);
}

static void copy_written(struct merge_word *mw)
{
    if (--mw->due > 0)
        return;
    if (mw->rc != 0)
        word_give_up(mw, mw->rc);
    else
        word_step(mw);
}

static void copy_on_written(struct engine_io *io, int rc)
{
    struct merge_word *mw = container_of(io, struct merge_io, io)->word;
    if (rc != 0)
        mw->rc = -EIO;
    copy_written(mw);
}

static void copy_on_read(struct engine_io *io, int rc)
{
    struct merge_word *mw = container_of(io, struct merge_io, io)->word;
    if (rc != 0) {
        word_give_up(mw, -EIO);
        return;
    }
    unsigned run = 0, left = mw->blocks;
    mw->due = 1; /* ours, until all are submitted */
    while (left != 0) {
        unsigned first = (unsigned)__builtin_ctz(left);
        unsigned count = (unsigned)__builtin_ctz(~(left >> first));
        left &= ~word_blocks(first, count);
        mw->due++;
        copy_submit(mw, run++, ENGINE_WRITE, mw->to, first, count, copy_on_written);
    }
    copy_written(mw);
}

static void copy_start(struct merge_word *mw)
{
    unsigned first = (unsigned)__builtin_ctz(mw->blocks);
    unsigned last = 31U - (unsigned)__builtin_clz(mw->blocks);
    bool failed = atomic_load(&pool_device(word_pool(mw), mw->from)->failed) ||
                  atomic_load(&pool_device(word_pool(mw), mw->to)->failed);
    if (failed) {
        word_give_up(mw, -EIO);
        return;
    }
    if (buf_get(word_lane(mw)->buffers, WORD_BLOCKS * BLOCK_BYTES, &mw->buf) != 0) {
        word_give_up(mw, -ENOMEM);
        return;
    }
    copy_submit(mw, 0, ENGINE_READ, mw->from, first, last - first + 1, copy_on_read);
}

/* ---- Combining ------------------------------------------------------------------- */

/* Both extents stay in part: the fewer blocks move. */
static void word_plan_copy(struct merge_word *mw, unsigned missing)
{
    map_word wp = mw->parent.word, wc = mw->child.word;
    unsigned own = word_mask(wc);
    bool up = __builtin_popcount(missing) <= __builtin_popcount(own);
    mw->from = word_place(up ? wp : wc);
    mw->to = word_place(up ? wc : wp);
    mw->blocks = up ? missing : own;
    mw->left_over = mw->from;
    mw->merged = word_with_place(wc | missing | (wp & WORD_OPAQUE), mw->to);
}

/* What the one word is, what has to be copied for it, and which extent is left over. */
static void word_plan(struct merge_word *mw)
{
    map_word wp = mw->parent.word, wc = mw->child.word;
    unsigned missing = word_mask(wp) & ~word_mask(wc);
    mw->blocks = 0;
    if ((wc & WORD_OPAQUE) != 0) {
        mw->merged = wc;
        mw->left_over = word_place(wp);
    } else if (word_mask(wc) == 0) {
        mw->merged = wp;
        mw->left_over = word_place(wc); /* of a first write that failed */
    } else if (missing == 0) {
        mw->merged = wc | (wp & WORD_OPAQUE);
        mw->left_over = word_place(wp);
    } else {
        word_plan_copy(mw, missing);
    }
}

/* ---- Holding both ---------------------------------------------------------------- */

static void word_go(struct merge_word *mw)
{
    mw->parent.word = atomic_load(mw->parent.cell) & ~WORD_HELD;
    mw->child.word = atomic_load(mw->child.cell) & ~WORD_HELD;
    word_plan(mw);
    if (mw->blocks != 0)
        copy_start(mw);
    else
        word_step(mw);
}

static void word_on_drained(struct note *note)
{
    word_go(container_of(note, struct merge_word, wait.note));
}

static bool side_hold(const struct merge_side *side)
{
    return (atomic_fetch_or(side->cell, WORD_HELD) & WORD_HELD) == 0;
}

/* Both or none. */
static bool word_hold(struct merge_word *mw)
{
    if (!side_hold(&mw->child))
        return false;
    if (side_hold(&mw->parent))
        return true;
    side_release(mw, &mw->child);
    return false;
}

void merge_word_start(struct merge_word *mw)
{
    if (!word_hold(mw)) {
        word_end(mw, -EAGAIN);
        return;
    }
    mw->wait = (struct stripe_wait){.note.run = word_on_drained,
                                    .inbox = loop_inbox(word_lane(mw)->loop)};
    if (mw->child_is_sealed || stripe_drain(side_stripe(mw, &mw->child), &mw->wait))
        word_go(mw);
}
