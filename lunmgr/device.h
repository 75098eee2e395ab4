/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a pool: a block device or a file, its superblock, its extents. Opening
 * and formatting block: not for a reactor. */
#ifndef LUNMGR_DEVICE_H
#define LUNMGR_DEVICE_H

#include "base/err.h"
#include "lunmgr/alloc.h"
#include "lunmgr/discard.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What extent 0 begins with, twice (at 0 and at 4096), so that a torn write leaves one.
 */
struct superblock {
    char pool_id[CATALOG_ID_MAX];
    char device_id[CATALOG_ID_MAX];
    char box_id[CATALOG_ID_MAX];
    uint16_t slot;
    uint64_t extents;
    /* Even, raised by 2 at each start. The catalog's row is odd (g - 1) while g is being
     * written: then g - 2 and g may be here, else only what the row says. */
    uint64_t generation;
};

struct device {
    atomic_uint references; /* the pool's, and of each I/O that the kernel keeps */
    struct device_row row;
    struct lunmgr *manager; /* hears of its failure; NULL: nobody does */
    const char *pool_name;  /* the pool's, for the log */
    int fd;                 /* -1: not there */
    bool direct;
    struct device *next_stamped; /* stamp.c */
    bool blocks; /* handing it an I/O may take as long as the I/O: engine_watch.c */
    struct alloc *alloc;
    atomic_bool unsynced; /* writes have completed since the last fdatasync began */
    atomic_bool failed;   /* device_fail(), or it is not ours: no more I/O */
    /* Home loop: discard.c. */
    enum discard_way discard_way;
    bool discard_failed; /* said in the log */
};

/* Opens path and takes its measure: what fits in whole extents. size_bytes > 0 makes (or
 * demands) a file of that size. Refuses what another pool owns, or the kernel uses. *fd
 * is the caller's. */
int device_probe(const char *path, uint64_t size_bytes, int *fd, bool *direct,
                 uint64_t *extents, struct err *e) MUST_CHECK;
/* What device_probe would say now, without making or changing anything. */
int device_check(const char *path, uint64_t size_bytes, uint64_t *extents,
                 struct err *e) MUST_CHECK;
/* Whether its file system waits for a process or a server also where it is asked not
 * to. */
bool device_blocks(int fd);
/* Writes both copies of the superblock and syncs. */
int device_write_superblock(int fd, const struct superblock *sb,
                            struct err *e) MUST_CHECK;
/* Zeroes both. */
int device_wipe_superblock(int fd, struct err *e) MUST_CHECK;
/* Reads the newer valid copy. -ENODATA: there is none. */
int device_read_superblock(int fd, struct superblock *sb, struct err *e) MUST_CHECK;

/* From its row, at start: opens, holds the superblock against the row, makes the
 * allocator. -ESTALE: the catalog is older than the device, or the device than the
 * catalog. The device is made in any case but -ENOMEM (*out is NULL); where it cannot be
 * used it is closed and marked failed, e saying why. */
int device_open(const struct device_row *row, struct device **out,
                struct err *e) MUST_CHECK;
/* The pool's reference. NULL is allowed. */
void device_close(struct device *d);
/* Any thread: while the kernel has an I/O that nobody waits for, the descriptor stays
 * open, and with it the lock that keeps others off. */
void device_get(struct device *d);
void device_put(struct device *d);
/* Any thread. Nothing of it can be trusted any more: it gets no more I/O until the next
 * start, which an admin makes who has looked at it. Said once in the log. */
void device_fail(struct device *d, const char *reason, int error);

#endif
