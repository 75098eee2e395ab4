/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies, counted in steps of a thirty-second part: percentiles and the exact worst.
 * One thread. */
#ifndef TESTS_BENCH_HISTOGRAM_H
#define TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   32U /* of each power of two */
#define HISTOGRAM_BUCKETS (64U * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    uint64_t max_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* At most this for that part of all (0.5: the median), up to one step more than exact. 0
 * if there are none. */
uint64_t histogram_at(const struct histogram *h, double part);

#endif
