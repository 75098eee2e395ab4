/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of how full a pool is, in percent of its size, as an admin sets them: each
 * is told once when the use comes up to it, and once when it is USAGE_BACK_PERCENT of the
 * size below again. Those of single volumes, which initiators set, are the target's.
 * Pure. */
#ifndef LUNMGR_USAGE_H
#define LUNMGR_USAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USAGE_THRESHOLD_MAX 4
#define USAGE_PERCENT_MAX   100
#define USAGE_BACK_PERCENT  1
#define USAGE_TEXT_MAX      20 /* "70 80 90 100", with its NUL */

struct usage_thresholds {
    uint32_t count;
    uint32_t percents[USAGE_THRESHOLD_MAX]; /* ascending, each once */
};

extern const struct usage_thresholds usage_default; /* 75, 90 */

/* 0: ascending percents of 1 to USAGE_PERCENT_MAX; or -EINVAL. */
int usage_thresholds_check(const struct usage_thresholds *t, struct err *e) MUST_CHECK;
/* As the catalog keeps them: "75 90". read: -EINVAL: it is none. */
void usage_thresholds_text(const struct usage_thresholds *t, char out[USAGE_TEXT_MAX]);
int usage_thresholds_read(const char *text, struct usage_thresholds *out) MUST_CHECK;

/* Which have been reached, by percent. Zeroed: none has. */
struct usage_watch {
    bool reached[USAGE_PERCENT_MAX + 1];
};

enum usage_turn { USAGE_STAYS, USAGE_REACHED, USAGE_LEFT };

/* All that are reached now have been told before. */
void usage_watch_begin(struct usage_watch *w, uint64_t used, uint64_t size);
/* One of them; size: not 0. */
enum usage_turn usage_watch_look(struct usage_watch *w, uint32_t percent, uint64_t used,
                                 uint64_t size);
/* What is no threshold any more is new if it is one again. */
void usage_watch_forget(struct usage_watch *w, const struct usage_thresholds *keep);

#endif
