/* SPDX-License-Identifier: Apache-2.0 */
/* How long do writers wait for a snapshot? Snapshots of one volume at even intervals,
 * under random 4 KiB writes with background commits. A snapshot's window is from the call
 * to its answer; what counts is the longest write that was under way at any moment of it.
 * Each snapshot makes the writes after it first ones, which take an extent each: the pool
 * is a sparse file, or, of --written-gib, one whose blocks are on the disk already, as a
 * block device's are. Usage: bench_snapshot [--snapshots 100] [--interval-ms 1000]
 * [--depth 32] [--region-mib 65536] [--written-gib N] [--smoke] */
#include "tests/bench/report.h"
#include "tests/bench/sync_timer.h"
#include "tests/bench/traffic.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define VOLUME_BYTES    (64 * GIB)
#define POOL_BYTES      (1024 * GIB) /* sparse: each snapshot's writes take new extents */
#define SPANS_MAX       (64U << 20)
#define MEDIAN_MS_MAX   20.0
#define WORST_MS_MAX    50.0
#define WORST_SYNCS_MAX 5.0
#define WARM_UP_MS      3000
#define SNAPSHOTS_MAX   100000

struct settings {
    unsigned snapshots, interval_ms, depth;
    uint64_t region_bytes, written_bytes;
    struct report report;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"snapshots", required_argument, NULL, 'n'},
        {"interval-ms", required_argument, NULL, 'i'},
        {"depth", required_argument, NULL, 'd'},
        {"region-mib", required_argument, NULL, 'r'},
        {"written-gib", required_argument, NULL, 'w'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.snapshots = 100,
                         .interval_ms = 1000,
                         .depth = 32,
                         .region_bytes = VOLUME_BYTES,
                         .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'n')
            s.snapshots = (unsigned)bench_number("--snapshots", optarg, 1);
        else if (c == 'i')
            s.interval_ms = (unsigned)bench_number("--interval-ms", optarg, 1);
        else if (c == 'd')
            s.depth = (unsigned)bench_number("--depth", optarg, 1);
        else if (c == 'r')
            s.region_bytes = bench_number("--region-mib", optarg, 1) * MIB;
        else if (c == 'w')
            s.written_bytes = bench_number("--written-gib", optarg, 1) * GIB;
        else if (c == 's')
            s = (struct settings){.snapshots = 3,
                                  .interval_ms = 200,
                                  .depth = 32,
                                  .region_bytes = VOLUME_BYTES};
        else
            exit(2);
    }
    if (s.snapshots > SNAPSHOTS_MAX || s.depth > TRAFFIC_DEPTH_MAX ||
        s.region_bytes > VOLUME_BYTES)
        bench_die("arguments", "too many snapshots, too deep, or too large a region");
    return s;
}

/* Untouched pages of it take no memory. */
static struct io_span *spans_map(void)
{
    void *p = mmap(NULL, SPANS_MAX * sizeof(struct io_span), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        bench_die("mmap", "no room for the log of writes");
    return p;
}

static void take_snapshots(struct bench_rig *r, const struct settings *s,
                           struct io_span *windows)
{
    uint64_t due_ns = bench_now_ns();
    for (unsigned i = 0; i < s->snapshots; i++) {
        char name[32];
        snprintf(name, sizeof(name), "s%u", i);
        windows[i].began_ns = bench_now_ns();
        bench_snapshot(r, "v", name);
        windows[i].ended_ns = bench_now_ns();
        due_ns += s->interval_ms * UINT64_C(1000000);
        uint64_t now_ns = bench_now_ns();
        if (now_ns < due_ns)
            bench_sleep(r, (unsigned)((due_ns - now_ns) / 1000000));
    }
}

/* Of the writes that were under way at any moment of the window. */
static uint64_t longest_in(const struct io_span *window, const struct io_span *writes,
                           size_t count)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t ns = writes[i].ended_ns - writes[i].began_ns;
        if (writes[i].began_ns < window->ended_ns &&
            writes[i].ended_ns > window->began_ns && ns > longest)
            longest = ns;
    }
    return longest;
}

static int ns_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void judge_stalls(struct settings *s, const uint64_t *stalls)
{
    struct sync_times device, catalog;
    sync_timer_read(&device, &catalog);
    double sync = ms(device.longest_ns > catalog.longest_ns ? device.longest_ns
                                                            : catalog.longest_ns);
    double median = ms(stalls[s->snapshots / 2]), worst = ms(stalls[s->snapshots - 1]);
    double worst_max =
        WORST_SYNCS_MAX * sync > WORST_MS_MAX ? WORST_SYNCS_MAX * sync : WORST_MS_MAX;
    char bound[64];
    report_claim(&s->report, median <= MEDIAN_MS_MAX,
                 "longest write in a snapshot's window, median", "20 ms", "%.1f ms",
                 median);
    snprintf(bound, sizeof(bound), "50 ms or 5 longest fdatasyncs: %.1f ms", worst_max);
    report_claim(&s->report, worst <= worst_max,
                 "longest write in a snapshot's window, worst", bound, "%.1f ms", worst);
    report_figure("longest fdatasync of the run: pool; catalog",
                  "%.1f ms of %llu; %.1f ms of %llu", ms(device.longest_ns),
                  (unsigned long long)device.count, ms(catalog.longest_ns),
                  (unsigned long long)catalog.count);
}

static void measure(struct bench_rig *r, struct settings *s)
{
    struct io_span *writes = spans_map();
    struct io_span *windows = calloc(s->snapshots, sizeof(*windows));
    uint64_t *stalls = calloc(s->snapshots, sizeof(*stalls));
    uint64_t *answers = calloc(s->snapshots, sizeof(*answers));
    struct random_place place = {
        .state = 1, .region_bytes = s->region_bytes, .align_bytes = BLOCK_BYTES};
    struct traffic_options options = {.volume = bench_volume(r, "v", VOLUME_BYTES),
                                      .depth = s->depth,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = 100,
                                      .next = random_place_next,
                                      .next_arg = &place,
                                      .spans = writes,
                                      .span_max = SPANS_MAX};
    struct traffic_result result;
    if (windows == NULL || stalls == NULL || answers == NULL)
        bench_die("bench_snapshot", "out of memory");
    struct traffic *traffic = traffic_start(r, &options);
    bench_sleep(r, s->report.judges ? WARM_UP_MS : 100);
    sync_timer_reset();
    take_snapshots(r, s, windows);
    traffic_stop(traffic);
    traffic_finish(r, traffic, &result);
    if (result.span_count == SPANS_MAX)
        bench_die("bench_snapshot", "the log of writes is full");
    for (unsigned i = 0; i < s->snapshots; i++) {
        stalls[i] = longest_in(&windows[i], writes, result.span_count);
        answers[i] = windows[i].ended_ns - windows[i].began_ns;
    }
    qsort(stalls, s->snapshots, sizeof(*stalls), ns_order);
    qsort(answers, s->snapshots, sizeof(*answers), ns_order);
    judge_stalls(s, stalls);
    report_figure("snapshot, call to answer: median; worst", "%.1f ms; %.1f ms",
                  ms(answers[s->snapshots / 2]), ms(answers[s->snapshots - 1]));
    report_figure("writes meanwhile: IOPS; median; p99; worst",
                  "%.0f; %.2f ms; %.2f ms; %.1f ms", traffic_iops(&result),
                  ms(histogram_at(&result.latency, 0.5)),
                  ms(histogram_at(&result.latency, 0.99)), ms(result.latency.max_ns));
    munmap(writes, SPANS_MAX * sizeof(struct io_span));
    free(windows);
    free(stalls);
    free(answers);
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    struct bench_options options = {.pool_bytes = s.written_bytes == 0 ? POOL_BYTES
                                                                       : s.written_bytes,
                                    .is_written = s.written_bytes != 0,
                                    .times_syncs = true};
    struct bench_rig r;
    bench_rig_init(&r, &options);
    bench_rig_open(&r);
    measure(&r, &s);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
