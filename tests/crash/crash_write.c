/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of the crash test: writes, zeroes, unmaps and flushes through several
 * sessions until the target dies under it, and tells each step to the keeper on standard
 * output (journal.h). No two open commands touch one 4 KiB block, so that what a block
 * may hold is a plain list. One thread serves all sessions: its order of events is the
 * order of the journal. */
#include "tests/crash/journal.h"
#include "tests/lib/random.h"
#include "tests/protocol/pattern.h"
#include "tests/protocol/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 16
#define DEPTH_MAX       32
#define OP_BYTES_MAX    (256u * 1024)
#define EXTENT_BYTES    65536u
#define POLL_MS         100
#define STALL_SECONDS   30

struct writer;

struct op {
    struct writer *writer;
    struct peer_cmd cmd;
    unsigned connection;
    bool open, flush;
    struct event_record record;
};

struct writer {
    const struct crash_options *o;
    struct peer *peers[CONNECTIONS_MAX];
    struct op ops[CONNECTIONS_MAX][DEPTH_MAX];
    unsigned open_count;
    uint32_t sector_bytes;
    uint64_t blocks; /* of 4 KiB, of one LUN's region */
    bool *busy;      /* lun_count * blocks */
    uint64_t rng;
    uint32_t next_op, generation;
    bool failed, lost;
};

static time_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static void tell(struct writer *w, struct event_record r)
{
    r.journal_id = CRASH_JOURNAL_ID;
    if (fwrite(&r, sizeof(r), 1, stdout) != 1) {
        fprintf(stderr, "crash write: the keeper is gone: %s\n", strerror(errno));
        w->failed = true;
    }
}

static uint64_t sectors_of(const struct writer *w, uint64_t bytes)
{
    return bytes / w->sector_bytes;
}

/* The blocks that the op touches, even with one sector. */
static void block_span(const struct writer *w, const struct op *op, uint64_t *first,
                       uint64_t *end)
{
    uint64_t each = sectors_of(w, CRASH_BLOCK);
    *first = op->record.lun_index * w->blocks + op->record.lba / each;
    *end = op->record.lun_index * w->blocks +
           (op->record.lba + op->record.sectors + each - 1) / each;
}

static bool span_free(const struct writer *w, const struct op *op)
{
    uint64_t first, end;

    block_span(w, op, &first, &end);
    for (uint64_t b = first; b < end; b++) {
        if (w->busy[b])
            return false;
    }
    return true;
}

static void span_mark(struct writer *w, const struct op *op, bool busy)
{
    uint64_t first, end;

    block_span(w, op, &first, &end);
    for (uint64_t b = first; b < end; b++)
        w->busy[b] = busy;
}

static void pick_shape(struct writer *w, uint64_t *align, uint64_t *count)
{
    uint64_t block = sectors_of(w, CRASH_BLOCK);
    uint64_t extent = sectors_of(w, EXTENT_BYTES);

    switch (draw(&w->rng, 8)) {
    case 0:
        *align = 1;
        *count = 1 + draw(&w->rng, 2 * block);
        break;
    case 1:
        *align = 1;
        *count = 1 + draw(&w->rng, sectors_of(w, OP_BYTES_MAX));
        break;
    case 2:
        *align = extent;
        *count = extent * (1 + draw(&w->rng, OP_BYTES_MAX / EXTENT_BYTES));
        break;
    default:
        *align = block;
        *count = block * (1 + draw(&w->rng, 8));
        break;
    }
}

static bool pick_range(struct writer *w, struct op *op, uint64_t align, uint64_t count)
{
    uint64_t all = sectors_of(w, w->o->region_bytes);

    op->record.lun_index = (uint32_t)draw(&w->rng, w->o->lun_count);
    op->record.lba = draw(&w->rng, all) / align * align;
    if (count > all - op->record.lba)
        count = all - op->record.lba;
    op->record.sectors = (uint32_t)count;
    return count > 0 && span_free(w, op);
}

static void encode_write(struct writer *w, struct op *op)
{
    struct event_record *r = &op->record;

    r->generation = w->generation++;
    r->fua = draw(&w->rng, 16) == 0;
    op->cmd.data_bytes = (size_t)r->sectors * w->sector_bytes;
    for (uint32_t i = 0; i < r->sectors; i++) {
        struct tag t = {.lba = r->lba + i,
                        .lun = w->o->luns[r->lun_index],
                        .owner = op->connection,
                        .generation = r->generation,
                        .seed = (uint32_t)w->o->seed};
        pattern_fill(op->cmd.data + (size_t)i * w->sector_bytes, w->sector_bytes, &t);
    }
    cmd_write(&op->cmd, 16, r->lba, r->sectors, r->fua != 0);
}

static void encode_zeros(struct writer *w, struct op *op, bool unmap)
{
    struct event_record *r = &op->record;
    struct extent_range range = {r->lba, r->sectors};

    r->generation = CRASH_TAG_ZERO;
    if (unmap) {
        cmd_unmap(&op->cmd, &range, 1);
        return;
    }
    op->cmd.data_bytes = w->sector_bytes;
    memset(op->cmd.data, 0, w->sector_bytes);
    cmd_write_zeros(&op->cmd, r->lba, r->sectors, draw(&w->rng, 2) == 0);
}

/* Fills op with a random command; false: nothing free was found this time. */
static bool pick_op(struct writer *w, struct op *op)
{
    uint64_t align, count, kind = draw(&w->rng, 100);

    op->record = (struct event_record){.op = w->next_op};
    op->flush = kind < 6;
    if (op->flush) {
        op->record.lun_index = (uint32_t)draw(&w->rng, w->o->lun_count);
        cmd_flush(&op->cmd, draw(&w->rng, 2) == 0 ? 10 : 16);
    } else if (kind < 12) { /* whole extents: those must read zeros */
        align = sectors_of(w, EXTENT_BYTES);
        if (!pick_range(w, op, align, align * (1 + draw(&w->rng, 3))))
            return false;
        encode_zeros(w, op, true);
    } else {
        pick_shape(w, &align, &count);
        if (!pick_range(w, op, align, count))
            return false;
        if (kind < 18 && !w->o->no_write_same)
            encode_zeros(w, op, false);
        else
            encode_write(w, op);
    }
    op->cmd.lun = w->o->luns[op->record.lun_index];
    return true;
}

static void start_op(struct writer *w, struct op *op)
{
    if (!pick_op(w, op))
        return;
    op->record.event = op->flush ? EVENT_FLUSH_BEGIN : EVENT_WRITE_BEGIN;
    if (!op->flush)
        span_mark(w, op, true);
    w->next_op++;
    tell(w, op->record);
    if (peer_submit(w->peers[op->connection], &op->cmd) != 0) {
        w->lost = true;
        return;
    }
    op->open = true;
    w->open_count++;
}

static void on_done(void *arg, enum outcome outcome)
{
    struct op *op = arg;
    struct writer *w = op->writer;

    op->open = false;
    w->open_count--;
    if (outcome == OUTCOME_AGAIN &&
        peer_submit(w->peers[op->connection], &op->cmd) == 0) {
        op->open = true;
        w->open_count++;
        return;
    }
    if (outcome == OUTCOME_SENSE) {
        fprintf(stderr, "crash write: %s\n", peer_error(w->peers[op->connection]));
        w->failed = true;
    }
    if (outcome != OUTCOME_GOOD) {
        w->lost = true;
        return;
    }
    op->record.event = op->flush ? EVENT_FLUSH_ACK : EVENT_WRITE_ACK;
    if (!op->flush)
        span_mark(w, op, false);
    tell(w, op->record);
}

static void turn(struct writer *w)
{
    struct pollfd fds[CONNECTIONS_MAX];

    for (unsigned i = 0; i < w->o->connections; i++)
        fds[i] = (struct pollfd){.fd = peer_fd(w->peers[i]),
                                 .events = peer_events(w->peers[i])};
    fflush(stdout);
    if (poll(fds, w->o->connections, POLL_MS) < 0)
        return;
    for (unsigned i = 0; i < w->o->connections; i++) {
        if (peer_service(w->peers[i], fds[i].revents) != 0)
            w->lost = true;
    }
}

static void fill(struct writer *w)
{
    for (unsigned c = 0; c < w->o->connections; c++) {
        for (unsigned d = 0; d < w->o->depth && !w->lost && !w->failed; d++) {
            if (!w->ops[c][d].open)
                start_op(w, &w->ops[c][d]);
        }
    }
}

static void drain(struct writer *w)
{
    time_t deadline = now() + STALL_SECONDS;

    while (w->open_count > 0 && !w->lost && !w->failed) {
        turn(w);
        if (now() > deadline) {
            fprintf(stderr, "crash write: STALL: %u commands open\n", w->open_count);
            w->failed = true;
        }
    }
}

static int run(struct writer *w)
{
    time_t end = now() + (time_t)w->o->seconds;

    while (!w->lost && !w->failed && now() < end) {
        fill(w);
        turn(w);
    }
    drain(w);
    fflush(stdout);
    if (w->failed)
        return 2;
    if (w->lost && !w->o->lost_ok) {
        fprintf(stderr, "crash write: connection lost\n");
        return 2;
    }
    return 0;
}

static bool open_all(struct writer *w)
{
    uint64_t lun_blocks;
    char text[256];

    for (unsigned i = 0; i < w->o->connections; i++) {
        struct peer_options po = {.url = w->o->url,
                                  .initiator = w->o->initiator,
                                  .isid = 0x700 + i,
                                  .timeout_s = STALL_SECONDS,
                                  .residuals_ok = w->o->residuals_ok != 0};
        w->peers[i] = peer_open(&po, text, sizeof(text));
        if (w->peers[i] == NULL) {
            fprintf(stderr, "crash write: %s\n", text);
            return false;
        }
        for (unsigned l = 0; l < w->o->lun_count; l++) {
            if (peer_capacity(w->peers[i], w->o->luns[l], &lun_blocks,
                              &w->sector_bytes) != 0 ||
                lun_blocks * w->sector_bytes < w->o->region_bytes) {
                fprintf(stderr, "crash write: lun %u: too small, or %s\n", w->o->luns[l],
                        peer_error(w->peers[i]));
                return false;
            }
        }
    }
    return true;
}

static bool prepare(struct writer *w)
{
    w->blocks = w->o->region_bytes / CRASH_BLOCK;
    w->busy = calloc(w->o->lun_count * w->blocks, sizeof(*w->busy));
    if (w->busy == NULL || w->o->connections > CONNECTIONS_MAX || w->o->depth > DEPTH_MAX)
        return false;
    for (unsigned c = 0; c < w->o->connections; c++) {
        for (unsigned d = 0; d < w->o->depth; d++) {
            struct op *op = &w->ops[c][d];
            op->writer = w;
            op->connection = c;
            op->cmd.data = malloc(OP_BYTES_MAX);
            op->cmd.done = on_done;
            op->cmd.arg = op;
            if (op->cmd.data == NULL)
                return false;
        }
    }
    return true;
}

int crash_write(const struct crash_options *o)
{
    static struct writer w;
    int rc = 2;

    w.o = o;
    w.rng = (o->seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + o->generation;
    w.generation = o->generation;
    if (prepare(&w) && open_all(&w))
        rc = run(&w);
    for (unsigned c = 0; c < CONNECTIONS_MAX; c++) {
        if (w.peers[c] != NULL)
            peer_abandon(w.peers[c]);
        for (unsigned d = 0; d < DEPTH_MAX; d++)
            free(w.ops[c][d].cmd.data);
    }
    free(w.busy);
    return rc;
}
