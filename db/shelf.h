/* SPDX-License-Identifier: Apache-2.0 */
/* What deltas say of leaves, in order of leaf key and, for one leaf, of adding: short
 * sorted chunks under a sorted list of them. Adding moves a few kilobytes at most,
 * looking up is two binary searches, walking is walking. Its owner locks it. */
#ifndef DB_SHELF_H
#define DB_SHELF_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHELF_CHUNK_ENTRIES 256

struct shelf_entry {
    uint64_t leaf_key;
    const struct delta *delta;
    uint32_t offset, bytes; /* of the leaf's runs in the delta's blob */
};

struct shelf_slot {
    uint64_t first_key; /* of its first entry */
    struct shelf_chunk *chunk;
};

struct shelf { /* all zero: empty */
    struct shelf_slot *slots;
    size_t slot_count, slot_room;
    size_t entry_count;
};

struct shelf_at {
    size_t slot, index;
};

void shelf_fini(struct shelf *s);
/* Behind all entries of the same leaf. -ENOMEM: nothing is changed. */
int shelf_add(struct shelf *s, const struct shelf_entry *entry) MUST_CHECK;
/* The first entry of leaf_key or of what follows it. */
struct shelf_at shelf_seek(const struct shelf *s, uint64_t leaf_key);
/* NULL: at the end. Borrowed until the shelf is changed. */
const struct shelf_entry *shelf_get(const struct shelf *s, struct shelf_at at);
struct shelf_at shelf_next(const struct shelf *s, struct shelf_at at);
/* Removes the entries that are said to be gone. */
void shelf_prune(struct shelf *s,
                 bool (*is_gone)(const struct shelf_entry *entry, const void *arg),
                 const void *arg);

#endif
