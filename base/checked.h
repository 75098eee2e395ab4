/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and products of numbers that a peer or an admin supplied, in the manner of C23's
 * ckd_add: true means that the result did not fit, and *out is then not to be used.
 * Pure; any thread. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline MUST_CHECK bool ckd_add_u32(uint32_t *out, uint32_t a, uint32_t b)
{
    return __builtin_add_overflow(a, b, out);
}

static inline MUST_CHECK bool ckd_add_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    return __builtin_add_overflow(a, b, out);
}

static inline MUST_CHECK bool ckd_mul_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    return __builtin_mul_overflow(a, b, out);
}

static inline MUST_CHECK bool ckd_add_size(size_t *out, size_t a, size_t b)
{
    return __builtin_add_overflow(a, b, out);
}

static inline MUST_CHECK bool ckd_mul_size(size_t *out, size_t a, size_t b)
{
    return __builtin_mul_overflow(a, b, out);
}

/* True if [start, start + count) lies inside [0, limit), without overflow. */
static inline MUST_CHECK bool range_fits_u64(uint64_t start, uint64_t count,
                                             uint64_t limit)
{
    return start <= limit && count <= limit - start;
}

#endif
