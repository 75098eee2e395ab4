/* SPDX-License-Identifier: Apache-2.0 */
/* A round of looks is a walk over the units that are shown; what a pool's thresholds have
 * come to is told as one, since as many volumes may have the same (see threshold.h).
 * Control thread.
 */
#include "target/threshold.h"

#include "base/clock.h"
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
#include <string.h>

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

/* What the thresholds of a pool have come to in one round of looks. */
struct crossing {
    char pool_id[VOLUME_ID_MAX], pool[VOLUME_NAME_MAX];
    struct target_threshold_news news; /* without the names */
};
#define CROSSINGS_MAX 16

struct thresholds {
    struct target *target;
    struct event *timer;
    size_t at;            /* the unit that the next look begins with */
    uint64_t commands;    /* that hosts have sent */
    unsigned quiet_looks; /* since the last of them */
    struct crossing crossings[CROSSINGS_MAX];
    size_t crossing_count;
};

/* volume: one that came to its own; NULL: the pool's. */
static void crossing_tell(const struct target *t, const struct crossing *c,
                          const struct volume *volume)
{
    struct target_threshold_news news = c->news;
    struct volume_info info = {.name = "-"};
    news.pool_id = c->pool_id;
    news.pool = c->pool;
    if (volume != NULL) {
        volume_describe(volume, &info);
        news.volume_id = info.id;
        news.volume = info.name;
    }
    log_warning("thin provisioning threshold reached",
                "pool=%s volume=%s used_bytes=%" PRIu64 " free_bytes=%" PRIu64
                " threshold_bytes=%" PRIu64 " volumes=%u",
                news.pool, info.name, news.used_bytes, news.free_bytes,
                news.threshold_bytes, news.volume_count);
    if (t->events.threshold_reached != NULL)
        t->events.threshold_reached(t->events.arg, &news);
}

/* Of several thresholds that a pool has come to in one round the last is told. With more
 * pools at once than there is room for, what came to it is told one by one. */
static void crossing_add(struct thresholds *all, const struct crossing *fresh)
{
    size_t i = 0;
    while (i < all->crossing_count &&
           strcmp(all->crossings[i].pool_id, fresh->pool_id) != 0)
        i++;
    if (i == CROSSINGS_MAX) {
        crossing_tell(all->target, fresh, NULL);
        return;
    }
    uint32_t volumes = i == all->crossing_count ? 0 : all->crossings[i].news.volume_count;
    all->crossings[i] = *fresh;
    all->crossings[i].news.volume_count += volumes;
    all->crossing_count += i == all->crossing_count;
}

static void crossings_tell(struct thresholds *all)
{
    for (size_t i = 0; i < all->crossing_count; i++)
        crossing_tell(all->target, &all->crossings[i], NULL);
    all->crossing_count = 0;
}

/* ---- A look ----------------------------------------------------------------------- */

static void look_at_threshold(struct thresholds *all, struct unit *u, unsigned index,
                              const struct threshold *t,
                              const struct threshold_space *space)
{
    bool of_volume = t->resource == THRESHOLD_USED;
    uint64_t used =
        of_volume ? space->used_extents : space->pool_extents - space->free_extents;
    if (!threshold_watch_look(&u->watch, index, t, space))
        return;
    unit_reach(u, index);
    struct pool_info pool;
    pool_describe(volume_pool(u->volume), &pool);
    struct crossing fresh = {
        .news = {.threshold_bytes = (uint64_t)t->extents * EXTENT_BYTES,
                 .free_bytes = space->free_extents * EXTENT_BYTES,
                 .used_bytes = used * EXTENT_BYTES,
                 .volume_count = 1},
    };
    memcpy(fresh.pool_id, pool.id, sizeof(fresh.pool_id));
    memcpy(fresh.pool, pool.name, sizeof(fresh.pool));
    if (of_volume)
        crossing_tell(all->target, &fresh, u->volume);
    else
        crossing_add(all, &fresh);
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
static void look_at_unit(struct thresholds *all, struct unit *u)
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
        .free_extents = volume_available_extents(u->volume, pool_free_extents(pool)),
        .used_extents = looks_at_used(modes) ? volume_used_extents(u->volume) : 0,
    };
    for (unsigned i = 0; i < THRESHOLD_MAX; i++)
        look_at_threshold(all, u, i, &modes->thresholds[i], &space);
}

/* Units that come or go meanwhile may be looked at a round later. */
static void look(struct thresholds *all)
{
    struct unit *u;
    for (size_t i = 0; i < THRESHOLD_LOOK_UNITS; i++) {
        u = access_unit(all->target->access, all->at++);
        if (u == NULL) {
            all->at = 0;
            crossings_tell(all);
            return;
        }
        look_at_unit(all, u);
    }
}

/* ---- The timer -------------------------------------------------------------------- */

static bool hosts_are_quiet(struct thresholds *all)
{
    struct target_counters now;
    target_counters(all->target, &now);
    if (now.figures[FIGURE_COMMANDS] != all->commands)
        all->quiet_looks = 0;
    else if (all->quiet_looks < THRESHOLD_QUIET_LOOKS)
        all->quiet_looks++;
    all->commands = now.figures[FIGURE_COMMANDS];
    return all->quiet_looks == THRESHOLD_QUIET_LOOKS;
}

static void look_again(struct thresholds *all, bool rests)
{
    struct timeval in = clock_span_us(rests ? clock_us_to_next(THRESHOLD_REST_MS * 1000)
                                            : THRESHOLD_LOOK_MS * 1000);
    event_add(all->timer, &in);
}

static void thresholds_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct thresholds *all = arg;
    (void)fd;
    (void)what;
    look(all);
    bool quiet = all->at == 0 && hosts_are_quiet(all);
    look_again(all, quiet && lunmgr_rests(all->target->lunmgr));
}

void thresholds_on_stirred(struct thresholds *all)
{
    all->quiet_looks = 0;
    look_again(all, false);
}

int thresholds_create(struct target *t, struct thresholds **out, struct err *e)
{
    struct thresholds *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return err_oom(e);
    made->target = t;
    made->timer = event_new(loop_base(t->control), -1, 0, thresholds_on_time, made);
    if (made->timer == NULL) {
        free(made);
        return err_oom(e);
    }
    look_again(made, false);
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
