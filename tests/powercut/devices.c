/* SPDX-License-Identifier: Apache-2.0 */
/* The pool's devices, those it may have yet, and those it had: files full of rubbish,
 * each on a disk of its own. They come, grow, are emptied and go beside everything else.
 */
#include "tests/powercut/run.h"

#include "tests/lib/rig_manage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALONE_BYTES   (8 * MIB) /* at least, of a pool's only one */
#define LEAST_BYTES   (3 * MIB)
#define GROWTH_MAX    32 /* extents */
#define DISK_BYTES    (32 * MIB)
#define RUBBISH_BYTES (24 * MIB)

/* ---- Files --------------------------------------------------------------------------
 */

static uint64_t file_bytes(const struct model_device *d)
{
    struct stat st;
    int rc = stat(d->path, &st);
    assert(rc == 0);
    return (uint64_t)st.st_size;
}

/* What lies on a device before it is ours: no block of it may ever be seen. */
static void append_rubbish(const struct model_device *d, uint64_t bytes)
{
    static uint64_t rubbish[RUBBISH_BYTES / sizeof(uint64_t)];
    for (uint64_t i = 0; rubbish[0] == 0 && i < ARRAY_LEN(rubbish); i++)
        rubbish[i] = 0xbad0bad0bad00000ULL + i * sizeof(uint64_t) / BLOCK_BYTES;
    AUTO_CLOSE int fd = open(d->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ssize_t n = write(fd, rubbish, bytes);
    assert(n == (ssize_t)bytes);
}

static void device_make(struct run *run, struct model_device *d, uint64_t bytes)
{
    *d = (struct model_device){.bytes = bytes};
    snprintf(d->path, sizeof(d->path), "%s/device%td", run->rig.dir,
             d - run->model.devices);
    append_rubbish(d, run_chance(run, 80) ? bytes : 0);
    d->disk = cut_disk_create(run->power, d->path, DISK_BYTES);
    cut_disk_set_atom(d->disk, run_chance(run, 60) ? 512 : 4096);
    if (!run->threads)
        cut_disk_set_lazy(d->disk);
}

/* A file with something in it is taken as it is. */
static struct pool_device_spec device_spec(const struct model_device *d)
{
    return (struct pool_device_spec){.path = d->path,
                                     .size_bytes = file_bytes(d) == 0 ? d->bytes : 0};
}

void run_make_pool(struct run *run)
{
    struct model *m = &run->model;
    struct pool_device_spec specs[MODEL_DEVICES_MAX];
    size_t count = run_chance(run, 35) ? 1 : 2 + run_draw(run, 2);
    if (run->walks)
        count = 2;
    struct pool_spec spec = {.name = "p", .devices = specs, .device_count = count};
    struct err e = {.code = 0};
    m->device_count = MODEL_DEVICES_MAX;
    for (unsigned i = 0; i < m->device_count; i++) {
        uint64_t bytes = LEAST_BYTES + run_draw(run, 6) * MIB;
        if (i == 0 && count == 1)
            bytes = ALONE_BYTES + run_draw(run, 3) * run_draw(run, 9) * MIB;
        device_make(run, &m->devices[i], bytes);
        m->devices[i].is_member = i < count;
    }
    for (size_t i = 0; i < count; i++)
        specs[i] = device_spec(&m->devices[i]);
    if (rig_pool(&run->rig, &spec, &run->rig.pool, &e) != 0)
        run_offend(run, "the pool cannot be made: %s", e.text);
}

void run_close_pool(struct run *run)
{
    pool_rig_close(&run->rig);
    for (unsigned i = 0; i < run->model.device_count; i++)
        cut_disk_lose(run->model.devices[i].disk);
}

void run_restore_devices(struct run *run)
{
    for (unsigned i = 0; i < run->model.device_count; i++) {
        cut_disk_fail_sync(run->model.devices[i].disk, 0);
        if (run_is_off(run))
            cut_disk_restore(run->model.devices[i].disk);
    }
}

void run_destroy_devices(struct run *run)
{
    for (unsigned i = 0; i < run->model.device_count; i++)
        cut_disk_destroy(run->model.devices[i].disk);
}

/* ---- Choosing -----------------------------------------------------------------------
 */

/* NULL: none is. */
static struct model_device *any_device(struct run *run,
                                       bool (*is_such)(const struct model_device *d))
{
    struct model_device *such[MODEL_DEVICES_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < run->model.device_count; i++)
        if (is_such(&run->model.devices[i]))
            such[n++] = &run->model.devices[i];
    return n == 0 ? NULL : such[run_draw(run, n)];
}

static bool is_stranger(const struct model_device *d)
{
    return !d->is_member;
}

static bool is_member(const struct model_device *d)
{
    return d->is_member;
}

static bool serves(const struct model_device *d)
{
    return d->is_member && d->evacuation == MODEL_SERVES;
}

static bool leaves(const struct model_device *d)
{
    return d->is_member && d->evacuation == MODEL_LEAVES;
}

static bool is_empty(const struct model_device *d)
{
    return d->is_member && d->evacuation == MODEL_EMPTY;
}

bool run_is_evacuating(const struct run *run)
{
    for (unsigned i = 0; i < run->model.device_count; i++)
        if (leaves(&run->model.devices[i]))
            return true;
    return false;
}

static const char *key_of(struct run *run, const struct model_device *d)
{
    static char key[POOL_DEVICE_KEY_MAX];
    const struct device *device = model_find_device(d, run->rig.manager);
    if (device == NULL) {
        run_offend(run, "%s is not in the pool", d->path);
        return "p/0";
    }
    pool_device_key(device, key);
    return key;
}

/* ---- Changes ------------------------------------------------------------------------
 */

static void change_name(struct run *run, struct change *c)
{
    snprintf(c->name, sizeof(c->name), "device%td", c->device - run->model.devices);
    run_record(run, c);
}

/* One that may carry a superblock is refused first, or not, and then taken by force. */
void run_add_device(struct run *run)
{
    struct model_device *d = any_device(run, is_stranger);
    if (d == NULL)
        return;
    struct change c = {.kind = CHANGE_ADD, .device = d};
    struct pool_device_spec spec = device_spec(d);
    struct err e = {.code = 0};
    c.bytes = spec.size_bytes > 0 ? spec.size_bytes : file_bytes(d);
    spec.force = run_chance(run, 30);
    run_trace(run, "add %s, %llu bytes, force %d", d->path, (unsigned long long)c.bytes,
              spec.force);
    change_name(run, &c);
    int rc = rig_device_add(&run->rig, &spec, &e);
    if (rc == -EEXIST && d->carries && !run_is_off(run)) {
        run_trace(run, "  %s", e.text);
        spec.force = true;
        change_name(run, &c);
        rc = rig_device_add(&run->rig, &spec, &e);
    }
    if (rc != 0 && !run_is_off(run))
        run_offend(run, "%s cannot be added: %s", d->path, e.text);
    d->carries = false;
    (void)run_answered(run, &c, rc);
}

/* As a file that is made longer, or as what has become longer. */
void run_grow_device(struct run *run)
{
    struct model_device *d = any_device(run, is_member);
    if (d == NULL || run->has_failed)
        return;
    struct change c = {.kind = CHANGE_GROW, .device = d};
    uint64_t more = (1 + run_draw(run, GROWTH_MAX)) * EXTENT_BYTES;
    uint64_t size = file_bytes(d) + more, asked = size;
    struct err e = {.code = 0};
    if (size > DISK_BYTES)
        return;
    if (run_chance(run, 50)) {
        append_rubbish(d, more);
        asked = 0;
    }
    c.bytes = size;
    run_trace(run, "grow %s to %llu bytes", d->path, (unsigned long long)size);
    change_name(run, &c);
    int rc = rig_device_grow(&run->rig, key_of(run, d), asked, &e);
    if (rc != 0 && !run_is_off(run))
        run_offend(run, "%s cannot grow: %s", d->path, e.text);
    (void)run_answered(run, &c, rc);
}

static uint64_t youngest_job(struct run *run)
{
    struct job_info info = {.no = 0};
    for (const struct job *job = NULL; (job = job_next(run->rig.manager, job)) != NULL;)
        job_describe(job, &info);
    return info.no;
}

void run_evacuate_device(struct run *run)
{
    struct model_device *d = any_device(run, serves);
    struct job *job;
    struct err e = {.code = 0};
    if (d == NULL || run->has_failed || model_member_count(&run->model) < 2)
        return;
    struct change c = {
        .kind = CHANGE_EVACUATE, .device = d, .after_job = youngest_job(run)};
    run_trace(run, "evacuate %s", d->path);
    change_name(run, &c);
    int rc = rig_device_evacuate(&run->rig, key_of(run, d), &job, &e);
    run_trace(run, "  %s", e.text);
    if (rc == 0)
        (void)change_has_happened(&c, run->rig.manager);
    (void)run_answered(run, &c, rc);
}

void run_cancel_evacuation(struct run *run)
{
    struct model_device *d = any_device(run, leaves);
    if (d == NULL)
        return;
    struct change c = {.kind = CHANGE_CANCEL, .device = d};
    memcpy(c.job, d->job, sizeof(c.job));
    run_trace(run, "cancel the evacuation of %s", d->path);
    change_name(run, &c);
    (void)run_answered(run, &c, rig_job_cancel(&run->rig, d->job, NULL));
    run_verify_devices(run);
}

void run_remove_device(struct run *run)
{
    struct model_device *d = any_device(run, is_empty);
    struct err e = {.code = 0};
    if (d == NULL || run->has_failed)
        return;
    struct change c = {.kind = CHANGE_REMOVE, .device = d};
    run_trace(run, "remove %s", d->path);
    change_name(run, &c);
    int rc = rig_device_remove(&run->rig, key_of(run, d), &e);
    if (rc != 0 && !run_is_off(run))
        run_offend(run, "%s cannot be removed: %s", d->path, e.text);
    d->carries = false;
    (void)run_answered(run, &c, rc);
}

/* ---- Failures -----------------------------------------------------------------------
 */

void run_excuse_jobs(struct run *run)
{
    for (unsigned i = 0; i < run->model.device_count; i++)
        run->model.devices[i].job_may_fail = true;
}

void run_fail_device(struct run *run)
{
    const struct model_device *d = any_device(run, is_member);
    run_trace(run, "a sync of %s fails", d->path);
    run->has_failed = true;
    run_excuse_jobs(run);
    cut_disk_fail_sync(d->disk, 1 + run_draw(run, 2));
}

/* ---- What is there ------------------------------------------------------------------
 */

/* Whether what is known of the job can be: it runs, or how it has ended. */
static enum model_evacuation ended_as(struct run *run, const struct model_device *d,
                                      const struct job_info *job)
{
    if (strcmp(job->state, "running") == 0)
        return MODEL_LEAVES;
    if (strcmp(job->state, "done") == 0)
        return MODEL_EMPTY;
    bool expected = strcmp(job->state, "cancelled") == 0
                        ? d->cancel_asked
                        : strstr(job->error, "no room left") != NULL || d->job_may_fail;
    if (!expected)
        run_offend(run, "the evacuation of %s is %s: %s", d->path, job->state,
                   job->error);
    return MODEL_SERVES;
}

/* What is no longer running is durable, if the mains have not fallen. */
static void look_at_job(struct run *run, struct model_device *d)
{
    struct job_info info;
    const struct job *job = job_find(run->rig.manager, d->job);
    if (job == NULL) {
        run_offend(run, "the job that evacuates %s is gone", d->path);
        return;
    }
    job_describe(job, &info);
    if (run_is_off(run))
        return;
    enum model_evacuation now = ended_as(run, d, &info);
    if (now != MODEL_LEAVES)
        run_trace(run, "the evacuation of %s is %s: %s", d->path, info.state, info.error);
    d->evacuation = now;
}

static void verify_device(struct run *run, const struct model_device *d,
                          const struct pool_device_info *info)
{
    static const char *const states[] = {
        [MODEL_SERVES] = "online", [MODEL_EMPTY] = "evacuated"};
    const char *want = states[d->evacuation];
    if (want != NULL && strcmp(info->state, want) != 0)
        run_offend(run, "%s is %s, not %s", d->path, info->state, want);
    if (info->size_bytes != d->bytes)
        run_offend(run, "%s has %llu bytes, not %llu", d->path,
                   (unsigned long long)info->size_bytes, (unsigned long long)d->bytes);
    if (d->evacuation == MODEL_EMPTY && info->used_bytes > 0)
        run_offend(run, "%s is empty and has %llu bytes in use", d->path,
                   (unsigned long long)info->used_bytes);
}

static void look_at_device(struct run *run, struct model_device *d, uint64_t *bytes)
{
    struct pool_device_info info = {.state = NULL};
    const struct device *device = model_find_device(d, run->rig.manager);
    if (d->is_member != (device != NULL))
        run_offend(run, "%s is %sin the pool", d->path, d->is_member ? "not " : "");
    if (device == NULL || run_has_offence(run))
        return;
    if (d->evacuation == MODEL_LEAVES)
        look_at_job(run, d);
    pool_device_describe(device, &info);
    *bytes += info.size_bytes - EXTENT_BYTES;
    if (!run->has_failed)
        verify_device(run, d, &info);
}

void run_verify_devices(struct run *run)
{
    uint64_t bytes = 0;
    struct pool_info info;
    if (run_is_off(run))
        return;
    for (unsigned i = 0; i < run->model.device_count && !run_has_offence(run); i++)
        look_at_device(run, &run->model.devices[i], &bytes);
    pool_describe(run->rig.pool, &info);
    if (run_is_off(run) || run_has_offence(run))
        return;
    if (info.device_count != model_member_count(&run->model))
        run_offend(run, "the pool has %u devices", info.device_count);
    if (info.size_bytes != bytes)
        run_offend(run, "the pool has %llu bytes, its devices %llu",
                   (unsigned long long)info.size_bytes, (unsigned long long)bytes);
}

static bool evacuations_ended(void *arg)
{
    struct run *run = arg;
    run_verify_devices(run);
    return !run_is_evacuating(run) || run_has_offence(run) || run_is_off(run);
}

void run_await_evacuations(struct run *run)
{
    pool_rig_until(&run->rig, evacuations_ended, run);
}
