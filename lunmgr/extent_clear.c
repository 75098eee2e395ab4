/* SPDX-License-Identifier: Apache-2.0 */
/* Unmapping and zeroing an extent: the whole by swapping its word, a part by clearing
 * bits under a hold where that gives zeros, else, if zeros are wanted, by writing them.
 */
#include "lunmgr/extent_priv.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- Clearing --------------------------------------------------------------------- */

/* Clearing bits gives zeros: the word hides what lies below, or nothing lies there, or
 * all its other blocks are its own. */
static bool may_clear(const struct extent_io *x, map_word w)
{
    unsigned blocks = word_blocks(first_block(x), block_count(x));
    return (w & WORD_OPAQUE) != 0 || layer_parent(extent_layer(x)) == NULL ||
           (word_mask(w) | blocks) == WORD_MASK_FULL;
}

/* Zeros to disk: where bits may not be cleared. */
static bool extent_zero_by_writing(struct extent_io *x)
{
    size_t bytes = (size_t)block_count(x) * BLOCK_BYTES;
    if (buf_get(x->vio->lane->buffers, bytes, &x->own) != 0) {
        extent_end(x, -ENOMEM);
        return false;
    }
    memset(x->own.base, 0, bytes);
    x->data = x->own.base;
    x->kind = EXTENT_WRITE;
    return extent_write_start(x);
}

/* Bits may not be cleared after all: an UNMAP does nothing then. */
static void hold_give_way(struct extent_io *x)
{
    extent_leave(x);
    if (x->kind == EXTENT_CLEAR)
        extent_end(x, 0);
    else if (extent_zero_by_writing(x))
        extent_write(x, 1);
}

void extent_clear_held(struct extent_io *x)
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

/* ---- Unmapping and zeroing ------------------------------------------------------- */

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
bool extent_clear(struct extent_io *x)
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
        return extent_zero_by_writing(x);
    extent_hold(x);
    return false;
}
