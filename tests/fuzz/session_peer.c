/* SPDX-License-Identifier: Apache-2.0 */
/* See session_peer.h. */
#include "tests/fuzz/session_peer.h"

#include "base/crc32c.h"
#include "proto/keys.h"
#include "tests/fuzz/session_rig.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_CMD_SN   1000
#define SEND_TRIES_MAX 100

void session_peer_connect(struct session_peer *p)
{
    memset(p, 0, offsetof(struct session_peer, frame));
    p->fd = session_rig_connect();
    p->cmd_sn = FIRST_CMD_SN;
    p->text_ttt = PDU_TAG_NONE;
}

void session_peer_close(struct session_peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* ---- out ---- */

/* What the target does not take for long it does not get: it may wait for a disk that is
 * held, or have ended. */
static void send_all(struct session_peer *p, const void *bytes, size_t count)
{
    unsigned tries = 0;
    for (size_t at = 0; at < count && tries < SEND_TRIES_MAX;) {
        ssize_t n = send(p->fd, (const char *)bytes + at, count - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return;
        if (n > 0) {
            at += (size_t)n;
            continue;
        }
        tries++;
        session_rig_step();
        session_peer_read(p);
    }
}

static void put(struct session_peer *p, const void *bytes, size_t count)
{
    if (count > 0)
        memcpy(p->frame + p->frame_bytes, bytes, count);
    p->frame_bytes += count;
}

static void put_digest(struct session_peer *p, uint32_t crc, bool bad)
{
    uint8_t digest[CRC32C_BYTES];
    crc32c_store(digest, bad ? crc ^ 1 : crc);
    put(p, digest, sizeof(digest));
}

static void put_pdu(struct session_peer *p, const struct peer_send *s)
{
    static const uint8_t zeros[4];
    size_t pad = pdu_padded(s->bytes) - s->bytes;
    put(p, s->bhs, BHS_BYTES);
    if (p->open && p->header_digest)
        put_digest(p, crc32c(0, s->bhs, BHS_BYTES), s->bad_digest && s->bytes == 0);
    put(p, s->data, s->bytes);
    put(p, zeros, pad);
    if (p->open && p->data_digest && s->bytes > 0)
        put_digest(p, crc32c(crc32c(0, s->data, s->bytes), zeros, pad), s->bad_digest);
}

void session_peer_send(struct session_peer *p, const struct peer_send *s)
{
    send_all(p, p->frame, p->frame_bytes);
    p->frame_bytes = 0;
    assert(s->bytes <= PEER_SEND_MAX);
    put_pdu(p, s);
    size_t now = s->in_two ? p->frame_bytes / 2 : p->frame_bytes;
    send_all(p, p->frame, now);
    p->frame_bytes -= now;
    memmove(p->frame, p->frame + now, p->frame_bytes);
}

/* ---- in ---- */

static void take_login(struct session_peer *p, const union bhs *b, const uint8_t *text,
                       size_t bytes)
{
    struct login_rsp m;
    struct key_iter it;
    struct key_pair pair;
    assert(login_rsp_decode(&b->login_rsp, &m) == 0);
    if (m.status != LOGIN_SUCCESS)
        return;
    key_iter_init(&it, text, bytes);
    while (key_next(&it, &pair) == 1) {
        bool crc = strcmp(pair.value, "CRC32C") == 0;
        if (strcmp(pair.key, "HeaderDigest") == 0)
            p->header_digest = crc;
        if (strcmp(pair.key, "DataDigest") == 0)
            p->data_digest = crc;
    }
    p->open = m.transit && m.nsg == LOGIN_FULL_FEATURE;
}

static void take_r2t(struct session_peer *p, const union bhs *b)
{
    struct r2t m;
    assert(r2t_decode(&b->r2t, &m) == 0);
    assert(m.desired_bytes > 0 && m.ttt != PDU_TAG_NONE);
    if (p->r2t_count < PEER_R2T_MAX)
        p->r2ts[p->r2t_count++] = m;
}

bool session_peer_take_r2t(struct session_peer *p, struct r2t *out)
{
    if (p->r2t_count == 0)
        return false;
    *out = p->r2ts[0];
    p->r2t_count--;
    memmove(p->r2ts, p->r2ts + 1, p->r2t_count * sizeof(p->r2ts[0]));
    return true;
}

static void take_text(struct session_peer *p, const union bhs *b)
{
    struct text_rsp m;
    assert(text_rsp_decode(&b->text_rsp, &m) == 0);
    p->text_itt = m.itt;
    p->text_ttt = m.ttt;
}

/* Only so that what comes is one of the forms that it may have. */
static void take_other(const union bhs *b)
{
    union {
        struct cmd_rsp cmd;
        struct tmf_rsp tmf;
        struct logout_rsp logout;
        struct nop_in nop;
        struct async_msg async;
        struct reject reject;
    } m;
    switch (pdu_opcode(b)) {
    case OP_CMD_RSP:
        assert(cmd_rsp_decode(&b->cmd_rsp, &m.cmd) == 0);
        break;
    case OP_TMF_RSP:
        assert(tmf_rsp_decode(&b->tmf_rsp, &m.tmf) == 0);
        break;
    case OP_LOGOUT_RSP:
        assert(logout_rsp_decode(&b->logout_rsp, &m.logout) == 0);
        break;
    case OP_NOP_IN:
        assert(nop_in_decode(&b->nop_in, &m.nop) == 0);
        break;
    case OP_ASYNC:
        assert(async_msg_decode(&b->async, &m.async) == 0);
        break;
    case OP_REJECT:
        assert(reject_decode(&b->reject, &m.reject) == 0);
        break;
    default:
        fprintf(stderr, "an answer of no kind: 0x%02x\n", b->any.opcode);
        abort();
    }
}

static void check_numbers(struct session_peer *p, const union bhs *b)
{
    struct data_in m = {.has_status = true};
    uint8_t opcode = pdu_opcode(b);
    uint32_t stat_sn = be32_get(b->any.cmd_or_stat_sn);
    if (opcode == OP_DATA_IN)
        assert(data_in_decode(&b->data_in, &m) == 0);
    bool kept = opcode == OP_R2T ||
                (opcode == OP_NOP_IN && be32_get(b->nop_in.itt) == PDU_TAG_NONE);
    if (m.has_status && p->has_stat_sn)
        assert(stat_sn == p->stat_sn);
    if (m.has_status) {
        p->has_stat_sn = true;
        p->stat_sn = kept ? stat_sn : stat_sn + 1;
    }
    uint32_t width = be32_get(b->any.max_cmd_sn) + 1 - be32_get(b->any.exp_sn);
    assert(width <= 4096);
}

static void take_pdu(struct session_peer *p, const union bhs *b, const uint8_t *data,
                     size_t bytes)
{
    check_numbers(p, b);
    switch (pdu_opcode(b)) {
    case OP_LOGIN_RSP:
        take_login(p, b, data, bytes);
        break;
    case OP_R2T:
        take_r2t(p, b);
        break;
    case OP_TEXT_RSP:
        take_text(p, b);
        break;
    case OP_DATA_IN:
        break;
    default:
        take_other(b);
    }
}

/* The bytes of the first PDU in the stage, taken; 0: it is not whole yet. */
static size_t take_first(struct session_peer *p, const uint8_t *at, size_t left)
{
    union bhs b;
    if (left < BHS_BYTES)
        return 0;
    memcpy(&b, at, BHS_BYTES);
    size_t bytes = pdu_data_bytes(&b), padded = pdu_padded(bytes);
    size_t header = BHS_BYTES + (p->open && p->header_digest ? CRC32C_BYTES : 0);
    size_t tail = p->open && p->data_digest && bytes > 0 ? CRC32C_BYTES : 0;
    assert(b.any.ahs_words == 0 && bytes <= PEER_DATA_MAX);
    if (left < header + padded + tail)
        return 0;
    if (header > BHS_BYTES)
        assert(crc32c(0, at, BHS_BYTES) == crc32c_load(at + BHS_BYTES));
    if (tail > 0)
        assert(crc32c(0, at + header, padded) == crc32c_load(at + header + padded));
    take_pdu(p, &b, at + header, bytes);
    return header + padded + tail;
}

static void take_stage(struct session_peer *p)
{
    size_t at = 0, n;
    while ((n = take_first(p, p->stage + at, p->stage_bytes - at)) > 0)
        at += n;
    memmove(p->stage, p->stage + at, p->stage_bytes - at);
    p->stage_bytes -= at;
}

void session_peer_read(struct session_peer *p)
{
    while (!p->over && p->fd >= 0) {
        ssize_t n =
            recv(p->fd, p->stage + p->stage_bytes, sizeof(p->stage) - p->stage_bytes, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        p->over = n <= 0;
        if (n > 0)
            p->stage_bytes += (size_t)n;
        take_stage(p);
    }
}
