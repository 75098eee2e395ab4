/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: create, show, list, change, delete, check. Control thread. */
#include "lunmgr/pool.h"
#include "web/api.h"
#include "web/resource.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

const struct schema schema_pool_create = {
    "PoolCreate",
    {"name", "devices", "overcommit_cap_percent", "usage_thresholds", "page_cache"}};
const struct schema schema_pool_put = {
    "PoolPut", {"devices", "overcommit_cap_percent", "usage_thresholds", "page_cache"}};
const struct schema schema_pool_change = {
    "PoolChange", {"overcommit_cap_percent", "usage_thresholds", "page_cache"}};

static json_t *devices_json(const struct web *web, const void *info)
{
    const struct pool *pool =
        pool_find(web->lunmgr, ((const struct pool_info *)info)->id);
    json_t *devices = json_array();
    struct device *d = NULL;
    while (pool != NULL && devices != NULL && (d = pool_device_next(pool, d)) != NULL) {
        if (json_array_append_new(devices, resource_json(web, &resource_device, d)) != 0)
            json_decref(TAKE(devices));
    }
    return devices;
}

static json_t *thresholds_json(const struct web *web, const void *info)
{
    const struct usage_thresholds *t =
        &((const struct pool_info *)info)->usage_thresholds;
    json_t *percents = json_array();
    (void)web;
    for (uint32_t i = 0; percents != NULL && i < t->count; i++)
        if (json_array_append_new(percents, json_integer(t->percents[i])) != 0)
            json_decref(TAKE(percents));
    return percents;
}

static const char *state_text(const void *info)
{
    return ((const struct pool_info *)info)->state;
}

#define POOL(member) COLUMN_AT(struct pool_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, POOL(id)},
    {"name", COLUMN_TEXT, POOL(name), .settable = true},
    {"state", COLUMN_TEXT, .text = state_text},
    {"created", COLUMN_TIME, POOL(created_s)},
    {"size", COLUMN_BYTES, POOL(size_bytes)},
    {"used", COLUMN_BYTES, POOL(used_bytes)},
    {"free", COLUMN_BYTES, POOL(free_bytes)},
    {"reserved", COLUMN_BYTES, POOL(reserved_bytes)},
    {"available", COLUMN_BYTES, POOL(available_bytes)},
    {"provisioned", COLUMN_BYTES, POOL(provisioned_bytes)},
    {"overcommit_percent", COLUMN_UINT, POOL(overcommit_percent)},
    {"overcommit_cap_percent", COLUMN_UINT, POOL(overcommit_cap_percent),
     .settable = true},
    {"usage_thresholds", COLUMN_JSON, .render = thresholds_json, .settable = true},
    {"page_cache", COLUMN_BOOL, POOL(page_cache), .settable = true},
    {"full_in_s", COLUMN_UINT, POOL(full_in_s), .nullable = true},
    {"fill_bytes_per_s", COLUMN_UINT, POOL(fill_bytes_per_s)},
    {"watched_since", COLUMN_TIME, POOL(watched_since_s), .nullable = true},
    {"waiting_writes", COLUMN_UINT, POOL(waiting_writes)},
    {"volume_count", COLUMN_UINT, POOL(volume_count)},
    {"devices", COLUMN_JSON, .render = devices_json},
    {.name = NULL},
};

static void *pool_of_name(const struct web *web, const char *name)
{
    return pool_find(web->lunmgr, name);
}

static void *pool_of_walk(const struct web *web, struct row_walk *walk)
{
    return pool_walk(web->lunmgr, walk);
}

static void pool_fill(const struct web *web, const void *pool, void *info)
{
    (void)web;
    pool_describe(pool, info);
}

static void pool_key(const void *pool, const void *info, char key[WEB_AFTER_MAX])
{
    (void)pool;
    text_key(key, ((const struct pool_info *)info)->name);
}

/* Whether the pool has this device: one that a request names by its path, and perhaps by
 * the size that it was made with, of which a part is the superblock's. */
static bool has_device(const struct pool *pool, const json_t *said)
{
    struct pool_device_info info;
    const char *path = json_string_value(json_object_get(said, "path"));
    struct device *d = NULL;
    while (path != NULL && (d = pool_device_next(pool, d)) != NULL) {
        pool_device_describe(d, &info);
        if (strcmp(info.path, path) == 0)
            return true;
    }
    return false;
}

static enum agreement pool_agrees(const struct web *web, const void *pool,
                                  const char *member, const json_t *value)
{
    size_t i;
    json_t *device;
    struct pool_info info;
    (void)web;
    if (strcmp(member, "devices") != 0)
        return AGREEMENT_UNKNOWN;
    pool_describe(pool, &info);
    json_array_foreach((json_t *)(uintptr_t)value, i, device)
    {
        if (!has_device(pool, device))
            return AGREEMENT_NO;
    }
    return json_array_size(value) == info.device_count ? AGREEMENT_YES : AGREEMENT_NO;
}

const struct resource resource_pool = {
    .agrees = pool_agrees,
    .kind = "pool",
    .collection = "/v1/pools",
    .info_bytes = sizeof(struct pool_info),
    .columns = columns,
    .find = pool_of_name,
    .next = pool_of_walk,
    .describe = pool_fill,
    .key = pool_key,
};

/* ---- Create ------------------------------------------------------------------------ */

static void pool_on_created(void *arg, struct pool *pool, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_pool, pool);
}

static uint32_t cap_read(struct input *in)
{
    return (uint32_t)input_uint(in, "overcommit_cap_percent", INPUT_OPTIONAL, 0,
                                POOL_CAP_PERCENT_MAX, 0);
}

/* room, or NULL: absent, or a problem. */
static const struct usage_thresholds *thresholds_read(struct input *in,
                                                      struct usage_thresholds *room)
{
    struct input element = {.base = "/usage_thresholds", .problem = in->problem};
    if (json_object_get(in->object, "usage_thresholds") == NULL)
        return NULL;
    const json_t *list = input_array(in, "usage_thresholds", 0, USAGE_THRESHOLD_MAX);
    json_int_t before = 0;
    *room = (struct usage_thresholds){.count = (uint32_t)json_array_size(list)};
    for (uint32_t i = 0; i < room->count; i++) {
        char index[24];
        snprintf(index, sizeof(index), "%" PRIu32, i);
        json_int_t percent = json_integer_value(json_array_get(list, i));
        if (percent <= before || percent > USAGE_PERCENT_MAX)
            input_refuse(&element, index,
                         "a percent of 1 to 100, greater than the one before it",
                         "not a percent, or not in ascending order");
        room->percents[i] = (uint32_t)percent;
        before = percent;
    }
    return list == NULL ? NULL : room;
}

void api_pool_create(struct exchange *x)
{
    struct input in;
    struct pool_device_spec devices[POOL_SPEC_DEVICE_MAX];
    struct pool_spec spec = {.devices = devices};
    input_begin(&in, x->body, "", &schema_pool_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    struct usage_thresholds thresholds;
    spec.overcommit_cap_percent = cap_read(&in);
    spec.usage_thresholds = thresholds_read(&in, &thresholds);
    spec.page_cache = input_bool(&in, "page_cache", false);
    const json_t *list = input_array(&in, "devices", 1, POOL_SPEC_DEVICE_MAX);
    bool good = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char base[32];
        snprintf(base, sizeof(base), "/devices/%zu", i);
        good = device_spec_read(x, base, json_array_get(list, i), &devices[i]) && good;
    }
    spec.device_count = json_array_size(list);
    if (input_good(&in) && good)
        pool_create(x->web->lunmgr, &spec, pool_on_created, x);
    else
        reply_problem(x);
}

/* ---- Change ------------------------------------------------------------------------ */

static void pool_on_changed(void *arg, struct pool *pool, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_pool, pool);
}

void api_pool_change(struct exchange *x)
{
    struct input in;
    struct pool_change change = {.overcommit_cap_percent = NULL};
    input_begin(&in, x->body, "", &schema_pool_change, &x->problem);
    uint32_t cap = cap_read(&in);
    if (json_object_get(x->body, "overcommit_cap_percent") != NULL)
        change.overcommit_cap_percent = &cap;
    struct usage_thresholds thresholds;
    change.usage_thresholds = thresholds_read(&in, &thresholds);
    bool page_cache;
    change.page_cache = input_flag(&in, "page_cache", &page_cache);
    if (input_good(&in))
        pool_change(x->web->lunmgr, x->params[0], &change, pool_on_changed, x);
    else
        reply_problem(x);
}

/* ---- Delete and check -------------------------------------------------------------- */

void api_pool_delete(struct exchange *x)
{
    pool_delete(x->web->lunmgr, x->params[0], reply_done, x);
}

void api_pool_check(struct exchange *x)
{
    pool_check(x->web->lunmgr, x->params[0], reply_job, x);
}
