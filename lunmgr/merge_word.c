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
    space_unname(side->layer, side->word);
    space_name(side->layer, word);
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
    space_unname(parent->layer, parent->word);
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
    pool_hand_on(pool, mw->merged);
    if (mw->down) {
        side_set(mw, &mw->parent, mw->merged); /* a reader comes by the child first */
        side_set(mw, &mw->child, 0);
    } else {
        side_set(mw, &mw->child, mw->merged);
        parent_haunt(mw);
    }
    stack_changed(pool, mw->index / LEAF_WORDS);
    for (unsigned i = 0; i < ARRAY_LEN(mw->gone); i++)
        share_release(pool, mw->parent.layer->family, mw->gone[i]);
    side_release(mw, &mw->child);
    if (mw->down)
        side_release(mw, &mw->parent);
    word_end(mw, 0);
}

/* Nothing has changed. */
static void word_give_up(struct merge_word *mw, int rc)
{
    if (mw->is_fresh)
        space_untake(word_pool(mw), NULL, mw->to);
    side_release(mw, &mw->child);
    side_release(mw, &mw->parent);
    word_end(mw, rc);
}

/* ---- Copying --------------------------------------------------------------------- */

static void word_copy(struct merge_word *mw);

static void word_on_copied(struct block_copy *copy, int rc)
{
    struct merge_word *mw = container_of(copy, struct merge_word, copy);
    if (rc != 0)
        word_give_up(mw, rc);
    else
        word_copy(mw);
}

/* The next of the copies; after the last, the step. */
static void word_copy(struct merge_word *mw)
{
    const map_word from[] = {mw->parent.word, mw->child.word};
    unsigned i = mw->blocks[0] != 0 ? 0 : 1;
    if (mw->blocks[i] == 0) {
        word_step(mw);
        return;
    }
    mw->copy = (struct block_copy){
        .lane = word_lane(mw),
        .pool = word_pool(mw),
        .family = mw->parent.layer->family,
        .from = word_place(from[i]),
        .to = mw->to,
        .blocks = mw->blocks[i],
        .done = word_on_copied,
    };
    mw->blocks[i] = 0;
    block_copy_start(&mw->copy);
}

/* ---- Combining ------------------------------------------------------------------- */

/* Neither extent may be written: a third gets the blocks of both. */
static int word_plan_fresh(struct merge_word *mw, unsigned missing)
{
    int rc = space_take(word_pool(mw), NULL, 0, &mw->to);
    if (rc != 0)
        return rc;
    mw->is_fresh = true;
    mw->blocks[0] = missing;
    mw->blocks[1] = word_mask(mw->child.word);
    mw->gone[0] = mw->parent.word;
    mw->gone[1] = mw->child.word;
    return 0;
}

/* Blocks of the child may go where the parent shows blocks only if the catalog has the
 * child's word: else a crash would leave them there, of an atomic write perhaps, the rest
 * of which is lost. */
static bool parent_may_be_written(const struct merge_word *mw)
{
    unsigned covered = word_mask(mw->parent.word) & word_mask(mw->child.word);
    return (mw->parent.word & WORD_SHARED) == 0 &&
           (covered == 0 || leaf_word_is_committed(mw->child.leaf, mw->index));
}

/* The fewer blocks move, unless their extent may not be written. */
static void word_plan_into(struct merge_word *mw, unsigned missing, bool into_parent)
{
    map_word wp = mw->parent.word, wc = mw->child.word;
    unsigned own = word_mask(wc);
    bool up = (wc & WORD_SHARED) == 0 &&
              (!into_parent || __builtin_popcount(missing) <= __builtin_popcount(own));
    mw->to = word_place(up ? wc : wp);
    mw->blocks[up ? 0 : 1] = up ? missing : own;
    mw->gone[0] = up ? wp : wc;
}

/* Both extents have blocks that stay. */
static int word_plan_copy(struct merge_word *mw, unsigned missing)
{
    map_word wp = mw->parent.word, wc = mw->child.word;
    bool into_parent = parent_may_be_written(mw);
    int rc = 0;
    if ((wc & WORD_SHARED) != 0 && !into_parent)
        rc = word_plan_fresh(mw, missing);
    else
        word_plan_into(mw, missing, into_parent);
    mw->merged =
        word_with_place((wc & ~WORD_SHARED) | missing | (wp & WORD_OPAQUE), mw->to);
    return rc;
}

/* What the one word is, what has to be copied for it, and which extent is left over. */
static int word_plan(struct merge_word *mw)
{
    map_word wp = mw->parent.word, wc = mw->child.word;
    unsigned missing = word_mask(wp) & ~word_mask(wc);
    if ((wc & WORD_OPAQUE) == 0 && word_mask(wc) != 0 && missing != 0)
        return word_plan_copy(mw, missing);
    bool stays = (wc & WORD_OPAQUE) != 0 || word_mask(wc) != 0;
    mw->merged = stays ? wc | (wp & WORD_OPAQUE) : wp;
    mw->gone[0] = stays ? wp : wc; /* of the child: of a first write that failed */
    return 0;
}

/* ---- Holding both ---------------------------------------------------------------- */

static void word_go(struct merge_word *mw)
{
    mw->parent.word = atomic_load(mw->parent.cell) & ~WORD_HELD;
    mw->child.word = atomic_load(mw->child.cell) & ~WORD_HELD;
    int rc = word_plan(mw);
    mw->copies = mw->blocks[0] != 0 || mw->blocks[1] != 0;
    if (rc != 0)
        word_give_up(mw, rc);
    else
        word_copy(mw);
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
