/* SPDX-License-Identifier: Apache-2.0 */
/* See apply.h. */
#include "web/apply.h"

#include "web/api.h"
#include "web/differ.h"
#include "web/json_in.h"
#include "web/resource.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

enum action { ACTION_CREATE, ACTION_CHANGE, ACTION_DELETE };

/* What of a document is one step. */
struct step {
    const struct kind *kind;
    enum action action;
    size_t index; /* in its list of the document */
    char key[WEB_KEY_MAX];
    json_t *body;        /* of the request; NULL: none */
    json_t *differences; /* of what there is */
};

struct apply {
    struct exchange *x; /* the whole; its client may be gone: go on all the same */
    struct web *web;
    struct step *steps;
    size_t count, at, unchanged;
    bool is_trying; /* the first time through: every step as a dry run */
    struct problem problem;
    void (*done)(struct exchange *x, struct apply *a);
};

/* What a document may name, in the order in which one needs the other. */
static const struct kind {
    const char *member;
    const struct resource *resource;
    const char *identity[3]; /* the members that name one, as its path does */
    const char *references[3];
} kinds[] = {
    {"pools", &resource_pool, {"name"}, {NULL}},
    {"hosts", &resource_host, {"name"}, {NULL}},
    {"volumes", &resource_volume, {"name"}, {"pool", NULL}},
    {"mappings", &resource_mapping, {"volume", "host"}, {"volume", "host", NULL}},
};

const struct schema schema_apply = {"Apply", {"pools", "hosts", "volumes", "mappings"}};

/* ---- Reading ----------------------------------------------------------------------- */

static bool item_refuse(struct apply *a, const struct kind *kind, size_t index,
                        const char *member, const char *accepted, const char *text)
{
    struct problem *p = &a->problem;
    if (problem_set(p, PROBLEM_VALUE, "%s", text)) {
        snprintf(p->pointer, sizeof(p->pointer), "/%s/%zu%s%s", kind->member, index,
                 member == NULL ? "" : "/", member == NULL ? "" : member);
        problem_accepts(p, "%s", accepted);
    }
    return false;
}

/* "A" or "A/B", as the path has it. */
static bool item_key(struct apply *a, const struct kind *kind, size_t index,
                     const json_t *item, char key[WEB_KEY_MAX])
{
    size_t at = 0;
    for (size_t i = 0; kind->identity[i] != NULL; i++) {
        const char *text = json_string_value(json_object_get(item, kind->identity[i]));
        if (text == NULL || !name_is_valid(text))
            return item_refuse(a, kind, index, kind->identity[i],
                               "1 to 63 of A-Z a-z 0-9 . _ - beginning with a letter or "
                               "digit",
                               "it is not named");
        at += (size_t)snprintf(key + at, WEB_KEY_MAX - at, "%s%s", at == 0 ? "" : "/",
                               text);
    }
    return true;
}

static bool is_identity(const struct kind *kind, const char *member)
{
    for (size_t i = 0; kind->identity[i] != NULL; i++) {
        if (strcmp(kind->identity[i], member) == 0)
            return true;
    }
    return false;
}

/* item without what names it. */
static json_t *item_rest(const struct kind *kind, const json_t *item)
{
    const char *member;
    json_t *value, *rest = json_object();
    json_object_foreach((json_t *)(uintptr_t)item, member, value)
    {
        if (rest != NULL && !is_identity(kind, member) && strcmp(member, "absent") != 0 &&
            json_object_set(rest, member, value) != 0) {
            json_decref(rest);
            rest = NULL;
        }
    }
    return rest;
}

static bool step_add(struct apply *a, struct step step)
{
    if (step.differences == NULL && step.action != ACTION_DELETE) {
        json_decref(step.body);
        problem_set(&a->problem, PROBLEM_STOPPING, "out of memory");
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->steps[i].kind == step.kind && strcmp(a->steps[i].key, step.key) == 0) {
            json_decref(step.body);
            json_decref(step.differences);
            return item_refuse(a, step.kind, step.index, NULL, "each once",
                               "the document names it twice");
        }
    }
    a->steps[a->count++] = step;
    return true;
}

/* What the PATCH of this kind takes. NULL: nothing of it can be changed. */
static const struct route *change_route(const struct kind *kind)
{
    char path[WEB_PATTERN_MAX];
    snprintf(path, sizeof(path), "%s/x", kind->resource->collection);
    return router_find(EVHTTP_REQ_PATCH, path);
}

/* Only what differs is sent, and only if it can be changed. */
static bool item_change(struct apply *a, const struct kind *kind, struct step step,
                        const json_t *item)
{
    size_t i;
    json_t *difference;
    const struct route *change = change_route(kind);
    step.body = json_object();
    json_array_foreach(step.differences, i, difference)
    {
        const char *member =
            json_string_value(json_object_get(difference, "pointer")) + 1;
        if (change == NULL || !schema_has_field(change->schema, member)) {
            item_refuse(a, kind, step.index, member, "what it is now",
                        "it is there with another value, which cannot be changed");
            json_decref(step.body);
            json_decref(step.differences);
            return false;
        }
        json_object_set(step.body, member, json_object_get(item, member));
    }
    return step_add(a, step);
}

static bool item_plan(struct apply *a, const struct kind *kind, size_t index,
                      json_t *item)
{
    struct step step = {.kind = kind, .index = index};
    const json_t *absent = json_object_get(item, "absent");
    if (!json_is_object(item))
        return item_refuse(a, kind, index, NULL, "an object", "not an object");
    if (absent != NULL && !json_is_boolean(absent))
        return item_refuse(a, kind, index, "absent", "true or false", "not a boolean");
    if (!item_key(a, kind, index, item, step.key))
        return false;
    const void *object = kind->resource->find(a->web, step.key);
    if (json_is_true(absent)) {
        step.action = ACTION_DELETE;
        a->unchanged += object == NULL;
        return object == NULL || step_add(a, step);
    }
    json_t *rest = item_rest(kind, item);
    step.action = object == NULL ? ACTION_CREATE : ACTION_CHANGE;
    step.differences = rest == NULL ? NULL
                                    : differences(a->web, kind->resource, object,
                                                  object == NULL ? item : rest);
    json_decref(rest);
    if (object == NULL) {
        step.body = json_incref(item);
        json_object_del(step.body, "absent");
        return step_add(a, step);
    }
    if (step.differences != NULL && json_array_size(step.differences) == 0) {
        json_decref(step.differences);
        a->unchanged++;
        return true;
    }
    return step.differences == NULL ? step_add(a, step)
                                    : item_change(a, kind, step, item);
}

static bool list_read(struct apply *a, const struct kind *kind)
{
    size_t i;
    json_t *item, *list = json_object_get(a->x->body, kind->member);
    if (list == NULL)
        return true;
    if (!json_is_array(list)) {
        if (problem_set(&a->problem, PROBLEM_VALUE, "not an array"))
            snprintf(a->problem.pointer, sizeof(a->problem.pointer), "/%s", kind->member);
        return false;
    }
    json_array_foreach(list, i, item)
    {
        if (!item_plan(a, kind, i, item))
            return false;
    }
    return true;
}

/* What is to go first, and of that what needs the others first. */
static int step_order(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    bool x_goes = x->action == ACTION_DELETE, y_goes = y->action == ACTION_DELETE;
    if (x_goes != y_goes)
        return x_goes ? -1 : 1;
    if (x->kind != y->kind)
        return (x->kind < y->kind) == x_goes ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static size_t item_count(const json_t *body)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        count += json_array_size(json_object_get(body, kinds[i].member));
    return count;
}

static bool apply_read(struct apply *a)
{
    struct input in;
    input_begin(&in, a->x->body, "", &schema_apply, &a->problem);
    if (!input_good(&in))
        return false;
    size_t count = item_count(a->x->body);
    if (count > APPLY_STEPS_MAX) {
        problem_set(&a->problem, PROBLEM_VALUE, "the document names too much");
        problem_accepts(&a->problem, "at most %d resources", APPLY_STEPS_MAX);
        return false;
    }
    a->steps = calloc(count + 1, sizeof(*a->steps));
    if (a->steps == NULL)
        return !problem_set(&a->problem, PROBLEM_STOPPING, "out of memory");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!list_read(a, &kinds[i]))
            return false;
    }
    qsort(a->steps, a->count, sizeof(*a->steps), step_order);
    return true;
}

struct apply *apply_create(struct exchange *x)
{
    struct apply *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        problem_set(&x->problem, PROBLEM_STOPPING, "out of memory");
        return NULL;
    }
    a->x = x;
    a->web = x->web;
    if (apply_read(a))
        return a;
    x->problem = a->problem;
    apply_destroy(a);
    return NULL;
}

void apply_destroy(struct apply *a)
{
    for (size_t i = 0; i < a->count; i++) {
        json_decref(a->steps[i].body);
        json_decref(a->steps[i].differences);
    }
    free(a->steps);
    free(a);
}

/* ---- Running ----------------------------------------------------------------------- */

static void apply_go_on(struct apply *a);

/* Whether an earlier step makes what name names. */
static bool is_pending(const struct apply *a, const char *member, const char *name)
{
    for (size_t i = 0; i < a->at; i++) {
        const struct step *s = &a->steps[i];
        if (s->action == ACTION_CREATE && strcmp(s->kind->resource->kind, member) == 0 &&
            strcmp(s->key, name) == 0)
            return true;
    }
    return false;
}

/* A try cannot know what the steps before it would have made. lunmgr looks for that last,
 * so that everything else of the request was found good. */
static bool waits_for_earlier(const struct apply *a, const struct step *s,
                              const json_t *problem)
{
    const char *pointer = json_string_value(json_object_get(problem, "pointer"));
    for (size_t i = 0; pointer != NULL && s->kind->references[i] != NULL; i++) {
        const char *member = s->kind->references[i];
        const char *name = json_string_value(json_object_get(s->body, member));
        if (strcmp(pointer + 1, member) == 0 && name != NULL &&
            is_pending(a, member, name))
            return true;
    }
    return false;
}

/* How many mappings of what s names the steps before it delete. */
static uint64_t mappings_freed(const struct apply *a, const struct step *s)
{
    uint64_t freed = 0;
    bool is_host = s->kind->resource == &resource_host;
    size_t length = strlen(s->key);
    for (size_t i = 0; i < a->at; i++) {
        const char *key = a->steps[i].key, *slash = strchr(key, '/');
        if (a->steps[i].action != ACTION_DELETE || slash == NULL)
            continue;
        const char *side = is_host ? slash + 1 : key;
        freed += strncmp(side, s->key, length) == 0 &&
                 (side[length] == '/' || side[length] == '\0');
    }
    return freed;
}

/* Nor can it know that what is still mapped will not be by then. */
static bool is_freed_by_earlier(const struct apply *a, const struct step *s,
                                const json_t *problem)
{
    union resource_room room;
    struct problem why = {.kind = PROBLEM_NONE};
    problem_of_json(&why, problem);
    if (s->action != ACTION_DELETE || why.kind != PROBLEM_IN_USE)
        return false;
    const struct resource *r = s->kind->resource;
    const struct column *count = resource_column(r, "mapping_count");
    const void *object = r->find(a->web, s->key);
    if (count == NULL || object == NULL)
        return false;
    uint64_t mapped = member_number(count, resource_info(a->web, r, object, &room));
    return mapped > 0 && mapped == mappings_freed(a, s);
}

/* What stopped a step, told of the whole document. */
static void apply_refuse(struct apply *a, const struct step *s, const json_t *body)
{
    struct problem *p = &a->problem, why = {.kind = PROBLEM_NONE};
    problem_of_json(&why, body);
    if (a->is_trying)
        problem_set(p, why.kind, "%s", why.detail);
    else
        problem_set(p, why.kind,
                    "%zu of %zu changes were made, then: %.600s; apply again to go on",
                    a->at, a->count, why.detail);
    snprintf(p->pointer, sizeof(p->pointer), "/%s/%zu%.100s", s->kind->member, s->index,
             why.pointer);
    problem_accepts(p, "%s", why.accepted);
}

static void apply_end(struct apply *a)
{
    a->x->problem = a->problem;
    a->done(a->x, a);
}

static bool may_be_right_by_then(const struct apply *a, const struct step *s,
                                 const json_t *problem)
{
    return a->is_trying &&
           (waits_for_earlier(a, s, problem) || is_freed_by_earlier(a, s, problem));
}

static void apply_on_step(void *arg, int status, json_t *body)
{
    struct apply *a = arg;
    struct step *s = &a->steps[a->at];
    if (a->x->web == NULL) /* it has stopped: there is nothing to look at any more */
        problem_set(&a->problem, PROBLEM_STOPPING, "the daemon stops");
    else if (status >= 300 && !may_be_right_by_then(a, s, body))
        apply_refuse(a, s, body);
    json_decref(body);
    a->at++;
    apply_go_on(a);
}

static void step_run(struct apply *a, const struct step *s)
{
    static const enum evhttp_cmd_type methods[] = {
        [ACTION_CREATE] = EVHTTP_REQ_POST,
        [ACTION_CHANGE] = EVHTTP_REQ_PATCH,
        [ACTION_DELETE] = EVHTTP_REQ_DELETE,
    };
    char path[WEB_PATTERN_MAX + WEB_KEY_MAX];
    bool on_collection = s->action == ACTION_CREATE;
    snprintf(path, sizeof(path), "%s%s%s", s->kind->resource->collection,
             on_collection ? "" : "/", on_collection ? "" : s->key);
    struct part part = {
        .method = methods[s->action],
        .path = path,
        .body = s->body,
        .dry_run = a->is_trying,
        .answered = apply_on_step,
        .arg = a,
    };
    router_part(a->x, &part);
}

/* All at a time is tried, one after the other is done. */
static void apply_go_on(struct apply *a)
{
    if (a->problem.kind == PROBLEM_NONE && a->at == a->count && a->is_trying &&
        !a->x->query.dry_run) {
        a->is_trying = false;
        a->at = 0;
    }
    if (a->problem.kind != PROBLEM_NONE || a->at == a->count)
        apply_end(a);
    else
        step_run(a, &a->steps[a->at]);
}

void apply_run(struct apply *a, void (*done)(struct exchange *x, struct apply *a))
{
    a->done = done;
    a->is_trying = true;
    apply_go_on(a);
}

/* ---- Telling ----------------------------------------------------------------------- */

static json_t *step_json(const struct step *s)
{
    static const char *const actions[] = {
        [ACTION_CREATE] = "create",
        [ACTION_CHANGE] = "change",
        [ACTION_DELETE] = "delete",
    };
    return json_pack("{s:s, s:s, s:s, s:o}", "kind", s->kind->resource->kind, "name",
                     s->key, "action", actions[s->action], "differences",
                     s->differences == NULL ? json_array() : json_incref(s->differences));
}

json_t *apply_json(const struct apply *a)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < a->count; i++) {
        if (json_array_append_new(list, step_json(&a->steps[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:b, s:o, s:I}", "dry_run", a->x->query.dry_run, "changes", list,
                     "unchanged", (json_int_t)a->unchanged);
}
