/* SPDX-License-Identifier: Apache-2.0 */
/* A run's way to being shared: find the words, hold them, wait for the writers that came
 * before, look again, step, release. It takes what words it can have: from the first one
 * on that somebody else holds, or that is not in memory, the run ends before it, and if
 * that is its first, nothing is held while it waits. */
#include "lunmgr/share_run.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>

static struct pool *run_pool(const struct share_run *sr)
{
    return sr->to_top->pool;
}

static void bit_set(struct run_bits *b, uint32_t i)
{
    b->bits[i / 64] |= 1ULL << i % 64;
}

static void bit_clear(struct run_bits *b, uint32_t i)
{
    b->bits[i / 64] &= ~(1ULL << i % 64);
}

static struct share_side from_side(const struct share_run *sr, uint32_t i)
{
    const struct share_source *s = &sr->sources[i];
    return (struct share_side){.layer = s->layer,
                               .index = sr->from_index + i,
                               .leaf = s->leaf,
                               .cell = leaf_cell(s->leaf, sr->from_index + i)};
}

static struct share_side to_side(const struct share_run *sr, uint32_t i)
{
    return (struct share_side){.layer = sr->to_top,
                               .index = sr->to_index + i,
                               .leaf = sr->to_leaf,
                               .cell = leaf_cell(sr->to_leaf, sr->to_index + i)};
}

static struct stripe *side_stripe(const struct share_side *side)
{
    assert(side->layer != NULL);
    return pool_stripe(side->layer->pool, side->layer, side->index);
}

/* ---- Finding the words --------------------------------------------------------------
 */

/* The one layer that all blocks which the source shows come from: into *layer. 0;
 * -ENODATA: it is zeros; -EXDEV: several; -EAGAIN: some is missing. */
static int source_find(struct share_run *sr, uint32_t i, struct layer **layer)
{
    uint32_t index = sr->from_index + i;
    unsigned seen = 0;
    bool hidden = false;
    *layer = NULL;
    for (struct layer *l = sr->from_top; l != NULL && !hidden; l = layer_parent(l)) {
        const struct leaf *leaf = layer_leaf(l, index);
        if (leaf == NULL) {
            sr->missing = (struct share_side){.layer = l, .index = index};
            return -EAGAIN;
        }
        map_word w = leaf_word(leaf, index);
        if ((word_mask(w) & ~seen) != 0 && *layer != NULL)
            return -EXDEV;
        if (word_mask(w) != 0 && *layer == NULL)
            *layer = l;
        seen |= word_mask(w);
        hidden = (w & WORD_OPAQUE) != 0 || seen == WORD_MASK_FULL;
    }
    return *layer == NULL ? -ENODATA : 0;
}

/* Its leaf, to be changed. 0, -EAGAIN or -ENOMEM. */
static int leaf_own(struct share_run *sr, struct layer *layer, uint32_t index,
                    struct leaf **leaf)
{
    int rc = layer_leaf_own(layer, index, leaf);
    if (rc != 0 || *leaf != NULL)
        return rc;
    sr->missing = (struct share_side){.layer = layer, .index = index};
    return -EAGAIN;
}

static int source_own(struct share_run *sr, uint32_t i, struct layer *layer)
{
    struct share_source *s = &sr->sources[i];
    const struct share_source *before = i == 0 ? NULL : &sr->sources[i - 1];
    *s = (struct share_source){.layer = layer};
    if (before != NULL && before->layer == layer && before->leaf != NULL) {
        s->leaf = before->leaf;
        return 0;
    }
    return leaf_own(sr, layer, sr->from_index + i, &s->leaf);
}

static int run_find_one(struct share_run *sr, uint32_t i)
{
    struct layer *layer;
    int rc = source_find(sr, i, &layer);
    sr->sources[i] = (struct share_source){.layer = NULL};
    if (rc == 0)
        return source_own(sr, i, layer);
    if (rc == -EXDEV)
        bit_set(&sr->moved, i);
    return rc == -EXDEV || rc == -ENODATA ? 0 : rc;
}

/* As many as can be found. */
static int run_find(struct share_run *sr)
{
    int rc = leaf_own(sr, sr->to_top, sr->to_index, &sr->to_leaf);
    uint32_t i = 0;
    while (rc == 0 && i < sr->count) {
        rc = run_find_one(sr, i);
        i += rc == 0;
    }
    if (i == 0)
        return rc;
    sr->count = i;
    return 0;
}

/* ---- The step ------------------------------------------------------------------------
 */

static map_word opaque_of(const struct share_run *sr)
{
    return layer_parent(sr->to_top) == NULL ? 0 : WORD_OPAQUE;
}

/* The target's word from now on; what it named before is let go. */
static void target_set(struct share_run *sr, uint32_t i, map_word word)
{
    struct share_side to = to_side(sr, i);
    map_word old = atomic_exchange(to.cell, word | WORD_HELD);
    sr->named += (word_mask(word) != 0) - (word_mask(old) != 0);
    bit_set(&sr->to_marks, to.index % LEAF_WORDS);
    share_let_go(sr->to_top, old);
}

static void target_zero(struct share_run *sr, uint32_t i)
{
    map_word empty = opaque_of(sr);
    if (atomic_load(to_side(sr, i).cell) != (empty | WORD_HELD))
        target_set(sr, i, empty);
}

static bool is_shared_one(const struct share_run *sr, uint32_t i)
{
    return run_bit(&sr->from_held, i) && !run_bit(&sr->moved, i);
}

/* How many from i on lie together, in one layer, and are shared already or not. */
static uint32_t stretch_length(const struct share_run *sr, uint32_t i, map_word first)
{
    uint32_t n = 1;
    while (i + n < sr->count && is_shared_one(sr, i + n) &&
           sr->sources[i + n].layer == sr->sources[i].layer) {
        map_word w = atomic_load(from_side(sr, i + n).cell);
        if (word_place(w) != word_place(first) + n || ((w ^ first) & WORD_SHARED) != 0)
            break;
        n++;
    }
    return n;
}

/* Counted first: it tells whether the source's layer lets its extents be shared. */
static int stretch_count(const struct share_run *sr, uint32_t i, uint32_t n,
                         map_word first)
{
    struct pool *pool = run_pool(sr);
    struct layer *from = sr->sources[i].layer;
    int rc = share_add(pool, word_place(first), n, sr->to_top->family, from->family);
    if (rc != 0 || (first & WORD_SHARED) != 0 || space_share(from, n))
        return rc;
    share_take_back(pool, word_place(first), n, sr->to_top->family);
    return -EXDEV;
}

static void stretch_set(struct share_run *sr, uint32_t i, uint32_t n)
{
    pool_hand_on(run_pool(sr), atomic_load(from_side(sr, i).cell));
    round_count_shared(run_pool(sr), sr->to_top, (int)n);
    sr->shared += n;
    for (uint32_t end = i + n; i < end; i++) {
        struct share_side from = from_side(sr, i);
        map_word w = atomic_load(from.cell);
        if ((w & WORD_SHARED) == 0) {
            atomic_store(from.cell, w | WORD_SHARED);
            bit_set(&sr->from_marks, from.index % LEAF_WORDS);
        }
        target_set(
            sr, i,
            word_with_place(word_mask(w) | WORD_SHARED | opaque_of(sr), word_place(w)));
    }
}

/* Those of a stretch are of one leaf. */
static void stretch_mark(struct share_run *sr, uint32_t i)
{
    round_mark_words(run_pool(sr), sr->sources[i].leaf, sr->from_marks.bits);
    sr->from_marks = (struct run_bits){.bits = {0}};
}

/* How many from i on it was about; 0: out of memory. */
static uint32_t run_step_at(struct share_run *sr, uint32_t i)
{
    if (run_bit(&sr->moved, i))
        return 1;
    if (!run_bit(&sr->from_held, i)) {
        target_zero(sr, i);
        return 1;
    }
    map_word first = atomic_load(from_side(sr, i).cell);
    uint32_t n = stretch_length(sr, i, first);
    int rc = stretch_count(sr, i, n, first);
    if (rc == 0) {
        stretch_set(sr, i, n);
        stretch_mark(sr, i);
    }
    for (uint32_t k = 0; rc == -EXDEV && k < n; k++)
        bit_set(&sr->moved, i + k);
    return rc == 0 || rc == -EXDEV ? n : 0;
}

/* Of as many as it can, in one commit. */
static int run_step(struct share_run *sr)
{
    struct pool *pool = run_pool(sr);
    uint32_t i = 0, n = 1;
    pthread_rwlock_rdlock(&pool->gate);
    bool lost = round_has_lost(pool, sr->from_top->family) ||
                round_has_lost(pool, sr->to_top->family);
    for (; !lost && n > 0 && i < sr->count; i += n)
        n = run_step_at(sr, i);
    if (sr->named != 0)
        round_count_extent(pool, sr->to_top, sr->named);
    round_mark_words(pool, sr->to_leaf, sr->to_marks.bits);
    pthread_rwlock_unlock(&pool->gate);
    if (i == 0)
        return lost ? -EIO : -ENOMEM;
    sr->count = i;
    return 0;
}

/* ---- Holding -------------------------------------------------------------------------
 */

static void run_release(struct share_run *sr, uint32_t end)
{
    for (uint32_t i = 0; i < end; i++) {
        struct share_side to = to_side(sr, i);
        if (run_bit(&sr->to_held, i))
            stripe_release(side_stripe(&to), to.cell);
        if (!run_bit(&sr->from_held, i))
            continue;
        struct share_side from = from_side(sr, i);
        stripe_release(side_stripe(&from), from.cell);
    }
}

/* It comes from the word that is held, or from none as before, or goes by data. False: it
 * was moved by a merge, written or unmapped meanwhile. */
static bool run_look_again(struct share_run *sr, uint32_t i)
{
    struct layer *layer;
    if (run_bit(&sr->moved, i))
        return true;
    int rc = source_find(sr, i, &layer);
    if (rc == -EXDEV)
        bit_set(&sr->moved, i);
    if (rc == -EXDEV)
        return true;
    if (!run_bit(&sr->from_held, i))
        return rc == -ENODATA;
    return rc == 0 && layer == sr->sources[i].layer;
}

/* All are held, and no writer is left that came before. */
static void run_go(struct share_run *sr)
{
    uint32_t held = sr->count, i = 0;
    int rc = 0;
    /* Where that is the first one, the loader's answer is the next look. */
    sr->missing = (struct share_side){.layer = sr->from_top, .index = sr->from_index};
    while (i < sr->count && run_look_again(sr, i))
        i++;
    if (i == 0) {
        rc = -EAGAIN;
    } else {
        sr->count = i;
        rc = run_step(sr);
    }
    run_release(sr, held);
    sr->done(sr, rc);
}

static void run_drain(struct share_run *sr);

static void run_on_drained(struct note *note)
{
    run_drain(container_of(note, struct share_run, wait.note));
}

static bool side_drain(struct share_run *sr, const struct share_side *side)
{
    sr->wait = (struct stripe_wait){.note.run = run_on_drained,
                                    .inbox = loop_inbox(sr->lane->loop)};
    return stripe_drain(side_stripe(side), &sr->wait);
}

static void run_drain(struct share_run *sr)
{
    while (sr->drained < 2 * sr->count) {
        bool is_source = sr->drained < sr->count;
        uint32_t i = sr->drained++ % sr->count;
        if (!run_bit(is_source ? &sr->from_held : &sr->to_held, i))
            continue;
        struct share_side side = is_source ? from_side(sr, i) : to_side(sr, i);
        if (!side_drain(sr, &side))
            return; /* until run_on_drained() */
    }
    run_go(sr);
}

static bool side_hold(struct share_run *sr, struct run_bits *held, uint32_t i,
                      const struct share_side *side)
{
    if ((atomic_fetch_or(side->cell, WORD_HELD) & WORD_HELD) == 0) {
        bit_set(held, i);
        return true;
    }
    sr->held = *side;
    return false;
}

/* Both words, or none. */
static bool run_hold_one(struct share_run *sr, uint32_t i)
{
    struct share_side to = to_side(sr, i);
    if (run_bit(&sr->moved, i))
        return true;
    if (sr->sources[i].leaf == NULL)
        return side_hold(sr, &sr->to_held, i, &to);
    struct share_side from = from_side(sr, i);
    if (!side_hold(sr, &sr->from_held, i, &from))
        return false;
    if (side_hold(sr, &sr->to_held, i, &to))
        return true;
    bit_clear(&sr->from_held, i);
    stripe_release(side_stripe(&from), from.cell);
    return false;
}

/* As many as can be had. */
static int run_hold(struct share_run *sr)
{
    uint32_t i = 0;
    while (i < sr->count && run_hold_one(sr, i))
        i++;
    if (i == 0)
        return -EBUSY;
    sr->count = i;
    return 0;
}

/* A whole leaf of zeros onto such a one: it needs no leaf. */
static bool run_is_zeros(const struct share_run *sr)
{
    return stack_leaf_is_zeros(sr->from_top, sr->from_index) &&
           stack_leaf_is_zeros(sr->to_top, sr->to_index);
}

void share_run_start(struct share_run *sr)
{
    sr->shared = sr->drained = 0;
    sr->named = 0;
    sr->moved = sr->from_held = sr->to_held = (struct run_bits){.bits = {0}};
    sr->from_marks = sr->to_marks = (struct run_bits){.bits = {0}};
    int rc = run_is_zeros(sr) ? 1 : run_find(sr);
    if (rc == 0)
        rc = run_hold(sr);
    if (rc == 0)
        run_drain(sr);
    else
        sr->done(sr, rc < 0 ? rc : 0);
}
