/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that reads a large data segment straight to its place does so by itself:
 * the place is a task's, and nothing that is done with what others read may take it away
 * in between. */
#include "target/sock_turn.h"

#include "target/conn.h"
#include "target/reactor.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>

static void sock_turn_read(evutil_socket_t fd, short what, void *arg);

int sock_turn_init(struct sock_turn *t, struct event_base *base, bool may_ring)
{
    t->uring = sock_uring_create(may_ring);
    t->reader = event_new(base, -1, 0, sock_turn_read, t);
    return t->uring == NULL || t->reader == NULL ? -ENOMEM : 0;
}

void sock_turn_fini(struct sock_turn *t)
{
    assert(t->readable == NULL);
    if (t->reader != NULL)
        event_free(t->reader);
    sock_uring_destroy(t->uring);
}

/* ---- reading ---- */

static void push(struct sock_turn *t, struct conn *c)
{
    c->readable = true;
    c->readable_next = t->readable;
    t->readable = c;
}

/* An event that is made active while others are is the last of them. */
void sock_turn_on_readable(struct sock_turn *t, struct conn *c)
{
    if (c->readable)
        return;
    if (t->readable == NULL)
        event_active(t->reader, 0, 0);
    push(t, c);
}

static struct conn *pop(struct conn **list)
{
    struct conn *c = *list;
    *list = c->readable_next;
    c->readable = false;
    return c;
}

/* NULL: none is left. */
static struct conn *next_to_read(struct conn **list)
{
    while (*list != NULL && !conn_rx_may_read(*list))
        (void)pop(list);
    return *list;
}

/* The first of them, and those behind it that may be read together with it. */
static size_t sock_turn_ask(struct sock_turn *t, struct conn **list,
                            struct conn_read *reads, struct sock_op *ops)
{
    size_t count = 0;
    struct conn *c;
    while (count < SOCK_BATCH_MAX && (c = next_to_read(list)) != NULL) {
        bool alone = conn_rx_is_direct(c);
        if (alone && count > 0)
            break;
        (void)pop(list);
        conn_rx_ask(c, t->stages[count], &reads[count]);
        ops[count] = (struct sock_op){
            .fd = c->fd, .iov = reads[count].iov, .iov_count = reads[count].iov_count};
        count++;
        if (alone)
            break;
    }
    return count;
}

/* Those that may have more are in the list again. */
static void sock_turn_read_once(struct sock_turn *t)
{
    struct conn_read reads[SOCK_BATCH_MAX];
    struct sock_op ops[SOCK_BATCH_MAX];
    struct conn *list = TAKE(t->readable);
    size_t count;
    while ((count = sock_turn_ask(t, &list, reads, ops)) > 0) {
        sock_run(t->uring, ops, count);
        for (size_t i = 0; i < count; i++) {
            if (conn_rx_take(&reads[i], ops[i].res))
                push(t, reads[i].conn);
        }
    }
}

/* Whoever has more then has its next turn: its socket is still readable. */
static void sock_turn_read(evutil_socket_t fd, short what, void *arg)
{
    struct sock_turn *t = arg;
    (void)fd;
    (void)what;
    for (int i = 0; i < CONN_READS_PER_TURN && t->readable != NULL; i++)
        sock_turn_read_once(t);
    while (t->readable != NULL)
        (void)pop(&t->readable);
}

/* ---- sending ---- */

bool sock_turn_send(struct sock_turn *t, struct conn *const *conns, size_t count)
{
    struct conn *senders[SOCK_BATCH_MAX];
    struct sock_op ops[SOCK_BATCH_MAX];
    size_t sends = 0;
    for (size_t i = 0; i < count; i++) {
        if (!conn_tx_may_send(conns[i]))
            continue;
        senders[sends] = conns[i];
        ops[sends] =
            (struct sock_op){.fd = conns[i]->fd,
                             .sends = true,
                             .iov = t->iov[sends],
                             .iov_count = conn_tx_gather(conns[i], t->iov[sends])};
        sends++;
    }
    sock_run(t->uring, ops, sends);
    bool any = false;
    for (size_t i = 0; i < sends; i++)
        any |= conn_tx_take(senders[i], ops[i].res);
    return any;
}
