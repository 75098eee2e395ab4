/* SPDX-License-Identifier: Apache-2.0 */
/* A full volume is copied inside its pool without moving data: as the API does it, by a
 * job; and in pieces of 32 MiB, as a host's EXTENDED COPY asks for it, one after the
 * other on one lane, then flushed. What that takes in time and processor, what the flush
 * writes, how much memory; then random first writes of 4 KiB to the copies, beside the
 * same after a snapshot of a volume as large. The map is made, not written, in a sparse
 * pool file, so that what is shared costs no disk I/O of data. --random lays it out as
 * random writes would have. Usage: bench_copy [--size-gib 100] [--piece-mib 32]
 * [--seconds 10] [--random] [--smoke] */
#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_copy.h"
#include "tests/bench/report.h"
#include "tests/bench/traffic.h"
#include "tests/lib/map_maker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define COPY_S_MAX  1.0
#define FLUSH_S_MAX 3.0
#define RATIO_MAX   1.3
#define DEPTH       32

struct settings {
    uint64_t size_bytes, piece_bytes, milliseconds;
    bool random;
    struct report report;
};

static struct settings parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"size-gib", required_argument, NULL, 'z'},
        {"piece-mib", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 't'},
        {"random", no_argument, NULL, 'r'},
        {"smoke", no_argument, NULL, 's'},
        {0},
    };
    struct settings s = {.size_bytes = 100 * GIB,
                         .piece_bytes = 32 * MIB,
                         .milliseconds = 10000,
                         .report.judges = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'z')
            s.size_bytes = bench_number("--size-gib", optarg, 1) * GIB;
        else if (c == 'p')
            s.piece_bytes = bench_number("--piece-mib", optarg, 1) * MIB;
        else if (c == 't')
            s.milliseconds = 1000 * bench_number("--seconds", optarg, 1);
        else if (c == 'r')
            s.random = true;
        else if (c == 's')
            s = (struct settings){
                .size_bytes = GIB, .piece_bytes = 32 * MIB, .milliseconds = 300};
        else
            exit(2);
    }
    return s;
}

/* ---- A full volume -------------------------------------------------------------------
 */

/* Where extent i of the volume lies: one after the other, or anywhere. */
static uint64_t layout(const struct settings *s, uint64_t i)
{
    uint64_t extents = s->size_bytes / EXTENT_BYTES;
    if (!s->random)
        return i + 1;
    uint64_t step = 0x9e3779b1ULL; /* with no divisor in common, it meets each once */
    while (extents % 2 == 0 ? false : step % extents == 0)
        step += 2;
    return i * step % extents + 1;
}

static void make_full(struct bench_rig *r, const struct settings *s)
{
    uint64_t extents = s->size_bytes / EXTENT_BYTES;
    bench_rig_open(r);
    uint32_t layer = volume_top(bench_volume(r, "full", s->size_bytes))->id;
    uint32_t device_no = pool_slot(r->pool, 1)->row.no;
    bench_rig_close(r);
    struct map_maker *mm = map_maker_open(r->dir);
    for (uint64_t i = 0; i < extents; i++)
        map_maker_word(mm, extent_key(layer, (uint32_t)i),
                       place_of(1, layout(s, i)) << PLACE_SHIFT | WORD_MASK_FULL);
    map_maker_use(mm, device_no, extents);
    map_maker_count(mm, layer, extents);
    map_maker_close(mm);
    bench_rig_open(r);
}

/* ---- The copy, on a lane -------------------------------------------------------------
 */

struct copying {
    struct note note;
    struct copy copy;
    uint64_t size_bytes, piece_bytes;
    uint64_t shared_bytes, longest_ns, began_ns;
    double cpu_s;
    atomic_bool ended;
};

static double thread_cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void piece_start(struct copying *c)
{
    c->began_ns = bench_now_ns();
    copy_start(&c->copy);
}

static void on_piece(struct copy *copy, int rc)
{
    struct copying *c = container_of(copy, struct copying, copy);
    uint64_t took_ns = bench_now_ns() - c->began_ns;
    if (rc != 0)
        bench_die("copy", strerror(-rc));
    c->longest_ns = took_ns > c->longest_ns ? took_ns : c->longest_ns;
    c->shared_bytes += copy->shared_bytes;
    copy->from_bytes += copy->length_bytes;
    copy->to_bytes += copy->length_bytes;
    if (copy->from_bytes < c->size_bytes) {
        piece_start(c);
        return;
    }
    c->cpu_s = thread_cpu_s() - c->cpu_s;
    atomic_store(&c->ended, true);
}

static void on_lane(struct note *note)
{
    struct copying *c = container_of(note, struct copying, note);
    c->cpu_s = thread_cpu_s();
    piece_start(c);
}

static bool has_ended(void *arg)
{
    return atomic_load(&((struct copying *)arg)->ended);
}

static double process_cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* What this process has had written. */
static uint64_t written_bytes(void)
{
    char line[128];
    uint64_t bytes = 0;
    FILE *f = fopen("/proc/self/io", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        (void)sscanf(line, "wchar: %lu", &bytes);
    if (f != NULL)
        fclose(f);
    return bytes;
}

static void copy_all(struct bench_rig *r, struct settings *s, struct volume *from,
                     struct volume *to)
{
    struct copying c = {.note.run = on_lane,
                        .size_bytes = s->size_bytes,
                        .piece_bytes = s->piece_bytes,
                        .copy = {.lane = r->lanes[0],
                                 .from = from,
                                 .to = to,
                                 .length_bytes = s->piece_bytes,
                                 .done = on_piece}};
    uint64_t began_ns = bench_now_ns(), wrote = written_bytes();
    double cpu_s = process_cpu_s();
    loop_post(r->loops[0], &c.note);
    bench_until(r, has_ended, &c);
    double copy_s = (double)(bench_now_ns() - began_ns) / 1e9;
    bench_io(r, to, VIO_FLUSH, 0, 0, NULL);
    double all_s = (double)(bench_now_ns() - began_ns) / 1e9;
    report_claim(&s->report, copy_s < COPY_S_MAX && c.shared_bytes == s->size_bytes,
                 "a full volume copied inside its pool, in pieces, on one lane", "1 s",
                 "%.2f s; its lane's processor %.2f s", copy_s, c.cpu_s);
    report_figure("the longest piece", "%.1f ms", (double)c.longest_ns / 1e6);
    report_claim(&s->report, all_s - copy_s < FLUSH_S_MAX, "the flush after it", "3 s",
                 "%.2f s; written %.1f MiB", all_s - copy_s,
                 (double)(written_bytes() - wrote) / (double)MIB);
    report_figure("processor of the whole process, with the flush", "%.2f s",
                  process_cpu_s() - cpu_s);
    report_figure("memory, peak", "%.0f MiB",
                  (double)bench_memory_bytes("VmHWM") / (double)MIB);
}

/* ---- The copy, by a job --------------------------------------------------------------
 */

struct asked {
    struct job *job;
    int rc;
    bool came;
};

static void on_job(void *arg, struct job *job, const struct err *e)
{
    struct asked *a = arg;
    a->job = job;
    a->rc = e == NULL ? 0 : e->code;
    a->came = true;
}

static bool job_has_ended(void *arg)
{
    const struct asked *a = arg;
    struct job_info info;
    if (!a->came || a->rc != 0)
        return a->came;
    job_describe(a->job, &info);
    return strcmp(info.state, "running") != 0;
}

static struct volume *copy_by_job(struct bench_rig *r, struct settings *s)
{
    const struct volume_copy_spec spec = {.name = "whole"};
    struct asked a = {.came = false};
    struct job_info info = {.state = "refused"};
    uint64_t began_ns = bench_now_ns();
    volume_copy(r->manager, "full", &spec, on_job, &a);
    bench_until(r, job_has_ended, &a);
    double took_s = (double)(bench_now_ns() - began_ns) / 1e9;
    if (a.rc == 0)
        job_describe(a.job, &info);
    if (strcmp(info.state, "done") != 0)
        bench_die("the job", info.state);
    report_claim(&s->report, took_s < COPY_S_MAX,
                 "a full volume copied by the API into a new one, to the job's end",
                 "1 s", "%.3f s", took_s);
    return volume_find(r->manager, "whole");
}

/* ---- First writes --------------------------------------------------------------------
 */

struct walk {
    uint64_t at, step, extents, left;
};

/* Each extent once, far from the last one. */
static bool walk_next(void *arg, uint64_t *offset_bytes)
{
    struct walk *w = arg;
    if (w->left-- == 0)
        return false;
    *offset_bytes = w->at * EXTENT_BYTES;
    w->at = (w->at + w->step) % w->extents;
    return true;
}

static double first_writes(struct bench_rig *r, const struct settings *s,
                           struct volume *v, const char *what)
{
    uint64_t extents = s->size_bytes / EXTENT_BYTES;
    struct walk walk = {.step = extents / 2 - 1, .extents = extents, .left = extents / 4};
    struct traffic_options options = {.volume = v,
                                      .depth = DEPTH,
                                      .io_bytes = BLOCK_BYTES,
                                      .write_percent = 100,
                                      .milliseconds = s->milliseconds,
                                      .next = walk_next,
                                      .next_arg = &walk};
    struct traffic_result result;
    double cpu_s = process_cpu_s();
    traffic_run(r, &options, &result);
    double each_us = (process_cpu_s() - cpu_s) / (double)result.count * 1e6;
    report_figure(what, "%.0f IOPS; %.1f us of processor each; p99 %.1f ms",
                  traffic_iops(&result), each_us,
                  (double)histogram_at(&result.latency, 0.99) / 1e6);
    return traffic_iops(&result);
}

int main(int argc, char **argv)
{
    struct settings s = parse(argc, argv);
    struct bench_options options = {.pool_bytes = 4 * s.size_bytes};
    struct bench_rig r;
    bench_rig_init(&r, &options);
    report_progress("making a full volume");
    make_full(&r, &s);
    struct volume *full = volume_find(r.manager, "full");
    struct volume *copy = bench_volume(&r, "copy", s.size_bytes);
    copy_all(&r, &s, full, copy);
    struct volume *whole = copy_by_job(&r, &s);
    report_progress("first writes");
    (void)bench_snapshot(&r, "full", "s");
    double sealed = first_writes(&r, &s, full, "first writes after a snapshot");
    double cloned = first_writes(&r, &s, whole, "first writes to the API's copy");
    double shared = first_writes(&r, &s, copy, "first writes to what pieces share");
    report_claim(&s.report, sealed / cloned <= RATIO_MAX,
                 "first writes after a snapshot / to the API's copy", "1.3", "%.2f",
                 sealed / cloned);
    report_figure("first writes after a snapshot / to what pieces share", "%.2f",
                  sealed / shared);
    bench_rig_fini(&r);
    return report_end(&s.report);
}
