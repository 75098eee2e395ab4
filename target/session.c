/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks of a session are in a list, in order of arrival, and in a small hash by ITT.
 */
#include "target/session.h"

#include "base/buckets.h"
#include "target/access_swap.h"
#include "target/conn.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/registry.h"
#include "target/request.h"
#include "target/reserve.h"
#include "target/task_flow.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What we offer in negotiation; max_recv_bytes is the configuration's. */
static const struct params_offer session_offer = {
    .header_digests = DIGEST_NONE | DIGEST_CRC32C,
    .data_digests = DIGEST_NONE | DIGEST_CRC32C,
    .max_burst_bytes = 1U << 20,
    .first_burst_bytes = 256U << 10,
    .max_outstanding_r2t = SESSION_R2T_MAX,
    .time2wait_s = 2,
    .time2retain_s = 0,
    .initial_r2t = false,
    .immediate_data = true,
};

int session_create(struct conn *c, struct session **out)
{
    struct session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    s->conn = c;
    s->offer = session_offer;
    s->offer.max_recv_bytes = (uint32_t)conn_limit(c, LIMIT_RECV_SEGMENT);
    negotiation_init(&s->negotiation, &s->offer, true);
    *out = s;
    return 0;
}

void session_destroy(struct session *s)
{
    if (s == NULL)
        return;
    assert(s->task_count == 0);
    if (s->ticket != NULL) {
        atomic_fetch_sub_explicit(&s->conn->reactor->counters.sessions, 1,
                                  memory_order_relaxed);
        s->ticket->why = s->conn->end_why;
        registry_gone(s->ticket);
    }
    nexus_destroy(s->nexus);
    free(s);
}

int session_open(struct session *s, struct registry_ticket *ticket,
                 const struct view *view)
{
    const struct declared *said = &s->negotiation.said;
    if (!said->discovery) {
        struct nexus_spec spec = {
            .initiator = said->initiator_name,
            .target_name = said->target_name,
            .portal_group_tag = s->conn->portal_group_tag,
            .tmfs = tmf_reported(session_params(s)->protocol_level),
            .port_tags = s->conn->reactor->target->group_tags,
            .port_count = s->conn->reactor->target->group_count,
            .reactor = s->conn->reactor->index,
            .alua = &s->conn->reactor->alua,
        };
        memcpy(spec.isid, s->isid, ISID_BYTES);
        int rc = nexus_create(&spec, view, &s->nexus);
        if (rc != 0)
            return rc;
        snprintf(s->host_name, sizeof(s->host_name), "%s", view->host->name);
    }
    s->ticket = ticket;
    snprintf(ticket->host, sizeof(ticket->host), "%s", s->host_name);
    snprintf(ticket->address, sizeof(ticket->address), "%s", s->conn->peer);
    s->since_s = time(NULL);
    atomic_fetch_add_explicit(&s->conn->reactor->counters.sessions, 1,
                              memory_order_relaxed);
    return 0;
}

const struct view *session_view(const struct session *s)
{
    const struct declared *said = &s->negotiation.said;
    return access_view(s->conn->reactor->access, said->initiator_name, said->target_name);
}

static struct task **session_bucket(struct session *s, uint32_t itt)
{
    /* Initiators count them up, or put flags in the high bits. */
    return &s->by_itt[(itt ^ itt >> 16) % SESSION_HASH];
}

struct task *session_find_task(struct session *s, uint32_t itt)
{
    struct task *t = *session_bucket(s, itt);
    while (t != NULL && (t->itt != itt || t->detached))
        t = t->hash_next;
    return t;
}

void session_add_task(struct session *s, struct task *t)
{
    struct task **bucket = session_bucket(s, t->itt);
    t->hash_next = *bucket;
    *bucket = t;
    t->next = NULL;
    t->prev = s->last;
    if (s->last != NULL)
        s->last->next = t;
    else
        s->first = t;
    s->last = t;
    s->task_count++;
    if (s->task_count > s->task_most)
        s->task_most = s->task_count;
    if (t->immediate)
        s->immediate_count++;
}

void session_remove_task(struct session *s, struct task *t)
{
    struct task **at = session_bucket(s, t->itt);
    while (*at != t)
        at = &(*at)->hash_next;
    *at = t->hash_next;
    if (t->prev != NULL)
        t->prev->next = t->next;
    else
        s->first = t->next;
    if (t->next != NULL)
        t->next->prev = t->prev;
    else
        s->last = t->prev;
    s->task_count--;
    if (t->immediate)
        s->immediate_count--;
}

void session_detach_task(struct session *s, struct task *t)
{
    t->detached = true;
    if (t->immediate)
        s->immediate_count--;
    t->immediate = false;
}

void session_drop_tasks(struct session *s)
{
    struct task *next;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        if (t->state != TASK_EXECUTING || t->detached)
            task_abort(t);
    }
}

void session_abort_tasks(struct session *s)
{
    struct task *next;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        task_abort(t);
    }
}

void session_abandon(struct session *s, uint32_t itt)
{
    s->abandoned[s->abandoned_count++ % SESSION_ABANDONED_MAX] = itt;
}

bool session_has_abandoned(const struct session *s, uint32_t itt)
{
    for (uint32_t i = 0; i < SESSION_ABANDONED_MAX && i < s->abandoned_count; i++) {
        if (s->abandoned[i] == itt)
            return true;
    }
    return false;
}

uint32_t session_new_ttt(struct session *s)
{
    if (s->next_ttt == PDU_TAG_NONE)
        s->next_ttt = 0;
    return s->next_ttt++;
}

static void session_swap_tasks(struct session *s, const struct view *view,
                               struct access_swap *swap)
{
    struct task *next;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        if (t->lu == NULL || t->swap != NULL)
            continue;
        if (view_keeps(view, t->lu) && exec_follow(t, view))
            t->lu = view_lu(view, t->lu->lun);
        else
            task_lose_lu(t, swap);
    }
}

static void session_on_left(void *arg)
{
    struct conn *c = arg;
    c->pins--;
    reactor_touch(c->reactor, c);
}

/* Of the units that it sees by `was` and not by `now`. */
static bool session_leave_units(struct session *s, const struct view *was,
                                const struct view *now)
{
    struct reserve_moment ever;
    bool any = false;
    memset(&ever, 0xff, sizeof(ever));
    for (size_t i = 0; was != NULL && i < was->lu_count; i++) {
        struct unit *unit = was->lus[i].unit;
        if (!reserve_is_held(s->conn->reactor, unit, s->nexus) ||
            view_shows(now, was->lus[i].volume))
            continue;
        s->conn->pins++;
        reserve_end(s->conn->reactor, unit, s->nexus, &ever, session_on_left, s->conn);
        any = true;
    }
    return any;
}

bool session_leave(struct session *s)
{
    return s->nexus != NULL && session_leave_units(s, session_view(s), NULL);
}

void session_swap_access(struct session *s, struct access_swap *swap)
{
    if (s->nexus == NULL)
        return;
    const struct view *view = session_view(s);
    (void)session_leave_units(s, nexus_view(s->nexus), view);
    nexus_set_view(s->nexus, view);
    session_swap_tasks(s, view, swap);
    if (view == NULL)
        conn_drop(s->conn, ASYNC_DROP_SESSION, "the initiator sees this target no more");
    else
        snprintf(s->host_name, sizeof(s->host_name), "%s", view->host->name);
}

void session_count(struct session *s, enum target_figure figure, uint64_t n)
{
    s->figures[figure] += n;
    counter_add(&s->conn->reactor->counters.figures[figure], n);
}

uint64_t session_time(struct session *s, enum latency_kind kind, int64_t came_us)
{
    struct reactor_counters *all = &s->conn->reactor->counters;
    struct target_latency *own = &s->latency[kind];
    uint64_t us = (uint64_t)(clock_us() - came_us);
    unsigned bucket = bucket_of(us, LATENCY_STEP_BITS);
    if (bucket >= LATENCY_BUCKETS)
        bucket = LATENCY_BUCKETS - 1;
    own->buckets[bucket]++;
    if (us > own->max_us)
        own->max_us = us;
    counter_add(&all->latency[kind][bucket], 1);
    counter_add(&all->latency_us[kind], us);
    return us;
}

void session_describe(const struct session *s, struct target_session_info *out)
{
    const struct params *p = &s->negotiation.params;
    const struct conn *c = s->conn;
    *out = (struct target_session_info){
        .id = s->ticket->id,
        .tsih = s->ticket->tsih,
        .discovery = s->nexus == NULL,
        .logout_asked = c->leave_ms != 0,
        .portal_group = c->portal_group_tag,
        .reactor = c->reactor->index,
        .since_s = s->since_s,
        .outstanding_tasks = s->task_count,
        .outstanding_tasks_most = s->task_most,
        .chap_algorithm =
            s->algorithm == CHAP_NONE ? NULL : chap_algorithm_name(s->algorithm),
        .chap_mutual = s->mutual,
        .header_digest = p->header_digest,
        .data_digest = p->data_digest,
        .initial_r2t = p->initial_r2t,
        .immediate_data = p->immediate_data,
        .max_recv_initiator_bytes = p->max_send_bytes,
        .max_recv_target_bytes = p->max_recv_bytes,
        .first_burst_bytes = p->first_burst_bytes,
        .max_burst_bytes = p->max_burst_bytes,
        .max_outstanding_r2t = p->max_outstanding_r2t,
        .max_connections = p->max_connections,
        .error_recovery_level = p->error_recovery_level,
        .protocol_level = p->protocol_level,
        .time2wait_s = p->time2wait_s,
        .time2retain_s = p->time2retain_s,
        .data_pdu_in_order = p->data_pdu_in_order,
        .data_sequence_in_order = p->data_sequence_in_order,
        .task_reporting = p->task_reporting,
    };
    memcpy(out->figures, s->figures, sizeof(out->figures));
    memcpy(out->latency, s->latency, sizeof(out->latency));
    snprintf(out->alias, sizeof(out->alias), "%s", s->negotiation.said.initiator_alias);
    snprintf(out->initiator, sizeof(out->initiator), "%s",
             s->negotiation.said.initiator_name);
    snprintf(out->host_name, sizeof(out->host_name), "%s", s->host_name);
    snprintf(out->target, sizeof(out->target), "%s",
             out->discovery ? "" : s->negotiation.said.target_name);
    snprintf(out->address, sizeof(out->address), "%s", c->peer);
    snprintf(out->portal, sizeof(out->portal), "%s", c->local);
    for (size_t i = 0; i < ISID_BYTES; i++)
        snprintf(out->isid + 2 * i, 3, "%02x", s->isid[i]);
}
