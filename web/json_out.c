/* SPDX-License-Identifier: Apache-2.0 */
/* Times and foreign text (see json_out.h). */
#include "web/json_out.h"

#include "base/auto.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *time_text(char out[TIME_TEXT_MAX], int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&when, &utc) == NULL ||
        strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(out, TIME_TEXT_MAX, "1970-01-01T00:00:00Z");
    return out;
}

static bool is_printable(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c <= 0x7e;
}

json_t *json_of_foreign_text(const char *text)
{
    size_t length = 0;
    while (is_printable(text[length]))
        length++;
    if (text[length] == '\0')
        return json_stringn_nocheck(text, length);
    AUTO_FREE char *safe = strdup(text);
    if (safe == NULL)
        return NULL;
    for (size_t i = length; safe[i] != '\0'; i++) {
        if (!is_printable(safe[i]))
            safe[i] = '?';
    }
    return json_string(safe);
}

const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}
