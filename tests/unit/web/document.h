/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document as a judge of answers: finds operations, and holds a status, its
 * headers and its body against what is documented. The part of JSON Schema that the
 * document uses; a keyword that is not known here fails, so that none is passed over. */
#ifndef TESTS_UNIT_WEB_DOCUMENT_H
#define TESTS_UNIT_WEB_DOCUMENT_H

#include "client.h"

#include <jansson.h>

#define WHY_MAX 512

/* value with its $ref followed, as often as there is one. NULL: it leads nowhere. */
const json_t *document_resolve(const json_t *document, const json_t *value);
/* The operation object, or NULL. method in capitals. */
const json_t *document_operation(const json_t *document, const char *path,
                                 const char *method);
/* True if value is as schema says; else why tells where and what. */
bool document_allows(const json_t *document, const json_t *schema, const json_t *value,
                     char why[WHY_MAX]);
/* The text of a header or a query as the value that its resolved schema speaks of; a
 * string, if it cannot be one. NULL: it is not UTF-8. */
json_t *document_value(const json_t *schema, const char *text);
/* True if the operation documents this answer: status, type, headers and body. */
bool document_covers(const json_t *document, const json_t *operation,
                     const struct answer *answer, char why[WHY_MAX]);

#endif
