/* SPDX-License-Identifier: Apache-2.0 */
/* See document.h. */
#include "document.h"

#include <ctype.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REF_MAX 10

struct check {
    const json_t *document;
    char *why;
    char where[256];
};

static bool judge(struct check *c, const json_t *schema, const json_t *value);

static bool refuse(struct check *c, const char *subject, const char *what)
{
    snprintf(c->why, WHY_MAX, "at %s: %.200s %s", c->where[0] ? c->where : "/", subject,
             what);
    return false;
}

const json_t *document_resolve(const json_t *document, const json_t *value)
{
    for (int i = 0; i < REF_MAX; i++) {
        const char *ref = json_string_value(json_object_get(value, "$ref"));
        if (ref == NULL)
            return value;
        if (strncmp(ref, "#/", 2) != 0)
            return NULL;
        value = document;
        for (ref += 1; *ref == '/';) {
            char key[128];
            size_t length = strcspn(++ref, "/");
            snprintf(key, sizeof(key), "%.*s", (int)length, ref);
            value = json_object_get(value, key);
            ref += length;
        }
    }
    return NULL;
}

const json_t *document_operation(const json_t *document, const char *path,
                                 const char *method)
{
    char lower[16];
    size_t i = 0;
    for (; method[i] != '\0' && i + 1 < sizeof(lower); i++)
        lower[i] = (char)tolower((unsigned char)method[i]);
    lower[i] = '\0';
    return json_object_get(json_object_get(json_object_get(document, "paths"), path),
                           lower);
}

/* ---- Keywords ---------------------------------------------------------------------- */

static bool is_type(const char *type, const json_t *value)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool key_type(struct check *c, const json_t *want, const json_t *value,
                     const json_t *schema)
{
    size_t i;
    json_t *one;
    (void)schema;
    if (json_is_string(want) && is_type(json_string_value(want), value))
        return true;
    json_array_foreach(want, i, one)
    {
        if (is_type(json_string_value(one), value))
            return true;
    }
    return refuse(c, "it", "has another type");
}

static bool key_enum(struct check *c, const json_t *want, const json_t *value,
                     const json_t *schema)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(want, i, one)
    {
        if (json_equal(one, value))
            return true;
    }
    return refuse(c, "it", "is not of the enum");
}

static bool key_pattern(struct check *c, const json_t *want, const json_t *value,
                        const json_t *schema)
{
    regex_t regex;
    (void)schema;
    if (!json_is_string(value))
        return true;
    if (regcomp(&regex, json_string_value(want), REG_EXTENDED | REG_NOSUB) != 0)
        return refuse(c, json_string_value(want), "cannot be read");
    int rc = regexec(&regex, json_string_value(value), 0, NULL, 0);
    regfree(&regex);
    return rc == 0 || refuse(c, json_string_value(value), json_string_value(want));
}

static bool key_required(struct check *c, const json_t *want, const json_t *value,
                         const json_t *schema)
{
    size_t i;
    json_t *one;
    (void)schema;
    if (!json_is_object(value))
        return true;
    json_array_foreach(want, i, one)
    {
        if (json_object_get(value, json_string_value(one)) == NULL)
            return refuse(c, json_string_value(one), "is missing");
    }
    return true;
}

static bool judge_at(struct check *c, const char *step, const json_t *schema,
                     const json_t *value)
{
    size_t length = strlen(c->where);
    snprintf(c->where + length, sizeof(c->where) - length, "/%s", step);
    bool good = judge(c, schema, value);
    c->where[length] = '\0';
    return good;
}

static bool key_properties(struct check *c, const json_t *want, const json_t *value,
                           const json_t *schema)
{
    const char *name;
    json_t *member;
    bool closed = json_is_false(json_object_get(schema, "additionalProperties"));
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        const json_t *of = json_object_get(want, name);
        if (of == NULL && closed)
            return refuse(c, name, "is not documented");
        if (of != NULL && !judge_at(c, name, of, member))
            return false;
    }
    return true;
}

/* Of the members that are not among the properties; false is key_properties' to judge. */
static bool key_additional(struct check *c, const json_t *want, const json_t *value,
                           const json_t *schema)
{
    const char *name;
    json_t *member;
    const json_t *properties = json_object_get(schema, "properties");
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        if (json_is_object(want) && json_object_get(properties, name) == NULL &&
            !judge_at(c, name, want, member))
            return false;
    }
    return true;
}

static bool key_items(struct check *c, const json_t *want, const json_t *value,
                      const json_t *schema)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(value, i, one)
    {
        char step[24];
        snprintf(step, sizeof(step), "%zu", i);
        if (!judge_at(c, step, want, one))
            return false;
    }
    return true;
}

static bool key_any_of(struct check *c, const json_t *want, const json_t *value,
                       const json_t *schema)
{
    size_t i;
    json_t *one;
    (void)schema;
    json_array_foreach(want, i, one)
    {
        if (judge(c, one, value))
            return true;
    }
    return refuse(c, "it", "is none of anyOf");
}

/* A bound's keyword says what it bounds; it has nothing to say of values of other types.
 */
static bool number_fits(struct check *c, json_int_t number, json_int_t least,
                        json_int_t most)
{
    return number < least  ? refuse(c, "it", "is too little")
           : number > most ? refuse(c, "it", "is too much")
                           : true;
}

static bool key_minimum(struct check *c, const json_t *want, const json_t *value,
                        const json_t *schema)
{
    (void)schema;
    return !json_is_integer(value) ||
           number_fits(c, json_integer_value(value), json_integer_value(want), INT64_MAX);
}

static bool key_maximum(struct check *c, const json_t *want, const json_t *value,
                        const json_t *schema)
{
    (void)schema;
    return !json_is_integer(value) ||
           number_fits(c, json_integer_value(value), INT64_MIN, json_integer_value(want));
}

/* In characters: bytes that do not continue one. */
static json_int_t text_length(const json_t *value)
{
    json_int_t length = 0;
    for (const char *at = json_string_value(value); *at != '\0'; at++)
        length += ((unsigned char)*at & 0xc0) == 0x80 ? 0 : 1;
    return length;
}

static bool key_min_length(struct check *c, const json_t *want, const json_t *value,
                           const json_t *schema)
{
    (void)schema;
    return !json_is_string(value) ||
           number_fits(c, text_length(value), json_integer_value(want), INT64_MAX);
}

static bool key_max_length(struct check *c, const json_t *want, const json_t *value,
                           const json_t *schema)
{
    (void)schema;
    return !json_is_string(value) ||
           number_fits(c, text_length(value), 0, json_integer_value(want));
}

static bool key_min_items(struct check *c, const json_t *want, const json_t *value,
                          const json_t *schema)
{
    (void)schema;
    return !json_is_array(value) || number_fits(c, (json_int_t)json_array_size(value),
                                                json_integer_value(want), INT64_MAX);
}

static bool key_max_items(struct check *c, const json_t *want, const json_t *value,
                          const json_t *schema)
{
    (void)schema;
    return !json_is_array(value) || number_fits(c, (json_int_t)json_array_size(value), 0,
                                                json_integer_value(want));
}

static bool key_max_properties(struct check *c, const json_t *want, const json_t *value,
                               const json_t *schema)
{
    (void)schema;
    return !json_is_object(value) || number_fits(c, (json_int_t)json_object_size(value),
                                                 0, json_integer_value(want));
}

static bool key_unique_items(struct check *c, const json_t *want, const json_t *value,
                             const json_t *schema)
{
    (void)schema;
    for (size_t i = 0; json_is_true(want) && i < json_array_size(value); i++) {
        for (size_t j = 0; j < i; j++) {
            if (json_equal(json_array_get(value, i), json_array_get(value, j)))
                return refuse(c, "it", "has an item twice");
        }
    }
    return true;
}

static bool key_property_names(struct check *c, const json_t *want, const json_t *value,
                               const json_t *schema)
{
    const char *name;
    json_t *member;
    (void)schema;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        json_t *text = json_string(name);
        bool good = judge_at(c, name, want, text);
        json_decref(text);
        if (!good)
            return false;
    }
    return true;
}

static bool key_note(struct check *c, const json_t *want, const json_t *value,
                     const json_t *schema)
{
    (void)c;
    (void)want;
    (void)value;
    (void)schema;
    return true;
}

static const struct {
    const char *keyword;
    bool (*holds)(struct check *c, const json_t *want, const json_t *value,
                  const json_t *schema);
} keywords[] = {
    {"type", key_type},
    {"enum", key_enum},
    {"pattern", key_pattern},
    {"required", key_required},
    {"properties", key_properties},
    {"items", key_items},
    {"anyOf", key_any_of},
    {"minimum", key_minimum},
    {"minLength", key_min_length},
    {"minItems", key_min_items},
    {"maximum", key_maximum},
    {"maxLength", key_max_length},
    {"maxItems", key_max_items},
    {"maxProperties", key_max_properties},
    {"propertyNames", key_property_names},
    {"additionalProperties", key_additional},
    {"uniqueItems", key_unique_items},
    {"description", key_note},
    {"examples", key_note},
    {"default", key_note},
    {"$ref", key_note}, /* followed before */
};

static bool judge_keyword(struct check *c, const char *keyword, const json_t *want,
                          const json_t *value, const json_t *schema)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcmp(keywords[i].keyword, keyword) == 0)
            return keywords[i].holds(c, want, value, schema);
    }
    return refuse(c, keyword, "is a keyword that the test does not know");
}

static bool judge(struct check *c, const json_t *schema, const json_t *value)
{
    const char *keyword;
    json_t *want;
    schema = document_resolve(c->document, schema);
    if (schema == NULL)
        return refuse(c, "$ref", "leads nowhere");
    json_object_foreach((json_t *)(uintptr_t)schema, keyword, want)
    {
        if (!judge_keyword(c, keyword, want, value, schema))
            return false;
    }
    return true;
}

bool document_allows(const json_t *document, const json_t *schema, const json_t *value,
                     char why[WHY_MAX])
{
    struct check c = {.document = document, .why = why};
    return judge(&c, schema, value);
}

json_t *document_value(const json_t *schema, const char *text)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    json_t *value = NULL;
    if (type != NULL && strcmp(type, "string") != 0)
        value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value != NULL ? value : json_string(text);
}

/* ---- Answers ----------------------------------------------------------------------- */

static bool header_is_as_said(struct check *c, const char *name, const json_t *header,
                              const char *text)
{
    const json_t *schema =
        document_resolve(c->document, json_object_get(header, "schema"));
    if (schema == NULL)
        return refuse(c, name, "is a header without a schema");
    json_t *value = document_value(schema, text);
    bool good = judge_at(c, name, schema, value);
    json_decref(value);
    return good;
}

static bool headers_are_as_said(struct check *c, const json_t *response,
                                const struct answer *answer)
{
    const char *name;
    json_t *header;
    char value[256];
    json_object_foreach(json_object_get(response, "headers"), name, header)
    {
        bool may_miss = json_is_false(json_object_get(header, "required"));
        if (answer_header(answer, name, value, sizeof(value))[0] == '\0' && may_miss)
            continue;
        if (value[0] == '\0')
            return refuse(c, name, "is a header that is missing");
        if (!header_is_as_said(c, name, document_resolve(c->document, header), value))
            return false;
    }
    return true;
}

static bool body_is_as_said(struct check *c, const json_t *response,
                            const struct answer *answer)
{
    char type[128];
    const json_t *content = json_object_get(response, "content");
    if (content == NULL)
        return answer->body_bytes == 0 || refuse(c, "a body", "is not documented");
    answer_header(answer, "Content-Type", type, sizeof(type));
    type[strcspn(type, ";")] = '\0';
    const json_t *media = json_object_get(content, type);
    if (media == NULL)
        return refuse(c, type, "is a type that is not documented");
    if (strstr(type, "json") == NULL || strstr(type, "ndjson") != NULL)
        return true;
    json_t *body = json_loadb(answer->body, answer->body_bytes, JSON_DECODE_ANY, NULL);
    bool good = body == NULL ? refuse(c, "the body", "is not JSON")
                             : judge(c, json_object_get(media, "schema"), body);
    json_decref(body);
    return good;
}

bool document_covers(const json_t *document, const json_t *operation,
                     const struct answer *answer, char why[WHY_MAX])
{
    char status[16];
    struct check c = {.document = document, .why = why};
    snprintf(status, sizeof(status), "%d", answer->status);
    const json_t *response = document_resolve(
        document, json_object_get(json_object_get(operation, "responses"), status));
    if (response == NULL)
        return refuse(&c, status, "is a status that is not documented");
    return headers_are_as_said(&c, response, answer) &&
           body_is_as_said(&c, response, answer);
}
