/* SPDX-License-Identifier: Apache-2.0 */
/* See own_document.h. */
#include "own_document.h"

#include "web/openapi.h"

json_t *document;

int document_setup(void **state)
{
    (void)state;
    document = json_loadb(openapi_json, openapi_json_bytes, JSON_REJECT_DUPLICATES, NULL);
    return document == NULL ? -1 : 0;
}

int document_teardown(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}
