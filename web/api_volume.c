/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: create, show, list, delete. Control thread. */
#include "lunmgr/volume.h"
#include "web/api.h"
#include "web/page.h"

const struct schema schema_volume_create = {"VolumeCreate",
                                            {"name", "pool", "size", "block_size"}};

#define VOLUME_STEP_BYTES 4096

static json_t *volume_json(const struct volume *volume)
{
    struct volume_info info;
    char created[TIME_TEXT_MAX];
    volume_describe(volume, &info);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:I}", "id",
                     info.id, "name", info.name, "pool", info.pool_name, "pool_id",
                     info.pool_id, "size", (json_int_t)info.size_bytes, "block_size",
                     (json_int_t)info.block_bytes, "allocated",
                     (json_int_t)info.allocated_bytes, "naa", info.naa, "serial",
                     info.serial, "created", time_text(created, info.created_s),
                     "mapping_count", (json_int_t)info.mapping_count);
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

void api_volume_create(struct exchange *x)
{
    struct input in;
    struct volume_spec spec;
    input_begin(&in, x->body, "", &schema_volume_create, &x->problem);
    spec.name = input_name(&in, "name");
    spec.pool = input_reference(&in, "pool");
    spec.size_bytes =
        input_bytes(&in, "size", INPUT_REQUIRED, VOLUME_STEP_BYTES, VOLUME_BYTES_MAX, 0);
    spec.block_bytes =
        (uint32_t)input_uint(&in, "block_size", INPUT_OPTIONAL, 512, 4096, 512);
    if (spec.size_bytes % VOLUME_STEP_BYTES != 0)
        input_refuse(&in, "size", "a multiple of 4096 bytes",
                     "size is not a multiple of 4096");
    if (spec.block_bytes != 512 && spec.block_bytes != 4096)
        input_refuse(&in, "block_size", "512 or 4096", "there is no such block size");
    if (input_good(&in))
        volume_create(x->web->lunmgr, &spec, volume_on_created, x);
    else
        reply_problem(x);
}

void api_volume_delete(struct exchange *x)
{
    volume_delete(x->web->lunmgr, x->params[0], false, reply_done, x);
}
