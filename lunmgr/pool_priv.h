/* SPDX-License-Identifier: Apache-2.0 */
/* A pool and a volume from inside lunmgr: what their files share. */
#ifndef LUNMGR_POOL_PRIV_H
#define LUNMGR_POOL_PRIV_H

#include "lunmgr/device.h"
#include "lunmgr/discard.h"
#include "lunmgr/fence.h"
#include "lunmgr/leaf.h"
#include "lunmgr/limbo.h"
#include "lunmgr/pool.h"
#include "lunmgr/pool_watch.h"
#include "lunmgr/progress.h"
#include "lunmgr/round.h"
#include "lunmgr/share.h"
#include "lunmgr/snapshot.h"
#include "lunmgr/space.h"
#include "lunmgr/stripe.h"
#include "lunmgr/volume.h"

#include <pthread.h>

#define POOL_STRIPES   256
#define STACK_VERSIONS 1024

struct pool {
    struct lunmgr *manager;
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    int64_t created_s;
    /* By slot - 1. A device comes once, before slot_count says so, and stays until the
     * pool goes, marked gone when it was removed: so any thread may follow a slot that a
     * word names. A slot is not used twice between two starts. */
    atomic_uint slot_count;
    _Atomic(struct device *) devices[POOL_DEVICE_MAX];
    atomic_uint_fast32_t spread; /* turns of pool_take */
    /* Since the start: no device vouches for the map, or one says that it is an older
     * one. Nothing is served, not even where the map has nothing. */
    bool closed;
    uint32_t volume_count;      /* control thread; those being made too */
    uint64_t provisioned_bytes; /* control thread */
    uint64_t promised_bytes; /* control thread: beyond these, under way: overcommit.c */
    uint32_t overcommit_cap_percent;          /* control thread; 0: none */
    struct usage_thresholds usage_thresholds; /* control thread, the next too */
    bool page_cache; /* control thread: devices are read and written through it */
    struct pool_watch watch;
    bool deleting;         /* control thread */
    bool changing;         /* control thread: pool_change.c */
    bool devices_changing; /* control thread: one comes, grows or goes */
    struct layer *layers;  /* layer.c; under the lock below */
    pthread_mutex_t layers_lock;
    struct shape_wait *shape_first, *shape_last;
    struct seal *abandoned;          /* home loop: seal.c */
    atomic_uint background_count;    /* drops and merges of layers, discards */
    struct note *background_waiting; /* home loop: run when there are none left */
    struct layer *orphans; /* drop.c: dirty layers of nobody, freed with the pool */

    /* The gate. Shared: a step that changes a word and a count, or several words. Alone:
     * the copy phase of a round. Never held across I/O. */
    pthread_rwlock_t gate;
    /* Held by whoever looks at a volume's top and is neither a lane in flight nor the
     * home loop, and while a volume gets another top: what was the top before may be
     * freed after that. Never held across anything else. */
    pthread_mutex_t look;
    struct stripe stripes[POOL_STRIPES];
    struct limbo limbo;
    struct space space;
    struct share share;
    struct discard discard; /* home loop */
    struct leaf_loader *loader;
    _Atomic uint64_t stack_versions[STACK_VERSIONS]; /* stack.c */
    struct round round;
    atomic_uint check_count;  /* asked for and not answered */
    struct map_check *checks; /* home loop: the one under way, then those that wait */
    /* Extents may be used that no word names: the next start is to look for them. */
    atomic_bool has_leaks;
    atomic_bool ran_out;        /* a write has failed or waited; told when it is over */
    atomic_uint waiting_writes; /* commands that wait for space: grace.c */
    /* Writes that found no space, since it was last told when: news.c. */
    atomic_uint_fast64_t refused_writes;
    atomic_int_fast64_t refused_told_ms;
};

/* A volume or a snapshot. */
struct volume {
    struct lunmgr *manager;
    struct pool *pool;
    atomic_uint references;
    enum volume_kind kind;
    char id[CATALOG_ID_MAX];
    char name[CATALOG_NAME_MAX];
    char serial[17];
    uint8_t naa[16];
    _Atomic uint64_t size_bytes;
    uint32_t block_bytes;
    uint32_t physical_bytes;
    int64_t created_s;
    atomic_bool zero_detect;
    _Atomic(struct layer *) top; /* changed on the home loop, behind the fence */
    _Atomic uint64_t
        last_place; /* the last extent handed out to it: sequential writes go on there */
    /* Steps of atomic writes, which change several words: counted as they begin, with
     * nothing to wait for until they are counted as ended. */
    atomic_uint_fast64_t steps_begun, steps_ended;
    struct fence fence;
    atomic_int sanitize_state; /* enum sanitize_state; changed by the control thread */
    struct progress sanitize_progress;

    /* The rest is the control thread's. */
    bool is_protected;
    struct qos qos;
    int64_t trashed_s;
    uint64_t wipe_bytes;       /* a shrink's blocks up to here are not all cleared yet */
    uint64_t guaranteed_bytes; /* its top layer has them in extents */
    struct label *labels;
    size_t label_count;
    bool has_saved_modes;
    struct modes saved_modes;
    struct kept_reservation *kept_reservation; /* own; NULL: none */
    uint32_t mapping_count;                    /* those being made too */
    unsigned pin_count;      /* operations that want it as it is: snapshots, clones */
    bool is_changing;        /* one that excludes all others is under way */
    bool deleting;           /* and it ends with the volume */
    unsigned rollback_count; /* begun; diff.c */
    struct sanitize_row *sanitize_row; /* own; NULL: none is under way or has failed */
    /* PLAIN */
    struct volume *first_snapshot, *last_snapshot; /* by age */
    uint32_t snapshot_count;
    struct volume *base; /* the snapshot it was cloned from, with a reference, or NULL */
    char clone_of[CATALOG_ID_MAX];
    /* SNAPSHOT */
    struct volume *of; /* its volume */
    char group[CATALOG_ID_MAX];
    char key[SNAPSHOT_KEY_MAX];
    struct volume *next_snapshot, *prev_snapshot; /* of the same volume */
    uint32_t clone_count;
};

/* Control thread. 0, or -EBUSY: a job, a check or a change of its devices is under way.
 */
int pool_unoccupied(struct pool *pool, struct err *e) MUST_CHECK;
/* Loop, gate, stripes, limbo, loader, rounds; the devices are set by the caller. */
struct pool *pool_new(struct lunmgr *m, const char *id, const char *name,
                      int64_t created_s, struct err *e);
void pool_free(struct pool *pool);
/* Any thread: none of its devices serves any more. */
bool pool_is_failed(const struct pool *pool);
/* Any thread: some do not. */
bool pool_is_degraded(const struct pool *pool);
/* Any thread. The next device by slot, after NULL the first; not those that are gone. */
struct device *pool_next_device(const struct pool *pool, const struct device *prev);
/* The device in a slot, NULL: there is none. */
struct device *pool_slot(const struct pool *pool, unsigned slot);
/* Home loop, or before it has the pool: in its row's slot, from now on for everyone. */
void pool_add_device(struct pool *pool, struct device *d);
/* The lowest slot that no device ever had since the start; 0: none. */
unsigned pool_free_slot(const struct pool *pool);
struct device *pool_device(struct pool *pool, place p);
/* space.c's alone. After the last place handed out to the asker; with several devices on
 * each in turn, 4 MiB at a time, the oftener the more it has free. -ENOSPC: no free
 * extent now; -EIO: no device serves. */
int pool_take(struct pool *pool, place after, place *out) MUST_CHECK;
void pool_untake(struct pool *pool, place p);
/* Any thread, before another word becomes w: an evacuation looks again. */
void pool_hand_on(struct pool *pool, map_word w);

static inline struct stripe *pool_stripe(struct pool *pool, const struct layer *layer,
                                         uint32_t extent_index)
{
    return &pool->stripes[(layer->id * 31U + extent_index) % POOL_STRIPES];
}

/* The top layer of a volume now. An I/O takes it once. */
static inline struct layer *volume_top(struct volume *volume)
{
    return atomic_load_explicit(&volume->top, memory_order_acquire);
}

/* Nobody looks at the old top under `look` when this returns. */
static inline void volume_set_top(struct volume *volume, struct layer *top)
{
    pthread_mutex_lock(&volume->pool->look);
    atomic_store(&volume->top, top);
    pthread_mutex_unlock(&volume->pool->look);
}

/* Home loop: gives back every extent of a layer that is nobody's and that nothing stands
 * on, in the background, then removes it; what it stood on is looked at. */
void drop_start(struct layer *layer);
/* On the catalog's writer: removes all that is left of the pool's layers, which are
 * nobody's. The pool goes, so nothing is given back. */
int drop_erase(struct catalog_txn *txn, const char *pool_id, struct err *e) MUST_CHECK;
/* Home loop: a drop or a merge begins, or has ended. */
void background_begin(struct pool *pool);
void background_end(struct pool *pool);
/* Home loop: the note runs there when none is under way; one waits at a time. */
void background_wait(struct pool *pool, struct note *note);

/* Home loop: holds the committed map against the bitmaps, one check of a pool after the
 * other; repair gives leaks back. progress counts the words that name an extent; what it
 * stops ends with -ECANCELED. NULL: nobody asks. done on reply_to's thread. The caller
 * has counted it in pool->check_count: until it is counted off, before done, the pool
 * stays. */
typedef void (*map_check_fn)(void *arg, const struct pool_check_report *report,
                             const struct err *e);
void map_check_start(struct pool *pool, bool repair, struct progress *progress,
                     struct inbox *reply_to, map_check_fn done, void *arg);

#endif
