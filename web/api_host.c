/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: a hypervisor host's initiator names. Create, show, list, delete. Control thread.
 */
#include "lunmgr/host.h"
#include "web/api.h"
#include "web/page.h"

#include <stdio.h>
#include <string.h>

const struct schema schema_host_create = {"HostCreate", {"name", "initiators"}};

static const char open_mode[] = "any";

static json_t *strings_json(const char *const *strings, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; out != NULL && i < count; i++) {
        if (json_array_append_new(out, json_of_foreign_text(strings[i])) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *warnings_json(const struct host_info *info)
{
    static const char *const open_warning[] = {
        "the initiator name \"any\" lets every initiator that reaches a portal see this "
        "host's volumes: for closed networks only"};
    bool is_open =
        info->initiator_count == 1 && strcmp(info->initiators[0], open_mode) == 0;
    return strings_json(open_warning, is_open ? ARRAY_LEN(open_warning) : 0);
}

static json_t *host_json(const struct host *host)
{
    struct host_info info;
    char created[TIME_TEXT_MAX];
    host_describe(host, &info);
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "id", info.id, "name", info.name,
                     "created", time_text(created, info.created_s), "initiators",
                     strings_json(info.initiators, info.initiator_count), "mapping_count",
                     (json_int_t)info.mapping_count, "warnings", warnings_json(&info));
}

void api_host_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct host *host = host_next(m, NULL); host != NULL && step != PAGE_STOP;
         host = host_next(m, host)) {
        struct host_info info;
        host_describe(host, &info);
        step = page_step(&page, info.name);
        if (step == PAGE_TAKE)
            page_add(&page, host_json(host));
    }
    page_reply(&page, x);
}

void api_host_show(struct exchange *x)
{
    struct host *host = host_find(x->web->lunmgr, x->params[0]);
    if (host == NULL)
        reply_not_found(x, "host", x->params[0]);
    else
        reply_json(x, 200, host_json(host));
}

/* ---- Create ------------------------------------------------------------------------ */

static void host_on_created(void *arg, struct host *host, const struct err *e)
{
    struct exchange *x = arg;
    struct host_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    host_describe(host, &info);
    reply_created(x, "/v1/hosts", info.id, host_json(host));
}

/* RFC 7143, 4.2.7: iqn., eui. or naa., and no white space. */
static bool initiator_is_valid(const char *text)
{
    if (text == NULL || strlen(text) >= HOST_INITIATOR_MAX)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f)
            return false;
    }
    return (strncmp(text, "iqn.", 4) == 0 || strncmp(text, "eui.", 4) == 0 ||
            strncmp(text, "naa.", 4) == 0) &&
           text[4] != '\0';
}

static void initiators_read(struct exchange *x, const json_t *list, const char **out)
{
    struct input element = {.base = "/initiators", .problem = &x->problem};
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        out[i] = json_string_value(json_array_get(list, i));
        bool is_open = count == 1 && out[i] != NULL && strcmp(out[i], open_mode) == 0;
        if (!is_open && !initiator_is_valid(out[i]))
            input_refuse(&element, index,
                         "an iSCSI name (iqn., eui. or naa., at most 223 bytes), or "
                         "\"any\" as the only one",
                         "not an initiator name");
        for (size_t j = 0; j < i && input_good(&element); j++) {
            if (strcmp(out[i], out[j]) == 0)
                input_refuse(&element, index, "each name once",
                             "the name is there twice");
        }
    }
}

void api_host_create(struct exchange *x)
{
    struct input in;
    const char *initiators[HOST_INITIATOR_COUNT_MAX];
    struct host_spec spec = {.initiators = initiators};
    input_begin(&in, x->body, "", &schema_host_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    const json_t *list = input_array(&in, "initiators", 1, HOST_INITIATOR_COUNT_MAX);
    initiators_read(x, list, initiators);
    spec.initiator_count = json_array_size(list);
    if (input_good(&in))
        host_create(x->web->lunmgr, &spec, host_on_created, x);
    else
        reply_problem(x);
}

void api_host_delete(struct exchange *x)
{
    host_delete(x->web->lunmgr, x->params[0], reply_done, x);
}
