/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document that the server shows, for all tests of a program. */
#ifndef TESTS_UNIT_WEB_OWN_DOCUMENT_H
#define TESTS_UNIT_WEB_OWN_DOCUMENT_H

#include <jansson.h>

/* Between the two. */
extern json_t *document;

/* cmocka's of a group. */
int document_setup(void **state);
int document_teardown(void **state);

#endif
