/* SPDX-License-Identifier: Apache-2.0 */
/* A pool: devices that share one space of extents. Control thread. */
#ifndef LUNMGR_POOL_H
#define LUNMGR_POOL_H

#include "base/err.h"
#include "lunmgr/job.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define POOL_DEVICE_MAX     1 /* for now */
#define POOL_PATH_MAX       1024
#define POOL_FILE_BYTES_MIN (1ULL << 20)

struct pool;

struct pool_device_spec {
    const char
        *path; /* absolute: a block device, or a file that is made if size_bytes > 0 */
    uint64_t size_bytes; /* file: its size to be; 0: the existing size. Block device: 0 */
};

struct pool_spec {
    const char *name;
    const struct pool_device_spec *devices;
    size_t device_count;
};

struct pool_device_info {
    char id[VOLUME_ID_MAX];
    char path[POOL_PATH_MAX];
    uint64_t size_bytes;
    bool direct; /* opened with O_DIRECT */
    bool failed;
};

struct pool_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    int64_t created_s;
    uint64_t size_bytes; /* usable: whole extents less the superblocks */
    uint64_t used_bytes; /* extents not free, freed ones that wait for a commit too */
    uint64_t free_bytes;
    uint64_t provisioned_bytes; /* sum of the volumes' sizes */
    uint32_t volume_count;
    uint32_t device_count;
    struct pool_device_info devices[POOL_DEVICE_MAX];
    const char *state; /* "online", or "failed": a device failed or is not there */
};

/* What a check of the committed map found. */
struct pool_check_report {
    uint64_t named_extents; /* by some word */
    uint64_t used_extents;  /* by the committed bitmaps */
    /* used, named by no word, not freed meanwhile; first writes in flight count here too
     */
    uint64_t leaked_extents;
    uint64_t double_extents;     /* named by two words, not all of them shared */
    uint64_t shared_extents;     /* named by words that are all shared */
    uint64_t miscounted_extents; /* shared by another number of words than is counted */
    uint64_t lost_extents; /* named, but the bitmap says free, or outside the device */
};

typedef void (*pool_done_fn)(void *arg, struct pool *pool, const struct err *e);

/* done: on the control thread, never inside the call. A device that carries any known
 * signature of another pool is refused (-EEXIST, field devices/N/path). */
void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg);
/* -EBUSY while it has volumes or is being checked. The device's superblock is wiped, a
 * file stays. */
void pool_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);
/* A job that walks the committed map in one snapshot and repairs nothing; its outcome is
 * the report. Answered when the job is there. -EBUSY: one is under way; e names it. */
void pool_check(struct lunmgr *m, const char *name_or_id, job_done_fn done, void *arg);

struct pool *pool_find(struct lunmgr *m, const char *name_or_id);
struct pool *pool_next(struct lunmgr *m, const struct pool *prev);
struct pool *pool_walk(struct lunmgr *m, struct row_walk *walk);
void pool_describe(const struct pool *pool, struct pool_info *out);

/* Any thread, while a volume of it is held; without a lock. Extents of 64 KiB: how many
 * it has, and how many of them are free. */
uint64_t pool_extents(const struct pool *pool);
uint64_t pool_free_extents(const struct pool *pool);
/* The same in bytes, with what is free as soon as it is given back to what lies below. */
uint64_t pool_free_bytes(const struct pool *pool);

#endif
