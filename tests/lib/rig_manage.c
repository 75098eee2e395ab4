/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that answer later, waited for. */
#include "tests/lib/rig_manage.h"

#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_copy.h"

#include <stdio.h>
#include <stdlib.h>

struct answer {
    bool came;
    struct err err;
    void *object;        /* what was made, changed or looked at */
    struct volume **out; /* snapshots; NULL: nobody asks */
    struct pool_check_report report;
};

static void answer_take(struct answer *a, void *object, const struct err *e)
{
    a->object = object;
    if (e != NULL)
        a->err = *e;
    a->came = true;
}

static void on_pool(void *arg, struct pool *pool, const struct err *e)
{
    answer_take(arg, pool, e);
}

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    answer_take(arg, volume, e);
}

static void on_snapshots(void *arg, struct volume *const *made, size_t count,
                         const struct err *e)
{
    struct answer *a = arg;
    for (size_t i = 0; a->out != NULL && i < count; i++)
        a->out[i] = made[i];
    answer_take(a, NULL, e);
}

static void on_device(void *arg, struct device *device, const struct err *e)
{
    answer_take(arg, device, e);
}

static void on_job(void *arg, struct job *job, const struct err *e)
{
    answer_take(arg, job, e);
}

static void on_done(void *arg, const struct err *e)
{
    answer_take(arg, NULL, e);
}

static void on_check(void *arg, const struct pool_check_report *report,
                     const struct err *e)
{
    struct answer *a = arg;
    if (report != NULL)
        a->report = *report;
    answer_take(a, NULL, e);
}

static bool answer_came(void *arg)
{
    return ((struct answer *)arg)->came;
}

static int answer_wait(struct pool_rig *r, struct answer *a, struct err *e)
{
    pool_rig_until(r, answer_came, a);
    if (e != NULL)
        *e = a->err;
    return a->err.code;
}

/* ---- Pools --------------------------------------------------------------------------
 */

int rig_pool(struct pool_rig *r, const struct pool_spec *spec, struct pool **out,
             struct err *e)
{
    struct answer a = {.came = false};
    r->in_order = true;
    pool_create(r->manager, spec, on_pool, &a);
    int rc = answer_wait(r, &a, e);
    r->in_order = false;
    if (out != NULL)
        *out = a.object;
    return rc;
}

void rig_pool_of_files(struct pool_rig *r, char (*paths)[RIG_PATH_MAX], uint64_t bytes)
{
    struct pool_device_spec devices[RIG_FILES];
    struct pool_spec spec = {.name = "p",
                             .page_cache = r->options.page_cache,
                             .devices = devices,
                             .device_count = RIG_FILES};
    for (unsigned i = 0; i < RIG_FILES; i++) {
        snprintf(paths[i], RIG_PATH_MAX, "%s/device%u", r->dir, i + 1);
        devices[i] = (struct pool_device_spec){.path = paths[i], .size_bytes = bytes};
    }
    assert_int_equal(rig_pool(r, &spec, &r->pool, NULL), 0);
}

int pool_rig_make_pool(struct pool_rig *r, const char *name, const char *path,
                       uint64_t bytes, struct pool **out, struct err *e)
{
    struct pool_device_spec device = {.path = path, .size_bytes = bytes};
    struct pool_spec spec = {.name = name,
                             .page_cache = r->options.page_cache,
                             .devices = &device,
                             .device_count = 1};
    return rig_pool(r, &spec, out, e);
}

int rig_pool_change(struct pool_rig *r, const struct pool_change *change, struct err *e)
{
    struct answer a = {.came = false};
    pool_change(r->manager, "p", change, on_pool, &a);
    return answer_wait(r, &a, e);
}

int pool_rig_delete_pool(struct pool_rig *r, const char *name, struct err *e)
{
    struct answer a = {.came = false};
    pool_delete(r->manager, name, on_done, &a);
    return answer_wait(r, &a, e);
}

static void check_at_home(struct pool_rig *r, void *arg)
{
    map_check_start(r->pool, false, NULL, loop_inbox(r->control), on_check, arg);
}

int pool_rig_check(struct pool_rig *r, struct pool_check_report *report, struct err *e)
{
    struct answer a = {.came = false};
    atomic_fetch_add(&r->pool->check_count, 1);
    pool_rig_at_home(r, check_at_home, &a);
    int rc = answer_wait(r, &a, e);
    *report = a.report;
    return rc;
}

/* ---- Devices ------------------------------------------------------------------------
 */

int rig_device_add(struct pool_rig *r, const struct pool_device_spec *spec, struct err *e)
{
    struct answer a = {.came = false};
    pool_device_add(r->manager, "p", spec, on_device, &a);
    return answer_wait(r, &a, e);
}

int rig_device_grow(struct pool_rig *r, const char *key, uint64_t bytes, struct err *e)
{
    struct answer a = {.came = false};
    pool_device_grow(r->manager, key, bytes, on_device, &a);
    return answer_wait(r, &a, e);
}

int rig_device_evacuate(struct pool_rig *r, const char *key, struct job **out,
                        struct err *e)
{
    struct answer a = {.came = false};
    pool_device_evacuate(r->manager, key, on_job, &a);
    int rc = answer_wait(r, &a, e);
    *out = a.object;
    return rc;
}

int rig_device_remove(struct pool_rig *r, const char *key, struct err *e)
{
    struct answer a = {.came = false};
    pool_device_remove(r->manager, key, on_done, &a);
    return answer_wait(r, &a, e);
}

int rig_volume_copy(struct pool_rig *r, const char *volume,
                    const struct volume_copy_spec *spec, struct job **out, struct err *e)
{
    struct answer a = {.came = false};
    volume_copy(r->manager, volume, spec, on_job, &a);
    int rc = answer_wait(r, &a, e);
    *out = a.object;
    return rc;
}

int rig_job_cancel(struct pool_rig *r, const char *id, struct err *e)
{
    struct answer a = {.came = false};
    job_cancel(r->manager, id, on_job, &a);
    return answer_wait(r, &a, e);
}

/* ---- Volumes ------------------------------------------------------------------------
 */

int rig_make(struct pool_rig *r, const struct volume_spec *spec, struct volume **out,
             struct err *e)
{
    struct answer a = {.came = false};
    volume_create(r->manager, spec, on_volume, &a);
    int rc = answer_wait(r, &a, e);
    if (out != NULL)
        *out = a.object;
    return rc;
}

int pool_rig_make_volume(struct pool_rig *r, const char *name, uint64_t bytes,
                         uint32_t block_bytes, struct volume **out, struct err *e)
{
    struct volume_spec spec = {
        .name = name, .pool = "p", .size_bytes = bytes, .block_bytes = block_bytes};
    return rig_make(r, &spec, out, e);
}

struct volume *pool_rig_volume(struct pool_rig *r, const char *name, uint64_t bytes,
                               uint32_t block_bytes)
{
    struct err e = {.code = 0};
    struct volume *v = NULL;
    if (pool_rig_make_volume(r, name, bytes, block_bytes, &v, &e) != 0) {
        fprintf(stderr, "pool_rig_volume: %s\n", e.text);
        abort();
    }
    return v;
}

int pool_rig_delete_volume(struct pool_rig *r, const char *name, struct err *e)
{
    struct answer a = {.came = false};
    volume_delete(r->manager, name, true, on_done, &a);
    return answer_wait(r, &a, e);
}

/* ---- Snapshots, clones, changes, the trash --------------------------------------------
 */

int rig_snapshot(struct pool_rig *r, const char *volume, const char *name,
                 struct volume **out, struct err *e)
{
    return rig_snapshot_all(r, &volume, 1, name, out, e);
}

int rig_snapshot_all(struct pool_rig *r, const char *const *volumes, size_t count,
                     const char *name, struct volume **out, struct err *e)
{
    struct snapshot_spec spec = {.volumes = volumes, .volume_count = count, .name = name};
    struct answer a = {.out = out};
    snapshot_create(r->manager, &spec, on_snapshots, &a);
    return answer_wait(r, &a, e);
}

int rig_snapshot_delete(struct pool_rig *r, const char *key, struct err *e)
{
    struct answer a = {.came = false};
    snapshot_delete(r->manager, key, on_done, &a);
    return answer_wait(r, &a, e);
}

int rig_clone(struct pool_rig *r, const char *snapshot, const char *name, uint64_t bytes,
              struct volume **out, struct err *e)
{
    struct volume_spec spec = {.name = name, .size_bytes = bytes, .snapshot = snapshot};
    return rig_make(r, &spec, out, e);
}

int rig_rollback(struct pool_rig *r, const char *volume, const char *snapshot,
                 const char *keep, struct err *e)
{
    struct rollback_spec spec = {.snapshot = snapshot, .keep_name = keep};
    struct answer a = {.came = false};
    volume_rollback(r->manager, volume, &spec, on_volume, &a);
    return answer_wait(r, &a, e);
}

int rig_change(struct pool_rig *r, const char *volume, const struct volume_change *change,
               struct err *e)
{
    struct answer a = {.came = false};
    volume_change(r->manager, volume, change, on_volume, &a);
    return answer_wait(r, &a, e);
}

int rig_trash(struct pool_rig *r, const char *volume, struct err *e)
{
    struct answer a = {.came = false};
    volume_delete(r->manager, volume, false, on_done, &a);
    return answer_wait(r, &a, e);
}

int rig_restore(struct pool_rig *r, const char *volume, const char *name, struct err *e)
{
    struct answer a = {.came = false};
    volume_restore(r->manager, volume, name, on_volume, &a);
    return answer_wait(r, &a, e);
}

int rig_purge(struct pool_rig *r, const char *volume, struct err *e)
{
    struct answer a = {.came = false};
    volume_purge(r->manager, volume, on_done, &a);
    return answer_wait(r, &a, e);
}

int rig_keep_reservation(struct pool_rig *r, struct volume *volume,
                         struct kept_reservation *kept, struct err *e)
{
    struct answer a = {.came = false};
    volume_keep_reservation(volume, kept, on_done, &a);
    return answer_wait(r, &a, e);
}

int rig_save_modes(struct pool_rig *r, struct volume *volume, const struct modes *modes,
                   struct err *e)
{
    struct answer a = {.came = false};
    volume_save_modes(volume, modes, on_done, &a);
    return answer_wait(r, &a, e);
}
