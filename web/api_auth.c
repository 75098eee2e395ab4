/* SPDX-License-Identifier: Apache-2.0 */
/* What the whole box asks of initiators: the credentials of discovery, and whether MD5 is
 * taken at all. Show and change. Control thread. */
#include "web/api.h"
#include "web/auth_in.h"

const struct schema schema_auth_change = {"AuthChange", {"discovery", "forbid_md5"}};
static const struct schema schema_discovery_auth = {
    "DiscoveryAuth", {"method", "user", "secret", "mutual_user", "mutual_secret"}};

static json_t *box_auth_json(const struct lunmgr *m)
{
    const struct auth *auth = auth_box(m);
    return json_pack("{s:o, s:b}", "discovery", auth_json(auth), "forbid_md5",
                     auth->forbid_md5);
}

void api_auth_show(struct exchange *x)
{
    reply_json(x, 200, box_auth_json(x->web->lunmgr));
}

static void auth_on_changed(void *arg, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_json(x, 200, box_auth_json(x->web->lunmgr));
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
