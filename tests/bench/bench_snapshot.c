/* SPDX-License-Identifier: Apache-2.0 */
/* How long do writers wait for a snapshot? Snapshots of one volume at even intervals,
 * under random 4 KiB writes with background commits. A snapshot's window is from the call
 * to its answer; what counts is the longest write that was under way at any moment of it.
 * A snapshot begins with a flush; the windows of flushes alone, after the snapshots, show
 * what of it is the disk's: some let no write through while they empty their cache.
 * Each snapshot makes the writes after it first ones, which take an extent each: the pool
 * is a sparse file, or, of --written-gib, one whose blocks are on the disk already, as a
 * block device's are. Usage: bench_snapshot [--snapshots 100] [--interval-ms 1000]
 * [--depth 32] [--region-mib 65536] [--written-gib N] [--smoke] */
#include "base/auto.h"
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
#define FLUSHES_PART    5 /* for each so many snapshots one */
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
                                  .region_bytes = 64 * MIB,
                                  .written_bytes = 512 * MIB};
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

/* ---- Windows --------------------------------------------------------------------- */

enum window_kind { WINDOW_SNAPSHOT, WINDOW_FLUSH };

struct windows {
    enum window_kind kind;
    unsigned count;
    struct io_span *spans; /* from a call to its answer */
    uint64_t *stalls_ns;   /* the longest write that was under way in it */
    uint64_t *syncs_ns;    /* the longest fdatasync */
    uint64_t *answers_ns;
};

static void *array(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    if (p == NULL)
        bench_die("bench_snapshot", "out of memory");
    return p;
}

static void windows_init(struct windows *w, enum window_kind kind, unsigned count)
{
    *w = (struct windows){.kind = kind,
                          .count = count,
                          .spans = array(count, sizeof(*w->spans)),
                          .stalls_ns = array(count, sizeof(uint64_t)),
                          .syncs_ns = array(count, sizeof(uint64_t)),
                          .answers_ns = array(count, sizeof(uint64_t))};
}

static void windows_fini(struct windows *w)
{
    free(w->spans);
    free(w->stalls_ns);
    free(w->syncs_ns);
    free(w->answers_ns);
}

/* A snapshot of "v", or a flush of it, at each interval. */
static void windows_take(struct bench_rig *r, const struct settings *s, struct windows *w)
{
    struct volume *v = volume_find(r->manager, "v");
    uint64_t due_ns = bench_now_ns();
    for (unsigned i = 0; i < w->count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "s%u", i);
        w->spans[i].began_ns = bench_now_ns();
        if (w->kind == WINDOW_SNAPSHOT)
            bench_snapshot(r, "v", name);
        else
            bench_io(r, v, VIO_FLUSH, 0, 0, NULL);
        w->spans[i].ended_ns = bench_now_ns();
        due_ns += s->interval_ms * UINT64_C(1000000);
        if (w->spans[i].ended_ns < due_ns)
            bench_sleep(r, (unsigned)((due_ns - w->spans[i].ended_ns) / 1000000));
    }
}

static int ns_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void windows_measure(struct windows *w, const struct io_span *writes, size_t count)
{
    for (unsigned i = 0; i < w->count; i++) {
        w->stalls_ns[i] = io_span_longest_in(&w->spans[i], writes, count);
        w->syncs_ns[i] = sync_timer_longest_in(&w->spans[i]);
        w->answers_ns[i] = w->spans[i].ended_ns - w->spans[i].began_ns;
    }
    uint64_t *all[] = {w->stalls_ns, w->syncs_ns, w->answers_ns};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        qsort(all[i], w->count, sizeof(uint64_t), ns_order);
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void windows_show(const struct windows *w)
{
    report_figure(w->kind == WINDOW_SNAPSHOT
                      ? "in a snapshot's window, median; worst"
                      : "in the window of a mere flush, median; worst",
                  "longest write %.1f; %.1f ms; longest fdatasync %.1f; %.1f ms; call to "
                  "answer %.1f; %.1f ms",
                  ms(w->stalls_ns[w->count / 2]), ms(w->stalls_ns[w->count - 1]),
                  ms(w->syncs_ns[w->count / 2]), ms(w->syncs_ns[w->count - 1]),
                  ms(w->answers_ns[w->count / 2]), ms(w->answers_ns[w->count - 1]));
}

/* ---- The run --------------------------------------------------------------------- */

static void judge(struct settings *s, const struct windows *w)
{
    struct sync_times device, catalog;
    sync_timer_read(&device, &catalog);
    double sync = ms(device.longest_ns > catalog.longest_ns ? device.longest_ns
                                                            : catalog.longest_ns);
    double median = ms(w->stalls_ns[w->count / 2]),
           worst = ms(w->stalls_ns[w->count - 1]);
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
    struct windows snapshots, flushes;
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
    windows_init(&snapshots, WINDOW_SNAPSHOT, s->snapshots);
    windows_init(&flushes, WINDOW_FLUSH, s->snapshots / FLUSHES_PART + 1);
    struct traffic *traffic = traffic_start(r, &options);
    bench_sleep(r, s->report.judges ? WARM_UP_MS : 100);
    sync_timer_reset();
    windows_take(r, s, &snapshots);
    windows_take(r, s, &flushes);
    traffic_stop(traffic);
    traffic_finish(r, traffic, &result);
    if (result.span_count == SPANS_MAX)
        bench_die("bench_snapshot", "the log of writes is full");
    windows_measure(&snapshots, writes, result.span_count);
    windows_measure(&flushes, writes, result.span_count);
    judge(s, &snapshots);
    windows_show(&snapshots);
    windows_show(&flushes);
    report_figure("writes meanwhile: IOPS; median; p99; worst",
                  "%.0f; %.2f ms; %.2f ms; %.1f ms", traffic_iops(&result),
                  ms(histogram_at(&result.latency, 0.5)),
                  ms(histogram_at(&result.latency, 0.99)), ms(result.latency.max_ns));
    munmap(writes, SPANS_MAX * sizeof(struct io_span));
    windows_fini(&snapshots);
    windows_fini(&flushes);
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
