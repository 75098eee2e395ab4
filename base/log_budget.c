/* SPDX-License-Identifier: Apache-2.0 */
/* A budget of lines, whole again when its while is over. */
#include "base/log_budget.h"

bool log_budget_take(struct log_budget *b, int64_t now_ms, uint64_t *untold)
{
    if (b->lines == 0 || now_ms - b->since_ms >= LOG_BUDGET_MS) {
        b->since_ms = now_ms;
        b->lines = 0;
    }
    *untold = b->untold;
    bool tells = b->lines < LOG_BUDGET_LINES;
    b->lines += tells;
    b->untold = tells ? 0 : b->untold + 1;
    return tells;
}
