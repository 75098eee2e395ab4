/* SPDX-License-Identifier: Apache-2.0 */
/* The turn: sockets and disks fill the lists, and at its end the hook lets every
 * connection that was touched send what it has. */
#include "target/reactor.h"

#include "base/clock.h"
#include "base/log.h"
#include "target/access_swap.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/session.h"
#include "target/task_flow.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the turn ---- */

void reactor_touch(struct reactor *r, struct conn *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->dirty_next = r->dirty;
    r->dirty = c;
}

/* The first of the list, which is not empty, go on together. */
static bool reactor_advance_some(struct reactor *r, struct conn **list)
{
    struct conn *some[SOCK_BATCH_MAX];
    size_t count = 0;
    bool any = false;
    do {
        struct conn *c = *list;
        *list = c->dirty_next;
        c->dirty = false;
        any |= conn_go_on(c);
        some[count++] = c;
    } while (*list != NULL && count < SOCK_BATCH_MAX);
    any |= sock_turn_send(&r->sockets, some, count);
    for (size_t i = 0; i < count; i++)
        any |= conn_settle(some[i]);
    return any;
}

static bool reactor_advance_conns(struct reactor *r)
{
    bool any = false;
    struct conn *list = TAKE(r->dirty);
    while (list != NULL)
        any |= reactor_advance_some(r, &list);
    return any;
}

/* First come, first served; one whose session has had its share is passed over. */
static bool reactor_retry_waiting(struct reactor *r)
{
    if (!r->buffers_freed)
        return false;
    r->buffers_freed = false;
    bool any = false;
    struct task *next;
    for (struct task *t = r->waiting; t != NULL; t = next) {
        next = t->wait_next;
        any |= task_retry(t);
    }
    return any;
}

static bool reactor_turn(struct loop_hook *hook)
{
    struct reactor *r = container_of(hook, struct reactor, hook);
    bool any = reactor_retry_waiting(r);
    any |= reactor_advance_conns(r);
    any |= sock_turn_read(&r->sockets);
    return pacer_turn(r) || any;
}

/* ---- time ---- */

/* A tick at least from now, so that many who wait for a time are one wake-up. */
void reactor_wake_by(struct reactor *r, int64_t due_ms)
{
    int64_t now_ms = clock_coarse_ms();
    if (due_ms == NEVER_MS)
        return;
    if (due_ms < now_ms + REACTOR_TICK_MS)
        due_ms = now_ms + REACTOR_TICK_MS;
    if (r->tick_ms <= due_ms)
        return;
    struct timeval in = clock_span_ms(due_ms - now_ms);
    r->tick_ms = due_ms;
    if (event_add(r->tick, &in) != 0)
        log_fatal("out of memory");
}

static void reactor_on_tick(int fd, short what, void *arg)
{
    struct reactor *r = arg;
    (void)fd;
    (void)what;
    int64_t now_ms = clock_coarse_ms();
    r->tick_ms = NEVER_MS;
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        conn_tick(c, now_ms);
        reactor_wake_by(r, conn_due_ms(c));
    }
}

/* ---- buffers ---- */

/* A session may keep what it has for long, as one that does not read its data: whatever
 * it has beyond its first task, others find some times as much left. */
static bool reactor_has_room(const struct reactor *r, const struct task *t)
{
    const struct limits *limits = &r->target->limits;
    uint64_t most = limit_get(limits, LIMIT_REACTOR_BUFFERS);
    uint64_t own = (uint64_t)t->conn->session->buffer_bytes + t->buffer_bytes;
    uint64_t all = counter_get(&r->counters.buffer_bytes) + t->buffer_bytes;
    if (all == t->buffer_bytes) /* or a large one would never get it */
        return true;
    if (all > most)
        return false;
    if (own == t->buffer_bytes)
        return true;
    return own <= limit_get(limits, LIMIT_SESSION_BUFFERS) &&
           own <= (most - all) / REACTOR_BUFFER_SHARE;
}

bool reactor_reserve(struct reactor *r, struct task *t)
{
    struct session *s = t->conn->session;
    if (!reactor_has_room(r, t))
        return false;
    t->reserved_bytes = t->buffer_bytes;
    sock_turn_on_begun(&r->sockets, t->reserved_bytes);
    s->buffer_bytes += t->reserved_bytes;
    counter_add(&r->counters.buffer_bytes, t->reserved_bytes);
    return true;
}

void reactor_unreserve(struct reactor *r, struct task *t)
{
    if (t->reserved_bytes == 0)
        return;
    t->conn->session->buffer_bytes -= t->reserved_bytes;
    counter_add(&r->counters.buffer_bytes, -(uint64_t)t->reserved_bytes);
    t->reserved_bytes = 0;
    r->buffers_freed = true;
}

void reactor_wait_for_buffers(struct reactor *r, struct task *t)
{
    t->wait_next = NULL;
    struct task **at = &r->waiting;
    while (*at != NULL)
        at = &(*at)->wait_next;
    *at = t;
}

void reactor_stop_waiting(struct reactor *r, struct task *t)
{
    struct task **at = &r->waiting;
    while (*at != t)
        at = &(*at)->wait_next;
    *at = t->wait_next;
}

/* ---- life ---- */

static int reactor_make_events(struct reactor *r, bool may_ring, struct err *e)
{
    r->tick_ms = NEVER_MS;
    r->tick = event_new(loop_base(r->loop), -1, 0, reactor_on_tick, r);
    if (r->tick == NULL)
        return err_oom(e);
    r->hook.turn = reactor_turn;
    loop_add_hook(r->loop, &r->hook);
    int rc = pacer_init(&r->pacer, r, e);
    if (rc == 0 && sock_turn_init(&r->sockets, loop_base(r->loop), may_ring) != 0)
        rc = err_oom(e);
    return rc;
}

int reactor_create(struct target *t, unsigned index, enum engine_kind engine,
                   struct reactor **out, struct err *e)
{
    struct reactor *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return err_oom(e);
    r->target = t;
    r->index = index;
    r->access = access_get(t->access);
    r->alua = t->alua;
    *out = r; /* the target destroys it whatever happens */
    char name[16];
    snprintf(name, sizeof(name), "reactor-%u", index);
    int rc = loop_create(name, &r->loop, e);
    if (rc == 0)
        rc = lane_create(t->lunmgr, r->loop, engine, &r->lane, e);
    if (rc == 0)
        rc = reactor_make_events(r, engine != ENGINE_THREADS, e);
    return rc;
}

int reactor_start(struct reactor *r, struct err *e)
{
    return loop_start(r->loop, e);
}

static void reactor_free_kept(struct reactor *r)
{
    task_free_kept(r);
    while (r->free_pdus != NULL) {
        struct tx_pdu *p = r->free_pdus;
        r->free_pdus = p->next;
        free(p);
    }
}

void reactor_destroy(struct reactor *r)
{
    if (r == NULL)
        return;
    assert(r->conns == NULL);
    if (r->loop != NULL) {
        loop_stop(r->loop);
        loop_join(r->loop);
    }
    if (r->tick != NULL) {
        event_free(r->tick);
        loop_remove_hook(r->loop, &r->hook);
    }
    pacer_fini(&r->pacer);
    reactor_free_kept(r);
    sock_turn_fini(&r->sockets);
    lane_destroy(r->lane);
    loop_destroy(r->loop);
    access_put(r->access);
    free(r);
}

/* ---- connections ---- */

struct handed {
    struct note note;
    struct reactor *reactor;
    int fd;
    uint16_t portal_group_tag;
    uint8_t ip[IP_BYTES];
};

static void reactor_on_handed(struct note *note)
{
    struct handed *h = container_of(note, struct handed, note);
    struct reactor *r = h->reactor;
    struct conn *c = NULL;
    int rc = r->stopping ? -ESHUTDOWN : conn_create(r, h->fd, h->portal_group_tag, &c);
    if (rc != 0) {
        log_warning("connection not taken", "error=\"%s\"", strerror(-rc));
        close(h->fd);
        admission_leave(&r->target->admission, h->ip, false);
    } else {
        log_debug("connection", "address=%s portal=%s reactor=%u", c->peer, c->local,
                  r->index);
    }
    free(h);
}

void reactor_hand(struct reactor *r, int fd, const uint8_t ip[IP_BYTES],
                  uint16_t portal_group_tag)
{
    struct handed *h = malloc(sizeof(*h));
    if (h == NULL) {
        close(fd);
        admission_leave(&r->target->admission, ip, false);
        return;
    }
    *h = (struct handed){.note.run = reactor_on_handed,
                         .reactor = r,
                         .fd = fd,
                         .portal_group_tag = portal_group_tag};
    memcpy(h->ip, ip, IP_BYTES);
    loop_post(r->loop, &h->note);
}

void reactor_on_conn_gone(struct reactor *r)
{
    if (r->stop != NULL && r->conns == NULL)
        fanout_leg_done(TAKE(r->stop));
}

void reactor_stop(struct fanout_leg *leg)
{
    struct reactor *r = leg->reactor;
    r->stopping = true;
    r->stop = leg;
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        if (c->state == CONN_LOGIN)
            conn_end(c, "the target stops");
        else
            conn_ask_logout(c, STOP_LOGOUT_S);
    }
    reactor_on_conn_gone(r);
}

void reactor_cut(struct fanout_leg *leg)
{
    for (struct conn *c = leg->reactor->conns; c != NULL; c = c->next)
        conn_cut(c, NULL);
    fanout_leg_done(leg);
}
