/* SPDX-License-Identifier: Apache-2.0 */
/* See space.h. What is free and what is aging are read without their locks: an extent
 * leaves the one count before it comes into the other, and free ones are looked at first,
 * so that none counts twice. A free raises what is reserved before it raises what ages.
 * So room is never seen where there is none. */
#include "lunmgr/space.h"

#include "lunmgr/layer.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>

void space_init(struct space *s)
{
    *s = (struct space){.reserved_extents = 0};
    pthread_mutex_init(&s->lock, NULL);
}

void space_fini(struct space *s)
{
    pthread_mutex_destroy(&s->lock);
}

/* ---- Counts: under the lock -------------------------------------------------------- */

static uint64_t reserved_of(uint64_t guaranteed, uint64_t taken)
{
    return guaranteed > taken ? guaranteed - taken : 0;
}

static void layer_set(struct layer *layer, uint64_t guaranteed, uint64_t taken)
{
    uint64_t before = reserved_of(layer->guaranteed_extents, layer->taken_extents);
    atomic_store(&layer->guaranteed_extents, guaranteed);
    atomic_store(&layer->taken_extents, taken);
    layer->pool->space.reserved_extents += reserved_of(guaranteed, taken) - before;
}

static void layer_take(struct layer *layer)
{
    layer_set(layer, layer->guaranteed_extents, layer->taken_extents + 1);
}

/* A catalog that did not count shared words may have counted too few as taken. */
static void layer_give(struct layer *layer, uint32_t extents)
{
    uint64_t taken = layer->taken_extents;
    layer_set(layer, layer->guaranteed_extents, taken > extents ? taken - extents : 0);
}

static uint64_t room_of(const struct device *d)
{
    if (!device_gives(d))
        return 0;
    uint64_t free = alloc_free_extents(d->alloc);
    bool ages = !atomic_load(&d->pool->round.has_lost); /* else what is freed stays so */
    return ages ? free + atomic_load(&d->aging_extents) : free;
}

static uint64_t room(const struct pool *pool)
{
    uint64_t n = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n += room_of(d);
    return n;
}

/* How many of `more` there is no room for beside what is reserved. */
static uint64_t shortage(const struct pool *pool, uint64_t more)
{
    uint64_t wanted = pool->space.reserved_extents + more, there = room(pool);
    return wanted > there ? wanted - there : 0;
}

static bool may_take(const struct pool *pool, const struct layer *layer)
{
    if (pool->space.reserved_extents == 0)
        return true;
    if (layer != NULL && layer->taken_extents < layer->guaranteed_extents)
        return true;
    return shortage(pool, 1) == 0;
}

/* ---- Extents ----------------------------------------------------------------------- */

int space_take(struct pool *pool, struct layer *layer, place after, place *out)
{
    pthread_mutex_lock(&pool->space.lock);
    int rc = may_take(pool, layer)  ? pool_take(pool, after, out)
             : pool_is_failed(pool) ? -EIO
                                    : -ENOSPC;
    if (rc == 0 && layer != NULL)
        layer_take(layer);
    pthread_mutex_unlock(&pool->space.lock);
    return rc;
}

void space_untake(struct pool *pool, struct layer *layer, place p)
{
    pthread_mutex_lock(&pool->space.lock);
    pool_untake(pool, p);
    if (layer != NULL)
        layer_give(layer, 1);
    pthread_mutex_unlock(&pool->space.lock);
}

bool space_is_left(struct pool *pool, struct layer *layer)
{
    pthread_mutex_lock(&pool->space.lock);
    bool left = may_take(pool, layer);
    pthread_mutex_unlock(&pool->space.lock);
    return left;
}

void space_name(struct layer *layer, map_word w)
{
    if (word_place(w) == 0)
        return;
    if ((w & WORD_SHARED) != 0) {
        round_count_shared(layer->pool, layer, 1);
        return;
    }
    pthread_mutex_lock(&layer->pool->space.lock);
    layer_take(layer);
    pthread_mutex_unlock(&layer->pool->space.lock);
}

void space_unname(struct layer *layer, map_word w)
{
    if (word_place(w) == 0)
        return;
    if ((w & WORD_SHARED) != 0) {
        round_count_shared(layer->pool, layer, -1);
        return;
    }
    pthread_mutex_lock(&layer->pool->space.lock);
    layer_give(layer, 1);
    pthread_mutex_unlock(&layer->pool->space.lock);
}

bool space_share(struct layer *layer, uint32_t extents)
{
    pthread_mutex_lock(&layer->pool->space.lock);
    bool may = layer->guaranteed_extents == 0;
    if (may)
        layer_give(layer, extents);
    pthread_mutex_unlock(&layer->pool->space.lock);
    if (may)
        round_count_shared(layer->pool, layer, (int)extents);
    return may;
}

void space_aged(struct device *device, uint64_t extents)
{
    atomic_fetch_sub(&device->aging_extents, extents);
}

/* ---- Guarantees -------------------------------------------------------------------- */

/* More may be reserved. */
static int reserve(const struct pool *pool, uint64_t before, uint64_t after,
                   uint64_t *short_of)
{
    *short_of = after > before ? shortage(pool, after - before) : 0;
    return *short_of > 0 ? -ENOSPC : 0;
}

int space_guarantee(struct layer *top, uint64_t extents, bool is_dry, uint64_t *short_of)
{
    struct pool *pool = top->pool;
    pthread_mutex_lock(&pool->space.lock);
    uint64_t taken = top->taken_extents;
    int rc = reserve(pool, reserved_of(top->guaranteed_extents, taken),
                     reserved_of(extents, taken), short_of);
    if (rc == 0 && !is_dry)
        layer_set(top, extents, taken);
    pthread_mutex_unlock(&pool->space.lock);
    return rc;
}

void space_load(struct layer *top, uint64_t extents)
{
    layer_set(top, extents, top->taken_extents);
}

int space_move(struct layer *from, struct layer *to, uint64_t *short_of)
{
    struct pool *pool = from->pool;
    pthread_mutex_lock(&pool->space.lock);
    uint64_t guaranteed = from->guaranteed_extents;
    int rc = reserve(pool, reserved_of(guaranteed, from->taken_extents),
                     reserved_of(guaranteed, to->taken_extents), short_of);
    if (rc == 0) {
        layer_set(from, 0, from->taken_extents);
        layer_set(to, guaranteed, to->taken_extents);
    }
    pthread_mutex_unlock(&pool->space.lock);
    return rc;
}

int space_withdraw(struct device *device, uint64_t *short_of)
{
    struct pool *pool = device->pool;
    pthread_mutex_lock(&pool->space.lock);
    *short_of = 0;
    if (atomic_load(&device->evacuation) == DEVICE_SERVES) {
        *short_of =
            pool->space.reserved_extents == 0 ? 0 : shortage(pool, room_of(device));
        if (*short_of == 0)
            atomic_store(&device->evacuation, DEVICE_EVACUATING);
    }
    pthread_mutex_unlock(&pool->space.lock);
    return *short_of > 0 ? -ENOSPC : 0;
}

/* ---- Figures ----------------------------------------------------------------------- */

uint64_t space_reserved(const struct pool *pool)
{
    return atomic_load(&pool->space.reserved_extents);
}

uint64_t space_reserved_of(const struct layer *top)
{
    return reserved_of(atomic_load(&top->guaranteed_extents),
                       atomic_load(&top->taken_extents));
}
