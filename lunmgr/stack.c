/* SPDX-License-Identifier: Apache-2.0 */
/* Down the stack, a word from each layer. */
#include "lunmgr/stack.h"

#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>

/* The first layer whose leaf is not in memory; NULL: none. */
static struct layer *stack_missing(struct layer *top, uint32_t extent_index)
{
    struct layer *layer = top;
    while (layer != NULL && layer_leaf(layer, extent_index) != NULL)
        layer = layer_parent(layer);
    return layer;
}

int stack_look(struct layer *top, uint32_t extent_index, struct stack *out)
{
    out->depth = 0;
    for (struct layer *l = top; l != NULL; l = layer_parent(l)) {
        const struct leaf *leaf = layer_leaf(l, extent_index);
        if (leaf == NULL)
            return -EAGAIN;
        assert(out->depth < PLAN_DEPTH_MAX);
        out->words[out->depth++] = leaf_word(leaf, extent_index);
    }
    return 0;
}

bool stack_leaf_is_zeros(struct layer *top, uint32_t extent_index)
{
    for (struct layer *l = top; l != NULL; l = layer_parent(l)) {
        const struct leaf *leaf = layer_leaf(l, extent_index);
        if (leaf == NULL || !leaf_is_zeros(leaf))
            return false;
    }
    return true;
}

void stack_changed(struct pool *pool, uint32_t leaf_index)
{
    (void)pool;
    (void)leaf_index;
}

void stack_ask(struct layer *top, uint32_t extent_index, struct leaf_wait *wait)
{
    struct layer *missing = stack_missing(top, extent_index);
    if (missing != NULL) {
        leaf_loader_ask(top->pool->loader, missing, extent_index / LEAF_WORDS, wait);
        return;
    }
    wait->rc = 0; /* it has come meanwhile */
    inbox_post(wait->inbox, &wait->note);
}
