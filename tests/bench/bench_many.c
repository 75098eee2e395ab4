/* SPDX-License-Identifier: Apache-2.0 */
/* Does anything slow down as volumes get many? At 10, 100, 1,000 and 10,000 volumes with
 * a snapshot each: how long the creation of one more took, listing all of them, a start
 * (with nothing of the catalog in the page cache) and what I/O on one of them does.
 * Usage: bench_many [--up-to 10000] [--seconds 5] [--smoke] */
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LEVELS       4
#define VOLUME_BYTES GIB
#define REGION_BYTES (256 * MIB) /* of the one that does I/O */
#define POOL_BYTES   (16 * GIB)
#define DEPTH        32
#define CREATE_MAX   2.0 /* times that of the fewest */
#define LIST_MAX     2.0 /* for each, times that of 100, where it can be told */
#define IO_MAX       1.3
#define START_S_MAX  2.0

static const unsigned level_volumes[LEVELS] = {10, 100, 1000, 10000};

struct settings {
    unsigned level_count;
    uint64_t milliseconds;
    struct report report;
};

struct level {
    struct histogram volumes, snapshots; /* how long each took to make */
    double list_us;                      /* for each volume or snapshot */
    double start_s, iops;
    uint64_t rss_bytes;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"up-to", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 't'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {
        .level_count = LEVELS, .milliseconds = 5000, .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'n') {
            uint64_t most = bench_number("--up-to", optarg, level_volumes[1]);
            while (s.level_count > 1 && level_volumes[s.level_count - 1] > most)
                s.level_count--;
        } else if (c == 't') {
            s.milliseconds = 1000 * bench_number("--seconds", optarg, 1);
        } else if (c == 's') {
            s = (struct settings){.level_count = 2, .milliseconds = 200};
        } else {
            exit(2);
        }
    }
    return s;
}

static void make_more(struct bench_rig *r, struct level *l, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char name[32];
        snprintf(name, sizeof(name), "volume-%05u", i);
        uint64_t began_ns = bench_now_ns();
        bench_volume(r, name, VOLUME_BYTES);
        uint64_t made_ns = bench_now_ns();
        bench_snapshot(r, name, "s");
        histogram_add(&l->volumes, made_ns - began_ns);
        histogram_add(&l->snapshots, bench_now_ns() - made_ns);
    }
}

static void list(struct bench_rig *r, struct level *l)
{
    unsigned count = 0;
    uint64_t began_ns = bench_now_ns();
    for (struct volume *v = NULL; (v = volume_next(r->manager, v)) != NULL; count++) {
        struct volume_info info;
        volume_describe(v, &info);
    }
    for (struct volume *s = NULL; (s = snapshot_next(r->manager, s)) != NULL; count++) {
        struct snapshot_info info;
        snapshot_describe(s, &info);
    }
    l->list_us = (double)(bench_now_ns() - began_ns) / 1e3 / count;
}

static void restart(struct bench_rig *r, struct level *l)
{
    bench_rig_close(r);
    bench_rig_chill(r);
    uint64_t began_ns = bench_now_ns();
    bench_rig_open(r);
    l->start_s = (double)(bench_now_ns() - began_ns) / 1e9;
    l->rss_bytes = bench_memory_bytes("VmRSS");
}

static void do_io(struct bench_rig *r, const struct settings *s, struct level *l)
{
    struct random_place where = {
        .state = 1, .region_bytes = REGION_BYTES, .align_bytes = BLOCK_BYTES};
    struct traffic_options options = {.volume = volume_find(r->manager, "volume-00000"),
                                      .depth = DEPTH,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = 50,
                                      .milliseconds = s->milliseconds,
                                      .next = random_place_next,
                                      .next_arg = &where};
    struct traffic_result result;
    traffic_run(r, &options, &result);
    l->iops = traffic_iops(&result);
}

static void fill(struct bench_rig *r)
{
    static uint8_t data[VIO_BYTES_MAX] __attribute__((aligned(4096)));
    struct volume *v = volume_find(r->manager, "volume-00000");
    for (uint64_t at = 0; at < REGION_BYTES; at += sizeof(data))
        bench_io(r, v, VIO_WRITE, at, sizeof(data), data);
}

static void show(const struct level *l, unsigned volumes)
{
    char what[48];
    snprintf(what, sizeof(what), "%u volumes, %u snapshots", volumes, volumes);
    report_figure(what,
                  "create %.2f ms (p99 %.1f); snapshot %.2f ms (p99 %.1f); list %.2f us "
                  "each; start %.3f s; %.0f IOPS; VmRSS %.0f MiB",
                  (double)histogram_at(&l->volumes, 0.5) / 1e6,
                  (double)histogram_at(&l->volumes, 0.99) / 1e6,
                  (double)histogram_at(&l->snapshots, 0.5) / 1e6,
                  (double)histogram_at(&l->snapshots, 0.99) / 1e6, l->list_us, l->start_s,
                  l->iops, (double)l->rss_bytes / (double)MIB);
}

/* The most beside the fewest. The first level's figures are of few and cold ones: a list
 * of 20 takes no time worth telling, so lists are held against the second's. */
static void judge(struct settings *s, const struct level *few, const struct level *some,
                  const struct level *most)
{
    double create = (double)histogram_at(&most->volumes, 0.5) /
                    (double)histogram_at(&few->volumes, 0.5);
    double snapshot = (double)histogram_at(&most->snapshots, 0.5) /
                      (double)histogram_at(&few->snapshots, 0.5);
    report_claim(&s->report, create <= CREATE_MAX, "create a volume, most / fewest",
                 "2.0", "%.2f", create);
    report_claim(&s->report, snapshot <= CREATE_MAX, "create a snapshot, most / fewest",
                 "2.0", "%.2f", snapshot);
    report_claim(&s->report, most->list_us <= LIST_MAX * some->list_us,
                 "list, for each of them, most / 100", "2.0", "%.2f",
                 most->list_us / some->list_us);
    report_claim(&s->report, few->iops <= IO_MAX * most->iops,
                 "I/O on one of them, fewest / most", "1.3", "%.2f",
                 few->iops / most->iops);
    report_claim(&s->report, most->start_s <= START_S_MAX, "start with the most", "2 s",
                 "%.3f s", most->start_s);
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    struct bench_options options = {.pool_bytes = POOL_BYTES};
    struct bench_rig r;
    static struct level levels[LEVELS];
    bench_rig_init(&r, &options);
    bench_rig_open(&r);
    for (unsigned n = 0; n < s.level_count; n++) {
        make_more(&r, &levels[n], n == 0 ? 0 : level_volumes[n - 1], level_volumes[n]);
        if (n == 0)
            fill(&r);
        list(&r, &levels[n]);
        restart(&r, &levels[n]);
        do_io(&r, &s, &levels[n]);
        show(&levels[n], level_volumes[n]);
    }
    judge(&s, &levels[0], &levels[1], &levels[s.level_count - 1]);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
