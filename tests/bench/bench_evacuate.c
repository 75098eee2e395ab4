/* SPDX-License-Identifier: Apache-2.0 */
/* What do hosts feel of a device that is emptied under them? Random 4 KiB reads and
 * writes over a whole volume, for a while alone and then beside an evacuation of the
 * device that it lies on, several times over, each time to a fresh device of written
 * blocks. Usage: bench_evacuate [--region-mib 4096] [--rounds 3] [--depth 16]
 * [--write-percent 30] [--alone-ms 10000] [--smoke] */
#include "base/auto.h"
#include "lunmgr/device.h"
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 50
#define P99_MAX    2.0
#define FILL_BYTES MIB

struct settings {
    unsigned rounds, depth, write_percent, alone_ms;
    uint64_t region_bytes;
    struct report report;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"region-mib", required_argument, NULL, 'r'},
        {"rounds", required_argument, NULL, 'n'},
        {"depth", required_argument, NULL, 'd'},
        {"write-percent", required_argument, NULL, 'w'},
        {"alone-ms", required_argument, NULL, 'a'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.region_bytes = 4 * GIB,
                         .rounds = 3,
                         .depth = 16,
                         .write_percent = 30,
                         .alone_ms = 10000,
                         .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'r')
            s.region_bytes = bench_number("--region-mib", optarg, 1) * MIB;
        else if (c == 'n')
            s.rounds = (unsigned)bench_number("--rounds", optarg, 1);
        else if (c == 'd')
            s.depth = (unsigned)bench_number("--depth", optarg, 1);
        else if (c == 'w')
            s.write_percent = (unsigned)bench_number("--write-percent", optarg, 0);
        else if (c == 'a')
            s.alone_ms = (unsigned)bench_number("--alone-ms", optarg, 1);
        else if (c == 's')
            s = (struct settings){.region_bytes = 64 * MIB,
                                  .rounds = 1,
                                  .depth = 16,
                                  .write_percent = 30,
                                  .alone_ms = 200};
        else
            exit(2);
    }
    if (s.rounds > ROUNDS_MAX || s.depth > TRAFFIC_DEPTH_MAX || s.write_percent > 100)
        bench_die("arguments", "too many rounds, too deep, or more than all are writes");
    return s;
}

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

/* ---- The pool ---------------------------------------------------------------------- */

static uint64_t device_bytes(const struct settings *s)
{
    return s->region_bytes + s->region_bytes / 8;
}

static void fill(struct bench_rig *r, struct volume *v, const struct settings *s)
{
    AUTO_FREE uint8_t *data = aligned_alloc(BLOCK_BYTES, FILL_BYTES);
    if (data == NULL)
        bench_die("fill", "out of memory");
    memset(data, 0x5a, FILL_BYTES);
    for (uint64_t at = 0; at < s->region_bytes; at += FILL_BYTES)
        bench_io(r, v, VIO_WRITE, at, FILL_BYTES, data);
    bench_io(r, v, VIO_FLUSH, 0, 0, NULL);
}

static uint64_t free_bytes(const struct bench_rig *r)
{
    struct pool_info info;
    pool_describe(r->pool, &info);
    return info.free_bytes;
}

/* It is the only one that serves afterwards. */
static struct device *change_device(struct bench_rig *r, struct settings *s,
                                    unsigned round, struct device **old)
{
    char file[32];
    snprintf(file, sizeof(file), "device%u.img", round);
    *old = pool_device_next(r->pool, NULL);
    uint64_t before = free_bytes(r);
    struct device *d = bench_add_device(r, file, device_bytes(s));
    uint64_t came = free_bytes(r) - before;
    report_claim(&s->report, came > s->region_bytes && came <= device_bytes(s),
                 "free when adding a device is answered, more", "what it has", "%llu MiB",
                 (unsigned long long)(came / MIB));
    return d;
}

/* ---- A round ----------------------------------------------------------------------- */

struct traffic_rig {
    struct bench_rig *rig;
    struct random_place place;
    struct traffic_options options;
};

static struct traffic_result alone(struct traffic_rig *t, unsigned milliseconds)
{
    struct traffic_result result;
    t->options.milliseconds = milliseconds;
    traffic_run(t->rig, &t->options, &result);
    return result;
}

struct job_watch {
    struct job *job;
    int64_t rate; /* the last that it told; -1: never */
};

static bool job_is_over(void *arg)
{
    struct job_watch *w = arg;
    struct job_info info;
    job_describe(w->job, &info);
    if (info.rate >= 0 && strcmp(info.state, "running") == 0)
        w->rate = info.rate;
    return strcmp(info.state, "running") != 0;
}

static void job_must_be_done(const struct job *job)
{
    struct job_info info;
    job_describe(job, &info);
    if (strcmp(info.state, "done") != 0)
        bench_die("the evacuation", info.error);
}

struct round {
    struct traffic_result alone, beside;
    double seconds;
    int64_t rate; /* extents a second, as the job told last */
    uint64_t moved_bytes;
};

static void measure_round(struct traffic_rig *t, struct settings *s, unsigned no,
                          struct round *out)
{
    struct device *old;
    (void)change_device(t->rig, s, no, &old);
    out->alone = alone(t, s->alone_ms);
    out->moved_bytes = pool_used_extents(t->rig->pool) * EXTENT_BYTES;
    t->options.milliseconds = 0;
    struct traffic *traffic = traffic_start(t->rig, &t->options);
    uint64_t began_ns = bench_now_ns();
    struct job_watch watch = {.job = bench_evacuate(t->rig, old), .rate = -1};
    bench_until(t->rig, job_is_over, &watch);
    out->seconds = (double)(bench_now_ns() - began_ns) / 1e9;
    traffic_stop(traffic);
    traffic_finish(t->rig, traffic, &out->beside);
    job_must_be_done(watch.job);
    out->rate = watch.rate;
    bench_remove_device(t->rig, old);
}

static double p99_ms(const struct traffic_result *result)
{
    return ms(histogram_at(&result->latency, 0.99));
}

static double p99_ratio(const struct round *round)
{
    return p99_ms(&round->beside) / p99_ms(&round->alone);
}

static void show_round(unsigned no, const struct round *round)
{
    char what[64];
    snprintf(what, sizeof(what), "round %u: alone; beside the evacuation", no);
    report_figure(what,
                  "%.0f; %.0f IOPS; median %.2f; %.2f ms; p99 %.2f; %.2f ms; worst %.1f; "
                  "%.1f ms; %.0f MiB moved in %.1f s",
                  traffic_iops(&round->alone), traffic_iops(&round->beside),
                  ms(histogram_at(&round->alone.latency, 0.5)),
                  ms(histogram_at(&round->beside.latency, 0.5)), p99_ms(&round->alone),
                  p99_ms(&round->beside), ms(round->alone.latency.max_ns),
                  ms(round->beside.latency.max_ns),
                  (double)round->moved_bytes / (double)MIB, round->seconds);
}

static int ratio_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure(struct bench_rig *r, struct settings *s)
{
    struct traffic_rig t = {.rig = r,
                            .place = {.state = 1,
                                      .region_bytes = s->region_bytes,
                                      .align_bytes = BLOCK_BYTES}};
    t.options = (struct traffic_options){.volume = bench_volume(r, "v", s->region_bytes),
                                         .depth = s->depth,
                                         .io_bytes = BLOCK_BYTES,
                                         .write_percent = s->write_percent,
                                         .next = random_place_next,
                                         .next_arg = &t.place};
    double ratios[ROUNDS_MAX];
    int64_t rate = -1;
    fill(r, t.options.volume, s);
    for (unsigned i = 0; i < s->rounds; i++) {
        struct round round;
        measure_round(&t, s, i, &round);
        show_round(i + 1, &round);
        ratios[i] = p99_ratio(&round);
        rate = round.rate > rate ? round.rate : rate;
    }
    qsort(ratios, s->rounds, sizeof(*ratios), ratio_order);
    report_claim(&s->report, ratios[s->rounds / 2] <= P99_MAX,
                 "p99 beside an evacuation, of that alone; the median round", "2.00",
                 "%.2f", ratios[s->rounds / 2]);
    report_claim(&s->report, rate > 0, "the evacuation tells its rate", "more than 0",
                 "%.1f MiB a second",
                 rate > 0 ? (double)rate * EXTENT_BYTES / (double)MIB : 0.0);
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    struct bench_options options = {.pool_bytes = device_bytes(&s), .is_written = true};
    struct bench_rig r;
    bench_rig_init(&r, &options);
    bench_rig_open(&r);
    measure(&r, &s);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
