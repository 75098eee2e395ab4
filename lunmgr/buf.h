/* SPDX-License-Identifier: Apache-2.0 */
/* Page-aligned data buffers from per-thread pools: what a socket fills and a disk takes,
 * and the other way round. A pool belongs to one thread. Memory is kept by size class
 * (powers of two from 4 KiB) up to a bound, the rest goes back. With
 * ASHLAR_MALLOC_BUFFERS (sanitizer builds) every buffer is its own allocation, so that
 * overruns and leaks show. */
#ifndef LUNMGR_BUF_H
#define LUNMGR_BUF_H

#include "base/auto.h"

#include <stddef.h>
#include <stdint.h>

#define BUF_ALIGN     4096
#define BUF_BYTES_MAX (16U << 20)

struct buf_pool;

struct buf {
    uint8_t *base; /* BUF_ALIGN-aligned; NULL: none */
    size_t capacity_bytes;
};

/* NULL: no memory. */
struct buf_pool *buf_pool_create(size_t kept_bytes_max);
/* Every buffer is back; what is withheld is never freed. NULL is allowed. */
void buf_pool_destroy(struct buf_pool *pool);
/* At least `bytes` (1 to BUF_BYTES_MAX); contents are undefined. 0 or -ENOMEM. */
int buf_get(struct buf_pool *pool, size_t bytes, struct buf *out) MUST_CHECK;
/* Empties *b. An empty one is allowed. */
void buf_put(struct buf_pool *pool, struct buf *b);

/* Memory of the pool's that the kernel may still use: what is put back and touches it is
 * withheld until buf_unlend. */
struct buf_loan {
    struct buf_loan *next;
    const uint8_t *first, *end;
};
void buf_lend(struct buf_pool *pool, struct buf_loan *loan);
void buf_unlend(struct buf_pool *pool, struct buf_loan *loan);

size_t buf_pool_out_bytes(const struct buf_pool *pool);  /* handed out now */
size_t buf_pool_kept_bytes(const struct buf_pool *pool); /* to be handed out again */

/* Frees what nobody wanted since the call before, the largest first, as long as more than
 * that is kept. */
void buf_pool_trim(struct buf_pool *pool, size_t bytes);

#endif
