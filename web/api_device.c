/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of pools: show, list, what a request says of one. Control thread. */
#include "lunmgr/pool.h"
#include "web/api.h"
#include "web/json_out.h"
#include "web/resource.h"

#include <stdio.h>

const struct schema schema_device_create = {"PoolDeviceCreate",
                                            {"path", "size", "force"}};
const struct schema schema_device_change = {"PoolDeviceChange", {"size"}};

static_assert(POOL_DEVICE_KEY_MAX <= WEB_AFTER_MAX, "a cursor may be a device's key");

#define INFO(member) (((const struct pool_device_info *)info)->member)

static const char *state_of(const void *info)
{
    return INFO(state);
}

/* Longer than what is sorted by. */
static json_t *path_json(const struct web *web, const void *info)
{
    (void)web;
    return json_of_foreign_text(INFO(path));
}

static json_t *reason_json(const struct web *web, const void *info)
{
    (void)web;
    return INFO(reason)[0] == '\0' ? json_null() : json_of_foreign_text(INFO(reason));
}

static json_t *errors_json(const struct web *web, const void *info)
{
    (void)web;
    return json_pack("{s:I, s:I, s:I}", "read", (json_int_t)INFO(read_errors), "write",
                     (json_int_t)INFO(write_errors), "sync",
                     (json_int_t)INFO(sync_errors));
}

#define DEVICE(member) COLUMN_AT(struct pool_device_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, DEVICE(id)},
    {"slot", COLUMN_UINT, DEVICE(slot)},
    {"pool", COLUMN_TEXT, DEVICE(pool_name)},
    {"pool_id", COLUMN_TEXT, DEVICE(pool_id)},
    {"path", COLUMN_JSON, .render = path_json},
    {"size", COLUMN_BYTES, DEVICE(size_bytes), .settable = true},
    {"used", COLUMN_BYTES, DEVICE(used_bytes)},
    {"free", COLUMN_BYTES, DEVICE(free_bytes)},
    {"direct", COLUMN_BOOL, DEVICE(direct)},
    {"state", COLUMN_TEXT, .text = state_of},
    {"reason", COLUMN_JSON, .render = reason_json},
    {"errors", COLUMN_JSON, .render = errors_json},
    {.name = NULL},
};

static void *device_of_name(const struct web *web, const char *name)
{
    return pool_device_find(web->lunmgr, name);
}

static void *device_of_walk(const struct web *web, struct row_walk *walk)
{
    return pool_device_walk(web->lunmgr, walk);
}

static void device_fill(const struct web *web, const void *device, void *info)
{
    (void)web;
    pool_device_describe(device, info);
}

static void device_key(const void *device, const void *info, char key[WEB_AFTER_MAX])
{
    char text[POOL_DEVICE_KEY_MAX];
    (void)info;
    pool_device_key(device, text);
    text_key(key, text);
}

static bool devices_of_pool(const struct web *web, const char *name,
                            char prefix[WEB_AFTER_MAX])
{
    char text[POOL_DEVICE_KEY_MAX];
    const struct pool *pool = pool_find(web->lunmgr, name);
    if (pool == NULL)
        return false;
    pool_device_key_prefix(pool, text);
    text_key(prefix, text);
    return true;
}

const struct resource resource_device = {
    .kind = "device",
    .whole = "pool",
    .collection = "/v1/devices",
    .info_bytes = sizeof(struct pool_device_info),
    .columns = columns,
    .find = device_of_name,
    .next = device_of_walk,
    .describe = device_fill,
    .key = device_key,
    .part = devices_of_pool,
    .key_is_id = true,
};

/* ---- What is said of one ----------------------------------------------------------- */

bool device_spec_read(struct exchange *x, const char *base, const json_t *value,
                      struct pool_device_spec *out)
{
    struct input in;
    input_begin(&in, value, base, &schema_device_create, &x->problem);
    out->path = input_string(&in, "path", INPUT_REQUIRED, POOL_PATH_MAX - 1);
    out->size_bytes =
        input_bytes(&in, "size", INPUT_OPTIONAL, POOL_FILE_BYTES_MIN, INT64_MAX, 0);
    out->force = input_bool(&in, "force", false);
    if (out->path != NULL && out->path[0] != '/')
        input_refuse(&in, "path", "an absolute path", "the path does not begin with /");
    return input_good(&in);
}

/* ---- Changes ----------------------------------------------------------------------- */

static void device_on_created(void *arg, struct device *device, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_device, device);
}

void api_pool_add_device(struct exchange *x)
{
    struct pool_device_spec spec;
    if (device_spec_read(x, "", x->body, &spec))
        pool_device_add(x->web->lunmgr, x->params[0], &spec, device_on_created, x);
    else
        reply_problem(x);
}

static void device_on_changed(void *arg, struct device *device, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_device, device);
}

void api_device_evacuate(struct exchange *x)
{
    char key[WEB_KEY_MAX];
    pool_device_evacuate(x->web->lunmgr, exchange_key(x, key), reply_job, x);
}

void api_device_delete(struct exchange *x)
{
    char key[WEB_KEY_MAX];
    pool_device_remove(x->web->lunmgr, exchange_key(x, key), reply_done, x);
}

void api_device_change(struct exchange *x)
{
    struct input in;
    char key[WEB_KEY_MAX];
    input_begin(&in, x->body, "", &schema_device_change, &x->problem);
    uint64_t size_bytes =
        input_bytes(&in, "size", INPUT_OPTIONAL, POOL_FILE_BYTES_MIN, INT64_MAX, 0);
    if (input_good(&in))
        pool_device_grow(x->web->lunmgr, exchange_key(x, key), size_bytes,
                         device_on_changed, x);
    else
        reply_problem(x);
}
