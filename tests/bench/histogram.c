/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets (base/buckets.h) and the exact worst beside them. */
#include "tests/bench/histogram.h"

#include "base/buckets.h"

#define STEP_BITS 5U /* 1 << STEP_BITS == HISTOGRAM_STEPS */

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->buckets[bucket_of(ns, STEP_BITS)]++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t histogram_at(const struct histogram *h, double part)
{
    uint64_t at = buckets_at(h->buckets, HISTOGRAM_BUCKETS, STEP_BITS, part);
    return at < h->max_ns ? at : h->max_ns;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}
