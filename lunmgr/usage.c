/* SPDX-License-Identifier: Apache-2.0 */
/* See usage.h. */
#include "lunmgr/usage.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const struct usage_thresholds usage_default = {.count = 2, .percents = {75, 90}};

/* ---- Thresholds ------------------------------------------------------------------ */

int usage_thresholds_check(const struct usage_thresholds *t, struct err *e)
{
    bool good = t->count <= USAGE_THRESHOLD_MAX;
    uint32_t before = 0;
    for (uint32_t i = 0; good && i < t->count; i++) {
        good = t->percents[i] > before && t->percents[i] <= USAGE_PERCENT_MAX;
        before = t->percents[i];
    }
    return good ? 0
                : err_set(e, -EINVAL, "usage_thresholds",
                          "at most %d percents of 1 to %d, in ascending order",
                          USAGE_THRESHOLD_MAX, USAGE_PERCENT_MAX);
}

void usage_thresholds_text(const struct usage_thresholds *t, char out[USAGE_TEXT_MAX])
{
    size_t n = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < t->count; i++)
        n += (size_t)snprintf(out + n, USAGE_TEXT_MAX - n, "%s%" PRIu32,
                              i == 0 ? "" : " ", t->percents[i]);
}

int usage_thresholds_read(const char *text, struct usage_thresholds *out)
{
    struct err e = {.code = 0};
    *out = (struct usage_thresholds){.count = 0};
    bool good = true;
    while (good && *text != '\0') {
        char *end;
        const char *number = text + (out->count > 0 && *text == ' ');
        unsigned long percent = strtoul(number, &end, 10);
        good = isdigit((unsigned char)*number) && out->count < USAGE_THRESHOLD_MAX &&
               percent <= USAGE_PERCENT_MAX;
        if (good)
            out->percents[out->count++] = (uint32_t)percent;
        text = end;
    }
    return good ? usage_thresholds_check(out, &e) : -EINVAL;
}

/* ---- Watching -------------------------------------------------------------------- */

static bool is_reached(uint32_t percent, uint64_t used, uint64_t size)
{
    return (unsigned __int128)used * 100 >= (unsigned __int128)size * percent;
}

void usage_watch_begin(struct usage_watch *w, uint64_t used, uint64_t size)
{
    for (uint32_t percent = 1; percent <= USAGE_PERCENT_MAX; percent++)
        w->reached[percent] = size > 0 && is_reached(percent, used, size);
}

enum usage_turn usage_watch_look(struct usage_watch *w, uint32_t percent, uint64_t used,
                                 uint64_t size)
{
    bool *reached = &w->reached[percent];
    if (!*reached && is_reached(percent, used, size)) {
        *reached = true;
        return USAGE_REACHED;
    }
    uint32_t below = percent > USAGE_BACK_PERCENT ? percent - USAGE_BACK_PERCENT : 0;
    bool left = below == 0 ? used == 0 : !is_reached(below, used, size);
    if (!*reached || !left)
        return USAGE_STAYS;
    *reached = false;
    return USAGE_LEFT;
}

void usage_watch_forget(struct usage_watch *w, const struct usage_thresholds *keep)
{
    uint32_t next = 0;
    for (uint32_t percent = 1; percent <= USAGE_PERCENT_MAX; percent++) {
        if (next < keep->count && keep->percents[next] == percent)
            next++;
        else
            w->reached[percent] = false;
    }
}
