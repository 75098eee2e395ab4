/* SPDX-License-Identifier: Apache-2.0 */
/* A count and a budget of log lines for each limit. */
#include "target/refusal.h"

#include "base/log.h"
#include "target/limits.h"

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

/* Whether this one gets a line; *untold: how many before it got none. */
static bool refusal_add(struct refusal *f, int64_t now_ms, uint64_t *untold)
{
    atomic_fetch_add_explicit(&f->count, 1, memory_order_relaxed);
    if (f->logged == 0 || now_ms - f->since_ms >= REFUSAL_LOG_MS) {
        f->since_ms = now_ms;
        f->logged = 0;
    }
    *untold = f->untold;
    bool tells = f->logged < REFUSAL_LOG_MAX;
    f->logged += tells;
    f->untold = tells ? 0 : f->untold + 1;
    return tells;
}

void refusal_note(struct refusals *r, enum target_limit limit, const char *address,
                  int64_t now_ms)
{
    uint64_t untold;
    pthread_mutex_lock(&r->lock);
    bool tells = refusal_add(&r->of[limit], now_ms, &untold);
    pthread_mutex_unlock(&r->lock);
    if (tells)
        log_warning("turned away at a limit", "limit=%s address=%s untold=%llu",
                    target_limit_rule(limit)->name, address, (unsigned long long)untold);
}

uint64_t refusal_count(const struct refusals *r, enum target_limit limit)
{
    return atomic_load_explicit(&r->of[limit].count, memory_order_relaxed);
}
