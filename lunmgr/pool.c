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
    space_init(&pool->space);
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
    space_fini(&pool->space);
    share_fini(&pool->share);
    for (unsigned i = 0; i < POOL_STRIPES; i++)
        stripe_fini(&pool->stripes[i]);
    for (unsigned i = 0; i < POOL_DEVICE_MAX; i++)
        device_close(atomic_load(&pool->devices[i]));
    pthread_rwlock_destroy(&pool->gate);
    pthread_mutex_destroy(&pool->look);
    pthread_mutex_destroy(&pool->layers_lock);
    free(pool);
}

/* ---- Devices ----------------------------------------------------------------------- */

struct device *pool_slot(const struct pool *pool, unsigned slot)
{
    if (slot < 1 || slot > POOL_DEVICE_MAX)
        return NULL;
    return atomic_load_explicit(&pool->devices[slot - 1], memory_order_acquire);
}

struct device *pool_next_device(const struct pool *pool, const struct device *prev)
{
    unsigned end = atomic_load_explicit(&pool->slot_count, memory_order_acquire);
    for (unsigned slot = prev == NULL ? 1 : prev->row.slot + 1U; slot <= end; slot++) {
        struct device *d = pool_slot(pool, slot);
        if (d != NULL && !atomic_load_explicit(&d->gone, memory_order_relaxed))
            return d;
    }
    return NULL;
}

void pool_add_device(struct pool *pool, struct device *d)
{
    unsigned slot = d->row.slot;
    assert(slot >= 1 && slot <= POOL_DEVICE_MAX && pool_slot(pool, slot) == NULL);
    d->pool = pool;
    d->pool_name = pool->name;
    d->manager = pool->manager;
    atomic_store(&pool->devices[slot - 1], d);
    if (slot > atomic_load(&pool->slot_count))
        atomic_store(&pool->slot_count, slot);
}

unsigned pool_free_slot(const struct pool *pool)
{
    for (unsigned slot = 1; slot <= POOL_DEVICE_MAX; slot++)
        if (pool_slot(pool, slot) == NULL)
            return slot;
    return 0;
}

bool pool_is_failed(const struct pool *pool)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (!device_is_failed(d))
            return false;
    return true;
}

bool pool_is_degraded(const struct pool *pool)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (device_is_failed(d))
            return true;
    return false;
}

struct device *pool_device(struct pool *pool, place p)
{
    struct device *d = pool_slot(pool, place_slot(p));
    assert(d != NULL);
    return d;
}

/* ---- Space ------------------------------------------------------------------------- */

/* A device in proportion to what each has free; NULL: none has anything. The turns fall
 * evenly over the whole (steps of the golden ratio), so that a few of them do. */
static struct device *spread_device(struct pool *pool)
{
    uint64_t turn = atomic_fetch_add_explicit(&pool->spread, 1, memory_order_relaxed);
    unsigned __int128 share = (uint32_t)(turn * 0x9e3779b9U);
    uint64_t at = (uint64_t)(share * pool_free_extents(pool) >> 32);
    struct device *last = NULL;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;) {
        uint64_t free = device_gives(d) ? alloc_free_extents(d->alloc) : 0;
        if (free == 0)
            continue;
        last = d;
        if (at < free)
            break;
        at -= free;
    }
    return last;
}

static int device_take(struct device *d, place after, place *out)
{
    uint64_t extent;
    if (!device_gives(d))
        return -EIO;
    int rc = alloc_take(
        d->alloc, place_slot(after) == d->row.slot ? place_extent(after) : 0, &extent);
    if (rc == 0)
        *out = place_of(d->row.slot, extent);
    return rc;
}

/* Whatever has any. */
static int any_take(struct pool *pool, place *out)
{
    int rc = -EIO;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;) {
        int one = device_take(d, 0, out);
        if (one == 0)
            return 0;
        if (one == -ENOSPC || !device_is_failed(d))
            rc = -ENOSPC;
    }
    return rc;
}

int pool_take(struct pool *pool, place after, place *out)
{
    struct device *d = after == 0 ? NULL : pool_slot(pool, place_slot(after));
    bool alone = atomic_load_explicit(&pool->slot_count, memory_order_relaxed) == 1;
    if (alone && d == NULL)
        d = pool_slot(pool, 1);
    else if (!alone && (place_extent(after) + 1) % POOL_SPREAD_EXTENTS == 0)
        d = NULL;
    if (d != NULL && device_take(d, after, out) == 0)
        return 0;
    if (!alone && (d = spread_device(pool)) != NULL && device_take(d, after, out) == 0)
        return 0;
    return any_take(pool, out);
}

void pool_hand_on(struct pool *pool, map_word w)
{
    struct device *d = word_place(w) == 0 ? NULL : pool_device(pool, word_place(w));
    if (d != NULL &&
        atomic_load_explicit(&d->evacuation, memory_order_relaxed) != DEVICE_SERVES)
        atomic_fetch_add(&d->handed_on, 1);
}

void pool_untake(struct pool *pool, place p)
{
    alloc_untake(pool_device(pool, p)->alloc, place_extent(p));
}

uint64_t pool_extents(const struct pool *pool)
{
    uint64_t n = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n += alloc_usable_extents(d->alloc);
    return n;
}

uint64_t pool_free_extents(const struct pool *pool)
{
    uint64_t n = 0;
    bool failed = pool_is_failed(pool);
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n += device_gives(d) || failed ? alloc_free_extents(d->alloc) : 0;
    return n;
}

uint64_t pool_used_extents(const struct pool *pool)
{
    uint64_t n = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n += alloc_usable_extents(d->alloc) - alloc_free_extents(d->alloc);
    uint64_t discarding = limbo_discarding((struct pool *)pool);
    return n > discarding ? n - discarding : 0;
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
