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

/* What the look is of. True: something has changed, or is about to. */
static bool watch_measure(struct pool *pool)
{
    struct pool_watch *w = &pool->watch;
    uint64_t used = pool_used_extents(pool), size = pool_extents(pool);
    bool same = used == w->used && size == w->size;
    w->used = used;
    w->size = size;
    return !same || atomic_load(&pool->ran_out);
}

static void watch_usage(struct pool *pool)
{
    uint64_t size = pool->watch.size, used = pool->watch.used;
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
    forecast_look(&w->forecast, now_ms, w->used);
}

static bool watch_look(struct lunmgr *m)
{
    int64_t now_ms = clock_coarse_ms();
    bool changed = false;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        changed |= watch_measure(pool);
        watch_usage(pool);
        watch_fullness(pool);
        watch_forecast(pool, now_ms);
    }
    return changed;
}

static int watch_again(struct lunmgr *m, bool rests)
{
    struct timeval in = clock_span_us(rests ? clock_us_to_next(POOL_WATCH_REST_MS * 1000)
                                            : POOL_WATCH_MS * 1000);
    return event_add(m->watch_timer, &in);
}

static void watch_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    (void)fd;
    (void)what;
    if (watch_look(m))
        m->quiet_looks = 0;
    else if (m->quiet_looks < POOL_WATCH_QUIET_LOOKS)
        m->quiet_looks++;
    bool rests = m->quiet_looks == POOL_WATCH_QUIET_LOOKS && m->jobs.running == NULL;
    atomic_store(&m->rests, rests);
    (void)watch_again(m, rests);
}

static void watch_on_stir(struct note *note)
{
    struct lunmgr *m = container_of(note, struct lunmgr, stir);
    atomic_store(&m->stirred, false);
    if (m->watch_timer == NULL)
        return;
    m->quiet_looks = 0;
    atomic_store(&m->rests, false);
    (void)watch_again(m, false);
    if (m->events.stirred != NULL)
        m->events.stirred(m->events.arg);
}

void lunmgr_stir(struct lunmgr *m)
{
    if (lunmgr_rests(m) && !atomic_exchange(&m->stirred, true))
        loop_post(m->options.control, &m->stir);
}

bool lunmgr_rests(const struct lunmgr *m)
{
    return atomic_load_explicit(&m->rests, memory_order_relaxed);
}

int pools_watch(struct lunmgr *m, struct err *e)
{
    m->stir.run = watch_on_stir;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        usage_watch_begin(&pool->watch.usage, pool_used_extents(pool),
                          pool_extents(pool));
    m->watch_timer = event_new(loop_base(m->options.control), -1, 0, watch_on_time, m);
    return m->watch_timer == NULL || watch_again(m, false) != 0 ? err_oom(e) : 0;
}

void pools_unwatch(struct lunmgr *m)
{
    if (m->watch_timer != NULL)
        event_free(m->watch_timer);
    m->watch_timer = NULL;
}
