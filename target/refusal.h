/* SPDX-License-Identifier: Apache-2.0 */
/* What was turned away at a limit: all of it is counted, and of each limit so many lines
 * a while are logged, however many are turned away. Any thread. */
#ifndef TARGET_REFUSAL_H
#define TARGET_REFUSAL_H

#include "base/log_budget.h"
#include "target/target.h"

#include <pthread.h>
#include <stdatomic.h>

struct refusal {
    atomic_uint_fast64_t count;
    struct log_budget budget;
};

struct refusals {
    pthread_mutex_t lock;
    struct refusal of[LIMIT_COUNT];
};

void refusals_init(struct refusals *r);
void refusals_fini(struct refusals *r);
/* now_ms: clock_coarse_ms(). */
void refusal_note(struct refusals *r, enum target_limit limit, const char *address,
                  int64_t now_ms);
uint64_t refusal_count(const struct refusals *r, enum target_limit limit);

#endif
