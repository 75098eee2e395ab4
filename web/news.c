/* SPDX-License-Identifier: Apache-2.0 */
/* What lunmgr, the target and the router tell, as events. */
#include "web/news.h"

#include "base/log.h"
#include "lunmgr/job.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/news.h"
#include "lunmgr/pool.h"
#include "target/target.h"
#include "web/damper.h"
#include "web/exchange.h"
#include "web/json_out.h"

#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STRANGERS_MAX 32 /* told apart: their names are their own choice */

enum damped_kind {
    DAMPED_OPENED,
    DAMPED_CLOSED,
    DAMPED_LOGIN,
    DAMPED_CLIENT,
    DAMPED_FULL,
    DAMPED_HAS_SPACE,
    DAMPED_USAGE_REACHED,
    DAMPED_USAGE_LEFT,
    DAMPED_POOL_THRESHOLD,
    DAMPED_VOLUME_THRESHOLD,
    DAMPED_KINDS
};

/* Sessions are of hosts that are known, and a host may have many at once; what is refused
 * may be anybody's; initiators set thresholds, and set them anew. */
static const struct damper_rule rules[DAMPED_KINDS] = {
    [DAMPED_OPENED] = {"session", "opened", 16, WEB_DAMPER_KEYS_MAX},
    [DAMPED_CLOSED] = {"session", "closed", 16, WEB_DAMPER_KEYS_MAX},
    [DAMPED_LOGIN] = {"initiator", "refused", 1, STRANGERS_MAX},
    [DAMPED_CLIENT] = {"client", "refused", 1, STRANGERS_MAX},
    [DAMPED_FULL] = {"pool", "full", 1, STRANGERS_MAX},
    [DAMPED_HAS_SPACE] = {"pool", "has_space", 1, STRANGERS_MAX},
    [DAMPED_USAGE_REACHED] = {"pool", "usage_reached", 16, STRANGERS_MAX},
    [DAMPED_USAGE_LEFT] = {"pool", "usage_left", 16, STRANGERS_MAX},
    [DAMPED_POOL_THRESHOLD] = {"pool", "threshold_reached", 16, STRANGERS_MAX},
    [DAMPED_VOLUME_THRESHOLD] = {"volume", "threshold_reached", 16, STRANGERS_MAX},
};

struct news {
    struct web *web;
    struct damper dampers[DAMPED_KINDS];
};

/* ---- Of the target ----------------------------------------------------------------- */

static void tell_session(struct damper *damper, const struct target_session_news *s)
{
    char id[24];
    struct damper_key key = {.name = ""};
    snprintf(id, sizeof(id), "%" PRIu64, s->id);
    snprintf(key.name, sizeof(key.name), "%s", s->host);
    damper_publish(damper, &key, id,
                   json_pack("{s:o, s:s, s:s, s:s?}", "initiator",
                             json_of_foreign_text(s->initiator), "target", s->target,
                             "address", s->address, "reason", s->reason));
}

static void on_session_opened(void *arg, const struct target_session_news *s)
{
    struct news *news = arg;
    tell_session(&news->dampers[DAMPED_OPENED], s);
}

static void on_session_closed(void *arg, const struct target_session_news *s)
{
    struct news *news = arg;
    tell_session(&news->dampers[DAMPED_CLOSED], s);
}

static void on_login_refused(void *arg, const struct target_seen *seen)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    char status[8];
    snprintf(status, sizeof(status), "%04x", (unsigned)seen->status);
    snprintf(key.name, sizeof(key.name), "%s", seen->initiator);
    snprintf(key.address, sizeof(key.address), "%s", seen->address);
    damper_publish(&news->dampers[DAMPED_LOGIN], &key, NULL,
                   json_pack("{s:s, s:s, s:s, s:s?}", "address", seen->address, "status",
                             status, "reason", seen->reason, "host",
                             target_seen_host(news->web->target, seen)));
}

static void on_threshold_reached(void *arg, const struct target_threshold_news *t)
{
    struct news *news = arg;
    bool of_volume = t->volume_id != NULL;
    struct damper_key key = {.name = ""};
    snprintf(key.name, sizeof(key.name), "%s", of_volume ? t->volume : t->pool);
    damper_publish(
        &news->dampers[of_volume ? DAMPED_VOLUME_THRESHOLD : DAMPED_POOL_THRESHOLD], &key,
        of_volume ? t->volume_id : t->pool_id,
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "pool", t->pool, "threshold",
                  (json_int_t)t->threshold_bytes, "used", (json_int_t)t->used_bytes,
                  "free", (json_int_t)t->free_bytes, "volumes",
                  (json_int_t)t->volume_count));
}

/* ---- Of lunmgr --------------------------------------------------------------------- */

static void on_device_failed(void *arg, const char *id, const char *path,
                             const char *pool, const char *reason, int error)
{
    const struct news *news = arg;
    const char *name = error == 0 ? NULL : strerrorname_np(error);
    const struct event_note note = {
        .kind = "device",
        .verb = "failed",
        .id = id,
        .name = path,
        .data =
            json_pack("{s:s, s:s, s:s?}", "pool", pool, "reason", reason, "error", name),
    };
    events_publish(news->web, &note);
}

static void on_space_refused(void *arg, const char *id, const char *pool, uint64_t writes,
                             unsigned waiting)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    snprintf(key.name, sizeof(key.name), "%s", pool);
    damper_publish(&news->dampers[DAMPED_FULL], &key, id,
                   json_pack("{s:I, s:I}", "writes", (json_int_t)writes, "waiting",
                             (json_int_t)waiting));
}

static void on_space_back(void *arg, const char *id, const char *pool,
                          uint64_t free_bytes)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    snprintf(key.name, sizeof(key.name), "%s", pool);
    damper_publish(&news->dampers[DAMPED_HAS_SPACE], &key, id,
                   json_pack("{s:I}", "free", (json_int_t)free_bytes));
}

static void on_pool_usage(void *arg, const struct pool_usage_news *n)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    snprintf(key.name, sizeof(key.name), "%s", n->pool);
    damper_publish(&news->dampers[n->reached ? DAMPED_USAGE_REACHED : DAMPED_USAGE_LEFT],
                   &key, n->id,
                   json_pack("{s:I, s:I, s:I, s:I}", "percent", (json_int_t)n->percent,
                             "used", (json_int_t)n->used_bytes, "size",
                             (json_int_t)n->size_bytes, "free",
                             (json_int_t)n->free_bytes));
}

static void on_volume_purged(void *arg, const char *id, const char *name)
{
    const struct news *news = arg;
    const struct event_note note = {
        .kind = "volume", .verb = "purged", .id = id, .name = name};
    events_publish(news->web, &note);
}

static void on_job_ended(void *arg, const struct job_info *job)
{
    const struct news *news = arg;
    const struct event_note note = {
        .kind = "job",
        .verb = job->state,
        .id = job->id,
        .name = job->subject,
        .data = json_pack("{s:s, s:s?}", "kind", job->kind, "error",
                          job->error[0] == '\0' ? NULL : job->error),
    };
    events_publish(news->web, &note);
}

static void tell_sanitize(const struct news *news, const char *verb, const char *id,
                          const char *name)
{
    const struct event_note note = {
        .kind = "volume", .verb = verb, .id = id, .name = name};
    events_publish(news->web, &note);
}

static void on_volume_sanitizing(void *arg, const char *id, const char *name)
{
    tell_sanitize(arg, "sanitizing", id, name);
}

static void on_volume_sanitized(void *arg, const char *id, const char *name, bool good)
{
    tell_sanitize(arg, good ? "sanitized" : "sanitize_failed", id, name);
}

static void on_mirror_changed(void *arg)
{
    const struct news *news = arg;
    struct lunmgr_mirror_info info;
    lunmgr_mirror(news->web->lunmgr, &info);
    char verb[24];
    snprintf(verb, sizeof(verb), "mirror_%s", info.state);
    const struct event_note note = {
        .kind = "catalog",
        .verb = verb,
        .id = lunmgr_box_id(news->web->lunmgr),
        .data =
            json_pack("{s:s?}", "reason", info.reason[0] == '\0' ? NULL : info.reason),
    };
    events_publish(news->web, &note);
}

static void tell_failed_mirror(struct news *news)
{
    struct lunmgr_mirror_info info;
    lunmgr_mirror(news->web->lunmgr, &info);
    if (strcmp(info.state, "failed") == 0)
        on_mirror_changed(news);
}

/* What was not there as the daemon started. */
static void tell_failed_devices(struct news *news)
{
    struct lunmgr *m = news->web->lunmgr;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        struct pool_device_info d;
        for (struct device *at = NULL; (at = pool_device_next(pool, at)) != NULL;) {
            pool_device_describe(at, &d);
            if (strcmp(d.state, "missing") == 0)
                on_device_failed(news, d.id, d.path, d.pool_name, d.reason, 0);
        }
    }
}

/* ---- Of the daemon ----------------------------------------------------------------- */

static void tell_daemon(struct news *news, const char *verb)
{
    const struct event_note note = {
        .kind = "daemon",
        .verb = verb,
        .id = lunmgr_box_id(news->web->lunmgr),
        .data = json_pack("{s:s}", "version", ASHLAR_VERSION),
    };
    events_publish(news->web, &note);
}

void news_stopping(struct news *news)
{
    for (size_t i = 0; i < DAMPED_KINDS; i++)
        damper_flush(&news->dampers[i]);
    tell_daemon(news, "stopping");
}

void news_client_refused(const struct exchange *x)
{
    struct damper_key key = {.name = ""};
    snprintf(key.address, sizeof(key.address), "%s", x->who.address);
    damper_publish(
        &x->web->news->dampers[DAMPED_CLIENT], &key, NULL,
        json_pack("{s:s, s:s}", "address", key.address, "reason", x->problem.detail));
}

/* ---- The whole --------------------------------------------------------------------- */

int news_create(struct web *web, struct event_base *base, struct news **out,
                struct err *e)
{
    struct news *news = calloc(1, sizeof(*news));
    if (news == NULL)
        return err_oom(e);
    news->web = web;
    for (size_t i = 0; i < DAMPED_KINDS; i++)
        damper_init(&news->dampers[i], web, base, &rules[i]);
    const struct target_events target_events = {
        .arg = news,
        .session_opened = on_session_opened,
        .session_closed = on_session_closed,
        .login_refused = on_login_refused,
        .threshold_reached = on_threshold_reached,
    };
    const struct lunmgr_news lunmgr_news = {
        .arg = news,
        .device_failed = on_device_failed,
        .space_refused = on_space_refused,
        .space_back = on_space_back,
        .pool_usage = on_pool_usage,
        .volume_purged = on_volume_purged,
        .job_ended = on_job_ended,
        .volume_sanitizing = on_volume_sanitizing,
        .volume_sanitized = on_volume_sanitized,
        .mirror_changed = on_mirror_changed,
    };
    target_set_events(web->target, &target_events);
    lunmgr_set_news(web->lunmgr, &lunmgr_news);
    tell_daemon(news, "started");
    tell_failed_devices(news);
    tell_failed_mirror(news);
    *out = news;
    return 0;
}

void news_destroy(struct news *news)
{
    if (news == NULL)
        return;
    target_set_events(news->web->target, NULL);
    lunmgr_set_news(news->web->lunmgr, NULL);
    for (size_t i = 0; i < DAMPED_KINDS; i++)
        damper_fini(&news->dampers[i]);
    free(news);
}
