/* SPDX-License-Identifier: Apache-2.0 */
/* Where the commands of a session go: places of one block each, numbered from `first`.
 * One thread. */
#ifndef TESTS_BENCH_CLIENT_PLACES_H
#define TESTS_BENCH_CLIENT_PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct places {
    uint64_t first, count; /* count: 1 to 2^48 */
    uint64_t start;        /* in order: where the first one goes, from `first` */
    bool sequential, once;
    uint64_t random; /* not 0 */
    uint64_t taken;  /* how many places_next has given */
};

/* False: with `once`, all have been given. */
bool places_next(struct places *p, uint64_t *place);

#endif
