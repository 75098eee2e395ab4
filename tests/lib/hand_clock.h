/* SPDX-License-Identifier: Apache-2.0 */
/* Time and randomness for programs that must run the same each time: while set by hand,
 * clock_gettime() and getrandom() of this program give what is said here. Programs that
 * link hand_clock.c have it; others run on the machine's. */
#ifndef TESTS_LIB_HAND_CLOCK_H
#define TESTS_LIB_HAND_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* From now on, with randomness of seed (not 0); 0: the machine's again. */
void hand_clock_set(uint64_t seed);
void hand_clock_advance(uint64_t ns);
bool hand_clock_is_set(void);

#endif
