/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk is never empty. Where entries come in order, as a round's do at first, a full
 * chunk is followed by a fresh one instead of being split, so that chunks are full. */
#include "db/shelf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Neighbours that together have no more are made one when entries go. */
#define SHELF_JOIN_ENTRIES (SHELF_CHUNK_ENTRIES * 3 / 4)

struct shelf_chunk {
    size_t count;
    struct shelf_entry entries[SHELF_CHUNK_ENTRIES];
};

void shelf_fini(struct shelf *s)
{
    for (size_t i = 0; i < s->slot_count; i++)
        free(s->slots[i].chunk);
    free(s->slots);
    *s = (struct shelf){.slots = NULL};
}

/* ---- Looking up -------------------------------------------------------------------- */

/* How many slots begin below the key, or at it too. */
static size_t slots_before(const struct shelf *s, uint64_t key, bool or_at)
{
    size_t low = 0, high = s->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t first = s->slots[middle].first_key;
        if (first < key || (or_at && first == key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t entries_before(const struct shelf_chunk *c, uint64_t key, bool or_at)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t at = c->entries[middle].leaf_key;
        if (at < key || (or_at && at == key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* An index at a chunk's end means the next chunk's first entry. */
static struct shelf_at shelf_settle(const struct shelf *s, struct shelf_at at)
{
    if (at.slot < s->slot_count && at.index == s->slots[at.slot].chunk->count)
        at = (struct shelf_at){.slot = at.slot + 1};
    return at;
}

struct shelf_at shelf_seek(const struct shelf *s, uint64_t leaf_key)
{
    size_t before = slots_before(s, leaf_key, false);
    if (before == 0)
        return (struct shelf_at){.slot = 0};
    struct shelf_at at = {.slot = before - 1};
    at.index = entries_before(s->slots[at.slot].chunk, leaf_key, false);
    return shelf_settle(s, at);
}

const struct shelf_entry *shelf_get(const struct shelf *s, struct shelf_at at)
{
    return at.slot == s->slot_count ? NULL : &s->slots[at.slot].chunk->entries[at.index];
}

struct shelf_at shelf_next(const struct shelf *s, struct shelf_at at)
{
    at.index++;
    return shelf_settle(s, at);
}

/* ---- Adding ------------------------------------------------------------------------ */

static int slots_grow(struct shelf *s)
{
    if (s->slot_count < s->slot_room)
        return 0;
    size_t room = s->slot_room == 0 ? 16 : 2 * s->slot_room;
    struct shelf_slot *grown = realloc(s->slots, room * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    s->slots = grown;
    s->slot_room = room;
    return 0;
}

/* A chunk at this slot with the entries of the one before it from `from` on. */
static int slot_open(struct shelf *s, size_t slot, size_t from)
{
    struct shelf_chunk *chunk = malloc(sizeof(*chunk));
    if (chunk == NULL || slots_grow(s) != 0) {
        free(chunk);
        return -ENOMEM;
    }
    chunk->count = 0;
    if (slot > 0) {
        struct shelf_chunk *full = s->slots[slot - 1].chunk;
        chunk->count = full->count - from;
        memcpy(chunk->entries, full->entries + from,
               chunk->count * sizeof(full->entries[0]));
        full->count = from;
    }
    memmove(s->slots + slot + 1, s->slots + slot,
            (s->slot_count - slot) * sizeof(s->slots[0]));
    s->slots[slot] = (struct shelf_slot){
        .first_key = chunk->count == 0 ? 0 : chunk->entries[0].leaf_key, .chunk = chunk};
    s->slot_count++;
    return 0;
}

/* Where the entry goes, in a chunk with room. */
static int shelf_place(struct shelf *s, uint64_t leaf_key, struct shelf_at *out)
{
    size_t before = slots_before(s, leaf_key, true);
    struct shelf_at at = {.slot = before == 0 ? 0 : before - 1};
    if (s->slot_count > 0) {
        struct shelf_chunk *chunk = s->slots[at.slot].chunk;
        at.index = entries_before(chunk, leaf_key, true);
        if (chunk->count < SHELF_CHUNK_ENTRIES) {
            *out = at;
            return 0;
        }
    }
    size_t from = at.index == SHELF_CHUNK_ENTRIES ? at.index : SHELF_CHUNK_ENTRIES / 2;
    int rc = slot_open(s, s->slot_count == 0 ? 0 : at.slot + 1, from);
    if (rc == 0 && s->slot_count > 1 && at.index >= from)
        at = (struct shelf_at){.slot = at.slot + 1, .index = at.index - from};
    *out = at;
    return rc;
}

int shelf_add(struct shelf *s, const struct shelf_entry *entry)
{
    struct shelf_at at;
    int rc = shelf_place(s, entry->leaf_key, &at);
    if (rc != 0)
        return rc;
    struct shelf_chunk *chunk = s->slots[at.slot].chunk;
    memmove(chunk->entries + at.index + 1, chunk->entries + at.index,
            (chunk->count - at.index) * sizeof(chunk->entries[0]));
    chunk->entries[at.index] = *entry;
    chunk->count++;
    s->slots[at.slot].first_key = chunk->entries[0].leaf_key;
    s->entry_count++;
    return 0;
}

/* ---- Removing ---------------------------------------------------------------------- */

static void chunk_prune(struct shelf_chunk *chunk,
                        bool (*is_gone)(const struct shelf_entry *entry, const void *arg),
                        const void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < chunk->count; i++)
        if (!is_gone(&chunk->entries[i], arg))
            chunk->entries[kept++] = chunk->entries[i];
    chunk->count = kept;
}

/* True: its entries are in the chunk before it now, or it has none. */
static bool chunk_join(struct shelf_chunk *before, struct shelf_chunk *chunk)
{
    if (chunk->count == 0)
        return true;
    if (before == NULL || before->count + chunk->count > SHELF_JOIN_ENTRIES)
        return false;
    memcpy(before->entries + before->count, chunk->entries,
           chunk->count * sizeof(chunk->entries[0]));
    before->count += chunk->count;
    return true;
}

void shelf_prune(struct shelf *s,
                 bool (*is_gone)(const struct shelf_entry *entry, const void *arg),
                 const void *arg)
{
    size_t kept = 0;
    struct shelf_chunk *before = NULL;
    s->entry_count = 0;
    for (size_t i = 0; i < s->slot_count; i++) {
        struct shelf_chunk *chunk = s->slots[i].chunk;
        chunk_prune(chunk, is_gone, arg);
        s->entry_count += chunk->count;
        if (chunk_join(before, chunk)) {
            free(chunk);
            continue;
        }
        s->slots[kept++] = (struct shelf_slot){chunk->entries[0].leaf_key, chunk};
        before = chunk;
    }
    s->slot_count = kept;
}
