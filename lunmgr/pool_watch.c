/* SPDX-License-Identifier: Apache-2.0 */
/* See pool_watch.h. A pool that is made is watched from the next look on, with all its
 * thresholds to be told. */
#include "lunmgr/pool_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"

#include <event2/event.h>
#include <inttypes.h>

static void watch_usage(struct pool *pool)
{
    uint64_t size = pool_extents(pool), used = pool_used_extents(pool);
    struct usage_watch *w = &pool->watch.usage;
    const struct usage_thresholds *t = &pool->usage_thresholds;
    usage_watch_forget(w, t);
    for (uint32_t i = 0; size > 0 && i < t->count; i++) {
        enum usage_turn turn = usage_watch_look(w, t->percents[i], used, size);
        if (turn == USAGE_STAYS)
            continue;
        const struct pool_usage_news news = {
            .id = pool->id,
            .pool = pool->name,
            .percent = t->percents[i],
            .used_bytes = used * EXTENT_BYTES,
            .size_bytes = size * EXTENT_BYTES,
            .free_bytes = pool_free_bytes(pool),
            .reached = turn == USAGE_REACHED,
        };
        news_pool_usage(pool->manager, &news);
    }
}

/* Full is what has let a write fail or wait; what is reserved is not for everyone. */
static void watch_fullness(struct pool *pool)
{
    if (!atomic_load(&pool->ran_out) || atomic_load(&pool->waiting_writes) > 0 ||
        pool_free_extents(pool) <= atomic_load(&pool->space.reserved_extents))
        return;
    atomic_store(&pool->ran_out, false);
    news_space_back(pool);
}

static void watch_forecast(struct pool *pool, int64_t now_ms)
{
    struct pool_watch *w = &pool->watch;
    if (w->since_s == 0)
        w->since_s = time(NULL);
    else if (now_ms - w->forecast_ms < POOL_WATCH_FORECAST_MS)
        return;
    w->forecast_ms = now_ms;
    forecast_look(&w->forecast, now_ms, pool_used_extents(pool));
}

static void watch_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    int64_t now_ms = clock_coarse_ms();
    (void)fd;
    (void)what;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        watch_usage(pool);
        watch_fullness(pool);
        watch_forecast(pool, now_ms);
    }
}

int pools_watch(struct lunmgr *m, struct err *e)
{
    static const struct timeval every = {.tv_usec = POOL_WATCH_MS * 1000};
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        usage_watch_begin(&pool->watch.usage, pool_used_extents(pool),
                          pool_extents(pool));
    m->watch_timer =
        event_new(loop_base(m->options.control), -1, EV_PERSIST, watch_on_time, m);
    return m->watch_timer == NULL || event_add(m->watch_timer, &every) != 0 ? err_oom(e)
                                                                            : 0;
}

void pools_unwatch(struct lunmgr *m)
{
    if (m->watch_timer != NULL)
        event_free(m->watch_timer);
    m->watch_timer = NULL;
}
