/* SPDX-License-Identifier: Apache-2.0 */
/* The manager: lanes, epoch, and the order of closing. Loading is load.c's. */
#include "lunmgr/lunmgr.h"

#include "base/log.h"
#include "lunmgr/host_priv.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/load.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/outdate.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/view.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CLOSE_ROUNDS_MAX 16

/* ---- Lanes ----------------------------------------------------------------------- */

int lunmgr_add_lane(struct lunmgr *m, struct lane *lane, struct err *e)
{
    unsigned i = 0;
    pthread_mutex_lock(&m->lanes_lock);
    while (i < LANE_MAX && m->lanes[i] != NULL)
        i++;
    if (i < LANE_MAX) {
        m->lanes[i] = lane;
        lane->index = i;
    }
    pthread_mutex_unlock(&m->lanes_lock);
    return i < LANE_MAX ? 0
                        : err_set(e, -ENOSPC, "reactors", "at most %d lanes", LANE_MAX);
}

void lunmgr_remove_lane(struct lunmgr *m, struct lane *lane)
{
    pthread_mutex_lock(&m->lanes_lock);
    assert(m->lanes[lane->index] == lane);
    m->lanes[lane->index] = NULL;
    pthread_mutex_unlock(&m->lanes_lock);
}

unsigned lunmgr_lock_lanes(struct lunmgr *m, struct lane *out[LANE_MAX])
{
    unsigned count = 0;
    pthread_mutex_lock(&m->lanes_lock);
    for (unsigned i = 0; i < LANE_MAX; i++)
        if (m->lanes[i] != NULL)
            out[count++] = m->lanes[i];
    return count;
}

void lunmgr_unlock_lanes(struct lunmgr *m)
{
    pthread_mutex_unlock(&m->lanes_lock);
}

uint64_t lunmgr_oldest_epoch(struct lunmgr *m)
{
    uint64_t oldest = UINT64_MAX;
    pthread_mutex_lock(&m->lanes_lock);
    for (unsigned i = 0; i < LANE_MAX; i++) {
        uint64_t lane =
            m->lanes[i] == NULL ? LANE_IDLE : atomic_load(&m->lanes[i]->oldest);
        oldest = lane < oldest ? lane : oldest;
    }
    pthread_mutex_unlock(&m->lanes_lock);
    return oldest;
}

/* ---- Opening --------------------------------------------------------------------- */

static int start_home(struct lunmgr *m, struct err *e)
{
    int rc = loop_create("pools", &m->home, e);
    if (rc != 0)
        return rc;
    m->home_base = loop_base(m->home);
    rc = leaf_cache_create(m, m->options.leaf_cache_bytes, &m->leaf_cache, e);
    if (rc == 0)
        rc = views_create(m, m->options.leaf_cache_bytes, &m->views, e);
    if (rc == 0)
        rc = lane_create(m, m->home, m->options.engine, &m->home_lane, e);
    return rc;
}

static void timers_stop(struct lunmgr *m)
{
    trash_stop(m);
    rods_stop(m);
    outdate_stop(m);
    pools_unwatch(m);
    jobs_stop(m);
}

static void lunmgr_free(struct lunmgr *m)
{
    timers_stop(m);
    catalog_set_hooks(m->options.catalog, NULL);
    rods_fini(&m->rods);
    load_free(m);
    stamps_fini(m);
    leaf_cache_destroy(m->leaf_cache);
    views_destroy(m->views);
    lane_destroy(m->home_lane);
    loop_destroy(m->home);
    pthread_mutex_destroy(&m->lanes_lock);
    auth_wipe(&m->box_auth);
    port_groups_fini(&m->port_groups);
    free(m);
}

int lunmgr_open(const struct lunmgr_options *options, struct lunmgr **out, struct err *e)
{
    struct lunmgr *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return err_oom(e);
    m->options = *options;
    if (m->options.leaf_cache_bytes == 0)
        m->options.leaf_cache_bytes = LEAF_CACHE_DEFAULT;
    if (m->options.replay_retention_s == 0)
        m->options.replay_retention_s = REPLAY_RETENTION_DEFAULT;
    if (m->options.outdate_interval_ms == 0)
        m->options.outdate_interval_ms = OUTDATE_INTERVAL_DEFAULT_MS;
    atomic_init(&m->epoch, 1);
    pthread_mutex_init(&m->lanes_lock, NULL);
    rods_init(&m->rods);
    stamps_init(m);
    stamps_serve(m);
    int rc = start_home(m, e);
    if (rc == 0)
        rc = load_all(m, e);
    if (rc == 0)
        rc = trash_start(m, e);
    if (rc == 0)
        rc = outdate_start(m, e);
    if (rc == 0)
        rc = rods_start(m, e);
    if (rc == 0)
        rc = pools_watch(m, e);
    if (rc == 0)
        rc = jobs_prepare(m, e);
    if (rc == 0 && options->turn == NULL)
        rc = loop_start(m->home, e);
    if (rc != 0) {
        lunmgr_free(m);
        return rc;
    }
    jobs_resume(m);
    *out = m;
    return 0;
}

void lunmgr_set_events(struct lunmgr *m, const struct lunmgr_events *events)
{
    m->events = *events;
}

uint64_t lunmgr_leaf_cache_bytes(const struct lunmgr *m)
{
    return leaf_cache_bytes(m->leaf_cache);
}

const char *lunmgr_box_id(const struct lunmgr *m)
{
    return m->box_id;
}

void lunmgr_mirror(const struct lunmgr *m, struct lunmgr_mirror_info *out)
{
    static const char *const states[] = {
        [CATALOG_MIRROR_OFF] = "off",
        [CATALOG_MIRROR_COPYING] = "copying",
        [CATALOG_MIRROR_CURRENT] = "current",
        [CATALOG_MIRROR_FAILED] = "failed",
    };
    struct catalog_mirror_info info;
    catalog_mirror(m->options.catalog, &info);
    out->state = states[info.state];
    snprintf(out->reason, sizeof(out->reason), "%s", info.reason);
}

uint64_t lunmgr_generation(const struct lunmgr *m)
{
    return m->generation;
}

/* ---- Closing --------------------------------------------------------------------- */

/* A turn of the control loop, and of what is turned by hand. */
static void lunmgr_turn(struct lunmgr *m)
{
    if (m->options.turn != NULL)
        m->options.turn(m->options.turn_arg);
    else
        loop_run_once(m->options.control, true);
}

/* One look at, and if need be one more round of, a pool; then back to the waiting caller.
 */
struct quiesce {
    struct op op;
    struct pool *pool;
    struct round_wait round;
    bool quiet; /* no more rounds: nothing is left to do, or a round failed */
    bool failed;
    bool answered;
};

static void quiesce_answered(struct op *op)
{
    container_of(op, struct quiesce, op)->answered = true;
}

static void quiesce_on_round(struct round_wait *wait)
{
    struct quiesce *q = container_of(wait, struct quiesce, round);
    limbo_release(q->pool);
    q->failed = wait->rc != 0;
    q->quiet = q->failed ? round_is_idle(q->pool) : round_is_quiet(q->pool);
    if (q->failed)
        log_error("the last round failed", "pool=%s", q->pool->name);
    op_return(&q->op);
}

static void quiesce_at_home(struct op *op)
{
    struct quiesce *q = container_of(op, struct quiesce, op);
    round_stop(q->pool); /* rounds that nobody waits for must not outlive the loop */
    q->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(op->manager)),
                                   .done = quiesce_on_round};
    round_join(q->pool, &q->round);
}

/* Its background work: each piece ends at its next step. */
static void pool_wait_for_background(struct lunmgr *m, struct pool *pool)
{
    while (atomic_load(&pool->background_count) > 0 ||
           atomic_load(&pool->check_count) > 0)
        if (m->options.turn != NULL)
            lunmgr_turn(m);
        else
            usleep(1000);
}

/* True: all of the pool is durable and free extents are free. What the home loop began
 * just before it saw that all is to close, or in one of these rounds, is waited for. */
static bool pool_quiesce(struct lunmgr *m, struct pool *pool)
{
    struct quiesce *q = op_new(m, sizeof(*q), quiesce_answered);
    q->pool = pool;
    for (int i = 0; i < CLOSE_ROUNDS_MAX && !q->quiet; i++) {
        q->answered = false;
        op_at_home(&q->op, quiesce_at_home, quiesce_answered);
        while (!q->answered)
            lunmgr_turn(m);
        q->quiet = q->quiet && atomic_load(&pool->background_count) == 0;
        pool_wait_for_background(m, pool);
    }
    bool good = q->quiet && !q->failed && !pool_is_failed(pool) &&
                atomic_load(&pool->background_count) == 0 &&
                !atomic_load(&pool->has_leaks);
    op_free(&q->op);
    return good;
}

static int mark_clean(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct box_row box;
    int rc = box_get(txn, &box, e);
    if (rc != 0)
        return rc;
    box.clean = *(const bool *)arg;
    return box_set(txn, &box, e);
}

/* No reactor is left that could have a command of what is gone. */
static void settle_all(struct lunmgr *m)
{
    m->events = (struct lunmgr_events){.arg = NULL};
    while (m->settling != NULL)
        lunmgr_settled(m, m->settling->ticket);
}

static void wait_for_background(struct lunmgr *m)
{
    settle_all(m);
    while (m->ops_under_way > 0)
        lunmgr_turn(m);
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        pool_wait_for_background(m, pool);
}

void lunmgr_close(struct lunmgr *m)
{
    if (m == NULL)
        return;
    assert(m->next_record == NULL);
    atomic_store(&m->closing, true);
    timers_stop(m);
    wait_for_background(m);
    bool clean = true;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        clean = pool_quiesce(m, pool) && clean;
    outdate_finish(m);
    if (m->options.turn == NULL) {
        loop_stop(m->home);
        loop_join(m->home);
    }
    loop_run_once(m->home, false);            /* the last that was said to the pools */
    loop_run_once(m->options.control, false); /* and what they had to say */
    struct err e = {.code = 0};
    char reason[ERR_TEXT_MAX];
    if (catalog_write_wait(m->options.catalog, mark_clean, &clean, &e) != 0)
        log_error("the catalog could not be marked clean", "reason=%s",
                  log_quote(reason, sizeof(reason), e.text));
    lunmgr_free(m);
}
