/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog: everything Ashlar must remember but the blocks themselves, in one SQLite
 * database. This header is its whole public face: typed rows, no SQL.
 *
 * Threads. Exactly one connection writes and checkpoints, on the writer thread; a few
 * reader threads hold read-only connections. Nobody else calls SQLite: reactors and the
 * control thread hand in jobs and are answered through their inbox. Work functions run on
 * a db thread and use the row functions below with the transaction that they are given.
 *
 * Durability. A write job is answered with rc 0 only when its transaction is committed
 * with synchronous=FULL. Jobs that wait together share one commit; each is a savepoint,
 * so that a failed one takes nothing else with it. */
#ifndef DB_CATALOG_H
#define DB_CATALOG_H

#include "base/alua.h"
#include "base/audit_chain.h"
#include "base/auth.h"
#include "base/err.h"
#include "base/inbox.h"
#include "base/modes.h"
#include "base/qos.h"
#include "base/registration.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CATALOG_ID_MAX        37 /* UUID text and its NUL */
#define CATALOG_PROFILE_MAX   12
#define CATALOG_NAME_MAX      64  /* with NUL: names of pools, volumes, hosts, tokens */
#define CATALOG_INITIATOR_MAX 224 /* with NUL: RFC 7143, 4.2.7.1 allows 223 bytes */
#define CATALOG_PATH_MAX      1024
#define CATALOG_LABEL_MAX     256 /* with NUL: a label's value */
#define CATALOG_HASH_BYTES    32
#define CATALOG_NAA_BYTES     16
#define CATALOG_SCOPE_MAX     16 /* with NUL, as the next three */
#define CATALOG_PRINCIPAL_MAX 64
#define CATALOG_KEY_MAX       256
#define CATALOG_OPERATION_MAX 48
#define LEAF_WORDS            256  /* words in a leaf: 16 MiB of a volume */
#define BITMAP_BYTES          2048 /* allocation bits of 1 GiB: 16,384 extents */

struct catalog;
struct catalog_txn;
struct catalog_job;

struct catalog_options {
    const char *dir;          /* state directory; holds catalog.db and its lock file */
    unsigned reader_count;    /* 1 to 8 */
    bool by_hand;             /* for tests: no threads, jobs wait for catalog_turn() */
    const char *mirror_dir;   /* its mirror's; NULL: it has none */
    unsigned mirror_retry_ms; /* a failed mirror begins again after; 0: 30 s */
};

/* Blocking; main's thread before others start. Creates an empty catalog where there is
 * none, migrates an older one. -EBUSY: another daemon or tool has it. -EPROTO: its schema
 * is newer than this program (both numbers named). -EUCLEAN: not a database, a foreign
 * one, or one with a damaged delta. With a mirror: it is current when this returns, or
 * has failed. -ENOENT: the catalog is not there but its mirror is. -ESTALE: it is older
 * than its mirror. -EUCLEAN: the mirror is another box's. */
int catalog_open(const struct catalog_options *options, struct catalog **out,
                 struct err *e) MUST_CHECK;
/* Blocking: ends the queued jobs, checkpoints, closes. NULL is allowed. */
void catalog_close(struct catalog *c);

/* Blocking, without a catalog open: makes the catalog of dir from a mirror's directory
 * or a backup's file, then opens and closes it. -EEXIST: there is one. -EBUSY: a daemon
 * has dir or the mirror. -ENOENT: the directory holds no current mirror. Others as
 * catalog_open. Whether its devices take it, the next start says. */
int catalog_restore(const char *dir, const char *from, struct err *e) MUST_CHECK;

/* ---- What ties it to devices and to its mirror ----------------------------------------
 */

enum catalog_mirror_state {
    CATALOG_MIRROR_OFF,     /* there is none */
    CATALOG_MIRROR_COPYING, /* being made */
    CATALOG_MIRROR_CURRENT, /* every commit that was answered is in it */
    CATALOG_MIRROR_FAILED,  /* commits go on without it */
};
struct catalog_mirror_info {
    enum catalog_mirror_state state;
    char reason[ERR_TEXT_MAX]; /* of a failure, else "" */
};
/* Any thread. */
void catalog_mirror(struct catalog *c, struct catalog_mirror_info *out);

/* What the catalog asks for, on the writer's thread. */
struct catalog_hooks {
    void *arg;
    /* Whether the device of that number can be stamped now. */
    bool (*can_stamp)(void *arg, uint32_t device_no);
    /* Writes the generation into the device's superblock and syncs it. Non-zero: it has
     * the old one or the new one, and is not used any more. */
    int (*stamp)(void *arg, uint32_t device_no, uint64_t generation);
    void (*mirror_changed)(void *arg);
};
/* While no job is under way; NULL: none any more. hooks stay the caller's. */
void catalog_set_hooks(struct catalog *c, const struct catalog_hooks *hooks);

/* Raises the generation of all devices that can be stamped, in the catalog and in their
 * superblocks, so that every copy of the catalog made before is older than they are: at
 * each start, after a backup, at an orderly end. job->work is ignored. Any thread. The
 * catalog does the same by itself before it answers the first commit that a mirror lacks.
 */
void catalog_raise(struct catalog *c, struct catalog_job *job);
int catalog_raise_wait(struct catalog *c, struct err *e) MUST_CHECK;
/* The same if anything was written since the last time; else nothing. */
void catalog_raise_changed(struct catalog *c, struct catalog_job *job);
int catalog_raise_changed_wait(struct catalog *c, struct err *e) MUST_CHECK;

/* ---- Jobs -------------------------------------------------------------------------- */

struct catalog_job {
    struct note note;       /* the catalog's until done() */
    struct inbox *reply_to; /* whose thread runs done() */
    /* On a db thread. Non-zero rolls this job back and becomes rc. */
    int (*work)(struct catalog_txn *txn, struct catalog_job *job, struct err *e);
    /* On reply_to's thread; rc and err are set. The job is the caller's again. */
    void (*done)(struct catalog_job *job);
    int rc;
    struct err err;
};

/* Any thread. The job stays in place until done(). */
void catalog_write(struct catalog *c, struct catalog_job *job);
void catalog_read(struct catalog *c, struct catalog_job *job);

/* Blocking twins for start, stop and tests: work runs on a db thread while the caller
 * waits. */
typedef int (*catalog_work_fn)(struct catalog_txn *txn, void *arg, struct err *e);
int catalog_write_wait(struct catalog *c, catalog_work_fn work, void *arg,
                       struct err *e) MUST_CHECK;
int catalog_read_wait(struct catalog *c, catalog_work_fn work, void *arg,
                      struct err *e) MUST_CHECK;

/* By hand: runs a reader's job, or a group of the writer's, or (idle: nothing will come
 * soon) a checkpoint. False: there was none. */
bool catalog_turn_reader(struct catalog *c);
bool catalog_turn_writer(struct catalog *c, bool idle);

/* Copies the whole catalog, online, to a new file at path (which must not exist), through
 * a reader, then syncs it. job->work is ignored. Any thread. */
void catalog_backup(struct catalog *c, const char *path, struct catalog_job *job);

/* ---- Rows: on a db thread, inside work() ------------------------------------------- */
/* Adding: -EEXIST with the field at fault when a name, id or LUN is taken. Removing and
 * changing: -ENOENT. Listing: calls each() in order of name or key until it returns
 * non-zero, which is passed on; the row is borrowed for the call. After a failed change
 * the job must fail too: part of the change may be in its savepoint. */

struct box_row {             /* one row, made with the catalog */
    char id[CATALOG_ID_MAX]; /* "" until the first box_set */
    uint64_t naa_serial;     /* last volume serial handed out; never goes back */
    uint64_t generation;     /* raised at each start */
    bool clean;              /* the last daemon stopped in order */
};
int box_get(struct catalog_txn *txn, struct box_row *out, struct err *e) MUST_CHECK;
/* -EINVAL: naa_serial would go back. */
int box_set(struct catalog_txn *txn, const struct box_row *row, struct err *e) MUST_CHECK;

struct pool_row {
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    int64_t created_s;               /* seconds since 1970 UTC */
    uint32_t overcommit_cap_percent; /* 0: none */
    char usage_thresholds[20];       /* percents in ascending order: "75 90" */
    bool page_cache;                 /* its devices are read and written through it */
};
int pool_row_add(struct catalog_txn *txn, const struct pool_row *row,
                 struct err *e) MUST_CHECK;
/* What an admin may change of it. */
int pool_row_change(struct catalog_txn *txn, const struct pool_row *row,
                    struct err *e) MUST_CHECK;
/* -EBUSY while it has volumes or layers. Its devices and bitmaps go with it. */
int pool_row_remove(struct catalog_txn *txn, const char *id, struct err *e) MUST_CHECK;
int pool_row_each(struct catalog_txn *txn,
                  int (*each)(const struct pool_row *row, void *arg), void *arg,
                  struct err *e) MUST_CHECK;

struct device_row {
    uint32_t no; /* catalog-wide number, from 1, never reused; set by device_row_add */
    char id[CATALOG_ID_MAX];
    char pool_id[CATALOG_ID_MAX];
    uint16_t slot; /* in its pool's words, from 1 */
    char path[CATALOG_PATH_MAX];
    uint64_t extents;    /* with extent 0, the superblock's */
    uint64_t generation; /* as in the device's superblock */
    uint8_t evacuation;  /* 0: it serves, 1: it is being evacuated, 2: it was */
};
int device_row_add(struct catalog_txn *txn, struct device_row *row,
                   struct err *e) MUST_CHECK;
int device_row_set_generation(struct catalog_txn *txn, uint32_t no, uint64_t generation,
                              struct err *e) MUST_CHECK;
/* -ENOENT also: it has more already. */
int device_row_set_extents(struct catalog_txn *txn, uint32_t no, uint64_t extents,
                           struct err *e) MUST_CHECK;
/* 0 also: there is no such device. */
int device_row_set_evacuation(struct catalog_txn *txn, const char *id, uint8_t evacuation,
                              struct err *e) MUST_CHECK;
/* Its bitmaps go with it. */
int device_row_remove(struct catalog_txn *txn, uint32_t no, struct err *e) MUST_CHECK;
int device_row_each(struct catalog_txn *txn,
                    int (*each)(const struct device_row *row, void *arg), void *arg,
                    struct err *e) MUST_CHECK;

/* A layer's number is never reused and is at most LAYER_ID_MAX: it makes leaf keys. */
#define LAYER_ID_MAX 0xffffffffU
enum layer_state { LAYER_LIVE = 0, LAYER_DROPPING = 1 };
struct layer_row {
    uint32_t id; /* 0: set by layer_row_add; else one that no layer ever had */
    char pool_id[CATALOG_ID_MAX];
    uint32_t parent; /* 0: none */
    enum layer_state state;
    uint64_t size_extents;   /* of volume; bounds the leaves */
    uint64_t used_extents;   /* words that name an extent with valid blocks */
    uint64_t shared_extents; /* of these: those that a copy has shared */
};
int layer_row_add(struct catalog_txn *txn, struct layer_row *row,
                  struct err *e) MUST_CHECK;
int layer_row_set_state(struct catalog_txn *txn, uint32_t id, enum layer_state state,
                        struct err *e) MUST_CHECK;
int layer_row_set_size(struct catalog_txn *txn, uint32_t id, uint64_t size_extents,
                       struct err *e) MUST_CHECK;
/* parent 0: none from now on. */
int layer_row_set_parent(struct catalog_txn *txn, uint32_t id, uint32_t parent,
                         struct err *e) MUST_CHECK;
/* `to` takes the place of `from`: whose parent is `from` gets `to`, the volume or
 * snapshot whose top is `from` too. 0 also if there are none. */
int layer_row_replace(struct catalog_txn *txn, uint32_t from, uint32_t to,
                      struct err *e) MUST_CHECK;
/* The lowest number that no layer ever had. */
int layer_next_id(struct catalog_txn *txn, uint32_t *id, struct err *e) MUST_CHECK;
/* -EBUSY while words that are not 0 or child layers are left. */
int layer_row_remove(struct catalog_txn *txn, uint32_t id, struct err *e) MUST_CHECK;
/* -ENOENT: there is no such layer. */
int layer_row_get(struct catalog_txn *txn, uint32_t id, struct layer_row *out,
                  struct err *e) MUST_CHECK;
int layer_row_each(struct catalog_txn *txn,
                   int (*each)(const struct layer_row *row, void *arg), void *arg,
                   struct err *e) MUST_CHECK;

/* A snapshot is a row of the same kind whose top layer is sealed. Names are unique among
 * the volumes that are not in the trash, and among the snapshots of one volume. */
enum volume_kind { VOLUME_PLAIN = 0, VOLUME_SNAPSHOT = 1 };
struct volume_row {
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    char pool_id[CATALOG_ID_MAX];
    uint32_t top_layer;
    uint64_t size_bytes;
    uint32_t block_bytes;    /* logical: 512 or 4096 */
    uint32_t physical_bytes; /* what it says: 512 or 4096, at least block_bytes */
    uint64_t naa_serial;     /* of box_row, made once */
    int64_t created_s;
    enum volume_kind kind;
    /* SNAPSHOT: the volume it is of, which exists. PLAIN: the snapshot that it was cloned
     * from, which may be gone; "": none. */
    char origin[CATALOG_ID_MAX];
    char group[CATALOG_ID_MAX]; /* SNAPSHOT: of those made at one instant; "": alone */
    int64_t trashed_s;          /* PLAIN: seconds since 1970 UTC; 0: not in the trash */
    bool is_protected;
    bool zero_detect;
    uint64_t
        wipe_bytes; /* a shrink's blocks up to here are not all cleared yet; 0: none */
    uint64_t guaranteed_bytes; /* PLAIN: of the pool's space, whatever others take */
};
int volume_row_add(struct catalog_txn *txn, const struct volume_row *row,
                   struct err *e) MUST_CHECK;
/* -ENOENT: there is no such volume or snapshot. */
int volume_row_get(struct catalog_txn *txn, const char *id, struct volume_row *out,
                   struct err *e) MUST_CHECK;
/* All but id, pool_id, block_bytes, physical_bytes, naa_serial, created_s and kind, which
 * stay. */
int volume_row_change(struct catalog_txn *txn, const struct volume_row *row,
                      struct err *e) MUST_CHECK;
/* -EBUSY while mapped, or while it has snapshots. Its labels go with it; its layers stay:
 * the caller sets their state. */
int volume_row_remove(struct catalog_txn *txn, const char *id, struct err *e) MUST_CHECK;
int volume_row_each(struct catalog_txn *txn,
                    int (*each)(const struct volume_row *row, void *arg), void *arg,
                    struct err *e) MUST_CHECK;

/* Volumes and snapshots whose identity is not what this box makes of their serial: of
 * pools that came from another one (db/pool_file.h). In order of volume id. */
int identity_row_each(struct catalog_txn *txn,
                      int (*each)(const char *volume_id,
                                  const uint8_t naa[CATALOG_NAA_BYTES], void *arg),
                      void *arg, struct err *e) MUST_CHECK;

/* A volume that is being sanitized (SBC-4, 4.11), or whose sanitize has failed. */
#define CATALOG_PATTERN_MAX 4096
#define SANITIZE_PASSES_MAX 31
struct sanitize_row {
    char volume_id[CATALOG_ID_MAX];
    bool failed;       /* it waits for its host; else the next start goes on with it */
    bool erases;       /* and gives all back: BLOCK ERASE; else OVERWRITE */
    bool unrestricted; /* AUSE: EXIT FAILURE MODE will do after a failure */
    bool inverts;      /* every second pass has the pattern's complement */
    uint8_t passes;    /* 1 to SANITIZE_PASSES_MAX */
    uint16_t pattern_bytes;
    uint8_t pattern[CATALOG_PATTERN_MAX];
};
/* In place of the volume's row, if it has one. */
int sanitize_row_set(struct catalog_txn *txn, const struct sanitize_row *row,
                     struct err *e) MUST_CHECK;
/* 0 also if there is none. A row goes with its volume, too. */
int sanitize_row_remove(struct catalog_txn *txn, const char *volume_id,
                        struct err *e) MUST_CHECK;
int sanitize_row_each(struct catalog_txn *txn,
                      int (*each)(const struct sanitize_row *row, void *arg), void *arg,
                      struct err *e) MUST_CHECK;

/* A volume's or snapshot's. Adding all: what was there before goes. */
struct label_row {
    char key[CATALOG_NAME_MAX];
    char value[CATALOG_LABEL_MAX];
};
int label_rows_set(struct catalog_txn *txn, const char *volume_id,
                   const struct label_row *rows, size_t count, struct err *e) MUST_CHECK;
/* In order of volume id, then of key. */
int label_row_each(struct catalog_txn *txn,
                   int (*each)(const char *volume_id, const struct label_row *row,
                               void *arg),
                   void *arg, struct err *e) MUST_CHECK;

/* Mode parameters that an initiator has saved, of a volume or a snapshot, with which they
 * go. Takes the place of what was there. -ENOENT: there is no such volume. */
int mode_row_set(struct catalog_txn *txn, const char *volume_id,
                 const struct modes *modes, struct err *e) MUST_CHECK;
/* In order of volume id. */
int mode_row_each(struct catalog_txn *txn,
                  int (*each)(const char *volume_id, const struct modes *modes,
                              void *arg),
                  void *arg, struct err *e) MUST_CHECK;

/* The persistent reservation that a volume or a snapshot keeps over a loss of power
 * (APTPL), with which it goes. Takes the place of what was there; kept NULL: none.
 * -ENOENT: there is no such volume. */
int reservation_row_set(struct catalog_txn *txn, const char *volume_id,
                        const struct kept_reservation *kept, struct err *e) MUST_CHECK;
/* In order of volume id. kept: borrowed for the call. */
int reservation_row_each(struct catalog_txn *txn,
                         int (*each)(const char *volume_id,
                                     const struct kept_reservation *kept, void *arg),
                         void *arg, struct err *e) MUST_CHECK;

/* Limits of I/O, of a volume or of a host, with which they go. None is no row. */
enum qos_owner { QOS_OF_VOLUME, QOS_OF_HOST };
/* In place of what was there. -ENOENT: there is no such volume or host. */
int qos_row_set(struct catalog_txn *txn, enum qos_owner of, const char *id,
                const struct qos *qos, struct err *e) MUST_CHECK;
/* In order of id. */
int qos_row_each(struct catalog_txn *txn, enum qos_owner of,
                 int (*each)(const char *id, const struct qos *qos, void *arg), void *arg,
                 struct err *e) MUST_CHECK;

struct host_row {
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    int64_t created_s;
    char profile[CATALOG_PROFILE_MAX];
};
/* initiators: names, each unique among all hosts ("any": the open mode, also at most
 * once). */
int host_row_add(struct catalog_txn *txn, const struct host_row *row,
                 const char *const *initiators, size_t count, struct err *e) MUST_CHECK;
/* Name, profile and initiator names as in row and initiators. */
int host_row_change(struct catalog_txn *txn, const struct host_row *row,
                    const char *const *initiators, size_t count,
                    struct err *e) MUST_CHECK;
/* -EBUSY while it has mappings. Its credentials and the tokens of its own go with it. */
int host_row_remove(struct catalog_txn *txn, const char *id, struct err *e) MUST_CHECK;
int host_row_each(struct catalog_txn *txn,
                  int (*each)(const struct host_row *row, void *arg), void *arg,
                  struct err *e) MUST_CHECK;
/* In order of host id, then of entry. */
int initiator_row_each(struct catalog_txn *txn,
                       int (*each)(const char *host_id, const char *initiator, void *arg),
                       void *arg, struct err *e) MUST_CHECK;

/* owner: a host's id, with which it goes, or "": the box. */
int auth_row_set(struct catalog_txn *txn, const char *owner, const struct auth *auth,
                 struct err *e) MUST_CHECK;
/* In order of owner. */
int auth_row_each(struct catalog_txn *txn,
                  int (*each)(const char *owner, const struct auth *auth, void *arg),
                  void *arg, struct err *e) MUST_CHECK;

/* No row is kept of what is as by default. */
int port_group_row_set(struct catalog_txn *txn, uint16_t tag,
                       const struct alua_access *access, struct err *e) MUST_CHECK;
/* In order of tag. */
int port_group_row_each(struct catalog_txn *txn,
                        int (*each)(uint16_t tag, const struct alua_access *access,
                                    void *arg),
                        void *arg, struct err *e) MUST_CHECK;

struct mapping_row {
    char id[CATALOG_ID_MAX];
    char volume_id[CATALOG_ID_MAX];
    char host_id[CATALOG_ID_MAX];
    uint16_t lun; /* 0 to 16383, unique for a host unless own_target */
    bool read_only;
    bool own_target; /* a target of its own; else a LUN of the shared one */
    int64_t created_s;
};
/* -EEXIST: that volume is mapped to that host already, or the LUN is taken (field says
 * which). */
int mapping_row_add(struct catalog_txn *txn, const struct mapping_row *row,
                    struct err *e) MUST_CHECK;
int mapping_row_remove(struct catalog_txn *txn, const char *id, struct err *e) MUST_CHECK;
/* In order of host id, then of LUN, then of id. */
int mapping_row_each(struct catalog_txn *txn,
                     int (*each)(const struct mapping_row *row, void *arg), void *arg,
                     struct err *e) MUST_CHECK;

struct token_row {
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    uint8_t hash[CATALOG_HASH_BYTES]; /* of the token, which is kept nowhere */
    int64_t created_s;
    char scope[CATALOG_SCOPE_MAX]; /* "read", "provision", "admin" or "attach" */
    char host_id[CATALOG_ID_MAX];  /* "attach": the host, with which it goes; else "" */
    int64_t expires_s;             /* seconds since 1970 UTC; 0: never */
};
/* -ENOENT, field host: there is no such host. */
int token_row_add(struct catalog_txn *txn, const struct token_row *row,
                  struct err *e) MUST_CHECK;
int token_row_remove(struct catalog_txn *txn, const char *id, struct err *e) MUST_CHECK;
int token_row_each(struct catalog_txn *txn,
                   int (*each)(const struct token_row *row, void *arg), void *arg,
                   struct err *e) MUST_CHECK;

/* An entry of the audit log. */
struct audit_row {
    struct audit_fields fields; /* the texts are borrowed */
    uint8_t hash[DIGEST_BYTES];
};
/* Sets fields.seq and hash. */
int audit_row_add(struct catalog_txn *txn, struct audit_row *row,
                  struct err *e) MUST_CHECK;
/* The last entry's; seq 0 and a hash of zeros: there is none. */
int audit_row_head(struct catalog_txn *txn, uint64_t *seq, uint8_t hash[DIGEST_BYTES],
                   struct err *e) MUST_CHECK;
/* At most `limit` of those after after_seq, in order. */
int audit_row_each(struct catalog_txn *txn, uint64_t after_seq, unsigned limit,
                   int (*each)(const struct audit_row *row, void *arg), void *arg,
                   struct err *e) MUST_CHECK;

/* What a principal asked for with an idempotency key, and what came of it. */
struct replay_row {
    char principal[CATALOG_PRINCIPAL_MAX];
    char key[CATALOG_KEY_MAX];
    uint8_t fingerprint[DIGEST_BYTES]; /* of the request */
    int64_t created_s;
    char operation[CATALOG_OPERATION_MAX];
    char subject_id[CATALOG_ID_MAX];
    int status; /* that it was answered with; 0: not known */
    char *body; /* the answer's; NULL: none, or not known */
};
struct replay_bounds {
    int64_t expired_s;  /* what was made then or before is as if it were not there */
    uint32_t count_max; /* the oldest make room for a new one */
};
/* Without the body. -EEXIST, field idempotency_key: the principal has used it. Some of
 * those out of bounds go. */
int replay_row_add(struct catalog_txn *txn, const struct replay_row *row,
                   const struct replay_bounds *bounds, struct err *e) MUST_CHECK;
/* 0, or the same -EEXIST. */
int replay_row_check(struct catalog_txn *txn, const char *principal, const char *key,
                     int64_t expired_s, struct err *e) MUST_CHECK;
/* -ENOENT: there is none. out->body is the caller's to free. */
int replay_row_get(struct catalog_txn *txn, const char *principal, const char *key,
                   int64_t expired_s, struct replay_row *out, struct err *e) MUST_CHECK;
/* body NULL: none. -ENOENT: there is no such row (any more). */
int replay_row_answer(struct catalog_txn *txn, const char *principal, const char *key,
                      int status, const char *body, struct err *e) MUST_CHECK;

/* Long work that was asked for. The numbers of the states are the catalog's. */
enum job_state { JOB_RUNNING = 0, JOB_DONE = 1, JOB_FAILED = 2, JOB_CANCELLED = 3 };
#define CATALOG_JOB_KIND_MAX    32
#define CATALOG_JOB_OUTCOME_MAX 512
struct job_row {
    uint64_t no; /* by age, from 1, never reused; set by job_row_add */
    char id[CATALOG_ID_MAX];
    char kind[CATALOG_JOB_KIND_MAX];
    char subject[CATALOG_NAME_MAX]; /* its name when the job was made */
    char subject_id[CATALOG_ID_MAX];
    int64_t created_s;
    int64_t ended_s; /* 0: it has not */
    enum job_state state;
    bool cancel_asked;
    uint64_t units_done;
    uint64_t units_total; /* 0: not known (yet) */
    /* DONE: lines NAME=VALUE, each with its newline; a value is a decimal number, "yes"
     * or "no". */
    char outcome[CATALOG_JOB_OUTCOME_MAX];
    char error[ERR_TEXT_MAX]; /* FAILED: why */
};
/* A running one, of which nothing is done: id, kind, subject, subject_id, created_s. */
int job_row_add(struct catalog_txn *txn, struct job_row *row, struct err *e) MUST_CHECK;
/* -ENOENT: it is not running. */
int job_row_ask_cancel(struct catalog_txn *txn, uint64_t no, struct err *e) MUST_CHECK;
int job_row_set_progress(struct catalog_txn *txn, uint64_t no, uint64_t units_done,
                         uint64_t units_total, struct err *e) MUST_CHECK;
/* ended_s, state, units, outcome and error of `no`. -ENOENT: it is not running. */
int job_row_end(struct catalog_txn *txn, const struct job_row *row,
                struct err *e) MUST_CHECK;
/* Of those that have ended: the ones before that time, and the ones with a lower number.
 * 0 also if there are none. */
int job_rows_forget(struct catalog_txn *txn, int64_t ended_before_s, uint64_t first_no,
                    struct err *e) MUST_CHECK;
/* In order of number. */
int job_row_each(struct catalog_txn *txn,
                 int (*each)(const struct job_row *row, void *arg), void *arg,
                 struct err *e) MUST_CHECK;

/* What a job of kind volume-copy copies. */
struct copy_row {
    char job_id[CATALOG_ID_MAX];
    char source_id[CATALOG_ID_MAX];   /* a volume's */
    char snapshot_id[CATALOG_ID_MAX]; /* its snapshot that was asked for; "": none */
    char to_id[CATALOG_ID_MAX];       /* a volume's, that may not be there yet: */
    char name[CATALOG_NAME_MAX];      /* of one that the job makes; "": it is there */
    char pool_id[CATALOG_ID_MAX];     /* where it is made */
    uint64_t from_bytes, to_bytes, length_bytes; /* length 0: all, at one moment */
};
/* After its job's row, with which it goes. */
int copy_row_add(struct catalog_txn *txn, const struct copy_row *row,
                 struct err *e) MUST_CHECK;
/* -ENOENT. */
int copy_row_get(struct catalog_txn *txn, const char *job_id, struct copy_row *out,
                 struct err *e) MUST_CHECK;

/* ---- The map ----------------------------------------------------------------------- */

/* extent key = layer id << 31 | extent index of the volume; leaf key = extent key >> 8.
 * A volume has at most 2^31 extents (128 TiB). Both are positive SQLite integers. */
#define EXTENT_INDEX_BITS 31
static inline uint64_t extent_key(uint32_t layer, uint32_t extent_index)
{
    return (uint64_t)layer << EXTENT_INDEX_BITS | extent_index;
}
static inline uint64_t leaf_key_of(uint64_t extent)
{
    return extent / LEAF_WORDS;
}

struct word_change {
    uint64_t key;  /* extent key */
    uint64_t word; /* as lunmgr/word.h packs it, with nothing of memory only in it */
};
struct bitmap_change {
    uint32_t device_no;
    uint32_t gib; /* which 1 GiB of the device */
    uint32_t free_extents;
    uint8_t bits[BITMAP_BYTES]; /* 1: used; bit i of byte i/8 */
};
struct layer_count {
    uint32_t layer;
    uint64_t used_extents;
    uint64_t shared_extents; /* of these */
};
/* So many words more (or less) name each of a run of shared extents. One that a single
 * word names has no row, whether it was shared before or never. */
struct share_change {
    uint32_t device_no;
    int32_t change;
    uint64_t extent, extents;
};
struct share_row {
    uint32_t device_no;
    uint32_t count; /* of words that name each; 2 or more */
    uint64_t extent, extents;
};
struct extent_run {
    uint32_t device_no;
    uint64_t extent, extents;
};
/* They grow. */
struct extent_runs {
    struct extent_run *runs;
    size_t count, max;
};
/* -ENOMEM. */
int extent_runs_add(struct extent_runs *r, const struct extent_run *run) MUST_CHECK;
void extent_runs_fini(struct extent_runs *r);
/* What one round hands over. Words are sorted by key, each key once; each shared extent
 * is there once. */
struct round_changes {
    const struct word_change *words;
    size_t word_count;
    const struct layer_count *layers;
    size_t layer_count;
    const struct bitmap_change *bitmaps;
    size_t bitmap_count;
    const struct share_change *shares;
    size_t share_count;
    /* Filled: those whose last word was taken away. NULL: there are none. */
    struct extent_runs *unnamed;
};
/* All of a round in the caller's transaction: the words as deltas, which the catalog
 * folds into leaves later. Words of a layer that no longer exists are dropped. -ENOBUFS:
 * folding has failed for so long that no more can wait for it. */
int round_store(struct catalog_txn *txn, const struct round_changes *changes,
                struct err *e) MUST_CHECK;

/* The words as of the transaction's snapshot; where nothing was stored, zeros. */
int leaf_load(struct catalog_txn *txn, uint64_t leaf_key, uint64_t words[LEAF_WORDS],
              struct err *e) MUST_CHECK;
/* Every leaf from first to last leaf key with a word that is not 0, in order, in one
 * snapshot. A long walk keeps the log from starting over. */
int leaf_each(struct catalog_txn *txn, uint64_t first, uint64_t last,
              int (*each)(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg),
              void *arg, struct err *e) MUST_CHECK;
/* In order of extent; runs of one count do not touch. */
int share_each(struct catalog_txn *txn, uint32_t device_no,
               int (*each)(const struct share_row *row, void *arg), void *arg,
               struct err *e) MUST_CHECK;
/* Rows of one device; a GiB without a row is free. */
int bitmap_each(struct catalog_txn *txn, uint32_t device_no,
                int (*each)(const struct bitmap_change *row, void *arg), void *arg,
                struct err *e) MUST_CHECK;

#endif
