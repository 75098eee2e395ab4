/* SPDX-License-Identifier: Apache-2.0 */
/* The target as the control thread sees it: it starts and stops the reactors, hands them
 * each change of who sees what, and asks them for what web wants to know. */
#include "target/target.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/loop.h"
#include "lunmgr/throttle.h"
#include "target/access_swap.h"
#include "target/address.h"
#include "target/conn.h"
#include "target/exec.h"
#include "target/limits.h"
#include "target/lu.h"
#include "target/portal.h"
#include "target/reactor.h"
#include "target/session.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- who sees what ---- */

struct access_change {
    struct fanout fanout;
    struct target *target;
    uint64_t ticket;
    struct access_swap swaps[TARGET_REACTOR_MAX];
};

static void access_on_swapped(struct fanout *fanout)
{
    struct access_change *change = container_of(fanout, struct access_change, fanout);
    lunmgr_settled(change->target->lunmgr, change->ticket);
    free(change);
}

static int access_change_start(struct target *t, uint64_t ticket)
{
    struct access_change *change = calloc(1, sizeof(*change));
    if (change == NULL)
        return -ENOMEM;
    struct access *next = NULL;
    int rc = access_create(t->lunmgr, t->name, t->access, &next);
    if (rc != 0) {
        free(change);
        return rc;
    }
    access_put(t->access);
    t->access = next;
    change->target = t;
    change->ticket = ticket;
    change->fanout.asker = t->control;
    change->fanout.run = access_swap_run;
    change->fanout.done = access_on_swapped;
    for (unsigned i = 0; i < t->reactor_count; i++) {
        change->swaps[i].to = access_get(next);
        change->fanout.legs[i].state = &change->swaps[i];
    }
    fanout_start(&change->fanout, t);
    return 0;
}

/* Without memory the ticket stays open: whoever asked for the change is not told that
 * it is seen, and nothing that it took away is freed. */
static void target_on_access_changed(void *arg, uint64_t ticket)
{
    if (access_change_start(arg, ticket) != 0)
        log_error("out of memory: a change of mappings is not seen by initiators", NULL);
}

/* ---- what befell a volume ---- */

static const enum nexus_event nexus_event_of[] = {
    [VOLUME_RESIZED] = NEXUS_RESIZED,
    [VOLUME_REPLACED] = NEXUS_REPLACED,
};

struct volume_notice {
    struct fanout fanout;
    struct lunmgr *lunmgr;
    const struct volume *volume; /* it stays until the ticket is settled */
    enum nexus_event event;
    uint64_t ticket;
};

static void notice_run(struct fanout_leg *leg)
{
    const struct volume_notice *n =
        container_of(leg->fanout, struct volume_notice, fanout);
    for (struct conn *c = leg->reactor->conns; c != NULL; c = c->next) {
        if (c->session->nexus != NULL)
            nexus_notice(c->session->nexus, n->volume, n->event);
    }
    fanout_leg_done(leg);
}

static void notice_on_posted(struct fanout *fanout)
{
    struct volume_notice *n = container_of(fanout, struct volume_notice, fanout);
    lunmgr_settled(n->lunmgr, n->ticket);
    free(n);
}

/* The volume may be behind a fence until this is settled, and a change that initiators
 * are not told of loses data: out of memory for so small a thing ends the process, which
 * the catalog survives. */
static void target_on_volume_changed(void *arg, const struct volume *volume,
                                     enum volume_event event, uint64_t ticket)
{
    struct target *t = arg;
    struct volume_notice *n = calloc(1, sizeof(*n));
    if (n == NULL)
        log_fatal("out of memory");
    n->lunmgr = t->lunmgr;
    n->volume = volume;
    n->event = nexus_event_of[event];
    n->ticket = ticket;
    n->fanout.asker = t->control;
    n->fanout.run = notice_run;
    n->fanout.done = notice_on_posted;
    fanout_start(&n->fanout, t);
}

static unsigned target_volume_sessions(void *arg, const struct volume *volume)
{
    const struct target *t = arg;
    return registry_count_seeing(&t->registry, t->access, volume);
}

/* ---- start ---- */

static void strings_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

static int advertise_copy(const char *const *list, size_t count, char ***out,
                          struct err *e)
{
    if (count > TARGET_ADVERTISE_MAX)
        return err_set(e, -EINVAL, "advertise", "%zu of them: at most %d", count,
                       TARGET_ADVERTISE_MAX);
    char **copy = calloc(count + 1, sizeof(*copy));
    if (copy == NULL)
        return err_oom(e);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        bool has_port;
        if (!address_is_advertisable(list[i], &has_port))
            rc =
                err_set(e, -EINVAL, "advertise",
                        "'%.80s' is no address: NAME[:PORT][,TAG] or [IPV6][:PORT][,TAG]",
                        list[i]);
        else if ((copy[i] = strdup(list[i])) == NULL)
            rc = err_oom(e);
    }
    if (rc != 0) {
        strings_free(copy, count);
        return rc;
    }
    *out = copy;
    return 0;
}

int target_set_advertise(struct target *t, const char *const *advertise, size_t count,
                         struct err *e)
{
    char **fresh = NULL;
    int rc = advertise_copy(advertise, count, &fresh, e);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&t->advertise_lock);
    char **old = t->advertise;
    size_t old_count = t->advertise_count;
    t->advertise = fresh;
    t->advertise_count = count;
    pthread_mutex_unlock(&t->advertise_lock);
    strings_free(old, old_count);
    return 0;
}

void target_set_limits(struct target *t, const struct target_limits *limits)
{
    limits_set(&t->limits, limits);
}

static void target_on_stirred(void *arg)
{
    struct target *t = arg;
    if (t->thresholds != NULL)
        thresholds_on_stirred(t->thresholds);
}

static int target_make_reactors(struct target *t, const struct target_options *o,
                                struct err *e)
{
    for (unsigned i = 0; i < o->reactor_count; i++) {
        int rc = reactor_create(t, i, o->engine, &t->reactors[i], e);
        if (rc != 0)
            return rc;
        t->reactor_count++;
    }
    struct lunmgr_events events = {.arg = t,
                                   .access_changed = target_on_access_changed,
                                   .volume_changed = target_on_volume_changed,
                                   .port_group_changed = alua_on_changed,
                                   .volume_sessions = target_volume_sessions,
                                   .stirred = target_on_stirred};
    lunmgr_set_events(t->lunmgr, &events);
    for (unsigned i = 0; i < t->reactor_count; i++) {
        int rc = reactor_start(t->reactors[i], e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void target_add_group(struct target *t, uint16_t tag)
{
    size_t at = 0;
    while (at < t->group_count && t->group_tags[at] < tag)
        at++;
    if (at < t->group_count && t->group_tags[at] == tag)
        return;
    for (size_t i = t->group_count; i > at; i--)
        t->group_tags[i] = t->group_tags[i - 1];
    t->group_tags[at] = tag;
    t->group_count++;
}

static int target_listen(struct target *t, const struct target_options *o, struct err *e)
{
    for (size_t i = 0; i < o->portal_count; i++) {
        int rc = portal_create(t, o->portals[i], &t->portals[i], e);
        if (rc != 0)
            return rc;
        t->portal_count++;
        t->faces[t->face_count++] = *portal_face(t->portals[i]);
        target_add_group(t, portal_face(t->portals[i])->tag);
    }
    alua_init(t);
    return 0;
}

/* What needs no undoing but target_destroy. */
static int target_init(struct target *t, const struct target_options *o, struct err *e)
{
    char name[NODE_NAME_MAX + 1];
    t->lunmgr = o->lunmgr;
    t->control = o->control;
    t->keepalive = o->keepalive;
    if (key_node_name(o->name, name) != 0)
        return err_set(e, -EINVAL, "target-name",
                       "'%.80s' is no iSCSI name: iqn.YYYY-MM.DOMAIN:ANY, eui. or naa.",
                       o->name);
    if (strlen(name) + OWN_TARGET_SUFFIX > NODE_NAME_MAX)
        return err_set(e, -EINVAL, "target-name", "longer than %d bytes",
                       NODE_NAME_MAX - OWN_TARGET_SUFFIX);
    snprintf(t->name, sizeof(t->name), "%s", name);
    if (o->reactor_count < 1 || o->reactor_count > TARGET_REACTOR_MAX)
        return err_set(e, -EINVAL, "reactors", "%u: 1 to %d", o->reactor_count,
                       TARGET_REACTOR_MAX);
    if (o->portal_count < 1 || o->portal_count > TARGET_PORTAL_MAX)
        return err_set(e, -EINVAL, "portal", "%zu of them: 1 to %d", o->portal_count,
                       TARGET_PORTAL_MAX);
    if (access_create(t->lunmgr, t->name, NULL, &t->access) != 0)
        return err_oom(e);
    return target_set_advertise(t, o->advertise, o->advertise_count, e);
}

int target_start(const struct target_options *options, struct target **out, struct err *e)
{
    struct target *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_oom(e);
    pthread_mutex_init(&t->advertise_lock, NULL);
    drain_list_init(&t->drains);
    limits_set(&t->limits, options->limits);
    admission_init(&t->admission, &t->limits);
    refusals_init(&t->refusals);
    int rc = target_init(t, options, e);
    if (rc == 0)
        rc = target_listen(t, options, e); /* nothing is accepted before this returns */
    if (rc == 0)
        rc = target_make_reactors(t, options, e);
    if (rc == 0)
        rc = thresholds_create(t, &t->thresholds, e);
    if (rc != 0) {
        target_destroy(t);
        return rc;
    }
    *out = t;
    return 0;
}

/* ---- stop ---- */

/* First the connections end in order; when half of the time is over, they are cut; at its
 * end, the caller hears of it whether all disk I/O came back or not. */
struct stopping {
    struct fanout end, cut;
    struct target *target;
    struct event *timer;
    bool was_cut;
    struct timeval part;
    void (*done)(void *arg);
    void *arg;
};

static void stopping_answer(struct stopping *s)
{
    void (*done)(void *arg) = s->done;
    s->done = NULL;
    event_del(s->timer);
    if (done != NULL)
        done(s->arg);
}

static void stopping_on_ended(struct fanout *fanout)
{
    struct stopping *s = container_of(fanout, struct stopping, end);
    s->target->stopped = true;
    stopping_answer(s);
}

static void stopping_on_cut(struct fanout *fanout)
{
    (void)fanout; /* the orderly end is what is waited for */
}

static void stopping_on_timer(int fd, short what, void *arg)
{
    struct stopping *s = arg;
    (void)fd;
    (void)what;
    if (s->was_cut) {
        stopping_answer(s);
        return;
    }
    s->was_cut = true;
    s->cut.asker = s->target->control;
    s->cut.run = reactor_cut;
    s->cut.done = stopping_on_cut;
    fanout_start(&s->cut, s->target);
    event_add(s->timer, &s->part);
}

static void stopping_start(struct stopping *s, unsigned timeout_ms)
{
    unsigned part_ms = timeout_ms / STOP_PARTS;
    s->part = clock_span_ms(part_ms);
    event_add(s->timer, &s->part);
    s->end.asker = s->target->control;
    s->end.run = reactor_stop;
    s->end.done = stopping_on_ended;
    fanout_start(&s->end, s->target);
}

static void target_close_portals(struct target *t)
{
    while (t->portal_count > 0)
        portal_destroy(t->portals[--t->portal_count]);
}

void target_stop(struct target *t, unsigned timeout_ms, void (*done)(void *arg),
                 void *arg)
{
    assert(t->stopping == NULL);
    target_close_portals(t);
    struct stopping *s = calloc(1, sizeof(*s));
    if (s != NULL)
        s->timer = event_new(loop_base(t->control), -1, 0, stopping_on_timer, s);
    if (s == NULL || s->timer == NULL) {
        free(s);
        done(arg);
        return;
    }
    s->target = t;
    s->done = done;
    s->arg = arg;
    t->stopping = s;
    stopping_start(s, timeout_ms);
}

bool target_is_stopped(const struct target *t)
{
    return t->stopped;
}

void target_destroy(struct target *t)
{
    if (t == NULL)
        return;
    target_close_portals(t);
    struct lunmgr_events none = {0};
    lunmgr_set_events(t->lunmgr, &none);
    for (unsigned i = 0; i < TARGET_REACTOR_MAX; i++)
        reactor_destroy(t->reactors[i]);
    if (t->stopping != NULL)
        event_free(t->stopping->timer);
    free(t->stopping);
    thresholds_destroy(t->thresholds);
    alua_fini(t);
    access_put(t->access);
    strings_free(t->advertise, t->advertise_count);
    pthread_mutex_destroy(&t->advertise_lock);
    drain_list_fini(&t->drains);
    admission_fini(&t->admission);
    refusals_fini(&t->refusals);
    free(t);
}

/* ---- what web asks ---- */

const char *target_name(const struct target *t)
{
    return t->name;
}

void target_name_of(const struct target *t, const struct mapping *mapping,
                    char out[TARGET_NAME_MAX])
{
    access_target_name(t->name, mapping, out);
}

bool target_may_have_own(const struct target *t)
{
    return strncmp(t->name, "iqn.", 4) == 0;
}

void target_set_events(struct target *t, const struct target_events *events)
{
    const struct target_events nobody = {.arg = NULL};
    t->events = events == NULL ? nobody : *events;
}

size_t target_portal_count(const struct target *t)
{
    return t->portal_count;
}

const char *target_portal(const struct target *t, size_t index)
{
    return portal_face(t->portals[index])->address;
}

static bool throttle_sum(const struct throttle *limit, struct target_throttled *out)
{
    *out = (struct target_throttled){0};
    for (unsigned i = 0; limit != NULL && i < limit->lane_count; i++) {
        out->commands += counter_get(&limit->lanes[i].commands);
        out->us += counter_get(&limit->lanes[i].us);
    }
    return limit != NULL;
}

bool target_volume_throttled(const struct target *t, const char *volume_id,
                             struct target_throttled *out)
{
    const struct volume *v = volume_find(t->lunmgr, volume_id);
    return throttle_sum(v == NULL ? NULL : access_volume_limit(t->access, v), out);
}

bool target_host_throttled(const struct target *t, const char *host_id,
                           struct target_throttled *out)
{
    return throttle_sum(access_host_limit(t->access, host_id), out);
}

static void counters_add_latency(struct target_counters *out,
                                 const struct reactor_counters *k)
{
    for (size_t kind = 0; kind < LATENCY_KINDS; kind++) {
        out->latency_us[kind] += counter_get(&k->latency_us[kind]);
        for (size_t i = 0; i < LATENCY_BUCKETS; i++)
            out->latency[kind][i] += counter_get(&k->latency[kind][i]);
    }
}

void target_counters(const struct target *t, struct target_counters *out)
{
    *out = (struct target_counters){0};
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        out->refused[i] = refusal_count(&t->refusals, (enum target_limit)i);
    for (unsigned i = 0; i < t->reactor_count; i++) {
        const struct reactor_counters *k = &t->reactors[i]->counters;
        for (size_t f = 0; f < FIGURE_COUNT; f++)
            out->figures[f] += counter_get(&k->figures[f]);
        counters_add_latency(out, k);
        out->logins += counter_get(&k->logins);
        out->login_failures += counter_get(&k->login_failures);
        out->keepalive_timeouts += counter_get(&k->keepalive_timeouts);
        out->buffer_bytes += counter_get(&k->buffer_bytes);
        out->sessions += atomic_load_explicit(&k->sessions, memory_order_relaxed);
        out->connections += atomic_load_explicit(&k->connections, memory_order_relaxed);
    }
}

struct listing_leg {
    struct target_session_info *sessions;
    size_t count;
};

struct listing {
    struct fanout fanout;
    target_sessions_fn done;
    void *arg;
    struct listing_leg legs[TARGET_REACTOR_MAX];
};

static void listing_run(struct fanout_leg *leg)
{
    struct listing_leg *l = leg->state;
    const struct reactor *r = leg->reactor;
    size_t most = atomic_load_explicit(&r->counters.sessions, memory_order_relaxed);
    l->sessions = calloc(most + 1, sizeof(*l->sessions));
    for (const struct conn *c = r->conns; c != NULL && l->sessions != NULL; c = c->next) {
        if (c->session->ticket != NULL && l->count < most)
            session_describe(c->session, &l->sessions[l->count++]);
    }
    fanout_leg_done(leg);
}

static int by_id(const void *a, const void *b)
{
    const struct target_session_info *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void listing_on_done(struct fanout *fanout)
{
    struct listing *l = container_of(fanout, struct listing, fanout);
    size_t count = 0;
    for (size_t i = 0; i < TARGET_REACTOR_MAX; i++)
        count += l->legs[i].count;
    struct target_session_info *all = calloc(count + 1, sizeof(*all));
    size_t at = 0;
    for (size_t i = 0; i < TARGET_REACTOR_MAX; i++) {
        if (all != NULL && l->legs[i].count > 0)
            memcpy(all + at, l->legs[i].sessions, l->legs[i].count * sizeof(*all));
        at += l->legs[i].count;
        free(l->legs[i].sessions);
    }
    count = all == NULL ? 0 : count;
    if (count > 0)
        qsort(all, count, sizeof(*all), by_id);
    l->done(l->arg, all, count);
    free(all);
    free(l);
}

void target_list_sessions(struct target *t, target_sessions_fn done, void *arg)
{
    struct listing *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        done(arg, NULL, 0);
        return;
    }
    l->done = done;
    l->arg = arg;
    l->fanout.asker = t->control;
    l->fanout.run = listing_run;
    l->fanout.done = listing_on_done;
    for (size_t i = 0; i < TARGET_REACTOR_MAX; i++)
        l->fanout.legs[i].state = &l->legs[i];
    fanout_start(&l->fanout, t);
}

void target_kick_session(struct target *t, uint64_t id,
                         void (*done)(void *arg, bool found), void *arg)
{
    registry_kick(t, id, done, arg);
}
