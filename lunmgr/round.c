/* SPDX-License-Identifier: Apache-2.0 */
/* The round's machine. Its copy phase takes the gate alone; steps that change a word
 * together with a count take it shared, so that each commit has all of a step or nothing.
 */
#include "lunmgr/round.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/round_copy.h"
#include "lunmgr/round_lost.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define RETRY_MS 10

static void round_begin_if_due(struct pool *pool);
static void round_on_want(struct note *note);
static void round_on_tick(evutil_socket_t fd, short what, void *arg);
static void round_on_retry(evutil_socket_t fd, short what, void *arg);
static void round_on_crowd_over(void *arg);
static void round_on_synced(struct engine_io *io, int rc);
static int round_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e);
static void round_on_committed(struct catalog_job *job);

/* ---- Life ----------------------------------------------------------------------------
 */

int round_init(struct pool *pool, struct err *e)
{
    struct round *r = &pool->round;
    struct event_base *base = pool->manager->home_base;
    r->want.run = round_on_want;
    r->job = (struct catalog_job){.reply_to = loop_inbox(lunmgr_home(pool->manager)),
                                  .work = round_work,
                                  .done = round_on_committed};
    r->tick = event_new(base, -1, EV_PERSIST, round_on_tick, pool);
    r->retry = event_new(base, -1, 0, round_on_retry, pool);
    int rc = crowd_init(&r->crowd, base, round_on_crowd_over, pool, e);
    r->crowd.is_wanted = pool->manager->options.turn == NULL;
    return r->tick == NULL || r->retry == NULL ? err_oom(e) : rc;
}

void round_start(struct pool *pool)
{
    struct timeval every = clock_span_ms(lunmgr_round_interval_ms(pool->manager));
    event_add(pool->round.tick, &every);
}

void round_stop(struct pool *pool)
{
    event_del(pool->round.tick);
    event_del(pool->round.retry);
}

void round_fini(struct pool *pool)
{
    struct round *r = &pool->round;
    assert(r->state == ROUND_IDLE && r->waiting == NULL && r->answering == NULL);
    if (r->tick != NULL)
        event_free(r->tick);
    if (r->retry != NULL)
        event_free(r->retry);
    crowd_fini(&r->crowd);
    free(r->leaves);
    free(r->words);
    free(r->counts);
    free(r->layers);
    free(r->bitmaps);
    free(r->linked);
    share_batch_fini(&r->shares);
}

void round_ride(struct pool *pool, struct round_rider *rider)
{
    struct round_rider **link = &pool->round.boarding;
    while (*link != NULL)
        link = &(*link)->next;
    rider->next = NULL;
    *link = rider;
    round_want(pool);
}

void round_unride(struct pool *pool, struct round_rider *rider)
{
    struct round_rider **link = &pool->round.boarding;
    while (*link != rider)
        link = &(*link)->next;
    *link = rider->next;
}

/* ---- Asking for a round ---------------------------------------------------------------
 */

static void round_on_join(struct note *note)
{
    struct round_wait *wait = container_of(note, struct round_wait, note);
    struct round *r = &wait->pool->round;
    wait->next = r->waiting;
    r->waiting = wait;
    crowd_on_come(&r->crowd);
    round_begin_if_due(wait->pool);
}

void round_join(struct pool *pool, struct round_wait *wait)
{
    wait->pool = pool;
    wait->note.run = round_on_join;
    loop_post(lunmgr_home(pool->manager), &wait->note);
}

static void round_on_want(struct note *note)
{
    struct pool *pool = container_of(note, struct pool, round.want);
    atomic_store(&pool->round.want_posted, false);
    pool->round.wanted = true;
    limbo_release(pool); /* all of it may have aged already */
    round_begin_if_due(pool);
}

void round_want(struct pool *pool)
{
    if (!atomic_exchange(&pool->round.want_posted, true))
        loop_post(lunmgr_home(pool->manager), &pool->round.want);
}

static bool devices_unsynced(struct pool *pool)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (atomic_load(&d->unsynced) && !device_is_failed(d))
            return true;
    return false;
}

static bool bitmaps_dirty(struct pool *pool)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (alloc_dirty_groups(d->alloc) > 0)
            return true;
    return false;
}

static bool words_dirty(struct round *r)
{
    for (unsigned i = 0; i < ROUND_SCOPES; i++)
        if (atomic_load(&r->dirty[i]) != NULL || atomic_load(&r->changed[i]) != NULL)
            return true;
    return false;
}

bool round_is_idle(struct pool *pool)
{
    return pool->round.state == ROUND_IDLE && pool->round.waiting == NULL;
}

bool round_is_quiet(struct pool *pool)
{
    struct round *r = &pool->round;
    return round_is_idle(pool) && !devices_unsynced(pool) && r->boarding == NULL &&
           !words_dirty(r) && !bitmaps_dirty(pool) && !share_has_changes(pool) &&
           !limbo_has_aging(pool) && !atomic_load(&r->has_lost);
}

static void round_on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct pool *pool = arg;
    (void)fd;
    (void)what;
    limbo_release(pool);
    /* Riders of a failed pool are told so. */
    if (round_is_quiet(pool) || (pool_is_failed(pool) && pool->round.boarding == NULL))
        return;
    pool->round.wanted = true;
    round_begin_if_due(pool);
}

/* ---- (2) The devices ------------------------------------------------------------- */

static void round_end(struct pool *pool);

static void round_fail(struct round *r, int rc)
{
    if (r->rc == 0)
        r->rc = rc;
}

static void round_begin(struct pool *pool);

/* A device has failed since the copies were made, and with it some of what they say. Who
 * waits for this round waits for the one that leaves that out. */
static void round_begin_anew(struct pool *pool)
{
    round_redo(pool);
    round_begin(pool);
}

static void round_commit(struct pool *pool)
{
    struct round *r = &pool->round;
    bool nothing = r->word_count == 0 && r->count_count == 0 && r->bitmap_count == 0 &&
                   r->shares.count == 0 && r->riders == NULL;
    bool ages = r->scope == ROUND_WHOLE && limbo_has_aging(pool);
    if (r->rc == 0 && pool_is_failed(pool))
        round_fail(r, -EIO);
    if (r->rc == 0 && r->is_stale) {
        round_begin_anew(pool);
        return;
    }
    if (r->rc != 0 || (nothing && !ages)) {
        round_end(pool);
        return;
    }
    r->state = ROUND_COMMITTING;
    catalog_write(lunmgr_catalog(pool->manager), &r->job);
}

static void round_on_synced(struct engine_io *io, int rc)
{
    struct device *d = container_of(io, struct device, sync);
    struct pool *pool = d->pool;
    if (rc != 0) {
        /* The kernel may have dropped what it could not write. */
        device_fail(d, "fdatasync", -rc);
        pool->round.is_stale = true;
    } else {
        writers_synced(&d->writers, atomic_load(&pool->round.no));
    }
    if (--pool->round.syncs_due == 0)
        round_commit(pool);
}

static void device_sync(struct pool *pool, struct device *d)
{
    if (device_is_failed(d))
        return;
    if (!atomic_exchange(&d->unsynced, false)) {
        writers_synced(&d->writers, atomic_load(&pool->round.no));
        return;
    }
    d->sync = (struct engine_io){
        .op = ENGINE_SYNC, .fd = d->fd, .device = d, .done = round_on_synced};
    pool->round.syncs_due++;
    engine_submit(lunmgr_home_lane(pool->manager)->engine, &d->sync);
}

static void round_sync_devices(struct pool *pool)
{
    struct round *r = &pool->round;
    r->state = ROUND_SYNCING;
    r->syncs_due = 1; /* ours, until all are submitted */
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        device_sync(pool, d);
    if (round_failed_devices(pool) != r->failed_devices)
        r->is_stale = true; /* between the copies and its sync */
    if (--r->syncs_due == 0)
        round_commit(pool);
}

/* ---- (3) The catalog ------------------------------------------------------------- */

static int round_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct round *r = container_of(job, struct round, job);
    struct round_changes changes = {
        .words = r->words,
        .word_count = r->word_count,
        .layers = r->counts,
        .layer_count = r->count_count,
        .bitmaps = r->bitmaps,
        .bitmap_count = r->bitmap_count,
        .shares = r->shares.changes,
        .share_count = r->shares.count,
        .unnamed = &r->shares.unnamed,
    };
    int rc = 0;
    for (struct round_rider *rider = r->riders; rc == 0 && rider != NULL;
         rider = rider->next)
        rc = rider->work(txn, rider, e);
    return rc != 0 ? rc : round_store(txn, &changes, e);
}

static void round_on_committed(struct catalog_job *job)
{
    struct pool *pool = container_of(job, struct pool, round.job);
    if (job->rc != 0) {
        char reason[ERR_TEXT_MAX];
        log_error("a round failed to commit", "pool=%s reason=%s", pool->name,
                  log_quote(reason, sizeof(reason), job->err.text));
        round_fail(&pool->round, job->rc == -ENOMEM ? -ENOMEM : -EIO);
    }
    round_end(pool);
}

/* ---- (4) Answers ----------------------------------------------------------------- */

static void round_on_answer(struct note *note)
{
    struct round_wait *wait = container_of(note, struct round_wait, note);
    wait->done(wait);
}

static int round_wait_rc(const struct pool *pool, const struct round_wait *wait, int rc)
{
    const struct round *r = &pool->round;
    if (rc != 0 || r->failed_devices == 0 || wait->family == ROUND_ASKS)
        return rc;
    bool lost = wait->family == ROUND_ALL ? atomic_load(&r->has_lost)
                                          : round_has_lost(pool, wait->family);
    return lost ? -EIO : 0;
}

static void round_answer(const struct pool *pool, struct round_wait *wait, int rc)
{
    while (wait != NULL) {
        struct round_wait *next = wait->next;
        wait->rc = round_wait_rc(pool, wait, rc);
        wait->note.run = round_on_answer;
        inbox_post(wait->inbox, &wait->note);
        wait = next;
    }
}

/* Freed extents that waiters want: another round, or, where only I/O in flight holds them
 * back, another look soon. */
static void round_serve_space(struct pool *pool)
{
    limbo_release(pool);
    if (!limbo_has_waiters(pool) || pool->round.rc != 0)
        return; /* after a failed round the tick tries again */
    struct timeval soon = {.tv_usec = RETRY_MS * 1000};
    if (limbo_wants_round(pool))
        pool->round.wanted = true;
    else
        event_add(pool->round.retry, &soon);
}

static void round_on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    round_serve_space(arg);
    round_begin_if_due(arg);
}

static void round_tell_riders(struct round *r)
{
    struct round_rider *rider = r->riders;
    r->riders = NULL;
    while (rider != NULL) {
        struct round_rider *next = rider->next;
        rider->committed(rider);
        rider = next;
    }
}

/* They go with the next round, before those that came since. */
static void round_keep_riders(struct round *r)
{
    struct round_rider **link = &r->riders, *first = r->riders;
    while (*link != NULL)
        link = &(*link)->next;
    struct round_rider *last = *link = r->boarding;
    r->boarding = first;
    r->riders = NULL;
    for (struct round_rider *next; first != last; first = next) {
        assert(first != NULL); /* last comes behind it */
        next = first->next;
        first->failed(first);
    }
}

static void round_end(struct pool *pool)
{
    struct round *r = &pool->round;
    struct round_wait *answering = r->answering;
    if (r->rc == 0) {
        r->durable = atomic_load(&r->no);
        if (r->scope == ROUND_WHOLE && !atomic_load(&r->has_lost))
            r->whole_durable = r->durable;
        share_committed(pool, &r->shares);
        round_tell_riders(r);
    } else {
        round_redo(pool);
        round_keep_riders(r);
    }
    r->owes_whole = r->rc != 0 && r->scope == ROUND_WHOLE;
    r->answering = NULL;
    r->state = ROUND_IDLE;
    crowd_on_end(&r->crowd);
    round_serve_space(pool); /* before the answer: who has it finds the space free */
    round_answer(pool, answering, r->rc);
    round_begin_if_due(pool);
}

static uint64_t round_scope_wanted(const struct round *r)
{
    bool whole = r->wanted || r->boarding != NULL || r->owes_whole;
    uint64_t scope = whole ? ROUND_WHOLE : 0;
    for (const struct round_wait *w = r->waiting; w != NULL; w = w->next)
        scope |= w->scope == 0 ? ROUND_WHOLE : w->scope;
    return scope;
}

/* Riders of families that have lost writes ride on, for ever. */
static void round_leave_riders(struct pool *pool)
{
    struct round *r = &pool->round;
    struct round_rider *left = NULL, *end = r->boarding;
    struct round_rider **link = &r->riders, **last = &left;
    for (struct round_rider *rider; (rider = *link) != NULL;) {
        if (rider->has_lost == NULL || !rider->has_lost(rider)) {
            link = &rider->next;
            continue;
        }
        *link = rider->next;
        rider->next = NULL;
        *last = rider;
        last = &rider->next;
    }
    *last = end;
    r->boarding = left;
    while (left != end) {
        struct round_rider *next = left->next;
        left->failed(left);
        left = next;
    }
}

static void round_begin(struct pool *pool)
{
    struct round *r = &pool->round;
    r->rc = round_copy(pool) ? 0 : -ENOMEM;
    if (r->failed_devices > 0)
        round_leave_riders(pool);
    round_sync_devices(pool);
}

static void round_on_crowd_over(void *arg)
{
    round_begin_if_due(arg);
}

static void round_begin_if_due(struct pool *pool)
{
    struct round *r = &pool->round;
    if (r->state != ROUND_IDLE || (r->waiting == NULL && !r->wanted))
        return;
    if (!r->wanted && crowd_is_awaited(&r->crowd))
        return;
    crowd_on_begin(&r->crowd);
    r->scope = round_scope_wanted(r);
    r->wanted = false;
    r->answering = r->waiting;
    r->waiting = NULL;
    r->riders = r->boarding;
    r->boarding = NULL;
    round_begin(pool);
}
