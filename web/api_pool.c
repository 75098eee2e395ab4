/* SPDX-License-Identifier: Apache-2.0 */
/* Pools: create, show, list, delete, check. Control thread. */
#include "lunmgr/pool.h"
#include "web/api.h"
#include "web/page.h"

#include <errno.h>
#include <stdio.h>

const struct schema schema_pool_create = {"PoolCreate", {"name", "devices"}};
const struct schema schema_pool_device = {"PoolDeviceCreate", {"path", "size"}};

static json_t *device_json(const struct pool_device_info *device)
{
    return json_pack("{s:s, s:s, s:I, s:b, s:s}", "id", device->id, "path", device->path,
                     "size", (json_int_t)device->size_bytes, "direct", device->direct,
                     "state", device->failed ? "failed" : "online");
}

static json_t *pool_json(const struct pool *pool)
{
    struct pool_info info;
    char created[TIME_TEXT_MAX];
    pool_describe(pool, &info);
    json_t *devices = json_array();
    for (uint32_t i = 0; devices != NULL && i < info.device_count; i++) {
        if (json_array_append_new(devices, device_json(&info.devices[i])) != 0) {
            json_decref(devices);
            return NULL;
        }
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "id", info.id, "name",
        info.name, "state", info.state, "created", time_text(created, info.created_s),
        "size", (json_int_t)info.size_bytes, "used", (json_int_t)info.used_bytes, "free",
        (json_int_t)info.free_bytes, "provisioned", (json_int_t)info.provisioned_bytes,
        "volume_count", (json_int_t)info.volume_count, "devices", devices);
}

void api_pool_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct pool *pool = pool_next(m, NULL); pool != NULL && step != PAGE_STOP;
         pool = pool_next(m, pool)) {
        struct pool_info info;
        pool_describe(pool, &info);
        step = page_step(&page, info.name);
        if (step == PAGE_TAKE)
            page_add(&page, pool_json(pool));
    }
    page_reply(&page, x);
}

void api_pool_show(struct exchange *x)
{
    struct pool *pool = pool_find(x->web->lunmgr, x->params[0]);
    if (pool == NULL)
        reply_not_found(x, "pool", x->params[0]);
    else
        reply_json(x, 200, pool_json(pool));
}

/* ---- Create ------------------------------------------------------------------------ */

static void pool_on_created(void *arg, struct pool *pool, const struct err *e)
{
    struct exchange *x = arg;
    struct pool_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    pool_describe(pool, &info);
    reply_created(x, "/v1/pools", info.id, pool_json(pool));
}

static void device_read(struct exchange *x, size_t index, const json_t *value,
                        struct pool_device_spec *out)
{
    struct input in;
    char base[32];
    snprintf(base, sizeof(base), "/devices/%zu", index);
    input_begin(&in, value, base, &schema_pool_device, &x->problem);
    out->path = input_string(&in, "path", INPUT_REQUIRED, POOL_PATH_MAX - 1);
    out->size_bytes =
        input_bytes(&in, "size", INPUT_OPTIONAL, POOL_FILE_BYTES_MIN, INT64_MAX, 0);
    if (out->path != NULL && out->path[0] != '/')
        input_refuse(&in, "path", "an absolute path", "the path does not begin with /");
}

void api_pool_create(struct exchange *x)
{
    struct input in;
    struct pool_device_spec devices[POOL_DEVICE_MAX];
    struct pool_spec spec = {.devices = devices};
    input_begin(&in, x->body, "", &schema_pool_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    const json_t *list = input_array(&in, "devices", 1, POOL_DEVICE_MAX);
    for (size_t i = 0; i < json_array_size(list); i++)
        device_read(x, i, json_array_get(list, i), &devices[i]);
    spec.device_count = json_array_size(list);
    if (input_good(&in))
        pool_create(x->web->lunmgr, &spec, pool_on_created, x);
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
