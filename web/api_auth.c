/* SPDX-License-Identifier: Apache-2.0 */
/* What the whole box asks of initiators: the credentials of discovery, and whether MD5 is
 * taken at all. Show and change. Control thread. */
#include "web/api.h"
#include "web/auth_in.h"
#include "web/resource.h"

const struct schema schema_auth_change = {"AuthChange", {"discovery", "forbid_md5"}};
static const struct schema schema_discovery_auth = {
    "DiscoveryAuth", {"method", "user", "secret", "mutual_user", "mutual_secret"}};

static json_t *discovery_json(const struct web *web, const void *auth)
{
    (void)web;
    return auth_json(auth);
}

#define AUTH(member) COLUMN_AT(struct auth, member)

static const struct column columns[] = {
    {"discovery", COLUMN_JSON, .render = discovery_json, .settable = true},
    {"revision", COLUMN_JSON, .render = auth_revision_json, .settable = true,
     .hidden = true},
    {"forbid_md5", COLUMN_BOOL, AUTH(forbid_md5), .settable = true},
    {.name = NULL},
};

/* The one that there is, whatever the name. */
static void *auth_of_name(const struct web *web, const char *name)
{
    (void)name;
    return (void *)(uintptr_t)auth_box(web->lunmgr);
}

static enum agreement box_agrees(const struct web *web, const void *auth,
                                 const char *member, const json_t *value)
{
    (void)web;
    return strcmp(member, "discovery") == 0 ? auth_agrees(auth, value)
                                            : AGREEMENT_UNKNOWN;
}

const struct resource resource_auth = {
    .agrees = box_agrees,
    .kind = "auth",
    .collection = "/v1/auth",
    .info_bytes = sizeof(struct auth),
    .columns = columns,
    .find = auth_of_name,
    .is_single = true,
};

static void auth_on_changed(void *arg, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_auth, auth_box(x->web->lunmgr));
}

void api_auth_change(struct exchange *x)
{
    struct input in;
    struct auth_in auth;
    input_begin(&in, x->body, "", &schema_auth_change, &x->problem);
    auth_read(&in, "discovery", &schema_discovery_auth, &auth);
    auth.change.forbid_md5 = input_flag(&in, "forbid_md5", &auth.forbid_md5);
    bool good = input_good(&in);
    if (good)
        auth_box_change(x->web->lunmgr, &auth.change, auth_on_changed, x);
    auth_forget(&auth); /* before the answer, which lets the body go */
    if (!good)
        reply_problem(x);
}
