/* SPDX-License-Identifier: Apache-2.0 */
/* The top's word, and what lies below it.
 *
 * Why a view is right where it is found. A step of the home loop that changes words of
 * sealed layers raises the leaf's version in the same step, and a view is built on the
 * home loop: the words in a view of version v are those of all its layers while the
 * version was v, from the first look to the last. A lane reads the version before the
 * top's word and takes only a view of that version. If the step comes between the two, it
 * has moved blocks up, into the top's word: then the old view has them too, hidden by the
 * word. If it comes after, both are old, and agree. A newer view beside an older word of
 * the top, the one that would miss blocks, has another version than the lane has read.
 *
 * Why an old view names nobody else's blocks. The lane entered the in-flight set before
 * it read the version; the step raises the version before it frees an extent, and limbo
 * keeps that extent until every I/O in flight then has ended (limbo.h). So it is the same
 * as with a word that was read just before it was swapped. */
#include "lunmgr/stack.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/view.h"

#include <errno.h>

static _Atomic uint64_t *version_of(struct pool *pool, uint32_t leaf_index)
{
    return &pool->stack_versions[leaf_index % STACK_VERSIONS];
}

void stack_changed(struct pool *pool, uint32_t leaf_index)
{
    atomic_fetch_add(version_of(pool, leaf_index), 1);
}

uint64_t stack_version(struct pool *pool, uint32_t leaf_index)
{
    return atomic_load(version_of(pool, leaf_index));
}

/* Appends the layer's word. */
static int look_at_layer(struct layer *layer, uint32_t extent_index, struct stack *out)
{
    const struct leaf *leaf = layer_leaf(layer, extent_index);
    if (leaf == NULL)
        return -EAGAIN;
    out->words[out->depth++] = leaf_word(leaf, extent_index);
    return 0;
}

static bool word_hides_all(map_word w)
{
    return (w & WORD_OPAQUE) != 0 || word_mask(w) == WORD_MASK_FULL;
}

int stack_look(struct layer *top, uint32_t extent_index, struct stack *out)
{
    uint64_t version = stack_version(top->pool, extent_index / LEAF_WORDS);
    out->depth = 0;
    int rc = look_at_layer(top, extent_index, out);
    struct layer *below = layer_parent(top);
    if (rc != 0 || below == NULL || word_hides_all(out->words[0]))
        return rc;
    if (layer_parent(below) == NULL)
        return look_at_layer(below, extent_index, out);
    const struct view *view = view_find(top->pool->manager->views, below->id,
                                        extent_index / LEAF_WORDS, version);
    if (view == NULL)
        return -EAGAIN;
    out->depth += view_words(view, extent_index, out->words + out->depth);
    return 0;
}

bool stack_is_zeros(const struct stack *stack, unsigned first, unsigned count)
{
    struct plan_run runs[WORD_BLOCKS];
    struct plan plan = {.runs = runs, .run_max = WORD_BLOCKS};
    plan_extent(&plan, stack->words, stack->depth, first, count);
    return plan.run_count == 1 && runs[0].slot == 0;
}

static bool layer_leaf_is_zeros(struct layer *layer, uint32_t extent_index)
{
    const struct leaf *leaf = layer_leaf_peek(layer, extent_index);
    return leaf != NULL && leaf_is_zeros(leaf);
}

bool stack_leaf_is_zeros(struct layer *top, uint32_t extent_index)
{
    uint64_t version = stack_version(top->pool, extent_index / LEAF_WORDS);
    if (!layer_leaf_is_zeros(top, extent_index))
        return false;
    struct layer *below = layer_parent(top);
    if (below == NULL || layer_parent(below) == NULL)
        return below == NULL || layer_leaf_is_zeros(below, extent_index);
    const struct view *view = view_find(top->pool->manager->views, below->id,
                                        extent_index / LEAF_WORDS, version);
    return view != NULL && view_is_zeros(view);
}

static bool is_missing(struct layer *layer, uint32_t extent_index)
{
    return layer_leaf_peek(layer, extent_index) == NULL;
}

void stack_ask(struct layer *top, uint32_t extent_index, struct leaf_wait *wait)
{
    struct leaf_loader *loader = top->pool->loader;
    struct layer *below = layer_parent(top);
    uint32_t leaf_index = extent_index / LEAF_WORDS;
    wait->next = NULL;
    if (is_missing(top, extent_index))
        leaf_loader_ask(loader, top, leaf_index, wait);
    else if (below != NULL && layer_parent(below) != NULL)
        view_ask(top, leaf_index, wait);
    else if (below != NULL && is_missing(below, extent_index))
        leaf_loader_ask(loader, below, leaf_index, wait);
    else
        leaf_wait_answer(wait, 0); /* it has come meanwhile */
}
