/* SPDX-License-Identifier: Apache-2.0 */
/* The limits that the configuration sets (enum target_limit), as reactors read them while
 * the control thread sets them. Any thread; each value is right by itself. */
#ifndef TARGET_LIMIT_H
#define TARGET_LIMIT_H

#include "target/target.h"

#include <stdatomic.h>

struct limits {
    atomic_uint_fast64_t values[LIMIT_COUNT];
};

void limits_set(struct limits *l, const struct target_limits *to);

static inline uint64_t limit_get(const struct limits *l, enum target_limit limit)
{
    return atomic_load_explicit(&l->values[limit], memory_order_relaxed);
}

#endif
