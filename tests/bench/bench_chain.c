/* SPDX-License-Identifier: Apache-2.0 */
/* Does a long chain of snapshots slow reads down? Random 4 KiB reads of volumes with no
 * snapshot and with chains of 1, 10 and 100, the data spread evenly over their layers, in
 * turns. The data are real and written once; the chains' maps are made: each layer's
 * words name the very extents of the first volume, so all chains read the same blocks of
 * the disk. (That names an extent twice, which only reads can bear.) --grain-kib says how
 * much lies together in one layer: 64, an extent, or down to 4, a block. Usage:
 * bench_chain [--size-mib 16384] [--seconds 10] [--rounds 3] [--cache-mib 64]
 * [--grain-kib 64] [--smoke] */
#include "lunmgr/pool_priv.h"
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"
#include "tests/lib/map_maker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define CHAINS     4
#define LAYERS_MAX 101
#define DEPTH      32
#define RATIO_MAX  1.3
#define ROUNDS_MAX 100

static const unsigned chain_snapshots[CHAINS] = {0, 1, 10, 100};

struct settings {
    uint64_t size_bytes, cache_bytes, milliseconds;
    unsigned rounds, grain_blocks;
    struct report report;
};

struct chain {
    char name[16];
    unsigned layer_count;
    uint32_t layers[LAYERS_MAX]; /* ids, lowest first */
    double iops[ROUNDS_MAX];
    uint64_t cache_bytes, rss_bytes; /* after its last reads */
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"size-mib", required_argument, NULL, 'z'},
        {"seconds", required_argument, NULL, 't'},
        {"rounds", required_argument, NULL, 'r'},
        {"cache-mib", required_argument, NULL, 'c'},
        {"grain-kib", required_argument, NULL, 'g'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.size_bytes = 16 * GIB,
                         .cache_bytes = 64 * MIB,
                         .milliseconds = 10000,
                         .rounds = 3,
                         .grain_blocks = 16,
                         .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'z')
            s.size_bytes = bench_number("--size-mib", optarg, 16) / 16 * 16 * MIB;
        else if (c == 't')
            s.milliseconds = 1000 * bench_number("--seconds", optarg, 1);
        else if (c == 'r')
            s.rounds = (unsigned)bench_number("--rounds", optarg, 1);
        else if (c == 'c')
            s.cache_bytes = bench_number("--cache-mib", optarg, 1) * MIB;
        else if (c == 'g')
            s.grain_blocks = (unsigned)bench_number("--grain-kib", optarg, 4) / 4;
        else if (c == 's')
            s = (struct settings){.size_bytes = 128 * MIB,
                                  .cache_bytes = MIB,
                                  .milliseconds = 200,
                                  .rounds = 1,
                                  .grain_blocks = 4};
        else
            exit(2);
    }
    if (s.rounds > ROUNDS_MAX || s.grain_blocks > WORD_BLOCKS)
        bench_die("arguments", "too many rounds, or too large a grain");
    return s;
}

/* ---- The volumes ----------------------------------------------------------------- */

static bool next_in_order(void *arg, uint64_t *offset_bytes)
{
    struct random_place *p = arg; /* state: where it is */
    *offset_bytes = p->state;
    p->state += p->align_bytes;
    return *offset_bytes < p->region_bytes;
}

static void fill(struct bench_rig *r, const struct settings *s, struct volume *volume)
{
    struct random_place where = {.region_bytes = s->size_bytes,
                                 .align_bytes = (uint32_t)MIB};
    struct traffic_options options = {.volume = volume,
                                      .depth = 8,
                                      .io_bytes = (uint32_t)MIB,
                                      .write_percent = 100,
                                      .next = next_in_order,
                                      .next_arg = &where};
    struct traffic_result result;
    traffic_run(r, &options, &result);
    report_progress("%.0f MB written at %.0f MB/s", (double)s->size_bytes / 1e6,
                    (double)s->size_bytes / 1e6 / result.seconds);
}

static void chain_make(struct bench_rig *r, const struct settings *s, struct chain *c,
                       unsigned snapshots)
{
    snprintf(c->name, sizeof(c->name), "v%u", snapshots);
    struct volume *v = bench_volume(r, c->name, s->size_bytes);
    if (snapshots == 0)
        fill(r, s, v);
    for (unsigned i = 0; i < snapshots; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%u", i);
        bench_snapshot(r, c->name, name);
    }
    c->layer_count = snapshots + 1;
    unsigned i = c->layer_count;
    for (struct layer *l = volume_top(v); l != NULL; l = layer_parent(l))
        c->layers[--i] = l->id;
}

/* ---- Their maps ------------------------------------------------------------------ */

static unsigned layer_of(const struct settings *s, const struct chain *c, uint64_t extent,
                         unsigned block)
{
    uint64_t grain = (extent * WORD_BLOCKS + block) / s->grain_blocks;
    uint64_t hash = (grain + 1) * 0x9e3779b97f4a7c15ULL;
    return (unsigned)((hash ^ hash >> 32) * 0xd6e8feb86659fd93ULL >> 40) % c->layer_count;
}

/* The blocks of an extent that lie in that layer. */
static uint64_t layer_blocks(const struct settings *s, const struct chain *c,
                             unsigned layer, uint64_t extent)
{
    uint64_t mask = 0;
    for (unsigned b = 0; b < WORD_BLOCKS; b++)
        if (layer_of(s, c, extent, b) == layer)
            mask |= UINT64_C(1) << b;
    return mask;
}

/* Ids grow from chain to chain and from layer to layer, so keys do. */
static void maps_make(const struct bench_rig *r, const struct settings *s,
                      const struct chain chains[CHAINS])
{
    size_t extents = s->size_bytes / EXTENT_BYTES;
    uint64_t *words = malloc(extents * sizeof(words[0]));
    struct map_maker *mm = map_maker_open(r->dir);
    if (words == NULL)
        bench_die("bench_chain", "out of memory");
    map_maker_read(mm, chains[0].layers[0], words, extents);
    for (unsigned n = 1; n < CHAINS; n++) {
        const struct chain *c = &chains[n];
        for (unsigned l = 0; l < c->layer_count; l++)
            for (size_t i = 0; i < extents; i++) {
                uint64_t mask = layer_blocks(s, c, l, i);
                if (mask != 0)
                    map_maker_word(mm, extent_key(c->layers[l], (uint32_t)i),
                                   (words[i] & ~WORD_MASK_FULL) | mask);
            }
    }
    map_maker_close(mm);
    free(words);
}

/* ---- Reading --------------------------------------------------------------------- */

static void chain_read(struct bench_rig *r, const struct settings *s, struct chain *c,
                       unsigned round)
{
    struct random_place where = {
        .state = 1 + round, .region_bytes = s->size_bytes, .align_bytes = BLOCK_BYTES};
    struct traffic_options options = {.volume = volume_find(r->manager, c->name),
                                      .depth = DEPTH,
                                      .io_bytes = BLOCK_BYTES,
                                      .milliseconds = s->milliseconds / 4,
                                      .next = random_place_next,
                                      .next_arg = &where};
    struct traffic_result result;
    traffic_run(r, &options, &result); /* its map takes the cache */
    options.milliseconds = s->milliseconds;
    traffic_run(r, &options, &result);
    c->iops[round] = traffic_iops(&result);
    c->cache_bytes = lunmgr_leaf_cache_bytes(r->manager);
    c->rss_bytes = bench_memory_bytes("VmRSS");
    report_progress("round %u: chain of %u: %.0f IOPS, median %.2f ms, p99 %.2f ms",
                    round, c->layer_count - 1, c->iops[round],
                    (double)histogram_at(&result.latency, 0.5) / 1e6,
                    (double)histogram_at(&result.latency, 0.99) / 1e6);
}

static int iops_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(struct chain *c, unsigned rounds)
{
    qsort(c->iops, rounds, sizeof(c->iops[0]), iops_order);
    return c->iops[rounds / 2];
}

static void judge(struct settings *s, struct chain chains[CHAINS])
{
    double alone = median(&chains[0], s->rounds);
    report_figure("random reads, no snapshot", "%.0f IOPS; map %.1f MiB; VmRSS %.0f MiB",
                  alone, (double)chains[0].cache_bytes / (double)MIB,
                  (double)chains[0].rss_bytes / (double)MIB);
    for (unsigned n = 1; n < CHAINS; n++) {
        struct chain *c = &chains[n];
        double iops = median(c, s->rounds);
        char claim[80];
        snprintf(claim, sizeof(claim),
                 "random reads, no snapshot / chain of %u, %u KiB in a layer",
                 c->layer_count - 1, s->grain_blocks * 4);
        report_claim(&s->report, alone <= RATIO_MAX * iops, claim, "1.3",
                     "%.2f (%.0f IOPS; map %.1f MiB; VmRSS %.0f MiB)", alone / iops, iops,
                     (double)c->cache_bytes / (double)MIB,
                     (double)c->rss_bytes / (double)MIB);
    }
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    struct bench_options options = {.pool_bytes = s.size_bytes + GIB,
                                    .leaf_cache_bytes = s.cache_bytes};
    struct bench_rig r;
    static struct chain chains[CHAINS];
    bench_rig_init(&r, &options);
    bench_rig_open(&r);
    for (unsigned n = 0; n < CHAINS; n++)
        chain_make(&r, &s, &chains[n], chain_snapshots[n]);
    bench_rig_close(&r);
    maps_make(&r, &s, chains);
    bench_rig_open(&r);
    for (unsigned round = 0; round < s.rounds; round++)
        for (unsigned n = 0; n < CHAINS; n++)
            chain_read(&r, &s, &chains[n], round);
    judge(&s, chains);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
