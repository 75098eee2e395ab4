/* SPDX-License-Identifier: Apache-2.0 */
/* A set of extents of one device, from which runs of adjacent ones are taken: 2 KiB a GiB
 * in which it has any, nothing for the others. One thread at a time. */
#ifndef LUNMGR_EXTENT_SET_H
#define LUNMGR_EXTENT_SET_H

#include "base/auto.h"

#include <stdbool.h>
#include <stdint.h>

struct extent_set;

/* extents: of the device. NULL: out of memory. */
struct extent_set *extent_set_create(uint64_t extents);
/* NULL is allowed. */
void extent_set_destroy(struct extent_set *set);

/* It is not in the set. False: out of memory, it still is not. */
bool extent_set_add(struct extent_set *set, uint64_t extent) MUST_CHECK;
/* Takes adjacent ones, 1 to max, none across a border of 1 GiB: *first and as many as
 * returned. Goes on where it was, and from the end to the beginning. 0: the set is empty.
 */
uint64_t extent_set_take(struct extent_set *set, uint64_t max, uint64_t *first);

#endif
