/* SPDX-License-Identifier: Apache-2.0 */
/* The checker of the crash test: replays the journal into the list of contents that each
 * 4 KiB block has had, with a floor that answered flushes and FUA writes raise, reads the
 * restarted target and finds each block in its list at or above the floor. Anything else
 * is a broken promise: older (lost after a flush), of no list (torn, misplaced, someone
 * else's). What it read becomes the first content of the next round. One thread. */
#include "tests/crash/journal.h"
#include "tests/protocol/pattern.h"
#include "tests/protocol/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS_MAX   (CRASH_BLOCK / 512)
#define READ_BYTES    (256u * 1024)
#define POLL_MS       100
#define FIRST_CONTENT UINT32_MAX /* the op of what the last check saw */
#define REPORTS_MAX   5

struct version {
    uint32_t op;
    uint32_t tags[SECTORS_MAX];
};

struct block {
    struct version *versions;
    uint32_t count, room, floor;
};

struct op {
    struct event_record record;
    bool answered;
    uint64_t answered_at; /* position in the journal */
};

struct checker {
    const struct crash_options *o;
    struct peer *peer;
    uint32_t sector_bytes, sectors_per_block;
    uint64_t blocks_per_lun;
    struct block *blocks;
    struct op *ops;
    uint32_t op_count, op_room;
    uint64_t at; /* position in the journal */
    uint64_t writes, flushes, floors, behind;
    unsigned wrong;
    bool broken; /* the check itself cannot go on */
};

static bool broken(struct checker *c, const char *what)
{
    if (!c->broken)
        fprintf(stderr, "crash check: %s (%s)\n", what, strerror(errno));
    c->broken = true;
    return false;
}

static struct version *version_add(struct checker *c, struct block *b, uint32_t op)
{
    if (b->count == b->room) {
        uint32_t room = b->room == 0 ? 4 : b->room * 2;
        struct version *more = realloc(b->versions, room * sizeof(*more));
        if (more == NULL) {
            broken(c, "no memory");
            return NULL;
        }
        b->versions = more;
        b->room = room;
    }
    struct version *v = &b->versions[b->count];
    if (b->count > 0)
        *v = b->versions[b->count - 1];
    v->op = op;
    b->count++;
    return v;
}

static struct op *op_add(struct checker *c, const struct event_record *r)
{
    if (r->op != c->op_count) {
        broken(c, "the journal skips an operation");
        return NULL;
    }
    if (c->op_count == c->op_room) {
        uint32_t room = c->op_room == 0 ? 1024 : c->op_room * 2;
        struct op *more = realloc(c->ops, room * sizeof(*more));
        if (more == NULL) {
            broken(c, "no memory");
            return NULL;
        }
        c->ops = more;
        c->op_room = room;
    }
    c->ops[c->op_count] = (struct op){.record = *r};
    c->ops[c->op_count].answered_at = c->at;
    return &c->ops[c->op_count++];
}

static struct block *block_at(struct checker *c, uint32_t lun_index, uint64_t block)
{
    return &c->blocks[lun_index * c->blocks_per_lun + block];
}

static bool on_write_begin(struct checker *c, const struct event_record *r)
{
    if (op_add(c, r) == NULL)
        return false;
    c->writes++;
    for (uint64_t lba = r->lba; lba < r->lba + r->sectors;) {
        struct block *b = block_at(c, r->lun_index, lba / c->sectors_per_block);
        struct version *v = version_add(c, b, r->op);
        if (v == NULL)
            return false;
        do {
            v->tags[lba % c->sectors_per_block] = r->generation;
            lba++;
        } while (lba < r->lba + r->sectors && lba % c->sectors_per_block != 0);
    }
    return true;
}

/* An open write had its blocks to itself, so its version is the last one of each. */
static void on_write_ack(struct checker *c, const struct event_record *r)
{
    struct op *op = &c->ops[r->op];

    op->answered = true;
    op->answered_at = c->at;
    if (r->fua == 0)
        return;
    uint64_t first = r->lba / c->sectors_per_block;
    uint64_t last = (r->lba + r->sectors - 1) / c->sectors_per_block;
    for (uint64_t i = first; i <= last; i++) {
        struct block *b = block_at(c, r->lun_index, i);
        b->floor = b->count - 1;
    }
}

/* Covers what had been answered when the flush began. */
static void on_flush_ack(struct checker *c, const struct event_record *r)
{
    uint64_t begun_at = c->ops[r->op].answered_at;

    c->flushes++;
    for (uint64_t i = 0; i < c->blocks_per_lun; i++) {
        struct block *b = block_at(c, r->lun_index, i);
        for (uint32_t v = b->count; v-- > b->floor + 1;) {
            const struct op *op = &c->ops[b->versions[v].op];
            if (op->answered && op->answered_at < begun_at) {
                b->floor = v;
                break;
            }
        }
    }
}

static bool replay_one(struct checker *c, const struct event_record *r)
{
    if (r->journal_id != CRASH_JOURNAL_ID || r->lun_index >= c->o->lun_count)
        return broken(c, "the journal is damaged");
    switch (r->event) {
    case EVENT_WRITE_BEGIN:
        return on_write_begin(c, r);
    case EVENT_FLUSH_BEGIN:
        return op_add(c, r) != NULL;
    case EVENT_WRITE_ACK:
    case EVENT_FLUSH_ACK:
        if (r->op >= c->op_count)
            return broken(c, "the journal answers what it never sent");
        if (r->event == EVENT_WRITE_ACK)
            on_write_ack(c, r);
        else
            on_flush_ack(c, r);
        return true;
    default:
        return broken(c, "the journal is damaged");
    }
}

static bool replay(struct checker *c)
{
    struct event_record r;
    FILE *f = fopen(c->o->journal, "rb");

    if (f == NULL)
        return broken(c, c->o->journal);
    while (!c->broken && fread(&r, sizeof(r), 1, f) == 1) {
        replay_one(c, &r);
        c->at++;
    }
    fclose(f);
    return !c->broken;
}

static uint64_t tag_count(const struct checker *c)
{
    return c->o->lun_count * c->blocks_per_lun * c->sectors_per_block;
}

/* Without a state file the LUNs are fresh: zeros. */
static bool load_state(struct checker *c)
{
    uint64_t n = tag_count(c);
    uint32_t *tags = calloc(n, sizeof(*tags));
    FILE *f = fopen(c->o->state, "rb");

    if (tags == NULL)
        return broken(c, "no memory");
    if (f != NULL && fread(tags, sizeof(*tags), n, f) != n)
        broken(c, "the state file is short");
    if (f != NULL)
        fclose(f);
    for (uint64_t i = 0; i < c->o->lun_count * c->blocks_per_lun && !c->broken; i++) {
        struct version *v = version_add(c, &c->blocks[i], FIRST_CONTENT);
        if (v != NULL)
            memcpy(v->tags, tags + i * c->sectors_per_block,
                   c->sectors_per_block * sizeof(*tags));
    }
    free(tags);
    return !c->broken;
}

static bool save_state(struct checker *c)
{
    FILE *f = fopen(c->o->state, "wb");

    if (f == NULL)
        return broken(c, c->o->state);
    for (uint64_t i = 0; i < c->o->lun_count * c->blocks_per_lun; i++)
        fwrite(c->blocks[i].versions[0].tags, sizeof(uint32_t), c->sectors_per_block, f);
    return fclose(f) == 0 || broken(c, c->o->state);
}

static bool tags_equal(const struct checker *c, const uint32_t *a, const uint32_t *b)
{
    return memcmp(a, b, c->sectors_per_block * sizeof(*a)) == 0;
}

static bool content_allowed(const struct checker *c, const struct block *b,
                            const uint32_t *tags)
{
    for (uint32_t v = b->floor; v < b->count; v++) {
        if (tags_equal(c, tags, b->versions[v].tags))
            return true;
    }
    return false;
}

static const char *why_wrong(const struct checker *c, const struct block *b,
                             const uint32_t *tags)
{
    for (uint32_t v = 0; v < b->floor; v++) {
        if (tags_equal(c, tags, b->versions[v].tags))
            return "LOST: older than what an answered flush covered";
    }
    return "TORN or mixed: no content that this block ever had";
}

static void report_wrong(struct checker *c, uint32_t lun_index, uint64_t block,
                         const uint32_t *tags)
{
    const struct block *b = block_at(c, lun_index, block);

    if (c->wrong++ >= REPORTS_MAX)
        return;
    fprintf(stderr, "crash check: lun %u block %" PRIu64 " (lba %" PRIu64 "): %s\n",
            c->o->luns[lun_index], block, block * c->sectors_per_block,
            why_wrong(c, b, tags));
    for (uint32_t s = 0; s < c->sectors_per_block; s++) {
        fprintf(stderr, "    sector %u: generation %" PRIu32 ", allowed", s, tags[s]);
        for (uint32_t v = b->floor; v < b->count && v < b->floor + 6; v++)
            fprintf(stderr, " %" PRIu32 "%s", b->versions[v].tags[s],
                    v == b->floor ? " (flushed)" : "");
        fputc('\n', stderr);
    }
}

/* The generation of a sector, or false: it is nothing that this test wrote there. */
static bool read_tag(struct checker *c, uint32_t lun_index, uint64_t lba,
                     const uint8_t *sector, uint32_t *generation)
{
    struct tag t;
    char text[160];
    enum content content = pattern_read(sector, c->sector_bytes, &t);

    *generation = CRASH_TAG_ZERO;
    if (content == CONTENT_ZEROS)
        return true;
    *generation = t.generation;
    if (content == CONTENT_TAGGED && t.lba == lba && t.lun == c->o->luns[lun_index] &&
        t.seed == (uint32_t)c->o->seed)
        return true;
    if (c->wrong++ < REPORTS_MAX) {
        pattern_describe(sector, c->sector_bytes, text, sizeof(text));
        fprintf(stderr, "crash check: lun %u lba %" PRIu64 ": FOREIGN: %s\n",
                c->o->luns[lun_index], lba, text);
    }
    return false;
}

static void judge_block(struct checker *c, uint32_t lun_index, uint64_t block,
                        const uint8_t *data)
{
    struct block *b = block_at(c, lun_index, block);
    uint32_t tags[SECTORS_MAX] = {0};
    bool ours = true;

    for (uint32_t s = 0; s < c->sectors_per_block; s++) {
        if (!read_tag(c, lun_index, block * c->sectors_per_block + s,
                      data + (size_t)s * c->sector_bytes, &tags[s]))
            ours = false;
    }
    c->floors += b->floor > 0;
    if (ours && !content_allowed(c, b, tags))
        report_wrong(c, lun_index, block, tags);
    c->behind += ours && !tags_equal(c, tags, b->versions[b->count - 1].tags);
    memcpy(b->versions[0].tags, tags, sizeof(tags));
}

static void on_read(void *arg, enum outcome outcome)
{
    *(enum outcome *)arg = outcome;
}

static bool read_piece(struct checker *c, uint32_t lun_index, uint64_t lba,
                       uint32_t sectors, uint8_t *data)
{
    const enum outcome open = (enum outcome) - 1;
    enum outcome outcome = open;
    struct peer_cmd cmd = {.lun = c->o->luns[lun_index],
                           .data = data,
                           .data_bytes = (size_t)sectors * c->sector_bytes,
                           .done = on_read,
                           .arg = &outcome};

    cmd_read(&cmd, 16, lba, sectors);
    do {
        outcome = open;
        if (peer_submit(c->peer, &cmd) != 0)
            return broken(c, "cannot send a read");
        while (outcome == open && peer_turn(c->peer, POLL_MS) == 0)
            ;
    } while (outcome == OUTCOME_AGAIN);
    if (outcome != OUTCOME_GOOD) {
        fprintf(stderr, "crash check: read at %" PRIu64 ": %s\n", lba,
                peer_error(c->peer));
        c->broken = true;
    }
    return !c->broken;
}

static bool judge_lun(struct checker *c, uint32_t lun_index, uint8_t *data)
{
    uint64_t step = READ_BYTES / CRASH_BLOCK;

    for (uint64_t block = 0; block < c->blocks_per_lun; block += step) {
        uint64_t n = c->blocks_per_lun - block < step ? c->blocks_per_lun - block : step;
        if (!read_piece(c, lun_index, block * c->sectors_per_block,
                        (uint32_t)(n * c->sectors_per_block), data))
            return false;
        for (uint64_t i = 0; i < n; i++)
            judge_block(c, lun_index, block + i, data + i * CRASH_BLOCK);
    }
    return true;
}

static bool open_target(struct checker *c)
{
    struct peer_options po = {.url = c->o->url,
                              .initiator = c->o->initiator,
                              .isid = 0x7ff,
                              .timeout_s = 30,
                              .residuals_ok = c->o->residuals_ok != 0};
    uint64_t lun_blocks;
    char text[256];

    c->peer = peer_open(&po, text, sizeof(text));
    if (c->peer == NULL) {
        fprintf(stderr, "crash check: %s\n", text);
        return false;
    }
    for (unsigned l = 0; l < c->o->lun_count; l++) {
        if (peer_capacity(c->peer, c->o->luns[l], &lun_blocks, &c->sector_bytes) != 0) {
            fprintf(stderr, "crash check: lun %u: %s\n", c->o->luns[l],
                    peer_error(c->peer));
            return false;
        }
    }
    if (c->sector_bytes < 512 || c->sector_bytes > CRASH_BLOCK) {
        fprintf(stderr, "crash check: blocks of %" PRIu32 " bytes\n", c->sector_bytes);
        return false;
    }
    c->sectors_per_block = CRASH_BLOCK / c->sector_bytes;
    c->blocks_per_lun = c->o->region_bytes / CRASH_BLOCK;
    c->blocks = calloc(c->o->lun_count * c->blocks_per_lun, sizeof(*c->blocks));
    return c->blocks != NULL;
}

static void checker_fini(struct checker *c)
{
    if (c->peer != NULL)
        peer_close(c->peer);
    for (uint64_t i = 0; c->blocks != NULL && i < c->o->lun_count * c->blocks_per_lun;
         i++)
        free(c->blocks[i].versions);
    free(c->blocks);
    free(c->ops);
}

int crash_check(const struct crash_options *o)
{
    struct checker c = {.o = o};
    uint8_t *data = malloc(READ_BYTES);
    int rc = 2;

    if (data != NULL && open_target(&c) && load_state(&c) && replay(&c)) {
        for (unsigned l = 0; l < o->lun_count && !c.broken; l++)
            judge_lun(&c, l, data);
        if (!c.broken && c.wrong == 0 && save_state(&c))
            rc = 0;
        else if (c.wrong > 0)
            rc = 1;
    }
    printf("%" PRIu64 " writes, %" PRIu64 " flushes; %" PRIu64
           " blocks had to keep flushed data, "
           "%" PRIu64 " went back to an allowed older one, %u wrong\n",
           c.writes, c.flushes, c.floors, c.behind, c.wrong);
    checker_fini(&c);
    free(data);
    return rc;
}
