/* SPDX-License-Identifier: Apache-2.0 */
/* The extents of one device: which are used. Two bits each in memory: `used` (not to be
 * handed out) and `kept` (used, as the catalog is to have it). Taking sets both, before
 * any word names the extent; a freed one first leaves `kept` with the round after its
 * free, then `used` when that round is committed (limbo.h). So a crash can leave leaks,
 * never two owners. Any thread; its own lock. */
#ifndef LUNMGR_ALLOC_H
#define LUNMGR_ALLOC_H

#include "base/err.h"
#include "db/catalog.h"

#include <stdbool.h>
#include <stdint.h>

#define ALLOC_GROUP_EXTENTS (BITMAP_BYTES * 8) /* 1 GiB */

struct alloc;

/* extents: of the whole device; extent 0 is the superblock's and never handed out. */
struct alloc *alloc_create(uint64_t extents);
void alloc_destroy(struct alloc *a);
/* Memory for so many extents. -ENOMEM. */
int alloc_make_room(struct alloc *a, uint64_t extents, struct err *e) MUST_CHECK;
/* Then: the device has so many from now on, not fewer than before; what is new is free.
 */
void alloc_grow(struct alloc *a, uint64_t extents);
/* At open, before any use. -EUCLEAN: the row lies outside the device. */
int alloc_load(struct alloc *a, const struct bitmap_change *row,
               struct err *e) MUST_CHECK;

/* after: the extent after which the taker would like to go on, 0 for none. -ENOSPC. */
int alloc_take(struct alloc *a, uint64_t after, uint64_t *extent) MUST_CHECK;
/* What was taken and never named: free again at once. */
void alloc_untake(struct alloc *a, uint64_t extent);
/* The two steps of a free; limbo.c alone calls them. */
void alloc_unkeep(struct alloc *a, uint64_t extent);
/* The first is taken back. */
void alloc_keep_again(struct alloc *a, uint64_t extent);
void alloc_release(struct alloc *a, uint64_t extent);

uint64_t alloc_free_extents(const struct alloc *a); /* without the lock */
uint64_t alloc_usable_extents(const struct alloc *a);
/* With the superblock's. */
uint64_t alloc_extents(const struct alloc *a);

/* The round's: copies of the groups changed since the last copy. All of them or, where
 * there are more than `max` of them, none: false. On a failed round alloc_copy_failed
 * marks them changed again. */
size_t alloc_dirty_groups(struct alloc *a);
bool alloc_copy_dirty(struct alloc *a, uint32_t device_no, struct bitmap_change *rows,
                      size_t max, size_t *count) MUST_CHECK;
void alloc_copy_failed(struct alloc *a, uint32_t device_no,
                       const struct bitmap_change *rows, size_t count);

/* Looking for leaks: begin notes what is used now, in so many words of 64 extents; what
 * is freed meanwhile is no suspect (alloc_spare, as its word goes: a commit may show that
 * before the extent is unkept), nor what the map names; what is left at the end is a
 * leak. -ENOMEM, -EBUSY. */
int alloc_suspect_begin(struct alloc *a, size_t *words, struct err *e) MUST_CHECK;
void alloc_spare(struct alloc *a, uint64_t extent);
/* Ends it and counts the leaks. named: a bit for each extent, as many words as there were
 * suspects at its beginning, or NULL: no answer is wanted. free_them: the leaks are free
 * from now on. */
uint64_t alloc_suspect_end(struct alloc *a, const uint64_t *named, bool free_them);

#endif
