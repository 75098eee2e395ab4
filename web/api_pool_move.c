/* SPDX-License-Identifier: Apache-2.0 */
/* Pools that leave for another box, or come from one. Control thread. */
#include "lunmgr/pool_move.h"
#include "web/api.h"
#include "web/json_in.h"
#include "web/resource.h"

#include <stdio.h>
#include <string.h>

const struct schema schema_pool_export = {"PoolExport", {"path"}};
const struct schema schema_pool_import = {"PoolImport", {"path", "devices", "name"}};

void api_pool_export(struct exchange *x)
{
    struct input in;
    input_begin(&in, x->body, "", &schema_pool_export, &x->problem);
    const char *path = input_string(&in, "path", INPUT_REQUIRED, POOL_PATH_MAX - 1);
    if (input_good(&in))
        pool_export(x->web->lunmgr, x->params[0], path, reply_done, x);
    else
        reply_problem(x);
}

static void pool_on_imported(void *arg, struct pool *pool, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_pool, pool);
}

/* The paths of where the devices are now. */
static void paths_read(const struct input *in, const json_t *list, const char **paths)
{
    struct input elements = {.base = "/devices", .problem = in->problem};
    for (size_t i = 0; i < json_array_size(list); i++) {
        char index[8];
        paths[i] = json_string_value(json_array_get(list, i));
        snprintf(index, sizeof(index), "%zu", i % POOL_DEVICE_MAX);
        if (paths[i] == NULL || paths[i][0] != '/' || text_has_control(paths[i]) ||
            strlen(paths[i]) >= POOL_PATH_MAX)
            input_refuse(&elements, index, "an absolute path",
                         "it is no absolute path of at most %d bytes", POOL_PATH_MAX - 1);
    }
}

void api_pool_import(struct exchange *x)
{
    struct input in;
    const char *paths[POOL_DEVICE_MAX];
    struct pool_import_spec spec = {.devices = paths};
    input_begin(&in, x->body, "", &schema_pool_import, &x->problem);
    spec.path = input_string(&in, "path", INPUT_REQUIRED, POOL_PATH_MAX - 1);
    spec.name = input_name(&in, "name", INPUT_OPTIONAL);
    if (json_object_get(x->body, "devices") != NULL) {
        const json_t *list = input_array(&in, "devices", 1, POOL_DEVICE_MAX);
        paths_read(&in, list, paths);
        spec.device_count = json_array_size(list);
    }
    if (input_good(&in))
        pool_import(x->web->lunmgr, &spec, pool_on_imported, x);
    else
        reply_problem(x);
}
