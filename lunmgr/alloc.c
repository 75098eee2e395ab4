/* SPDX-License-Identifier: Apache-2.0 */
/* Extent allocation over groups of 1 GiB, next-fit after the taker's last extent, else
 * from a wholly free run of 64 (4 MiB), so that sequential writes of several volumes stay
 * adjacent. Groups count what is free in them, so that a search looks into one. One lock,
 * held for that. */
#include "lunmgr/alloc.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_WORDS (ALLOC_GROUP_EXTENTS / 64)

struct group {
    uint64_t used[GROUP_WORDS];
    uint64_t kept[GROUP_WORDS];
    uint32_t free_count; /* extents not used */
    uint32_t empty_runs; /* of 64 extents, none used */
    bool changed;        /* kept differs from what the last round copied */
};

struct alloc {
    pthread_mutex_t lock;
    _Atomic uint64_t extents;      /* written under the lock */
    _Atomic uint64_t free_extents; /* written under the lock */
    uint64_t empty_runs;           /* sum of the groups' */
    size_t cursor;                 /* group in which the next search starts */
    uint64_t *suspects;            /* NULL: nobody looks for leaks */
    size_t suspect_words;
    size_t changed_count;
    size_t group_count;
    struct group **groups;
};

static struct group *group_get(struct alloc *a, uint64_t extent)
{
    return a->groups[extent / ALLOC_GROUP_EXTENTS];
}

static size_t run_count(const struct alloc *a)
{
    return a->group_count * GROUP_WORDS;
}

static void group_changed(struct alloc *a, struct group *g)
{
    a->changed_count += !g->changed;
    g->changed = true;
}

static void bit_set(uint64_t *bits, uint64_t extent)
{
    bits[extent % ALLOC_GROUP_EXTENTS / 64] |= 1ULL << extent % 64;
}

static void bit_clear(uint64_t *bits, uint64_t extent)
{
    bits[extent % ALLOC_GROUP_EXTENTS / 64] &= ~(1ULL << extent % 64);
}

static bool bit_get(const uint64_t *bits, uint64_t extent)
{
    return bits[extent % ALLOC_GROUP_EXTENTS / 64] >> extent % 64 & 1;
}

static uint64_t *used_word(struct group *g, uint64_t extent)
{
    return &g->used[extent % ALLOC_GROUP_EXTENTS / 64];
}

/* Under the lock: nobody else writes it. */
static void free_extents_set(struct alloc *a, uint64_t extents)
{
    atomic_store_explicit(&a->free_extents, extents, memory_order_release);
}

/* It was free. */
static void used_set(struct alloc *a, uint64_t extent)
{
    struct group *g = group_get(a, extent);
    bool empty = *used_word(g, extent) == 0;
    g->empty_runs -= empty;
    a->empty_runs -= empty;
    bit_set(g->used, extent);
    g->free_count--;
    free_extents_set(a, a->free_extents - 1);
}

/* It was used. */
static void used_clear(struct alloc *a, uint64_t extent)
{
    struct group *g = group_get(a, extent);
    bit_clear(g->used, extent);
    bool empty = *used_word(g, extent) == 0;
    g->empty_runs += empty;
    a->empty_runs += empty;
    g->free_count++;
    free_extents_set(a, a->free_extents + 1);
}

/* All used: it lies past the end of the device. */
static struct group *group_new(void)
{
    struct group *g = calloc(1, sizeof(*g));
    if (g != NULL)
        memset(g->used, 0xff, sizeof(g->used));
    return g;
}

/* Groups for so many extents. False: out of memory, those that were made stay. */
static bool groups_make(struct alloc *a, uint64_t extents)
{
    size_t count = (size_t)((extents + ALLOC_GROUP_EXTENTS - 1) / ALLOC_GROUP_EXTENTS);
    struct group **grown = realloc(a->groups, count * sizeof(struct group *));
    if (grown == NULL)
        return false;
    a->groups = grown;
    while (a->group_count < count) {
        struct group *g = group_new();
        if (g == NULL)
            return false;
        a->groups[a->group_count++] = g;
    }
    return true;
}

/* 64 extents, all of them used. */
static void run_open(struct alloc *a, uint64_t first)
{
    struct group *g = group_get(a, first);
    *used_word(g, first) = 0;
    g->free_count += 64;
    g->empty_runs++;
    a->empty_runs++;
    free_extents_set(a, a->free_extents + 64);
}

/* The device ends there, and what lay past its end before is free. */
static void extents_open(struct alloc *a, uint64_t first, uint64_t end)
{
    uint64_t x = first;
    while (x < end) {
        bool whole = x % 64 == 0 && end - x >= 64;
        if (whole)
            run_open(a, x);
        else
            used_clear(a, x);
        x += whole ? 64 : 1;
    }
    a->extents = end;
}

struct alloc *alloc_create(uint64_t extents)
{
    assert(extents >= 2);
    struct alloc *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return NULL;
    pthread_mutex_init(&a->lock, NULL);
    if (!groups_make(a, extents)) {
        alloc_destroy(a);
        return NULL;
    }
    extents_open(a, 1, extents); /* 0 is the superblock's */
    return a;
}

int alloc_make_room(struct alloc *a, uint64_t extents, struct err *e)
{
    pthread_mutex_lock(&a->lock);
    bool room = groups_make(a, extents);
    pthread_mutex_unlock(&a->lock);
    return room ? 0 : err_oom(e);
}

void alloc_grow(struct alloc *a, uint64_t extents)
{
    pthread_mutex_lock(&a->lock);
    assert(extents >= a->extents && extents <= a->group_count * ALLOC_GROUP_EXTENTS);
    extents_open(a, a->extents, extents);
    pthread_mutex_unlock(&a->lock);
}

void alloc_destroy(struct alloc *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->group_count; i++)
        free(a->groups[i]);
    free(a->groups);
    free(a->suspects);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

int alloc_load(struct alloc *a, const struct bitmap_change *row, struct err *e)
{
    if (row->gib >= a->group_count)
        return err_set(e, -EUCLEAN, "gib", "bitmap row %u lies past the device's end",
                       row->gib);
    uint64_t base = (uint64_t)row->gib * ALLOC_GROUP_EXTENTS;
    for (uint64_t i = 0; i < ALLOC_GROUP_EXTENTS; i++) {
        if ((row->bits[i / 8] >> i % 8 & 1) == 0)
            continue;
        uint64_t extent = base + i;
        if (extent == 0 || extent >= a->extents)
            return err_set(e, -EUCLEAN, "bits", "extent %llu is not the pool's to use",
                           (unsigned long long)extent);
        struct group *g = group_get(a, extent);
        if (!bit_get(g->used, extent))
            used_set(a, extent);
        bit_set(g->kept, extent);
    }
    return 0;
}

/* The first run of the group that has a free extent, or, if empty, nothing but. */
static uint64_t group_find(const struct group *g, bool empty)
{
    uint64_t r = 0;
    while (empty ? g->used[r] != 0 : g->used[r] == UINT64_MAX)
        r++;
    assert(r < GROUP_WORDS);
    return r * 64 + (uint64_t)__builtin_ctzll(~g->used[r]);
}

/* A free extent; there is one. In a wholly free run if there is any. */
static uint64_t free_find(struct alloc *a)
{
    bool empty = a->empty_runs > 0;
    for (size_t i = 0; i < a->group_count; i++) {
        size_t at = (a->cursor + i) % a->group_count;
        const struct group *g = a->groups[at];
        if ((empty ? g->empty_runs : g->free_count) == 0)
            continue;
        a->cursor = at;
        return at * ALLOC_GROUP_EXTENTS + group_find(g, empty);
    }
    assert(false);
    return 0;
}

int alloc_take(struct alloc *a, uint64_t after, uint64_t *extent)
{
    pthread_mutex_lock(&a->lock);
    if (a->free_extents == 0) {
        pthread_mutex_unlock(&a->lock);
        return -ENOSPC;
    }
    uint64_t x = after + 1;
    if (after == 0 || x >= a->extents || bit_get(group_get(a, x)->used, x))
        x = free_find(a);
    used_set(a, x);
    bit_set(group_get(a, x)->kept, x);
    group_changed(a, group_get(a, x));
    pthread_mutex_unlock(&a->lock);
    *extent = x;
    return 0;
}

/* Under the lock. */
static void suspect_clear(struct alloc *a, uint64_t extent)
{
    if (a->suspects != NULL && extent / 64 < a->suspect_words)
        a->suspects[extent / 64] &= ~(1ULL << extent % 64);
}

void alloc_spare(struct alloc *a, uint64_t extent)
{
    pthread_mutex_lock(&a->lock);
    suspect_clear(a, extent);
    pthread_mutex_unlock(&a->lock);
}

void alloc_unkeep(struct alloc *a, uint64_t extent)
{
    pthread_mutex_lock(&a->lock);
    struct group *g = group_get(a, extent);
    assert(bit_get(g->used, extent));
    bit_clear(g->kept, extent);
    group_changed(a, g);
    suspect_clear(a, extent);
    pthread_mutex_unlock(&a->lock);
}

void alloc_keep_again(struct alloc *a, uint64_t extent)
{
    pthread_mutex_lock(&a->lock);
    struct group *g = group_get(a, extent);
    assert(bit_get(g->used, extent) && !bit_get(g->kept, extent));
    bit_set(g->kept, extent);
    group_changed(a, g);
    pthread_mutex_unlock(&a->lock);
}

void alloc_release(struct alloc *a, uint64_t extent)
{
    pthread_mutex_lock(&a->lock);
    struct group *g = group_get(a, extent);
    assert(bit_get(g->used, extent) && !bit_get(g->kept, extent));
    used_clear(a, extent);
    pthread_mutex_unlock(&a->lock);
}

void alloc_untake(struct alloc *a, uint64_t extent)
{
    alloc_unkeep(a, extent);
    alloc_release(a, extent);
}

uint64_t alloc_free_extents(const struct alloc *a)
{
    return atomic_load_explicit(&a->free_extents, memory_order_acquire);
}

uint64_t alloc_usable_extents(const struct alloc *a)
{
    return alloc_extents(a) - 1;
}

uint64_t alloc_extents(const struct alloc *a)
{
    return atomic_load_explicit(&a->extents, memory_order_relaxed);
}

size_t alloc_dirty_groups(struct alloc *a)
{
    pthread_mutex_lock(&a->lock);
    size_t n = a->changed_count;
    pthread_mutex_unlock(&a->lock);
    return n;
}

static void group_copy(const struct alloc *a, size_t index, struct bitmap_change *row)
{
    const struct group *g = a->groups[index];
    uint32_t kept = 0;
    for (size_t w = 0; w < GROUP_WORDS; w++) {
        kept += (uint32_t)__builtin_popcountll(g->kept[w]);
        for (size_t b = 0; b < 8; b++)
            row->bits[w * 8 + b] = (uint8_t)(g->kept[w] >> (8 * b));
    }
    uint64_t end = a->extents - index * ALLOC_GROUP_EXTENTS;
    uint64_t here = end < ALLOC_GROUP_EXTENTS ? end : ALLOC_GROUP_EXTENTS;
    row->gib = (uint32_t)index;
    row->free_extents = (uint32_t)here - kept - (index == 0);
}

bool alloc_copy_dirty(struct alloc *a, uint32_t device_no, struct bitmap_change *rows,
                      size_t max, size_t *count)
{
    size_t n = 0;
    pthread_mutex_lock(&a->lock);
    bool room = a->changed_count <= max;
    for (size_t i = 0; room && a->changed_count > 0; i++) {
        if (!a->groups[i]->changed)
            continue;
        rows[n].device_no = device_no;
        group_copy(a, i, &rows[n++]);
        a->groups[i]->changed = false;
        a->changed_count--;
    }
    pthread_mutex_unlock(&a->lock);
    *count = n;
    return room;
}

void alloc_copy_failed(struct alloc *a, uint32_t device_no,
                       const struct bitmap_change *rows, size_t count)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < count; i++)
        if (rows[i].device_no == device_no)
            group_changed(a, a->groups[rows[i].gib]);
    pthread_mutex_unlock(&a->lock);
}

/* Under the lock. */
static int suspects_note(struct alloc *a, struct err *e)
{
    if (a->suspects != NULL)
        return err_set(e, -EBUSY, NULL, "a check of this pool is under way");
    a->suspects = calloc(run_count(a), sizeof(*a->suspects));
    if (a->suspects == NULL)
        return err_oom(e);
    a->suspect_words = run_count(a);
    for (size_t r = 0; r < a->suspect_words; r++)
        a->suspects[r] = a->groups[r / GROUP_WORDS]->kept[r % GROUP_WORDS];
    return 0;
}

int alloc_suspect_begin(struct alloc *a, size_t *words, struct err *e)
{
    pthread_mutex_lock(&a->lock);
    int rc = suspects_note(a, e);
    *words = a->suspect_words;
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static void run_free(struct alloc *a, uint64_t run, uint64_t bits)
{
    struct group *g = a->groups[run / GROUP_WORDS];
    g->kept[run % GROUP_WORDS] &= ~bits;
    for (; bits != 0; bits &= bits - 1)
        used_clear(a, run * 64 + (uint64_t)__builtin_ctzll(bits));
    group_changed(a, g);
}

uint64_t alloc_suspect_end(struct alloc *a, const uint64_t *named, bool free_them)
{
    uint64_t count = 0;
    pthread_mutex_lock(&a->lock);
    for (size_t r = 0; named != NULL && r < a->suspect_words; r++) {
        uint64_t leaked = a->suspects[r] & ~named[r];
        count += (uint64_t)__builtin_popcountll(leaked);
        if (free_them && leaked != 0)
            run_free(a, r, leaked);
    }
    free(a->suspects);
    a->suspects = NULL;
    pthread_mutex_unlock(&a->lock);
    return count;
}
