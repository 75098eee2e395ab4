/* SPDX-License-Identifier: Apache-2.0 */
/* The trash: deleted volumes that can be restored for a time. List, show, restore, purge;
 * by id, or by a name that only one of them has. Control thread. */
#include "lunmgr/volume.h"
#include "web/api.h"
#include "web/page.h"

const struct schema schema_trash_restore = {"TrashRestore", {"name"}};

static json_t *trashed_json(const struct volume *volume)
{
    struct volume_info info;
    char trashed[TIME_TEXT_MAX], purge[TIME_TEXT_MAX];
    json_t *out = volume_json(volume);
    volume_describe(volume, &info);
    if (out != NULL &&
        json_object_set_new(out, "trashed",
                            json_string(time_text(trashed, info.trashed_s))) == 0 &&
        json_object_set_new(out, "purge", json_string(time_text(purge, info.purge_s))) ==
            0)
        return out;
    json_decref(out);
    return NULL;
}

void api_trash_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct volume *volume = volume_trash_next(m, NULL);
         volume != NULL && step != PAGE_STOP; volume = volume_trash_next(m, volume)) {
        step = page_step(&page, volume_id(volume));
        if (step == PAGE_TAKE)
            page_add(&page, trashed_json(volume));
    }
    page_reply(&page, x);
}

void api_trash_show(struct exchange *x)
{
    struct volume *volume = volume_trash_find(x->web->lunmgr, x->params[0]);
    if (volume == NULL) {
        problem_set(&x->problem, PROBLEM_NOT_FOUND,
                    "there is no volume %s in the trash, or several: name its id",
                    x->params[0]);
        reply_problem(x);
        return;
    }
    reply_json(x, 200, trashed_json(volume));
}

static void volume_on_restored(void *arg, struct volume *volume, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_json(x, 200, volume_json(volume));
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
