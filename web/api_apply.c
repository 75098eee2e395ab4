/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/apply: a desired state as a document, answered with the differences; and PUT of
 * one resource by name: create or agree. Control thread. */
#include "web/api.h"
#include "web/apply.h"
#include "web/differ.h"
#include "web/resource.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

/* ---- Apply ------------------------------------------------------------------------- */

static void apply_reply(struct exchange *x)
{
    reply_json(x, 200, TAKE(x->answer));
}

/* Also with its client gone: what was begun is finished, and recorded. */
static void apply_on_run(struct exchange *x, struct apply *a)
{
    bool good = x->problem.kind == PROBLEM_NONE;
    if (good)
        x->answer = apply_json(a);
    apply_destroy(a);
    if (good && x->web != NULL && !x->query.dry_run)
        admit_record(x, apply_reply);
    else if (!exchange_is_live(x))
        return;
    else if (good)
        apply_reply(x);
    else
        reply_problem(x);
}

void api_apply(struct exchange *x)
{
    struct apply *a = apply_create(x);
    if (a == NULL)
        reply_problem(x);
    else
        apply_run(a, apply_on_run);
}

/* ---- PUT --------------------------------------------------------------------------- */

/* What the path says is said of the body too: the last parameter is the name, what stands
 * before it are references. */
static bool put_names(struct exchange *x, const char *const *members)
{
    for (size_t i = 0; members[i] != NULL; i++) {
        const json_t *said = json_object_get(x->body, members[i]);
        if (said != NULL && strcmp(json_string_value(said) == NULL ? "" : json_string_value(said),
                                   x->params[i]) != 0) {
            problem_set(&x->problem, PROBLEM_VALUE, "the path says another %s", members[i]);
            snprintf(x->problem.pointer, sizeof(x->problem.pointer), "/%s", members[i]);
            problem_accepts(&x->problem, "%s, or the member left out", x->params[i]);
            return false;
        }
        if (json_object_set_new(x->body, members[i], json_string(x->params[i])) != 0)
            return !problem_set(&x->problem, PROBLEM_STOPPING, "out of memory");
    }
    return true;
}

static void put_agree(struct exchange *x, const void *object)
{
    json_t *list = differences(x->web, x->route->resource, object, x->body);
    const char *pointer = json_string_value(json_object_get(json_array_get(list, 0), "pointer"));
    if (list == NULL) {
        reply_json(x, 200, NULL);
    } else if (pointer == NULL) {
        reply_resource(x, 200, x->route->resource, object);
    } else {
        problem_set(&x->problem, PROBLEM_DIFFERS, "it is there already, and another one");
        snprintf(x->problem.pointer, sizeof(x->problem.pointer), "%s", pointer);
        problem_accepts(&x->problem, "what it is now, or a PATCH");
        reply_problem(x);
    }
    json_decref(list);
}

void api_put(struct exchange *x)
{
    const struct resource *resource = x->route->resource;
    const void *object = exchange_object(x);
    const struct route *create = router_find(EVHTTP_REQ_POST, resource->collection);
    if (!put_names(x, resource->named_by))
        reply_problem(x);
    else if (object != NULL)
        put_agree(x, object);
    else
        create->handler(x);
}
