/* SPDX-License-Identifier: Apache-2.0 */
/* See operations.h. */
#include "operations.h"

#include "document.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key, *method;
} methods[] = {
    {"get", "GET"},     {"put", "PUT"},         {"post", "POST"}, {"delete", "DELETE"},
    {"patch", "PATCH"}, {"options", "OPTIONS"}, {"head", "HEAD"},
};

static const char *method_of(const char *key)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i].key, key) == 0)
            return methods[i].method;
    }
    return NULL;
}

size_t operations_list(const json_t *document, struct operation out[OPERATIONS_MAX])
{
    size_t count = 0;
    const char *path, *key;
    json_t *item, *json;
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, key, json)
        {
            const char *method = method_of(key);
            if (method == NULL)
                continue;
            assert(count < OPERATIONS_MAX);
            const char *id = json_string_value(json_object_get(json, "operationId"));
            out[count] = (struct operation){
                .path = path, .id = id == NULL ? "" : id, .item = item, .json = json};
            memcpy(out[count++].method, method, strlen(method) + 1);
        }
    }
    return count;
}

const struct operation *operation_find(const struct operation *list, size_t count,
                                       const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].id, id) == 0)
            return &list[i];
    }
    return NULL;
}

const json_t *operation_parameter(const json_t *document, const struct operation *op,
                                  size_t index)
{
    const json_t *of_path = json_object_get(op->item, "parameters");
    const json_t *own = json_object_get(op->json, "parameters");
    size_t first = json_array_size(of_path);
    const json_t *found = index < first ? json_array_get(of_path, index)
                                        : json_array_get(own, index - first);
    return found == NULL ? NULL : document_resolve(document, found);
}

const json_t *operation_parameter_find(const json_t *document, const struct operation *op,
                                       const char *in, const char *name)
{
    const json_t *p;
    for (size_t i = 0; (p = operation_parameter(document, op, i)) != NULL; i++) {
        if (strcmp(json_string_value(json_object_get(p, "in")), in) == 0 &&
            strcmp(json_string_value(json_object_get(p, "name")), name) == 0)
            return p;
    }
    return NULL;
}

/* The media type object of the body. */
static const json_t *body_media(const json_t *document, const struct operation *op)
{
    const json_t *body =
        document_resolve(document, json_object_get(op->json, "requestBody"));
    return json_object_get(json_object_get(body, "content"), "application/json");
}

const json_t *operation_body(const json_t *document, const struct operation *op)
{
    const json_t *media = body_media(document, op);
    return media == NULL ? NULL
                         : document_resolve(document, json_object_get(media, "schema"));
}

/* The value of the index-th of a media type's named examples. */
static const json_t *named_example(const json_t *document, const json_t *examples,
                                   size_t index)
{
    const char *name;
    json_t *example;
    json_object_foreach((json_t *)(uintptr_t)examples, name, example)
    {
        if (index-- == 0)
            return json_object_get(document_resolve(document, example), "value");
    }
    return NULL;
}

const json_t *schema_first(const json_t *document, const json_t *schema)
{
    const json_t *any = json_object_get(schema, "anyOf");
    bool is_choice = any != NULL && json_object_get(schema, "type") == NULL;
    return document_resolve(document, is_choice ? json_array_get(any, 0) : schema);
}

const json_t *media_example(const json_t *document, const json_t *media, size_t index)
{
    const json_t *one = json_object_get(media, "example");
    const json_t *named = json_object_get(media, "examples");
    if (one != NULL)
        return index == 0 ? one : NULL;
    if (named != NULL)
        return named_example(document, named, index);
    const json_t *schema = schema_first(document, json_object_get(media, "schema"));
    return json_array_get(json_object_get(schema, "examples"), index);
}

const json_t *operation_body_example(const json_t *document, const struct operation *op,
                                     size_t index)
{
    const json_t *media = body_media(document, op);
    return media == NULL ? NULL : media_example(document, media, index);
}

int operation_success(const json_t *document, const struct operation *op,
                      const json_t **response)
{
    const char *status;
    json_t *found;
    int best = 0;
    json_object_foreach(json_object_get(op->json, "responses"), status, found)
    {
        int number = (int)strtol(status, NULL, 10);
        if (number >= 300 || number < best)
            continue;
        *response = document_resolve(document, found);
        best = number;
    }
    return best;
}

bool response_has_type(const json_t *response, const char *type)
{
    return json_object_get(json_object_get(response, "content"), type) != NULL;
}
