/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI PDUs by hand: see rawpdu.h. No digests: every session made here negotiates none.
 * One thread. */
#include "tests/protocol/rawpdu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEND_WAIT_S   5
#define ANSWER_MS     5000
#define IMMEDIATE_BIT 0x40
#define FINAL_BIT     0x80

void raw_put(uint8_t *at, size_t bytes, uint64_t value)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
}

uint64_t raw_get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

uint32_t raw_itt(const struct raw_pdu *p)
{
    return (uint32_t)raw_get(p->bhs + 16, 4);
}

void raw_begin(struct raw *r, struct raw_pdu *p, int opcode)
{
    memset(p->bhs, 0, sizeof(p->bhs));
    p->data_bytes = 0;
    p->bhs[0] = (uint8_t)opcode;
    p->bhs[1] = FINAL_BIT;
    raw_put(p->bhs + 16, 4, r->next_itt++);
    if (opcode == RAW_NOP_OUT || opcode == RAW_TEXT || opcode == RAW_DATA_OUT)
        raw_put(p->bhs + 20, 4, 0xffffffff); /* target transfer tag: none */
}

void raw_text(struct raw_pdu *p, const char *key_value)
{
    size_t n = strlen(key_value) + 1;

    memcpy(p->data + p->data_bytes, key_value, n);
    p->data_bytes += n;
}

void raw_cdb(struct raw_pdu *p, const uint8_t *cdb, size_t cdb_bytes, uint8_t lun,
             uint32_t expected_bytes)
{
    p->bhs[9] = lun;
    raw_put(p->bhs + 20, 4, expected_bytes);
    memcpy(p->bhs + 32, cdb, cdb_bytes);
}

static bool bind_source(struct raw *r)
{
    struct sockaddr_in from = {.sin_family = AF_INET};

    return inet_pton(AF_INET, r->source, &from.sin_addr) == 1 &&
           bind(r->fd, (struct sockaddr *)&from, sizeof(from)) == 0;
}

int raw_connect(struct raw *r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct timeval limit = {.tv_sec = SEND_WAIT_S};

    r->fd = -1;
    r->cmd_sn = 1;
    r->exp_stat_sn = 0;
    r->next_itt = 0x100;
    if (getaddrinfo(r->host, r->port, &hints, &found) != 0)
        return -1;
    r->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd >= 0 && r->source != NULL && !bind_source(r))
        raw_close(r);
    if (r->fd >= 0 && connect(r->fd, found->ai_addr, found->ai_addrlen) != 0)
        raw_close(r);
    freeaddrinfo(found);
    if (r->fd < 0) {
        fprintf(stderr, "cannot connect to %s:%s: %s\n", r->host, r->port,
                strerror(errno));
        return -1;
    }
    (void)setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return 0;
}

void raw_close(struct raw *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

bool raw_write(struct raw *r, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;

    while (n > 0) {
        ssize_t sent = send(r->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

bool raw_send_as_is(struct raw *r, const struct raw_pdu *p)
{
    static const uint8_t pad[4];
    int opcode = p->bhs[0] & 0x3f;
    uint8_t bhs[RAW_BHS_BYTES];

    memcpy(bhs, p->bhs, sizeof(bhs));
    if (opcode != RAW_DATA_OUT && opcode != RAW_SNACK && raw_get(bhs + 24, 4) == 0)
        raw_put(bhs + 24, 4, r->cmd_sn);
    raw_put(bhs + 28, 4, r->exp_stat_sn);
    if ((bhs[0] & IMMEDIATE_BIT) == 0 && opcode != RAW_DATA_OUT && opcode != RAW_SNACK &&
        raw_get(bhs + 24, 4) == r->cmd_sn && opcode != RAW_LOGIN)
        r->cmd_sn++;
    return raw_write(r, bhs, sizeof(bhs)) && raw_write(r, p->data, p->data_bytes) &&
           raw_write(r, pad, (4 - p->data_bytes % 4) % 4);
}

bool raw_send(struct raw *r, struct raw_pdu *p)
{
    raw_put(p->bhs + 5, 3, p->data_bytes);
    return raw_send_as_is(r, p);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* n bytes: 0, RAW_CLOSED or RAW_SILENT. */
static int read_all(struct raw *r, uint8_t *to, size_t n, int64_t deadline)
{
    while (n > 0) {
        struct pollfd fd = {.fd = r->fd, .events = POLLIN};
        int64_t left = deadline - now_ms();
        if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
            return RAW_SILENT;
        ssize_t got = recv(r->fd, to, n, 0);
        if (got <= 0)
            return RAW_CLOSED;
        to += got;
        n -= (size_t)got;
    }
    return 0;
}

int raw_recv(struct raw *r, struct raw_pdu *p, int wait_ms)
{
    int64_t deadline = now_ms() + wait_ms;
    int rc = read_all(r, p->bhs, sizeof(p->bhs), deadline);

    if (rc != 0)
        return rc;
    p->data_bytes = (size_t)raw_get(p->bhs + 5, 3);
    if (p->data_bytes > sizeof(p->data) - 4 || p->bhs[4] != 0) {
        fprintf(stderr, "a PDU with %zu bytes of data came\n", p->data_bytes);
        return RAW_SILENT;
    }
    rc = read_all(r, p->data, (p->data_bytes + 3) / 4 * 4, deadline);
    if (rc != 0)
        return rc;
    int opcode = p->bhs[0] & 0x3f;
    bool has_status =
        opcode != RAW_R2T && (opcode != RAW_DATA_IN || (p->bhs[1] & 1) != 0);
    if (has_status && !(opcode == RAW_NOP_IN && raw_itt(p) == 0xffffffff))
        r->exp_stat_sn = (uint32_t)raw_get(p->bhs + 24, 4) + 1;
    return opcode;
}

int raw_recv_end(struct raw *r, int wait_ms)
{
    struct raw_pdu p;
    int64_t deadline = now_ms() + wait_ms;

    for (;;) {
        int rc = raw_recv(r, &p, (int)(deadline - now_ms()));
        if (rc == RAW_CLOSED || rc == RAW_SILENT)
            return rc;
    }
}

int raw_login_answer(struct raw *r, bool discovery, struct raw_pdu *p)
{
    char text[512];

    raw_begin(r, p, RAW_LOGIN);
    p->bhs[0] |= IMMEDIATE_BIT;
    p->bhs[1] = FINAL_BIT | 1 << 2 | 3; /* operational negotiation, then full feature */
    p->bhs[8] = 0x80;                   /* ISID: random format */
    raw_put(p->bhs + 12, 2, r->isid_tail);
    raw_put(p->bhs + 20, 2, r->cid);
    snprintf(text, sizeof(text), "InitiatorName=%s", r->initiator);
    raw_text(p, text);
    raw_text(p, discovery ? "SessionType=Discovery" : "SessionType=Normal");
    if (!discovery) {
        snprintf(text, sizeof(text), "TargetName=%s", r->target);
        raw_text(p, text);
    }
    raw_text(p, "HeaderDigest=None");
    raw_text(p, "DataDigest=None");
    raw_text(p, "InitialR2T=Yes");
    raw_text(p, "ImmediateData=Yes");
    raw_text(p, "MaxRecvDataSegmentLength=32768");
    if (r->key != NULL)
        raw_text(p, r->key);
    int wait_ms = r->login_ms > 0 ? r->login_ms : ANSWER_MS;
    if (!raw_send(r, p) || raw_recv(r, p, wait_ms) != RAW_LOGIN_RSP)
        return -1;
    if (raw_get(p->bhs + 36, 2) == 0 && (p->bhs[1] & 0x83) != 0x83)
        return -1; /* it did not follow into full feature phase */
    return (int)raw_get(p->bhs + 36, 2);
}

int raw_login(struct raw *r, bool discovery)
{
    struct raw_pdu answer;

    return raw_login_answer(r, discovery, &answer);
}
