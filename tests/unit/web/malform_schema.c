/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are JSON objects but not what their schema says: the first example of the
 * operation with one member wrong, at every place that the schema knows. What is wrong is
 * chosen by the document's own judge among values that are wrong somewhere. */
#include "malform_priv.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTER_MAX 512
#define REFUSED     "/problems/value-refused"

/* A place in the example, and the schema of what may be there. */
struct place {
    struct malform *m;
    const json_t *example;     /* with something at the place, if it is inside of one */
    const json_t *schema;      /* resolved */
    char pointer[POINTER_MAX]; /* "": the body itself */
};

/* ---- The example, changed ---------------------------------------------------------- */

/* The value that the pointer's last step but one leads to; *last is that step. Steps are
 * names of members as they stand, or indices. */
static json_t *parent_of(json_t *root, const char *pointer, char last[POINTER_MAX])
{
    json_t *at = root;
    for (;;) {
        size_t length = strcspn(++pointer, "/");
        snprintf(last, POINTER_MAX, "%.*s", (int)length, pointer);
        pointer += length;
        if (*pointer == '\0')
            return at;
        at = json_is_array(at) ? json_array_get(at, strtoul(last, NULL, 10))
                               : json_object_get(at, last);
    }
}

/* A copy with value (taken) in the place of what is at pointer; NULL: without it. */
static json_t *with(const json_t *root, const char *pointer, json_t *value)
{
    char last[POINTER_MAX];
    if (pointer[0] == '\0')
        return value;
    json_t *copy = json_deep_copy(root);
    json_t *parent = parent_of(copy, pointer, last);
    if (value == NULL)
        json_object_del(parent, last);
    else if (!json_is_array(parent))
        json_object_set_new(parent, last, value);
    else if (strtoul(last, NULL, 10) < json_array_size(parent))
        json_array_set_new(parent, strtoul(last, NULL, 10), value);
    else
        json_array_append_new(parent, value);
    return copy;
}

static const json_t *at(const json_t *root, const char *pointer)
{
    char last[POINTER_MAX];
    if (pointer[0] == '\0')
        return root;
    const json_t *parent = parent_of((json_t *)(uintptr_t)root, pointer, last);
    return json_is_array(parent) ? json_array_get(parent, strtoul(last, NULL, 10))
                                 : json_object_get(parent, last);
}

/* Takes body. */
static void try_body(const struct place *p, const char *what, json_t *body,
                     const char *type, const char *pointer, bool within)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    assert(text != NULL);
    malform_try(p->m, &(struct bad){.what = what,
                                    .body = text,
                                    .body_bytes = strlen(text),
                                    .status = 422,
                                    .type = type,
                                    .pointer = pointer,
                                    .within = within});
    free(text);
}

/* Sends the example with the value (taken) at the place, if the schema refuses it. */
static void try_value(const struct place *p, json_t *value)
{
    char why[WHY_MAX], what[POINTER_MAX + 128];
    if (document_allows(p->m->world.document, p->schema, value, why)) {
        json_decref(value);
        return;
    }
    char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(what, sizeof(what), "%s is %.60s", p->pointer, shown);
    free(shown);
    try_body(p, what, with(p->example, p->pointer, value), REFUSED, p->pointer, false);
}

/* ---- Members ----------------------------------------------------------------------- */

static const char *const words[] = {
    "",
    " ",
    "-",
    ".x",
    "_x",
    "a b",
    "x ",
    " x",
    "a/b/c",
    "/",
    "//",
    "../x",
    "a\\b",
    "a\"b",
    "a%20b",
    "\xc3\xa4",
    "x\xf0\x9f\x98\x80",
    "x\n",
    "\t",
    "x\x7f",
    "1",
    "-1",
    "0",
    "1 GiB",
    "1gib",
    "GiB",
    "-1GiB",
    "+1GiB",
    "1.5GiB",
    "1GiB ",
    "0x10GiB",
    "1PiB",
    "true",
    "null",
    "NONE",
    "none ",
    "Shared",
    "{}",
    "x,y",
    "x;rm -rf /",
    "$(id)",
    "%s%n",
    "'; DROP TABLE volumes; --",
};

static const json_int_t integers[] = {
    0, 1, -1, 2, 511, 513, 4097, 16384, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
};

static const double reals[] = {0.5, -0.5, 1.5, 512.25, 1e300, -1e300, 5e-324};

static void try_scalars(const struct place *p)
{
    static const size_t lengths[] = {11, 64, 256, 400, 1100, 5000};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        try_value(p, json_string(words[i]));
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        try_value(p, json_integer(integers[i]));
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++)
        try_value(p, json_real(reals[i]));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = text_times("x", lengths[i]);
        try_value(p, json_string(text));
        free(text);
    }
    try_value(p, json_null());
    try_value(p, json_true());
    try_value(p, json_false());
}

/* What has parts is not tried where parts may be: the parts are, one by one. */
static void try_compounds(const struct place *p, bool objects, bool arrays)
{
    if (!arrays) {
        try_value(p, json_array());
        try_value(p, json_pack("[s]", "x"));
        try_value(p, json_pack("[i]", 1));
        try_value(p, json_pack("[[n]]"));
        try_value(p, json_pack("[{}]"));
    }
    if (!objects) {
        try_value(p, json_object());
        try_value(p, json_pack("{s:s}", "name", "x"));
        try_value(p, json_pack("{s:{s:[]}}", "a", "b"));
    }
}

/* Just beyond what the schema says of a number. */
static void try_bounds(const struct place *p)
{
    const json_t *minimum = json_object_get(p->schema, "minimum");
    const json_t *maximum = json_object_get(p->schema, "maximum");
    if (minimum != NULL)
        try_value(p, json_integer(json_integer_value(minimum) - 1));
    if (maximum != NULL)
        try_value(p, json_integer(json_integer_value(maximum) + 1));
}

/* ---- Objects ----------------------------------------------------------------------- */

/* A member's name as a step of a pointer (RFC 6901, 3). */
static void escape(const char *name, char out[POINTER_MAX])
{
    size_t used = 0;
    for (; *name != '\0' && used + 3 < POINTER_MAX; name++) {
        if (*name == '~' || *name == '/') {
            out[used++] = '~';
            out[used++] = *name == '~' ? '0' : '1';
        } else {
            out[used++] = *name;
        }
    }
    out[used] = '\0';
}

static void try_extra(const struct place *p, const char *name)
{
    char pointer[2 * POINTER_MAX], step[POINTER_MAX], what[POINTER_MAX + 128];
    json_t *object = json_deep_copy(at(p->example, p->pointer));
    if (json_object_get(object, name) != NULL) {
        json_decref(object);
        return;
    }
    json_object_set_new(object, name, json_integer(1));
    escape(name, step);
    snprintf(pointer, sizeof(pointer), "%s/%s", p->pointer, step);
    snprintf(what, sizeof(what), "%s has a member %.60s", p->pointer, name);
    try_body(p, what, with(p->example, p->pointer, object), "/problems/unknown-member",
             pointer, false);
}

static void try_extras(const struct place *p)
{
    static const char *const names[] = {
        "nonsense", "",  " ",         "/",           "~",   "a/b~c", "\xc3\xa4", "id",
        "$ref",     "0", "__proto__", "constructor", "a.b", "NAME",  "name\n",   "\x7f",
    };
    const char *property;
    json_t *schema;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        try_extra(p, names[i]);
    char *text = text_times("x", 300);
    try_extra(p, text);
    free(text);
    text = text_times("\xc3\xa4", 200);
    try_extra(p, text);
    free(text);
    /* Almost a member. */
    json_object_foreach(json_object_get(p->schema, "properties"), property, schema)
    {
        char near[160];
        snprintf(near, sizeof(near), "%s ", property);
        try_extra(p, near);
        snprintf(near, sizeof(near), "%cx", property[0]);
        try_extra(p, near);
    }
}

static void try_without(const struct place *p, const char *name)
{
    char pointer[2 * POINTER_MAX], what[POINTER_MAX + 128];
    snprintf(pointer, sizeof(pointer), "%s/%s", p->pointer, name);
    snprintf(what, sizeof(what), "%.500s is missing", pointer);
    if (at(p->example, pointer) != NULL)
        try_body(p, what, with(p->example, pointer, NULL), "/problems/missing-member",
                 pointer, false);
}

/* What is required always, or by the way of anyOf that the example goes. */
static void try_missing(const struct place *p)
{
    size_t i, j;
    json_t *way, *name;
    char why[WHY_MAX];
    const json_t *value = at(p->example, p->pointer);
    json_array_foreach(json_object_get(p->schema, "required"), i, name)
        try_without(p, json_string_value(name));
    json_array_foreach(json_object_get(p->schema, "anyOf"), i, way)
    {
        if (!document_allows(p->m->world.document, way, value, why))
            continue;
        json_array_foreach(json_object_get(way, "required"), j, name)
            try_without(p, json_string_value(name));
        break;
    }
}

/* Keys that the schema of keys refuses, and more keys than there may be. */
static void try_keys(const struct place *p)
{
    char why[WHY_MAX], pointer[2 * POINTER_MAX], step[POINTER_MAX];
    const json_t *names = json_object_get(p->schema, "propertyNames");
    const json_t *most = json_object_get(p->schema, "maxProperties");
    for (size_t i = 0; names != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        json_t *key = json_string(words[i]);
        escape(words[i], step);
        snprintf(pointer, sizeof(pointer), "%s/%s", p->pointer, step);
        if (!document_allows(p->m->world.document, names, key, why))
            try_body(p, "a key",
                     with(p->example, p->pointer, json_pack("{s:s}", words[i], "x")),
                     REFUSED, pointer, false);
        json_decref(key);
    }
    if (most == NULL)
        return;
    json_t *many = json_object();
    for (json_int_t i = 0; i <= json_integer_value(most); i++) {
        snprintf(step, sizeof(step), "k%d", (int)i);
        json_object_set_new(many, step, json_string("x"));
    }
    try_body(p, "too many keys", with(p->example, p->pointer, many), REFUSED, p->pointer,
             false);
}

/* ---- Places inside ----------------------------------------------------------------- */

static void try_place(const struct place *p);

/* The place that step leads to, of that schema. */
static void try_inside(const struct place *p, const char *step, const json_t *schema)
{
    struct place inner = {.m = p->m, .example = p->example};
    inner.schema = document_resolve(p->m->world.document, schema);
    size_t length =
        (size_t)snprintf(inner.pointer, POINTER_MAX, "%s/%s", p->pointer, step);
    assert(length < POINTER_MAX);
    try_place(&inner);
}

static void try_object(const struct place *p)
{
    const char *name;
    json_t *schema;
    const json_t *others = json_object_get(p->schema, "additionalProperties");
    if (json_is_false(others))
        try_extras(p);
    try_missing(p);
    try_keys(p);
    json_object_foreach(json_object_get(p->schema, "properties"), name, schema)
        try_inside(p, name, schema);
    if (json_is_object(others))
        try_inside(p, "key", others);
}

static void try_items(const struct place *p)
{
    json_t *items = json_object_get(p->schema, "items");
    json_t *most = json_object_get(p->schema, "maxItems");
    const json_t *value = at(p->example, p->pointer);
    json_t *first = json_array_get(value, 0);
    if (json_is_true(json_object_get(p->schema, "uniqueItems")) && first != NULL)
        try_body(p, "an item twice",
                 with(p->example, p->pointer, json_pack("[O,O]", first, first)), REFUSED,
                 p->pointer, true);
    if (json_integer_value(json_object_get(p->schema, "minItems")) > 0)
        try_value(p, json_array());
    if (most != NULL && first != NULL) {
        json_t *many = json_array();
        for (json_int_t i = 0; i <= json_integer_value(most); i++)
            json_array_append(many, first);
        try_body(p, "too many items", with(p->example, p->pointer, many), REFUSED,
                 p->pointer, true);
    }
    try_inside(p, "0", items);
}

/* Something that may be at the place, for what is wrong inside of it. */
static json_t *filling(const struct place *p, bool object)
{
    json_t *example = json_array_get(json_object_get(p->schema, "examples"), 0);
    if (example != NULL)
        return json_deep_copy(example);
    return object ? json_object() : json_array();
}

static void try_place(const struct place *p)
{
    bool object = json_object_get(p->schema, "properties") != NULL ||
                  json_object_get(p->schema, "additionalProperties") != NULL;
    bool array = json_object_get(p->schema, "items") != NULL;
    if (p->pointer[0] != '\0') {
        try_scalars(p);
        try_bounds(p);
        try_compounds(p, object, array);
    }
    if (!object && !array)
        return;
    struct place inside = *p;
    json_t *filled = at(p->example, p->pointer) != NULL
                         ? json_deep_copy(p->example)
                         : with(p->example, p->pointer, filling(p, object));
    inside.example = filled;
    if (object)
        try_object(&inside);
    else
        try_items(&inside);
    json_decref(filled);
}

void malform_schema(struct malform *m)
{
    json_t *example = json_loads(m->body, 0, NULL);
    assert(json_is_object(example));
    try_place(&(struct place){
        .m = m, .example = example, .schema = operation_body(m->world.document, m->op)});
    json_decref(example);
}
