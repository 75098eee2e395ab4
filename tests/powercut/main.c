/* SPDX-License-Identifier: Apache-2.0 */
/* powercut SEED [--count N] [--ops N] [--hand | --threads] [--trace]: runs seeds from
 * SEED on; ends at the first offence, naming its seed. A seed runs the same each time,
 * but for one in four that runs on threads, whose timing varies: --hand turns those by
 * hand too. */
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
    *a = (struct arguments){.count = 1, .ops = OPS_DEFAULT};
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
        else
            return false;
    }
    return a->seed > 0 && a->count > 0 && !(a->hand && a->threads);
}

static double now_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct arguments a;
    unsigned long long cuts = 0, stops = 0, changes = 0, ios = 0;
    if (!parse(argc, argv, &a)) {
        fprintf(stderr, "usage: powercut SEED [--count N] [--ops N] [--hand | --threads] "
                        "[--trace]\n");
        return 2;
    }
    signal(SIGABRT, on_abort);
    if (!a.trace)
        log_set_sink(keep_quiet, NULL);
    cut_vfs_install();
    fault_vfs_install();
    double began = now_seconds();
    for (uint64_t seed = a.seed; seed < a.seed + a.count; seed++) {
        struct run run = {.seed = seed, .ops = a.ops, .trace = a.trace};
        run.threads = a.threads || (!a.hand && seed % 4 == 0);
        snprintf(again, sizeof(again), "powercut: seed %llu failed; again: %s %llu%s\n",
                 (unsigned long long)seed, argv[0], (unsigned long long)seed,
                 run.threads ? " --threads" : " --hand");
        if (!run_seed(&run)) {
            fprintf(stderr, "powercut: %s\n%s", run.offence, again);
            return 1;
        }
        cuts += run.cuts;
        stops += run.clean_stops;
        changes += run.changes;
        ios += run.ios;
    }
    double took = now_seconds() - began;
    printf("powercut: %llu seeds from %llu: %llu cuts, %llu clean stops, %llu changes, "
           "%llu I/Os, %.0f ms a seed\n",
           (unsigned long long)a.count, (unsigned long long)a.seed, cuts, stops, changes,
           ios, took * 1000 / (double)a.count);
    return 0;
}
