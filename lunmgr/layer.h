/* SPDX-License-Identifier: Apache-2.0 */
/* A layer: a map from a volume's extents to words, one of a tree of them. Its words lie
 * in leaves (leaf.h). A volume's stack is its top layer and that one's ancestors; all but
 * the tops of volumes are sealed. Lanes follow `parent` from a volume's top, in flight;
 * everything else of the tree's shape is the home loop's, under the pool's shape turn. */
#ifndef LUNMGR_LAYER_H
#define LUNMGR_LAYER_H

#include "base/inbox.h"
#include "lunmgr/word.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pool;
struct volume;

/* The leaves of a layer, by index; replaced by a larger one when its volume grows. */
struct leaf_directory;

struct layer {
    uint32_t id;
    uint32_t family; /* the same for a volume, its snapshots and clones; never changes */
    struct pool *pool;
    _Atomic(struct layer *) parent;  /* NULL: none. An I/O in flight may follow it */
    _Atomic uint64_t size_extents;   /* beyond it the layer has words of 0 */
    _Atomic uint64_t used_extents;   /* changed under the gate */
    _Atomic uint64_t shared_extents; /* of these: shared. Under the gate, too */
    /* space.h: changed under its lock. Extents that it owns, those too of which no block
     * is valid yet; the guarantee of the volume whose top it is. */
    _Atomic uint64_t taken_extents, guaranteed_extents;
    atomic_bool count_changed; /* is in its pool's list of changed counts */
    struct layer *next_changed;
    struct layer *next_orphan; /* drop.c */
    atomic_uint pins;          /* loads of its leaves under way, and the like */
    _Atomic(struct leaf_directory *) directory;
    /* The tree: home loop. */
    struct layer *next, *prev; /* in its pool's list */
    struct layer *first_child, *next_sibling, *prev_sibling;
    unsigned child_count;
    struct volume *volume; /* whose top it is, or which snapshot; NULL: hidden */
    uint32_t rod_of;       /* a rod's: the family that it shows (rod.h); 0: no rod's */
    unsigned keepers;      /* evacuate.c: neither dropped nor merged until they let go */
    bool is_merging;       /* either side of a merge */
    bool is_dropping;      /* its space is on its way back; it has no child */
    bool is_gone;          /* unlinked */
    bool is_destroyed;     /* when its last pin has gone */
};

static inline struct layer *layer_parent(struct layer *layer)
{
    return atomic_load_explicit(&layer->parent, memory_order_acquire);
}

/* No id and no parent yet. NULL: out of memory. */
struct layer *layer_create(struct pool *pool, uint64_t size_extents,
                           uint64_t used_extents);
/* Once, before anybody else knows it: its id, and its family, which is that of the layer
 * it will stand on; below NULL: its own. */
void layer_set_id(struct layer *layer, uint32_t id, const struct layer *below);
/* Nobody reads or writes it any more. NULL is allowed. */
void layer_destroy(struct layer *layer);
/* It stays in memory. By who is sure that it is there: a lane in flight, the home loop.
 */
static inline void layer_pin(struct layer *layer)
{
    atomic_fetch_add(&layer->pins, 1);
}
/* Home loop. */
void layer_unpin(struct layer *layer);
/* Home loop, no writer of it in flight: room for more extents. 0 or -ENOMEM. */
int layer_grow(struct layer *layer, uint64_t size_extents) MUST_CHECK;

/* ---- The tree: home loop, or before it runs -------------------------------------------
 */

/* Into its pool's list; parent NULL: a base. volume: whose top it is, NULL: nobody's. A
 * base of which the home loop was told nothing yet may be linked by any thread. */
void layer_link(struct layer *layer, struct layer *parent, struct volume *volume);
/* Out of it: no child, no name. Its parent pointer stays, for reads in flight. */
void layer_unlink(struct layer *layer);
/* Stands on another (or, NULL, on none) from now on; so do reads that begin now. */
void layer_set_parent(struct layer *layer, struct layer *parent);
/* Whether a layer is a volume's top, or a snapshot's, is what keeps it: one that is
 * neither is dropped if nothing stands on it, merged if it has a single child, else it
 * stays, hidden. To be called after anything that may have changed this; NULL is allowed.
 */
void layer_look(struct layer *layer);

/* ---- The shape turn: one change of a pool's tree at a time ----------------------------
 */

struct shape_wait {
    struct note note; /* run: on the home loop, when it is the asker's turn */
    struct shape_wait *next;
};
/* Home loop. The note runs later, never inside. */
void shape_enter(struct pool *pool, struct shape_wait *wait);
void shape_leave(struct pool *pool);

#endif
