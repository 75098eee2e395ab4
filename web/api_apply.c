/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/apply: a desired state as a document, answered with the differences; and PUT
 * of one resource by name: create or agree. Control thread. */
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
    lunmgr_record_drop(x->web->lunmgr); /* each step has its own */
    if (a == NULL)
        reply_problem(x);
    else
        apply_run(a, apply_on_run);
}

/* ---- PUT --------------------------------------------------------------------------- */

/* Puts what the path says into the body: its parameters, the last of which is the name if
 * such a thing has one. */
static bool put_names(struct exchange *x, const struct schema *create)
{
    int rc = 0;
    char room[WEB_PATTERN_MAX];
    snprintf(room, sizeof(room), "%s", x->route->path);
    char *at = strchr(room, '{');
    for (size_t i = 0; rc == 0 && at != NULL; i++) {
        const char *member = at + 1;
        at = strchr(member, '}');
        *at = '\0';
        at = strchr(at + 1, '{');
        if (at == NULL && schema_has_field(create, "name"))
            member = "name";
        rc = json_object_set_new(x->body, member, json_string(x->params[i]));
    }
    return rc == 0 || !problem_set(&x->problem, PROBLEM_STOPPING, "out of memory");
}

static void put_agree(struct exchange *x, const void *object)
{
    json_t *list = differences(x->web, x->route->resource, object, x->body);
    const char *pointer =
        json_string_value(json_object_get(json_array_get(list, 0), "pointer"));
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

/* What a creation would refuse is refused of what is there as well; that it is there is
 * what it finds otherwise. */
static void put_on_tried(void *arg, int status, json_t *body)
{
    struct exchange *x = arg;
    bool refused = status == 400 || status == 422;
    if (!exchange_is_live(x)) {
        json_decref(body);
        return;
    }
    const void *object = exchange_object(x);
    if (refused)
        problem_of_json(&x->problem, body);
    json_decref(body);
    if (refused)
        reply_problem(x);
    else if (object == NULL)
        reply_not_found(x, x->route->resource->kind, x->passage.record.subject);
    else
        put_agree(x, object);
}

static void put_try(struct exchange *x)
{
    const struct part part = {
        .method = EVHTTP_REQ_POST,
        .path = x->route->resource->collection,
        .body = x->body,
        .dry_run = true,
        .answered = put_on_tried,
        .arg = x,
    };
    lunmgr_record_drop(x->web->lunmgr); /* nothing is changed */
    router_part(x, &part);
}

void api_put(struct exchange *x)
{
    struct input in;
    const struct route *create =
        router_find(EVHTTP_REQ_POST, x->route->resource->collection);
    input_begin(&in, x->body, "", x->route->schema, &x->problem);
    if (!input_good(&in) || !put_names(x, create->schema))
        reply_problem(x);
    else if (exchange_object(x) != NULL)
        put_try(x);
    else
        create->handler(x);
}
