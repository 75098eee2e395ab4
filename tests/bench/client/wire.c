/* SPDX-License-Identifier: Apache-2.0 */
/* A peer (tests/protocol/peer.h) without libiscsi, for loads that libiscsi cannot make:
 * digests of data, and more commands than it has time for. One send() takes along all
 * that was submitted, one recv() all that came. It logs in by rawpdu.h. What a benchmark
 * does not need is not here: no recovery, no residuals, no CHAP; whatever is unexpected
 * ends the session. */
#include "base/auto.h"
#include "base/crc32c.h"
#include "tests/protocol/peer.h"
#include "tests/protocol/rawpdu.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COMMANDS_MAX   256
#define IN_BYTES       (1U << 20)
#define KEPT_BYTES_MAX (16U << 10)
#define READY_TRIES    50
#define TAG_NONE       0xffffffffU
#define FINAL          0x80

struct peer {
    struct raw raw;
    struct peer_options o;
    char host[64], port[16], target[256], error[256];
    unsigned lun;
    bool lost;
    int ended;              /* how run()'s command has; -1: it has not */
    uint32_t segment_max;   /* the target takes this much data in a PDU */
    uint32_t immediate_max; /* and this with a command */
    uint32_t max_cmd_sn;
    struct peer_cmd *open[COMMANDS_MAX];     /* by initiator task tag */
    struct peer_cmd *waiting, **waiting_end; /* for the window or a tag */
    uint32_t free_tags[COMMANDS_MAX];
    unsigned free_count;
    uint8_t *out; /* not sent yet: from out_at up to out_bytes */
    size_t out_at, out_bytes, out_room;
    size_t in_bytes;
    uint8_t in[IN_BYTES]; /* what came of a PDU that is not all there */
};

static void peer_lose(struct peer *p, const char *why)
{
    if (!p->lost)
        snprintf(p->error, sizeof(p->error), "%s", why);
    p->lost = true;
}

/* ---- What goes out ----------------------------------------------------------------- */

/* The sessions of a thread hand one buffer on, which so stays in the cache, as long as
 * what they send goes out at once. */
static _Thread_local uint8_t *out_spare;
static _Thread_local size_t out_spare_room;

static void out_begin(struct peer *p)
{
    if (p->out != NULL)
        return;
    p->out = TAKE(out_spare);
    p->out_room = p->out == NULL ? 0 : out_spare_room;
}

static void out_end(struct peer *p)
{
    p->out_at = p->out_bytes = 0;
    if (out_spare != NULL || p->out == NULL)
        return;
    out_spare = TAKE(p->out);
    out_spare_room = p->out_room;
}

static uint8_t *out_add(struct peer *p, size_t bytes)
{
    out_begin(p);
    if (p->out_bytes + bytes > p->out_room) {
        p->out_room = (p->out_bytes + bytes) * 2;
        p->out = realloc(p->out, p->out_room);
        assert(p->out != NULL);
    }
    p->out_bytes += bytes;
    return p->out + p->out_bytes - bytes;
}

static void out_digest(struct peer *p, const void *of, size_t bytes)
{
    uint32_t crc = crc32c(0, of, bytes);
    crc32c_store(out_add(p, CRC32C_BYTES), crc);
}

static void out_pdu(struct peer *p, uint8_t *bhs, const uint8_t *data, size_t bytes)
{
    static const uint8_t zeros[4];
    size_t padded = (bytes + 3) / 4 * 4;
    raw_put(bhs + 5, 3, bytes);
    raw_put(bhs + 28, 4, p->raw.exp_stat_sn);
    memcpy(out_add(p, RAW_BHS_BYTES), bhs, RAW_BHS_BYTES);
    if (p->raw.header_digest)
        out_digest(p, bhs, RAW_BHS_BYTES);
    if (bytes == 0)
        return;
    uint8_t *at = out_add(p, padded);
    memcpy(at, data, bytes);
    memcpy(at + bytes, zeros, padded - bytes);
    if (!p->raw.data_digest)
        return;
    uint32_t crc = crc32c(0, at, padded);
    crc32c_store(out_add(p, CRC32C_BYTES), crc);
}

static void out_command(struct peer *p, struct peer_cmd *c)
{
    uint32_t tag = p->free_tags[--p->free_count];
    uint8_t bhs[RAW_BHS_BYTES] = {RAW_SCSI_CMD, FINAL | 1};
    size_t immediate = 0;
    if (c->data_bytes > 0)
        bhs[1] |= c->writes ? 0x20 : 0x40;
    if (c->writes)
        immediate = c->data_bytes < p->immediate_max ? c->data_bytes : p->immediate_max;
    bhs[9] = (uint8_t)c->lun;
    raw_put(bhs + 16, 4, tag);
    raw_put(bhs + 20, 4, c->data_bytes);
    raw_put(bhs + 24, 4, p->raw.cmd_sn++);
    memcpy(bhs + 32, c->cdb, sizeof(c->cdb));
    p->open[tag] = c;
    out_pdu(p, bhs, c->data, immediate);
}

/* What the window has room for. */
static void out_waiting(struct peer *p)
{
    while (p->waiting != NULL && p->free_count > 0 &&
           (int32_t)(p->max_cmd_sn - p->raw.cmd_sn) >= 0) {
        struct peer_cmd *c = p->waiting;
        p->waiting = c->next;
        if (p->waiting == NULL)
            p->waiting_end = &p->waiting;
        out_command(p, c);
    }
}

/* RFC 7143, 11.8: the burst that was asked for, in segments that the target takes. */
static bool out_burst(struct peer *p, const uint8_t *r2t)
{
    uint32_t tag = (uint32_t)raw_get(r2t + 16, 4),
             offset = (uint32_t)raw_get(r2t + 40, 4);
    uint32_t rest = (uint32_t)raw_get(r2t + 44, 4);
    struct peer_cmd *c = tag < COMMANDS_MAX ? p->open[tag] : NULL;
    if (c == NULL || !c->writes || offset > c->data_bytes ||
        rest > c->data_bytes - offset)
        return false;
    for (uint32_t sn = 0; rest > 0; sn++) {
        uint32_t bytes = rest < p->segment_max ? rest : p->segment_max;
        uint8_t bhs[RAW_BHS_BYTES] = {RAW_DATA_OUT, bytes == rest ? FINAL : 0};
        memcpy(bhs + 8, r2t + 8, 16); /* LUN and both tags */
        raw_put(bhs + 36, 4, sn);
        raw_put(bhs + 40, 4, offset);
        out_pdu(p, bhs, c->data + offset, bytes);
        offset += bytes;
        rest -= bytes;
    }
    return true;
}

static void out_pong(struct peer *p, const uint8_t *ping)
{
    uint8_t bhs[RAW_BHS_BYTES] = {0x40 | RAW_NOP_OUT, FINAL};
    memcpy(bhs + 8, ping + 8, 16);
    raw_put(bhs + 16, 4, TAG_NONE);
    raw_put(bhs + 24, 4, p->raw.cmd_sn);
    out_pdu(p, bhs, NULL, 0);
}

static void out_send(struct peer *p)
{
    while (p->out_at < p->out_bytes) {
        ssize_t n =
            send(p->raw.fd, p->out + p->out_at, p->out_bytes - p->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            peer_lose(p, strerror(errno));
            return;
        }
        p->out_at += (size_t)n;
    }
    out_end(p);
}

/* ---- What comes in ----------------------------------------------------------------- */

static enum outcome outcome_of(struct peer *p, uint8_t status, const uint8_t *sense,
                               size_t bytes)
{
    if (status == 0)
        return OUTCOME_GOOD;
    if (status == 0x08 || status == 0x28)
        return OUTCOME_AGAIN;
    /* After the sense's length, in fixed format. */
    uint8_t key = status == 0x02 && bytes >= 5 ? sense[4] & 0xf : 0;
    if (key == 6)
        return OUTCOME_AGAIN;
    snprintf(p->error, sizeof(p->error), "status 0x%x, sense key %u", status, key);
    return OUTCOME_SENSE;
}

static bool in_end(struct peer *p, const uint8_t *bhs, const uint8_t *sense, size_t bytes)
{
    uint32_t tag = (uint32_t)raw_get(bhs + 16, 4);
    struct peer_cmd *c = tag < COMMANDS_MAX ? p->open[tag] : NULL;
    if (c == NULL)
        return false;
    p->open[tag] = NULL;
    p->free_tags[p->free_count++] = tag;
    c->done(c->arg, outcome_of(p, bhs[3], sense, bytes));
    return true;
}

static bool in_data(struct peer *p, const uint8_t *bhs, const uint8_t *data, size_t bytes)
{
    uint32_t tag = (uint32_t)raw_get(bhs + 16, 4),
             offset = (uint32_t)raw_get(bhs + 40, 4);
    struct peer_cmd *c = tag < COMMANDS_MAX ? p->open[tag] : NULL;
    if (c == NULL || c->writes || offset > c->data_bytes ||
        bytes > c->data_bytes - offset)
        return false;
    memcpy(c->data + offset, data, bytes);
    return (bhs[1] & 1) == 0 || in_end(p, bhs, NULL, 0);
}

static bool in_pdu(struct peer *p, const uint8_t *bhs, const uint8_t *data, size_t bytes)
{
    int opcode = bhs[0] & 0x3f;
    bool has_status =
        opcode == RAW_SCSI_RSP || (opcode == RAW_DATA_IN && (bhs[1] & 1) != 0);
    if (has_status)
        p->raw.exp_stat_sn = (uint32_t)raw_get(bhs + 24, 4) + 1;
    p->max_cmd_sn = (uint32_t)raw_get(bhs + 32, 4);
    switch (opcode) {
    case RAW_DATA_IN:
        return in_data(p, bhs, data, bytes);
    case RAW_SCSI_RSP:
        return bhs[2] == 0 && in_end(p, bhs, data, bytes);
    case RAW_R2T:
        return out_burst(p, bhs);
    case RAW_NOP_IN:
        if (raw_get(bhs + 20, 4) != TAG_NONE)
            out_pong(p, bhs);
        return true;
    default:
        return false;
    }
}

static bool is_sound(const uint8_t *bytes, size_t n)
{
    return crc32c(0, bytes, n) == crc32c_load(bytes + n);
}

/* The bytes of the whole PDU that begins there; 0: it is not all there yet. */
static size_t in_one(struct peer *p, const uint8_t *at, size_t there)
{
    size_t head = RAW_BHS_BYTES + (p->raw.header_digest ? CRC32C_BYTES : 0);
    if (there < head)
        return 0;
    size_t bytes = raw_get(at + 5, 3), padded = (bytes + 3) / 4 * 4;
    size_t tail = bytes > 0 && p->raw.data_digest ? CRC32C_BYTES : 0;
    if (at[4] != 0 || head + padded + tail > IN_BYTES) {
        peer_lose(p, "a PDU that nobody asked for");
        return 0;
    }
    if (there < head + padded + tail)
        return 0;
    if ((p->raw.header_digest && !is_sound(at, RAW_BHS_BYTES)) ||
        (tail != 0 && !is_sound(at + head, padded)))
        peer_lose(p, "a digest is wrong");
    else if (!in_pdu(p, at, at + head, bytes))
        peer_lose(p, "an answer that fits no command");
    return head + padded + tail;
}

/* What is left stays with the peer. */
static void in_parse(struct peer *p, const uint8_t *in, size_t bytes)
{
    size_t at = 0, one;
    while (!p->lost && (one = in_one(p, in + at, bytes - at)) != 0)
        at += one;
    memmove(p->in, in + at, bytes - at);
    p->in_bytes = bytes - at;
}

/* The sessions of a thread receive into one memory, which so stays in the cache, as long
 * as little has to be taken there first. */
static void in_receive(struct peer *p)
{
    static _Thread_local uint8_t stage[IN_BYTES];
    uint8_t *in = p->in_bytes <= KEPT_BYTES_MAX ? stage : p->in;
    if (in == stage)
        memcpy(stage, p->in, p->in_bytes);
    ssize_t n = recv(p->raw.fd, in + p->in_bytes, IN_BYTES - p->in_bytes, 0);
    if (n == 0)
        peer_lose(p, "the target has closed the connection");
    if (n < 0 && errno != EAGAIN)
        peer_lose(p, strerror(errno));
    if (n > 0)
        in_parse(p, in, p->in_bytes + (size_t)n);
}

/* ---- peer.h ------------------------------------------------------------------------ */

int peer_submit(struct peer *p, struct peer_cmd *c)
{
    if (p->lost)
        return -1;
    c->next = NULL;
    *p->waiting_end = c;
    p->waiting_end = &c->next;
    return 0;
}

int peer_fd(const struct peer *p)
{
    return p->raw.fd;
}

short peer_events(const struct peer *p)
{
    return p->out_at < p->out_bytes ? POLLIN | POLLOUT : POLLIN;
}

int peer_service(struct peer *p, short revents)
{
    if (!p->lost && (revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        in_receive(p);
    if (!p->lost) {
        out_waiting(p);
        if ((revents & POLLOUT) != 0)
            out_send(p);
    }
    return p->lost ? -1 : 0;
}

int peer_lun(const struct peer *p)
{
    return (int)p->lun;
}

bool peer_lost(const struct peer *p)
{
    return p->lost;
}

const char *peer_error(const struct peer *p)
{
    return p->error;
}

static void on_ended(void *arg, enum outcome outcome)
{
    struct peer *p = arg;
    p->ended = (int)outcome;
}

/* Until it is good, for unit attentions tell of what was. */
static int run(struct peer *p, struct peer_cmd *c)
{
    p->ended = OUTCOME_AGAIN;
    c->done = on_ended;
    c->arg = p;
    for (int i = 0; i < READY_TRIES && p->ended == OUTCOME_AGAIN; i++) {
        p->ended = -1;
        if (peer_submit(p, c) != 0)
            return -1;
        while (p->ended == -1) {
            (void)peer_service(p, POLLOUT);
            struct pollfd fd = {.fd = p->raw.fd, .events = POLLIN};
            if (poll(&fd, 1, p->o.timeout_s * 1000) <= 0 || peer_service(p, POLLIN) != 0)
                return -1;
        }
    }
    return p->ended == OUTCOME_GOOD ? 0 : -1;
}

int peer_capacity(struct peer *p, unsigned lun, uint64_t *blocks, uint32_t *block_bytes)
{
    uint8_t data[32] = {0};
    struct peer_cmd ready = {.lun = lun}; /* TEST UNIT READY is all zeros */
    struct peer_cmd capacity = {.lun = lun,
                                .cdb = {0x9e, 0x10, [13] = sizeof(data)},
                                .data = data,
                                .data_bytes = sizeof(data)};
    if (run(p, &ready) != 0 || run(p, &capacity) != 0)
        return -1;
    *blocks = raw_get(data, 8) + 1;
    *block_bytes = (uint32_t)raw_get(data + 8, 4);
    return 0;
}

static uint32_t answered(const struct raw_pdu *answer, const char *key,
                         uint32_t otherwise)
{
    size_t length = strlen(key);
    for (size_t at = 0; at < answer->data_bytes;
         at += strlen((const char *)answer->data + at) + 1) {
        const char *text = (const char *)answer->data + at;
        if (strncmp(text, key, length) == 0 && text[length] == '=')
            return (uint32_t)strtoul(text + length + 1, NULL, 10);
    }
    return otherwise;
}

static bool peer_login(struct peer *p)
{
    AUTO_FREE struct raw_pdu *answer = calloc(1, sizeof(*answer));
    p->raw = (struct raw){.host = p->host,
                          .port = p->port,
                          .target = p->target,
                          .initiator = p->o.initiator,
                          .fd = -1,
                          .isid_tail = (uint16_t)p->o.isid,
                          .header_digest = p->o.header_digest,
                          .data_digest = p->o.data_digest};
    if (answer == NULL || raw_connect(&p->raw) != 0 ||
        raw_login_answer(&p->raw, false, answer) != 0)
        return false;
    p->max_cmd_sn = (uint32_t)raw_get(answer->bhs + 32, 4);
    p->segment_max = answered(answer, "MaxRecvDataSegmentLength", 8192);
    uint32_t first = answered(answer, "FirstBurstLength", 65536);
    p->immediate_max = first < p->segment_max ? first : p->segment_max;
    return fcntl(p->raw.fd, F_SETFL, fcntl(p->raw.fd, F_GETFL) | O_NONBLOCK) == 0;
}

struct peer *peer_open(const struct peer_options *o, char *text, size_t text_bytes)
{
    struct peer *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        snprintf(text, text_bytes, "no memory for a session");
        return NULL;
    }
    p->o = *o;
    p->raw.fd = -1;
    p->waiting_end = &p->waiting;
    for (uint32_t tag = 0; tag < COMMANDS_MAX; tag++)
        p->free_tags[p->free_count++] = tag;
    if (sscanf(o->url, "iscsi://%63[^:]:%15[0-9]/%255[^/]/%u", p->host, p->port,
               p->target, &p->lun) == 4 &&
        p->lun < 256 && peer_login(p))
        return p;
    snprintf(text, text_bytes, "%s: no login", o->url);
    peer_abandon(p);
    return NULL;
}

void peer_abandon(struct peer *p)
{
    if (p->raw.fd >= 0)
        raw_close(&p->raw);
    free(p->out);
    free(p);
}

/* To the target the initiator is gone without a word. */
void peer_close(struct peer *p)
{
    peer_abandon(p);
}
