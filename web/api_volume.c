/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: create (clones too), show, list, change, roll back, delete. Control thread. */
#include "lunmgr/snapshot.h"
#include "lunmgr/volume.h"
#include "lunmgr/volume_copy.h"
#include "web/api.h"
#include "web/change.h"
#include "web/qos.h"
#include "web/resource.h"

const struct schema schema_volume_create = {
    "VolumeCreate",
    {"name", "pool", "size", "block_size", "physical_block_size", "snapshot", "protected",
     "zero_detect", "guaranteed", "qos", "labels"}};
const struct schema schema_volume_put = {"VolumePut",
                                         {"pool", "size", "block_size",
                                          "physical_block_size", "snapshot", "protected",
                                          "zero_detect", "guaranteed", "qos", "labels"}};
const struct schema schema_volume_change = {"VolumeChange",
                                            {"name", "size", "allow_data_loss",
                                             "protected", "zero_detect", "guaranteed",
                                             "qos", "labels"}};
const struct schema schema_volume_rollback = {"VolumeRollback",
                                              {"snapshot", "keep_name", "fence"}};
const struct schema schema_volume_copy = {
    "VolumeCopy",
    {"name", "pool", "to", "snapshot", "offset", "length", "to_offset", "force"}};

#define VOLUME_STEP_BYTES 4096

json_t *volume_qos_json(const struct web *web, const void *info)
{
    (void)web;
    return qos_json(&((const struct volume_info *)info)->qos);
}

static json_t *volume_throttled_json(const struct web *web, const void *info)
{
    struct target_throttled throttled = {0};
    const struct volume_info *volume = info;
    if (qos_is_limited(&volume->qos))
        (void)target_volume_throttled(web->target, volume->id, &throttled);
    return throttled_json(&throttled);
}

static const struct column columns[] = {
    VOLUME_COLUMNS,
    {"throttled", COLUMN_JSON, .render = volume_throttled_json},
    {.name = NULL},
};

static void *volume_of_name(const struct web *web, const char *name)
{
    return volume_find(web->lunmgr, name);
}

static void *volume_of_walk(const struct web *web, struct row_walk *walk)
{
    return volume_walk(web->lunmgr, walk);
}

static void volume_fill(const struct web *web, const void *volume, void *info)
{
    (void)web;
    volume_describe(volume, info);
}

static void volume_key(const void *volume, const void *info, char key[WEB_AFTER_MAX])
{
    (void)volume;
    text_key(key, ((const struct volume_info *)info)->name);
}

/* Of which snapshot it is a clone: told by id, asked for by any of its names. Limits:
 * some of them may be asked for, and as text. */
static enum agreement volume_agrees(const struct web *web, const void *volume,
                                    const char *member, const json_t *value)
{
    struct volume_info info;
    const char *name = json_string_value(value);
    volume_describe(volume, &info);
    if (strcmp(member, "qos") == 0)
        return qos_agrees(&info.qos, value);
    if (strcmp(member, resource_volume.untold) != 0)
        return AGREEMENT_UNKNOWN;
    const struct volume *of = name == NULL ? NULL : snapshot_find(web->lunmgr, name);
    return of != NULL && strcmp(volume_id(of), info.clone_of) == 0 ? AGREEMENT_YES
                                                                   : AGREEMENT_NO;
}

const struct resource resource_volume = {
    .agrees = volume_agrees,
    .untold = "snapshot",
    .kind = "volume",
    .collection = "/v1/volumes",
    .info_bytes = sizeof(struct volume_info),
    .columns = columns,
    .find = volume_of_name,
    .next = volume_of_walk,
    .describe = volume_fill,
    .key = volume_key,
};

/* ---- Create ------------------------------------------------------------------------ */

static void volume_on_created(void *arg, struct volume *volume, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_volume, volume);
}

/* 0 if it is absent. */
static uint64_t size_read(struct input *in, enum input_need need)
{
    uint64_t bytes =
        input_bytes(in, "size", need, VOLUME_STEP_BYTES, VOLUME_BYTES_MAX, 0);
    if (bytes % VOLUME_STEP_BYTES != 0)
        input_refuse(in, "size", "a multiple of 4096 bytes",
                     "size is not a multiple of 4096");
    return bytes;
}

static uint64_t guaranteed_read(struct input *in)
{
    return input_bytes(in, "guaranteed", INPUT_OPTIONAL, 0, VOLUME_BYTES_MAX, 0);
}

static uint32_t block_size_read(struct input *in, const char *member)
{
    uint64_t bytes = input_uint(in, member, INPUT_OPTIONAL, 512, 4096, 0);
    if (bytes != 0 && bytes != 512 && bytes != 4096)
        input_refuse(in, member, "512 or 4096", "there is no such block size");
    return (uint32_t)bytes;
}

/* A clone has its snapshot's pool and size, unless it says more. */
void api_volume_create(struct exchange *x)
{
    struct input in;
    struct labels_in labels;
    struct qos_change qos;
    struct volume_spec spec = {.name = NULL};
    input_begin(&in, x->body, "", &schema_volume_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    spec.snapshot = input_snapshot(&in, "snapshot", INPUT_OPTIONAL);
    enum input_need need = spec.snapshot == NULL ? INPUT_REQUIRED : INPUT_OPTIONAL;
    spec.pool = input_reference(&in, "pool", need);
    spec.size_bytes = size_read(&in, need);
    spec.block_bytes = block_size_read(&in, "block_size");
    spec.physical_bytes = block_size_read(&in, "physical_block_size");
    spec.is_protected = input_bool(&in, "protected", false);
    spec.zero_detect = input_bool(&in, "zero_detect", false);
    spec.guaranteed_bytes = guaranteed_read(&in);
    spec.qos = qos_read(&in, &qos);
    if (labels_read(&in, &labels))
        spec.labels = labels.list;
    if (input_good(&in))
        volume_create(x->web->lunmgr, &spec, volume_on_created, x);
    else
        reply_problem(x);
}

/* ---- Change ------------------------------------------------------------------------ */

static void volume_on_changed(void *arg, struct volume *volume, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_volume, volume);
}

void api_volume_change(struct exchange *x)
{
    struct input in;
    struct change_in c;
    struct qos_change qos;
    input_begin(&in, x->body, "", &schema_volume_change, &x->problem);
    change_read(&in, &c);
    c.change.size_bytes = size_read(&in, INPUT_OPTIONAL);
    c.change.allow_data_loss = input_bool(&in, "allow_data_loss", false);
    c.change.zero_detect = input_flag(&in, "zero_detect", &c.zero_detect);
    uint64_t guaranteed = guaranteed_read(&in);
    if (json_object_get(x->body, "guaranteed") != NULL)
        c.change.guaranteed_bytes = &guaranteed;
    c.change.qos = qos_read(&in, &qos);
    if (input_good(&in))
        volume_change(x->web->lunmgr, x->params[0], &c.change, volume_on_changed, x);
    else
        reply_problem(x);
}

void api_volume_rollback(struct exchange *x)
{
    struct input in;
    struct rollback_spec spec = {.snapshot = NULL};
    input_begin(&in, x->body, "", &schema_volume_rollback, &x->problem);
    spec.snapshot = input_snapshot(&in, "snapshot", INPUT_REQUIRED);
    spec.keep_name = input_name(&in, "keep_name", INPUT_OPTIONAL);
    spec.fence = input_bool(&in, "fence", false);
    if (input_good(&in))
        volume_rollback(x->web->lunmgr, x->params[0], &spec, volume_on_changed, x);
    else
        reply_problem(x);
}

/* ---- Copy -------------------------------------------------------------------------- */

static bool is_there(const struct exchange *x, const char *member)
{
    return json_object_get(x->body, member) != NULL;
}

/* Either a volume that is made, of all, or one that is there. */
static void copy_check(struct exchange *x, struct input *in)
{
    static const char *const of_range[] = {"offset", "length", "to_offset", "force"};
    if (is_there(x, "name") == is_there(x, "to"))
        input_refuse(in, is_there(x, "to") ? "to" : "name", "name or to, one of both",
                     "a copy is made of a new name, or over a volume that is there");
    if (is_there(x, "to") && is_there(x, "pool"))
        input_refuse(in, "pool", "a pool for a new volume, that is with name",
                     "the volume that is there has a pool");
    for (size_t i = 0; i < ARRAY_LEN(of_range); i++)
        if (is_there(x, "name") && is_there(x, of_range[i]))
            input_refuse(in, of_range[i], "no such member with name",
                         "a new volume has all that is copied, from its beginning on");
    if (is_there(x, "offset") && !is_there(x, "length"))
        input_refuse(in, "offset", "offset and length", "a range has a length");
}

void api_volume_copy(struct exchange *x)
{
    struct input in;
    struct volume_copy_spec spec = {.name = NULL};
    input_begin(&in, x->body, "", &schema_volume_copy, &x->problem);
    spec.name = input_name(&in, "name", INPUT_OPTIONAL);
    spec.pool = input_reference(&in, "pool", INPUT_OPTIONAL);
    spec.to = input_reference(&in, "to", INPUT_OPTIONAL);
    spec.snapshot = input_snapshot(&in, "snapshot", INPUT_OPTIONAL);
    spec.from_bytes = input_bytes(&in, "offset", INPUT_OPTIONAL, 0, VOLUME_BYTES_MAX, 0);
    spec.length_bytes =
        input_bytes(&in, "length", INPUT_OPTIONAL, 512, VOLUME_BYTES_MAX, 0);
    spec.to_bytes = input_bytes(&in, "to_offset", INPUT_OPTIONAL, 0, VOLUME_BYTES_MAX, 0);
    spec.force = input_bool(&in, "force", false);
    if (input_good(&in))
        copy_check(x, &in);
    if (input_good(&in))
        volume_copy(x->web->lunmgr, x->params[0], &spec, reply_job, x);
    else
        reply_problem(x);
}

void api_volume_delete(struct exchange *x)
{
    volume_delete(x->web->lunmgr, x->params[0], x->query.purge, reply_done, x);
}
