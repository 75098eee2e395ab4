/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers for property tests: the same for the same seed. */
#ifndef TESTS_UNIT_LUNMGR_RANDOM_H
#define TESTS_UNIT_LUNMGR_RANDOM_H

#include <stdint.h>

/* *state: not 0. Below `below`. */
static inline uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % below;
}

#endif
