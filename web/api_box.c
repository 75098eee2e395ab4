/* SPDX-License-Identifier: Apache-2.0 */
/* The box itself: who it is, how it fares, and the document that describes the API.
 * Control thread. */
#include "lunmgr/lunmgr.h"
#include "web/api.h"
#include "web/openapi.h"
#include "web/portals.h"

static json_t *portals_json(const struct target *target)
{
    struct portals portals;
    json_t *out = json_array();
    portals_list(target, &portals);
    for (size_t i = 0; out != NULL && i < portals.count; i++) {
        if (json_array_append_new(out, json_string(portals.address[i])) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

void api_box_show(struct exchange *x)
{
    const struct web *web = x->web;
    struct lunmgr_mirror_info mirror;
    lunmgr_mirror(web->lunmgr, &mirror);
    reply_json(x, 200,
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "id",
                         lunmgr_box_id(web->lunmgr), "version", ASHLAR_VERSION, "engine",
                         web->engine, "catalog_mirror", mirror.state, "target",
                         target_name(web->target), "portals", portals_json(web->target)));
}

void api_openapi_show(struct exchange *x)
{
    reply_text(x, "application/json", openapi_json, openapi_json_bytes);
}

/* It answers: that is all it says. */
void api_health_show(struct exchange *x)
{
    reply_json(x, 200, json_pack("{s:s}", "status", "alive"));
}

void api_ready_show(struct exchange *x)
{
    if (x->web->draining) {
        problem_set(&x->problem, PROBLEM_STOPPING, "the daemon is stopping");
        reply_problem(x);
        return;
    }
    reply_json(x, 200, json_pack("{s:s}", "status", "ready"));
}
