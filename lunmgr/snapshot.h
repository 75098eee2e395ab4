/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: names for sealed layers. A snapshot is a struct volume that nobody writes:
 * it has an identity of its own (id, NAA), can be mapped (read-only), read by volume_io.h
 * and cloned (volume_create). Its name is one of its volume's: VOLUME/NAME in full.
 * Several volumes' snapshots of one instant form a group. Control thread. */
#ifndef LUNMGR_SNAPSHOT_H
#define LUNMGR_SNAPSHOT_H

#include "lunmgr/volume.h"

#define SNAPSHOT_VOLUMES_MAX 64
#define SNAPSHOT_KEY_MAX     (2 * VOLUME_NAME_MAX) /* "VOLUME/NAME" and its NUL */

struct snapshot_spec {
    const char *const *volumes; /* names or ids, all of one pool, each once */
    size_t volume_count;        /* 1 to SNAPSHOT_VOLUMES_MAX; 2 and more are a group */
    const char *name;           /* of each volume's snapshot */
    bool group;                 /* a group also if volume_count is 1 */
    struct label_list labels;
};

struct snapshot_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX]; /* without its volume's */
    char volume_id[VOLUME_ID_MAX];
    char volume_name[VOLUME_NAME_MAX];
    char pool_id[VOLUME_ID_MAX];
    char pool_name[VOLUME_NAME_MAX];
    char group_id[VOLUME_ID_MAX]; /* "": alone */
    uint64_t size_bytes;
    uint32_t block_bytes;
    uint32_t physical_bytes;
    uint64_t allocated_bytes;                        /* of extents that its layer owns */
    uint64_t used_bytes, unique_bytes, shared_bytes; /* as a volume's */
    char naa[33];
    char serial[17];
    int64_t created_s;
    uint32_t mapping_count;
    uint32_t clone_count; /* volumes, live or in the trash, made of it */
    bool is_protected;
    struct label_list labels;
};

/* snapshots: in the order of spec.volumes, borrowed for the call. On failure NULL and
 * nothing was made. */
typedef void (*snapshot_done_fn)(void *arg, struct volume *const *snapshots, size_t count,
                                 const struct err *e);

/* All at one instant: writes that were answered before the call are in, those sent after
 * the answer are not. Answered when durable. Writers wait for one drain of the writes
 * under way, whatever else is dirty. -ENOENT, -EEXIST (name), -EINVAL (field volumes/N),
 * -EBUSY (a rollback or change of size is under way), -EIO (the pool failed). */
void snapshot_create(struct lunmgr *m, const struct snapshot_spec *spec,
                     snapshot_done_fn done, void *arg);
/* -EBUSY while mapped or protected. Clones stay whole. Constant time: the layer is merged
 * into its neighbour in the background. */
void snapshot_delete(struct lunmgr *m, const char *key_or_id, done_fn done, void *arg);
/* name, is_protected and labels of a volume_change; the others must not be set. */
void snapshot_change(struct lunmgr *m, const char *key_or_id,
                     const struct volume_change *change, volume_done_fn done, void *arg);

/* By VOLUME/NAME or id. NULL: none, or its volume is in the trash. */
struct volume *snapshot_find(struct lunmgr *m, const char *key_or_id);
/* In order of the key; prev NULL: the first. */
struct volume *snapshot_next(struct lunmgr *m, const struct volume *prev);
struct volume *snapshot_walk(struct lunmgr *m, struct row_walk *walk);
/* "VOLUME/NAME": grows in the order of snapshot_next. */
void snapshot_key(const struct volume *snapshot, char key[SNAPSHOT_KEY_MAX]);
/* As many as snapshot_next finds. */
size_t snapshot_count(const struct lunmgr *m);
void snapshot_describe(const struct volume *snapshot, struct snapshot_info *out);
/* Of a volume, oldest first; prev NULL: the oldest. */
struct volume *volume_snapshot_next(const struct volume *volume,
                                    const struct volume *prev);
/* Any thread. */
bool volume_is_snapshot(const struct volume *volume);

#endif
