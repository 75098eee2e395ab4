/* SPDX-License-Identifier: Apache-2.0 */
/* Values as the API writes them: times, and text that may be anything. Pure; any thread.
 */
#ifndef WEB_JSON_OUT_H
#define WEB_JSON_OUT_H

#include "base/auto.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* RFC 3339, UTC: "2024-05-01T12:00:00Z". */
#define TIME_TEXT_MAX 32
const char *time_text(char out[TIME_TEXT_MAX], int64_t seconds);
/* Back: also with an offset, "2024-05-01T14:00:00+02:00". False: not in this form. */
bool time_parse(const char *text, int64_t *seconds) MUST_CHECK;
/* Text that may be anything as JSON: what is not printable ASCII becomes '?'. NULL: out
 * of memory. */
json_t *json_of_foreign_text(const char *text);
/* "": NULL, which json_pack's s? makes null. */
const char *text_or_null(const char *text);

#endif
