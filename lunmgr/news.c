/* SPDX-License-Identifier: Apache-2.0 */
/* News from any thread is a note with copies of all it says: what it is about may be gone
 * when the control thread reads it. */
#include "lunmgr/news.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/job.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SPACE_TOLD_MS 1000

struct news_note {
    struct note note;
    struct lunmgr *manager;
    char id[CATALOG_ID_MAX], pool[CATALOG_NAME_MAX], path[CATALOG_PATH_MAX];
    char reason[64];
    int error;
    uint64_t writes;
    unsigned waiting;
};

void lunmgr_set_news(struct lunmgr *m, const struct lunmgr_news *news)
{
    const struct lunmgr_news nobody = {.arg = NULL};
    m->news = news == NULL ? nobody : *news;
}

static void news_post(struct lunmgr *m, struct news_note *n, void (*run)(struct note *))
{
    n->manager = m;
    n->note.run = run;
    loop_post(m->options.control, &n->note);
}

/* ---- Devices --------------------------------------------------------------------- */

static void device_failed_on_note(struct note *note)
{
    struct news_note *n = container_of(note, struct news_note, note);
    const struct lunmgr_news *news = &n->manager->news;
    if (news->device_failed != NULL)
        news->device_failed(news->arg, n->id, n->path, n->pool, n->reason, n->error);
    free(n);
}

void news_device_failed(const struct device *device, const char *reason, int error)
{
    struct news_note *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return;
    snprintf(n->id, sizeof(n->id), "%s", device->row.id);
    snprintf(n->path, sizeof(n->path), "%s", device->row.path);
    snprintf(n->pool, sizeof(n->pool), "%s", device->pool_name);
    snprintf(n->reason, sizeof(n->reason), "%s", reason);
    n->error = error;
    news_post(device->manager, n, device_failed_on_note);
}

/* ---- Space ----------------------------------------------------------------------- */

/* Whether it is this caller's to tell now. */
static bool space_is_due(struct pool *pool)
{
    int64_t now_ms = clock_coarse_ms(), told_ms = atomic_load(&pool->refused_told_ms);
    return (told_ms == 0 || now_ms - told_ms >= SPACE_TOLD_MS) &&
           atomic_compare_exchange_strong(&pool->refused_told_ms, &told_ms, now_ms);
}

static void space_refused_on_note(struct note *note)
{
    struct news_note *n = container_of(note, struct news_note, note);
    const struct lunmgr_news *news = &n->manager->news;
    if (news->space_refused != NULL)
        news->space_refused(news->arg, n->id, n->pool, n->writes, n->waiting);
    free(n);
}

static void tell_full(struct pool *pool)
{
    if (!atomic_exchange(&pool->ran_out, true))
        log_warning("the pool is full", "pool=%s", pool->name);
    if (!space_is_due(pool))
        return;
    struct news_note *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return;
    snprintf(n->id, sizeof(n->id), "%s", pool->id);
    snprintf(n->pool, sizeof(n->pool), "%s", pool->name);
    n->writes = atomic_exchange(&pool->refused_writes, 0);
    n->waiting = atomic_load(&pool->waiting_writes);
    news_post(pool->manager, n, space_refused_on_note);
}

void news_space_refused(struct pool *pool)
{
    atomic_fetch_add(&pool->refused_writes, 1);
    tell_full(pool);
}

void news_space_waited_for(struct pool *pool)
{
    tell_full(pool);
}

void news_space_back(struct pool *pool)
{
    const struct lunmgr_news *news = &pool->manager->news;
    uint64_t free_bytes = pool_free_bytes(pool);
    log_info("the pool has space again", "pool=%s free_bytes=%" PRIu64, pool->name,
             free_bytes);
    if (news->space_back != NULL)
        news->space_back(news->arg, pool->id, pool->name, free_bytes);
}

void news_pool_usage(struct lunmgr *m, const struct pool_usage_news *n)
{
    if (n->reached)
        log_warning("pool usage reached",
                    "pool=%s percent=%u used_bytes=%" PRIu64 " size_bytes=%" PRIu64,
                    n->pool, n->percent, n->used_bytes, n->size_bytes);
    else
        log_info("pool usage left",
                 "pool=%s percent=%u used_bytes=%" PRIu64 " size_bytes=%" PRIu64, n->pool,
                 n->percent, n->used_bytes, n->size_bytes);
    if (m->news.pool_usage != NULL)
        m->news.pool_usage(m->news.arg, n);
}

/* ---- The catalog's mirror --------------------------------------------------------- */

static void mirror_changed_on_note(struct note *note)
{
    struct news_note *n = container_of(note, struct news_note, note);
    const struct lunmgr_news *news = &n->manager->news;
    if (news->mirror_changed != NULL)
        news->mirror_changed(news->arg);
    free(n);
}

void news_mirror_changed(struct lunmgr *m)
{
    struct news_note *n = calloc(1, sizeof(*n));
    if (n != NULL)
        news_post(m, n, mirror_changed_on_note);
}

/* ---- The trash ------------------------------------------------------------------- */

void news_volume_purged(struct lunmgr *m, const char *id, const char *name)
{
    if (m->news.volume_purged != NULL)
        m->news.volume_purged(m->news.arg, id, name);
}

/* ---- Jobs ------------------------------------------------------------------------ */

void news_job_ended(struct lunmgr *m, const struct job *job)
{
    struct job_info info;
    if (m->news.job_ended == NULL)
        return;
    job_describe(job, &info);
    m->news.job_ended(m->news.arg, &info);
}

/* ---- Sanitizing ------------------------------------------------------------------ */

void news_volume_sanitizing(struct lunmgr *m, const char *id, const char *name)
{
    if (m->news.volume_sanitizing != NULL)
        m->news.volume_sanitizing(m->news.arg, id, name);
}

void news_volume_sanitized(struct lunmgr *m, const char *id, const char *name, bool good)
{
    if (m->news.volume_sanitized != NULL)
        m->news.volume_sanitized(m->news.arg, id, name, good);
}
