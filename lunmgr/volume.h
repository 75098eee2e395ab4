/* SPDX-License-Identifier: Apache-2.0 */
/* A thin virtual disk: a stack of layers, the top one written. Control thread, save for
 * the functions marked "any thread"; reactors do I/O by volume_io.h. */
#ifndef LUNMGR_VOLUME_H
#define LUNMGR_VOLUME_H

#include "base/err.h"
#include "base/modes.h"
#include "base/qos.h"
#include "base/registration.h"
#include "lunmgr/row_walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lunmgr;
struct pool;
struct volume;

#define VOLUME_NAME_MAX  64 /* with NUL; [A-Za-z0-9][A-Za-z0-9._-]* */
#define VOLUME_ID_MAX    37
#define VOLUME_BYTES_MAX (128ULL << 40)

/* What an admin notes of a volume or a snapshot: key=value. Keys are unique in a list. */
#define LABEL_KEY_MAX   64  /* with NUL; as a volume's name */
#define LABEL_VALUE_MAX 256 /* with NUL; UTF-8, may be empty */
#define LABEL_COUNT_MAX 32
struct label {
    char key[LABEL_KEY_MAX];
    char value[LABEL_VALUE_MAX];
};
struct label_list { /* borrowed wherever it is passed */
    const struct label *labels;
    size_t count;
};

struct volume_spec {
    const char *id; /* lunmgr's own: what it is to have. NULL: a new one */
    const char *name;
    const char *pool; /* name or id; NULL with snapshot: the snapshot's */
    /* A multiple of 4096, 1 block to VOLUME_BYTES_MAX. With snapshot: 0, as large as
     * that, or larger. */
    uint64_t size_bytes;
    uint32_t block_bytes; /* logical block: 512 (default, 0) or 4096. A clone's is the
                             snapshot's: 0, or the same */
    /* What it says its physical block is: 4096 (default, 0), or 512 for initiators that
     * refuse 512e; at least block_bytes. Writes are costly below 4096 all the same. A
     * clone's as block_bytes. */
    uint32_t physical_bytes;
    const char *snapshot; /* NULL, or what it is a clone of: VOLUME/SNAPSHOT or an id */
    bool is_protected;
    bool zero_detect;
    uint64_t guaranteed_bytes;    /* at most its size; counted in extents. 0: none */
    const struct qos_change *qos; /* NULL: unlimited, a clone too */
    struct label_list labels;
};

struct volume_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    char pool_id[VOLUME_ID_MAX];
    char pool_name[VOLUME_NAME_MAX];
    uint64_t size_bytes;
    uint32_t block_bytes;
    uint32_t physical_bytes;
    uint64_t allocated_bytes; /* of extents that it owns */
    /* By layers: in extents of its own and of those that it stands on, what was
     * overwritten since too; in its own, unless a copy shares them; the rest of these. */
    uint64_t used_bytes, unique_bytes, shared_bytes;
    uint64_t guaranteed_bytes;
    uint64_t reserved_bytes; /* of these: not taken yet, in whole extents */
    char naa[33];            /* NAA type 6 designator, 32 hex digits */
    char serial[17];         /* VPD 80h */
    int64_t created_s;
    uint32_t mapping_count;
    uint32_t snapshot_count;
    char
        clone_of[VOLUME_ID_MAX]; /* the snapshot's id, also when that is gone; "": none */
    bool is_protected;           /* delete, shrink and rollback are refused */
    bool zero_detect;            /* a WRITE of zeros alone takes no space */
    int64_t trashed_s;           /* 0: not in the trash */
    int64_t purge_s;             /* when the trash lets it go; 0 as above */
    struct qos qos;              /* a snapshot has none */
    struct label_list labels;    /* in order of key; with the volume */
};

/* done: on the control thread, never inside the call, when the change is durable. On
 * failure volume is NULL and e says which field and why: -EINVAL, -EEXIST, -ENOENT
 * (pool), -EBUSY. */
typedef void (*volume_done_fn)(void *arg, struct volume *volume, const struct err *e);
typedef void (*done_fn)(void *arg, const struct err *e); /* e: NULL if it worked */

/* Also clones: the new volume's stack begins at the snapshot's layer. */
void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg);

/* What is to change, in one transaction; what is not named stays. */
struct volume_change {
    const char *name;         /* NULL: stays. -EEXIST: taken */
    uint64_t size_bytes;      /* 0: stays. Smaller: -EINVAL without allow_data_loss */
    bool allow_data_loss;     /* a shrink's blocks beyond the new end are lost for good */
    const bool *is_protected; /* NULL: stays */
    const bool *zero_detect;
    const uint64_t *guaranteed_bytes; /* -ENOSPC: the pool has not as much left */
    const struct qos_change *qos;     /* NULL: stays */
    const struct label_list *labels;  /* all of them, anew */
};
/* Answered when durable; a new size, when every reactor serves it (initiators get the
 * capacity unit attention), new limits, when every reactor applies them. -EBUSY:
 * protected and to be shrunk (unless is_protected false comes along), or another change
 * of its size or layers is under way. */
void volume_change(struct lunmgr *m, const char *name_or_id,
                   const struct volume_change *change, volume_done_fn done, void *arg);

/* Into the trash for lunmgr_options.trash_retention_s, its snapshots with it; from there
 * it can be restored. purge, or a retention of 0: gone for good, its snapshots with it
 * (clones of them stay whole). -EBUSY while it or a snapshot of it is mapped, or
 * protected. Constant time; the space returns in the background. */
void volume_delete(struct lunmgr *m, const char *name_or_id, bool purge, done_fn done,
                   void *arg);

/* Back to a snapshot of its own: a new top layer above the snapshot's. What it held
 * before is kept as a snapshot named keep_name (NULL: "rollback-" and the time).
 * -EBUSY: it is mapped and sessions see it, unless fence: then its commands are ended and
 * held meanwhile, and initiators get a unit attention (28h/00h); or it is protected. The
 * size is the snapshot's after. */
struct rollback_spec {
    const char *snapshot; /* NAME, VOLUME/NAME or an id */
    const char *keep_name;
    bool fence;
};
void volume_rollback(struct lunmgr *m, const char *name_or_id,
                     const struct rollback_spec *spec, volume_done_fn done, void *arg);

/* The trash: by id, or by name if only one of that name is in it. */
struct volume *volume_trash_find(struct lunmgr *m, const char *name_or_id);
/* In order of id. */
struct volume *volume_trash_next(struct lunmgr *m, const struct volume *prev);
struct volume *volume_trash_walk(struct lunmgr *m, struct row_walk *walk);
size_t volume_trash_count(const struct lunmgr *m);
/* name NULL: its old one. -EEXIST: taken meanwhile. */
void volume_restore(struct lunmgr *m, const char *name_or_id, const char *name,
                    volume_done_fn done, void *arg);
/* From the trash, for good. */
void volume_purge(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);

/* NULL: none. Borrowed: until the control thread's next turn, unless volume_get. */
struct volume *volume_find(struct lunmgr *m, const char *name_or_id);
/* In order of name; prev NULL: the first. */
struct volume *volume_next(struct lunmgr *m, const struct volume *prev);
struct volume *volume_walk(struct lunmgr *m, struct row_walk *walk);
void volume_describe(const struct volume *volume, struct volume_info *out);

/* Its limits. */
const struct qos *volume_qos(const struct volume *volume);

/* The mode parameters that an initiator has saved with it. False: none, *out is
 * untouched.
 */
bool volume_saved_modes(const struct volume *volume, struct modes *out);
/* done when they are durable, or why they are not. The volume is mapped until then. */
void volume_save_modes(struct volume *volume, const struct modes *modes, done_fn done,
                       void *arg);

/* The persistent reservation that is kept with it (APTPL). Borrowed: until the next is.
 * NULL: none. A clone or a snapshot begins with none; a rollback, a restart, the trash
 * and an export do not change it; it goes with the volume. */
const struct kept_reservation *volume_kept_reservation(const struct volume *volume);
/* kept takes the place of what was kept; the volume's from now on (free). NULL: none is
 * kept any more. done when that is durable, or why it is not: then what was kept before
 * is. The volume is mapped until then, and the caller asks for one at a time. */
void volume_keep_reservation(struct volume *volume, struct kept_reservation *kept,
                             done_fn done, void *arg);

/* Any thread. */
void volume_get(struct volume *volume);
void volume_put(struct volume *volume);
uint64_t volume_size_bytes(const struct volume *volume);
uint32_t volume_block_bytes(const struct volume *volume);
uint32_t volume_physical_bytes(const struct volume *volume);
struct pool *volume_pool(const struct volume *volume); /* as long as the volume */
/* That it owns, now. Takes a lock that no I/O waits for. */
uint64_t volume_used_extents(const struct volume *volume);
/* Of so many free extents of its pool those that are reserved for no other volume. */
uint64_t volume_available_extents(const struct volume *volume, uint64_t free_extents);
const char *volume_id(const struct volume *volume);
const uint8_t *volume_naa(const struct volume *volume); /* 16 bytes */
const char *volume_serial(const struct volume *volume); /* 16 hex digits */

#endif
