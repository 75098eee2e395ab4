/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of ashlar-load: see lane.h.
 * Sectors of an open command are busy and left alone by the others of the lane, so the
 * model is exact: a sector holds its last write, or zeros, or (after an UNMAP that a
 * target may ignore) either of them until it is read. One thread a lane. */
#include "tests/protocol/lane.h"
#include "tests/lib/random.h"
#include "tests/protocol/pattern.h"
#include "tests/protocol/peer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OP_BYTES_MAX     (256u * 1024)
#define GENERATION_NONE  UINT32_MAX /* never written, and nothing is known of it */
#define GENERATION_ZERO  0
#define PICK_TRIES       20
#define POLL_MS          100
#define STALL_SECONDS    60
#define UNMAP_RANGES_MAX 2

struct sector {
    uint32_t generation;
    bool maybe_zero; /* an UNMAP that need not zero it came after */
    bool busy;
};

struct slot {
    struct lane *lane;
    struct peer_cmd cmd;
    enum work work;
    bool open;
    unsigned lun_index;
    uint64_t first, count; /* of the lane's own sectors; count 0 for a flush */
    uint32_t generation;
};

struct lane {
    struct load *load;
    struct peer *peer;
    unsigned index;
    uint64_t rng;
    uint32_t sector_bytes;
    uint64_t sectors; /* of one LUN */
    uint32_t generation;
    struct sector *state; /* lun_count * sectors */
    struct slot slots[LOAD_DEPTH_MAX];
    unsigned open_count;
    uint64_t started;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void lane_fail(struct lane *l, int code,
                                                            const char *format, ...)
{
    va_list ap;

    pthread_mutex_lock(&l->load->lock);
    if (l->load->exit_code == 0) { /* the first failure is the one worth reading */
        fprintf(stderr, "ashlar-load: connection %u: ", l->index);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        l->load->exit_code = code;
    }
    pthread_mutex_unlock(&l->load->lock);
    l->failed = true;
    atomic_store(&l->load->stop, true);
}

/* Chunk c of this lane lies between chunk c of the lanes beside it. */
static uint64_t lba_of(const struct lane *l, uint64_t own)
{
    uint64_t chunk = l->load->o.chunk_sectors;
    return (own / chunk * l->load->o.lanes + l->index) * chunk + own % chunk;
}

static struct sector *sector_at(struct lane *l, unsigned lun_index, uint64_t own)
{
    return &l->state[lun_index * l->sectors + own];
}

static struct tag tag_for(const struct lane *l, const struct slot *s, uint64_t own,
                          uint32_t generation)
{
    return (struct tag){.lba = lba_of(l, own),
                        .lun = l->load->o.luns[s->lun_index],
                        .owner = l->index,
                        .generation = generation,
                        .seed = (uint32_t)l->load->o.seed};
}

/* Small and odd, whole blocks, anything, whole extents: each path of a target gets its
 * share. */
static void pick_shape(struct lane *l, uint64_t *align, uint64_t *count)
{
    uint64_t most = OP_BYTES_MAX / l->sector_bytes;
    uint64_t block = l->sector_bytes < 4096 ? 4096 / l->sector_bytes : 1;
    uint64_t extent = l->load->o.extent_bytes / l->sector_bytes;

    switch (draw(&l->rng, 8)) {
    case 0:
    case 1:
        *align = 1;
        *count = 1 + draw(&l->rng, 8);
        break;
    case 2:
    case 3:
    case 4:
        *align = block;
        *count = block * (1 + draw(&l->rng, 8));
        break;
    case 5:
    case 6:
        *align = 1;
        *count = 1 + draw(&l->rng, most);
        break;
    default:
        *align = extent;
        *count = extent * (1 + draw(&l->rng, most / extent));
        break;
    }
}

static bool range_free(struct lane *l, const struct slot *s)
{
    for (uint64_t i = 0; i < s->count; i++) {
        if (sector_at(l, s->lun_index, s->first + i)->busy)
            return false;
    }
    return true;
}

static void range_mark(struct lane *l, const struct slot *s, bool busy)
{
    for (uint64_t i = 0; i < s->count; i++)
        sector_at(l, s->lun_index, s->first + i)->busy = busy;
}

static bool pick_range(struct lane *l, struct slot *s)
{
    uint64_t chunk = l->load->o.chunk_sectors, align, count;

    for (int i = 0; i < PICK_TRIES; i++) {
        pick_shape(l, &align, &count);
        uint64_t own = draw(&l->rng, l->sectors);
        uint64_t back = lba_of(l, own) % align; /* aligned where the target sees it */
        own -= back <= own % chunk ? back : 0;
        uint64_t room = chunk - own % chunk;
        if (room > l->sectors - own)
            room = l->sectors - own;
        s->lun_index = (unsigned)draw(&l->rng, l->load->o.lun_count);
        s->first = own;
        s->count = count < room ? count : room;
        if (range_free(l, s))
            return true;
    }
    return false;
}

static enum work pick_work(struct lane *l)
{
    uint64_t sum = 0, at;

    for (int w = 0; w < WORK_KINDS; w++)
        sum += l->load->o.work_share[w];
    at = draw(&l->rng, sum);
    for (int w = 0; w < WORK_KINDS; w++) {
        if (at < l->load->o.work_share[w])
            return (enum work)w;
        at -= l->load->o.work_share[w];
    }
    return WORK_READ;
}

/* A CDB of any length that can hold the address and the count. */
static int pick_cdb(struct lane *l, uint64_t lba, uint64_t count)
{
    static const int kinds[] = {6, 10, 12, 16};
    int kind = kinds[draw(&l->rng, 4)];

    if (kind == 6 && (count > 255 || lba + count > 0x1fffff))
        kind = 10;
    if (kind != 16 && lba + count > UINT32_MAX)
        kind = 16;
    return kind;
}

static void fill_slot(struct lane *l, struct slot *s)
{
    for (uint64_t i = 0; i < s->count; i++) {
        struct tag t = tag_for(l, s, s->first + i, s->generation);
        pattern_fill(s->cmd.data + i * l->sector_bytes, l->sector_bytes, &t);
    }
}

static void encode_unmap(struct lane *l, struct slot *s)
{
    struct extent_range ranges[UNMAP_RANGES_MAX];
    uint64_t lba = lba_of(l, s->first);
    uint32_t head = (uint32_t)s->count;
    size_t n = 1;

    if (s->count > 1 && draw(&l->rng, 2) == 0) { /* the same sectors in two descriptors */
        head = (uint32_t)(1 + draw(&l->rng, s->count - 1));
        ranges[1] = (struct extent_range){lba + head, (uint32_t)s->count - head};
        n = 2;
    }
    ranges[0] = (struct extent_range){lba, head};
    cmd_unmap(&s->cmd, ranges, n);
}

static void encode(struct lane *l, struct slot *s)
{
    uint64_t lba = lba_of(l, s->first);
    uint32_t count = (uint32_t)s->count;

    assert(s->cmd.data != NULL);
    s->cmd.lun = l->load->o.luns[s->lun_index];
    s->cmd.data_bytes = s->count * l->sector_bytes;
    switch (s->work) {
    case WORK_WRITE:
        s->generation = ++l->generation;
        fill_slot(l, s);
        cmd_write(&s->cmd, pick_cdb(l, lba, count), lba, count, draw(&l->rng, 16) == 0);
        break;
    case WORK_FLUSH:
        cmd_flush(&s->cmd, draw(&l->rng, 2) == 0 ? 10 : 16);
        break;
    case WORK_UNMAP:
        encode_unmap(l, s);
        break;
    case WORK_ZERO:
        s->cmd.data_bytes = l->sector_bytes;
        memset(s->cmd.data, 0, l->sector_bytes);
        cmd_write_zeros(&s->cmd, lba, count, draw(&l->rng, 2) == 0);
        break;
    default:
        memset(s->cmd.data, 0xee, s->cmd.data_bytes);
        cmd_read(&s->cmd, pick_cdb(l, lba, count), lba, count);
        break;
    }
}

static void wrong(struct lane *l, const struct slot *s, uint64_t own, const uint8_t *got)
{
    const struct sector *sec = sector_at(l, s->lun_index, own);
    char found[160], want[64];

    pattern_describe(got, l->sector_bytes, found, sizeof(found));
    if (sec->generation == GENERATION_ZERO)
        snprintf(want, sizeof(want), "zeros");
    else
        snprintf(want, sizeof(want), "generation %" PRIu32 "%s", sec->generation,
                 sec->maybe_zero ? " or zeros" : "");
    lane_fail(l, 1,
              "WRONG DATA at lun %u lba %" PRIu64 " (read of %" PRIu64
              " sectors at %" PRIu64 "): want %s, found %s",
              l->load->o.luns[s->lun_index], lba_of(l, own), s->count,
              lba_of(l, s->first), want, found);
}

static bool sector_right(struct lane *l, const struct slot *s, uint64_t own,
                         const uint8_t *got)
{
    struct sector *sec = sector_at(l, s->lun_index, own);
    struct tag want = tag_for(l, s, own, sec->generation), found;
    enum content content;

    if (sec->generation == GENERATION_NONE)
        return true;
    content = pattern_read(got, l->sector_bytes, &found);
    if (content == CONTENT_ZEROS &&
        (sec->generation == GENERATION_ZERO || sec->maybe_zero)) {
        *sec = (struct sector){.generation = GENERATION_ZERO, .busy = sec->busy};
        return true;
    }
    sec->maybe_zero = false; /* what a read once showed must stay */
    return content == CONTENT_TAGGED && pattern_equal(&want, &found);
}

static void verify(struct lane *l, const struct slot *s)
{
    for (uint64_t i = 0; i < s->count; i++) {
        const uint8_t *got = s->cmd.data + i * l->sector_bytes;
        bool maybe = sector_at(l, s->lun_index, s->first + i)->maybe_zero;
        if (!sector_right(l, s, s->first + i, got)) {
            sector_at(l, s->lun_index, s->first + i)->maybe_zero = maybe;
            wrong(l, s, s->first + i, got);
            return;
        }
    }
}

static void settle(struct lane *l, const struct slot *s, uint32_t generation)
{
    for (uint64_t i = 0; i < s->count; i++)
        *sector_at(l, s->lun_index, s->first + i) =
            (struct sector){.generation = generation};
}

/* Whole extents are zeros now; of the others the target may have kept all or part. */
static void settle_unmap(struct lane *l, const struct slot *s)
{
    uint64_t extent = l->load->o.extent_bytes / l->sector_bytes;
    uint64_t begin = lba_of(l, s->first), end = begin + s->count;
    /* Two descriptors that meet inside an extent unmap neither side of it whole. */
    uint64_t cut = end;

    if (s->cmd.data_bytes > 24) {
        uint64_t head = 0;
        for (int i = 0; i < 4; i++)
            head = head << 8 | s->cmd.data[16 + i];
        cut = begin + head;
    }
    for (uint64_t lba = begin; lba < end; lba++) {
        struct sector *sec = sector_at(l, s->lun_index, s->first + (lba - begin));
        uint64_t from = lba / extent * extent, to = from + extent;
        bool whole = from >= begin && to <= end && (to <= cut || from >= cut);
        sec->busy = false;
        if (whole)
            *sec = (struct sector){.generation = GENERATION_ZERO};
        else if (sec->generation != GENERATION_ZERO && sec->generation != GENERATION_NONE)
            sec->maybe_zero = true;
    }
}

static void finish(struct lane *l, struct slot *s)
{
    atomic_fetch_add(&l->load->done[s->work], 1);
    switch (s->work) {
    case WORK_READ:
        verify(l, s);
        range_mark(l, s, false);
        break;
    case WORK_WRITE:
        settle(l, s, s->generation);
        break;
    case WORK_ZERO:
        settle(l, s, GENERATION_ZERO);
        break;
    case WORK_UNMAP:
        settle_unmap(l, s);
        break;
    default:
        break;
    }
    if (s->work == WORK_READ || s->work == WORK_WRITE)
        atomic_fetch_add(&l->load->bytes, s->cmd.data_bytes);
}

static void send_slot(struct lane *l, struct slot *s)
{
    s->open = true;
    l->open_count++;
    if (peer_submit(l->peer, &s->cmd) != 0) {
        s->open = false;
        l->open_count--;
        lane_fail(l, 2, "cannot send: %s", peer_error(l->peer));
    }
}

static void on_done(void *arg, enum outcome outcome)
{
    struct slot *s = arg;
    struct lane *l = s->lane;

    s->open = false;
    l->open_count--;
    if (outcome == OUTCOME_GOOD) {
        finish(l, s);
    } else if (outcome == OUTCOME_AGAIN) {
        atomic_fetch_add(&l->load->retries, 1);
        send_slot(l, s); /* unit attentions end, and busy is bounded by the stall check */
    } else {
        lane_fail(l, 2, "lba %" PRIu64 " + %" PRIu64 ": %s", lba_of(l, s->first),
                  s->count, peer_error(l->peer));
    }
}

static void start_slot(struct lane *l, struct slot *s)
{
    s->work = pick_work(l);
    s->count = 0;
    if (s->work != WORK_FLUSH && !pick_range(l, s))
        return;
    encode(l, s);
    range_mark(l, s, true);
    l->started++;
    send_slot(l, s);
}

static time_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* Serves until no more than `most` commands are open. A target that answers nothing fails
 * here. */
static void drain_to(struct lane *l, unsigned most)
{
    time_t deadline = now() + STALL_SECONDS;

    while (l->open_count > most && !l->failed) {
        if (peer_turn(l->peer, POLL_MS) != 0 && l->open_count > 0) {
            lane_fail(l, 2, "%s", peer_error(l->peer));
            return;
        }
        if (now() > deadline) {
            lane_fail(l, 2, "STALL: %u commands open for %d s", l->open_count,
                      STALL_SECONDS);
            return;
        }
    }
}

static void work(struct lane *l)
{
    const struct load_options *o = &l->load->o;
    uint64_t share = (o->ops + o->lanes - 1) / o->lanes;

    while (!atomic_load(&l->load->stop) && (o->ops == 0 || l->started < share)) {
        for (unsigned i = 0; i < o->depth && !l->failed; i++) {
            if (!l->slots[i].open)
                start_slot(l, &l->slots[i]);
        }
        drain_to(l, l->open_count > 0 ? l->open_count - 1 : 0);
    }
    drain_to(l, 0);
}

/* Everything that was ever written, once more. */
static void read_back(struct lane *l)
{
    struct slot *s = &l->slots[0];
    uint64_t most = OP_BYTES_MAX / l->sector_bytes;

    for (unsigned lun = 0; lun < l->load->o.lun_count; lun++) {
        for (uint64_t own = 0; own < l->sectors && !l->failed; own += s->count) {
            uint64_t room = l->load->o.chunk_sectors - own % l->load->o.chunk_sectors;
            s->work = WORK_READ;
            s->lun_index = lun;
            s->first = own;
            s->count = room < most ? room : most;
            if (s->count > l->sectors - own)
                s->count = l->sectors - own;
            encode(l, s);
            send_slot(l, s);
            drain_to(l, 0);
        }
    }
}

static bool lane_fits(struct lane *l, unsigned lun)
{
    uint64_t blocks;
    uint32_t block_bytes;

    if (peer_capacity(l->peer, lun, &blocks, &block_bytes) != 0) {
        lane_fail(l, 2, "lun %u: %s", lun, peer_error(l->peer));
        return false;
    }
    if (l->sector_bytes == 0) {
        l->sector_bytes = block_bytes;
        l->sectors = l->load->o.region_bytes / block_bytes;
    }
    if (block_bytes != l->sector_bytes || lba_of(l, l->sectors - 1) >= blocks) {
        lane_fail(l, 2,
                  "lun %u: %" PRIu64 " blocks of %" PRIu32
                  " bytes do not hold the regions",
                  lun, blocks, block_bytes);
        return false;
    }
    return true;
}

static bool lane_open(struct lane *l)
{
    const struct load_options *o = &l->load->o;
    struct peer_options po = {.url = o->url,
                              .initiator = o->initiator,
                              .isid = (uint32_t)((o->seed & 0xffff) << 8 | l->index),
                              .header_digest = o->header_digest && l->index % 2 == 0,
                              .timeout_s = o->timeout_s,
                              .reconnect = o->reconnect,
                              .residuals_ok = o->residuals_ok};
    char text[256];

    l->peer = peer_open(&po, text, sizeof(text));
    if (l->peer == NULL) {
        lane_fail(l, 2, "%s", text);
        return false;
    }
    for (unsigned i = 0; i < o->lun_count; i++) {
        if (!lane_fits(l, o->luns[i]))
            return false;
    }
    if (o->lun_count == 0 || l->sectors == 0)
        return false;
    l->state = calloc(o->lun_count * l->sectors, sizeof(*l->state));
    if (l->state == NULL)
        return false;
    for (uint64_t i = 0; i < o->lun_count * l->sectors && !o->expect_zeros; i++)
        l->state[i].generation = GENERATION_NONE;
    for (unsigned i = 0; i < o->depth; i++) {
        l->slots[i].lane = l;
        l->slots[i].cmd.data = malloc(OP_BYTES_MAX);
        l->slots[i].cmd.done = on_done;
        l->slots[i].cmd.arg = &l->slots[i];
        if (l->slots[i].cmd.data == NULL)
            return false;
    }
    return true;
}

static void lane_free(struct lane *l)
{
    if (l->peer != NULL && l->failed)
        peer_abandon(l->peer);
    else if (l->peer != NULL)
        peer_close(l->peer);
    for (unsigned i = 0; i < l->load->o.depth; i++)
        free(l->slots[i].cmd.data);
    free(l->state);
    free(l);
}

void lane_run(struct load *load, unsigned index)
{
    struct lane *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return;
    l->load = load;
    l->index = index;
    l->rng = (load->o.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
             (index + 1) * UINT64_C(0xd1342543de82ef95);
    if (lane_open(l)) {
        work(l);
        if (!l->failed)
            read_back(l);
    } else {
        l->failed = true;
    }
    lane_free(l);
}
