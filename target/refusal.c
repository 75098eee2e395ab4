/* SPDX-License-Identifier: Apache-2.0 */
/* A count and a budget of log lines for each limit. */
#include "target/refusal.h"

#include "base/log.h"

#include <string.h>

void refusals_init(struct refusals *r)
{
    memset(r, 0, sizeof(*r));
    pthread_mutex_init(&r->lock, NULL);
}

void refusals_fini(struct refusals *r)
{
    pthread_mutex_destroy(&r->lock);
}

void refusal_note(struct refusals *r, enum target_limit limit, const char *address,
                  int64_t now_ms)
{
    struct refusal *f = &r->of[limit];
    uint64_t untold;
    atomic_fetch_add_explicit(&f->count, 1, memory_order_relaxed);
    pthread_mutex_lock(&r->lock);
    bool tells = log_budget_take(&f->budget, now_ms, &untold);
    pthread_mutex_unlock(&r->lock);
    if (tells)
        log_warning("turned away at a limit", "limit=%s address=%s untold=%llu",
                    target_limit_rule(limit)->name, address, (unsigned long long)untold);
}

uint64_t refusal_count(const struct refusals *r, enum target_limit limit)
{
    return atomic_load_explicit(&r->of[limit].count, memory_order_relaxed);
}
