/* SPDX-License-Identifier: Apache-2.0 */
/* One extent's way to being shared: find the word, hold both, wait for the writers that
 * came before, look again, step. Who cannot have both words gives back the one. */
#include "lunmgr/share_word.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>

static struct pool *word_pool(const struct share_word *sw)
{
    return sw->to_top->pool;
}

static struct stripe *side_stripe(const struct share_side *side)
{
    return pool_stripe(side->layer->pool, side->layer, side->index);
}

static void side_release(const struct share_side *side)
{
    stripe_release(side_stripe(side), side->cell);
}

/* ---- Finding the words --------------------------------------------------------------
 */

/* The cell, to be changed. 0; -EAGAIN: not loaded; -ENOMEM. */
static int side_own(struct share_word *sw, struct share_side *side)
{
    int rc = layer_leaf_own(side->layer, side->index, &side->leaf);
    if (rc != 0)
        return rc;
    if (side->leaf == NULL) {
        sw->missing = *side;
        return -EAGAIN;
    }
    side->cell = leaf_cell(side->leaf, side->index);
    return 0;
}

/* The one layer that all blocks which the source shows come from: into *layer. */
static int source_find(struct share_word *sw, struct layer **layer)
{
    unsigned seen = 0;
    bool hidden = false;
    *layer = NULL;
    for (struct layer *l = sw->from_top; l != NULL && !hidden; l = layer_parent(l)) {
        const struct leaf *leaf = layer_leaf(l, sw->from_index);
        if (leaf == NULL) {
            sw->missing = (struct share_side){.layer = l, .index = sw->from_index};
            return -EAGAIN;
        }
        map_word w = leaf_word(leaf, sw->from_index);
        if ((word_mask(w) & ~seen) != 0 && *layer != NULL)
            return -EXDEV;
        if (word_mask(w) != 0 && *layer == NULL)
            *layer = l;
        seen |= word_mask(w);
        hidden = (w & WORD_OPAQUE) != 0 || seen == WORD_MASK_FULL;
    }
    return *layer == NULL ? -ENODATA : 0;
}

static int sides_find(struct share_word *sw)
{
    sw->from = (struct share_side){.index = sw->from_index};
    sw->to = (struct share_side){.layer = sw->to_top, .index = sw->to_index};
    int rc = source_find(sw, &sw->from.layer);
    if (rc == 0)
        rc = side_own(sw, &sw->from);
    return rc != 0 ? rc : side_own(sw, &sw->to);
}

/* ---- The step ---------------------------------------------------------------------- */

static void target_set(const struct share_word *sw, map_word source)
{
    struct pool *pool = word_pool(sw);
    pool_hand_on(pool, source);
    map_word old = atomic_load(sw->to.cell);
    map_word opaque = layer_parent(sw->to_top) == NULL ? 0 : WORD_OPAQUE;
    map_word word = word_with_place(word_mask(source) | WORD_SHARED | WORD_HELD | opaque,
                                    word_place(source));
    atomic_store(sw->to.cell, word);
    space_name(sw->to_top, word);
    if (word_mask(old) == 0)
        round_count_extent(pool, sw->to_top, 1);
    round_mark_word(pool, sw->to.leaf, sw->to.index);
    share_let_go(sw->to_top, old);
}

/* Counted first: it tells whether the source's layer lets its extents be shared. */
static int source_share(const struct share_word *sw, map_word source)
{
    struct pool *pool = word_pool(sw);
    struct layer *from = sw->from.layer;
    int rc = share_add(pool, word_place(source), sw->to_top->family, from->family);
    if (rc != 0 || (source & WORD_SHARED) != 0 || space_share(from))
        return rc;
    share_release(pool, sw->to_top->family, source | WORD_SHARED);
    return -EXDEV;
}

static int word_step(const struct share_word *sw)
{
    struct pool *pool = word_pool(sw);
    pthread_rwlock_rdlock(&pool->gate);
    map_word source = atomic_load(sw->from.cell);
    uint32_t from = sw->from.layer->family, to = sw->to_top->family;
    bool lost = round_has_lost(pool, from) || round_has_lost(pool, to);
    int rc = lost ? -EIO : source_share(sw, source);
    if (rc == 0) {
        if ((source & WORD_SHARED) == 0) {
            atomic_store(sw->from.cell, source | WORD_SHARED);
            round_mark_word(pool, sw->from.leaf, sw->from.index);
        }
        target_set(sw, source);
    }
    pthread_rwlock_unlock(&pool->gate);
    return rc;
}

/* Both are held, and no writer is left that came before. */
static void word_go(struct share_word *sw)
{
    struct layer *layer;
    int rc = source_find(sw, &layer);
    if (rc == 0 && layer != sw->from.layer) { /* a merge has moved it: look again */
        sw->missing = sw->from;
        rc = -EAGAIN;
    }
    if (rc == 0)
        rc = word_step(sw);
    side_release(&sw->from);
    side_release(&sw->to);
    sw->done(sw, rc);
}

/* ---- Holding both -------------------------------------------------------------------
 */

static void word_on_target_drained(struct note *note)
{
    word_go(container_of(note, struct share_word, wait.note));
}

static void word_drain_target(struct share_word *sw)
{
    sw->wait = (struct stripe_wait){.note.run = word_on_target_drained,
                                    .inbox = loop_inbox(sw->lane->loop)};
    if (stripe_drain(side_stripe(&sw->to), &sw->wait))
        word_go(sw);
}

static void word_on_source_drained(struct note *note)
{
    word_drain_target(container_of(note, struct share_word, wait.note));
}

static bool side_hold(struct share_word *sw, const struct share_side *side)
{
    if ((atomic_fetch_or(side->cell, WORD_HELD) & WORD_HELD) == 0)
        return true;
    sw->held = *side;
    return false;
}

/* Both or none. */
static bool word_hold(struct share_word *sw)
{
    if (!side_hold(sw, &sw->from))
        return false;
    if (side_hold(sw, &sw->to))
        return true;
    side_release(&sw->from);
    return false;
}

void share_word_start(struct share_word *sw)
{
    int rc = sides_find(sw);
    if (rc == 0 && sw->from.cell == sw->to.cell) {
        sw->done(sw, 0); /* onto itself */
        return;
    }
    if (rc == 0 && !word_hold(sw))
        rc = -EBUSY;
    if (rc != 0) {
        sw->done(sw, rc);
        return;
    }
    sw->wait = (struct stripe_wait){.note.run = word_on_source_drained,
                                    .inbox = loop_inbox(sw->lane->loop)};
    if (stripe_drain(side_stripe(&sw->from), &sw->wait))
        word_drain_target(sw);
}
