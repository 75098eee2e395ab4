/* SPDX-License-Identifier: Apache-2.0 */
/* What a session has written to each of its places, so that a read can be held against
 * it. A place has at most one command under way. One thread. */
#ifndef TESTS_BENCH_CLIENT_VERSIONS_H
#define TESTS_BENCH_CLIENT_VERSIONS_H

#include "tests/bench/client/places.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct versions;

/* Of places of so many sectors. owner and seed: in the name of each sector, so that runs
 * with different ones tell their data apart. NULL: no memory. */
struct versions *versions_create(const struct places *places, uint32_t sectors,
                                 uint32_t sector_bytes, uint32_t owner, uint32_t seed);
void versions_free(struct versions *v); /* NULL: nothing */

/* nth counts from the first place. False: a command is under way there. */
bool versions_take(struct versions *v, uint64_t nth);
void versions_give(struct versions *v, uint64_t nth);
/* The data of the next write to it, whose version is that from now on. */
void versions_fill(struct versions *v, uint64_t nth, uint8_t *data);
/* What was never written may hold anything. False: *text says what is there instead. */
bool versions_hold(const struct versions *v, uint64_t nth, const uint8_t *data,
                   char *text, size_t text_bytes);

#endif
