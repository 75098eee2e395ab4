/* SPDX-License-Identifier: Apache-2.0 */
/* A pool: devices that share one space of extents. Control thread. */
#ifndef LUNMGR_POOL_H
#define LUNMGR_POOL_H

#include "base/err.h"
#include "lunmgr/job.h"
#include "lunmgr/row_walk.h"
#include "lunmgr/usage.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define POOL_DEVICE_MAX      1023 /* as many slots as words can name */
#define POOL_SPEC_DEVICE_MAX 64   /* that one is made with */
#define POOL_SPREAD_EXTENTS  64   /* handed out of one device before the next: 4 MiB */
#define POOL_PATH_MAX        1024
#define POOL_REASON_MAX      512
#define POOL_FILE_BYTES_MIN  (1ULL << 20)

struct device;
struct pool;

struct pool_device_spec {
    const char
        *path; /* absolute: a block device, or a file that is made if size_bytes > 0 */
    uint64_t size_bytes; /* file: its size to be; 0: the existing size. Block device: 0 */
    bool force; /* take it though it carries something; never what is in use, or a device
                   of a pool of this box */
};

/* What volumes may be provisioned to, in percent of the pool's size. 0: no cap. */
#define POOL_CAP_PERCENT_MAX 1000000

struct pool_spec {
    const char *name;
    uint32_t overcommit_cap_percent;
    const struct usage_thresholds *usage_thresholds; /* NULL: usage_default */
    bool page_cache; /* its devices are read and written through it, not past it */
    const struct pool_device_spec *devices;
    size_t device_count;
};

struct pool_device_info {
    char id[VOLUME_ID_MAX];
    unsigned slot; /* its number in the pool, from 1 */
    char pool_id[VOLUME_ID_MAX];
    char pool_name[VOLUME_NAME_MAX];
    char path[POOL_PATH_MAX];
    uint64_t size_bytes; /* whole extents, with the superblock's */
    uint64_t used_bytes; /* extents not free, freed ones that wait for a commit too */
    uint64_t free_bytes;
    bool direct; /* its I/O goes past the page cache, now */
    /* "online"; "failed": it gets no more I/O before the next start; "missing": it could
     * not be taken at the start; "evacuating": no extent of it is handed out;
     * "evacuated": and none is in use. */
    const char *state;
    char reason[POOL_REASON_MAX]; /* why it failed or is missing; "": it does not */
    uint64_t read_errors, write_errors, sync_errors; /* since the start */
};

struct pool_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    int64_t created_s;
    uint64_t size_bytes;     /* of all devices: whole extents less the superblocks */
    uint64_t used_bytes;     /* extents not free, freed ones that wait for a commit too */
    uint64_t free_bytes;     /* that can be handed out: on devices that serve */
    uint64_t reserved_bytes; /* guaranteed to volumes and not taken yet */
    uint64_t available_bytes;        /* free, and reserved for nobody */
    uint64_t provisioned_bytes;      /* sum of the volumes' sizes */
    uint64_t overcommit_percent;     /* that, of the size; rounded up */
    uint32_t overcommit_cap_percent; /* 0: there is none */
    uint32_t volume_count;
    uint32_t device_count;
    uint32_t waiting_writes; /* commands that wait for space, each for its grace */
    struct usage_thresholds usage_thresholds;
    bool page_cache; /* wanted; what a device does is in its info */
    /* At the rate at which it has filled of late (forecast.h), since the moment from
     * which that is known. 0: it does not fill, or is full, or that is not known. */
    uint64_t full_in_s;
    uint64_t fill_bytes_per_s;
    int64_t watched_since_s; /* 0: not yet */
    /* "online"; "degraded": a device failed or is missing, what is on others is served;
     * "failed": no device is left that serves */
    const char *state;
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
struct pool_change {
    const uint32_t *overcommit_cap_percent; /* NULL: as it is. Less than is provisioned
                                               refuses what is new alone */
    const struct usage_thresholds *usage_thresholds; /* NULL: as they are */
    const bool *page_cache; /* NULL: as it is. Holds for the next I/O of its devices */
};
/* All of it or nothing. -EBUSY: it is being changed. */
void pool_change(struct lunmgr *m, const char *name_or_id,
                 const struct pool_change *change, pool_done_fn done, void *arg);
/* -EBUSY while it has volumes or is being checked. The device's superblock is wiped, a
 * file stays. */
void pool_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);
/* A job that walks the committed map in one snapshot and repairs nothing; its outcome is
 * the report. Answered when the job is there. -EBUSY: one is under way; e names it. */
void pool_check(struct lunmgr *m, const char *name_or_id, job_done_fn done, void *arg);

typedef void (*device_done_fn)(void *arg, struct device *device, const struct err *e);

/* As for pool_create, field path, size; its space can be used when it is answered.
 * -EBUSY: the pool's devices are being changed. */
void pool_device_add(struct lunmgr *m, const char *pool,
                     const struct pool_device_spec *spec, device_done_fn done, void *arg);
/* A file is made larger, to size_bytes; of a block device (0) all is used that it has
 * now. -EINVAL: it has shrunk, or would. */
void pool_device_grow(struct lunmgr *m, const char *key, uint64_t size_bytes,
                      device_done_fn done, void *arg);

/* A job that moves all that is on the device to the others. -EBUSY: they have no room for
 * it, or it is under way or done already. What is cancelled or fails leaves the device
 * serving as before, with less on it. */
void pool_device_evacuate(struct lunmgr *m, const char *key, job_done_fn done, void *arg);
/* It is the pool's no more, and its superblock is wiped; a file stays. -EBUSY: it has not
 * been evacuated, or is the last one. */
void pool_device_remove(struct lunmgr *m, const char *key, done_fn done, void *arg);

struct pool *pool_find(struct lunmgr *m, const char *name_or_id);
struct pool *pool_next(struct lunmgr *m, const struct pool *prev);
struct pool *pool_walk(struct lunmgr *m, struct row_walk *walk);
void pool_describe(const struct pool *pool, struct pool_info *out);

/* "POOL/DEVICE": the pool by name or id, the device by id or slot number; or an id alone,
 * or what pool_device_key made. NULL: there is none. */
struct device *pool_device_find(struct lunmgr *m, const char *key);
/* Of one pool, by slot; after NULL: the first. */
struct device *pool_device_next(const struct pool *pool, const struct device *prev);
/* Of all pools, in the order of their keys: the first after walk->after. */
struct device *pool_device_walk(struct lunmgr *m, struct row_walk *walk);
/* "POOL!0001"; what the keys of a pool's devices begin with: "POOL!". */
#define POOL_DEVICE_KEY_MAX (VOLUME_NAME_MAX + 8)
void pool_device_key(const struct device *device, char key[POOL_DEVICE_KEY_MAX]);
void pool_device_key_prefix(const struct pool *pool, char key[POOL_DEVICE_KEY_MAX]);
void pool_device_describe(const struct device *device, struct pool_device_info *out);

/* Any thread, while a volume of it is held; without a lock. Extents of 64 KiB: how many
 * it has, and how many of them are free and on devices that serve (where none does any
 * more: on any). */
uint64_t pool_extents(const struct pool *pool);
uint64_t pool_free_extents(const struct pool *pool);
/* Extents not free, on whichever device. */
uint64_t pool_used_extents(const struct pool *pool);
/* Free ones in bytes, with what is free as soon as it is given back to what lies below.
 */
uint64_t pool_free_bytes(const struct pool *pool);

#endif
