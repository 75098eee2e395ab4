/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's leaves in memory: 256 words each (16 MiB of volume), loaded on demand,
 * evicted when the bound of all leaves is passed (leaf_cache.h). A leaf whose words are
 * all 0 takes no memory until it is written. Words are atomics, changed by
 * compare-and-swap on any lane; loading goes through the catalog's readers, never on a
 * reactor.
 *
 * Who may use a leaf how long: an I/O from when it found it until it leaves the in-flight
 * set, parked ones not; the home loop until it returns to its loop, longer while it holds
 * one of its words. */
#ifndef LUNMGR_LEAF_H
#define LUNMGR_LEAF_H

#include "base/inbox.h"
#include "db/catalog.h"
#include "lunmgr/layer.h"
#include "lunmgr/leaf_cache.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Leaves in a chunk of the directory: 4 KiB of memory for 8 GiB of volume. A chunk stays
 * when its leaves have gone, outside the cache's bound: 2 MiB for 4 TiB that were touched
 * in one layer; views (view.h) touch none of the layers that they look through. */
#define LEAF_CHUNK 512

enum leaf_state {
    LEAF_OPEN,
    LEAF_CLOSING, /* to be evicted, if nobody takes it back to write it */
    LEAF_DEAD,    /* evicted: not to be written any more */
};

struct leaf {
    _Atomic uint64_t words[LEAF_WORDS];
    _Atomic uint64_t dirty[LEAF_WORDS / 64];  /* words the next round is to copy */
    _Atomic uint64_t ghosts[LEAF_WORDS / 64]; /* read, but stored as 0: merge_word.h */
    atomic_bool queued;                       /* is in its pool's list of dirty leaves */
    atomic_int state;                         /* enum leaf_state */
    uint64_t round;                           /* the last that copied it: home loop */
    struct cached cached;
    struct leaf *next_dirty;
    struct layer *layer;
    uint32_t index;
};

/* An empty directory for so many extents; NULL: out of memory. */
struct leaf_directory *leaf_directory_create(uint64_t size_extents);
/* One with more room that takes over what `older` holds, and it: whoever looks at that
 * one still finds all that was there. Home loop. NULL: out of memory. */
struct leaf_directory *leaf_directory_grow(struct leaf_directory *older,
                                           uint64_t size_extents);
/* With all leaves. */
void leaf_directory_destroy(struct leaf_directory *d);

/* The leaf of an extent, of zeros beyond the layer's end: NULL if it is not loaded. Never
 * to be written through: it may be the shared leaf of zeros, or be evicted. A lane in
 * flight, or the home loop. */
const struct leaf *layer_leaf(struct layer *layer, uint32_t extent_index);
/* The same for those who do not count as its users. Any thread, if they only look whether
 * it is NULL or leaf_is_zeros(). */
const struct leaf *layer_leaf_peek(struct layer *layer, uint32_t extent_index);
/* It is the shared leaf that has no word but 0. */
bool leaf_is_zeros(const struct leaf *leaf);
/* The same as layer_leaf, to be written: gives the leaf memory of its own, and keeps it
 * from being evicted. *out is NULL if it is not loaded (any more): ask for it, even if
 * layer_leaf just had it. 0 or -ENOMEM. */
int layer_leaf_own(struct layer *layer, uint32_t extent_index,
                   struct leaf **out) MUST_CHECK;
/* Installs what the catalog has. 0; -ENOMEM; -EUCLEAN, logged: a word is none of this
 * pool's. Several may try: the first wins. The home loop, in a layer that can be evicted
 * from: what was read before an eviction must not come after it. */
int layer_install(struct layer *layer, uint32_t leaf_index,
                  const uint64_t words[LEAF_WORDS]) MUST_CHECK;
/* The first leaf in memory from *leaf_index on that has words of its own; *leaf_index is
 * its. NULL: there is none. Home loop. */
const struct leaf *layer_next_leaf(struct layer *layer, uint32_t *leaf_index);
/* Forget a leaf, or all, that nobody uses any more and no round has to copy. */
void layer_forget_leaf(struct layer *layer, uint32_t leaf_index);
void layer_forget_all(struct layer *layer);

static inline _Atomic uint64_t *leaf_cell(struct leaf *leaf, uint32_t extent_index)
{
    return &leaf->words[extent_index % LEAF_WORDS];
}
static inline map_word leaf_word(const struct leaf *leaf, uint32_t extent_index)
{
    return atomic_load(&leaf->words[extent_index % LEAF_WORDS]);
}

static inline bool leaf_is_ghost(const struct leaf *leaf, uint32_t extent_index)
{
    unsigned i = extent_index % LEAF_WORDS;
    return (atomic_load(&leaf->ghosts[i / 64]) >> i % 64 & 1) != 0;
}

/* One waiter for a leaf: its note comes to its inbox; rc: 0, -ENOMEM, or the catalog's.
 */
struct leaf_wait {
    struct note note;
    struct inbox *inbox;
    struct leaf_wait *next;
    int rc;
    void *arg; /* the waiter's */
    /* view.c: on its way to the home loop */
    struct note ask;
    struct layer *top;
    uint32_t leaf_index;
};
/* Answers all of a list. Any thread. */
void leaf_wait_answer(struct leaf_wait *wait, int rc);

/* The catalog has the word as it is. Home loop; nobody writes it now. */
bool leaf_word_is_committed(const struct leaf *leaf, uint32_t extent_index);
/* All of them are of this pool; else false, logged. Any thread. */
bool leaf_words_are_known(const struct pool *pool, uint32_t layer_id, uint32_t leaf_index,
                          const uint64_t words[LEAF_WORDS]);

/* Loads in progress of one pool. A lane asks in flight, so that the layer is there; it is
 * until the load has ended. Answers by note. */
struct leaf_loader;
struct leaf_loader *leaf_loader_create(struct catalog *catalog, struct inbox *home);
void leaf_loader_destroy(struct leaf_loader *loader);
void leaf_loader_ask(struct leaf_loader *loader, struct layer *layer, uint32_t leaf_index,
                     struct leaf_wait *wait);

#endif
