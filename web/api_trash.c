/* SPDX-License-Identifier: Apache-2.0 */
/* The trash: deleted volumes that can be restored for a time. List, show, restore, purge;
 * by id, or by a name that only one of them has. Control thread. */
#include "lunmgr/volume.h"
#include "web/api.h"
#include "web/resource.h"

const struct schema schema_trash_restore = {"TrashRestore", {"name"}};

static const struct column columns[] = {
    VOLUME_COLUMNS,
    {"trashed", COLUMN_TIME, VOLUME_AT(trashed_s)},
    {"purge", COLUMN_TIME, VOLUME_AT(purge_s)},
    {.name = NULL},
};

static void *trashed_of_name(const struct web *web, const char *name)
{
    return volume_trash_find(web->lunmgr, name);
}

static void *trashed_of_walk(const struct web *web, struct row_walk *walk)
{
    return volume_trash_walk(web->lunmgr, walk);
}

static void trashed_fill(const struct web *web, const void *volume, void *info)
{
    (void)web;
    volume_describe(volume, info);
}

static void trashed_key(const void *volume, const void *info, char key[WEB_AFTER_MAX])
{
    (void)info;
    text_key(key, volume_id(volume));
}

const struct resource resource_trashed = {
    .kind = "trashed volume",
    .what = "single volume in the trash that has the id or the name",
    .collection = "/v1/trash",
    .info_bytes = sizeof(struct volume_info),
    .columns = columns,
    .find = trashed_of_name,
    .next = trashed_of_walk,
    .describe = trashed_fill,
    .key = trashed_key,
    .key_is_id = true,
};

static void volume_on_restored(void *arg, struct volume *volume, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_resource(x, 200, &resource_volume, volume);
}

void api_trash_restore(struct exchange *x)
{
    struct input in;
    input_begin(&in, x->body, "", &schema_trash_restore, &x->problem);
    const char *name = input_name(&in, "name", INPUT_OPTIONAL);
    if (input_good(&in))
        volume_restore(x->web->lunmgr, x->params[0], name, volume_on_restored, x);
    else
        reply_problem(x);
}

void api_trash_purge(struct exchange *x)
{
    volume_purge(x->web->lunmgr, x->params[0], reply_done, x);
}
