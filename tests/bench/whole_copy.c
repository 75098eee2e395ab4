/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-whole-copy: one session has a LUN copied to another by EXTENDED COPY, from the
 * first block on, a command at a time. Usage:
 *
 *     ashlar-whole-copy INITIATOR URL FROM_NAA TO_NAA GIB SEGMENTS
 *
 * URL has the LUN that the commands go to; FROM_NAA and TO_NAA are 32 hex digits each.
 * A command has up to SEGMENTS segments, each as long as its field can tell, in whole
 * extents. Prints "N commands, S s, the longest MS ms". */
#include "tests/lib/copy_list.h"
#include "tests/protocol/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECTOR         512U
#define SEGMENT_BLOCKS 65408U /* the most that is of whole 64 KiB */
#define POLL_MS        1000
#define GIB_SECTORS    (UINT64_C(1) << 21)
#define SEGMENTS_MAX   256

struct whole {
    struct peer *peer;
    uint8_t from[16], to[16];
    uint64_t at, end; /* sectors */
    unsigned segments;
    struct copy_list list;
    bool ended;
    enum outcome outcome;
    uint64_t commands;
    double longest_s;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "ashlar-whole-copy: %s: %s\n", what, why);
    exit(2);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void take_naa(uint8_t naa[16], const char *hex)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            die("a name of 32 hex digits is asked for, not", hex);
        naa[i] = (uint8_t)byte;
    }
}

static void on_done(void *arg, enum outcome outcome)
{
    struct whole *w = arg;
    w->outcome = outcome;
    w->ended = true;
}

static void make_list(struct whole *w)
{
    copy_list_begin(&w->list, 1, 2);
    copy_list_unit(&w->list, w->from, SECTOR);
    copy_list_unit(&w->list, w->to, SECTOR);
    for (unsigned i = 0; i < w->segments && w->at < w->end; i++) {
        uint64_t left = w->end - w->at;
        uint16_t blocks = (uint16_t)(left < SEGMENT_BLOCKS ? left : SEGMENT_BLOCKS);
        copy_list_segment(&w->list, 0, 1, blocks, w->at, w->at);
        w->at += blocks;
    }
}

static enum outcome send_list(struct whole *w)
{
    struct peer_cmd c = {.lun = (unsigned)peer_lun(w->peer),
                         .cdb = {0x83},
                         .cdb_bytes = 16,
                         .writes = true,
                         .data = w->list.bytes,
                         .data_bytes = w->list.at,
                         .done = on_done,
                         .arg = w};
    copy_list_be(c.cdb + 10, 4, w->list.at);
    w->ended = false;
    if (peer_submit(w->peer, &c) != 0)
        die("nothing was sent", peer_error(w->peer));
    while (!w->ended)
        (void)peer_turn(w->peer, POLL_MS);
    return w->outcome;
}

static void copy_next(struct whole *w)
{
    double began_s = now_s();
    make_list(w);
    enum outcome outcome = OUTCOME_AGAIN;
    while (outcome == OUTCOME_AGAIN)
        outcome = send_list(w);
    if (outcome != OUTCOME_GOOD)
        die("EXTENDED COPY", peer_error(w->peer));
    double took_s = now_s() - began_s;
    w->longest_s = took_s > w->longest_s ? took_s : w->longest_s;
    w->commands++;
}

int main(int argc, char **argv)
{
    static struct whole w;
    char why[256];
    if (argc != 7)
        die("usage", "ashlar-whole-copy INITIATOR URL FROM_NAA TO_NAA GIB SEGMENTS");
    struct peer_options o = {.initiator = argv[1], .url = argv[2], .isid = 1};
    take_naa(w.from, argv[3]);
    take_naa(w.to, argv[4]);
    w.end = strtoull(argv[5], NULL, 10) * GIB_SECTORS;
    w.segments = (unsigned)strtoul(argv[6], NULL, 10);
    if (w.segments == 0 || w.segments > SEGMENTS_MAX)
        die("SEGMENTS is 1 to 256, not", argv[6]);
    w.peer = peer_open(&o, why, sizeof(why));
    if (w.peer == NULL)
        die("login", why);
    double began_s = now_s();
    while (w.at < w.end)
        copy_next(&w);
    printf("%llu commands, %.3f s, the longest %.1f ms\n", (unsigned long long)w.commands,
           now_s() - began_s, w.longest_s * 1e3);
    peer_close(w.peer);
    return 0;
}
