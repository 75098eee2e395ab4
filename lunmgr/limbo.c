/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of freed extents, oldest first. */
#include "lunmgr/limbo.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <stdlib.h>

#define LIMBO_CAPACITY_MIN 64

void limbo_init(struct limbo *l)
{
    *l = (struct limbo){.entries = NULL};
    pthread_mutex_init(&l->lock, NULL);
}

void limbo_fini(struct limbo *l)
{
    assert(l->waits == NULL);
    free(l->entries);
    pthread_mutex_destroy(&l->lock);
}

static struct limbo_entry *entry_at(struct limbo *l, size_t i)
{
    assert(l->capacity > 0);
    return &l->entries[(l->first + i) % l->capacity];
}

/* Under the lock. */
static bool limbo_grow(struct limbo *l)
{
    size_t capacity = l->capacity == 0 ? LIMBO_CAPACITY_MIN : l->capacity * 2;
    struct limbo_entry *entries = malloc(capacity * sizeof(*entries));
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < l->count; i++)
        entries[i] = *entry_at(l, i);
    free(l->entries);
    l->entries = entries;
    l->capacity = capacity;
    l->first = 0;
    return true;
}

void limbo_add(struct pool *pool, place p)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    bool room = l->count < l->capacity || limbo_grow(l);
    bool many = l->count == ROUND_LIMBO_MAX;
    if (room) {
        /* Read under the lock, so that entries lie in order. */
        struct limbo_entry entry = {.place = p,
                                    .round = atomic_load(&pool->round.whole_no),
                                    .epoch = lunmgr_next_epoch(pool->manager)};
        *entry_at(l, l->count++) = entry;
        atomic_fetch_add(&pool_device(pool, p)->aging_extents, 1);
    }
    pthread_mutex_unlock(&l->lock);
    if (many)
        round_want(pool);
    if (room)
        return;
    atomic_store(&pool->has_leaks, true);
    log_error("a freed extent leaks until the next start", "pool=%s reason=memory",
              pool->name);
}

void limbo_unkeep(struct pool *pool, uint64_t no)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    while (l->unkept < l->count && entry_at(l, l->unkept)->round < no) {
        place p = entry_at(l, l->unkept++)->place;
        alloc_unkeep(pool_device(pool, p)->alloc, place_extent(p));
    }
    pthread_mutex_unlock(&l->lock);
}

void limbo_keep_again(struct pool *pool)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    while (l->unkept > 0 &&
           entry_at(l, l->unkept - 1)->round >= pool->round.whole_durable) {
        place p = entry_at(l, --l->unkept)->place;
        alloc_keep_again(pool_device(pool, p)->alloc, place_extent(p));
    }
    pthread_mutex_unlock(&l->lock);
}

/* Under the lock: p has aged. True: it is free now. */
static bool limbo_hand_on(struct pool *pool, place p)
{
    if (discard_add(pool, p)) {
        pool->limbo.discarding++;
        return false;
    }
    space_aged(pool_device(pool, p), 1);
    alloc_release(pool_device(pool, p)->alloc, place_extent(p));
    return true;
}

static void limbo_wake(struct space_wait *woken)
{
    while (woken != NULL) {
        struct space_wait *next = woken->next;
        inbox_post(woken->inbox, &woken->note);
        woken = next;
    }
}

void limbo_release(struct pool *pool)
{
    struct limbo *l = &pool->limbo;
    uint64_t durable = pool->round.whole_durable;
    uint64_t oldest = lunmgr_oldest_epoch(pool->manager);
    struct space_wait *woken = NULL;
    pthread_mutex_lock(&l->lock);
    size_t released = 0;
    while (l->unkept > 0 && entry_at(l, 0)->round < durable &&
           entry_at(l, 0)->epoch < oldest) {
        released += limbo_hand_on(pool, entry_at(l, 0)->place);
        l->first = (l->first + 1) % l->capacity;
        l->count--;
        l->unkept--;
    }
    if (l->waits != NULL && released == 0) {
        released = discard_take_back(pool, DISCARD_TAKE_BACK_EXTENTS);
        l->discarding -= released;
    }
    if (released > 0 || l->count + l->discarding == 0 || pool_is_failed(pool) ||
        atomic_load(&pool->round.has_lost)) {
        woken = l->waits;
        l->waits = NULL;
    }
    pthread_mutex_unlock(&l->lock);
    limbo_wake(woken);
}

void limbo_space_came(struct pool *pool)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    struct space_wait *woken = l->waits;
    l->waits = NULL;
    pthread_mutex_unlock(&l->lock);
    limbo_wake(woken);
}

void limbo_discarded(struct pool *pool, size_t count)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    assert(l->discarding >= count);
    l->discarding -= count;
    pthread_mutex_unlock(&l->lock);
    limbo_space_came(pool);
}

/* Under the lock. */
static bool something_ages(struct pool *pool)
{
    struct limbo *l = &pool->limbo;
    return l->count + l->discarding > 0 && !atomic_load(&pool->round.has_lost);
}

bool limbo_may_give(struct pool *pool)
{
    if (pool_free_extents(pool) > 0)
        return true;
    pthread_mutex_lock(&pool->limbo.lock);
    bool ages = something_ages(pool);
    pthread_mutex_unlock(&pool->limbo.lock);
    return ages;
}

bool limbo_park(struct pool *pool, struct space_wait *wait)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    bool aging = something_ages(pool);
    if (aging) {
        wait->next = l->waits;
        l->waits = wait;
    }
    pthread_mutex_unlock(&l->lock);
    if (aging) {
        round_want(pool);
        return true;
    }
    /* The last of them may have been released since the caller looked. */
    if (pool_free_extents(pool) == 0)
        return false;
    inbox_post(wait->inbox, &wait->note);
    return true;
}

bool limbo_has_waiters(struct pool *pool)
{
    pthread_mutex_lock(&pool->limbo.lock);
    bool any = pool->limbo.waits != NULL;
    pthread_mutex_unlock(&pool->limbo.lock);
    return any;
}

size_t limbo_count(struct pool *pool)
{
    pthread_mutex_lock(&pool->limbo.lock);
    size_t n = pool->limbo.count + pool->limbo.discarding;
    pthread_mutex_unlock(&pool->limbo.lock);
    return n;
}

size_t limbo_discarding(struct pool *pool)
{
    pthread_mutex_lock(&pool->limbo.lock);
    size_t n = pool->limbo.discarding;
    pthread_mutex_unlock(&pool->limbo.lock);
    return n;
}

bool limbo_has_aging(struct pool *pool)
{
    pthread_mutex_lock(&pool->limbo.lock);
    bool any = pool->limbo.count > 0;
    pthread_mutex_unlock(&pool->limbo.lock);
    return any;
}

bool limbo_wants_round(struct pool *pool)
{
    struct limbo *l = &pool->limbo;
    pthread_mutex_lock(&l->lock);
    bool wants = l->count > 0 && entry_at(l, 0)->round >= pool->round.whole_durable;
    pthread_mutex_unlock(&l->lock);
    return wants;
}

bool limbo_has_device(struct pool *pool, const struct device *device)
{
    struct limbo *l = &pool->limbo;
    bool has = false;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count && !has; i++)
        has = place_slot(entry_at(l, i)->place) == device->row.slot;
    pthread_mutex_unlock(&l->lock);
    return has;
}
