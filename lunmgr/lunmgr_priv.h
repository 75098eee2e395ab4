/* SPDX-License-Identifier: Apache-2.0 */
/* The manager from inside lunmgr: the pools' loop, the lanes and the epoch. */
#ifndef LUNMGR_LUNMGR_PRIV_H
#define LUNMGR_LUNMGR_PRIV_H

#include "base/auth.h"
#include "lunmgr/index.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/lane.h"
#include "lunmgr/leaf_cache.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/news.h"
#include "lunmgr/port_group_priv.h"
#include "lunmgr/rod_priv.h"
#include "lunmgr/stamp.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct event;
struct event_base;
struct op;
struct record;

struct lunmgr {
    struct lunmgr_options options;
    struct lunmgr_events events;
    struct lunmgr_news news; /* control thread */
    char box_id[37];
    uint64_t generation;
    struct auth box_auth; /* control thread, the next too */
    bool box_auth_changing;
    struct port_groups port_groups; /* control thread */
    struct loop *home;
    struct event_base *home_base; /* loop_base() is the loop's own thread's to ask */
    struct lane *home_lane;
    pthread_mutex_t lanes_lock;
    struct lane *lanes[LANE_MAX];
    _Atomic uint64_t epoch;
    struct stamps stamps;
    struct leaf_cache *leaf_cache;
    struct views *views;
    _Atomic uint32_t last_layer_id; /* handed out */
    /* control thread */
    struct index pools, hosts, mappings, tokens;
    struct index volumes;         /* not in the trash */
    struct index snapshots;       /* of those, by key */
    struct index trash;           /* by id */
    struct volume *snapshots_due; /* being made, not in the index yet */
    struct event *trash_timer;
    struct event *outdate_timer;
    struct event *watch_timer;  /* pool_watch.c */
    unsigned quiet_looks;       /* since it found a change */
    struct note stir;           /* that something is about to change: lunmgr_stir() */
    atomic_bool rests, stirred; /* the note is on its way */
    struct jobs jobs;
    struct rods rods;
    uint64_t next_ticket;
    struct op *settling; /* wait for lunmgr_settled */
    bool was_clean;
    unsigned ops_under_way;
    struct record *next_record; /* waits for its operation; NULL: none */
    atomic_bool closing;        /* background work stops at its next step */
};

static inline struct loop *lunmgr_home(const struct lunmgr *m)
{
    return m->home;
}
static inline struct lane *lunmgr_home_lane(const struct lunmgr *m)
{
    return m->home_lane;
}
static inline struct catalog *lunmgr_catalog(const struct lunmgr *m)
{
    return m->options.catalog;
}
static inline unsigned lunmgr_round_interval_ms(const struct lunmgr *m)
{
    return m->options.round_interval_ms;
}

static inline bool lunmgr_is_closing(struct lunmgr *m)
{
    return atomic_load(&m->closing);
}

/* The in-flight epoch: an I/O enters under the current one; a free takes it and raises
 * it. */
static inline uint64_t lunmgr_epoch(struct lunmgr *m)
{
    return atomic_load(&m->epoch);
}
static inline uint64_t lunmgr_next_epoch(struct lunmgr *m)
{
    return atomic_fetch_add(&m->epoch, 1);
}
/* Every I/O in flight entered at this epoch or later. Any thread. */
uint64_t lunmgr_oldest_epoch(struct lunmgr *m);

/* A number that no layer ever had. Any thread. */
static inline uint32_t lunmgr_next_layer_id(struct lunmgr *m)
{
    return atomic_fetch_add(&m->last_layer_id, 1) + 1;
}

int lunmgr_add_lane(struct lunmgr *m, struct lane *lane, struct err *e) MUST_CHECK;
void lunmgr_remove_lane(struct lunmgr *m, struct lane *lane);
/* Copies the lanes that exist; how many. None goes until lunmgr_unlock_lanes: what is
 * posted to one before that, it runs. */
unsigned lunmgr_lock_lanes(struct lunmgr *m, struct lane *out[LANE_MAX]);
void lunmgr_unlock_lanes(struct lunmgr *m);

#endif
