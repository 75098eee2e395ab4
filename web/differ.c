/* SPDX-License-Identifier: Apache-2.0 */
/* See differ.h. */
#include "web/differ.h"

#include "base/units.h"
#include "web/json_out.h"
#include "web/redact.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

/* A size may be said as text; it is told as bytes. */
static json_t *size_of(const json_t *value)
{
    uint64_t bytes;
    const char *text = json_string_value(value);
    if (text == NULL || !size_parse(text, &bytes))
        return json_incref((json_t *)(uintptr_t)value);
    return json_integer((json_int_t)bytes);
}

/* A reference may be said by name or by id, and the object tells both: pool, pool_id. */
static bool is_the_id(const json_t *shown, const char *member, const json_t *value)
{
    char id[64];
    snprintf(id, sizeof(id), "%s_id", member);
    return json_equal(json_object_get(shown, id), value);
}

static int add_difference(json_t *list, const char *member, const json_t *from,
                          json_t *to)
{
    char pointer[WEB_PROBLEM_POINTER_MAX];
    snprintf(pointer, sizeof(pointer), "/%s", member);
    return json_array_append_new(
        list, json_pack("{s:s, s:O?, s:o}", "pointer", pointer, "from", from, "to", to));
}

/* Some of a member's own members may be said: then only they can differ. */
static bool says_so(const json_t *now, const json_t *said)
{
    const char *key;
    json_t *value;
    if (!json_is_object(said) || !json_is_object(now))
        return json_equal(now, said);
    if (json_object_size(said) == 0)
        return json_object_size(now) == 0;
    json_object_foreach((json_t *)(uintptr_t)said, key, value)
    {
        if (!json_equal(json_object_get(now, key), value))
            return false;
    }
    return true;
}

static bool agrees(const struct web *web, const struct resource *resource,
                   const struct column *column, const void *object, const json_t *shown,
                   const char *member, const json_t *value)
{
    if (object == NULL)
        return false;
    if (resource->agrees != NULL) {
        enum agreement known = resource->agrees(web, object, member, value);
        if (known != AGREEMENT_UNKNOWN)
            return known == AGREEMENT_YES;
    }
    const json_t *now = json_object_get(shown, member);
    if (column != NULL && column->kind == COLUMN_LABELS)
        return json_equal(now, value);
    return says_so(now, value) || is_the_id(shown, member, value);
}

/* What says how to change, and is nothing of the object. */
static bool is_of_object(const struct resource *resource, const char *member)
{
    return resource_column(resource, member) != NULL ||
           (resource->untold != NULL && strcmp(member, resource->untold) == 0);
}

json_t *differences(const struct web *web, const struct resource *resource,
                    const void *object, const json_t *body)
{
    const char *member;
    json_t *value, *list = json_array();
    json_t *shown = object == NULL ? NULL : resource_json(web, resource, object);
    int rc = list == NULL || (object != NULL && shown == NULL) ? -1 : 0;
    json_object_foreach((json_t *)(uintptr_t)body, member, value)
    {
        const struct column *column = resource_column(resource, member);
        if (rc != 0 || !is_of_object(resource, member))
            continue;
        json_t *said = column != NULL && column->kind == COLUMN_BYTES
                           ? size_of(value)
                           : json_incref(value);
        if (!agrees(web, resource, column, object, shown, member, said))
            rc = add_difference(list, member, json_object_get(shown, member),
                                redacted(said));
        json_decref(said);
    }
    json_decref(shown);
    if (rc == 0)
        return list;
    json_decref(list);
    return NULL;
}

void dry_run_look(struct exchange *x)
{
    if (x->route->method == EVHTTP_REQ_PATCH)
        x->answer = differences(x->web, x->route->resource, exchange_object(x), x->body);
}

void reply_dry_run(struct exchange *x)
{
    const struct record *r = &x->passage.record;
    const struct resource *resource = x->route->resource;
    json_t *list = TAKE(x->answer);
    if (list == NULL && resource != NULL && x->body != NULL && x->route->status == 201)
        list = differences(x->web, resource, exchange_object(x), x->body);
    else if (list == NULL)
        list = json_array();
    reply_json(x, 200,
               json_pack("{s:b, s:s, s:s?, s:o}", "dry_run", true, "operation",
                         r->operation, "subject", text_or_null(r->subject), "differences",
                         list));
}
