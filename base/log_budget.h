/* SPDX-License-Identifier: Apache-2.0 */
/* So many lines a while of what strangers can cause without end: a line for each would
 * let them fill a disk. A value, all zeros to begin with; one thread at a time. */
#ifndef BASE_LOG_BUDGET_H
#define BASE_LOG_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_BUDGET_LINES 5 /* in LOG_BUDGET_MS */
#define LOG_BUDGET_MS    10000

struct log_budget {
    int64_t since_ms; /* of the while that is counted in lines */
    unsigned lines;
    uint64_t untold; /* without a line, since the last line */
};

/* Whether this one gets a line; *untold: how many before it got none. now_ms: of any
 * clock that only goes on. */
bool log_budget_take(struct log_budget *b, int64_t now_ms, uint64_t *untold);

#endif
