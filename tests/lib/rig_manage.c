/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that answer later, waited for. */
#include "tests/lib/rig_manage.h"

#include <string.h>

struct answer {
    bool came;
    struct err err;
    struct volume **out;
};

static void answer_take(struct answer *a, struct volume *const *made, size_t count,
                        const struct err *e)
{
    for (size_t i = 0; a->out != NULL && i < count; i++)
        a->out[i] = made[i];
    if (e != NULL)
        a->err = *e;
    a->came = true;
}

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    answer_take(arg, &volume, 1, e);
}

static void on_snapshots(void *arg, struct volume *const *made, size_t count,
                         const struct err *e)
{
    answer_take(arg, made, count, e);
}

static void on_done(void *arg, const struct err *e)
{
    answer_take(arg, NULL, 0, e);
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

int rig_make(struct pool_rig *r, const struct volume_spec *spec, struct volume **out,
             struct err *e)
{
    struct answer a = {.out = out};
    volume_create(r->manager, spec, on_volume, &a);
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

int rig_save_modes(struct pool_rig *r, struct volume *volume, const struct modes *modes,
                   struct err *e)
{
    struct answer a = {.came = false};
    volume_save_modes(volume, modes, on_done, &a);
    return answer_wait(r, &a, e);
}
