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

/* Digits where pattern has '0', else its very bytes. */
static bool has_form(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++) {
        if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    }
    return true;
}

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + at[1] - '0';
}

/* "Z", "+02:00" or "-02:00": seconds east. */
static bool offset_parse(const char *text, int64_t *east_s)
{
    *east_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') || !has_form(text + 1, "00:00") ||
        text[6] != '\0')
        return false;
    int hours = two_digits(text + 1), minutes = two_digits(text + 4);
    *east_s = (text[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

bool time_parse(const char *text, int64_t *seconds)
{
    int64_t east_s;
    if (!has_form(text, "0000-00-00T00:00:00") || !offset_parse(text + 19, &east_s))
        return false;
    struct tm utc = {
        .tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900,
        .tm_mon = two_digits(text + 5) - 1,
        .tm_mday = two_digits(text + 8),
        .tm_hour = two_digits(text + 11),
        .tm_min = two_digits(text + 14),
        .tm_sec = two_digits(text + 17),
    };
    struct tm same = utc;
    *seconds = (int64_t)timegm(&same) - east_s;
    /* There is no such day or hour if it was made another. */
    return same.tm_mon == utc.tm_mon && same.tm_mday == utc.tm_mday &&
           same.tm_hour == utc.tm_hour && same.tm_min == utc.tm_min &&
           same.tm_sec == utc.tm_sec;
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
    char *safe = strdup(text);
    if (safe == NULL)
        return NULL;
    for (size_t i = length; safe[i] != '\0'; i++) {
        if (!is_printable(safe[i]))
            safe[i] = '?';
    }
    json_t *out = json_string(safe);
    free(safe);
    return out;
}

const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}
