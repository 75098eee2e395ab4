/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets by the value's highest bit and the five bits after it. */
#include "tests/bench/histogram.h"

#define STEP_BITS 5U /* 1 << STEP_BITS == HISTOGRAM_STEPS */

static unsigned bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_STEPS)
        return (unsigned)ns;
    unsigned high = 63U - (unsigned)__builtin_clzll(ns);
    unsigned step = (unsigned)(ns >> (high - STEP_BITS)) % HISTOGRAM_STEPS;
    return (high - STEP_BITS + 1) * HISTOGRAM_STEPS + step;
}

/* The first value beyond the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket + 1U;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    return (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS + 1) << shift;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->buckets[bucket_of(ns)]++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t histogram_at(const struct histogram *h, double part)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= part * (double)h->count)
            return bucket_end(i) < h->max_ns ? bucket_end(i) : h->max_ns;
    }
    return h->max_ns;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}
