/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-load: many connections write, zero, unmap, flush and read at random and check
 * every byte. It works against any iSCSI target. Exit 0: all right; 1: wrong data (it
 * says what and where); 2: a command, a login or a connection failed; 64: bad arguments.
 * The same seed makes the same requests (their interleaving is the target's and the
 * scheduler's). One thread a connection; the main thread only waits. */
#include "tests/protocol/lane.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LANES_MAX  256
#define EXIT_USAGE 64

struct worker {
    pthread_t thread;
    struct load *load;
    unsigned index;
};

static const char usage[] =
    "ashlar-load [options] iscsi://HOST:PORT/TARGET/LUN\n"
    "  --connections N    sessions, each with sectors of its own (16)\n"
    "  --depth N          open commands of one connection (4)\n"
    "  --lun N            may be repeated; else the LUN of the URL\n"
    "  --region BYTES     owned by one connection on each LUN (4 MiB and 3 blocks)\n"
    "  --chunk SECTORS    lay the regions between each other in pieces of this (whole "
    "regions)\n"
    "  --extent BYTES     unmapped whole and aligned it must read zeros (65536)\n"
    "  --ops N            end after so many commands in all\n"
    "  --seconds N        end after this time (5, unless --ops is given)\n"
    "  --seed N           (1)\n"
    "  --mix W,R,F,U,Z    shares of write, read, flush, unmap, write same (45,35,5,8,7)\n"
    "  --timeout SECONDS  of one command (30)\n"
    "  --initiator IQN    (iqn.2026-01.test.ashlar:one)\n"
    "  --header-digest    CRC32C headers on every second connection\n"
    "  --reconnect        log in again after a lost connection or a logout that was "
    "asked for\n"
    "  --residuals-ok     a GOOD status may come with a residual (tgt's UNMAP)\n"
    "  --expect-zeros     the LUNs are fresh: what was never written reads zeros\n";

static uint64_t number(const char *text, const char *what)
{
    char *end;

    errno = 0;
    uint64_t n = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0') {
        fprintf(stderr, "ashlar-load: %s: not a number: %s\n", what, text);
        n = UINT64_MAX;
    }
    return n;
}

static bool parse_mix(const char *text, unsigned *share)
{
    return sscanf(text, "%u,%u,%u,%u,%u", &share[WORK_WRITE], &share[WORK_READ],
                  &share[WORK_FLUSH], &share[WORK_UNMAP],
                  &share[WORK_ZERO]) == WORK_KINDS;
}

static bool take_option(struct load_options *o, int name, const char *value)
{
    uint64_t n = strchr("mIHREA", name) != NULL ? 0 : number(value, "option");

    switch (name) {
    case 'c':
        o->lanes = (unsigned)n;
        return n >= 1 && n <= LANES_MAX;
    case 'd':
        o->depth = (unsigned)n;
        return n >= 1 && n <= LOAD_DEPTH_MAX;
    case 'l':
        if (o->lun_count == LOAD_LUNS_MAX || n > 255)
            return false;
        o->luns[o->lun_count++] = (unsigned)n;
        return true;
    case 'r':
        o->region_bytes = n;
        return n >= 65536;
    case 'k':
        o->chunk_sectors = n;
        return n >= 1;
    case 'x':
        o->extent_bytes = n;
        return n >= 4096 && n <= 256 * 1024;
    case 'o':
        o->ops = n;
        return n != UINT64_MAX;
    case 's':
        o->seconds = (unsigned)n;
        return n <= 86400;
    case 'S':
        o->seed = n;
        return true;
    case 't':
        o->timeout_s = (int)n;
        return n <= 3600;
    case 'm':
        return parse_mix(value, o->work_share);
    case 'I':
        o->initiator = value;
        return true;
    case 'H':
        o->header_digest = true;
        return true;
    case 'A':
        o->reconnect = true;
        return true;
    case 'R':
        o->residuals_ok = true;
        return true;
    case 'E':
        o->expect_zeros = true;
        return true;
    default:
        return false;
    }
}

static bool parse(struct load_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"connections", 1, 0, 'c'},
        {"depth", 1, 0, 'd'},
        {"lun", 1, 0, 'l'},
        {"region", 1, 0, 'r'},
        {"chunk", 1, 0, 'k'},
        {"extent", 1, 0, 'x'},
        {"ops", 1, 0, 'o'},
        {"seconds", 1, 0, 's'},
        {"seed", 1, 0, 'S'},
        {"mix", 1, 0, 'm'},
        {"timeout", 1, 0, 't'},
        {"initiator", 1, 0, 'I'},
        {"header-digest", 0, 0, 'H'},
        {"residuals-ok", 0, 0, 'R'},
        {"expect-zeros", 0, 0, 'E'},
        {"reconnect", 0, 0, 'A'},
        {0, 0, 0, 0},
    };
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take_option(o, name, optarg)) {
            fputs(usage, stderr);
            return false;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return false;
    }
    o->url = argv[optind];
    return true;
}

/* What depends on other options. */
static void complete(struct load_options *o)
{
    const char *lun = strrchr(o->url, '/');

    if (o->lun_count == 0 && lun != NULL)
        o->luns[o->lun_count++] = (unsigned)number(lun + 1, "LUN of the URL");
    if (o->region_bytes == 0) /* so that neighbours share a block and an extent */
        o->region_bytes = 4096 * 1024 + 3 * 512;
    if (o->chunk_sectors == 0)
        o->chunk_sectors = o->region_bytes / 512;
    if (o->seconds == 0 && o->ops == 0)
        o->seconds = 5;
}

static void *run_worker(void *arg)
{
    struct worker *w = arg;
    lane_run(w->load, w->index);
    return NULL;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)(ts.tv_sec - start->tv_sec) +
           (double)(ts.tv_nsec - start->tv_nsec) / 1e9;
}

/* Tells the lanes to stop when the time is over; those with --ops alone stop by
 * themselves. */
static void wait_time(struct load *load, const struct timespec *start)
{
    if (load->o.seconds == 0)
        return;
    while (!atomic_load(&load->stop) && seconds_since(start) < load->o.seconds)
        usleep(20000);
    if (load->o.ops == 0 || seconds_since(start) >= load->o.seconds)
        atomic_store(&load->stop, true);
}

static void report(struct load *load, double seconds)
{
    printf("ashlar-load: seed %" PRIu64 ", %u connections, %.1f s: %" PRIuFAST64
           " writes, %" PRIuFAST64 " reads, %" PRIuFAST64 " flushes, %" PRIuFAST64
           " unmaps, %" PRIuFAST64 " write sames, %.1f MB, %" PRIuFAST64 " retries: %s\n",
           load->o.seed, load->o.lanes, seconds, load->done[WORK_WRITE],
           load->done[WORK_READ], load->done[WORK_FLUSH], load->done[WORK_UNMAP],
           load->done[WORK_ZERO], (double)load->bytes / 1e6, load->retries,
           load->exit_code == 0 ? "all right" : "FAILED");
}

int main(int argc, char **argv)
{
    static struct worker workers[LANES_MAX];
    static struct load load = {
        .o = {.initiator = "iqn.2026-01.test.ashlar:one",
              .lanes = 16,
              .depth = 4,
              .extent_bytes = 65536,
              .seed = 1,
              .timeout_s = 30,
              .work_share = {45, 35, 5, 8, 7}},
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    struct timespec start;
    unsigned n = 0;

    if (!parse(&load.o, argc, argv))
        return EXIT_USAGE;
    complete(&load.o);
    signal(SIGPIPE, SIG_IGN); /* a dead target is an error code, not our end */
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (; n < load.o.lanes; n++) {
        workers[n] = (struct worker){.load = &load, .index = n};
        if (pthread_create(&workers[n].thread, NULL, run_worker, &workers[n]) != 0)
            break;
    }
    if (n < load.o.lanes) {
        fprintf(stderr, "ashlar-load: only %u threads start\n", n);
        load.exit_code = 2;
        atomic_store(&load.stop, true);
    }
    wait_time(&load, &start);
    for (unsigned i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    report(&load, seconds_since(&start));
    return load.exit_code;
}
