/* SPDX-License-Identifier: Apache-2.0 */
/* A fully written volume of 4 TiB: what its map takes in memory, and how fast a start is.
 * The map is made, not written: all extents of the volume, laid out as random writes
 * would have, in a sparse pool file, so reads cost no disk I/O of data and the map is
 * what is measured. Each phase is a process of its own, whose memory is then its own:
 *
 *   make     a pool, a volume, its map through the catalog's own rounds
 *   clean    a start after a clean stop, then random reads and writes over all of it
 *   kill     the same, killed meanwhile
 *   crash    a start after that; the check for leaks that comes with it
 *
 * Usage: bench_huge_map [--size-gib 4096] [--seconds 30] [--cache-mib 64] [--smoke] */
#include "lunmgr/pool_priv.h"
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"
#include "tests/lib/map_maker.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH         32
#define WRITE_PERCENT 30
#define START_S_MAX   2.0
#define RSS_MAX       (256 * MIB)
#define KILL_AFTER_MS 3000

struct settings {
    uint64_t size_bytes, cache_bytes, milliseconds;
    struct report report;
};

/* What the phases found, shared by their processes. */
struct found {
    double make_s, catalog_gib;
    double clean_start_s, crash_start_s, check_s;
    double iops, check_iops;
    uint64_t rss_bytes, peak_bytes, cache_bytes, idle_bytes, crash_peak_bytes;
};

struct huge {
    struct settings s;
    struct bench_rig r;
    struct found *found;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"size-gib", required_argument, NULL, 'z'},
        {"seconds", required_argument, NULL, 't'},
        {"cache-mib", required_argument, NULL, 'c'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.size_bytes = 4096 * GIB,
                         .cache_bytes = 64 * MIB,
                         .milliseconds = 30000,
                         .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'z')
            s.size_bytes = bench_number("--size-gib", optarg, 1) * GIB;
        else if (c == 't')
            s.milliseconds = 1000 * bench_number("--seconds", optarg, 1);
        else if (c == 'c')
            s.cache_bytes = bench_number("--cache-mib", optarg, 1) * MIB;
        else if (c == 's')
            s = (struct settings){
                .size_bytes = 16 * GIB, .cache_bytes = MIB, .milliseconds = 300};
        else
            exit(2);
    }
    if ((s.size_bytes & (s.size_bytes - 1)) != 0)
        bench_die("--size-gib", "not a power of two");
    return s;
}

/* ---- Phases ---------------------------------------------------------------------- */

static void phase_make(struct huge *h)
{
    uint64_t extents = h->s.size_bytes / EXTENT_BYTES;
    uint64_t began_ns = bench_now_ns();
    bench_rig_open(&h->r);
    uint32_t layer = volume_top(bench_volume(&h->r, "v", h->s.size_bytes))->id;
    uint32_t device_no = pool_slot(h->r.pool, 1)->row.no;
    bench_rig_close(&h->r);
    struct map_maker *mm = map_maker_open(h->r.dir);
    for (uint64_t i = 0; i < extents; i++) {
        /* An odd factor makes a permutation of any power of two. */
        uint64_t extent = i * 0x9e3779b1ULL % extents + 1;
        map_maker_word(mm, extent_key(layer, (uint32_t)i),
                       place_of(1, extent) << PLACE_SHIFT | WORD_MASK_FULL);
    }
    map_maker_use(mm, device_no, extents);
    map_maker_count(mm, layer, extents);
    map_maker_close(mm);
    h->found->make_s = (double)(bench_now_ns() - began_ns) / 1e9;
    char path[300];
    struct stat st;
    snprintf(path, sizeof(path), "%s/catalog.db", h->r.dir);
    if (stat(path, &st) == 0)
        h->found->catalog_gib = (double)st.st_size / (double)GIB;
}

/* Seconds until the first read is answered. */
static double start(struct huge *h)
{
    static uint8_t data[BLOCK_BYTES] __attribute__((aligned(4096)));
    bench_rig_chill(&h->r);
    uint64_t began_ns = bench_now_ns();
    bench_rig_open(&h->r);
    bench_io(&h->r, volume_find(h->r.manager, "v"), VIO_READ, h->s.size_bytes / 2,
             sizeof(data), data);
    return (double)(bench_now_ns() - began_ns) / 1e9;
}

static struct traffic *traffic_over_all(struct huge *h, struct random_place *where,
                                        uint64_t milliseconds)
{
    *where = (struct random_place){
        .state = 1, .region_bytes = h->s.size_bytes, .align_bytes = BLOCK_BYTES};
    struct traffic_options options = {.volume = volume_find(h->r.manager, "v"),
                                      .depth = DEPTH,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = WRITE_PERCENT,
                                      .milliseconds = milliseconds,
                                      .next = random_place_next,
                                      .next_arg = where};
    return traffic_start(&h->r, &options);
}

static void phase_clean(struct huge *h)
{
    struct random_place where;
    struct traffic_result result;
    h->found->clean_start_s = start(h);
    h->found->idle_bytes = bench_memory_bytes("VmRSS");
    traffic_finish(&h->r, traffic_over_all(h, &where, h->s.milliseconds), &result);
    h->found->iops = traffic_iops(&result);
    h->found->rss_bytes = bench_memory_bytes("VmRSS");
    h->found->peak_bytes = bench_memory_bytes("VmHWM");
    h->found->cache_bytes = lunmgr_leaf_cache_bytes(h->r.manager);
    bench_rig_close(&h->r);
}

static void phase_kill(struct huge *h)
{
    struct random_place where;
    bench_rig_open(&h->r);
    (void)traffic_over_all(h, &where, 0);
    bench_sleep(&h->r, h->s.report.judges ? KILL_AFTER_MS : 200);
    raise(SIGKILL);
}

static bool is_checked(void *arg)
{
    struct huge *h = arg;
    return atomic_load(&h->r.pool->check_count) == 0;
}

static void phase_crash(struct huge *h)
{
    struct random_place where;
    struct traffic_result result;
    h->found->crash_start_s = start(h);
    uint64_t began_ns = bench_now_ns();
    struct traffic *t = traffic_over_all(h, &where, 0);
    bench_until(&h->r, is_checked, h);
    h->found->check_s = (double)(bench_now_ns() - began_ns) / 1e9;
    traffic_stop(t);
    traffic_finish(&h->r, t, &result);
    h->found->check_iops = traffic_iops(&result);
    h->found->crash_peak_bytes = bench_memory_bytes("VmHWM");
    bench_rig_close(&h->r);
}

/* In a process of its own. */
static void run(struct huge *h, const char *what, void (*phase)(struct huge *h))
{
    report_progress("%s", what);
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork", strerror(errno));
    if (pid == 0) {
        phase(h);
        _exit(0);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid)
        bench_die("waitpid", strerror(errno));
    bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (phase == phase_kill ? !is_killed : status != 0) {
        bench_rig_fini(&h->r);
        bench_die(what, "the phase failed");
    }
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (double)MIB;
}

static void judge(struct settings *s, const struct found *f)
{
    uint64_t peak =
        f->peak_bytes > f->crash_peak_bytes ? f->peak_bytes : f->crash_peak_bytes;
    report_claim(&s->report, peak < RSS_MAX,
                 "4 TiB map, 64 MiB leaf cache: memory under random I/O, peak", "256 MiB",
                 "%.0f MiB", mib(peak));
    report_figure("memory after the start; under I/O; of it the map; after a crash, peak",
                  "%.0f; %.0f; %.1f; %.0f MiB", mib(f->idle_bytes), mib(f->rss_bytes),
                  mib(f->cache_bytes), mib(f->crash_peak_bytes));
    report_claim(&s->report, f->clean_start_s < START_S_MAX,
                 "start after a clean stop, to the first read", "2 s", "%.2f s",
                 f->clean_start_s);
    report_claim(&s->report, f->crash_start_s < START_S_MAX,
                 "start after a kill, to the first read", "2 s", "%.2f s",
                 f->crash_start_s);
    report_figure("the check after it, in the background, under random I/O",
                  "%.1f s at %.0f IOPS", f->check_s, f->check_iops);
    report_figure("random I/O, 70 % reads, over the whole map", "%.0f IOPS", f->iops);
    report_figure("catalog; made in", "%.2f GiB; %.0f s", f->catalog_gib, f->make_s);
}

int main(int argc, char **argv)
{
    struct huge h = {.s = parse(argc, argv)};
    struct bench_options options = {.pool_bytes = h.s.size_bytes + 4 * GIB,
                                    .leaf_cache_bytes = h.s.cache_bytes};
    h.found = mmap(NULL, sizeof(*h.found), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (h.found == MAP_FAILED)
        bench_die("mmap", strerror(errno));
    bench_rig_init(&h.r, &options);
    run(&h, "making the map", phase_make);
    run(&h, "a clean start", phase_clean);
    run(&h, "a kill", phase_kill);
    run(&h, "a start after it", phase_crash);
    bench_rig_fini(&h.r);
    judge(&h.s, h.found);
    return report_end(&h.s.report);
}
