/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-paced: sessions that ask for all they can get, 4 KiB or so at random, a write
 * after each read, and how much they got in each second, all together and each alone:
 *
 *     ashlar-paced [--seconds N] [--depth N] [--last-depth N] [--bytes N]
 *                  [--initiator IQN] URL...
 *
 * --last-depth: of the last session. A session a URL, logged in one after the other
 * before the first begins. Prints lines "second N commands C of C1 C2 ..."; judges
 * nothing. A thread a session. */
#include "tests/protocol/peer.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SESSIONS_MAX 16
#define SECONDS_MAX  120
#define DEPTH_MAX    128
#define POLL_MS      50
#define SECTOR       512

struct session;

struct slot {
    struct session *session;
    struct peer_cmd cmd;
    bool open;
};

struct session {
    pthread_t thread;
    struct peer *peer;
    unsigned lun, depth;
    uint64_t places; /* of a command's size */
    uint64_t random;
    bool failed;
    uint64_t of_second[SECONDS_MAX];
    struct slot slots[DEPTH_MAX];
};

static struct {
    unsigned seconds, depth, last_depth; /* 0: as the others' */
    uint32_t bytes;
    const char *initiator;
} options = {10, 32, 0, 4096, "iqn.2026-01.test.ashlar:one"};

static struct session sessions[SESSIONS_MAX];
static int session_count;
static int64_t began_ns;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* seconds: it is over. */
static unsigned this_second(void)
{
    int64_t s = (now_ns() - began_ns) / 1000000000;
    return s < options.seconds ? (unsigned)s : options.seconds;
}

static void slot_send(struct slot *slot);

static void slot_done(void *arg, enum outcome outcome)
{
    struct slot *slot = arg;
    struct session *s = slot->session;
    unsigned second = this_second();
    slot->open = false;
    if (outcome == OUTCOME_GOOD && second < options.seconds)
        s->of_second[second]++;
    s->failed |= outcome == OUTCOME_SENSE || outcome == OUTCOME_LOST;
    if (!s->failed && second < options.seconds)
        slot_send(slot);
}

static void slot_send(struct slot *slot)
{
    struct session *s = slot->session;
    s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
    uint32_t blocks = options.bytes / SECTOR;
    uint64_t lba = (s->random >> 33) % s->places * blocks;
    slot->cmd.data_bytes = options.bytes;
    if ((s->random >> 20 & 1) == 0)
        cmd_read(&slot->cmd, 16, lba, blocks);
    else
        cmd_write(&slot->cmd, 16, lba, blocks, false);
    slot->open = peer_submit(s->peer, &slot->cmd) == 0;
    s->failed |= !slot->open;
}

static bool is_open(const struct session *s)
{
    for (unsigned i = 0; i < s->depth; i++)
        if (s->slots[i].open)
            return true;
    return false;
}

static void *session_run(void *arg)
{
    struct session *s = arg;
    for (unsigned i = 0; i < s->depth; i++)
        slot_send(&s->slots[i]);
    while (!s->failed && is_open(s))
        s->failed |= peer_turn(s->peer, POLL_MS) != 0;
    return NULL;
}

static void session_open(struct session *s, const char *url, uint32_t isid)
{
    char why[256];
    uint64_t blocks;
    uint32_t block_bytes;
    struct peer_options o = {
        .url = url, .initiator = options.initiator, .isid = isid, .timeout_s = 0};
    s->peer = peer_open(&o, why, sizeof(why));
    if (s->peer == NULL) {
        fprintf(stderr, "ashlar-paced: %s: %s\n", url, why);
        exit(2);
    }
    s->lun = (unsigned)peer_lun(s->peer);
    if (peer_capacity(s->peer, s->lun, &blocks, &block_bytes) != 0 ||
        block_bytes != SECTOR || blocks < options.bytes / SECTOR) {
        fprintf(stderr, "ashlar-paced: %s: its size or its blocks do not fit\n", url);
        exit(2);
    }
    s->places = blocks / (options.bytes / SECTOR);
    s->random = isid;
    s->depth = options.depth;
    if ((int)isid == session_count && options.last_depth != 0)
        s->depth = options.last_depth;
    for (unsigned i = 0; i < s->depth; i++) {
        s->slots[i].session = s;
        s->slots[i].cmd = (struct peer_cmd){.lun = s->lun,
                                            .data = calloc(1, options.bytes),
                                            .done = slot_done,
                                            .arg = &s->slots[i]};
        if (s->slots[i].cmd.data == NULL)
            exit(2);
    }
}

static int report(void)
{
    int rc = 0;
    for (unsigned second = 0; second < options.seconds; second++) {
        uint64_t all = 0;
        for (int i = 0; i < session_count; i++)
            all += sessions[i].of_second[second];
        printf("second %u commands %llu of", second, (unsigned long long)all);
        for (int i = 0; i < session_count; i++)
            printf(" %llu", (unsigned long long)sessions[i].of_second[second]);
        printf("\n");
    }
    for (int i = 0; i < session_count; i++) {
        if (!sessions[i].failed)
            continue;
        fprintf(stderr, "ashlar-paced: session %d: %s\n", i,
                peer_error(sessions[i].peer));
        rc = 1;
    }
    return rc;
}

static unsigned number(const char *text, unsigned max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end == '\0' && n > 0 && n <= max)
        return (unsigned)n;
    fprintf(stderr, "ashlar-paced: %s: 1 to %u is wanted\n", text, max);
    exit(64);
}

static void read_options(int argc, char **argv)
{
    static const struct option names[] = {{"seconds", required_argument, NULL, 's'},
                                          {"depth", required_argument, NULL, 'd'},
                                          {"last-depth", required_argument, NULL, 'l'},
                                          {"bytes", required_argument, NULL, 'b'},
                                          {"initiator", required_argument, NULL, 'i'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 's')
            options.seconds = number(optarg, SECONDS_MAX);
        else if (c == 'd')
            options.depth = number(optarg, DEPTH_MAX);
        else if (c == 'l')
            options.last_depth = number(optarg, DEPTH_MAX);
        else if (c == 'b')
            options.bytes = number(optarg, 1U << 20) / SECTOR * SECTOR;
        else if (c == 'i')
            options.initiator = optarg;
        else
            exit(64);
    }
    session_count = argc - optind;
    if (session_count < 1 || session_count > SESSIONS_MAX || options.bytes == 0) {
        fprintf(stderr, "usage: ashlar-paced [--seconds N] [--depth N] [--last-depth N] "
                        "[--bytes N] [--initiator IQN] URL...\n");
        exit(64);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    for (int i = 0; i < session_count; i++)
        session_open(&sessions[i], argv[optind + i], (uint32_t)i + 1);
    began_ns = now_ns();
    for (int i = 0; i < session_count; i++)
        if (pthread_create(&sessions[i].thread, NULL, session_run, &sessions[i]) != 0)
            return 2;
    for (int i = 0; i < session_count; i++)
        pthread_join(sessions[i].thread, NULL);
    int rc = report();
    for (int i = 0; i < session_count; i++)
        peer_close(sessions[i].peer);
    return rc;
}
