/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's life, and calls that wait for their answer. */
#include "tests/bench/bench_rig.h"

#include "base/auto.h"
#include "db/catalog.h"
#include "lunmgr/pool_priv.h"
#include "tests/bench/report.h"
#include "tests/bench/sync_timer.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READERS 2 /* as the daemon has */

_Noreturn void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(2);
}

static void must(int rc, const char *what, const struct err *e)
{
    if (rc != 0)
        bench_die(what, e->text);
}

uint64_t bench_number(const char *option, const char *text, uint64_t least)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < least)
        bench_die(option, "not a number, or too small");
    return n;
}

uint64_t bench_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* ---- Life ------------------------------------------------------------------------ */

/* So that a first write to an extent finds its blocks on the disk already, as on a block
 * device: the file system's own work for a hole is not what is measured. */
static void write_whole(const char *path, uint64_t bytes)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
    AUTO_FREE uint8_t *data = aligned_alloc(4096, MIB);
    if (fd < 0 || data == NULL)
        bench_die(path, strerror(errno));
    memset(data, 0xa5, MIB);
    for (uint64_t at = 0; at < bytes; at += MIB)
        if (pwrite(fd, data, MIB, (off_t)at) != (ssize_t)MIB)
            bench_die(path, strerror(errno));
    if (fdatasync(fd) != 0)
        bench_die(path, strerror(errno));
}

void bench_rig_init(struct bench_rig *r, const struct bench_options *options)
{
    *r = (struct bench_rig){.options = *options};
    char where[200];
    if (getcwd(where, sizeof(where)) == NULL)
        bench_die("getcwd", strerror(errno));
    snprintf(r->dir, sizeof(r->dir), "%s/ashlar-bench.XXXXXX", where);
    if (mkdtemp(r->dir) == NULL)
        bench_die(r->dir, strerror(errno));
    snprintf(r->pool_path, sizeof(r->pool_path), "%s/pool.img", r->dir);
    if (options->is_written) {
        report_progress("writing a pool file of %llu MiB",
                        (unsigned long long)(options->pool_bytes / MIB));
        write_whole(r->pool_path, options->pool_bytes);
    }
}

static void open_lanes(struct bench_rig *r)
{
    struct err e = {.code = 0};
    for (unsigned i = 0; i < BENCH_LANES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "lane%u", i);
        must(loop_create(name, &r->loops[i], &e), "loop_create", &e);
        must(lane_create(r->manager, r->loops[i], r->options.engine, &r->lanes[i], &e),
             "lane_create", &e);
        must(loop_start(r->loops[i], &e), "loop_start", &e);
    }
}

struct answer {
    bool came;
    struct err err;
    void *object;
};

static bool answer_came(void *arg)
{
    return ((struct answer *)arg)->came;
}

static void answer_take(struct answer *a, void *object, const struct err *e)
{
    a->object = object;
    if (e != NULL)
        a->err = *e;
    a->came = true;
}

static void *answer_wait(struct bench_rig *r, struct answer *a, const char *what)
{
    bench_until(r, answer_came, a);
    must(a->err.code, what, &a->err);
    return a->object;
}

static void answer_pool(void *arg, struct pool *pool, const struct err *e)
{
    answer_take(arg, pool, e);
}

static void make_pool(struct bench_rig *r)
{
    struct pool_device_spec device = {.path = r->pool_path,
                                      .size_bytes = r->options.pool_bytes};
    struct pool_spec spec = {.name = "p", .devices = &device, .device_count = 1};
    struct answer a = {.came = false};
    pool_create(r->manager, &spec, answer_pool, &a);
    r->pool = answer_wait(r, &a, "pool_create");
}

void bench_rig_open(struct bench_rig *r)
{
    struct err e = {.code = 0};
    struct catalog_options catalog = {.dir = r->dir, .reader_count = READERS};
    must(catalog_open(&catalog, &r->catalog, &e), "catalog_open", &e);
    must(loop_create("control", &r->control, &e), "loop_create", &e);
    struct lunmgr_options options = {
        .catalog = r->catalog,
        .control = r->control,
        .engine = r->options.engine,
        .round_interval_ms = BENCH_ROUND_INTERVAL_MS,
        .leaf_cache_bytes = r->options.leaf_cache_bytes,
        .make_engine = r->options.times_syncs ? sync_timer_engine : NULL,
        .make_engine_arg = &r->options.engine,
    };
    must(lunmgr_open(&options, &r->manager, &e), "lunmgr_open", &e);
    open_lanes(r);
    r->pool = pool_find(r->manager, "p");
    if (r->pool == NULL)
        make_pool(r);
    if (r->options.is_written)
        pool_slot(r->pool, 1)->discard_way = DISCARD_NONE;
    struct pool_info info;
    pool_describe(r->pool, &info);
    if (strcmp(info.state, "online") != 0)
        bench_die("the pool", info.state);
}

void bench_rig_close(struct bench_rig *r)
{
    if (r->manager == NULL)
        return;
    for (unsigned i = 0; i < BENCH_LANES; i++) {
        loop_stop(r->loops[i]);
        loop_join(r->loops[i]);
        lane_destroy(r->lanes[i]);
        loop_destroy(r->loops[i]);
    }
    lunmgr_close(r->manager);
    loop_destroy(r->control);
    catalog_close(r->catalog);
    r->manager = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void bench_rig_fini(struct bench_rig *r)
{
    bench_rig_close(r);
    if (nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        bench_die("remove", r->dir);
}

void bench_rig_chill(const struct bench_rig *r)
{
    static const char *const files[] = {"catalog.db", "catalog.db-wal"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", r->dir, files[i]);
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 &&
            (fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0))
            bench_die(path, "its pages stay in memory");
    }
}

/* ---- Waiting --------------------------------------------------------------------- */

void bench_until(struct bench_rig *r, bool (*reached)(void *arg), void *arg)
{
    while (!reached(arg)) {
        loop_run_once(r->control, false);
        if (!reached(arg))
            usleep(20);
    }
}

static bool time_came(void *arg)
{
    return bench_now_ns() >= *(const uint64_t *)arg;
}

void bench_sleep(struct bench_rig *r, unsigned ms)
{
    uint64_t until = bench_now_ns() + ms * UINT64_C(1000000);
    bench_until(r, time_came, &until);
}

/* ---- Calls that wait ------------------------------------------------------------- */

static void answer_volume(void *arg, struct volume *volume, const struct err *e)
{
    answer_take(arg, volume, e);
}

struct volume *bench_volume(struct bench_rig *r, const char *name, uint64_t bytes)
{
    struct volume_spec spec = {.name = name, .pool = "p", .size_bytes = bytes};
    struct answer a = {.came = false};
    volume_create(r->manager, &spec, answer_volume, &a);
    return answer_wait(r, &a, "volume_create");
}

static void answer_done(void *arg, const struct err *e)
{
    answer_take(arg, NULL, e);
}

static bool pool_is_empty(void *arg)
{
    struct pool_info info;
    pool_describe(((struct bench_rig *)arg)->pool, &info);
    return info.used_bytes == 0;
}

void bench_remove(struct bench_rig *r, const char *volume)
{
    struct answer a = {.came = false};
    volume_delete(r->manager, volume, true, answer_done, &a);
    (void)answer_wait(r, &a, "volume_delete");
    bench_until(r, pool_is_empty, r);
}

static void answer_snapshots(void *arg, struct volume *const *made, size_t count,
                             const struct err *e)
{
    answer_take(arg, count == 1 ? made[0] : NULL, e);
}

struct volume *bench_snapshot(struct bench_rig *r, const char *volume, const char *name)
{
    struct snapshot_spec spec = {.volumes = &volume, .volume_count = 1, .name = name};
    struct answer a = {.came = false};
    snapshot_create(r->manager, &spec, answer_snapshots, &a);
    return answer_wait(r, &a, "snapshot_create");
}

struct bench_one {
    struct vio vio;
    struct note note;
    int rc;
    atomic_bool ended;
};

static void one_done(struct vio *vio, int rc)
{
    struct bench_one *one = container_of(vio, struct bench_one, vio);
    one->rc = rc;
    atomic_store(&one->ended, true);
}

static void one_submit(struct note *note)
{
    vio_submit(&container_of(note, struct bench_one, note)->vio);
}

static bool one_ended(void *arg)
{
    return atomic_load(&((struct bench_one *)arg)->ended);
}

void bench_io(struct bench_rig *r, struct volume *volume, enum vio_op op,
              uint64_t offset_bytes, uint64_t bytes, uint8_t *data)
{
    struct bench_one one = {
        .note.run = one_submit,
        .vio = {.lane = r->lanes[0],
                .volume = volume,
                .op = op,
                .offset_bytes = offset_bytes,
                .length_bytes = bytes,
                .data = data,
                .done = one_done},
    };
    loop_post(r->loops[0], &one.note);
    bench_until(r, one_ended, &one);
    if (one.rc != 0)
        bench_die("an I/O failed", strerror(-one.rc));
}

/* ---- Devices --------------------------------------------------------------------- */

static void answer_device(void *arg, struct device *device, const struct err *e)
{
    answer_take(arg, device, e);
}

static void answer_job(void *arg, struct job *job, const struct err *e)
{
    answer_take(arg, job, e);
}

struct device *bench_add_device(struct bench_rig *r, const char *file, uint64_t bytes)
{
    char path[300];
    struct pool_device_spec spec = {.path = path};
    struct answer a = {.came = false};
    snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    write_whole(path, bytes);
    pool_device_add(r->manager, "p", &spec, answer_device, &a);
    struct device *d = answer_wait(r, &a, "pool_device_add");
    d->discard_way = DISCARD_NONE;
    return d;
}

struct job *bench_evacuate(struct bench_rig *r, const struct device *device)
{
    struct answer a = {.came = false};
    pool_device_evacuate(r->manager, device->row.id, answer_job, &a);
    return answer_wait(r, &a, "pool_device_evacuate");
}

void bench_remove_device(struct bench_rig *r, const struct device *device)
{
    struct answer a = {.came = false};
    char path[POOL_PATH_MAX];
    snprintf(path, sizeof(path), "%s", device->row.path);
    pool_device_remove(r->manager, device->row.id, answer_done, &a);
    (void)answer_wait(r, &a, "pool_device_remove");
    if (unlink(path) != 0)
        bench_die(path, strerror(errno));
}

/* ---- Memory ---------------------------------------------------------------------- */

uint64_t bench_memory_bytes(const char *field)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[200];
    size_t length = strlen(field);
    uint64_t bytes = 0;
    while (f != NULL && bytes == 0 && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            bytes = strtoull(line + length + 1, NULL, 10) * KIB;
    if (bytes == 0)
        bench_die("/proc/self/status", field);
    fclose(f);
    return bytes;
}
