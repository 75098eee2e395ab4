/* SPDX-License-Identifier: Apache-2.0 */
/* Portal groups: how units are accessed through each, which their hosts follow. The
 * configuration makes them; here they are listed, shown and changed. Control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/resource.h"

#include <stdlib.h>
#include <string.h>

#define STATE_NAME_MAX 32
#define STATES         "active/optimized, active/non-optimized, standby or unavailable"

const struct schema schema_portal_group_change = {"PortalGroupChange",
                                                  {"state", "preferred", "force"}};

static const char *state_text(const void *info)
{
    return alua_state_name(((const struct target_group_info *)info)->access.state);
}

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count && out != NULL; i++) {
        if (json_array_append_new(out, json_string(texts[i])) == 0)
            continue;
        json_decref(out);
        out = NULL;
    }
    return out;
}

static json_t *portals_json(const struct web *web, const void *info)
{
    const struct target_group_info *group = info;
    (void)web;
    return texts_json(group->portals, group->portal_count);
}

static json_t *advertised_json(const struct web *web, const void *info)
{
    const struct target_group_info *group = info;
    (void)web;
    return texts_json(group->advertised, group->advertised_count);
}

#define GROUP(member) COLUMN_AT(struct target_group_info, member)

static const struct column columns[] = {
    {"id", COLUMN_ID, GROUP(tag)},
    {"tag", COLUMN_UINT, GROUP(tag)},
    {"state", COLUMN_TEXT, .text = state_text, .settable = true},
    {"preferred", COLUMN_BOOL, GROUP(access.preferred), .settable = true},
    {"transitioning", COLUMN_BOOL, GROUP(transitioning)},
    {"portals", COLUMN_JSON, .render = portals_json},
    {"advertised", COLUMN_JSON, .render = advertised_json},
    {"sessions", COLUMN_UINT, GROUP(sessions)},
    {.name = NULL},
};

/* A group is its tag: what target tells of it is a copy. */
static void *group_of(uint16_t tag)
{
    return (void *)(uintptr_t)tag;
}

static uint16_t tag_of(const void *group)
{
    return (uint16_t)(uintptr_t)group;
}

static void *group_find(const struct web *web, const char *name)
{
    uint64_t tag;
    struct target_group_info info;
    bool found = path_number(name, &tag) && tag > 0 && tag <= UINT16_MAX &&
                 target_group_next(web->target, (uint16_t)(tag - 1), &info) &&
                 info.tag == tag;
    return found ? group_of(info.tag) : NULL;
}

static void *group_next(const struct web *web, struct row_walk *walk)
{
    struct target_group_info info;
    uint64_t after = strtoull(walk->after, NULL, 10);
    return after < UINT16_MAX && target_group_next(web->target, (uint16_t)after, &info)
               ? group_of(info.tag)
               : NULL;
}

static void group_describe(const struct web *web, const void *group, void *info)
{
    (void)target_group_next(web->target, (uint16_t)(tag_of(group) - 1), info);
}

static void group_key(const void *group, const void *info, char key[WEB_AFTER_MAX])
{
    (void)info;
    number_key(key, tag_of(group));
}

const struct resource resource_portal_group = {
    .kind = "portal group",
    .collection = "/v1/portal-groups",
    .info_bytes = sizeof(struct target_group_info),
    .columns = columns,
    .find = group_find,
    .next = group_next,
    .describe = group_describe,
    .key = group_key,
    .key_is_id = true,
};

/* ---- A change ---------------------------------------------------------------------- */

static void group_on_changed(void *arg, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 200, &resource_portal_group, group_find(x->web, x->params[0]));
}

static void group_change(struct exchange *x, const struct target_group_change *change)
{
    struct err e = {0};
    const void *group = group_find(x->web, x->params[0]);
    if (group == NULL)
        reply_not_found(x, resource_portal_group.kind, x->params[0]);
    else if (target_group_change(x->web->target, tag_of(group), change, group_on_changed,
                                 x, &e) != 0)
        reply_err(x, &e);
}

/* NULL: it is not said, or is none, which the input then knows. */
static const enum alua_state *input_state(struct input *in, enum alua_state *room)
{
    const char *text = input_string(in, "state", INPUT_OPTIONAL, STATE_NAME_MAX);
    if (text == NULL)
        return NULL;
    if (!alua_state_of_name(text, room))
        input_refuse(in, "state", STATES, "no such state");
    return room;
}

void api_portal_group_change(struct exchange *x)
{
    struct input in;
    enum alua_state state;
    bool preferred;
    input_begin(&in, x->body, "", &schema_portal_group_change, &x->problem);
    struct target_group_change change = {
        .state = input_state(&in, &state),
        .preferred = input_flag(&in, "preferred", &preferred),
        .force = input_bool(&in, "force", false),
    };
    if (input_good(&in))
        group_change(x, &change);
    else
        reply_problem(x);
}
