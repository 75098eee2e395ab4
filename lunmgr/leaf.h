/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's leaves in memory: 256 words each (16 MiB of volume), loaded on demand. A leaf
 * whose words are all 0 takes no memory until it is written. Words are atomics, changed
 * by compare-and-swap on any lane; loading goes through the catalog's readers, never on a
 * reactor. */
#ifndef LUNMGR_LEAF_H
#define LUNMGR_LEAF_H

#include "base/inbox.h"
#include "db/catalog.h"
#include "lunmgr/layer.h"

#include <stdatomic.h>
#include <stdbool.h>

#define LEAF_CHUNK 512 /* leaves in a chunk of the directory: 8 GiB of volume */

struct leaf {
    _Atomic uint64_t words[LEAF_WORDS];
    _Atomic uint64_t dirty[LEAF_WORDS / 64];  /* words the next round is to copy */
    _Atomic uint64_t ghosts[LEAF_WORDS / 64]; /* read, but stored as 0: merge_word.h */
    atomic_bool queued;                       /* is in its pool's list of dirty leaves */
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
 * to be written through: it may be the shared leaf of zeros. Any thread. */
const struct leaf *layer_leaf(struct layer *layer, uint32_t extent_index);
/* It has no word but 0. */
bool leaf_is_zeros(const struct leaf *leaf);
/* The same, to be written: gives the leaf memory of its own. *out is NULL if it is not
 * loaded. 0 or -ENOMEM. */
int layer_leaf_own(struct layer *layer, uint32_t extent_index,
                   struct leaf **out) MUST_CHECK;
/* Installs what the catalog has. 0; -ENOMEM; -EUCLEAN, logged: a word is none of this
 * pool's. Several may try: the first wins. */
int layer_install(struct layer *layer, uint32_t leaf_index,
                  const uint64_t words[LEAF_WORDS]) MUST_CHECK;
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
};

/* Loads in progress of one pool. Any thread may ask; answers by note. */
struct leaf_loader;
struct leaf_loader *leaf_loader_create(struct catalog *catalog, struct inbox *home);
void leaf_loader_destroy(struct leaf_loader *loader);
void leaf_loader_ask(struct leaf_loader *loader, struct layer *layer, uint32_t leaf_index,
                     struct leaf_wait *wait);

#endif
