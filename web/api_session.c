/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI sessions: list, show, end. They live on the reactors; the target answers with a
 * copy, on the control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/differ.h"
#include "web/figures.h"
#include "web/resource.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static json_t *negotiated_json(const struct web *web, const void *session)
{
    const struct target_session_info *s = session;
    (void)web;
    return json_pack(
        "{s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:b, s:b, s:s}",
        "header_digest", s->header_digest, "data_digest", s->data_digest, "initial_r2t",
        s->initial_r2t, "immediate_data", s->immediate_data, "max_recv_initiator",
        (json_int_t)s->max_recv_initiator_bytes, "max_recv_target",
        (json_int_t)s->max_recv_target_bytes, "first_burst",
        (json_int_t)s->first_burst_bytes, "max_burst", (json_int_t)s->max_burst_bytes,
        "max_outstanding_r2t", (json_int_t)s->max_outstanding_r2t, "max_connections",
        (json_int_t)s->max_connections, "error_recovery_level",
        (json_int_t)s->error_recovery_level, "protocol_level",
        (json_int_t)s->protocol_level, "time2wait", (json_int_t)s->time2wait_s,
        "time2retain", (json_int_t)s->time2retain_s, "data_pdu_in_order",
        s->data_pdu_in_order, "data_sequence_in_order", s->data_sequence_in_order,
        "task_reporting", s->task_reporting);
}

static json_t *session_auth_json(const struct web *web, const void *session)
{
    const struct target_session_info *s = session;
    (void)web;
    return json_pack("{s:s, s:s?, s:b}", "method",
                     s->chap_algorithm == NULL ? "none" : "chap", "algorithm",
                     s->chap_algorithm, "mutual", s->chap_mutual);
}

static json_t *counters_json(const struct web *web, const void *session)
{
    (void)web;
    return figures_counters_json(session);
}

static json_t *latency_json(const struct web *web, const void *session)
{
    (void)web;
    return figures_latency_json(session);
}

static const char *type_text(const void *session)
{
    return ((const struct target_session_info *)session)->discovery ? "discovery"
                                                                    : "normal";
}

#define SESSION(member) COLUMN_AT(struct target_session_info, member)

static const struct column columns[] = {
    {"id", COLUMN_ID, SESSION(id)},
    {"initiator", COLUMN_TEXT, SESSION(initiator)},
    {"alias", COLUMN_TEXT, SESSION(alias), .nullable = true},
    {"host", COLUMN_TEXT, SESSION(host_name), .nullable = true},
    {"target", COLUMN_TEXT, SESSION(target), .nullable = true},
    {"type", COLUMN_TEXT, .text = type_text},
    {"isid", COLUMN_TEXT, SESSION(isid)},
    {"tsih", COLUMN_UINT, SESSION(tsih)},
    {"address", COLUMN_TEXT, SESSION(address)},
    {"portal", COLUMN_TEXT, SESSION(portal)},
    {"portal_group", COLUMN_UINT, SESSION(portal_group)},
    {"reactor", COLUMN_UINT, SESSION(reactor)},
    {"since", COLUMN_TIME, SESSION(since_s)},
    {"outstanding_tasks", COLUMN_UINT, SESSION(outstanding_tasks)},
    {"outstanding_tasks_most", COLUMN_UINT, SESSION(outstanding_tasks_most)},
    {"commands", COLUMN_UINT, SESSION(figures[FIGURE_COMMANDS])},
    {"read", COLUMN_BYTES, SESSION(figures[FIGURE_READ_BYTES])},
    {"written", COLUMN_BYTES, SESSION(figures[FIGURE_WRITTEN_BYTES])},
    {"errors", COLUMN_UINT, SESSION(figures[FIGURE_ERRORS])},
    {"logout_asked", COLUMN_BOOL, SESSION(logout_asked)},
    {"counters", COLUMN_JSON, .render = counters_json},
    {"latency", COLUMN_JSON, .render = latency_json},
    {"auth", COLUMN_JSON, .render = session_auth_json},
    {"negotiated", COLUMN_JSON, .render = negotiated_json},
    {.name = NULL},
};

static void session_key(const void *session, const void *info, char key[WEB_AFTER_MAX])
{
    (void)info;
    number_key(key, ((const struct target_session_info *)session)->id);
}

static void sessions_on_copied(void *arg, const struct target_session_info *sessions,
                               size_t count)
{
    struct exchange *x = arg;
    if (exchange_is_live(x))
        x->loaded(x, sessions, count);
}

static void sessions_load(struct exchange *x)
{
    target_list_sessions(x->web->target, sessions_on_copied, x);
}

const struct resource resource_session = {
    .kind = "session",
    .collection = "/v1/sessions",
    .info_bytes = sizeof(struct target_session_info),
    .columns = columns,
    .key = session_key,
    .key_is_id = true,
    .load = sessions_load,
};

static void session_on_kicked(void *arg, bool found)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (found)
        reply_empty(x);
    else
        reply_not_found(x, "session", x->params[0]);
}

static void session_kick(struct exchange *x)
{
    target_kick_session(x->web->target, x->number, session_on_kicked, x);
}

/* It is there: that it is to end is recorded first, then it ends. */
static void session_on_found(struct exchange *x, const void *infos, size_t count)
{
    const struct target_session_info *sessions = infos;
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || sessions[i].id == x->number;
    if (!found)
        reply_not_found(x, "session", x->params[0]);
    else if (x->query.dry_run)
        reply_dry_run(x);
    else
        admit_record(x, session_kick);
}

void api_session_delete(struct exchange *x)
{
    if (!path_number(x->params[0], &x->number)) {
        reply_not_found(x, "session", x->params[0]);
        return;
    }
    x->loaded = session_on_found;
    sessions_load(x);
}
