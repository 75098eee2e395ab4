/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: a hypervisor host's initiator names and credentials. Create, show, list, change,
 * delete. Control thread. */
#include "lunmgr/host.h"
#include "target/target.h"
#include "web/api.h"
#include "web/auth_in.h"
#include "web/page.h"

#include <stdio.h>
#include <string.h>

const struct schema schema_host_create = {"HostCreate",
                                          {"name", "initiators", "addresses", "auth"}};
const struct schema schema_host_change = {"HostChange",
                                          {"name", "initiators", "addresses", "auth"}};
static const struct schema schema_host_auth = {
    "HostAuth",
    {"method", "user", "secret", "mutual_user", "mutual_secret", "forbid_md5"}};

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

static json_t *host_auth_json(const struct auth *auth)
{
    json_t *out = auth_json(auth);
    if (out != NULL &&
        json_object_set_new(out, "forbid_md5", json_boolean(auth->forbid_md5)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *addresses_json(const struct cidr_list *list)
{
    char texts[CIDR_LIST_MAX][CIDR_TEXT_MAX];
    const char *strings[CIDR_LIST_MAX];
    for (size_t i = 0; i < list->count; i++) {
        cidr_format(&list->ranges[i], texts[i]);
        strings[i] = texts[i];
    }
    return strings_json(strings, list->count);
}

/* The last login of the host that went well, and the last that did not. NULL: none. */
struct logins {
    const struct target_seen *accepted, *refused;
};

static struct logins logins_of(const struct target *t, const char *host)
{
    struct logins out = {.accepted = NULL};
    for (const struct target_seen *seen = target_seen_next(t, NULL); seen != NULL;
         seen = target_seen_next(t, seen)) {
        const char *name = target_seen_host(t, seen);
        if (name == NULL || strcmp(name, host) != 0)
            continue;
        if (seen->accepted_s > (out.accepted == NULL ? 0 : out.accepted->accepted_s))
            out.accepted = seen;
        if (seen->refused_s > (out.refused == NULL ? 0 : out.refused->refused_s))
            out.refused = seen;
    }
    return out;
}

static json_t *login_json(const struct target_seen *seen)
{
    char when[TIME_TEXT_MAX];
    if (seen == NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:s}", "time", time_text(when, seen->accepted_s),
                     "initiator", json_of_foreign_text(seen->initiator), "address",
                     seen->address);
}

static json_t *refusal_json(const struct target_seen *seen)
{
    char when[TIME_TEXT_MAX];
    if (seen == NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:s, s:s}", "time", time_text(when, seen->refused_s),
                     "initiator", json_of_foreign_text(seen->initiator), "address",
                     seen->address, "reason", seen->reason);
}

static json_t *host_json(const struct web *web, const struct host *host)
{
    struct host_info info;
    char created[TIME_TEXT_MAX];
    host_describe(host, &info);
    struct logins logins = logins_of(web->target, info.name);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "id", info.id,
                     "name", info.name, "created", time_text(created, info.created_s),
                     "initiators", strings_json(info.initiators, info.initiator_count),
                     "addresses", addresses_json(&info.auth->addresses), "auth",
                     host_auth_json(info.auth), "mapping_count",
                     (json_int_t)info.mapping_count, "last_login",
                     login_json(logins.accepted), "last_refusal",
                     refusal_json(logins.refused), "warnings", warnings_json(&info));
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
            page_add(&page, host_json(x->web, host));
    }
    page_reply(&page, x);
}

void api_host_show(struct exchange *x)
{
    struct host *host = host_find(x->web->lunmgr, x->params[0]);
    if (host == NULL)
        reply_not_found(x, "host", x->params[0]);
    else
        reply_json(x, 200, host_json(x->web, host));
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
    reply_created(x, "/v1/hosts", info.id, host_json(x->web, host));
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

/* What host_auth_read reads, with room for its lists. */
struct host_auth_in {
    struct auth_in auth;
    const char *addresses[CIDR_LIST_MAX];
};

static void addresses_read(struct input *in, struct host_auth_in *out)
{
    struct input element = {.base = "/addresses", .problem = in->problem};
    struct cidr range;
    const json_t *list = input_array(in, "addresses", 0, CIDR_LIST_MAX);
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        out->addresses[i] = json_string_value(json_array_get(list, i));
        if (out->addresses[i] == NULL || cidr_parse(out->addresses[i], &range) != 0)
            input_refuse(&element, index,
                         "an IPv4 or IPv6 address or range, such as 192.0.2.0/24, with "
                         "no bits beyond its length",
                         "not a range of addresses");
    }
    out->auth.change.addresses = out->addresses;
    out->auth.change.address_count = count;
}

/* False: the request has nothing of it, or something was refused. */
static bool host_auth_read(struct input *in, struct host_auth_in *out)
{
    bool has_auth = auth_read(in, "auth", &schema_host_auth, &out->auth);
    bool has_addresses = json_object_get(in->object, "addresses") != NULL;
    if (has_addresses)
        addresses_read(in, out);
    return (has_auth || has_addresses) && input_good(in);
}

void api_host_create(struct exchange *x)
{
    struct input in;
    struct host_auth_in auth;
    const char *initiators[HOST_INITIATOR_COUNT_MAX];
    struct host_spec spec = {.initiators = initiators};
    input_begin(&in, x->body, "", &schema_host_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    const json_t *list = input_array(&in, "initiators", 1, HOST_INITIATOR_COUNT_MAX);
    initiators_read(x, list, initiators);
    spec.initiator_count = json_array_size(list);
    if (host_auth_read(&in, &auth))
        spec.auth = &auth.auth.change;
    bool good = input_good(&in);
    if (good)
        host_create(x->web->lunmgr, &spec, host_on_created, x);
    auth_forget(&auth.auth); /* before the answer, which lets the body go */
    if (!good)
        reply_problem(x);
}

/* ---- Change ------------------------------------------------------------------------ */

static void host_on_changed(void *arg, struct host *host, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_json(x, 200, host_json(x->web, host));
}

void api_host_change(struct exchange *x)
{
    struct input in;
    struct host_auth_in auth;
    const char *initiators[HOST_INITIATOR_COUNT_MAX];
    struct host_change change = {.name = NULL};
    input_begin(&in, x->body, "", &schema_host_change, &x->problem);
    change.name = input_name(&in, "name", INPUT_OPTIONAL);
    if (json_object_get(x->body, "initiators") != NULL) {
        const json_t *list = input_array(&in, "initiators", 1, HOST_INITIATOR_COUNT_MAX);
        initiators_read(x, list, initiators);
        change.initiators = initiators;
        change.initiator_count = json_array_size(list);
    }
    if (host_auth_read(&in, &auth))
        change.auth = &auth.auth.change;
    bool good = input_good(&in);
    if (good)
        host_change(x->web->lunmgr, x->params[0], &change, host_on_changed, x);
    auth_forget(&auth.auth); /* before the answer, which lets the body go */
    if (!good)
        reply_problem(x);
}

void api_host_delete(struct exchange *x)
{
    host_delete(x->web->lunmgr, x->params[0], reply_done, x);
}
