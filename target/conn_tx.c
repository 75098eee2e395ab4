/* SPDX-License-Identifier: Apache-2.0 */
/* The output queue of a connection: PDUs are numbered and their digests made as they are
 * handed to the socket, all of a turn by one sendmsg. Data goes out of the buffers that
 * the disk filled. */
#include "target/conn.h"

#include "target/reactor.h"
#include "target/session.h"
#include "target/task_flow.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct tx_pdu *pdu_alloc(struct reactor *r)
{
    struct tx_pdu *p = r->free_pdus;
    if (p == NULL)
        return malloc(sizeof(*p));
    r->free_pdus = p->next;
    r->free_pdu_count--;
    return p;
}

static void pdu_free(struct reactor *r, struct tx_pdu *p)
{
    free(p->owned);
    if (r->free_pdu_count >= REACTOR_PDUS_KEPT_MAX) {
        free(p);
        return;
    }
    p->next = r->free_pdus;
    r->free_pdus = p;
    r->free_pdu_count++;
}

struct tx_pdu *conn_tx_new(struct conn *c)
{
    struct tx_pdu *p = pdu_alloc(c->reactor);
    if (p == NULL) {
        conn_doom(c, "no memory for an answer");
        return NULL;
    }
    memset(p, 0, offsetof(struct tx_pdu, small));
    p->header_digest = c->header_digest;
    p->data_digest = c->data_digest;
    return p;
}

void tx_pdu_put_small(struct tx_pdu *p, const void *data, uint32_t bytes)
{
    assert(bytes <= sizeof(p->small));
    memcpy(p->small, data, bytes);
    p->data = p->small;
    p->data_bytes = bytes;
}

static size_t pdu_wire_bytes(const struct tx_pdu *p)
{
    return (size_t)p->head_bytes + p->data_bytes + p->tail_bytes;
}

static void pdu_end_data(struct tx_pdu *p)
{
    size_t pad = pdu_padded(p->data_bytes) - p->data_bytes;
    memset(p->tail, 0, pad);
    p->tail_bytes = (uint8_t)pad;
    if (p->data_digest && p->data_bytes > 0) {
        uint32_t crc = crc32c(0, p->data, p->data_bytes);
        crc32c_store(p->tail + pad, crc32c(crc, p->tail, pad));
        p->tail_bytes += CRC32C_BYTES;
    }
}

/* Data has just been read or made: its digest costs least while it is in the cache. */
void conn_tx_queue(struct conn *c, struct tx_pdu *p)
{
    if (p->task != NULL)
        p->task->tx_refs++;
    p->head_bytes = (uint8_t)(BHS_BYTES + (p->header_digest ? CRC32C_BYTES : 0));
    pdu_end_data(p);
    if (c->tx.last == NULL)
        c->tx.first = p;
    else
        c->tx.last->next = p;
    c->tx.last = p;
    c->tx.bytes += pdu_wire_bytes(p);
    c->tx.count++;
    if (c->tx.bytes > conn_limit(c, LIMIT_OUTPUT) || c->tx.count > CONN_TX_PDUS_HIGH)
        conn_pause(c, CONN_PAUSED_OUTPUT);
    reactor_touch(c->reactor, c);
}

static void pdu_finish(struct conn *c, struct tx_pdu *p)
{
    struct window *w = &c->session->window;
    pdu_stamp(&p->head.bhs, &c->stat_sn, w->exp_cmd_sn, window_max_cmd_sn(w));
    p->stamped = true;
    if (p->header_digest)
        crc32c_store(p->head.digest, crc32c(0, &p->head.bhs, BHS_BYTES));
}

/* Adds a piece to the vector, less what of it was sent already. */
static int add_piece(struct iovec *iov, int count, const void *data, size_t bytes,
                     size_t *skip)
{
    if (*skip >= bytes) {
        *skip -= bytes;
        return count;
    }
    iov[count].iov_base = (char *)(uintptr_t)data + *skip;
    iov[count].iov_len = bytes - *skip;
    *skip = 0;
    return count + 1;
}

size_t conn_tx_gather(struct conn *c, struct iovec iov[CONN_TX_IOV_MAX])
{
    int count = 0;
    size_t skip = c->tx.sent_bytes;
    for (struct tx_pdu *p = c->tx.first; p != NULL && count + 3 <= CONN_TX_IOV_MAX;
         p = p->next) {
        if (!p->stamped)
            pdu_finish(c, p);
        count = add_piece(iov, count, &p->head, p->head_bytes, &skip);
        count = add_piece(iov, count, p->data, p->data_bytes, &skip);
        count = add_piece(iov, count, p->tail, p->tail_bytes, &skip);
    }
    return (size_t)count;
}

static void tx_drop_first(struct conn *c)
{
    struct tx_pdu *p = c->tx.first;
    c->tx.first = p->next;
    if (c->tx.first == NULL)
        c->tx.last = NULL;
    c->tx.bytes -= pdu_wire_bytes(p);
    c->tx.count--;
    struct task *t = p->task;
    pdu_free(c->reactor, p);
    if (t != NULL && --t->tx_refs == 0)
        task_on_sent(t);
}

static void tx_on_sent(struct conn *c, size_t bytes)
{
    c->tx.sent_bytes += bytes;
    while (c->tx.first != NULL && c->tx.sent_bytes >= pdu_wire_bytes(c->tx.first)) {
        c->tx.sent_bytes -= pdu_wire_bytes(c->tx.first);
        tx_drop_first(c);
    }
    if (c->paused != 0)
        c->heard_ms = clock_coarse_ms();
    if (c->tx.bytes < conn_limit(c, LIMIT_OUTPUT) / CONN_TX_LOW_PART &&
        c->tx.count < CONN_TX_PDUS_HIGH / 2)
        conn_resume(c, CONN_PAUSED_OUTPUT);
}

bool conn_tx_may_send(const struct conn *c)
{
    return c->tx.first != NULL && !c->tx.blocked && c->fd >= 0;
}

bool conn_tx_take(struct conn *c, ssize_t res)
{
    if (c->fd < 0 || res == -EINTR)
        return false;
    if (res == -EAGAIN || res == -EWOULDBLOCK) {
        c->tx.blocked = true;
        if (event_add(c->write_event, NULL) != 0)
            conn_cut(c, "no memory for an event");
        return false;
    }
    if (res < 0)
        conn_cut(c, "connection lost while sending");
    else
        tx_on_sent(c, (size_t)res);
    return true;
}

bool conn_tx_flush(struct conn *c)
{
    bool any = false;
    while (conn_tx_may_send(c)) {
        struct iovec iov[CONN_TX_IOV_MAX];
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = conn_tx_gather(c, iov)};
        ssize_t n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        any |= conn_tx_take(c, n < 0 ? -errno : n);
    }
    return any;
}

void conn_tx_fini(struct conn *c)
{
    while (c->tx.first != NULL)
        tx_drop_first(c);
    c->tx.sent_bytes = 0;
}
