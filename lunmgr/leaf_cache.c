/* SPDX-License-Identifier: Apache-2.0 */
/* The second-chance list and the way out of it. The list and the closing ones are under
 * the lock, which no reader takes; the dead ones are the home loop's alone.
 *
 * Graces. A step is made visible first (sequentially consistent), then the epoch is taken
 * and raised; an I/O publishes its epoch before it looks. So an I/O whose epoch is higher
 * has seen the step, and when the oldest in flight is higher, all have. */
#include "lunmgr/leaf_cache.h"

#include "lunmgr/lunmgr_priv.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>

#define STEP_MS        1    /* until the next look at what waits for a grace */
#define RETRY_MS       50   /* where all is in use or dirty */
#define TURN_STEPS_MAX 4096 /* entries looked at in one turn */

struct leaf_cache {
    struct lunmgr *manager;
    uint64_t bytes_max;
    _Atomic uint64_t bytes;
    struct event *timer;
    struct note want;
    atomic_bool want_posted;
    pthread_mutex_t lock;
    struct cached listed; /* the hand is at its first */
    size_t listed_count;
    struct cached closing; /* in order of epoch */
    uint64_t closing_bytes;
    struct cached dead; /* in order of epoch */
    uint64_t dead_bytes;
};

/* ---- Lists ------------------------------------------------------------------------- */

static void list_init(struct cached *list)
{
    list->next = list->prev = list;
}

static void list_append(struct cached *list, struct cached *c)
{
    c->next = list;
    c->prev = list->prev;
    list->prev->next = c;
    list->prev = c;
}

static void list_remove(struct cached *c)
{
    c->prev->next = c->next;
    c->next->prev = c->prev;
}

static bool list_is_empty(const struct cached *list)
{
    return list->next == list;
}

/* Under the lock: out of the list that it is in. */
static void cache_unlist(struct leaf_cache *cache, struct cached *c)
{
    list_remove(c);
    if (c->epoch == 0)
        cache->listed_count--;
    else
        cache->closing_bytes -= c->bytes;
}

static void cache_list(struct leaf_cache *cache, struct cached *c)
{
    c->epoch = 0;
    list_append(&cache->listed, c);
    cache->listed_count++;
}

/* ---- One turn of the home loop ----------------------------------------------------- */

/* Under the lock: more than the bound, without what is on its way out. */
static bool cache_is_over(const struct leaf_cache *cache)
{
    return atomic_load(&cache->bytes) - cache->closing_bytes - cache->dead_bytes >
           cache->bytes_max;
}

static void cache_free(struct leaf_cache *cache, struct cached *c)
{
    atomic_fetch_sub(&cache->bytes, c->bytes);
    c->kind->free(c);
}

static void cache_free_dead(struct leaf_cache *cache, uint64_t oldest)
{
    while (!list_is_empty(&cache->dead) && cache->dead.next->epoch < oldest) {
        struct cached *c = cache->dead.next;
        list_remove(c);
        cache->dead_bytes -= c->bytes;
        cache_free(cache, c);
    }
}

/* Gives those behind `before` the epoch of a step that all of them have made. */
static void list_stamp(struct cached *list, struct cached *before, uint64_t epoch)
{
    for (struct cached *c = before->next; c != list; c = c->next)
        c->epoch = epoch;
}

static void cache_unlink_closing(struct leaf_cache *cache, uint64_t oldest)
{
    struct cached *before = cache->dead.prev;
    while (!list_is_empty(&cache->closing) && cache->closing.next->epoch < oldest) {
        struct cached *c = cache->closing.next;
        cache_unlist(cache, c);
        if (c->kind->unlink(c)) {
            list_append(&cache->dead, c);
            cache->dead_bytes += c->bytes;
        } else {
            cache_list(cache, c);
        }
    }
    if (before != cache->dead.prev)
        list_stamp(&cache->dead, before, lunmgr_next_epoch(cache->manager));
}

/* False: there are more to look at than one turn may. */
static bool cache_close(struct leaf_cache *cache)
{
    struct cached *before = cache->closing.prev;
    size_t steps = 2 * cache->listed_count; /* twice round: a second chance, no more */
    bool all = steps <= TURN_STEPS_MAX;
    steps = all ? steps : TURN_STEPS_MAX;
    /* What was counted and is not listed yet may be all that is over. */
    for (; steps > 0 && cache_is_over(cache) && !list_is_empty(&cache->listed); steps--) {
        struct cached *c = cache->listed.next;
        list_remove(c);
        list_append(&cache->listed, c);
        if (atomic_exchange_explicit(&c->used, false, memory_order_relaxed) ||
            (c->kind->close != NULL && !c->kind->close(c)))
            continue;
        cache_unlist(cache, c);
        list_append(&cache->closing, c);
        cache->closing_bytes += c->bytes;
    }
    if (before != cache->closing.prev)
        list_stamp(&cache->closing, before, lunmgr_next_epoch(cache->manager));
    return all;
}

static void cache_turn(struct leaf_cache *cache)
{
    uint64_t oldest = lunmgr_oldest_epoch(cache->manager);
    cache_free_dead(cache, oldest);
    pthread_mutex_lock(&cache->lock);
    cache_unlink_closing(cache, oldest);
    bool all = cache_close(cache);
    bool waits = !list_is_empty(&cache->closing) || !list_is_empty(&cache->dead);
    bool over = cache_is_over(cache);
    pthread_mutex_unlock(&cache->lock);
    struct timeval then = {.tv_usec = (waits || !all ? STEP_MS : RETRY_MS) * 1000};
    if (waits || over)
        event_add(cache->timer, &then);
}

static void cache_on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    cache_turn(arg);
}

static void cache_on_want(struct note *note)
{
    struct leaf_cache *cache = container_of(note, struct leaf_cache, want);
    atomic_store(&cache->want_posted, false);
    if (!event_pending(cache->timer, EV_TIMEOUT, NULL))
        cache_turn(cache);
}

/* ---- Life -------------------------------------------------------------------------- */

int leaf_cache_create(struct lunmgr *m, uint64_t bytes_max, struct leaf_cache **out,
                      struct err *e)
{
    struct leaf_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return err_oom(e);
    cache->timer = event_new(m->home_base, -1, 0, cache_on_timer, cache);
    if (cache->timer == NULL) {
        free(cache);
        return err_oom(e);
    }
    cache->manager = m;
    cache->bytes_max = bytes_max;
    cache->want.run = cache_on_want;
    pthread_mutex_init(&cache->lock, NULL);
    list_init(&cache->listed);
    list_init(&cache->closing);
    list_init(&cache->dead);
    *out = cache;
    return 0;
}

static void cache_empty(struct leaf_cache *cache, struct cached *list)
{
    while (!list_is_empty(list)) {
        struct cached *c = list->next;
        list_remove(c);
        cache_free(cache, c);
    }
}

void leaf_cache_destroy(struct leaf_cache *cache)
{
    if (cache == NULL)
        return;
    cache_empty(cache, &cache->listed);
    cache_empty(cache, &cache->closing);
    cache_empty(cache, &cache->dead);
    assert(atomic_load(&cache->bytes) == 0);
    event_free(cache->timer);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* ---- Coming and going -------------------------------------------------------------- */

void leaf_cache_add(struct leaf_cache *cache, struct cached *c,
                    const struct cached_kind *kind, uint32_t bytes)
{
    c->kind = kind;
    c->bytes = bytes;
    /* Counted before it is listed: what is on its way out is never more than all. */
    bool over = atomic_fetch_add(&cache->bytes, bytes) + bytes > cache->bytes_max;
    pthread_mutex_lock(&cache->lock);
    cache_list(cache, c);
    pthread_mutex_unlock(&cache->lock);
    if (over && !atomic_exchange(&cache->want_posted, true))
        loop_post(lunmgr_home(cache->manager), &cache->want);
}

void leaf_cache_remove(struct leaf_cache *cache, struct cached *c)
{
    pthread_mutex_lock(&cache->lock);
    cache_unlist(cache, c);
    pthread_mutex_unlock(&cache->lock);
    atomic_fetch_sub(&cache->bytes, c->bytes);
}

void leaf_cache_retire(struct leaf_cache *cache, struct cached *c)
{
    pthread_mutex_lock(&cache->lock);
    cache_unlist(cache, c);
    pthread_mutex_unlock(&cache->lock);
    c->epoch = lunmgr_next_epoch(cache->manager);
    list_append(&cache->dead, c);
    cache->dead_bytes += c->bytes;
    struct timeval soon = {.tv_usec = STEP_MS * 1000};
    if (!event_pending(cache->timer, EV_TIMEOUT, NULL))
        event_add(cache->timer, &soon);
}

uint64_t leaf_cache_bytes(const struct leaf_cache *cache)
{
    return atomic_load(&((struct leaf_cache *)cache)->bytes);
}
