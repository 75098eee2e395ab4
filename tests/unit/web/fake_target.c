/* SPDX-License-Identifier: Apache-2.0 */
/* The fake target: portals, their group, sessions and drains. */
#include "fake_priv.h"

#include "base/buckets.h"

struct target {
    struct lunmgr *m;
    char portal[TARGET_ADDRESS_MAX];
    struct target_session_info sessions[FAKE_SESSIONS];
    size_t session_count;
    struct target_seen seen[FAKE_SESSIONS];
    size_t seen_count;
    struct target_drain_info drains[FAKE_MAX]; /* id 0: a free place */
    uint64_t last_drain;
    struct alua_access access; /* of the group 1, the only one */
    struct target_events events;
};

struct target *fake_target_create(struct lunmgr *m)
{
    struct target *t = calloc(1, sizeof(*t));
    assert(t != NULL);
    t->m = m;
    fake_target_set_portal(t, "127.0.0.1:3260");
    return t;
}

void fake_target_destroy(struct target *t)
{
    free(t);
}

void fake_target_add_session(struct target *t, uint64_t id, const char *initiator,
                             const char *host)
{
    assert(t->session_count < FAKE_SESSIONS);
    struct target_session_info *s = &t->sessions[t->session_count++];
    *s = (struct target_session_info){
        .id = id,
        .isid = "00023d000000",
        .tsih = 1,
        .discovery = host[0] == '\0',
        .address = "127.0.0.1:40000",
        .portal = "127.0.0.1:3260",
        .portal_group = 1,
        .since_s = CREATED_S,
        .max_burst_bytes = 262144,
        .task_reporting = "RFC3720",
    };
    s->figures[FIGURE_R2TS] = 7;
    s->figures[FIGURE_TMF + 5] = 2;
    s->latency[LATENCY_READ].buckets[bucket_of(100, LATENCY_STEP_BITS)] = 99;
    s->latency[LATENCY_READ].buckets[bucket_of(1000, LATENCY_STEP_BITS)] = 1;
    s->latency[LATENCY_READ].max_us = 1010;
    copy(s->initiator, sizeof(s->initiator), initiator);
    copy(s->host_name, sizeof(s->host_name), host);
    copy(s->target, sizeof(s->target), host[0] == '\0' ? "" : target_name(t));
}

void fake_target_set_portal(struct target *t, const char *portal)
{
    copy(t->portal, sizeof(t->portal), portal);
}

const char *target_name(const struct target *t)
{
    (void)t;
    return "iqn.2024-01.com.example:ashlar";
}

void target_name_of(const struct target *t, const struct mapping *mapping,
                    char out[TARGET_NAME_MAX])
{
    struct mapping_info info;
    mapping_describe(mapping, &info);
    snprintf(out, TARGET_NAME_MAX, "%s%s", target_name(t),
             info.own_target ? ":0123456789abcdef" : "");
}

bool target_may_have_own(const struct target *t)
{
    return strncmp(target_name(t), "iqn.", 4) == 0;
}

size_t target_portal_count(const struct target *t)
{
    (void)t;
    return 1;
}

const char *target_portal(const struct target *t, size_t index)
{
    assert(index == 0);
    return t->portal;
}

void target_counters(const struct target *t, struct target_counters *out)
{
    *out = (struct target_counters){.figures[FIGURE_COMMANDS] = 42,
                                    .sessions = (uint32_t)t->session_count,
                                    .refused[LIMIT_LOGINS] = 3,
                                    .latency_us[LATENCY_READ] = 2001500};
    out->latency[LATENCY_READ][bucket_of(100, LATENCY_STEP_BITS)] = 5;
    out->latency[LATENCY_READ][LATENCY_BUCKETS - 1] = 1;
}

bool target_volume_throttled(const struct target *t, const char *volume_id,
                             struct target_throttled *out)
{
    *out = (struct target_throttled){.commands = 12, .us = 34000};
    return volume_find(t->m, volume_id) != NULL;
}

bool target_host_throttled(const struct target *t, const char *host_id,
                           struct target_throttled *out)
{
    *out = (struct target_throttled){.commands = 21, .us = 43000};
    return host_find(t->m, host_id) != NULL;
}

void target_set_events(struct target *t, const struct target_events *events)
{
    const struct target_events nobody = {.arg = NULL};
    t->events = events == NULL ? nobody : *events;
}

const struct target_events *fake_target_events(struct target *t)
{
    return &t->events;
}

const struct target_seen *target_seen_next(const struct target *t,
                                           const struct target_seen *prev)
{
    const struct target_seen *next = prev == NULL ? t->seen : prev + 1;
    return next < t->seen + t->seen_count ? next : NULL;
}

const struct target_seen *target_seen_after(const struct target *t, uint64_t id)
{
    for (size_t i = 0; i < t->seen_count; i++) {
        if (t->seen[i].id > id)
            return &t->seen[i];
    }
    return NULL;
}

const char *target_seen_host(const struct target *t, const struct target_seen *seen)
{
    for (struct host *h = host_next(t->m, NULL); h != NULL; h = host_next(t->m, h)) {
        for (size_t i = 0; i < h->info.initiator_count; i++) {
            if (strcmp(h->names[i], seen->initiator) == 0)
                return h->info.name;
        }
    }
    return NULL;
}

void fake_target_add_seen(struct target *t, const char *initiator, int64_t accepted_s,
                          uint64_t refusals)
{
    assert(t->seen_count < FAKE_SESSIONS);
    struct target_seen *seen = &t->seen[t->seen_count++];
    *seen = (struct target_seen){
        .id = t->seen_count,
        .address = "192.0.2.7",
        .accepted_s = accepted_s,
        .refused_s = refusals > 0 ? CREATED_S : 0,
        .refusals = refusals,
        .status = 0x201,
        .reason = "wrong CHAP name or response",
    };
    copy(seen->initiator, sizeof(seen->initiator), initiator);
}

static void do_session_list(struct call *call, struct err *e)
{
    (void)e;
    call->fn.sessions(call->arg, call->t->sessions, call->t->session_count);
}

void target_list_sessions(struct target *t, target_sessions_fn done, void *arg)
{
    struct call *call = call_begin(t->m, do_session_list, arg);
    call->t = t;
    call->fn.sessions = done;
    call_post(call);
}

static void do_session_kick(struct call *call, struct err *e)
{
    struct target *t = call->t;
    bool found = false;
    (void)e;
    for (size_t i = 0; i < t->session_count && !found; i++) {
        found = t->sessions[i].id == call->number;
        if (found)
            t->sessions[i] = t->sessions[--t->session_count];
    }
    call->fn.kicked(call->arg, found);
}

void target_kick_session(struct target *t, uint64_t id,
                         void (*done)(void *arg, bool found), void *arg)
{
    struct call *call = call_begin(t->m, do_session_kick, arg);
    call->t = t;
    call->number = id;
    call->fn.kicked = done;
    call_post(call);
}

static void do_drain(struct call *call, struct err *e)
{
    (void)e;
    call->fn.drained(call->arg, call->number);
}

static void drain_post(struct target *t, uint64_t id, target_drain_fn done, void *arg)
{
    struct call *call = call_begin(t->m, do_drain, arg);
    call->number = id;
    call->fn.drained = done;
    call_post(call);
}

int target_drain_check(struct target *t, const struct target_drain_spec *spec,
                       struct err *e)
{
    struct err fail = t->m->fail;
    t->m->fail = (struct err){0};
    if (fail.code != 0)
        return err_set(e, fail.code, fail.field, "%s", fail.text);
    if (spec->host != NULL && host_find(t->m, spec->host) == NULL)
        return err_set(e, -ENOENT, "host", "no host %.80s", spec->host);
    return 0;
}

int target_drain(struct target *t, const struct target_drain_spec *spec,
                 target_drain_fn done, void *arg, struct err *e)
{
    int rc = target_drain_check(t, spec, e);
    if (rc != 0)
        return rc;
    struct target_drain_info *d = &t->drains[t->last_drain];
    assert(t->last_drain < FAKE_MAX);
    *d = (struct target_drain_info){
        .id = ++t->last_drain,
        .logout_timeout_s = spec->logout_timeout_s,
        .since_s = CREATED_S,
        .asked = 3,
        .dropped = 1,
    };
    copy(d->portal, sizeof(d->portal), spec->portal == NULL ? "" : spec->portal);
    copy(d->host_name, sizeof(d->host_name), spec->host == NULL ? "" : spec->host);
    copy(d->redirect, sizeof(d->redirect), spec->redirect == NULL ? "" : spec->redirect);
    drain_post(t, d->id, done, arg);
    return 0;
}

bool target_drain_next(struct target *t, uint64_t after, struct target_drain_info *out)
{
    for (uint64_t i = after; i < t->last_drain; i++) {
        if (t->drains[i].id == 0)
            continue;
        *out = t->drains[i];
        return true;
    }
    return false;
}

int target_undrain(struct target *t, uint64_t id, target_drain_fn done, void *arg)
{
    struct err fail = t->m->fail;
    t->m->fail = (struct err){0};
    if (fail.code != 0)
        return fail.code;
    if (id == 0 || id > t->last_drain || t->drains[id - 1].id == 0)
        return -ENOENT;
    t->drains[id - 1].id = 0;
    drain_post(t, id, done, arg);
    return 0;
}

bool target_group_next(const struct target *t, uint16_t after,
                       struct target_group_info *out)
{
    if (after >= 1)
        return false;
    *out = (struct target_group_info){
        .tag = 1,
        .access = t->access,
        .portal_count = 1,
        .portals = {t->portal},
        .advertised_count = 1,
        .advertised = {"san.example.com,1"},
        .sessions = (uint32_t)t->session_count,
    };
    return true;
}

static void do_group_change(struct call *call, struct err *e)
{
    if (e->code == 0 && !call->dry)
        call->t->access = (struct alua_access){
            .state = (enum alua_state)call->number,
            .preferred = call->flag,
        };
    call->fn.done(call->arg, err_or_null(e));
}

int target_group_change(struct target *t, uint16_t tag,
                        const struct target_group_change *change, target_group_fn done,
                        void *arg, struct err *e)
{
    enum alua_state state = change->state != NULL ? *change->state : t->access.state;
    if (t->m->fail.code == 0 && !change->force && !alua_is_active(state) &&
        alua_is_active(t->access.state))
        return err_set(e, -EBUSY, "state", "it is the last portal group that is active");
    assert(tag == 1);
    struct call *call = call_new(t->m, do_group_change, arg);
    call->t = t;
    call->number = state;
    call->flag = change->preferred != NULL ? *change->preferred : t->access.preferred;
    call->fn.done = done;
    call_post(call);
    return 0;
}
