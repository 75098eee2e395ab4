/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket is named by the value's highest bit and the step_bits after it. */
#include "base/buckets.h"

unsigned bucket_of(uint64_t value, unsigned step_bits)
{
    unsigned steps = 1U << step_bits;
    if (value < steps)
        return (unsigned)value;
    unsigned high = 63U - (unsigned)__builtin_clzll(value);
    unsigned step = (unsigned)(value >> (high - step_bits)) % steps;
    return (high - step_bits + 1) * steps + step;
}

uint64_t bucket_end(unsigned bucket, unsigned step_bits)
{
    unsigned steps = 1U << step_bits;
    unsigned doubling = bucket >> step_bits;
    if (doubling == 0)
        return bucket + 1U;
    return (uint64_t)(steps + (bucket & (steps - 1)) + 1) << (doubling - 1);
}

uint64_t buckets_sum(const uint64_t *counts, size_t bucket_count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bucket_count; i++)
        sum += counts[i];
    return sum;
}

uint64_t buckets_at(const uint64_t *counts, size_t bucket_count, unsigned step_bits,
                    double part)
{
    uint64_t seen = 0;
    double wanted = part * (double)buckets_sum(counts, bucket_count);
    for (unsigned i = 0; i < bucket_count; i++) {
        seen += counts[i];
        if (seen > 0 && (double)seen >= wanted)
            return bucket_end(i, step_bits);
    }
    return 0;
}
