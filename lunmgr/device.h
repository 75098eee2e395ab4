/* SPDX-License-Identifier: Apache-2.0 */
/* One device of a pool: a block device or a file, its superblock, its extents. Opening
 * and formatting block: not for a reactor. */
#ifndef LUNMGR_DEVICE_H
#define LUNMGR_DEVICE_H

#include "base/err.h"
#include "lunmgr/alloc.h"
#include "lunmgr/discard.h"
#include "lunmgr/engine.h"
#include "lunmgr/writers.h"

#include <pthread.h>
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

enum device_evacuation {
    DEVICE_SERVES,
    DEVICE_EVACUATING, /* no extent of it is handed out */
    DEVICE_EVACUATED,  /* and no word names one */
};

/* How its I/O goes. */
enum device_way {
    DEVICE_QUEUES,    /* as a disk's: it is handed over, and answered later */
    DEVICE_BLOCKS,    /* handing it over may take as long as the I/O */
    DEVICE_IN_MEMORY, /* it is done by whoever asks for it, as fast as memory is */
};

struct device {
    atomic_uint references; /* the pool's, and of each I/O that the kernel keeps */
    struct device_row row;  /* no, id, slot and path never change; the rest: control */
    struct lunmgr *manager; /* hears of its failure; NULL: nobody does */
    const char *pool_name;  /* the pool's, for the log */
    struct pool *pool;      /* NULL: of none yet */
    int fd;                 /* -1: not there */
    pthread_mutex_t superblock;  /* held while it is changed */
    struct device *next_stamped; /* stamp.c */
    bool direct;                 /* control thread: device_use_page_cache() */
    enum device_way way;         /* engine_watch.c */
    struct alloc *alloc;
    atomic_bool unsynced;  /* writes have completed since the last fdatasync began */
    atomic_bool failed;    /* device_fail(), or it is not ours: no more I/O */
    atomic_bool gone;      /* removed: nothing names it; here until the pool goes */
    atomic_int evacuation; /* enum device_evacuation */
    /* Words that named this device were given to other places while it is evacuated. */
    atomic_uint_fast64_t handed_on;
    atomic_uint_fast64_t aging_extents; /* freed, and not free yet: limbo.h */
    struct writers writers;
    /* I/O that it answered with an error, or not at all. */
    atomic_uint_fast64_t read_errors, write_errors, sync_errors;
    /* Why it failed, once has_reason is set. */
    atomic_bool has_reason;
    bool missing; /* it failed at the start: it is not there, or is not ours */
    char reason[ERR_TEXT_MAX];
    /* Home loop. */
    struct engine_io sync;        /* round.c: of the round under way */
    struct extent_set *discards;  /* discard.c: waiting; NULL: never had any */
    enum discard_way discard_way; /* discard.c */
    bool discard_failed;          /* said in the log */
};

static inline bool device_is_failed(const struct device *d)
{
    return atomic_load_explicit(&d->failed, memory_order_relaxed);
}
/* Extents of it are handed out. */
static inline bool device_gives(const struct device *d)
{
    return !device_is_failed(d) &&
           atomic_load_explicit(&d->evacuation, memory_order_relaxed) == DEVICE_SERVES;
}

/* What may be taken of what a device carries. */
struct device_claim {
    bool force; /* what is a pool's that this box does not have, or somebody else's */
    /* Devices of this box's pools, which are never taken. */
    size_t live_count;
    const char (*live)[CATALOG_ID_MAX];
};

/* Opens path and takes its measure: what fits in whole extents. size_bytes > 0 makes (or
 * demands) a file of that size. Refuses what the kernel or another program uses (-EBUSY)
 * and what carries something that the claim does not cover (-EEXIST), naming it. *fd is
 * the caller's. */
int device_probe(const char *path, uint64_t size_bytes, const struct device_claim *claim,
                 int *fd, bool *direct, uint64_t *extents, struct err *e) MUST_CHECK;
/* What device_probe would say now, without making or changing anything. */
int device_check(const char *path, uint64_t size_bytes, const struct device_claim *claim,
                 uint64_t *extents, struct err *e) MUST_CHECK;
/* Its I/O goes through the page cache from now on, or past it where its file system lets
 * it; d->direct says which. I/O under way ends as it began. Opened it is past the cache,
 * where that can be. Control thread, or while nobody else has it; blocks for nothing. */
void device_use_page_cache(struct device *d, bool used);
/* How many whole extents the open device has now; a file is made as long as size_bytes
 * first, if it is shorter (0: as it is), and that is durable. dry: would have, changing
 * nothing. -EINVAL: it is longer, or is no file. A sync that fails fails the device. */
int device_resize(struct device *d, uint64_t size_bytes, bool dry, uint64_t *extents,
                  struct err *e) MUST_CHECK;
/* What its file system makes of it: DEVICE_BLOCKS where that waits for a process or a
 * server also where it is asked not to. */
enum device_way device_way_of(int fd);
/* Writes both copies of the superblock and syncs. */
int device_write_superblock(int fd, const struct superblock *sb,
                            struct err *e) MUST_CHECK;
/* Zeroes both. */
int device_wipe_superblock(int fd, struct err *e) MUST_CHECK;
/* Reads the newer valid copy. -ENODATA: there is none. */
int device_read_superblock(int fd, struct superblock *sb, struct err *e) MUST_CHECK;

/* Changes one thing in the superblock that is there and syncs; blocking, any thread. The
 * generation goes with the box that raises it. */
int device_superblock_set_generation(struct device *d, uint64_t generation,
                                     const char *box_id, struct err *e) MUST_CHECK;
/* Not fewer than it has. A failure of the disk fails the device. */
int device_superblock_set_extents(struct device *d, uint64_t extents,
                                  struct err *e) MUST_CHECK;

/* What is a device of some pool, open for us alone. */
struct carrier {
    int fd; /* -1: not open */
    bool direct;
    enum device_way way;
    uint64_t extents; /* whole ones that it has */
    struct superblock superblock;
};
/* Blocking; field path. -EBUSY: in use. -ENODATA: it is none. Else as the system says. */
int device_carrier_open(const char *path, struct carrier *out, struct err *e) MUST_CHECK;
/* Also of one that is not open. */
void device_carrier_close(struct carrier *carrier);
/* What is open is the device's from now on. */
void device_take_carrier(struct device *d, struct carrier *carrier);

/* With an allocator in which all is free, and nothing open. NULL: out of memory. */
struct device *device_new(const struct device_row *row);
/* Before it serves: it cannot be used. It is closed, and marked failed. */
void device_miss(struct device *d, const struct err *why);
/* From its row, at start: opens, holds the superblock against the row, makes the
 * allocator. -ESTALE: the catalog is older than the device. The device is made in any
 * case but -ENOMEM (*out is NULL); where it cannot be used it is closed and marked
 * failed, e saying why. */
int device_open(const struct device_row *row, struct device **out,
                struct err *e) MUST_CHECK;
/* The pool's reference. NULL is allowed. */
void device_close(struct device *d);
/* Any thread: while the kernel has an I/O that nobody waits for, the descriptor stays
 * open, and with it the lock that keeps others off. */
void device_get(struct device *d);
void device_put(struct device *d);
/* Any thread: it answered one with an error, or not at all. */
void device_count_error(struct device *d, enum engine_op op);
/* Any thread. Nothing of it can be trusted any more: it gets no more I/O until the next
 * start, which an admin makes who has looked at it. Said once in the log. */
void device_fail(struct device *d, const char *reason, int error);
/* Any thread, after an error: the kernel has taken the block device out, as when it is
 * pulled. It would go on to be given writes that another device could take. */
void device_fail_if_gone(struct device *d);

#endif
