/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI sessions: list, show, end. They live on the reactors; the target answers with a
 * copy, on the control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/figures.h"
#include "web/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static json_t *negotiated_json(const struct target_session_info *s)
{
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

static json_t *session_auth_json(const struct target_session_info *s)
{
    return json_pack("{s:s, s:s?, s:b}", "method",
                     s->chap_algorithm == NULL ? "none" : "chap", "algorithm",
                     s->chap_algorithm, "mutual", s->chap_mutual);
}

static json_t *session_json(const struct target_session_info *s)
{
    char id[24], since[TIME_TEXT_MAX];
    snprintf(id, sizeof(id), "%" PRIu64, s->id);
    return json_pack(
        "{s:s, s:o, s:o?, s:s?, s:s?, s:s, s:s, s:i, s:s, s:s, s:i, s:i, s:s, s:I, "
        "s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}",
        "id", id, "initiator", json_of_foreign_text(s->initiator), "alias",
        s->alias[0] == '\0' ? NULL : json_of_foreign_text(s->alias), "host",
        text_or_null(s->host_name), "target", text_or_null(s->target), "type",
        s->discovery ? "discovery" : "normal", "isid", s->isid, "tsih", (int)s->tsih,
        "address", s->address, "portal", s->portal, "portal_group", (int)s->portal_group,
        "reactor", (int)s->reactor, "since", time_text(since, s->since_s),
        "outstanding_tasks", (json_int_t)s->outstanding_tasks, "outstanding_tasks_most",
        (json_int_t)s->outstanding_tasks_most, "commands",
        (json_int_t)s->figures[FIGURE_COMMANDS], "read",
        (json_int_t)s->figures[FIGURE_READ_BYTES], "written",
        (json_int_t)s->figures[FIGURE_WRITTEN_BYTES], "errors",
        (json_int_t)s->figures[FIGURE_ERRORS], "logout_asked", s->logout_asked,
        "counters", figures_counters_json(s), "latency", figures_latency_json(s), "auth",
        session_auth_json(s), "negotiated", negotiated_json(s));
}

static void session_on_list(void *arg, const struct target_session_info *sessions,
                            size_t count)
{
    struct exchange *x = arg;
    struct page page;
    enum page_step step = PAGE_SKIP;
    if (!exchange_is_live(x))
        return;
    page_begin(&page, x);
    for (size_t i = 0; i < count && step != PAGE_STOP; i++) {
        char key[24]; /* as long as the longest, so that text sorts as numbers do */
        snprintf(key, sizeof(key), "%020" PRIu64, sessions[i].id);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, session_json(&sessions[i]));
    }
    page_reply(&page, x);
}

void api_session_list(struct exchange *x)
{
    target_list_sessions(x->web->target, session_on_list, x);
}

static void session_on_found(void *arg, const struct target_session_info *sessions,
                             size_t count)
{
    struct exchange *x = arg;
    uint64_t id = 0;
    if (!exchange_is_live(x))
        return;
    bool good = path_number(x->params[0], &id);
    for (size_t i = 0; good && i < count; i++) {
        if (sessions[i].id == id) {
            reply_json(x, 200, session_json(&sessions[i]));
            return;
        }
    }
    reply_not_found(x, "session", x->params[0]);
}

void api_session_show(struct exchange *x)
{
    target_list_sessions(x->web->target, session_on_found, x);
}

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

void api_session_delete(struct exchange *x)
{
    uint64_t id;
    if (path_number(x->params[0], &id))
        target_kick_session(x->web->target, id, session_on_kicked, x);
    else
        reply_not_found(x, "session", x->params[0]);
}
