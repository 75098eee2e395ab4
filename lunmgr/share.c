/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes, and what comes of them. */
#include "lunmgr/share.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>

#define SHARE_MAX_MIN 64

void share_init(struct share *s)
{
    *s = (struct share){.changes = NULL};
    pthread_mutex_init(&s->lock, NULL);
}

void share_fini(struct share *s)
{
    free(s->changes);
    pthread_mutex_destroy(&s->lock);
}

/* ---- Noting ------------------------------------------------------------------------ */

/* Under the lock. */
static bool share_has_room(struct share *s)
{
    if (s->count < s->max)
        return true;
    size_t max = s->max == 0 ? SHARE_MAX_MIN : 2 * s->max;
    struct share_change *grown = realloc(s->changes, max * sizeof(*grown));
    if (grown == NULL)
        return false;
    s->changes = grown;
    s->max = max;
    return true;
}

static bool share_note(struct pool *pool, const struct share_change *change)
{
    struct share *s = &pool->share;
    pthread_mutex_lock(&s->lock);
    bool room = share_has_room(s);
    if (room)
        s->changes[s->count++] = *change;
    pthread_mutex_unlock(&s->lock);
    return room;
}

static struct share_change share_change_of(struct pool *pool, place p, int32_t change)
{
    return (struct share_change){.device_no = pool_device(pool, p)->row.no,
                                 .extent = place_extent(p),
                                 .change = change};
}

int share_add(struct pool *pool, place p)
{
    struct share_change change = share_change_of(pool, p, 1);
    return share_note(pool, &change) ? 0 : -ENOMEM;
}

static void share_leak(struct pool *pool)
{
    atomic_store(&pool->has_leaks, true);
    log_error("a shared extent leaks", "pool=%s reason=memory", pool->name);
}

void share_let_go(struct pool *pool, map_word w)
{
    place p = word_place(w);
    if (p == 0)
        return;
    alloc_spare(pool_device(pool, p)->alloc, place_extent(p));
    if ((w & WORD_SHARED) == 0) {
        limbo_add(pool, p);
        return;
    }
    struct share_change change = share_change_of(pool, p, -1);
    if (!share_note(pool, &change))
        share_leak(pool);
}

bool share_has_changes(struct pool *pool)
{
    pthread_mutex_lock(&pool->share.lock);
    bool any = pool->share.count > 0;
    pthread_mutex_unlock(&pool->share.lock);
    return any;
}

/* ---- A round ----------------------------------------------------------------------- */

static int share_order(const void *a, const void *b)
{
    const struct share_change *x = a, *y = b;
    if (x->device_no != y->device_no)
        return x->device_no < y->device_no ? -1 : 1;
    return x->extent < y->extent ? -1 : x->extent > y->extent;
}

/* Sorted changes: those of one extent become one. */
static size_t share_combine(struct share_change *changes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && share_order(&changes[kept - 1], &changes[i]) == 0)
            changes[kept - 1].change += changes[i].change;
        else
            changes[kept++] = changes[i];
    }
    return kept;
}

void share_take(struct pool *pool, struct share_change **changes, size_t *count,
                size_t *max)
{
    struct share *s = &pool->share;
    pthread_mutex_lock(&s->lock);
    struct share_change *mine = s->changes;
    size_t mine_count = s->count, mine_max = s->max;
    s->changes = *changes;
    s->count = 0;
    s->max = *max;
    pthread_mutex_unlock(&s->lock);
    if (mine_count > 1)
        qsort(mine, mine_count, sizeof(*mine), share_order);
    *changes = mine;
    *count = share_combine(mine, mine_count);
    *max = mine_max;
}

void share_give_back(struct pool *pool, const struct share_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!share_note(pool, &changes[i]))
            share_leak(pool);
}

static const struct device *share_device(const struct pool *pool, uint32_t no)
{
    const struct device *found = NULL;
    for (unsigned i = 0; i < pool->device_count; i++)
        if (pool->devices[i]->row.no == no)
            found = pool->devices[i];
    return found;
}

void share_committed(struct pool *pool, const struct share_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct device *d = share_device(pool, changes[i].device_no);
        if (changes[i].count == 0 && d != NULL)
            limbo_add(pool, place_of(d->row.slot, changes[i].extent));
    }
}
