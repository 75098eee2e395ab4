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

#define SOCK_BATCH_MIN  4
#define BROUGHT_MEAN_OF 4

static void sock_turn_on_reader(evutil_socket_t fd, short what, void *arg);

int sock_turn_init(struct sock_turn *t, struct event_base *base, bool may_ring)
{
    t->uring = sock_uring_create(may_ring);
    t->reader = event_new(base, -1, 0, sock_turn_on_reader, t);
    t->readable_end = &t->readable;
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
    c->readable_next = NULL;
    *t->readable_end = c;
    t->readable_end = &c->readable_next;
}

static struct conn *pop(struct sock_turn *t)
{
    struct conn *c = t->readable;
    t->readable = c->readable_next;
    if (t->readable == NULL)
        t->readable_end = &t->readable;
    c->readable = false;
    return c;
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

void sock_turn_forget(struct sock_turn *t, struct conn *c)
{
    if (!c->readable)
        return;
    struct conn **at = &t->readable;
    while (*at != c)
        at = &(*at)->readable_next;
    *at = c->readable_next;
    if (*at == NULL)
        t->readable_end = at;
    c->readable = false;
}

void sock_turn_on_begun(struct sock_turn *t, size_t bytes)
{
    t->begun_bytes += bytes;
}

/* NULL: none is left. */
static struct conn *next_to_read(struct sock_turn *t)
{
    while (t->readable != NULL && !conn_rx_may_read(t->readable))
        (void)pop(t);
    return t->readable;
}

/* The first of them, and those behind it that may be read together with it. */
static size_t sock_turn_ask(struct sock_turn *t, size_t most, struct conn_read *reads,
                            struct sock_op *ops)
{
    size_t count = 0;
    struct conn *c;
    while (count < most && (c = next_to_read(t)) != NULL) {
        bool alone = conn_rx_is_direct(c);
        if (alone && count > 0)
            break;
        (void)pop(t);
        conn_rx_ask(c, t->stages[count], &reads[count]);
        ops[count] = (struct sock_op){
            .fd = c->fd, .iov = reads[count].iov, .iov_count = reads[count].iov_count};
        count++;
        if (alone)
            break;
    }
    return count;
}

/* So many connections as are thought to bring what a turn should have, by what those
 * before them brought. */
static size_t sock_turn_batch(const struct sock_turn *t)
{
    size_t most = SOCK_TURN_BYTES / (t->brought_bytes + 1);
    if (most < SOCK_BATCH_MIN)
        return SOCK_BATCH_MIN;
    return most < SOCK_BATCH_MAX ? most : SOCK_BATCH_MAX;
}

static void sock_turn_learn(struct sock_turn *t, uint64_t begun_bytes, size_t reads)
{
    size_t brought = (size_t)(begun_bytes / reads);
    t->brought_bytes =
        (t->brought_bytes * (BROUGHT_MEAN_OF - 1) + brought) / BROUGHT_MEAN_OF;
}

/* How many; those that may have more are in the list again, as its last. */
static size_t sock_turn_read_some(struct sock_turn *t)
{
    struct conn_read reads[SOCK_BATCH_MAX];
    struct sock_op ops[SOCK_BATCH_MAX];
    size_t count = sock_turn_ask(t, sock_turn_batch(t), reads, ops);
    uint64_t before = t->begun_bytes;
    sock_run(t->uring, ops, count);
    for (size_t i = 0; i < count; i++) {
        if (conn_rx_take(&reads[i], ops[i].res))
            push(t, reads[i].conn);
    }
    if (count > 0)
        sock_turn_learn(t, t->begun_bytes - before, count);
    return count;
}

bool sock_turn_read(struct sock_turn *t)
{
    uint64_t before = t->begun_bytes;
    size_t reads = 0;
    size_t count;
    while (reads < SOCK_TURN_READS && t->begun_bytes - before < SOCK_TURN_BYTES &&
           (count = sock_turn_read_some(t)) > 0)
        reads += count;
    return reads > 0;
}

static void sock_turn_on_reader(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)sock_turn_read(arg);
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
