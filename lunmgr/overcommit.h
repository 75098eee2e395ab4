/* SPDX-License-Identifier: Apache-2.0 */
/* What a pool has promised to its volumes, of what it has, and how much more it may.
 * Control thread. */
#ifndef LUNMGR_OVERCOMMIT_H
#define LUNMGR_OVERCOMMIT_H

#include "base/err.h"

#include <stdint.h>

struct pool;

/* The sum of the volumes' sizes in percent of the pool's size, rounded up: at most the
 * cap exactly if the sum is within it. 0 for a pool without size. */
uint64_t overcommit_percent(const struct pool *pool);
/* 0 (none) to POOL_CAP_PERCENT_MAX, or -EINVAL. */
int overcommit_cap_check(uint32_t percent, struct err *e) MUST_CHECK;

/* Bytes that an operation is about to provision: so that two of them at once cannot have
 * both what only one may. Zeroed: none. */
struct promise {
    struct pool *pool;
    uint64_t bytes;
};
/* -ENOSPC, field: they are beyond the pool's cap. */
int promise_make(struct promise *promise, struct pool *pool, uint64_t bytes,
                 const char *field, struct err *e) MUST_CHECK;
/* The operation has ended: they are provisioned, or were never. */
void promise_end(struct promise *promise);

#endif
