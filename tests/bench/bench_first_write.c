/* SPDX-License-Identifier: Apache-2.0 */
/* What does a first write cost beside an overwrite? Random 4 KiB writes on a thin volume
 * with background commits, the catalog on the same disk: to extents that the volume does
 * not have yet, over themselves, then to the same places after a snapshot, and over
 * themselves again. Each first write is the first one of its extent. The pool is a sparse
 * file, or, of --written-gib, one whose blocks are on the disk already, as a block
 * device's are: in a sparse one every first write is one for the file system too. Usage:
 * bench_first_write
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

static void places_init(struct places *p)
{
    *p = (struct places){.count = EXTENTS, .random = 1};
    p->offsets = malloc(EXTENTS * sizeof(p->offsets[0]));
    if (p->offsets == NULL)
        bench_die("places", "out of memory");
    for (size_t i = 0; i < EXTENTS; i++)
        p->offsets[i] = i * EXTENT_BYTES + random_next(&p->random) % 16 * BLOCK_BYTES;
    places_shuffle(p);
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

static double phase(struct bench_rig *r, const struct settings *s, struct volume *volume,
                    const char *what, traffic_next_fn next, struct places *places)
{
    struct traffic_options options = {.volume = volume,
                                      .depth = s->depth,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = 100,
                                      .milliseconds = s->milliseconds,
                                      .next = next,
                                      .next_arg = places};
    struct traffic_result result;
    traffic_run(r, &options, &result);
    report_figure(what,
                  "%.0f IOPS for %.1f s; median %.2f ms; p99 %.2f ms; worst %.0f ms",
                  traffic_iops(&result), result.seconds,
                  (double)histogram_at(&result.latency, 0.5) / 1e6,
                  (double)histogram_at(&result.latency, 0.99) / 1e6,
                  (double)result.latency.max_ns / 1e6);
    return traffic_iops(&result);
}

static void judge(struct settings *s, const char *claim, double overwrite, double first)
{
    report_claim(&s->report, overwrite <= RATIO_MAX * first, claim, "1.3", "%.2f",
                 overwrite / first);
}

/* Half of the pool is for the writes before the snapshot, half for those after. */
static void limit_to_pool(struct bench_rig *r, struct places *places)
{
    struct pool_info info;
    pool_describe(r->pool, &info);
    size_t most = info.free_bytes / EXTENT_BYTES / 2;
    if (places->count > most)
        places->count = most;
}

static void measure(struct bench_rig *r, struct settings *s)
{
    struct places places;
    places_init(&places);
    limit_to_pool(r, &places);
    struct volume *v = bench_volume(r, "v", VOLUME_BYTES);
    double fresh = phase(r, s, v, "first write to an extent", place_once, &places);
    places_keep_written(&places);
    double over = phase(r, s, v, "overwrite", place_again, &places);
    judge(s, "overwrite / first write to a fresh extent", over, fresh);
    bench_snapshot(r, "v", "s");
    places_shuffle(&places);
    double after = phase(r, s, v, "first write after a snapshot", place_once, &places);
    places_keep_written(&places);
    double again = phase(r, s, v, "overwrite after the snapshot", place_again, &places);
    judge(s, "overwrite / first write after a snapshot", again, after);
    free(places.offsets);
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
