/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a pool's layers: who stands on whom, who has a name, and what becomes of a
 * layer that has lost its own. */
#include "lunmgr/layer.h"

#include "lunmgr/leaf.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/merge.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- The object ------------------------------------------------------------------ */

struct layer *layer_create(struct pool *pool, uint64_t size_extents,
                           uint64_t used_extents)
{
    struct layer *layer = calloc(1, sizeof(*layer));
    struct leaf_directory *d = leaf_directory_create(size_extents);
    if (layer == NULL || d == NULL) {
        free(layer);
        leaf_directory_destroy(d);
        return NULL;
    }
    layer->pool = pool;
    atomic_init(&layer->size_extents, size_extents);
    atomic_init(&layer->used_extents, used_extents);
    atomic_init(&layer->directory, d);
    return layer;
}

void layer_set_id(struct layer *layer, uint32_t id, const struct layer *below)
{
    layer->id = id;
    layer->family = below == NULL ? id : below->family;
}

void layer_destroy(struct layer *layer)
{
    if (layer == NULL)
        return;
    layer->is_destroyed = true;
    if (atomic_load(&layer->pins) > 0)
        return; /* until layer_unpin() */
    leaf_directory_destroy(atomic_load(&layer->directory));
    free(layer);
}

void layer_unpin(struct layer *layer)
{
    if (atomic_fetch_sub(&layer->pins, 1) == 1 && layer->is_destroyed)
        layer_destroy(layer);
}

int layer_grow(struct layer *layer, uint64_t size_extents)
{
    struct leaf_directory *d =
        leaf_directory_grow(atomic_load(&layer->directory), size_extents);
    if (d == NULL)
        return -ENOMEM;
    atomic_store(&layer->directory, d);
    atomic_store(&layer->size_extents, size_extents);
    return 0;
}

/* ---- The tree -------------------------------------------------------------------- */

static void child_add(struct layer *parent, struct layer *child)
{
    child->prev_sibling = NULL;
    child->next_sibling = parent->first_child;
    if (parent->first_child != NULL)
        parent->first_child->prev_sibling = child;
    parent->first_child = child;
    parent->child_count++;
}

static void child_remove(struct layer *parent, struct layer *child)
{
    assert(parent->child_count > 0);
    if (child->prev_sibling != NULL)
        child->prev_sibling->next_sibling = child->next_sibling;
    else
        parent->first_child = child->next_sibling;
    if (child->next_sibling != NULL)
        child->next_sibling->prev_sibling = child->prev_sibling;
    parent->child_count--;
}

void layer_set_parent(struct layer *layer, struct layer *parent)
{
    struct layer *old = layer_parent(layer);
    if (old != NULL)
        child_remove(old, layer);
    if (parent != NULL)
        child_add(parent, layer);
    atomic_store(&layer->parent, parent);
}

void layer_link(struct layer *layer, struct layer *parent, struct volume *volume)
{
    struct pool *pool = layer->pool;
    layer_set_parent(layer, parent);
    layer->volume = volume;
    pthread_mutex_lock(&pool->layers_lock);
    layer->prev = NULL;
    layer->next = pool->layers;
    if (pool->layers != NULL)
        pool->layers->prev = layer;
    pool->layers = layer;
    pthread_mutex_unlock(&pool->layers_lock);
}

void layer_unlink(struct layer *layer)
{
    assert(layer->child_count == 0 && layer->volume == NULL);
    struct layer *parent = layer_parent(layer);
    if (parent != NULL)
        child_remove(parent, layer);
    layer->is_gone = true;
    struct pool *pool = layer->pool;
    pthread_mutex_lock(&pool->layers_lock);
    if (layer->prev != NULL)
        layer->prev->next = layer->next;
    else
        pool->layers = layer->next;
    if (layer->next != NULL)
        layer->next->prev = layer->prev;
    pthread_mutex_unlock(&pool->layers_lock);
}

void layer_look(struct layer *layer)
{
    if (layer == NULL || layer->volume != NULL || layer->is_merging ||
        layer->is_dropping || layer->keepers > 0)
        return;
    if (layer->child_count == 0)
        drop_start(layer);
    else if (layer->child_count == 1 && !layer->first_child->is_merging &&
             !layer->first_child->is_dropping && layer->first_child->keepers == 0)
        merge_start(layer);
}

/* ---- The shape turn -------------------------------------------------------------- */

static void shape_tell(struct pool *pool)
{
    loop_post(lunmgr_home(pool->manager), &pool->shape_first->note);
}

void shape_enter(struct pool *pool, struct shape_wait *wait)
{
    wait->next = NULL;
    if (pool->shape_first == NULL)
        pool->shape_first = wait;
    else
        pool->shape_last->next = wait;
    pool->shape_last = wait;
    if (pool->shape_first == wait)
        shape_tell(pool);
}

void shape_leave(struct pool *pool)
{
    assert(pool->shape_first != NULL);
    pool->shape_first = pool->shape_first->next;
    if (pool->shape_first != NULL)
        shape_tell(pool);
}
