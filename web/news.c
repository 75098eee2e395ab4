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

/* Sessions are of hosts that are known, and a host may have many at once; what is refused
 * may be anybody's. */
static const struct damper_rule opened_rule = {"session", "opened", 16,
                                               WEB_DAMPER_KEYS_MAX},
                                closed_rule = {"session", "closed", 16,
                                               WEB_DAMPER_KEYS_MAX},
                                refused_rule = {"initiator", "refused", 1, STRANGERS_MAX},
                                full_rule = {"pool", "full", 1, STRANGERS_MAX},
                                /* initiators set them, and set them anew */
    pool_threshold_rule = {"pool", "threshold_reached", 16, STRANGERS_MAX},
                                volume_threshold_rule = {"volume", "threshold_reached",
                                                         16, STRANGERS_MAX},
                                client_rule = {"client", "refused", 1, STRANGERS_MAX};

struct news {
    struct web *web;
    struct damper opened, closed, refused, full, client;
    struct damper pool_threshold, volume_threshold;
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
    tell_session(&news->opened, s);
}

static void on_session_closed(void *arg, const struct target_session_news *s)
{
    struct news *news = arg;
    tell_session(&news->closed, s);
}

static void on_login_refused(void *arg, const struct target_seen *seen)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    char status[8];
    snprintf(status, sizeof(status), "%04x", (unsigned)seen->status);
    snprintf(key.name, sizeof(key.name), "%s", seen->initiator);
    snprintf(key.address, sizeof(key.address), "%s", seen->address);
    damper_publish(&news->refused, &key, NULL,
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
    damper_publish(of_volume ? &news->volume_threshold : &news->pool_threshold, &key,
                   of_volume ? t->volume_id : t->pool_id,
                   json_pack("{s:s, s:I, s:I, s:I, s:I}", "pool", t->pool, "threshold",
                             (json_int_t)t->threshold_bytes, "used",
                             (json_int_t)t->used_bytes, "free", (json_int_t)t->free_bytes,
                             "volumes", (json_int_t)t->volume_count));
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

static void on_space_refused(void *arg, const char *id, const char *pool, uint64_t writes)
{
    struct news *news = arg;
    struct damper_key key = {.name = ""};
    snprintf(key.name, sizeof(key.name), "%s", pool);
    damper_publish(&news->full, &key, id,
                   json_pack("{s:I}", "writes", (json_int_t)writes));
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
    struct damper *const dampers[] = {
        &news->opened, &news->closed,         &news->refused,         &news->full,
        &news->client, &news->pool_threshold, &news->volume_threshold};
    for (size_t i = 0; i < ARRAY_LEN(dampers); i++)
        damper_flush(dampers[i]);
    tell_daemon(news, "stopping");
}

void news_client_refused(const struct exchange *x)
{
    struct damper_key key = {.name = ""};
    snprintf(key.address, sizeof(key.address), "%s", x->who.address);
    damper_publish(
        &x->web->news->client, &key, NULL,
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
    damper_init(&news->opened, web, base, &opened_rule);
    damper_init(&news->closed, web, base, &closed_rule);
    damper_init(&news->refused, web, base, &refused_rule);
    damper_init(&news->full, web, base, &full_rule);
    damper_init(&news->client, web, base, &client_rule);
    damper_init(&news->pool_threshold, web, base, &pool_threshold_rule);
    damper_init(&news->volume_threshold, web, base, &volume_threshold_rule);
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
    damper_fini(&news->opened);
    damper_fini(&news->closed);
    damper_fini(&news->refused);
    damper_fini(&news->full);
    damper_fini(&news->client);
    damper_fini(&news->pool_threshold);
    damper_fini(&news->volume_threshold);
    free(news);
}
