/* SPDX-License-Identifier: Apache-2.0 */
/* A row (struct flow) is there as long as one of its commands waits, so the list is as
 * long as there are units that sessions wait for. It is walked when the timer has come,
 * when a row begins, and when limits have changed. */
#include "target/pacer.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/throttle.h"
#include "target/conn.h"
#include "target/counter.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"
#include "target/task_flow.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define NEVER_NS INT64_MAX

struct flow {
    struct flow *next, *prev;  /* in the pacer's list */
    struct flow *session_next; /* in its session's; of the spare ones, too */
    struct session *session;
    uint64_t lun;
    struct task *first, *last;
    /* Where the first has paid; only compared: it may be gone. */
    const struct throttle *paid[LU_LIMITS];
    bool was_short[LU_LIMITS]; /* the first had to wait there */
};

static int64_t clock_ns(void)
{
    return clock_us() * 1000;
}

static struct reactor *reactor_of(const struct task *t)
{
    return t->conn->reactor;
}

/* ---- Rows -------------------------------------------------------------------------- */

static struct flow *flow_find(const struct session *s, uint64_t lun)
{
    struct flow *f = s->flows;
    while (f != NULL && f->lun != lun)
        f = f->session_next;
    return f;
}

static void flow_link(struct pacer *p, struct flow *f)
{
    f->next = NULL;
    f->prev = p->last;
    if (p->last != NULL)
        p->last->next = f;
    else
        p->first = f;
    p->last = f;
}

static void flow_unlink(struct pacer *p, struct flow *f)
{
    if (f->prev != NULL)
        f->prev->next = f->next;
    else
        p->first = f->next;
    if (f->next != NULL)
        f->next->prev = f->prev;
    else
        p->last = f->prev;
}

/* NULL: no memory. */
static struct flow *flow_begin(struct pacer *p, struct session *s, uint64_t lun)
{
    struct flow *f = p->spare;
    if (f != NULL)
        p->spare = f->session_next;
    else if ((f = malloc(sizeof(*f))) == NULL)
        return NULL;
    *f = (struct flow){.session = s, .session_next = s->flows, .lun = lun};
    s->flows = f;
    flow_link(p, f);
    return f;
}

static void flow_end(struct pacer *p, struct flow *f)
{
    struct flow **at = &f->session->flows;
    while (*at != f)
        at = &(*at)->session_next;
    *at = f->session_next;
    flow_unlink(p, f);
    f->session_next = p->spare;
    p->spare = f;
}

/* A HEAD OF QUEUE command goes before the others: SAM-5, 8.6. */
static void flow_add(struct flow *f, struct task *t)
{
    bool first = f->first == NULL || t->attribute == TASK_HEAD_OF_QUEUE;
    struct task **at = first ? &f->first : &f->last->flow_next;
    t->flow = f;
    t->flow_next = first ? f->first : NULL;
    *at = t;
    if (t->flow_next == NULL)
        f->last = t;
}

static void flow_remove(struct flow *f, struct task *t)
{
    struct task *before = NULL;
    for (struct task *at = f->first; at != t; at = at->flow_next)
        before = at;
    if (before != NULL)
        before->flow_next = t->flow_next;
    else
        f->first = t->flow_next;
    if (f->last == t)
        f->last = before;
    t->flow = NULL;
    t->flow_next = NULL;
}

/* ---- Paying ------------------------------------------------------------------------ */

/* now_ns: the first of the row has paid all. Else when to ask again. */
static int64_t flow_pay(struct flow *f, int64_t now_ns)
{
    struct task *t = f->first;
    int64_t due_ns = NEVER_NS;
    for (int i = 0; i < LU_LIMITS; i++) {
        struct throttle *limit = t->lu->limits[i];
        if (limit == NULL || f->paid[i] == limit)
            continue;
        int64_t at_ns =
            throttle_take(limit, reactor_of(t)->index, t->limited_bytes, now_ns);
        if (at_ns == now_ns) {
            f->paid[i] = limit;
            continue;
        }
        f->was_short[i] = true;
        if (at_ns < due_ns)
            due_ns = at_ns;
    }
    return due_ns == NEVER_NS ? now_ns : due_ns;
}

/* The first of the row will be another one. */
static void flow_refund(struct flow *f)
{
    struct task *t = f->first;
    for (int i = 0; t != NULL && i < LU_LIMITS; i++) {
        struct throttle *limit = t->lu->limits[i];
        if (limit != NULL && f->paid[i] == limit)
            throttle_return(limit, reactor_of(t)->index, t->limited_bytes);
    }
    memset(f->paid, 0, sizeof(f->paid));
}

/* It has waited in its row. */
static void flow_count(const struct flow *f, const struct task *t, int64_t now_ns)
{
    uint64_t us = (uint64_t)(now_ns / 1000 - t->throttled_us);
    for (int i = 0; i < LU_LIMITS; i++) {
        struct throttle *limit = t->lu->limits[i];
        if (limit == NULL || !f->was_short[i])
            continue;
        struct throttle_lane *lane = &limit->lanes[reactor_of(t)->index];
        counter_add(&lane->commands, 1);
        counter_add(&lane->us, us);
    }
}

/* ---- Coming and going -------------------------------------------------------------- */

/* Without a row, where none waits: as if it had one. */
static bool pays_at_once(struct task *t)
{
    struct flow alone = {.first = t};
    int64_t now_ns = clock_ns();
    if (flow_pay(&alone, now_ns) == now_ns)
        return true;
    flow_refund(&alone);
    return false;
}

int pacer_enter(struct task *t)
{
    struct pacer *p = &reactor_of(t)->pacer;
    struct session *s = t->conn->session;
    if (!exec_is_limited(t, &t->limited_bytes))
        return 0;
    if (p->first == NULL && pays_at_once(t))
        return 0;
    struct flow *f = flow_find(s, t->lun);
    p->wanted |= f == NULL || t->attribute == TASK_HEAD_OF_QUEUE;
    if (f == NULL && (f = flow_begin(p, s, t->lun)) == NULL)
        return -ENOMEM;
    if (t->attribute == TASK_HEAD_OF_QUEUE)
        flow_refund(f);
    flow_add(f, t);
    t->state = TASK_THROTTLED;
    t->throttled_us = clock_us();
    return -EAGAIN;
}

void pacer_leave(struct task *t)
{
    struct pacer *p = &reactor_of(t)->pacer;
    struct flow *f = t->flow;
    assert(t->state == TASK_THROTTLED);
    if (f->first == t)
        flow_refund(f);
    flow_remove(f, t);
    t->state = TASK_DORMANT;
    if (f->first == NULL)
        flow_end(p, f);
    else
        p->wanted = true;
}

void pacer_wake(struct pacer *p)
{
    p->wanted = true;
    for (struct flow *f = p->first; f != NULL; f = f->next)
        memset(f->was_short, 0, sizeof(f->was_short));
}

/* ---- The turn ---------------------------------------------------------------------- */

static void pacer_set_timer(struct pacer *p, int64_t now_ns, int64_t due_ns)
{
    if (due_ns == NEVER_NS) {
        event_del(p->timer);
        return;
    }
    struct timeval in = clock_span_us((due_ns - now_ns + 999) / 1000);
    if (event_add(p->timer, &in) != 0)
        log_fatal("out of memory");
}

/* The first of the row begins; the row goes behind the others. */
static void flow_run(struct pacer *p, struct flow *f, int64_t now_ns)
{
    struct task *t = f->first;
    flow_count(f, t, now_ns);
    flow_remove(f, t);
    memset(f->paid, 0, sizeof(f->paid));
    if (f->first == NULL) {
        flow_end(p, f);
    } else {
        flow_unlink(p, f);
        flow_link(p, f);
    }
    task_execute(t);
}

bool pacer_turn(struct reactor *r)
{
    struct pacer *p = &r->pacer;
    bool any = false;
    if (!p->wanted)
        return false;
    p->wanted = false;
    int64_t now_ns = clock_ns();
    int64_t due_ns = NEVER_NS;
    struct flow *next;
    for (struct flow *f = p->first; f != NULL; f = next) {
        int64_t at_ns = flow_pay(f, now_ns);
        next = f->next;
        if (at_ns > now_ns) {
            due_ns = at_ns < due_ns ? at_ns : due_ns;
            continue;
        }
        flow_run(p, f, now_ns);
        any = true;
        if (next == NULL)
            next = p->last; /* it is there again, if more of it waits */
    }
    pacer_set_timer(p, now_ns, due_ns);
    return any;
}

/* ---- Life -------------------------------------------------------------------------- */

static void pacer_on_timer(int fd, short what, void *arg)
{
    struct pacer *p = arg;
    (void)fd;
    (void)what;
    p->wanted = true;
}

int pacer_init(struct pacer *p, struct reactor *r, struct err *e)
{
    *p = (struct pacer){
        .timer = event_new(loop_base(r->loop), -1, 0, pacer_on_timer, p),
    };
    return p->timer == NULL ? err_oom(e) : 0;
}

void pacer_fini(struct pacer *p)
{
    assert(p->first == NULL);
    if (p->timer != NULL)
        event_free(p->timer);
    while (p->spare != NULL) {
        struct flow *f = p->spare;
        p->spare = f->session_next;
        free(f);
    }
}
