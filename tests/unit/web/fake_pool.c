/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of the fake manager. */
#include "fake_priv.h"

FAKE_TABLE(pool, pools)

static void do_pool_create(struct call *call, struct err *e)
{
    struct pool *pool = NULL;
    if (e->code == 0 && pool_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "pool %s exists", call->name);
    if (e->code == 0 && !call->dry) {
        pool = pool_place(call->m);
        struct pool_info *info = &pool->info;
        copy(info->name, sizeof(info->name), call->name);
        info->state = "online";
        info->size_bytes = info->free_bytes = call->number;
        info->device_count = 1;
        make_id(call->m, info->devices[0].id);
        copy(info->devices[0].path, POOL_PATH_MAX, call->path);
        info->devices[0].size_bytes = call->number;
        call_about(call, info->id);
    }
    call->fn.pool(call->arg, pool, err_or_null(e));
}

void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_pool_create, arg);
    assert(spec->device_count == 1);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->path, sizeof(call->path), spec->devices[0].path);
    call->number = spec->devices[0].size_bytes;
    call->fn.pool = done;
    call_post(call);
}

static void do_pool_delete(struct call *call, struct err *e)
{
    struct pool *pool = pool_find(call->m, call->name);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, NULL, "there is no pool %s", call->name);
    if (e->code == 0 && pool != NULL && pool->info.volume_count > 0)
        err_set(e, -EBUSY, NULL, "pool %s has volumes", call->name);
    if (e->code == 0 && !call->dry && pool != NULL) {
        call_about(call, pool->info.id);
        pool->info.id[0] = '\0';
    }
    call->fn.done(call->arg, err_or_null(e));
}

void pool_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_pool_delete, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

void pool_describe(const struct pool *pool, struct pool_info *out)
{
    *out = pool->info;
}
