/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the OpenAPI document as a list, and what each takes. All belongs to
 * the document, which outlives it. */
#ifndef TESTS_UNIT_WEB_OPERATIONS_H
#define TESTS_UNIT_WEB_OPERATIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define OPERATIONS_MAX 256

struct operation {
    const char *path; /* with its parameters in braces */
    char method[8];   /* in capitals */
    const char *id;   /* operationId; "": it has none */
    const json_t *item, *json;
};

/* All of them, in the document's order; how many. */
size_t operations_list(const json_t *document, struct operation out[OPERATIONS_MAX]);
/* NULL: there is none. */
const struct operation *operation_find(const struct operation *list, size_t count,
                                       const char *id);

/* The index-th parameter of the operation or its path, resolved. NULL: no more. */
const json_t *operation_parameter(const json_t *document, const struct operation *op,
                                  size_t index);
/* The one of that name in that place ("path"), or NULL. */
const json_t *operation_parameter_find(const json_t *document, const struct operation *op,
                                       const char *in, const char *name);
/* The resolved schema of its JSON body; NULL: it takes none. */
const json_t *operation_body(const json_t *document, const struct operation *op);
/* The index-th example of its body, at the media type or the schema; NULL: no more. */
const json_t *operation_body_example(const json_t *document, const struct operation *op,
                                     size_t index);
/* The status of success, above that of a dry run (200), and its resolved response; 0:
 * none.
 */
int operation_success(const json_t *document, const struct operation *op,
                      const json_t **response);
/* Whether a response of that kind is of that media type. */
bool response_has_type(const json_t *response, const char *type);

/* A schema, or the first of those that it lets choose from. */
const json_t *schema_first(const json_t *document, const json_t *schema);

/* The index-th example of a media type object or of the schema that it has; NULL: no
 * more. */
const json_t *media_example(const json_t *document, const json_t *media, size_t index);

#endif
