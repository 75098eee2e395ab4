/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as admins see them: found, listed, described. Control thread. */
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Keys -------------------------------------------------------------------------- */

/* '!' is lower than what a name may have, so that keys stand in the order of the pools'
 * names. */
void pool_device_key_prefix(const struct pool *pool, char key[POOL_DEVICE_KEY_MAX])
{
    snprintf(key, POOL_DEVICE_KEY_MAX, "%s!", pool->name);
}

void pool_device_key(const struct device *device, char key[POOL_DEVICE_KEY_MAX])
{
    snprintf(key, POOL_DEVICE_KEY_MAX, "%s!%04u", device->pool->name, device->row.slot);
}

/* By its id, or by its slot number. */
static struct device *device_named(const struct pool *pool, const char *name)
{
    char *end;
    unsigned long slot = strtoul(name, &end, 10);
    bool is_number = end != name && *end == '\0';
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (strcmp(d->row.id, name) == 0 || (is_number && d->row.slot == slot))
            return d;
    return NULL;
}

static struct device *device_of_id(struct lunmgr *m, const char *id)
{
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            if (strcmp(d->row.id, id) == 0)
                return d;
    return NULL;
}

struct device *pool_device_find(struct lunmgr *m, const char *key)
{
    char name[POOL_DEVICE_KEY_MAX + CATALOG_ID_MAX];
    size_t length = strcspn(key, "/!");
    if (length >= sizeof(name))
        return NULL;
    if (key[length] == '\0')
        return device_of_id(m, key);
    snprintf(name, sizeof(name), "%.*s", (int)length, key);
    const struct pool *pool = pool_find(m, name);
    return pool == NULL ? NULL : device_named(pool, key + length + 1);
}

/* ---- Walks ------------------------------------------------------------------------- */

struct device *pool_device_next(const struct pool *pool, const struct device *prev)
{
    return pool_next_device(pool, prev);
}

/* The first of the pool whose key is behind that. */
static struct device *device_after(const struct pool *pool, const char *after)
{
    char key[POOL_DEVICE_KEY_MAX];
    struct device *d = NULL;
    while ((d = pool_next_device(pool, d)) != NULL) {
        pool_device_key(d, key);
        if (strcmp(key, after) > 0)
            return d;
    }
    return NULL;
}

struct device *pool_device_walk(struct lunmgr *m, struct row_walk *walk)
{
    char name[POOL_DEVICE_KEY_MAX];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(walk->after, "!"), walk->after);
    struct pool *pool = name[0] == '\0' ? pool_next(m, NULL) : pool_find(m, name);
    if (pool == NULL)
        pool = index_next(&m->pools, name); /* it is gone meanwhile */
    struct device *d = pool == NULL ? NULL : device_after(pool, walk->after);
    while (d == NULL && pool != NULL && (pool = pool_next(m, pool)) != NULL)
        d = device_after(pool, walk->after);
    return d;
}

/* ---- Describing -------------------------------------------------------------------- */

static const char *state_of(const struct device *d)
{
    static const char *const states[] = {[DEVICE_SERVES] = "online",
                                         [DEVICE_EVACUATING] = "evacuating",
                                         [DEVICE_EVACUATED] = "evacuated"};
    if (device_is_failed(d))
        return d->missing ? "missing" : "failed";
    return states[atomic_load(&d->evacuation)];
}

void pool_device_describe(const struct device *d, struct pool_device_info *out)
{
    uint64_t usable = alloc_usable_extents(d->alloc), free = alloc_free_extents(d->alloc);
    *out = (struct pool_device_info){
        .slot = d->row.slot,
        .size_bytes = (usable + 1) * EXTENT_BYTES,
        .used_bytes = (usable - free) * EXTENT_BYTES,
        .free_bytes = free * EXTENT_BYTES,
        .direct = d->direct,
        .state = state_of(d),
        .read_errors = atomic_load(&d->read_errors),
        .write_errors = atomic_load(&d->write_errors),
        .sync_errors = atomic_load(&d->sync_errors),
    };
    memcpy(out->id, d->row.id, sizeof(out->id));
    memcpy(out->path, d->row.path, sizeof(out->path));
    memcpy(out->pool_id, d->pool->id, sizeof(out->pool_id));
    memcpy(out->pool_name, d->pool->name, sizeof(out->pool_name));
    if (atomic_load(&d->has_reason))
        snprintf(out->reason, sizeof(out->reason), "%.*s", POOL_REASON_MAX - 1,
                 d->reason);
}
