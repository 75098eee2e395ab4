/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual LUN manager: the pools, volumes, hosts and mappings of one catalog, and the
 * loop that their rounds and background work run on. Control thread, unless said
 * otherwise. */
#ifndef LUNMGR_LUNMGR_H
#define LUNMGR_LUNMGR_H

#include "base/alua.h"
#include "base/err.h"
#include "lunmgr/engine.h"
#include "lunmgr/loop.h"

#define LEAF_CACHE_DEFAULT (256ULL << 20)
/* How long what was asked for with an idempotency key is known by it, and of how many
 * such requests: then the oldest go. */
#define REPLAY_RETENTION_DEFAULT (24 * 3600)
#define REPLAY_COUNT_MAX         100000

#define OUTDATE_INTERVAL_DEFAULT_MS (300 * 1000)

struct catalog;
struct lunmgr;
struct volume;

enum volume_event {
    VOLUME_RESIZED,  /* 2Ah/09h CAPACITY DATA HAS CHANGED */
    VOLUME_REPLACED, /* rolled back: 28h/00h, MEDIUM MAY HAVE CHANGED */
};

/* What lunmgr tells upwards. */
struct lunmgr_events {
    void *arg;
    /* Hosts or mappings changed (the objects are already as they will be). On the control
     * thread. The receiver makes all reactors see it, waits until no command of a mapping
     * that is gone is left, then calls lunmgr_settled(m, ticket), later than this
     * call. */
    void (*access_changed)(void *arg, uint64_t ticket);
    /* A volume's size or content changed under its initiators: each nexus that sees it
     * gets the unit attention, then the receiver calls lunmgr_settled(m, ticket), later
     * than this call. The change is answered after that, and the volume stays until then.
     * On the control thread. */
    void (*volume_changed)(void *arg, const struct volume *volume,
                           enum volume_event event, uint64_t ticket);
    /* How units are accessed through the target port group of that tag has changed: the
     * receiver brings it into force, then calls lunmgr_settled(m, ticket), later than
     * this call. Control thread. */
    void (*port_group_changed)(void *arg, uint16_t tag, const struct alua_access *access,
                               uint64_t ticket);
    /* How many sessions see the volume now. Control thread. */
    unsigned (*volume_sessions)(void *arg, const struct volume *volume);
    /* It rested, and does not any more. Control thread. */
    void (*stirred)(void *arg);
};

struct lunmgr_options {
    struct catalog *catalog; /* open; stays the caller's */
    struct loop *control;    /* whose thread calls, and is answered */
    enum engine_kind engine;
    unsigned round_interval_ms;  /* a round begins at least this often while anything is
                                    dirty */
    unsigned io_timeout_ms;      /* an I/O without an answer for so long fails its device;
                                    0: it is waited for */
    unsigned space_grace_ms;     /* how long a write waits for space in a full pool */
    uint64_t leaf_cache_bytes;   /* bound of the map in memory; 0: LEAF_CACHE_DEFAULT */
    uint32_t trash_retention_s;  /* how long a deleted volume can be restored; 0: not */
    uint32_t replay_retention_s; /* 0: REPLAY_RETENTION_DEFAULT */
    unsigned outdate_interval_ms; /* how long a copy of the catalog's files, made behind
                                     the daemon's back, may be taken for the catalog at
                                     most; 0: OUTDATE_INTERVAL_DEFAULT_MS */
    /* For tests: makes each lane's engine. NULL: engine_create. */
    int (*make_engine)(void *arg, struct loop *loop, struct engine **out, struct err *e);
    void *make_engine_arg;
    /* For tests: the pools' loop (lunmgr_home) gets no thread; whoever waits for it calls
     * this, which turns that loop, the control loop and the catalog. NULL: a thread. */
    void (*turn)(void *arg);
    void *turn_arg;
};

/* Blocking: loads the records, opens the devices, starts the pools' loop. A device that
 * is not there or does not carry its pool's superblock makes its pool "failed", not the
 * call. */
int lunmgr_open(const struct lunmgr_options *options, struct lunmgr **out,
                struct err *e) MUST_CHECK;
/* Before any reactor runs. Without it changes settle at once. */
void lunmgr_set_events(struct lunmgr *m, const struct lunmgr_events *events);
void lunmgr_settled(struct lunmgr *m, uint64_t ticket);
/* Any thread. What the pools have is about to change, by a host or an operation: while it
 * rests (pool_watch.h) nobody looks. Costs one load while it does not. */
void lunmgr_stir(struct lunmgr *m);
bool lunmgr_rests(const struct lunmgr *m);
/* Blocking, after all lanes but its own have stopped and been destroyed: answers what is
 * under way, does the last rounds, frees what waits for them, marks the catalog clean.
 * NULL is allowed. */
void lunmgr_close(struct lunmgr *m);

/* What the map takes in memory now: leaves and views, without the directories. Any
 * thread. */
uint64_t lunmgr_leaf_cache_bytes(const struct lunmgr *m);

/* The box's identity: its UUID text (any thread). */
const char *lunmgr_box_id(const struct lunmgr *m);
/* The catalog's mirror, as the API shows it (any thread). */
struct lunmgr_mirror_info {
    const char *state;         /* off, copying, current, failed */
    char reason[ERR_TEXT_MAX]; /* of a failure, else "" */
};
void lunmgr_mirror(const struct lunmgr *m, struct lunmgr_mirror_info *out);
/* Of this start of the box: greater than that of each start before (any thread). */
uint64_t lunmgr_generation(const struct lunmgr *m);

#endif
