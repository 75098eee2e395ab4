/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers drawn from a seed: the same for the same seed (xorshift64,
 * and xorshift64*, whose high bits are better). */
#ifndef TESTS_LIB_RANDOM_H
#define TESTS_LIB_RANDOM_H

#include <stdint.h>

/* *state: not 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Below `below`. */
static inline uint64_t draw(uint64_t *state, uint64_t below)
{
    return (random_next(state) >> 11) % below;
}

/* *state: not 0. */
static inline uint64_t random_star(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
