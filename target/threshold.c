/* SPDX-License-Identifier: Apache-2.0 */
/* A look is a walk over the units that are shown; what a pool's thresholds have come to
 * is told as one, since as many volumes may have the same (see threshold.h). Control
 * thread.
 */
#include "target/threshold.h"

#include "base/log.h"
#include "lunmgr/loop.h"
#include "lunmgr/pool.h"
#include "lunmgr/volume_io.h"
#include "target/lu.h"
#include "target/target_private.h"
#include "target/unit.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

struct thresholds {
    struct target *target;
    struct event *timer;
};

/* ---- One threshold ---------------------------------------------------------------- */

static bool threshold_is_reached(const struct threshold *t, uint64_t value)
{
    return t->increasing ? value >= t->extents : value <= t->extents;
}

/* So far on the other side of it that it is not reached again by the next extent. */
static bool threshold_is_left(const struct threshold *t, uint64_t value,
                              uint64_t pool_extents)
{
    uint64_t back = pool_extents * THRESHOLD_BACK_PERCENT / 100;
    if (threshold_is_reached(t, value))
        return false;
    return t->increasing ? t->extents - value > back || value == 0
                         : value - t->extents > back || value == pool_extents;
}

bool threshold_watch_look(struct threshold_watch *watch, unsigned index,
                          const struct threshold *t, const struct threshold_space *space)
{
    bool *reached = &watch->reached[index];
    uint64_t value =
        t->resource == THRESHOLD_USED ? space->used_extents : space->free_extents;
    if (!threshold_equals(&watch->seen[index], t)) {
        watch->seen[index] = *t;
        *reached = false;
    }
    if (*reached && threshold_is_left(t, value, space->pool_extents))
        *reached = false;
    if (*reached || !t->enabled || !threshold_is_reached(t, value))
        return false;
    *reached = true;
    return true;
}

/* ---- What is told of it ----------------------------------------------------------- */

/* What the thresholds of a pool have come to in one look. */
struct crossing {
    const struct pool *pool;
    const struct volume *volume;       /* one that came to its own; NULL: the pool's */
    struct target_threshold_news news; /* without the names */
};
#define CROSSINGS_MAX 16

struct look {
    struct target *target;
    struct crossing crossings[CROSSINGS_MAX];
    size_t count;
};

static void crossing_tell(const struct target *t, const struct crossing *c)
{
    struct target_threshold_news news = c->news;
    struct pool_info pool;
    struct volume_info volume = {.name = "-"};
    pool_describe(c->pool, &pool);
    news.pool_id = pool.id;
    news.pool = pool.name;
    if (c->volume != NULL) {
        volume_describe(c->volume, &volume);
        news.volume_id = volume.id;
        news.volume = volume.name;
    }
    log_warning("thin provisioning threshold reached",
                "pool=%s volume=%s used_bytes=%" PRIu64 " free_bytes=%" PRIu64
                " threshold_bytes=%" PRIu64 " volumes=%u",
                news.pool, volume.name, news.used_bytes, news.free_bytes,
                news.threshold_bytes, news.volume_count);
    if (t->events.threshold_reached != NULL)
        t->events.threshold_reached(t->events.arg, &news);
}

/* Of several thresholds that a pool has come to at once the last is told. With more pools
 * at once than there is room for, what came to it is told one by one. */
static void look_add(struct look *look, const struct crossing *fresh)
{
    size_t i = 0;
    while (i < look->count && look->crossings[i].pool != fresh->pool)
        i++;
    if (fresh->volume != NULL || i == CROSSINGS_MAX) {
        crossing_tell(look->target, fresh);
        return;
    }
    uint32_t volumes = i == look->count ? 0 : look->crossings[i].news.volume_count;
    look->crossings[i] = *fresh;
    look->crossings[i].news.volume_count += volumes;
    look->count += i == look->count;
}

static void look_tell(const struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        crossing_tell(look->target, &look->crossings[i]);
}

/* ---- A look ----------------------------------------------------------------------- */

static void look_at_threshold(struct look *look, struct unit *u, unsigned index,
                              const struct threshold *t,
                              const struct threshold_space *space)
{
    bool of_volume = t->resource == THRESHOLD_USED;
    uint64_t used =
        of_volume ? space->used_extents : space->pool_extents - space->free_extents;
    if (!threshold_watch_look(&u->watch, index, t, space))
        return;
    unit_reach(u, index);
    const struct crossing fresh = {
        .pool = volume_pool(u->volume),
        .volume = of_volume ? u->volume : NULL,
        .news = {.threshold_bytes = (uint64_t)t->extents * EXTENT_BYTES,
                 .free_bytes = space->free_extents * EXTENT_BYTES,
                 .used_bytes = used * EXTENT_BYTES,
                 .volume_count = 1},
    };
    look_add(look, &fresh);
}

static bool looks_at_used(const struct modes *modes)
{
    bool any = false;
    for (unsigned i = 0; i < THRESHOLD_MAX; i++)
        any = any || (modes->thresholds[i].enabled &&
                      modes->thresholds[i].resource == THRESHOLD_USED);
    return any;
}

/* LBPERE 0: none is told, and all are armed when it is 1 again. */
static void look_at_unit(struct look *look, struct unit *u)
{
    const struct pool *pool = volume_pool(u->volume);
    struct mode_values values;
    unit_values(u, &values);
    const struct modes *modes = &values.current;
    if (!modes->tells_thresholds) {
        u->watch = (struct threshold_watch){0};
        return;
    }
    const struct threshold_space space = {
        .pool_extents = pool_extents(pool),
        .free_extents = pool_free_extents(pool),
        .used_extents = looks_at_used(modes) ? volume_used_extents(u->volume) : 0,
    };
    for (unsigned i = 0; i < THRESHOLD_MAX; i++)
        look_at_threshold(look, u, i, &modes->thresholds[i], &space);
}

static void thresholds_on_time(evutil_socket_t fd, short what, void *arg)
{
    const struct thresholds *thresholds = arg;
    struct look look = {.target = thresholds->target};
    struct unit *u;
    (void)fd;
    (void)what;
    for (size_t i = 0; (u = access_unit(look.target->access, i)) != NULL; i++)
        look_at_unit(&look, u);
    look_tell(&look);
}

/* ---- The timer -------------------------------------------------------------------- */

int thresholds_create(struct target *t, struct thresholds **out, struct err *e)
{
    static const struct timeval every = {.tv_usec = THRESHOLD_LOOK_MS * 1000};
    struct thresholds *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return err_oom(e);
    made->target = t;
    made->timer =
        event_new(loop_base(t->control), -1, EV_PERSIST, thresholds_on_time, made);
    if (made->timer == NULL) {
        free(made);
        return err_oom(e);
    }
    event_add(made->timer, &every);
    *out = made;
    return 0;
}

void thresholds_destroy(struct thresholds *thresholds)
{
    if (thresholds == NULL)
        return;
    event_free(thresholds->timer);
    free(thresholds);
}
