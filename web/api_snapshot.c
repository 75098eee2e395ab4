/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: create, show, list, change, delete; by id, or by volume and name. Groups:
 * snapshots of several volumes at one instant. Control thread. */
#include "lunmgr/snapshot.h"
#include "web/api.h"
#include "web/change.h"
#include "web/resource.h"
#include "web/scan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct schema schema_snapshot_create = {"SnapshotCreate",
                                              {"volume", "name", "labels"}};
const struct schema schema_snapshot_put = {"SnapshotPut", {"labels"}};
const struct schema schema_snapshot_change = {"SnapshotChange",
                                              {"name", "protected", "labels"}};
const struct schema schema_snapshot_group_create = {"SnapshotGroupCreate",
                                                    {"volumes", "name", "labels"}};

static_assert(SNAPSHOT_KEY_MAX <= WEB_AFTER_MAX, "a cursor may be a snapshot's key");

#define SNAPSHOT(member) COLUMN_AT(struct snapshot_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, SNAPSHOT(id)},
    {"name", COLUMN_TEXT, SNAPSHOT(name), .settable = true},
    {"volume", COLUMN_TEXT, SNAPSHOT(volume_name)},
    {"volume_id", COLUMN_TEXT, SNAPSHOT(volume_id)},
    {"pool", COLUMN_TEXT, SNAPSHOT(pool_name)},
    {"pool_id", COLUMN_TEXT, SNAPSHOT(pool_id)},
    {"group", COLUMN_TEXT, SNAPSHOT(group_id), .nullable = true},
    {"size", COLUMN_BYTES, SNAPSHOT(size_bytes)},
    {"block_size", COLUMN_UINT, SNAPSHOT(block_bytes)},
    {"physical_block_size", COLUMN_UINT, SNAPSHOT(physical_bytes)},
    {"allocated", COLUMN_BYTES, SNAPSHOT(allocated_bytes)},
    {"used", COLUMN_BYTES, SNAPSHOT(used_bytes)},
    {"unique", COLUMN_BYTES, SNAPSHOT(unique_bytes)},
    {"shared", COLUMN_BYTES, SNAPSHOT(shared_bytes)},
    {"naa", COLUMN_TEXT, SNAPSHOT(naa)},
    {"serial", COLUMN_TEXT, SNAPSHOT(serial)},
    {"created", COLUMN_TIME, SNAPSHOT(created_s)},
    {"mapping_count", COLUMN_UINT, SNAPSHOT(mapping_count)},
    {"clone_count", COLUMN_UINT, SNAPSHOT(clone_count)},
    {"protected", COLUMN_BOOL, SNAPSHOT(is_protected), .settable = true},
    {"labels", COLUMN_LABELS, SNAPSHOT(labels), .settable = true},
    {.name = NULL},
};

/* What a path names: an id, or VOLUME/NAME, the volume by its name or id. */
static const char *full_key(const struct web *web, const char *name,
                            char key[WEB_KEY_MAX])
{
    const char *slash = strchr(name, '/');
    snprintf(key, WEB_KEY_MAX, "%s", name);
    if (slash == NULL)
        return key;
    key[slash - name] = '\0';
    struct volume *volume = volume_find(web->lunmgr, key);
    if (volume == NULL) {
        key[slash - name] = '/';
    } else {
        struct volume_info info;
        volume_describe(volume, &info);
        snprintf(key, WEB_KEY_MAX, "%s%s", info.name, slash);
    }
    return key;
}

static const char *path_key(const struct exchange *x, char key[WEB_KEY_MAX])
{
    char name[WEB_KEY_MAX];
    return full_key(x->web, exchange_key(x, name), key);
}

static void *snapshot_of_name(const struct web *web, const char *name)
{
    char key[WEB_KEY_MAX];
    return snapshot_find(web->lunmgr, full_key(web, name, key));
}

static void *snapshot_of_walk(const struct web *web, struct row_walk *walk)
{
    return snapshot_walk(web->lunmgr, walk);
}

static void snapshot_fill(const struct web *web, const void *snapshot, void *info)
{
    (void)web;
    snapshot_describe(snapshot, info);
}

static bool snapshots_of(const struct web *web, const char *name,
                         char prefix[WEB_AFTER_MAX])
{
    struct volume_info info;
    const struct volume *volume = volume_find(web->lunmgr, name);
    if (volume == NULL)
        return false;
    volume_describe(volume, &info);
    snprintf(prefix, WEB_AFTER_MAX, "%s/", info.name);
    return true;
}

static void snapshot_list_key(const void *snapshot, const void *info,
                              char key[WEB_AFTER_MAX])
{
    (void)info;
    snapshot_key(snapshot, key);
}

const struct resource resource_snapshot = {
    .kind = "snapshot",
    .collection = "/v1/snapshots",
    .info_bytes = sizeof(struct snapshot_info),
    .columns = columns,
    .find = snapshot_of_name,
    .next = snapshot_of_walk,
    .describe = snapshot_fill,
    .key = snapshot_list_key,
    .whole = "volume",
    .part = snapshots_of,
};

/* ---- Create ------------------------------------------------------------------------ */

static void snapshot_on_created(void *arg, struct volume *const *snapshots, size_t count,
                                const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_resume(x, e))
        return;
    assert(count == 1);
    reply_resource(x, 201, &resource_snapshot, snapshots[0]);
}

void api_snapshot_create(struct exchange *x)
{
    struct input in;
    struct labels_in labels;
    input_begin(&in, x->body, "", &schema_snapshot_create, &x->problem);
    const char *volume = input_reference(&in, "volume", INPUT_REQUIRED);
    struct snapshot_spec spec = {
        .volumes = &volume,
        .volume_count = 1,
        .name = input_name(&in, "name", INPUT_REQUIRED),
    };
    if (labels_read(&in, &labels))
        spec.labels = labels.list;
    if (input_good(&in))
        snapshot_create(x->web->lunmgr, &spec, snapshot_on_created, x);
    else
        reply_problem(x);
}

/* ---- Change and delete ------------------------------------------------------------- */

static void snapshot_on_changed(void *arg, struct volume *snapshot, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_snapshot, snapshot);
}

void api_snapshot_change(struct exchange *x)
{
    struct input in;
    struct change_in c;
    char key[WEB_KEY_MAX];
    input_begin(&in, x->body, "", &schema_snapshot_change, &x->problem);
    change_read(&in, &c);
    if (input_good(&in))
        snapshot_change(x->web->lunmgr, path_key(x, key), &c.change, snapshot_on_changed,
                        x);
    else
        reply_problem(x);
}

void api_snapshot_delete(struct exchange *x)
{
    char key[WEB_KEY_MAX];
    snapshot_delete(x->web->lunmgr, path_key(x, key), reply_done, x);
}

/* ---- Groups ------------------------------------------------------------------------ */

/* snapshots: taken; NULL (out of memory) gives NULL. */
static json_t *group_json(const char *id, json_t *snapshots)
{
    return json_pack("{s:s, s:o}", "id", id, "snapshots", snapshots);
}

static json_t *list_add(const struct web *web, json_t *list,
                        const struct volume *snapshot)
{
    if (list == NULL || json_array_append_new(
                            list, resource_json(web, &resource_snapshot, snapshot)) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static void group_on_created(void *arg, struct volume *const *snapshots, size_t count,
                             const struct err *e)
{
    struct exchange *x = arg;
    struct snapshot_info info;
    if (!exchange_resume(x, e))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        list = list_add(x->web, list, snapshots[i]);
    snapshot_describe(snapshots[0], &info);
    reply_created(x, "/v1/snapshot-groups", info.group_id,
                  group_json(info.group_id, list));
}

static void volumes_read(struct exchange *x, const json_t *list, const char **out)
{
    struct input element = {.base = "/volumes", .problem = &x->problem};
    for (size_t i = 0; i < json_array_size(list); i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        out[i] = json_string_value(json_array_get(list, i));
        if (out[i] == NULL || !name_is_valid(out[i]))
            input_refuse(&element, index, "a volume's name or id",
                         "it cannot be a volume's name or id");
        for (size_t j = 0; j < i && input_good(&element); j++) {
            if (json_equal(json_array_get(list, i), json_array_get(list, j)))
                input_refuse(&element, index, "each volume once",
                             "the volume is there twice");
        }
    }
}

void api_snapshot_group_create(struct exchange *x)
{
    struct input in;
    struct labels_in labels;
    const char *volumes[SNAPSHOT_VOLUMES_MAX];
    struct snapshot_spec spec = {.volumes = volumes, .group = true};
    input_begin(&in, x->body, "", &schema_snapshot_group_create, &x->problem);
    const json_t *list = input_array(&in, "volumes", 1, SNAPSHOT_VOLUMES_MAX);
    volumes_read(x, list, volumes);
    spec.volume_count = json_array_size(list);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    if (labels_read(&in, &labels))
        spec.labels = labels.list;
    if (input_good(&in))
        snapshot_create(x->web->lunmgr, &spec, group_on_created, x);
    else
        reply_problem(x);
}

static void group_found(struct scan *s)
{
    json_text_puts(&s->items, "]}");
    s->items.failed |= s->out_of_memory;
    if (s->count == 0 && !s->items.failed)
        reply_not_found(s->x, "group of snapshots", s->x->params[0]);
    else
        reply_json_text(s->x, 200, &s->items);
}

/* A group is there as long as one of its snapshots. */
void api_snapshot_group_show(struct exchange *x)
{
    struct scan *s = scan_create(x, &resource_snapshot, group_found);
    if (s == NULL) {
        reply_json(x, 200, NULL);
        return;
    }
    s->limit = SNAPSHOT_VOLUMES_MAX;
    filter_add_text(&s->filter, resource_column(&resource_snapshot, "group"),
                    x->params[0]);
    json_text_puts(&s->items, "{\"id\":");
    json_text_string(&s->items, x->params[0]);
    json_text_puts(&s->items, ",\"snapshots\":[");
    scan_start(s);
}
