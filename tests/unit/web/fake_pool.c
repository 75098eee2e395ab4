/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of the fake manager. */
#include "fake_priv.h"

#include "lunmgr/pool_move.h"

FAKE_TABLE(pool, pools)

static struct device *device_place(struct call *call, struct pool *pool)
{
    unsigned i = 0;
    while (pool->devices[i].info.slot != 0)
        i++;
    assert(i < FAKE_DEVICES);
    struct device *d = &pool->devices[i];
    d->pool = pool;
    d->info = (struct pool_device_info){.slot = i + 1,
                                        .state = "online",
                                        .size_bytes = call->number,
                                        .free_bytes = call->number};
    make_id(call->m, d->info.id);
    copy(d->info.path, POOL_PATH_MAX, call->path);
    copy(d->info.pool_name, sizeof(d->info.pool_name), pool->info.name);
    copy(d->info.pool_id, sizeof(d->info.pool_id), pool->info.id);
    pool->info.device_count++;
    return d;
}

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
        info->overcommit_cap_percent = (uint32_t)call->number2;
        info->usage_thresholds = call->thresholds;
        info->page_cache = call->flag3;
        device_place(call, pool);
        call_about(call, info->id);
    }
    call->fn.pool(call->arg, pool, err_or_null(e));
}

void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_pool_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->path, sizeof(call->path), spec->devices[0].path);
    call->number = spec->devices[0].size_bytes;
    call->number2 = spec->overcommit_cap_percent;
    call->thresholds = (struct usage_thresholds){2, {75, 90}};
    if (spec->usage_thresholds != NULL)
        call->thresholds = *spec->usage_thresholds;
    call->flag3 = spec->page_cache;
    call->fn.pool = done;
    call_post(call);
}

static void do_pool_change(struct call *call, struct err *e)
{
    struct pool *pool = pool_find(call->m, call->name);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, "pool", "there is no pool %s", call->name);
    if (e->code == 0 && !call->dry && pool != NULL) {
        call_about(call, pool->info.id);
        if (call->flag)
            pool->info.overcommit_cap_percent = (uint32_t)call->number;
        if (call->flag2)
            pool->info.usage_thresholds = call->thresholds;
        if (call->has_flag)
            pool->info.page_cache = call->flag3;
    }
    call->fn.pool(call->arg, e->code == 0 ? pool : NULL, err_or_null(e));
}

void pool_change(struct lunmgr *m, const char *name_or_id,
                 const struct pool_change *change, pool_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_pool_change, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->flag = change->overcommit_cap_percent != NULL;
    if (call->flag)
        call->number = *change->overcommit_cap_percent;
    call->flag2 = change->usage_thresholds != NULL;
    if (call->flag2)
        call->thresholds = *change->usage_thresholds;
    call->has_flag = change->page_cache != NULL;
    call->flag3 = call->has_flag && *change->page_cache;
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

/* The one pool that is away comes back with the same id. */
static void do_pool_export(struct call *call, struct err *e)
{
    struct lunmgr *m = call->m;
    struct pool *pool = pool_find(m, call->name);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, "pool", "there is no pool %s", call->name);
    if (e->code == 0 && call->path[0] != '/')
        err_set(e, -EINVAL, "path", "an absolute path is wanted");
    if (e->code == 0 && strcmp(call->path, m->export_path) == 0)
        err_set(e, -EEXIST, "path", "%s is there already", call->path);
    if (e->code == 0 && !call->dry) {
        call_about(call, pool->info.id);
        copy(m->export_path, sizeof(m->export_path), call->path);
        copy(m->exported, sizeof(m->exported), pool->info.name);
        pool->info.id[0] = '\0';
    }
    call->fn.done(call->arg, err_or_null(e));
}

void pool_export(struct lunmgr *m, const char *name_or_id, const char *path, done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_pool_export, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    copy(call->path, sizeof(call->path), path);
    call->fn.done = done;
    call_post(call);
}

static void do_pool_import(struct call *call, struct err *e)
{
    struct lunmgr *m = call->m;
    struct pool *pool = NULL;
    const char *name = call->name[0] == '\0' ? m->exported : call->name;
    if (e->code == 0 && strcmp(call->path, m->export_path) != 0)
        err_set(e, -ENOENT, "path", "there is no %s", call->path);
    if (e->code == 0 && (name[0] == '\0' || pool_find(m, name) != NULL))
        err_set(e, -EEXIST, "name", "that pool is here");
    if (e->code == 0 && !call->dry) {
        pool = pool_place(m);
        copy(pool->info.name, sizeof(pool->info.name), name);
        pool->info.state = "online";
        device_place(call, pool);
        call_about(call, pool->info.id);
        m->exported[0] = '\0';
    }
    call->fn.pool(call->arg, pool, err_or_null(e));
}

void pool_import(struct lunmgr *m, const struct pool_import_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_pool_import, arg);
    copy(call->name, sizeof(call->name), spec->name == NULL ? "" : spec->name);
    copy(call->path, sizeof(call->path), spec->path);
    call->fn.pool = done;
    call_post(call);
}

void pool_describe(const struct pool *pool, struct pool_info *out)
{
    *out = pool->info;
}

/* ---- Devices ----------------------------------------------------------------------- */

struct device *pool_device_next(const struct pool *pool, const struct device *prev)
{
    struct pool *p = (struct pool *)(uintptr_t)pool;
    for (unsigned i = prev == NULL ? 0 : prev->info.slot; i < FAKE_DEVICES; i++)
        if (p->devices[i].info.slot != 0)
            return &p->devices[i];
    return NULL;
}

void pool_device_key(const struct device *d, char key[POOL_DEVICE_KEY_MAX])
{
    snprintf(key, POOL_DEVICE_KEY_MAX, "%s!%04u", d->pool->info.name,
             d->info.slot % 10000);
}

void pool_device_key_prefix(const struct pool *pool, char key[POOL_DEVICE_KEY_MAX])
{
    snprintf(key, POOL_DEVICE_KEY_MAX, "%s!", pool->info.name);
}

struct device *pool_device_find(struct lunmgr *m, const char *key)
{
    char full[POOL_DEVICE_KEY_MAX], slot[FAKE_NAME_MAX];
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        for (struct device *d = NULL; (d = pool_device_next(pool, d)) != NULL;) {
            pool_device_key(d, full);
            snprintf(slot, sizeof(slot), "%s/%u", pool->info.name, d->info.slot);
            const char *name = strchr(key, '/') == NULL ? key : strchr(key, '/') + 1;
            if (strcmp(full, key) == 0 || strcmp(slot, key) == 0 ||
                strcmp(d->info.id, name) == 0)
                return d;
        }
    }
    return NULL;
}

struct device *pool_device_walk(struct lunmgr *m, struct row_walk *w)
{
    char key[POOL_DEVICE_KEY_MAX];
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        for (struct device *d = NULL; (d = pool_device_next(pool, d)) != NULL;) {
            pool_device_key(d, key);
            if (strcmp(key, w->after) > 0)
                return d;
        }
    }
    return NULL;
}

void pool_device_describe(const struct device *d, struct pool_device_info *out)
{
    *out = d->info;
}

static void do_device_add(struct call *call, struct err *e)
{
    struct pool *pool = pool_find(call->m, call->name);
    struct device *d = NULL;
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, "pool", "there is no pool %s", call->name);
    if (e->code == 0)
        for (d = NULL; (d = pool_device_next(pool, d)) != NULL;)
            if (strcmp(d->info.path, call->path) == 0)
                err_set(e, -EEXIST, "path", "%s is a device of the pool", call->path);
    d = NULL;
    if (e->code == 0 && !call->dry) {
        d = device_place(call, pool);
        call_about(call, d->info.id);
    }
    call->fn.device(call->arg, d, err_or_null(e));
}

void pool_device_add(struct lunmgr *m, const char *pool,
                     const struct pool_device_spec *spec, device_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_device_add, arg);
    copy(call->name, sizeof(call->name), pool);
    copy(call->path, sizeof(call->path), spec->path);
    call->number = spec->size_bytes;
    call->fn.device = done;
    call_post(call);
}

static void do_device_grow(struct call *call, struct err *e)
{
    struct device *d = pool_device_find(call->m, call->name);
    if (e->code == 0 && d == NULL)
        err_set(e, -ENOENT, "device", "there is no device %s", call->name);
    if (e->code == 0 && call->number != 0 && call->number < d->info.size_bytes)
        err_set(e, -EINVAL, "size", "it has more already");
    if (e->code == 0 && !call->dry && call->number != 0) {
        d->info.size_bytes = d->info.free_bytes = call->number;
        call_about(call, d->info.id);
    }
    call->fn.device(call->arg, d, err_or_null(e));
}

void pool_device_grow(struct lunmgr *m, const char *key, uint64_t size_bytes,
                      device_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_device_grow, arg);
    copy(call->name, sizeof(call->name), key);
    call->number = size_bytes;
    call->fn.device = done;
    call_post(call);
}

static void do_device_remove(struct call *call, struct err *e)
{
    struct device *d = pool_device_find(call->m, call->name);
    if (e->code == 0 && d == NULL)
        err_set(e, -ENOENT, "device", "there is no device %s", call->name);
    if (e->code == 0 && strcmp(d->info.state, "evacuated") != 0)
        err_set(e, -EBUSY, "device", "it is in use");
    if (e->code == 0 && !call->dry) {
        call_about(call, d->info.id);
        d->info.slot = 0;
        d->pool->info.device_count--;
    }
    call->fn.done(call->arg, err_or_null(e));
}

void pool_device_remove(struct lunmgr *m, const char *key, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_device_remove, arg);
    copy(call->name, sizeof(call->name), key);
    call->fn.done = done;
    call_post(call);
}
