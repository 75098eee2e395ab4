/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: a hypervisor host's initiator names and credentials. Create, show, list, change,
 * delete. Control thread. */
#include "lunmgr/host.h"
#include "lunmgr/profile.h"
#include "web/api.h"
#include "web/auth_in.h"
#include "web/held.h"
#include "web/json_out.h"
#include "web/qos.h"
#include "web/resource.h"

#include <stdio.h>
#include <string.h>

const struct schema schema_host_create = {
    "HostCreate", {"name", "initiators", "addresses", "auth", "profile", "qos"}};
const struct schema schema_host_put = {
    "HostPut", {"initiators", "addresses", "auth", "profile", "qos"}};
const struct schema schema_host_change = {
    "HostChange", {"name", "initiators", "addresses", "auth", "profile", "qos"}};
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

static json_t *initiators_json(const struct web *web, const void *host)
{
    const struct host_info *info = host;
    (void)web;
    return strings_json(info->initiators, info->initiator_count);
}

static json_t *warnings_json(const struct web *web, const void *host)
{
    const struct host_info *info = host;
    static const char *const open_warning[] = {
        "the initiator name \"any\" lets every initiator that reaches a portal see this "
        "host's volumes: for closed networks only"};
    (void)web;
    bool is_open =
        info->initiator_count == 1 && strcmp(info->initiators[0], open_mode) == 0;
    return strings_json(open_warning, is_open ? ARRAY_LEN(open_warning) : 0);
}

static json_t *host_auth_json(const struct web *web, const void *host)
{
    const struct auth *auth = ((const struct host_info *)host)->auth;
    (void)web;
    json_t *out = auth_json(auth);
    if (out != NULL &&
        json_object_set_new(out, "forbid_md5", json_boolean(auth->forbid_md5)) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *revision_json(const struct web *web, const void *host)
{
    return auth_revision_json(web, ((const struct host_info *)host)->auth);
}

static json_t *addresses_json(const struct web *web, const void *host)
{
    const struct cidr_list *list = &((const struct host_info *)host)->auth->addresses;
    char texts[CIDR_LIST_MAX][CIDR_TEXT_MAX];
    const char *strings[CIDR_LIST_MAX];
    (void)web;
    for (size_t i = 0; i < list->count; i++) {
        cidr_format(&list->ranges[i], texts[i]);
        strings[i] = texts[i];
    }
    return strings_json(strings, list->count);
}

static json_t *login_json(const struct web *web, const void *host)
{
    char when[TIME_TEXT_MAX];
    const struct target_seen *seen =
        held_logins(web, ((const struct host_info *)host)->name).accepted;
    if (seen == NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:s}", "time", time_text(when, seen->accepted_s),
                     "initiator", json_of_foreign_text(seen->initiator), "address",
                     seen->address);
}

static json_t *refusal_json(const struct web *web, const void *host)
{
    char when[TIME_TEXT_MAX];
    const struct target_seen *seen =
        held_logins(web, ((const struct host_info *)host)->name).refused;
    if (seen == NULL)
        return json_null();
    return json_pack("{s:s, s:o, s:s, s:s}", "time", time_text(when, seen->refused_s),
                     "initiator", json_of_foreign_text(seen->initiator), "address",
                     seen->address, "reason", seen->reason);
}

static const char *profile_text(const void *host)
{
    return ((const struct host_info *)host)->profile;
}

static json_t *host_qos_json(const struct web *web, const void *host)
{
    (void)web;
    return qos_json(&((const struct host_info *)host)->qos);
}

static json_t *host_throttled_json(const struct web *web, const void *host)
{
    struct target_throttled throttled = {0};
    const struct host_info *info = host;
    if (qos_is_limited(&info->qos))
        (void)target_host_throttled(web->target, info->id, &throttled);
    return throttled_json(&throttled);
}

#define HOST(member) COLUMN_AT(struct host_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, HOST(id)},
    {"name", COLUMN_TEXT, HOST(name), .settable = true},
    {"created", COLUMN_TIME, HOST(created_s)},
    {"initiators", COLUMN_JSON, .render = initiators_json, .settable = true},
    {"addresses", COLUMN_JSON, .render = addresses_json, .settable = true},
    {"auth", COLUMN_JSON, .render = host_auth_json, .settable = true},
    {"profile", COLUMN_TEXT, .text = profile_text, .settable = true},
    {"qos", COLUMN_JSON, .render = host_qos_json, .settable = true},
    {"throttled", COLUMN_JSON, .render = host_throttled_json},
    {"revision", COLUMN_JSON, .render = revision_json, .settable = true, .hidden = true},
    {"mapping_count", COLUMN_UINT, HOST(mapping_count)},
    {"last_login", COLUMN_JSON, .render = login_json},
    {"last_refusal", COLUMN_JSON, .render = refusal_json},
    {"warnings", COLUMN_JSON, .render = warnings_json},
    {.name = NULL},
};

static void *host_of_name(const struct web *web, const char *name)
{
    return host_find(web->lunmgr, name);
}

static void *host_of_walk(const struct web *web, struct row_walk *walk)
{
    return host_walk(web->lunmgr, walk);
}

static void host_info(const struct web *web, const void *host, void *info)
{
    (void)web;
    host_describe(host, info);
}

static void host_key(const void *host, const void *info, char key[WEB_AFTER_MAX])
{
    (void)host;
    text_key(key, ((const struct host_info *)info)->name);
}

static enum agreement host_agrees(const struct web *web, const void *host,
                                  const char *member, const json_t *value)
{
    struct host_info info;
    (void)web;
    host_describe(host, &info);
    if (strcmp(member, "qos") == 0)
        return qos_agrees(&info.qos, value);
    return strcmp(member, "auth") == 0 ? auth_agrees(info.auth, value)
                                       : AGREEMENT_UNKNOWN;
}

const struct resource resource_host = {
    .agrees = host_agrees,
    .kind = "host",
    .collection = "/v1/hosts",
    .info_bytes = sizeof(struct host_info),
    .columns = columns,
    .find = host_of_name,
    .next = host_of_walk,
    .describe = host_info,
    .key = host_key,
};

/* ---- Create ------------------------------------------------------------------------ */

static void host_on_created(void *arg, struct host *host, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_host, host);
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

/* NULL: the request has none. */
static const char *profile_read(struct input *in)
{
    struct err why;
    char names[PROFILE_LIST_MAX];
    const char *name = input_string(in, "profile", INPUT_OPTIONAL, PROFILE_NAME_MAX - 1);
    profile_list(names);
    if (name != NULL && (name[0] == '\0' || profile_find(name, &why) == NULL))
        input_refuse(in, "profile", names, "there is no such profile");
    return name;
}

void api_host_create(struct exchange *x)
{
    struct input in;
    struct host_auth_in auth;
    const char *initiators[HOST_INITIATOR_COUNT_MAX];
    struct qos_change qos;
    struct host_spec spec = {.initiators = initiators};
    input_begin(&in, x->body, "", &schema_host_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    const json_t *list = input_array(&in, "initiators", 1, HOST_INITIATOR_COUNT_MAX);
    initiators_read(x, list, initiators);
    spec.initiator_count = json_array_size(list);
    spec.profile = profile_read(&in);
    spec.qos = qos_read(&in, &qos);
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
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_host, host);
}

void api_host_change(struct exchange *x)
{
    struct input in;
    struct host_auth_in auth;
    const char *initiators[HOST_INITIATOR_COUNT_MAX];
    struct qos_change qos;
    struct host_change change = {.name = NULL};
    input_begin(&in, x->body, "", &schema_host_change, &x->problem);
    change.name = input_name(&in, "name", INPUT_OPTIONAL);
    if (json_object_get(x->body, "initiators") != NULL) {
        const json_t *list = input_array(&in, "initiators", 1, HOST_INITIATOR_COUNT_MAX);
        initiators_read(x, list, initiators);
        change.initiators = initiators;
        change.initiator_count = json_array_size(list);
    }
    change.profile = profile_read(&in);
    change.qos = qos_read(&in, &qos);
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
