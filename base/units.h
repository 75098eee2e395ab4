/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and times as admins write them: a number and its unit. Pure; any thread. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/auto.h"

#include <stdbool.h>
#include <stdint.h>

#define SIZE_UNITS "B KiB MiB GiB TiB KB MB GB TB"

/* "100GiB"; a number alone is bytes. False: not in this form, or more than 64 bits. */
bool size_parse(const char *text, uint64_t *bytes) MUST_CHECK;
/* "90", "90s", "15m", "12h", "7d" or "2w"; a number alone is seconds. False as above. */
bool duration_parse(const char *text, uint64_t *seconds) MUST_CHECK;

#endif
