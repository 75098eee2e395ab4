/* SPDX-License-Identifier: Apache-2.0 */
/* powercut SEED [--count N] [--ops N] [--hand | --threads] [--trace]: runs seeds from
 * SEED on; ends at the first offence, naming its seed. A seed runs the same each time,
 * but for one in four that runs on threads, whose timing varies: --hand turns those by
 * hand too. With --walk [--every N] each seed is one walk of devices in and out (walk.c),
 * again and again by hand, cut at each of the points that it passes; of writes at each
 * N-th. */
#include "base/log.h"
#include "tests/lib/cut_vfs.h"
#include "tests/powercut/run.h"
#include "tests/unit/db/fault_vfs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OPS_DEFAULT 40

struct arguments {
    uint64_t seed, count;
    unsigned ops;
    bool hand, threads, trace;
    bool walk;
    uint64_t every; /* of a walk's writes */
};

struct totals {
    unsigned long long cuts, stops, changes, ios;
};

static char again[200]; /* how to run this seed once more */

static void on_abort(int signal)
{
    (void)signal;
    ssize_t n = write(STDERR_FILENO, again, strlen(again));
    (void)n;
}

static void keep_quiet(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    *a = (struct arguments){.count = 1, .ops = OPS_DEFAULT, .every = 1};
    if (argc < 2)
        return false;
    a->seed = strtoull(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--trace") == 0)
            a->trace = true;
        else if (strcmp(argv[i], "--hand") == 0)
            a->hand = true;
        else if (strcmp(argv[i], "--threads") == 0)
            a->threads = true;
        else if (strcmp(argv[i], "--count") == 0 && more)
            a->count = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--ops") == 0 && more)
            a->ops = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--walk") == 0)
            a->walk = a->hand = true;
        else if (strcmp(argv[i], "--every") == 0 && more)
            a->every = strtoull(argv[++i], NULL, 10);
        else
            return false;
    }
    return a->every > 0 && a->seed > 0 && a->count > 0 && !(a->hand && a->threads);
}

static double now_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct run run_of(const struct arguments *a, const char *program, uint64_t seed)
{
    struct run run = {.seed = seed, .ops = a->ops, .trace = a->trace};
    run.threads = a->threads || (!a->hand && seed % 4 == 0);
    snprintf(again, sizeof(again), "powercut: seed %llu failed; again: %s %llu%s\n",
             (unsigned long long)seed, program, (unsigned long long)seed,
             run.threads ? " --threads"
             : a->walk   ? " --walk"
                         : " --hand");
    return run;
}

static bool totals_add(struct totals *t, const struct run *run)
{
    t->cuts += run->cuts;
    t->stops += run->clean_stops;
    t->changes += run->changes;
    t->ios += run->ios;
    if (!run_has_offence(run))
        return true;
    fprintf(stderr, "powercut: %s\n%s", run->offence, again);
    return false;
}

static bool seed_walks_to(const struct arguments *a, const char *program, uint64_t seed,
                          enum power_point point, struct totals *t)
{
    bool fell = true, good = true;
    uint64_t step = point == POWER_DISK_WRITE || point == POWER_FILE_WRITE ? a->every : 1;
    for (uint64_t nth = 1; fell && good; nth += step) {
        struct run run = run_of(a, program, seed);
        (void)run_walk(&run, point, nth, &fell);
        good = totals_add(t, &run);
    }
    return good;
}

static bool seed_walks(const struct arguments *a, const char *program, uint64_t seed,
                       struct totals *t)
{
    bool good = true;
    for (int point = 0; good && point < POWER_POINTS; point++)
        good = seed_walks_to(a, program, seed, (enum power_point)point, t);
    return good;
}

static bool seed_lives(const struct arguments *a, const char *program, uint64_t seed,
                       struct totals *t)
{
    struct run run = run_of(a, program, seed);
    (void)run_seed(&run);
    return totals_add(t, &run);
}

int main(int argc, char **argv)
{
    struct arguments a;
    struct totals t = {.cuts = 0};
    if (!parse(argc, argv, &a)) {
        fprintf(stderr, "usage: powercut SEED [--count N] [--ops N] [--hand | --threads] "
                        "[--trace] [--walk [--every N]]\n");
        return 2;
    }
    signal(SIGABRT, on_abort);
    if (!a.trace)
        log_set_sink(keep_quiet, NULL);
    cut_vfs_install();
    fault_vfs_install();
    double began = now_seconds();
    for (uint64_t seed = a.seed; seed < a.seed + a.count; seed++) {
        bool good = a.walk ? seed_walks(&a, argv[0], seed, &t)
                           : seed_lives(&a, argv[0], seed, &t);
        if (!good)
            return 1;
    }
    double took = now_seconds() - began;
    printf("powercut: %llu seeds from %llu: %llu cuts, %llu clean stops, %llu changes, "
           "%llu I/Os, %.0f ms a seed\n",
           (unsigned long long)a.count, (unsigned long long)a.seed, t.cuts, t.stops,
           t.changes, t.ios, took * 1000 / (double)a.count);
    return 0;
}
