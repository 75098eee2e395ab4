/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-caw: many sessions increment the same counters by COMPARE AND WRITE and at the
 * same time write, zero and unmap what lies beside them in the same blocks and extents.
 * A counter is a number that fills a range of one block, of a few, or of several extents.
 * In the end each counter has grown by exactly the number of its increments that were
 * answered GOOD, and whoever read one found one number in all of it. The LUN has 512-byte
 * blocks, and is fresh or as another run has left it. Exit 0: so it is; 1: it is not; 2:
 * a command or a connection failed; 64: bad arguments. A thread a session. Usage:
 * ashlar-caw URL INITIATOR SESSIONS SECONDS SEED */
#include "tests/lib/random.h"
#include "tests/protocol/peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK_BYTES  512U
#define SESSIONS_MAX 16U
#define BLOCKS_MAX   255U
#define TRIES_MAX    8 /* of one increment, before it does something else */
#define TIMEOUT_S    60
#define EXIT_WRONG   1
#define EXIT_LOST    2
#define EXIT_USAGE   64

/* An extent has 128 blocks, and 8 of them are one on disk. */
static const struct counter {
    const char *name;
    uint64_t lba;
    uint8_t blocks;
} counters[] = {
    {"a block", 3, 1},
    {"its neighbour", 4, 1},
    {"three blocks", 14, 3},
    {"eight over the edge of an extent", 124, 8},
    {"255 in three extents", 256 + 64, 255},
};
#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

/* Each session has one to itself, in a block on disk that has counters too. */
static const uint64_t own_blocks[SESSIONS_MAX] = {0,  1,  2,  5,  6,  7,  8,   9,
                                                  10, 11, 12, 13, 17, 18, 122, 132};
/* Whole blocks on disk beside counters, that anybody may take away. */
static const struct extent_range spare[] = {{24, 8}, {96, 16}, {136, 64}, {576, 64}};

struct session {
    pthread_t thread;
    struct peer *peer;
    uint64_t index, random;
    uint64_t known[COUNTERS]; /* what each counter is thought to be */
    uint64_t added[COUNTERS]; /* increments that were answered GOOD */
    uint64_t missed;          /* those that found another number */
    uint64_t own;             /* what its own block holds */
    uint8_t data[2 * BLOCKS_MAX * BLOCK_BYTES];
};

static struct session sessions[SESSIONS_MAX];
static uint64_t base[COUNTERS]; /* what each counter was before */
static time_t end_s;
static atomic_int exit_code;

/* The first failure is the program's. */
static void give_up(const struct session *s, int code, const char *what)
{
    int none = 0;
    fprintf(stderr, "ashlar-caw: session %llu: %s: %s\n", (unsigned long long)s->index,
            what, peer_error(s->peer));
    atomic_compare_exchange_strong(&exit_code, &none, code);
}

/* ---- One command ------------------------------------------------------------------- */

struct ending {
    bool ended;
    enum outcome outcome;
};

static void on_end(void *arg, enum outcome outcome)
{
    *(struct ending *)arg = (struct ending){true, outcome};
}

/* Again for as long as it is told so. */
static enum outcome run(struct session *s, struct peer_cmd *c)
{
    struct ending end;
    c->lun = (unsigned)peer_lun(s->peer);
    c->data = s->data;
    c->done = on_end;
    c->arg = &end;
    do {
        end = (struct ending){false, OUTCOME_LOST};
        if (peer_submit(s->peer, c) != 0)
            return OUTCOME_LOST;
        while (!end.ended)
            if (peer_turn(s->peer, 1000) != 0 && !end.ended)
                return OUTCOME_LOST;
    } while (end.outcome == OUTCOME_AGAIN);
    return end.outcome;
}

static void run_good(struct session *s, struct peer_cmd *c, const char *what)
{
    if (run(s, c) != OUTCOME_GOOD)
        give_up(s, EXIT_LOST, what);
}

/* ---- Counters ---------------------------------------------------------------------- */

static void fill(uint8_t *data, size_t bytes, uint64_t number)
{
    for (size_t i = 0; i < bytes; i += sizeof(number))
        memcpy(data + i, &number, sizeof(number));
}

/* The number that the first `bytes` of the data are filled with. */
static uint64_t filled_with(struct session *s, size_t bytes, const char *what)
{
    uint64_t number;
    memcpy(&number, s->data, sizeof(number));
    if (memcmp(s->data, s->data + sizeof(number), bytes - sizeof(number)) != 0) {
        fprintf(stderr, "ashlar-caw: %s: not one number in all of it\n", what);
        give_up(s, EXIT_WRONG, what);
    }
    return number;
}

static uint64_t counter_read(struct session *s, size_t i)
{
    struct peer_cmd c = {.data_bytes = counters[i].blocks * BLOCK_BYTES};
    cmd_read(&c, 16, counters[i].lba, counters[i].blocks);
    run_good(s, &c, "READ(16)");
    return filled_with(s, c.data_bytes, counters[i].name);
}

/* False: it was another number. */
static bool counter_raise(struct session *s, size_t i)
{
    size_t bytes = counters[i].blocks * BLOCK_BYTES;
    struct peer_cmd c = {.data_bytes = 2 * bytes};
    fill(s->data, bytes, s->known[i]);
    fill(s->data + bytes, bytes, s->known[i] + 1);
    cmd_compare_write(&c, counters[i].lba, counters[i].blocks, draw(&s->random, 16) == 0);
    enum outcome outcome = run(s, &c);
    if (outcome == OUTCOME_GOOD) {
        s->known[i]++;
        s->added[i]++;
        return true;
    }
    if (outcome != OUTCOME_MISCOMPARE) {
        give_up(s, EXIT_LOST, "COMPARE AND WRITE");
        return true;
    }
    s->missed++;
    uint64_t now = counter_read(s, i);
    if (now <= s->known[i])
        give_up(s, EXIT_WRONG, "a miscompare with the number that is there");
    s->known[i] = now;
    return false;
}

static void counter_turn(struct session *s)
{
    size_t i = (size_t)draw(&s->random, COUNTERS);
    for (unsigned n = 0; n < TRIES_MAX && !counter_raise(s, i); n++)
        ;
}

/* ---- Beside them ------------------------------------------------------------------- */

static uint64_t own_block_read(struct session *s)
{
    struct peer_cmd c = {.data_bytes = BLOCK_BYTES};
    cmd_read(&c, 10, own_blocks[s->index], 1);
    run_good(s, &c, "READ(10)");
    return filled_with(s, BLOCK_BYTES, "an own block");
}

/* What it wrote last is there, and is replaced. */
static void own_block_turn(struct session *s)
{
    struct peer_cmd c = {.data_bytes = BLOCK_BYTES};
    if (own_block_read(s) != s->own)
        give_up(s, EXIT_WRONG, "an own block holds something else");
    s->own = s->random;
    fill(s->data, BLOCK_BYTES, s->own);
    cmd_write(&c, 10, own_blocks[s->index], 1, false);
    run_good(s, &c, "WRITE(10)");
}

static void spare_turn(struct session *s)
{
    const struct extent_range *range = &spare[draw(&s->random, 4)];
    struct peer_cmd c = {.data_bytes = range->blocks * BLOCK_BYTES};
    uint64_t kind = draw(&s->random, 3);
    if (kind == 0) {
        c.data = s->data;
        cmd_unmap(&c, range, 1);
    } else if (kind == 1) {
        c.data_bytes = BLOCK_BYTES;
        memset(s->data, 0, BLOCK_BYTES);
        cmd_write_zeros(&c, range->lba, range->blocks, true);
    } else {
        fill(s->data, c.data_bytes, s->random);
        cmd_write(&c, 16, range->lba, range->blocks, false);
    }
    run_good(s, &c, "UNMAP, WRITE SAME or WRITE");
}

static void *work(void *arg)
{
    struct session *s = arg;
    while (time(NULL) < end_s && atomic_load(&exit_code) == 0) {
        uint64_t n = draw(&s->random, 10);
        if (n < 6)
            counter_turn(s);
        else if (n < 8)
            own_block_turn(s);
        else
            spare_turn(s);
    }
    return NULL;
}

/* ---- All of them ------------------------------------------------------------------- */

static bool log_in(const char *const *args, unsigned count, uint64_t seed)
{
    char text[256];
    for (unsigned i = 0; i < count; i++) {
        const struct peer_options o = {
            .url = args[0], .initiator = args[1], .isid = i + 1, .timeout_s = TIMEOUT_S};
        sessions[i].index = i;
        sessions[i].random = (seed + i) * 2654435761U + 88172645463325252ULL;
        sessions[i].peer = peer_open(&o, text, sizeof(text));
        if (sessions[i].peer == NULL) {
            fprintf(stderr, "ashlar-caw: %s\n", text);
            return false;
        }
        sessions[i].own = own_block_read(&sessions[i]);
    }
    return true;
}

static void work_all(unsigned count)
{
    for (size_t i = 0; i < COUNTERS; i++)
        base[i] = counter_read(&sessions[0], i);
    for (unsigned n = 0; n < count; n++)
        memcpy(sessions[n].known, base, sizeof(base));
    for (unsigned n = 0; n < count; n++)
        if (pthread_create(&sessions[n].thread, NULL, work, &sessions[n]) != 0)
            abort();
    for (unsigned n = 0; n < count; n++)
        pthread_join(sessions[n].thread, NULL);
}

static void judge(unsigned count)
{
    uint64_t missed = 0;
    for (unsigned n = 0; n < count; n++)
        missed += sessions[n].missed;
    for (size_t i = 0; i < COUNTERS && atomic_load(&exit_code) != EXIT_LOST; i++) {
        uint64_t added = 0, grown = counter_read(&sessions[0], i) - base[i];
        for (unsigned n = 0; n < count; n++)
            added += sessions[n].added[i];
        printf("%s: %llu increments, it has grown by %llu\n", counters[i].name,
               (unsigned long long)added, (unsigned long long)grown);
        if (added != grown || added == 0)
            give_up(&sessions[0], EXIT_WRONG, counters[i].name);
    }
    printf("%u sessions, %llu miscompares\n", count, (unsigned long long)missed);
}

int main(int argc, char **argv)
{
    unsigned count = argc == 6 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    if (count < 1 || count > SESSIONS_MAX) {
        fprintf(stderr, "usage: ashlar-caw URL INITIATOR SESSIONS(1-%u) SECONDS SEED\n",
                SESSIONS_MAX);
        return EXIT_USAGE;
    }
    end_s = time(NULL) + (time_t)strtoul(argv[4], NULL, 10);
    const char *const args[] = {argv[1], argv[2]};
    if (!log_in(args, count, strtoull(argv[5], NULL, 10)))
        return EXIT_LOST;
    work_all(count);
    judge(count);
    for (unsigned i = 0; i < count; i++)
        peer_close(sessions[i].peer);
    return atomic_load(&exit_code);
}
