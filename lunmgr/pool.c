/* SPDX-License-Identifier: Apache-2.0 */
/* Pools as lanes see them: their parts, and where the next extent comes from. */
#include "lunmgr/pool_priv.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/seal.h"
#include "lunmgr/volume_io.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

static void gate_init(pthread_rwlock_t *gate)
{
    /* A round must not wait behind an endless stream of steps. */
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(gate, &attr);
    pthread_rwlockattr_destroy(&attr);
}

struct pool *pool_new(struct lunmgr *m, const char *id, const char *name,
                      int64_t created_s, struct err *e)
{
    struct pool *pool = aligned_alloc(_Alignof(struct pool), sizeof(*pool));
    if (pool == NULL) {
        err_oom(e);
        return NULL;
    }
    *pool = (struct pool){.manager = m, .created_s = created_s};
    snprintf(pool->id, sizeof(pool->id), "%s", id);
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    gate_init(&pool->gate);
    pthread_mutex_init(&pool->look, NULL);
    pthread_mutex_init(&pool->layers_lock, NULL);
    for (unsigned i = 0; i < POOL_STRIPES; i++)
        stripe_init(&pool->stripes[i]);
    limbo_init(&pool->limbo);
    share_init(&pool->share);
    pool->loader = leaf_loader_create(lunmgr_catalog(m), loop_inbox(lunmgr_home(m)));
    if (round_init(pool, e) != 0 || discard_init(pool, e) != 0 || pool->loader == NULL) {
        err_oom(e);
        pool_free(pool);
        return NULL;
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    round_fini(pool);
    discard_fini(pool);
    for (struct layer *next; pool->orphans != NULL; pool->orphans = next) {
        next = pool->orphans->next_orphan;
        layer_destroy(pool->orphans);
    }
    for (struct seal *next; pool->abandoned != NULL; pool->abandoned = next) {
        next = pool->abandoned->next;
        seal_free(pool->abandoned);
    }
    for (struct layer *next; pool->layers != NULL; pool->layers = next) {
        next = pool->layers->next;
        layer_destroy(pool->layers);
    }
    leaf_loader_destroy(pool->loader);
    limbo_fini(&pool->limbo);
    share_fini(&pool->share);
    for (unsigned i = 0; i < POOL_STRIPES; i++)
        stripe_fini(&pool->stripes[i]);
    for (unsigned i = 0; i < pool->device_count; i++)
        device_close(pool->devices[i]);
    pthread_rwlock_destroy(&pool->gate);
    pthread_mutex_destroy(&pool->look);
    pthread_mutex_destroy(&pool->layers_lock);
    free(pool);
}

bool pool_is_failed(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->device_count; i++)
        if (atomic_load(&pool->devices[i]->failed))
            return true;
    return pool->device_count == 0;
}

struct device *pool_device(struct pool *pool, place p)
{
    assert(place_slot(p) >= 1 && place_slot(p) <= pool->device_count);
    return pool->devices[place_slot(p) - 1];
}

int pool_take(struct pool *pool, place after, place *out)
{
    int rc = -ENOSPC;
    for (unsigned i = 0; i < pool->device_count && rc == -ENOSPC; i++) {
        struct device *d = pool->devices[i];
        uint64_t extent;
        if (atomic_load(&d->failed))
            return -EIO;
        rc = alloc_take(d->alloc,
                        place_slot(after) == d->row.slot ? place_extent(after) : 0,
                        &extent);
        if (rc == 0)
            *out = place_of(d->row.slot, extent);
    }
    return rc;
}

void pool_untake(struct pool *pool, place p)
{
    alloc_untake(pool_device(pool, p)->alloc, place_extent(p));
}

uint64_t pool_extents(const struct pool *pool)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < pool->device_count; i++)
        n += alloc_usable_extents(pool->devices[i]->alloc);
    return n;
}

uint64_t pool_free_extents(const struct pool *pool)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < pool->device_count; i++)
        n += alloc_free_extents(pool->devices[i]->alloc);
    return n;
}

uint64_t pool_free_bytes(const struct pool *pool)
{
    return (pool_free_extents(pool) + limbo_discarding((struct pool *)pool)) *
           EXTENT_BYTES;
}

/* ---- Background work ------------------------------------------------------------- */

void background_begin(struct pool *pool)
{
    atomic_fetch_add(&pool->background_count, 1);
}

void background_end(struct pool *pool)
{
    struct note *waiting = pool->background_waiting;
    if (atomic_fetch_sub(&pool->background_count, 1) > 1 || waiting == NULL)
        return;
    pool->background_waiting = NULL;
    loop_post(lunmgr_home(pool->manager), waiting);
}

void background_wait(struct pool *pool, struct note *note)
{
    assert(pool->background_waiting == NULL);
    if (atomic_load(&pool->background_count) == 0)
        loop_post(lunmgr_home(pool->manager), note);
    else
        pool->background_waiting = note;
}
