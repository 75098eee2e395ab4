/* SPDX-License-Identifier: Apache-2.0 */
/* Hold all, drain one after the other, look again, copy, step. */
#include "lunmgr/evacuate_move.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stack.h"

#include <errno.h>

static struct stripe *side_stripe(const struct evacuate_side *side)
{
    return pool_stripe(side->layer->pool, side->layer, side->index);
}

static void side_release(const struct evacuate_side *side)
{
    stripe_release(side_stripe(side), side->cell);
}

static void move_end(struct evacuate_move *mv, int rc)
{
    for (size_t i = 0; i < mv->count; i++)
        side_release(&mv->sides[i]);
    if (rc != 0 && mv->to != 0)
        space_untake(mv->pool, NULL, mv->to);
    mv->done(mv, rc);
}

/* ---- The step ---------------------------------------------------------------------- */

static void side_set(const struct evacuate_move *mv, const struct evacuate_side *side,
                     map_word word)
{
    map_word old = atomic_load(side->cell);
    atomic_store(side->cell, word);
    round_mark_word(mv->pool, side->leaf, side->index);
    stack_changed(mv->pool, side->index / LEAF_WORDS);
    space_name(side->layer, word);
    share_let_go(side->layer, old);
}

/* All of them share the new extent, as they did the old one: one is counted already. */
static int sharers_add(const struct evacuate_move *mv)
{
    uint32_t first = mv->sides[0].layer->family;
    size_t i = 1;
    int rc = 0;
    for (; rc == 0 && i < mv->count; i++)
        rc = share_add(mv->pool, mv->to, 1, mv->sides[i].layer->family, first);
    if (rc == 0)
        return 0;
    while (--i > 1) /* those that were added */
        share_take_back(mv->pool, mv->to, 1, first);
    return rc;
}

static void move_step(struct evacuate_move *mv)
{
    int rc = sharers_add(mv);
    for (size_t i = 0; rc == 0 && i < mv->count; i++)
        side_set(mv, &mv->sides[i],
                 word_with_place(atomic_load(mv->sides[i].cell), mv->to));
    move_end(mv, rc);
}

static void move_on_copied(struct block_copy *copy, int rc)
{
    struct evacuate_move *mv = container_of(copy, struct evacuate_move, copy);
    if (rc != 0) {
        move_end(mv, rc);
        return;
    }
    for (size_t i = 1; i < mv->count; i++) /* the first's family is noted */
        round_note_write(pool_device(mv->pool, mv->to), mv->sides[i].layer->family, 0);
    move_step(mv);
}

/* ---- Looking again ----------------------------------------------------------------- */

/* Those that name it still. What sharers do not have in common is copied too, since none
 * of them shows what is not its own. */
static unsigned sides_look(struct evacuate_move *mv)
{
    unsigned blocks = 0;
    size_t kept = 0;
    for (size_t i = 0; i < mv->count; i++) {
        map_word w = atomic_load(mv->sides[i].cell);
        if (word_place(w) != mv->from) {
            side_release(&mv->sides[i]);
            continue;
        }
        blocks |= (w & WORD_SHARED) != 0 ? WORD_MASK_FULL : word_mask(w);
        mv->sides[kept++] = mv->sides[i];
    }
    mv->count = kept;
    return blocks;
}

/* An extent that was handed out and whose first write has failed: nothing to copy. */
static void move_drop(struct evacuate_move *mv)
{
    for (size_t i = 0; i < mv->count; i++)
        side_set(mv, &mv->sides[i], word_with_place(atomic_load(mv->sides[i].cell), 0));
    move_end(mv, 0);
}

static void move_go(struct evacuate_move *mv)
{
    unsigned blocks = sides_look(mv);
    if (blocks == 0) {
        move_drop(mv);
        return;
    }
    int rc = space_take(mv->pool, NULL, mv->after, &mv->to);
    if (rc != 0) {
        move_end(mv, rc);
        return;
    }
    mv->copy = (struct block_copy){
        .lane = lunmgr_home_lane(mv->pool->manager),
        .pool = mv->pool,
        .family = mv->sides[0].layer->family,
        .from = mv->from,
        .to = mv->to,
        .blocks = blocks,
        .done = move_on_copied,
    };
    block_copy_start(&mv->copy);
}

/* ---- Holding ----------------------------------------------------------------------- */

static void move_drain(struct evacuate_move *mv);

static void move_on_drained(struct note *note)
{
    move_drain(container_of(note, struct evacuate_move, wait.note));
}

static void move_drain(struct evacuate_move *mv)
{
    while (mv->drained < mv->count) {
        struct evacuate_side *side = &mv->sides[mv->drained++];
        mv->wait =
            (struct stripe_wait){.note.run = move_on_drained,
                                 .inbox = loop_inbox(lunmgr_home(mv->pool->manager))};
        if (!stripe_drain(side_stripe(side), &mv->wait))
            return; /* until move_on_drained() */
    }
    move_go(mv);
}

void evacuate_move_start(struct evacuate_move *mv)
{
    mv->to = 0;
    mv->drained = 0;
    for (size_t i = 0; i < mv->count; i++) {
        if ((atomic_fetch_or(mv->sides[i].cell, WORD_HELD) & WORD_HELD) == 0)
            continue;
        mv->count = i; /* all or none */
        move_end(mv, -EAGAIN);
        return;
    }
    move_drain(mv);
}
