/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics in the Prometheus text format: the target's counters, the pools' space, the
 * API's own answers. Names and units follow Prometheus' rules (base units, _total).
 * Control thread. */
#include "web/metrics.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/pool.h"
#include "lunmgr/snapshot.h"
#include "target/target.h"
#include "web/api.h"
#include "web/events.h"
#include "web/figures.h"
#include "web/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void metric_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put(FILE *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    metric_head(out, name, type, help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_refused(FILE *out, const struct target_counters *c)
{
    static const char name[] = "ashlar_turned_away_total";
    metric_head(out, name, "counter",
                "Connections, logins and requests turned away at a limit.");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        fprintf(out, "%s{limit=\"%s\"} %" PRIu64 "\n", name,
                target_limit_rule((enum target_limit)i)->name, c->refused[i]);
}

static void put_target(FILE *out, const struct target *target)
{
    struct target_counters c;
    target_counters(target, &c);
    figures_put(out, &c);
    put(out, "ashlar_logins_total", "counter", "Successful iSCSI logins.", c.logins);
    put(out, "ashlar_login_failures_total", "counter", "Refused iSCSI logins.",
        c.login_failures);
    put(out, "ashlar_keepalive_timeouts_total", "counter",
        "Connections ended since a ping was not answered.", c.keepalive_timeouts);
    put(out, "ashlar_sessions", "gauge", "iSCSI sessions now.", c.sessions);
    put(out, "ashlar_connections", "gauge", "iSCSI connections now.", c.connections);
    put(out, "ashlar_buffer_bytes", "gauge", "Memory of commands' data now.",
        c.buffer_bytes);
    put_refused(out, &c);
}

/* A pool's name needs no escaping: its pattern has no quote and no backslash. */
static void put_pools(FILE *out, struct lunmgr *m, const char *name, const char *help,
                      size_t member)
{
    metric_head(out, name, "gauge", help);
    for (struct pool *pool = pool_next(m, NULL); pool != NULL;
         pool = pool_next(m, pool)) {
        struct pool_info info;
        pool_describe(pool, &info);
        const uint64_t *value = (const void *)((const char *)&info + member);
        fprintf(out, "%s{pool=\"%s\"} %" PRIu64 "\n", name, info.name, *value);
    }
}

static void put_lunmgr(FILE *out, struct lunmgr *m)
{
    put_pools(out, m, "ashlar_pool_size_bytes", "Usable bytes of a pool.",
              offsetof(struct pool_info, size_bytes));
    put_pools(out, m, "ashlar_pool_used_bytes", "Bytes of a pool in use.",
              offsetof(struct pool_info, used_bytes));
    put_pools(out, m, "ashlar_pool_provisioned_bytes", "Bytes promised to volumes.",
              offsetof(struct pool_info, provisioned_bytes));
    struct lunmgr_mirror_info mirror;
    lunmgr_mirror(m, &mirror);
    if (strcmp(mirror.state, "off") != 0)
        put(out, "ashlar_catalog_mirror_current", "gauge",
            "1 if every commit of the catalog is in its mirror too.",
            strcmp(mirror.state, "current") == 0);
    put(out, "ashlar_snapshots", "gauge", "Snapshots of volumes outside of the trash.",
        snapshot_count(m));
    put(out, "ashlar_trash_volumes", "gauge", "Deleted volumes that can be restored.",
        volume_trash_count(m));
    put(out, "ashlar_leaf_cache_bytes", "gauge", "Memory that the map takes.",
        lunmgr_leaf_cache_bytes(m));
}

static void put_web(FILE *out, const struct web *web)
{
    static const char name[] = "ashlar_api_requests_total";
    metric_head(out, name, "counter", "API requests answered, by class of status.");
    for (size_t i = 1; i < ARRAY_LEN(web->counters.replies); i++)
        fprintf(out, "%s{code=\"%zuxx\"} %" PRIu64 "\n", name, i,
                web->counters.replies[i]);
    put(out, "ashlar_api_connections_refused_total", "counter",
        "API connections refused since too many were open.",
        web->counters.connections_refused);
    put(out, "ashlar_api_clients_gone_total", "counter",
        "API clients that went away before their answer.", web->counters.clients_gone);
    put(out, "ashlar_api_auth_failures_total", "counter",
        "API requests whose token was not known.", web->counters.auth_failures);
    put(out, "ashlar_api_auth_locked_total", "counter",
        "API requests of addresses locked out after too many of them.",
        web->counters.auth_locked);
    put(out, "ashlar_events_total", "counter", "Events since the start.",
        events_last(web->events));
    put(out, "ashlar_event_streams", "gauge", "Clients that watch events now.",
        watches_count(web->watches));
    put(out, "ashlar_event_streams_dropped_total", "counter",
        "Streams of events that ended since their clients were too slow.",
        web->counters.streams_dropped);
}

void api_metrics_show(struct exchange *x)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        reply_json(x, 200, NULL);
        return;
    }
    metric_head(out, "ashlar_build_info", "gauge", "The running version.");
    fprintf(out, "ashlar_build_info{version=\"%s\"} 1\n", ASHLAR_VERSION);
    put_target(out, x->web->target);
    put_lunmgr(out, x->web->lunmgr);
    put_web(out, x->web);
    if (fclose(out) != 0)
        reply_json(x, 200, NULL);
    else
        reply_text(x, "text/plain; version=0.0.4; charset=utf-8", text, length);
}
