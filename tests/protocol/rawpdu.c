/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI PDUs by hand: see rawpdu.h. One thread. */
#include "tests/protocol/rawpdu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#define DIGEST_BYTES  4
#define TAIL_MAX      (3 + DIGEST_BYTES)
#define POLYNOMIAL    0x82f63b78 /* 0x11edc6f41 of RFC 7143, 13.1, the lowest bit first */

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

struct raw raw_at(char **arguments)
{
    return (struct raw){.host = arguments[0],
                        .port = arguments[1],
                        .target = arguments[2],
                        .initiator = arguments[3],
                        .fd = -1};
}

unsigned raw_tell(const char *name, const char *wrong)
{
    printf("%s %s%s%s\n", wrong == NULL ? "ok  " : "FAIL", name,
           wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
    return wrong != NULL;
}

uint32_t raw_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;

    crc = ~crc;
    while (n-- > 0) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return ~crc;
}

/* As RFC 7143 sends it: the byte with the lowest terms' bits is the first one. */
static void put_digest(uint8_t *at, uint32_t crc)
{
    for (int i = 0; i < DIGEST_BYTES; i++)
        at[i] = (uint8_t)(crc >> 8 * i);
}

uint32_t raw_itt(const struct raw_pdu *p)
{
    return (uint32_t)raw_get(p->bhs + 16, 4);
}

static bool has_cmd_sn(int opcode)
{
    return opcode != RAW_DATA_OUT && opcode != RAW_SNACK;
}

void raw_begin(struct raw *r, struct raw_pdu *p, int opcode)
{
    memset(p->bhs, 0, sizeof(p->bhs));
    p->data_bytes = p->ahs_bytes = 0;
    p->bhs[0] = (uint8_t)opcode;
    p->bhs[1] = FINAL_BIT;
    raw_put(p->bhs + 16, 4, r->next_itt++);
    if (opcode == RAW_NOP_OUT || opcode == RAW_TEXT || opcode == RAW_DATA_OUT)
        raw_put(p->bhs + 20, 4, 0xffffffff); /* target transfer tag: none */
    if (has_cmd_sn(opcode))
        raw_put(p->bhs + 24, 4, r->cmd_sn);
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
    r->open = false;
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
    /* A header and its data are two writes: the second one is not to wait for the first
     * one's acknowledgement. */
    (void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
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

/* What goes out before and after a PDU's data. */
struct wire_pdu {
    uint8_t header[RAW_BHS_BYTES + RAW_AHS_MAX + DIGEST_BYTES];
    size_t header_bytes;
    uint8_t tail[TAIL_MAX]; /* padding and digest */
    size_t pad_bytes, tail_bytes;
};

static void wire_digests(const struct raw *r, struct wire_pdu *w, const struct raw_pdu *p)
{
    if (r->open && r->header_digest) {
        put_digest(w->header + w->header_bytes,
                   raw_crc32c(0, w->header, w->header_bytes));
        w->header_bytes += DIGEST_BYTES;
    }
    if (r->open && r->data_digest && p->data_bytes > 0) {
        uint32_t crc = raw_crc32c(0, p->data, p->data_bytes);
        put_digest(w->tail + w->tail_bytes, raw_crc32c(crc, w->tail, w->pad_bytes));
        w->tail_bytes += DIGEST_BYTES;
    }
}

/* The data are the PDU's own: who sends it turns the bit back. */
static void wire_flaw(struct wire_pdu *w, struct raw_pdu *p, enum raw_flaw flaw)
{
    switch (flaw) {
    case RAW_SOUND:
        break;
    case RAW_FLAW_BHS:
        w->header[16] ^= 0x40; /* the task tag: what a PDU of this kind may have */
        break;
    case RAW_FLAW_AHS:
        w->header[RAW_BHS_BYTES + 4] ^= 1;
        break;
    case RAW_FLAW_HEADER_DIGEST:
        w->header[w->header_bytes - 1] ^= 1;
        break;
    case RAW_FLAW_DATA:
        p->data[p->data_bytes / 2] ^= 1;
        break;
    case RAW_FLAW_PAD:
        w->tail[0] ^= 1;
        break;
    case RAW_FLAW_DATA_DIGEST:
        w->tail[w->tail_bytes - 1] ^= 1;
        break;
    }
}

/* What this PDU uses up of the connection's numbers. */
static void count_command(struct raw *r, const uint8_t *bhs)
{
    int opcode = bhs[0] & 0x3f;

    if (has_cmd_sn(opcode) && (bhs[0] & IMMEDIATE_BIT) == 0 && opcode != RAW_LOGIN &&
        raw_get(bhs + 24, 4) == r->cmd_sn)
        r->cmd_sn++;
}

bool raw_send_as_is(struct raw *r, struct raw_pdu *p)
{
    enum raw_flaw flaw = r->flaw;
    struct wire_pdu w = {.header_bytes = RAW_BHS_BYTES + p->ahs_bytes,
                         .pad_bytes = (4 - p->data_bytes % 4) % 4};

    memcpy(w.header, p->bhs, RAW_BHS_BYTES);
    raw_put(w.header + 28, 4, r->exp_stat_sn);
    count_command(r, w.header);
    memcpy(w.header + RAW_BHS_BYTES, p->ahs, p->ahs_bytes);
    w.tail_bytes = w.pad_bytes;
    wire_digests(r, &w, p);
    r->flaw = RAW_SOUND;
    wire_flaw(&w, p, flaw);
    bool sent = raw_write(r, w.header, w.header_bytes) &&
                raw_write(r, p->data, p->data_bytes) &&
                raw_write(r, w.tail, w.tail_bytes);
    if (flaw == RAW_FLAW_DATA)
        wire_flaw(&w, p, flaw);
    return sent;
}

bool raw_send(struct raw *r, struct raw_pdu *p)
{
    p->bhs[4] = (uint8_t)(p->ahs_bytes / 4);
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

/* Reads the digest of what came before: 0, or as raw_recv. */
static int check_digest(struct raw *r, uint32_t crc, int64_t deadline)
{
    uint8_t came[DIGEST_BYTES], right[DIGEST_BYTES];
    int rc = read_all(r, came, sizeof(came), deadline);

    put_digest(right, crc);
    if (rc != 0)
        return rc;
    return memcmp(came, right, sizeof(came)) == 0 ? 0 : RAW_GARBLED;
}

static int read_header(struct raw *r, struct raw_pdu *p, int64_t deadline)
{
    int rc = read_all(r, p->bhs, sizeof(p->bhs), deadline);

    if (rc != 0 || !r->open || !r->header_digest)
        return rc;
    return check_digest(r, raw_crc32c(0, p->bhs, sizeof(p->bhs)), deadline);
}

static int read_data(struct raw *r, struct raw_pdu *p, int64_t deadline)
{
    size_t padded = (p->data_bytes + 3) / 4 * 4;
    int rc = read_all(r, p->data, padded, deadline);

    if (rc != 0 || !r->open || !r->data_digest || p->data_bytes == 0)
        return rc;
    return check_digest(r, raw_crc32c(0, p->data, padded), deadline);
}

static void count_status(struct raw *r, const struct raw_pdu *p)
{
    int opcode = p->bhs[0] & 0x3f;
    bool ping = opcode == RAW_NOP_IN && raw_itt(p) == 0xffffffff;
    bool has_status =
        opcode != RAW_R2T && (opcode != RAW_DATA_IN || (p->bhs[1] & 1) != 0);

    if (has_status && !ping)
        r->exp_stat_sn = (uint32_t)raw_get(p->bhs + 24, 4) + 1;
}

int raw_recv(struct raw *r, struct raw_pdu *p, int wait_ms)
{
    int64_t deadline = now_ms() + wait_ms;
    int rc = read_header(r, p, deadline);

    if (rc != 0)
        return rc;
    p->data_bytes = (size_t)raw_get(p->bhs + 5, 3);
    if (p->data_bytes > sizeof(p->data) - 4 || p->bhs[4] != 0) {
        fprintf(stderr, "a PDU with %zu bytes of data came\n", p->data_bytes);
        return RAW_SILENT;
    }
    rc = read_data(r, p, deadline);
    if (rc != 0)
        return rc;
    count_status(r, p);
    return p->bhs[0] & 0x3f;
}

int raw_recv_end(struct raw *r, int wait_ms)
{
    struct raw_pdu p;
    int64_t deadline = now_ms() + wait_ms;

    for (;;) {
        int rc = raw_recv(r, &p, (int)(deadline - now_ms()));
        if (rc == RAW_CLOSED || rc == RAW_SILENT || rc == RAW_GARBLED)
            return rc;
    }
}

bool raw_login_ask(struct raw *r, bool discovery, struct raw_pdu *p)
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
    raw_text(p, r->header_digest ? "HeaderDigest=CRC32C" : "HeaderDigest=None");
    raw_text(p, r->data_digest ? "DataDigest=CRC32C" : "DataDigest=None");
    raw_text(p, "InitialR2T=Yes");
    raw_text(p, "ImmediateData=Yes");
    raw_text(p, "MaxRecvDataSegmentLength=32768");
    if (r->key != NULL)
        raw_text(p, r->key);
    return raw_send(r, p);
}

int raw_login_hear(struct raw *r, struct raw_pdu *p)
{
    int wait_ms = r->login_ms > 0 ? r->login_ms : ANSWER_MS;

    if (raw_recv(r, p, wait_ms) != RAW_LOGIN_RSP)
        return -1;
    r->open = raw_get(p->bhs + 36, 2) == 0;
    if (r->open && (p->bhs[1] & 0x83) != 0x83)
        return -1; /* it did not follow into full feature phase */
    return (int)raw_get(p->bhs + 36, 2);
}

int raw_login_answer(struct raw *r, bool discovery, struct raw_pdu *p)
{
    return raw_login_ask(r, discovery, p) ? raw_login_hear(r, p) : -1;
}

int raw_login(struct raw *r, bool discovery)
{
    struct raw_pdu answer;

    return raw_login_answer(r, discovery, &answer);
}
