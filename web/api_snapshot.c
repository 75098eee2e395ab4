/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: create, show, list, change, delete; by id, or by volume and name. Groups:
 * snapshots of several volumes at one instant. Control thread. */
#include "lunmgr/snapshot.h"
#include "web/api.h"
#include "web/change.h"
#include "web/page.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct schema schema_snapshot_create = {"SnapshotCreate",
                                              {"volume", "name", "labels"}};
const struct schema schema_snapshot_change = {"SnapshotChange",
                                              {"name", "protected", "labels"}};
const struct schema schema_snapshot_group_create = {"SnapshotGroupCreate",
                                                    {"volumes", "name", "labels"}};

static_assert(SNAPSHOT_KEY_MAX <= WEB_AFTER_MAX, "a cursor may be a snapshot's key");

static json_t *snapshot_json(const struct volume *snapshot)
{
    struct snapshot_info info;
    char created[TIME_TEXT_MAX];
    snapshot_describe(snapshot, &info);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:I, "
        "s:I, "
        "s:b, s:o}",
        "id", info.id, "name", info.name, "volume", info.volume_name, "volume_id",
        info.volume_id, "pool", info.pool_name, "pool_id", info.pool_id, "group",
        text_or_null(info.group_id), "size", (json_int_t)info.size_bytes, "block_size",
        (json_int_t)info.block_bytes, "physical_block_size",
        (json_int_t)info.physical_bytes, "allocated", (json_int_t)info.allocated_bytes,
        "naa", info.naa, "serial", info.serial, "created",
        time_text(created, info.created_s), "mapping_count",
        (json_int_t)info.mapping_count, "clone_count", (json_int_t)info.clone_count,
        "protected", info.is_protected, "labels", labels_json(info.labels));
}

/* ---- Show and list ----------------------------------------------------------------- */

/* What the path names: an id, or VOLUME/NAME, the volume by its name or id. */
static const char *path_key(const struct exchange *x, char key[WEB_KEY_MAX])
{
    struct volume *volume = volume_find(x->web->lunmgr, x->params[0]);
    exchange_key(x, key);
    if (x->params[1][0] != '\0' && volume != NULL) {
        struct volume_info info;
        volume_describe(volume, &info);
        snprintf(key, WEB_KEY_MAX, "%s/%s", info.name, x->params[1]);
    }
    return key;
}

void api_snapshot_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    const char *of = x->query.volume;
    struct volume *volume = of[0] == '\0' ? NULL : volume_find(m, of);
    if (of[0] != '\0' && volume == NULL) {
        reply_not_found(x, "volume", of);
        return;
    }
    page_begin(&page, x);
    for (struct volume *s = snapshot_next(m, NULL); s != NULL && step != PAGE_STOP;
         s = snapshot_next(m, s)) {
        char key[SNAPSHOT_KEY_MAX];
        struct snapshot_info info;
        snapshot_describe(s, &info);
        if (volume != NULL && strcmp(info.volume_id, volume_id(volume)) != 0)
            continue;
        snapshot_key(s, key);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, snapshot_json(s));
    }
    page_reply(&page, x);
}

void api_snapshot_show(struct exchange *x)
{
    char key[WEB_KEY_MAX];
    struct volume *snapshot = snapshot_find(x->web->lunmgr, path_key(x, key));
    if (snapshot == NULL)
        reply_not_found(x, "snapshot", key);
    else
        reply_json(x, 200, snapshot_json(snapshot));
}

/* ---- Create ------------------------------------------------------------------------ */

static void snapshot_on_created(void *arg, struct volume *const *snapshots, size_t count,
                                const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    assert(count == 1);
    reply_created(x, "/v1/snapshots", volume_id(snapshots[0]),
                  snapshot_json(snapshots[0]));
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
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_json(x, 200, snapshot_json(snapshot));
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

static json_t *list_add(json_t *list, const struct volume *snapshot)
{
    if (list == NULL || json_array_append_new(list, snapshot_json(snapshot)) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static void group_on_created(void *arg, struct volume *const *snapshots, size_t count,
                             const struct err *e)
{
    struct exchange *x = arg;
    struct snapshot_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        list = list_add(list, snapshots[i]);
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

/* A group is there as long as one of its snapshots. */
void api_snapshot_group_show(struct exchange *x)
{
    json_t *list = json_array();
    struct lunmgr *m = x->web->lunmgr;
    for (struct volume *s = snapshot_next(m, NULL); s != NULL; s = snapshot_next(m, s)) {
        struct snapshot_info info;
        snapshot_describe(s, &info);
        if (strcmp(info.group_id, x->params[0]) == 0)
            list = list_add(list, s);
    }
    if (list != NULL && json_array_size(list) == 0) {
        json_decref(list);
        reply_not_found(x, "group of snapshots", x->params[0]);
        return;
    }
    reply_json(x, 200, group_json(x->params[0], list));
}
