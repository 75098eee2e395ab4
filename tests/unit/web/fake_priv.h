/* SPDX-License-Identifier: Apache-2.0 */
/* The fake manager from inside: its objects, and its one queue of calls. */
#ifndef TESTS_UNIT_WEB_FAKE_PRIV_H
#define TESTS_UNIT_WEB_FAKE_PRIV_H

#include "fake_lunmgr.h"
#include "lunmgr/audit.h"
#include "lunmgr/record.h"
#include "lunmgr/replay.h"
#include "lunmgr/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_MAX      64
#define FAKE_SESSIONS 8
#define FAKE_NAME_MAX 200
#define CREATED_S     1714564800 /* 2024-05-01T12:00:00Z */
#define RETENTION_S   3600

struct device {
    struct pool *pool;
    struct pool_device_info info; /* slot 0: a free place */
};
#define FAKE_DEVICES 16
struct pool {
    struct pool_info info; /* "" id: a free place */
    struct device devices[FAKE_DEVICES];
};
struct volume { /* or a snapshot */
    struct volume_info info;
    struct volume *of; /* of a snapshot */
    char group[VOLUME_ID_MAX];
    struct label labels[LABEL_COUNT_MAX];
};
struct host {
    struct host_info info;
    char *names[HOST_INITIATOR_COUNT_MAX];
    struct auth auth;
};
struct mapping {
    struct mapping_info info;
    struct volume *volume;
    struct host *host;
};
struct token {
    struct token_info info;
};
struct job {
    struct job_info info;
};

struct fake_audit {
    struct record record;
    char request[1024];
};
struct fake_replay {
    char principal[64], key[256], body[4096];
    struct replay was;
};

struct call;
typedef void (*work_fn)(struct call *call, struct err *e);

struct call {
    struct note note;
    struct call *next;
    struct lunmgr *m;
    struct target *t;
    work_fn work;
    struct err fail; /* code 0: none */
    bool has_record, dry;
    struct record record;
    char name[FAKE_NAME_MAX], other[FAKE_NAME_MAX], third[FAKE_NAME_MAX];
    char path[POOL_PATH_MAX];
    uint64_t number, number2, number3, guaranteed_bytes;
    struct usage_thresholds thresholds;
    bool flag, flag2, flag3;
    bool has_flag, has_flag2, has_labels;
    struct label labels[LABEL_COUNT_MAX];
    size_t label_count;
    struct auth auth;
    struct qos qos;
    uint8_t hash[TOKEN_HASH_BYTES];
    char *names[HOST_INITIATOR_COUNT_MAX];
    size_t name_count;
    void *arg;
    union {
        pool_done_fn pool;
        device_done_fn device;
        job_done_fn job;
        volume_done_fn volume;
        snapshot_done_fn snapshots;
        host_done_fn host;
        mapping_done_fn mapping;
        token_done_fn token;
        done_fn done;
        target_sessions_fn sessions;
        void (*kicked)(void *arg, bool found);
        target_drain_fn drained;
        replay_done_fn replay;
        audit_done_fn audit;
    } fn;
};

struct lunmgr {
    struct loop *loop;
    struct pool pools[FAKE_MAX];
    struct volume volumes[FAKE_MAX];
    struct host hosts[FAKE_MAX];
    struct mapping mappings[FAKE_MAX];
    struct token tokens[FAKE_MAX];
    struct job jobs[FAKE_MAX]; /* by age */
    size_t job_count;
    struct auth box_auth;
    struct lunmgr_news news;
    unsigned ids;
    struct err fail;
    bool hold;
    struct call *held;
    size_t under_way;
    char last_id[VOLUME_ID_MAX]; /* what the call that runs is about; "": nothing */
    bool has_record;
    struct record record;    /* for the next call */
    struct fake_replay late; /* answered inside the call that is about to be kept */
    struct fake_audit *audits;
    struct fake_replay *replays;
    size_t audit_count, replay_count;
    struct lunmgr_mirror_info mirror; /* all 0: off */
    char backup_path[POOL_PATH_MAX];  /* of the last one */
    char export_path[POOL_PATH_MAX];  /* the same */
    char exported[FAKE_NAME_MAX];     /* the pool's name; "": it is here again */
    unsigned diff_slices;             /* but one, of a list of blocks */
    unsigned diff_count, slice_count;
    bool forgets_answers; /* as if it were killed before they are stored */
};

/* The call gets the record that waits for one; what it did is kept if it worked. */
void record_take(struct call *call);
void record_keep(struct call *call, const char *subject_id);
/* What the record says that it made (make_id says that, too), changed or deleted. */
void call_about(struct call *call, const char *id);
/* A call that fails as fake_fail_next said, if it did. Without a record: of the target.
 */
struct call *call_begin(struct lunmgr *m, work_fn work, void *arg);
struct call *call_new(struct lunmgr *m, work_fn work, void *arg);
/* Its work is done in a later turn; then it is freed. */
void call_post(struct call *call);
/* The rules are the real ones; what is wrong is the call's failure. */
void call_change_qos(struct call *call, const struct qos *before,
                     const struct qos_change *change);
void call_copy_names(struct call *call, const char *const *names, size_t count);
void copy(char *out, size_t room, const char *text);
void make_id(struct lunmgr *m, char out[VOLUME_ID_MAX]);
const struct err *err_or_null(const struct err *e);
void host_free(struct host *host);

/* What a walk goes by. */
static inline const char *walk_key(const struct row_walk *w, const char *name,
                                   const char *id)
{
    return w->order == WALK_BY_ID ? id : name;
}

/* find, next in order of name, walk, and a free place, of one kind of object. */
#define FAKE_TABLE(kind, table)                                                          \
    struct kind *kind##_find(struct lunmgr *m, const char *name)                         \
    {                                                                                    \
        for (size_t i = 0; i < FAKE_MAX; i++) {                                          \
            struct kind *at = &m->table[i];                                              \
            if (at->info.id[0] != '\0' &&                                                \
                (strcmp(at->info.id, name) == 0 || strcmp(at->info.name, name) == 0))    \
                return at;                                                               \
        }                                                                                \
        return NULL;                                                                     \
    }                                                                                    \
    struct kind *kind##_next(struct lunmgr *m, const struct kind *prev)                  \
    {                                                                                    \
        struct kind *best = NULL;                                                        \
        for (size_t i = 0; i < FAKE_MAX; i++) {                                          \
            struct kind *at = &m->table[i];                                              \
            if (at->info.id[0] != '\0' &&                                                \
                (prev == NULL || strcmp(at->info.name, prev->info.name) > 0) &&          \
                (best == NULL || strcmp(at->info.name, best->info.name) < 0))            \
                best = at;                                                               \
        }                                                                                \
        return best;                                                                     \
    }                                                                                    \
    struct kind *kind##_walk(struct lunmgr *m, struct row_walk *w)                       \
    {                                                                                    \
        struct kind *best = NULL;                                                        \
        for (size_t i = 0; i < FAKE_MAX; i++) {                                          \
            struct kind *at = &m->table[i];                                              \
            const char *key = walk_key(w, at->info.name, at->info.id);                   \
            if (at->info.id[0] != '\0' && strcmp(key, w->after) > 0 &&                   \
                (best == NULL ||                                                         \
                 strcmp(key, walk_key(w, best->info.name, best->info.id)) < 0))          \
                best = at;                                                               \
        }                                                                                \
        return best;                                                                     \
    }                                                                                    \
    static struct kind *kind##_place(struct lunmgr *m)                                   \
    {                                                                                    \
        size_t i = 0;                                                                    \
        while (m->table[i].info.id[0] != '\0') {                                         \
            i++;                                                                         \
            assert(i < FAKE_MAX);                                                        \
        }                                                                                \
        m->table[i] = (struct kind){.info = {.created_s = CREATED_S}};                   \
        make_id(m, m->table[i].info.id);                                                 \
        return &m->table[i];                                                             \
    }

#endif
