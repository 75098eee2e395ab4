/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: create (clones too), show, list, change, roll back, delete. Control thread. */
#include "lunmgr/volume.h"
#include "web/api.h"
#include "web/change.h"
#include "web/page.h"

const struct schema schema_volume_create = {"VolumeCreate",
                                            {"name", "pool", "size", "block_size",
                                             "physical_block_size", "snapshot",
                                             "protected", "zero_detect", "labels"}};
const struct schema schema_volume_change = {
    "VolumeChange",
    {"name", "size", "allow_data_loss", "protected", "zero_detect", "labels"}};
const struct schema schema_volume_rollback = {"VolumeRollback",
                                              {"snapshot", "keep_name", "fence"}};

#define VOLUME_STEP_BYTES 4096

json_t *volume_json(const struct volume *volume)
{
    struct volume_info info;
    char created[TIME_TEXT_MAX];
    volume_describe(volume, &info);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:s?, s:b, "
        "s:b, "
        "s:o}",
        "id", info.id, "name", info.name, "pool", info.pool_name, "pool_id", info.pool_id,
        "size", (json_int_t)info.size_bytes, "block_size", (json_int_t)info.block_bytes,
        "physical_block_size", (json_int_t)info.physical_bytes, "allocated",
        (json_int_t)info.allocated_bytes, "naa", info.naa, "serial", info.serial,
        "created", time_text(created, info.created_s), "mapping_count",
        (json_int_t)info.mapping_count, "snapshot_count", (json_int_t)info.snapshot_count,
        "clone_of", text_or_null(info.clone_of), "protected", info.is_protected,
        "zero_detect", info.zero_detect, "labels", labels_json(info.labels));
}

void api_volume_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct volume *volume = volume_next(m, NULL);
         volume != NULL && step != PAGE_STOP; volume = volume_next(m, volume)) {
        struct volume_info info;
        volume_describe(volume, &info);
        step = page_step(&page, info.name);
        if (step == PAGE_TAKE)
            page_add(&page, volume_json(volume));
    }
    page_reply(&page, x);
}

void api_volume_show(struct exchange *x)
{
    struct volume *volume = volume_find(x->web->lunmgr, x->params[0]);
    if (volume == NULL)
        reply_not_found(x, "volume", x->params[0]);
    else
        reply_json(x, 200, volume_json(volume));
}

/* ---- Create ------------------------------------------------------------------------ */

static void volume_on_created(void *arg, struct volume *volume, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_created(x, "/v1/volumes", volume_id(volume), volume_json(volume));
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
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_json(x, 200, volume_json(volume));
}

void api_volume_change(struct exchange *x)
{
    struct input in;
    struct change_in c;
    input_begin(&in, x->body, "", &schema_volume_change, &x->problem);
    change_read(&in, &c);
    c.change.size_bytes = size_read(&in, INPUT_OPTIONAL);
    c.change.allow_data_loss = input_bool(&in, "allow_data_loss", false);
    c.change.zero_detect = input_flag(&in, "zero_detect", &c.zero_detect);
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

void api_volume_delete(struct exchange *x)
{
    volume_delete(x->web->lunmgr, x->params[0], x->query.purge, reply_done, x);
}
