/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units (see units.h). */
#include "base/units.h"

#include "base/checked.h"

#include <string.h>

struct unit {
    const char *name; /* NULL after the last */
    uint64_t of;
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
    {"KB", 1000ULL},
    {"MB", 1000ULL * 1000},
    {"GB", 1000ULL * 1000 * 1000},
    {"TB", 1000ULL * 1000 * 1000 * 1000},
    {NULL, 0},
};

static const struct unit time_units[] = {
    {"", 1},      {"s", 1},         {"m", 60},      {"h", 3600},
    {"d", 86400}, {"w", 7 * 86400}, {.name = NULL},
};

static bool number_parse(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (ckd_mul_u64(&number, number, 10) ||
            ckd_add_u64(&number, number, (uint64_t)(*at - '0')))
            return false;
    }
    if (at == text)
        return false;
    for (; units->name != NULL; units++) {
        if (strcmp(at, units->name) == 0)
            return !ckd_mul_u64(out, number, units->of);
    }
    return false;
}

bool size_parse(const char *text, uint64_t *bytes)
{
    return number_parse(text, size_units, bytes);
}

bool duration_parse(const char *text, uint64_t *seconds)
{
    return number_parse(text, time_units, seconds);
}
