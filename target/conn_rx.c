/* SPDX-License-Identifier: Apache-2.0 */
/* The PDU that is coming in: header, AHS, data, padding, digests. Headers and small data
 * are read into a stage of the reactor's, many PDUs at once; a large data segment is read
 * straight to where it goes. What a PDU means is request.c's and login.c's. */
#include "target/conn.h"

#include "target/keepalive.h"
#include "target/login.h"
#include "target/reactor.h"
#include "target/request.h"
#include "target/session.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static void rx_next_pdu(struct conn_rx *rx)
{
    rx->part = RX_HEADER;
    rx->header_at = 0;
    rx->header_need = BHS_BYTES;
    rx->req = (struct request){0};
    rx->data_at = 0;
    rx->crc = 0;
    rx->tail_at = 0;
    rx->tail_need = 0;
}

static void rx_begin_request(struct conn *c, struct request *req)
{
    if (c->state == CONN_LOGIN)
        login_begin(c, req);
    else
        request_begin(c, req);
}

static void rx_end_request(struct conn *c, struct request *req)
{
    if (c->state == CONN_LOGIN)
        login_end(c, req);
    else
        request_end(c, req);
}

static bool rx_data_digest_ok(const struct conn_rx *rx)
{
    size_t pad = rx->tail_need - CRC32C_BYTES;
    return crc32c(rx->crc, rx->tail, pad) == crc32c_load(rx->tail + pad);
}

static void rx_on_pdu(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    struct request req = rx->req; /* taken out: the handlers may end the connection */
    rx->req = (struct request){0};
    bool bad = c->data_digest && req.data_bytes > 0 && !rx_data_digest_ok(rx);
    if (bad)
        request_bad_data(c, &req);
    else
        rx_end_request(c, &req);
    request_drop(&req);
    rx_next_pdu(rx);
}

static void rx_on_data(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    rx->part = RX_TAIL;
    rx->tail_need = pdu_padded(rx->req.data_bytes) - rx->req.data_bytes;
    if (c->data_digest && rx->req.data_bytes > 0)
        rx->tail_need += CRC32C_BYTES;
    if (rx->tail_need == 0)
        rx_on_pdu(c);
}

static bool rx_header_digest_ok(const struct conn_rx *rx)
{
    size_t bytes = rx->header_need - CRC32C_BYTES;
    return crc32c(0, rx->header.bytes, bytes) == crc32c_load(rx->header.bytes + bytes);
}

static void rx_on_header(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    if (c->header_digest && !rx_header_digest_ok(rx)) {
        /* RFC 7143, 7.8: at error recovery level 0 the session is dropped. */
        session_count(c->session, FIGURE_HEADER_DIGEST_ERRORS, 1);
        conn_cut(c, "header digest error");
        return;
    }
    rx->req = (struct request){
        .bhs = &rx->header.bhs,
        .ahs = rx->header.bytes + BHS_BYTES,
        .ahs_bytes = pdu_ahs_bytes(&rx->header.bhs),
        .data_bytes = (uint32_t)pdu_data_bytes(&rx->header.bhs),
    };
    rx->part = RX_DATA;
    rx->was_direct = false;
    rx_begin_request(c, &rx->req);
    if (conn_is_live(c) && rx->req.data_bytes == 0)
        rx_on_data(c);
}

static size_t rx_take_header(struct conn *c, const uint8_t *in, size_t bytes)
{
    struct conn_rx *rx = &c->rx;
    size_t n = rx->header_need - rx->header_at;
    if (n > bytes)
        n = bytes;
    memcpy(rx->header.bytes + rx->header_at, in, n);
    rx->header_at += n;
    if (rx->header_at < rx->header_need)
        return n;
    if (rx->header_at == BHS_BYTES) { /* now the rest of the header is known */
        rx->header_need += pdu_ahs_bytes(&rx->header.bhs);
        rx->header_need += c->header_digest ? CRC32C_BYTES : 0;
    }
    if (rx->header_at == rx->header_need)
        rx_on_header(c);
    return n;
}

/* n bytes of data came; they are at `in`, and in place already if direct. */
static void rx_account_data(struct conn *c, const uint8_t *in, size_t n, bool direct)
{
    struct conn_rx *rx = &c->rx;
    if (c->data_digest)
        rx->crc = crc32c(rx->crc, in, n);
    if (!direct && rx->req.data != NULL && rx->data_at < rx->req.keep_bytes) {
        size_t keep = rx->req.keep_bytes - rx->data_at;
        memcpy(rx->req.data + rx->data_at, in, keep < n ? keep : n);
    }
    rx->data_at += (uint32_t)n;
    if (rx->data_at == rx->req.data_bytes)
        rx_on_data(c);
}

static size_t rx_take_data(struct conn *c, const uint8_t *in, size_t bytes)
{
    size_t n = c->rx.req.data_bytes - c->rx.data_at;
    if (n > bytes)
        n = bytes;
    rx_account_data(c, in, n, false);
    return n;
}

static size_t rx_take_tail(struct conn *c, const uint8_t *in, size_t bytes)
{
    struct conn_rx *rx = &c->rx;
    size_t n = rx->tail_need - rx->tail_at;
    if (n > bytes)
        n = bytes;
    memcpy(rx->tail + rx->tail_at, in, n);
    rx->tail_at += n;
    if (rx->tail_at == rx->tail_need)
        rx_on_pdu(c);
    return n;
}

/* Takes what was read, up to a pause. */
static void rx_parse(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    while (rx->in_bytes > 0 && c->paused == 0) {
        const uint8_t *in = rx->in;
        size_t n = 0;
        switch (rx->part) {
        case RX_HEADER:
            n = rx_take_header(c, in, rx->in_bytes);
            break;
        case RX_DATA:
            n = rx_take_data(c, in, rx->in_bytes);
            break;
        case RX_TAIL:
            n = rx_take_tail(c, in, rx->in_bytes);
            break;
        }
        if (!conn_is_live(c)) /* it has let go of the rest */
            return;
        rx->in += n;
        rx->in_bytes -= n;
    }
}

static void rx_drop_kept(struct conn_rx *rx)
{
    free(TAKE(rx->kept));
    rx->in = NULL;
    rx->in_bytes = 0;
}

/* The stage is another's next. */
static void rx_keep_rest(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    if (rx->in_bytes == 0)
        return;
    rx->kept = malloc(rx->in_bytes);
    if (rx->kept == NULL) {
        rx->in_bytes = 0;
        conn_doom(c, "no memory for what came");
        return;
    }
    memcpy(rx->kept, rx->in, rx->in_bytes);
    rx->in = rx->kept;
}

/* What of the data segment is worth being read straight to its place. */
static size_t rx_direct_bytes(const struct conn_rx *rx)
{
    if (rx->part != RX_DATA || rx->req.data == NULL || rx->data_at >= rx->req.keep_bytes)
        return 0;
    size_t rest = rx->req.keep_bytes - rx->data_at;
    return rest >= CONN_DIRECT_MIN ? rest : 0;
}

bool conn_rx_is_direct(const struct conn *c)
{
    return rx_direct_bytes(&c->rx) > 0;
}

/* What was read before comes first, at the end of the turn. */
bool conn_rx_may_read(const struct conn *c)
{
    return conn_is_live(c) && c->paused == 0 && c->rx.in_bytes == 0;
}

/* After a large data segment another is expected, which is not to fill the stage. */
void conn_rx_ask(struct conn *c, uint8_t *stage, struct conn_read *read)
{
    struct conn_rx *rx = &c->rx;
    size_t direct = rx_direct_bytes(rx);
    *read = (struct conn_read){
        .conn = c,
        .direct_bytes = direct,
        .stage_bytes = direct > 0 || rx->was_direct ? CONN_STAGE_NEXT : SOCK_STAGE_BYTES,
    };
    if (direct > 0)
        read->iov[read->iov_count++] =
            (struct iovec){.iov_base = rx->req.data + rx->data_at, .iov_len = direct};
    rx->in = stage;
    read->iov[read->iov_count++] =
        (struct iovec){.iov_base = stage, .iov_len = read->stage_bytes};
}

static void rx_take_bytes(struct conn *c, const struct conn_read *read, size_t bytes)
{
    struct conn_rx *rx = &c->rx;
    size_t placed = bytes < read->direct_bytes ? bytes : read->direct_bytes;
    rx->in_bytes = bytes - placed;
    if (placed > 0) {
        rx->was_direct = true;
        rx_account_data(c, rx->req.data + rx->data_at, placed, true);
    }
    keepalive_on_heard(c);
    rx->read_us = clock_us();
    rx_parse(c);
    rx_keep_rest(c);
}

bool conn_rx_take(struct conn_read *read, ssize_t res)
{
    struct conn *c = read->conn;
    if (!conn_is_live(c) || res == -EAGAIN || res == -EINTR)
        return false;
    if (res <= 0) {
        conn_cut(c, res == 0 ? "closed by the initiator" : "connection lost");
        return false;
    }
    rx_take_bytes(c, read, (size_t)res);
    return (size_t)res == read->direct_bytes + read->stage_bytes && conn_is_live(c);
}

static void rx_linger(struct conn *c)
{
    uint8_t *stage = c->reactor->sockets.stages[0];
    ssize_t n = read(c->fd, stage, SOCK_STAGE_BYTES);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        conn_cut(c, NULL);
}

void conn_on_readable(int fd, short what, void *arg)
{
    struct conn *c = arg;
    (void)fd;
    (void)what;
    if (c->state == CONN_LINGERING)
        rx_linger(c);
    else
        sock_turn_on_readable(&c->reactor->sockets, c);
}

void conn_rx_continue(struct conn *c)
{
    struct conn_rx *rx = &c->rx;
    if (rx->in_bytes == 0 || c->paused != 0 || !conn_is_live(c))
        return;
    rx_parse(c);
    if (rx->in_bytes == 0)
        rx_drop_kept(rx);
}

void conn_rx_forget_task(struct conn *c, const struct task *t)
{
    struct request *req = &c->rx.req;
    if (req->task != t)
        return;
    req->task = NULL;
    req->data = NULL;
    req->keep_bytes = 0;
    req->ignored = true;
}

void conn_rx_discard_task(struct conn *c, const struct task *t)
{
    if (c->rx.req.task != t)
        return;
    c->rx.req.data = NULL;
    c->rx.req.keep_bytes = 0;
}

void conn_rx_fini(struct conn *c)
{
    request_drop(&c->rx.req);
    rx_next_pdu(&c->rx);
    rx_drop_kept(&c->rx);
}
