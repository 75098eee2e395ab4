/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7143, 11.19: a ping has ITT ffffffff and a TTT that the answer repeats. Anything
 * that comes proves as much as an answer, so only silence is counted. An initiator that
 * leaves its answers in its socket is not pinged: it would not take that either. */
#include "target/keepalive.h"

#include "target/conn.h"
#include "target/reactor.h"
#include "target/request.h"
#include "target/target_private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static const struct target_keepalive *settings(const struct conn *c)
{
    return &c->reactor->target->keepalive;
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

void keepalive_set_socket(const struct conn *c)
{
    const struct target_keepalive *k = settings(c);
    if (k->tcp_idle_s > 0) {
        set_option(c->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(c->fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)k->tcp_idle_s);
        set_option(c->fd, IPPROTO_TCP, TCP_KEEPINTVL, TCP_PROBE_INTERVAL_S);
        set_option(c->fd, IPPROTO_TCP, TCP_KEEPCNT, TCP_PROBE_COUNT);
    }
    if (k->tcp_unacked_s > 0)
        set_option(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)k->tcp_unacked_s * 1000);
}

void keepalive_on_heard(struct conn *c)
{
    c->heard_ms = clock_coarse_ms();
    if (c->pinged_ms == 0)
        return;
    c->pinged_ms = 0;
    reactor_wake_by(c->reactor, keepalive_due_ms(c));
}

void keepalive_tick(struct conn *c, int64_t now_ms)
{
    if (now_ms < keepalive_due_ms(c))
        return;
    if (c->paused != 0) {
        conn_cut(c, "the initiator does not take its answers");
    } else if (c->pinged_ms != 0) {
        counter_add(&c->reactor->counters.keepalive_timeouts, 1);
        conn_cut(c, "the initiator does not answer");
    } else {
        c->pinged_ms = now_ms;
        request_ping(c);
    }
}

int64_t keepalive_due_ms(const struct conn *c)
{
    const struct target_keepalive *k = settings(c);
    if (c->paused != 0)
        return c->heard_ms + OUTPUT_TAKEN_MS;
    if (c->pinged_ms != 0)
        return c->pinged_ms + (int64_t)k->nop_timeout_s * 1000;
    if (k->nop_interval_s == 0)
        return NEVER_MS;
    return c->heard_ms + (int64_t)k->nop_interval_s * 1000;
}
