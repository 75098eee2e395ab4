/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of values in buckets that widen with the value: one for each value below 1 <<
 * step_bits, then that many of each power of two. What is read from them is at most a
 * 1 << step_bits'th part above what was counted. Pure; any thread. */
#ifndef BASE_BUCKETS_H
#define BASE_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

unsigned bucket_of(uint64_t value, unsigned step_bits);
/* The first value beyond the bucket. */
uint64_t bucket_end(unsigned bucket, unsigned step_bits);
/* That part of all (0.5: the median) is below it. 0 if nothing was counted. */
uint64_t buckets_at(const uint64_t *counts, size_t bucket_count, unsigned step_bits,
                    double part);
uint64_t buckets_sum(const uint64_t *counts, size_t bucket_count);

#endif
