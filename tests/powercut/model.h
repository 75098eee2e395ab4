/* SPDX-License-Identifier: Apache-2.0 */
/* A pool as its users see it: devices; volumes, each with what it may hold
 * (tests/lib/oracle.h), and their snapshots, each with what it holds for ever once it has
 * been read. A change by the API is a value: it is applied when it has been answered, or
 * when the restart after a power cut shows that it took place; half of one is an offence.
 * The control thread's, but for the lists, which the mains' lock guards. */
#ifndef TESTS_POWERCUT_MODEL_H
#define TESTS_POWERCUT_MODEL_H

#include "tests/lib/oracle.h"
#include "tests/lib/pool_rig.h"

#define MODEL_GROUP_MAX   4
#define MODEL_DEVICES_MAX 4

enum model_evacuation {
    MODEL_SERVES,
    MODEL_LEAVES, /* its job runs, as far as is known */
    MODEL_EMPTY,  /* it may be removed */
};

struct model_device {
    char path[300];
    struct cut_disk *disk;
    bool is_member;
    /* What is not: as long as its file is, or is to be made. */
    uint64_t bytes;
    bool carries; /* what is not: perhaps a superblock, so that it wants force */
    enum model_evacuation evacuation;
    char job[VOLUME_ID_MAX]; /* of the evacuation */
    bool cancel_asked;       /* of the job */
    bool job_may_fail;       /* something failed since it began */
};

struct model_snapshot {
    struct model_snapshot *next; /* younger */
    char name[VOLUME_NAME_MAX];
    uint64_t bytes;
    struct image *image;   /* NULL: not read yet */
    uint64_t since, until; /* of its making: the instant lies between */
    unsigned group;        /* those of one call */
};

struct model_volume {
    struct model_volume *next;
    char name[VOLUME_NAME_MAX];
    uint32_t block_bytes;
    bool trashed;
    struct oracle *oracle;
    struct oracle_cut cut; /* the last one */
    bool is_cut;           /* and has not been read since */
    struct model_snapshot *snapshots;
    /* Of its reservations (reservations.c), by number, 0: none. The last that was
     * answered, and the last that was asked for, which is under way or is the same,
     * unless the mains have fallen. */
    uint64_t kept, asked;
    bool reserves; /* it is under way */
};

struct model {
    struct power *power;
    struct oracle_world *world;
    struct model_volume *volumes;
    struct model_device devices[MODEL_DEVICES_MAX];
    unsigned device_count;
    unsigned next_name, next_group;
    uint64_t next_reservation;
};

enum change_kind {
    CHANGE_NONE,
    CHANGE_CREATE, /* name, bytes, block_bytes; image: a clone's */
    CHANGE_DELETE,
    CHANGE_TRASH,
    CHANGE_RESTORE,
    CHANGE_RENAME,   /* name */
    CHANGE_RESIZE,   /* bytes */
    CHANGE_SNAPSHOT, /* volumes, name, since, until */
    CHANGE_UNSNAP,
    CHANGE_ROLLBACK, /* snapshot; name: of what is kept, image: what that holds */
    CHANGE_ADD,      /* device, bytes */
    CHANGE_GROW,     /* device, bytes */
    CHANGE_EVACUATE, /* device, after_job; job: when it is known */
    CHANGE_CANCEL,   /* device, job */
    CHANGE_REMOVE,   /* device */
};

struct change {
    enum change_kind kind;
    struct model_volume *volumes[MODEL_GROUP_MAX]; /* the first: what it is about */
    unsigned volume_count;
    struct model_snapshot *snapshot;
    struct model_device *device;
    uint64_t after_job; /* the youngest job's number, before */
    char job[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    uint64_t bytes;
    uint32_t block_bytes;
    struct image *image; /* the change's own reference */
    uint64_t since, until;
    uint64_t record; /* its number in the audit log's entry, which is its subject */
};

void model_init(struct model *m, struct power *power);
void model_fini(struct model *m);
/* A name that nothing ever had. */
void model_name(struct model *m, const char *kind, char name[VOLUME_NAME_MAX]);
void model_apply(struct model *m, const struct change *c);
/* The mains have just fallen: under their lock. */
void model_on_fall(void *arg);

/* Whether it took place, as lunmgr shows it: 1, 0; -1: half of it. Finds out its job. */
int change_has_happened(struct change *c, struct lunmgr *manager);
void change_fini(struct change *c);
struct volume *model_find(const struct model_volume *v, struct lunmgr *manager);
struct volume *model_find_snapshot(const struct model_volume *v,
                                   const struct model_snapshot *s,
                                   struct lunmgr *manager);
unsigned model_snapshot_count(const struct model_volume *v);
/* NULL: it is not in the pool. */
struct device *model_find_device(const struct model_device *d, struct lunmgr *manager);
unsigned model_member_count(const struct model *m);

#endif
