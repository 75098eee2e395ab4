/* SPDX-License-Identifier: Apache-2.0 */
/* A count that one thread adds to and any thread reads: no lock, no locked instruction.
 * Relaxed: each is right by itself. */
#ifndef TARGET_COUNTER_H
#define TARGET_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t counter_get(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void counter_add(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

#endif
