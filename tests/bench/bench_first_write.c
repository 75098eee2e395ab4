/* SPDX-License-Identifier: Apache-2.0 */
/* What does a first write cost beside an overwrite? Random 4 KiB writes on a thin volume
 * with background commits, the catalog on the same disk: to extents that the volume does
 * not have yet, over themselves, then to the same places after a snapshot, and over
 * themselves again. Each first write is the first one of its extent. A volume has too few
 * extents for long phases of them, so all four phases, each as long as the others, come
 * again with another volume until there are enough seconds of each; what is compared is
 * the sum. The pool is a sparse file, or, of --written-gib, one whose blocks are on the
 * disk already, as a block device's are: in a sparse one every first write is one for the
 * file system too. Usage: bench_first_write
 * [--seconds 30] [--depth 32] [--written-gib N] [--smoke] */
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"

#include <getopt.h>
#include <stdlib.h>

#define VOLUME_BYTES (64 * GIB)
#define POOL_BYTES   (256 * GIB) /* sparse */
#define EXTENTS      (VOLUME_BYTES / EXTENT_BYTES)
#define RATIO_MAX    1.3

struct settings {
    uint64_t milliseconds;
    unsigned depth;
    uint64_t written_bytes;
    struct report report;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 't'},
        {"depth", required_argument, NULL, 'd'},
        {"written-gib", required_argument, NULL, 'w'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.milliseconds = 30000, .depth = 32, .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 't')
            s.milliseconds = 1000 * bench_number("--seconds", optarg, 1);
        else if (c == 'd')
            s.depth = (unsigned)bench_number("--depth", optarg, 1);
        else if (c == 'w')
            s.written_bytes = bench_number("--written-gib", optarg, 1) * GIB;
        else if (c == 's')
            s = (struct settings){
                .milliseconds = 500, .depth = 32, .written_bytes = 256 * MIB};
        else
            exit(2);
    }
    if (s.depth > TRAFFIC_DEPTH_MAX)
        bench_die("--depth", "too deep");
    return s;
}

/* ---- Places ---------------------------------------------------------------------- */

/* A block of each extent, in random order. */
struct places {
    uint64_t *offsets;
    size_t count, at; /* the next one */
    uint64_t random;
};

static void places_shuffle(struct places *p)
{
    for (size_t i = p->count; i > 1; i--) {
        size_t j = random_next(&p->random) % i;
        uint64_t swap = p->offsets[i - 1];
        p->offsets[i - 1] = p->offsets[j];
        p->offsets[j] = swap;
    }
}

static void places_init(struct places *p, uint64_t seed, size_t most)
{
    *p = (struct places){.count = EXTENTS, .random = seed};
    p->offsets = malloc(EXTENTS * sizeof(p->offsets[0]));
    if (p->offsets == NULL)
        bench_die("places", "out of memory");
    for (size_t i = 0; i < EXTENTS; i++)
        p->offsets[i] = i * EXTENT_BYTES + random_next(&p->random) % 16 * BLOCK_BYTES;
    places_shuffle(p);
    if (p->count > most)
        p->count = most;
}

static bool place_once(void *arg, uint64_t *offset_bytes)
{
    struct places *p = arg;
    if (p->at == p->count)
        return false;
    *offset_bytes = p->offsets[p->at++];
    return true;
}

static bool place_again(void *arg, uint64_t *offset_bytes)
{
    struct places *p = arg;
    *offset_bytes = p->offsets[random_next(&p->random) % p->count];
    return true;
}

/* From now on only those that were written, in another order. */
static void places_keep_written(struct places *p)
{
    p->count = p->at;
    p->at = 0;
    places_shuffle(p);
}

/* ---- Phases ---------------------------------------------------------------------- */

enum phase { FRESH, OVER, AFTER, AGAIN, PHASES };

static const char *const phase_names[PHASES] = {
    [FRESH] = "first write to an extent",
    [OVER] = "overwrite",
    [AFTER] = "first write after a snapshot",
    [AGAIN] = "overwrite after the snapshot",
};

struct measured {
    struct bench_rig *rig;
    struct settings *settings;
    struct traffic_result sums[PHASES];
    unsigned rounds;
    size_t pool_extents; /* when it is empty */
};

/* Ends when the time is over or, of first writes, there are no more places. */
static double phase_run(struct measured *m, enum phase phase, struct volume *volume,
                        traffic_next_fn next, struct places *places, double seconds)
{
    struct traffic_options options = {.volume = volume,
                                      .depth = m->settings->depth,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = 100,
                                      .milliseconds = (uint64_t)(seconds * 1000) + 1,
                                      .next = next,
                                      .next_arg = places};
    struct traffic_result result;
    traffic_run(m->rig, &options, &result);
    traffic_add(&m->sums[phase], &result);
    report_progress("%s: %.0f IOPS for %.1f s", phase_names[phase], traffic_iops(&result),
                    result.seconds);
    return result.seconds;
}

/* One volume: all its extents, or as many as half of the pool has, half being for the
 * writes after the snapshot, or as the time allows. */
static void round_run(struct measured *m, double seconds)
{
    struct places places;
    places_init(&places, ++m->rounds, m->pool_extents / 2);
    struct volume *v = bench_volume(m->rig, "v", VOLUME_BYTES);
    double took = phase_run(m, FRESH, v, place_once, &places, seconds);
    places_keep_written(&places);
    (void)phase_run(m, OVER, v, place_again, &places, took);
    bench_snapshot(m->rig, "v", "s");
    places_shuffle(&places);
    took = phase_run(m, AFTER, v, place_once, &places, seconds);
    places_keep_written(&places);
    (void)phase_run(m, AGAIN, v, place_again, &places, took);
    free(places.offsets);
    bench_remove(m->rig, "v");
}

static void show(const struct measured *m, enum phase phase)
{
    const struct traffic_result *sum = &m->sums[phase];
    report_figure(phase_names[phase],
                  "%.0f IOPS for %.1f s (%u volumes); median %.2f ms; p99 %.2f ms; worst "
                  "%.0f ms",
                  traffic_iops(sum), sum->seconds, m->rounds,
                  (double)histogram_at(&sum->latency, 0.5) / 1e6,
                  (double)histogram_at(&sum->latency, 0.99) / 1e6,
                  (double)sum->latency.max_ns / 1e6);
}

static void judge(struct measured *m, const char *claim, enum phase over,
                  enum phase first)
{
    double ratio = traffic_iops(&m->sums[over]) / traffic_iops(&m->sums[first]);
    report_claim(&m->settings->report, ratio <= RATIO_MAX, claim, "1.3", "%.2f", ratio);
}

static double seconds_least(const struct measured *m)
{
    double fresh = m->sums[FRESH].seconds, after = m->sums[AFTER].seconds;
    return fresh < after ? fresh : after;
}

static void measure(struct bench_rig *r, struct settings *s)
{
    struct measured m = {.rig = r, .settings = s};
    struct pool_info info;
    pool_describe(r->pool, &info);
    m.pool_extents = info.free_bytes / EXTENT_BYTES;
    double wanted = (double)s->milliseconds / 1000;
    while (seconds_least(&m) < wanted * 0.99) /* the last one is not for a moment only */
        round_run(&m, wanted - seconds_least(&m));
    for (enum phase p = 0; p < PHASES; p++)
        show(&m, p);
    judge(&m, "overwrite / first write to a fresh extent", OVER, FRESH);
    judge(&m, "overwrite / first write after a snapshot", AGAIN, AFTER);
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    bool is_written = s.written_bytes != 0;
    struct bench_options options = {.pool_bytes =
                                        is_written ? s.written_bytes : POOL_BYTES,
                                    .is_written = is_written};
    struct bench_rig r;
    bench_rig_init(&r, &options);
    bench_rig_open(&r);
    measure(&r, &s);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
