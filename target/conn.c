/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's life: accepted, logged in, open, ending, gone. Callbacks note what
 * happened; conn_settle, at the end of the turn, moves. */
#include "target/conn.h"

#include "base/log.h"
#include "target/address.h"
#include "target/async_msg.h"
#include "target/drain.h"
#include "target/keepalive.h"
#include "target/login.h"
#include "target/reactor.h"
#include "target/registry.h"
#include "target/request.h"
#include "target/send_buffer.h"
#include "target/session.h"
#include "target/task_flow.h"
#include "target/task_set.h"
#include "target/text.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void conn_move(struct conn *c, enum conn_state to)
{
    static const unsigned allowed[] = {
        [CONN_LOGIN] = 1U << CONN_OPEN | 1U << CONN_ENDING | 1U << CONN_CLOSED,
        [CONN_OPEN] = 1U << CONN_ENDING | 1U << CONN_CLOSED,
        [CONN_ENDING] = 1U << CONN_LINGERING | 1U << CONN_CLOSED,
        [CONN_LINGERING] = 1U << CONN_CLOSED,
        [CONN_CLOSED] = 0,
    };
    assert((allowed[c->state] & 1U << to) != 0);
    c->state = to;
    c->state_ms = clock_coarse_ms();
    reactor_wake_by(c->reactor, conn_due_ms(c));
    reactor_touch(c->reactor, c);
}

static void conn_on_writable(int fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd;
    (void)what;
    c->tx.blocked = false;
    reactor_touch(c->reactor, c);
}

static int conn_make_events(struct conn *c)
{
    struct event_base *base = loop_base(c->reactor->loop);
    c->read_event = event_new(base, c->fd, EV_READ | EV_PERSIST, conn_on_readable, c);
    c->write_event = event_new(base, c->fd, EV_WRITE, conn_on_writable, c);
    if (c->read_event == NULL || c->write_event == NULL)
        return -ENOMEM;
    return event_add(c->read_event, NULL) == 0 ? 0 : -ENOMEM;
}

static int conn_name_ends(struct conn *c)
{
    struct sockaddr_storage local, peer;
    socklen_t local_bytes = sizeof(local), peer_bytes = sizeof(peer);
    if (getsockname(c->fd, (struct sockaddr *)&local, &local_bytes) != 0 ||
        getpeername(c->fd, (struct sockaddr *)&peer, &peer_bytes) != 0)
        return -errno;
    address_format((struct sockaddr *)&local, c->local, sizeof(c->local));
    address_format((struct sockaddr *)&peer, c->peer, sizeof(c->peer));
    address_ip((struct sockaddr *)&local, c->local_ip);
    address_ip((struct sockaddr *)&peer, c->peer_ip);
    c->local_port = address_port((struct sockaddr *)&local);
    return 0;
}

static void conn_free(struct conn *c)
{
    struct reactor *r = c->reactor;
    if (c->read_event != NULL)
        event_free(c->read_event);
    if (c->write_event != NULL)
        event_free(c->write_event);
    login_destroy(c->login);
    text_destroy(c->text);
    session_destroy(c->session);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else if (r->conns == c)
        r->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    free(c);
}

static void conn_link(struct conn *c)
{
    struct reactor *r = c->reactor;
    c->next = r->conns;
    if (c->next != NULL)
        c->next->prev = c;
    r->conns = c;
    reactor_wake_by(r, conn_due_ms(c));
    atomic_fetch_add_explicit(&r->counters.connections, 1, memory_order_relaxed);
}

int conn_create(struct reactor *r, int fd, uint16_t portal_group_tag, struct conn **out)
{
    struct conn *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return -ENOMEM;
    c->reactor = r;
    c->fd = fd;
    c->portal_group_tag = portal_group_tag;
    c->half_open = true;
    c->stat_sn = 1;
    c->heard_ms = c->state_ms = clock_coarse_ms();
    c->rx.header_need = BHS_BYTES;
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    send_buffer_bound(fd);
    keepalive_set_socket(c);
    int rc = conn_name_ends(c);
    if (rc == 0)
        rc = session_create(c, &c->session);
    if (rc == 0)
        rc = login_create(&c->login);
    if (rc == 0)
        rc = conn_make_events(c);
    if (rc != 0) {
        conn_free(c);
        return rc;
    }
    conn_link(c);
    *out = c;
    return 0;
}

static void conn_say_end(struct conn *c, const char *why)
{
    char name[256];
    if (c->end_why == NULL)
        c->end_why = why;
    log_info(why, "initiator=%s address=%s session=%llu",
             log_quote(name, sizeof(name), c->session->negotiation.said.initiator_name),
             c->peer,
             c->session->ticket == NULL ? 0ULL
                                        : (unsigned long long)c->session->ticket->id);
}

static void conn_stop_reading(struct conn *c)
{
    event_del(c->read_event);
    sock_turn_forget(&c->reactor->sockets, c);
    conn_rx_fini(c);
    held_drop_all(c);
}

void conn_end(struct conn *c, const char *why)
{
    if (!conn_is_live(c))
        return;
    if (why != NULL)
        conn_say_end(c, why);
    conn_stop_reading(c);
    conn_move(c, CONN_ENDING);
    session_drop_tasks(c->session);
}

void conn_drop(struct conn *c, enum async_event event, const char *why)
{
    if (c->state == CONN_OPEN)
        c->drop_event = event;
    conn_end(c, why);
}

void conn_ask_logout(struct conn *c, unsigned within_s)
{
    int64_t leave_ms = clock_coarse_ms() + (int64_t)within_s * 1000;
    if (c->state != CONN_OPEN || (c->leave_ms != 0 && c->leave_ms <= leave_ms))
        return;
    c->leave_ms = leave_ms;
    reactor_wake_by(c->reactor, c->leave_ms);
    async_msg_ask_logout(c, (uint16_t)within_s);
}

void conn_let_stay(struct conn *c)
{
    c->leave_ms = 0;
}

void conn_cut(struct conn *c, const char *why)
{
    if (c->state == CONN_CLOSED)
        return;
    if (why != NULL)
        conn_say_end(c, why);
    conn_stop_reading(c);
    event_del(c->write_event);
    conn_move(c, CONN_CLOSED);
    session_drop_tasks(c->session);
    session_abort_tasks(c->session);
    conn_tx_fini(c);
    close(c->fd);
    c->fd = -1;
    admission_leave(&c->reactor->target->admission, c->peer_ip, !c->half_open);
    atomic_fetch_sub_explicit(&c->reactor->counters.connections, 1, memory_order_relaxed);
}

uint64_t conn_limit(const struct conn *c, enum target_limit limit)
{
    return limit_get(&c->reactor->target->limits, limit);
}

void conn_doom(struct conn *c, const char *why)
{
    c->doom = why;
    reactor_touch(c->reactor, c);
}

void conn_open(struct conn *c)
{
    conn_move(c, CONN_OPEN);
    login_destroy(TAKE(c->login));
    c->header_digest = session_params(c->session)->header_digest;
    c->data_digest = session_params(c->session)->data_digest;
}

void conn_refuse(struct conn *c, enum target_limit limit)
{
    refusal_note(&c->reactor->target->refusals, limit, c->peer, clock_coarse_ms());
}

void conn_pause(struct conn *c, unsigned reason)
{
    if (c->paused == 0 && conn_is_live(c))
        event_del(c->read_event);
    if (c->paused == 0)
        c->heard_ms = clock_coarse_ms(); /* its silence begins now: we do not listen */
    c->paused |= reason;
    reactor_wake_by(c->reactor, conn_due_ms(c));
}

void conn_resume(struct conn *c, unsigned reason)
{
    if ((c->paused & reason) == 0)
        return;
    c->paused &= ~reason;
    if (c->paused != 0 || !conn_is_live(c))
        return;
    keepalive_on_heard(c); /* it was we who did not listen */
    reactor_wake_by(c->reactor, conn_due_ms(c));
    if (event_add(c->read_event, NULL) != 0)
        conn_doom(c, "no memory for an event");
    reactor_touch(c->reactor, c);
}

/* The last of the output is with the socket: shut our side, so that what the initiator
 * still sends does not destroy it on its way. */
static void conn_linger(struct conn *c)
{
    shutdown(c->fd, SHUT_WR);
    conn_move(c, CONN_LINGERING);
    if (event_add(c->read_event, NULL) != 0)
        conn_cut(c, NULL);
}

static bool conn_settle_ending(struct conn *c)
{
    if (!c->given_up && (c->session->task_count > 0 || c->pins > 0))
        return false;
    if (!c->given_up && session_leave(c->session))
        return false;
    if (c->logout_asked) {
        request_answer_logout(c);
        return true;
    }
    if (c->drop_event != 0 && !c->drop_told) {
        c->drop_told = true;
        async_msg_tell_drop(c, c->drop_event);
        return true;
    }
    if (c->tx.first != NULL)
        return false;
    conn_linger(c);
    return true;
}

static bool conn_settle_closed(struct conn *c)
{
    if (c->session->task_count > 0 || c->pins > 0 || c->dirty)
        return false;
    if (session_leave(c->session))
        return false;
    struct reactor *r = c->reactor;
    conn_free(c);
    reactor_on_conn_gone(r);
    return true;
}

bool conn_go_on(struct conn *c)
{
    if (c->doom != NULL)
        conn_cut(c, c->doom);
    conn_rx_continue(c);
    return task_set_run(c->session);
}

bool conn_settle(struct conn *c)
{
    bool any = conn_tx_flush(c);
    if (c->state == CONN_ENDING)
        any |= conn_settle_ending(c);
    if (c->state == CONN_CLOSED)
        any |= conn_settle_closed(c);
    return any;
}

static void conn_tick_open(struct conn *c, int64_t now_ms)
{
    if (c->leave_ms != 0 && now_ms >= c->leave_ms) {
        drain_on_dropped(c);
        conn_drop(c, ASYNC_DROP_CONNECTION, "the initiator does not log out");
        return;
    }
    keepalive_tick(c, now_ms);
}

/* One that we drop is not waited for any more, but told. */
static void conn_tick_ending(struct conn *c)
{
    if (c->drop_event == 0 || c->given_up) {
        conn_cut(c, "the initiator does not take its answers");
        return;
    }
    c->given_up = true;
    c->state_ms = clock_coarse_ms();
    session_abort_tasks(c->session);
    reactor_wake_by(c->reactor, conn_due_ms(c));
    reactor_touch(c->reactor, c);
}

/* How long it may be in its state. */
static int64_t conn_state_max_ms(const struct conn *c)
{
    switch (c->state) {
    case CONN_LOGIN: /* while the registry is asked it is we who take long */
        return c->paused == 0 ? (int64_t)conn_limit(c, LIMIT_LOGIN_TIMEOUT) * 1000
                              : NEVER_MS;
    case CONN_ENDING:
        if (c->drop_event == 0)
            return END_MS;
        return c->given_up ? DROP_TOLD_MS : DROP_TASKS_MS;
    case CONN_LINGERING:
        return LINGER_MS;
    case CONN_OPEN:
    case CONN_CLOSED:
        break;
    }
    return NEVER_MS;
}

int64_t conn_due_ms(const struct conn *c)
{
    int64_t max_ms = conn_state_max_ms(c);
    if (max_ms != NEVER_MS)
        return c->state_ms + max_ms;
    if (c->state != CONN_OPEN)
        return NEVER_MS;
    int64_t due_ms = keepalive_due_ms(c);
    return c->leave_ms != 0 && c->leave_ms < due_ms ? c->leave_ms : due_ms;
}

void conn_tick(struct conn *c, int64_t now_ms)
{
    if (now_ms < conn_due_ms(c))
        return;
    switch (c->state) {
    case CONN_LOGIN:
        conn_refuse(c, LIMIT_LOGIN_TIMEOUT);
        conn_cut(c, NULL);
        break;
    case CONN_OPEN:
        conn_tick_open(c, now_ms);
        break;
    case CONN_ENDING:
        conn_tick_ending(c);
        break;
    case CONN_LINGERING:
        conn_cut(c, NULL);
        break;
    case CONN_CLOSED:
        break;
    }
}
