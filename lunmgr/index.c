/* SPDX-License-Identifier: Apache-2.0 */
/* Two sorted arrays, binary search. */
#include "lunmgr/index.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define INDEX_CAPACITY_MIN 16

void index_fini(struct index *ix)
{
    free(ix->by_name);
    free(ix->by_id);
    *ix = (struct index){.count = 0};
}

int index_reserve(struct index *ix)
{
    if (ix->count + ix->reserved == ix->capacity) {
        size_t capacity = ix->capacity == 0 ? INDEX_CAPACITY_MIN : ix->capacity * 2;
        struct index_entry *by_name =
            realloc(ix->by_name, capacity * sizeof(*ix->by_name));
        if (by_name == NULL)
            return -ENOMEM;
        ix->by_name = by_name;
        struct index_entry *by_id = realloc(ix->by_id, capacity * sizeof(*ix->by_id));
        if (by_id == NULL)
            return -ENOMEM;
        ix->by_id = by_id;
        ix->capacity = capacity;
    }
    ix->reserved++;
    return 0;
}

void index_unreserve(struct index *ix)
{
    assert(ix->reserved > 0);
    ix->reserved--;
}

/* Of two keys the one with the lower number comes first. */
static uint64_t beginning_of(const char *key)
{
    uint64_t begins = 0;
    for (size_t i = 0; i < sizeof(begins); i++) {
        begins = begins << 8 | (uint8_t)*key;
        key += *key != '\0';
    }
    return begins;
}

static int entry_compare(const struct index_entry *entry, uint64_t begins,
                         const char *key)
{
    if (entry->begins != begins)
        return entry->begins < begins ? -1 : 1;
    return strcmp(entry->key, key);
}

/* Where key is, or would be; *found says which. */
static size_t entry_search(const struct index_entry *entries, size_t count,
                           const char *key, bool *found)
{
    uint64_t begins = beginning_of(key);
    size_t low = 0, high = count;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = entry_compare(&entries[mid], begins, key);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void entry_insert(struct index_entry *entries, size_t count, const char *key,
                         void *object)
{
    bool found;
    size_t at = entry_search(entries, count, key, &found);
    assert(!found);
    memmove(entries + at + 1, entries + at, (count - at) * sizeof(*entries));
    entries[at] =
        (struct index_entry){.begins = beginning_of(key), .key = key, .object = object};
}

static void entry_delete(struct index_entry *entries, size_t count, const char *key)
{
    bool found;
    size_t at = entry_search(entries, count, key, &found);
    assert(found);
    memmove(entries + at, entries + at + 1, (count - at - 1) * sizeof(*entries));
}

void index_add(struct index *ix, const char *name, const char *id, void *object)
{
    index_unreserve(ix);
    entry_insert(ix->by_name, ix->count, name, object);
    entry_insert(ix->by_id, ix->count, id, object);
    ix->count++;
}

void index_remove(struct index *ix, const char *name, const char *id)
{
    entry_delete(ix->by_name, ix->count, name);
    entry_delete(ix->by_id, ix->count, id);
    ix->count--;
}

void index_remove_for_now(struct index *ix, const char *name, const char *id)
{
    index_remove(ix, name, id);
    ix->reserved++;
}

static void *entry_find(const struct index_entry *entries, size_t count, const char *key)
{
    bool found;
    size_t at = entry_search(entries, count, key, &found);
    return found ? entries[at].object : NULL;
}

void *index_find_id(const struct index *ix, const char *id)
{
    return entry_find(ix->by_id, ix->count, id);
}

void *index_find(const struct index *ix, const char *name_or_id)
{
    void *object = entry_find(ix->by_name, ix->count, name_or_id);
    return object != NULL ? object : index_find_id(ix, name_or_id);
}

void *index_next(const struct index *ix, const char *after_name)
{
    size_t at = 0;
    if (after_name != NULL) {
        bool found;
        at = entry_search(ix->by_name, ix->count, after_name, &found);
        at += found;
    }
    return at < ix->count ? ix->by_name[at].object : NULL;
}

static const struct index_entry *walk_entries(const struct index *ix,
                                              const struct row_walk *walk)
{
    return walk->order == WALK_BY_ID ? ix->by_id : ix->by_name;
}

void *index_ahead(const struct index *ix, const struct row_walk *walk, size_t more)
{
    size_t at = walk->hint + more;
    return at < ix->count ? walk_entries(ix, walk)[at].object : NULL;
}

void *index_walk(const struct index *ix, struct row_walk *walk)
{
    const struct index_entry *entries = walk_entries(ix, walk);
    size_t at = walk->hint;
    bool found = at < ix->count && strcmp(entries[at].key, walk->after) == 0;
    if (!found)
        at = entry_search(entries, ix->count, walk->after, &found);
    walk->hint = at + found;
    return index_ahead(ix, walk, 0);
}
