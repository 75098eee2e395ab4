/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the map in memory: the leaves (leaf.h) and views (view.h) of all layers of
 * a manager, in one second-chance list. What goes, goes in steps on the home loop, each
 * after a grace: every I/O in flight when the step before it was made has ended.
 *
 *   listed   whoever finds it may use it
 *   closing  still found; who is to write it takes it back
 *   dead     not found any more; who found it before may still read it
 *
 * then it is freed. Nothing waits for this: the bound is passed for as long as the
 * longest I/O takes, and by what is dirty. */
#ifndef LUNMGR_LEAF_CACHE_H
#define LUNMGR_LEAF_CACHE_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cached;
struct leaf_cache;
struct lunmgr;

/* What the cache asks of its entries; on the home loop, under the cache's lock. */
struct cached_kind {
    /* It may go, unless it is taken back; NULL: any may. False: not now. */
    bool (*close)(struct cached *c);
    /* After the grace: it cannot be found from now on. False: it stays, and is as it was
     * before close(). */
    bool (*unlink)(struct cached *c);
    void (*free)(struct cached *c); /* without the lock */
};

/* A part of what is cached. */
struct cached {
    struct cached *prev, *next;
    const struct cached_kind *kind;
    uint64_t epoch; /* of its last step; 0: it is listed */
    uint32_t bytes;
    atomic_bool used;
};

/* Reader, any thread: at most one relaxed store, and none where it is marked already. */
static inline void cached_use(struct cached *c)
{
    if (!atomic_load_explicit(&c->used, memory_order_relaxed))
        atomic_store_explicit(&c->used, true, memory_order_relaxed);
}

static inline bool cached_is_used(struct cached *c)
{
    return atomic_load_explicit(&c->used, memory_order_relaxed);
}

/* With its manager, before the home loop runs. 0 or -ENOMEM. */
int leaf_cache_create(struct lunmgr *m, uint64_t bytes_max, struct leaf_cache **out,
                      struct err *e) MUST_CHECK;
/* After the home loop has ended, with all that is left. NULL is allowed. */
void leaf_cache_destroy(struct leaf_cache *cache);

/* Any thread: lists an entry that can be found. */
void leaf_cache_add(struct leaf_cache *cache, struct cached *c,
                    const struct cached_kind *kind, uint32_t bytes);
/* Who has made sure that nobody finds or uses it any more takes it out, to free it. */
void leaf_cache_remove(struct leaf_cache *cache, struct cached *c);
/* Home loop: it cannot be found any more, but some may use it still; frees it when they
 * have ended. */
void leaf_cache_retire(struct leaf_cache *cache, struct cached *c);
/* Any thread: of all entries that are not freed yet. */
uint64_t leaf_cache_bytes(const struct leaf_cache *cache);

#endif
