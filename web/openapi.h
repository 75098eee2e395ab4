/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document (web/openapi.yaml) as JSON text, made at build time by
 * web/openapi_to_c.py. */
#ifndef WEB_OPENAPI_H
#define WEB_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_bytes; /* without the NUL */

#endif
