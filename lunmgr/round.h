/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: how what is in memory becomes durable. One at a time for each pool, on the
 * pools' loop: (1) raise the round number; for each dirty leaf clear its mark, then copy
 * it; copy changed counts, last the allocation bitmaps; (2) fdatasync every device with
 * completed, unsynced writes; (3) commit it all in one catalog transaction; (4) answer. A
 * flush joins the next round to begin. Marking and joining: any thread.
 *
 * What is dirty is kept by scope. A step of several words changes those of one family of
 * layers (a volume, its snapshots and clones), so a round whose askers are flushes of
 * some volumes alone copies their scopes and leaves the others' for later. What goes
 * beyond a family (shared extents, riders) makes a round whole; only whole ones let freed
 * extents age.
 *
 * A device that fails takes along the families that have written to it since the last
 * sync that it answered: none of their changes is committed any more, and their flushes
 * fail. The others' rounds go on, without it. */
#ifndef LUNMGR_ROUND_H
#define LUNMGR_ROUND_H

#include "base/inbox.h"
#include "db/catalog.h"
#include "lunmgr/engine.h"
#include "lunmgr/leaf.h"
#include "lunmgr/pool.h"
#include "lunmgr/round_crowd.h"
#include "lunmgr/share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ROUND_DIRTY_LEAVES_MAX 4096  /* a round begins at this many */
#define ROUND_LIMBO_MAX        65536 /* and at this many freed extents */
#define ROUND_SCOPES           64
#define ROUND_WHOLE            UINT64_MAX /* all of them, a bit each */
#define ROUND_ALL              0U         /* families */
#define ROUND_ASKS             UINT32_MAX

struct device;
struct event;

struct round_wait {
    struct note note;
    struct inbox *inbox;
    uint64_t scope; /* a bit each; 0: all */
    /* Whose changes it waits for. ROUND_ALL, or ROUND_ASKS: rc tells of the round itself
     * alone, and who waits asks round_has_lost. */
    uint32_t family;
    struct pool *pool;
    struct round_wait *next;
    /* On inbox's thread. rc: 0, all that had completed before round_join, of its scope
     * and family, is durable. */
    void (*done)(struct round_wait *wait);
    int rc;
};

/* A change of rows that a step in memory has already made: it goes into the transaction
 * of the next round to begin, before that round's words. If that round fails it rides on
 * the next, until one commits. */
struct round_rider {
    struct round_rider *next;
    /* On the catalog's writer; a failure fails the round. */
    int (*work)(struct catalog_txn *txn, struct round_rider *rider, struct err *e);
    /* Home loop, when a round with it has been committed. The rider is the caller's
     * again. */
    void (*committed)(struct round_rider *rider);
    /* Home loop, when a round with it has failed, or has left it out: it rides on. */
    void (*failed)(struct round_rider *rider);
    /* Home loop: it is about a family that has lost writes. NULL: never. */
    bool (*has_lost)(struct round_rider *rider);
};

enum round_state {
    ROUND_IDLE,
    ROUND_SYNCING,    /* waits for the devices */
    ROUND_COMMITTING, /* waits for the catalog */
};

struct round {
    _Atomic uint64_t no;       /* raised as a round begins */
    _Atomic uint64_t whole_no; /* the last whole one's */
    enum round_state state;
    uint64_t durable;             /* the last one committed */
    uint64_t whole_durable;       /* the last whole one committed */
    struct round_wait *waiting;   /* for the next round to begin */
    struct round_wait *answering; /* for the one under way */
    struct round_crowd crowd;     /* of them all */
    struct event *tick;
    struct event *retry; /* waiters for space, I/O still in flight */
    struct note want;
    atomic_bool want_posted;
    bool wanted;
    /* A whole one failed: bitmaps have lost extents that words of any scope still name in
     * the catalog, so the next one takes all of them. */
    bool owes_whole;
    /* the one under way */
    int rc;
    uint64_t scope;
    unsigned syncs_due;
    unsigned failed_devices; /* as it began to copy */
    bool is_stale;           /* a device failed since: it is made anew */
    struct leaf **leaves;
    size_t leaf_count, leaf_max;
    size_t copied_count; /* of leaves */
    struct word_change *words;
    size_t word_count, word_max;
    struct layer_count *counts;
    struct layer **layers; /* whose counts they are */
    size_t count_count, count_max, layer_max;
    struct bitmap_change *bitmaps;
    size_t bitmap_count, bitmap_max;
    struct share_batch shares;
    struct catalog_job job;
    struct round_rider *riders;   /* of the one under way, in order */
    struct round_rider *boarding; /* of the next one */
    /* Some family's changes were left out for good, and extents no longer age. */
    atomic_bool has_lost;
    /* Families that have lost nothing themselves, but share extents with such, since a
     * time before the loss; changed in the copy phase, read under the gate. */
    uint32_t *linked;
    size_t linked_count, linked_max;
    /* marks of the next one, by scope; any thread */
    _Atomic(struct leaf *) dirty[ROUND_SCOPES];
    _Atomic uint32_t dirty_count;
    _Atomic(struct layer *) changed[ROUND_SCOPES];
};

static inline uint64_t round_scope(const struct layer *layer)
{
    return 1ULL << layer->family % ROUND_SCOPES;
}

int round_init(struct pool *pool, struct err *e) MUST_CHECK;
void round_fini(struct pool *pool);
/* Home loop: the ticks begin and end. */
void round_start(struct pool *pool);
void round_stop(struct pool *pool);

/* After the word at extent_index of the leaf changed. */
void round_mark_word(struct pool *pool, struct leaf *leaf, uint32_t extent_index);
/* After those changed whose bits are set. */
void round_mark_words(struct pool *pool, struct leaf *leaf,
                      const uint64_t marks[LEAF_WORDS / 64]);
/* Under the gate, with the word's change: the layer owns one more (+1) or less (-1). */
void round_count_extent(struct pool *pool, struct layer *layer, int change);
/* The same of those that are shared; never below 0, whatever an old catalog counted. */
void round_count_shared(struct pool *pool, struct layer *layer, int change);

/* A write to the device, of a layer of that family, has ended with rc: before any word or
 * bit shows what it wrote. */
void round_note_write(struct device *device, uint32_t family, int rc);
/* A device failed that may have lost writes of that family, which no sync had covered: no
 * change of the family is committed any more before the next start. Under the gate, or on
 * the home loop. */
bool round_has_lost(const struct pool *pool, uint32_t family);

/* Home loop, in the step that changed memory; a round begins soon. */
void round_ride(struct pool *pool, struct round_rider *rider);
/* In failed(): it does not ride on. */
void round_unride(struct pool *pool, struct round_rider *rider);
/* wait->inbox and done are set. */
void round_join(struct pool *pool, struct round_wait *wait);
/* A round should begin soon; nobody is answered. */
void round_want(struct pool *pool);
/* Home loop: none under way, none asked for. */
bool round_is_idle(struct pool *pool);
/* The same, and nothing is left to commit or to free. */
bool round_is_quiet(struct pool *pool);

#endif
