/* SPDX-License-Identifier: Apache-2.0 */
/* Marks go into lists that the copy phase takes whole, one for each scope; what it has no
 * memory for goes back. */
#include "lunmgr/round_copy.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/round_lost.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- Marks (any thread) --------------------------------------------------------------
 */

static void dirty_push(struct round *r, struct leaf *leaf)
{
    _Atomic(struct leaf *) *list = &r->dirty[leaf->layer->family % ROUND_SCOPES];
    struct leaf *head = atomic_load(list);
    do {
        leaf->next_dirty = head;
    } while (!atomic_compare_exchange_weak(list, &head, leaf));
    atomic_fetch_add(&r->dirty_count, 1);
}

static void changed_push(struct round *r, struct layer *layer)
{
    _Atomic(struct layer *) *list = &r->changed[layer->family % ROUND_SCOPES];
    struct layer *head = atomic_load(list);
    do {
        layer->next_changed = head;
    } while (!atomic_compare_exchange_weak(list, &head, layer));
}

static void leaf_queue(struct pool *pool, struct leaf *leaf)
{
    if (atomic_exchange(&leaf->queued, true))
        return;
    dirty_push(&pool->round, leaf);
    if (atomic_load(&pool->round.dirty_count) >= ROUND_DIRTY_LEAVES_MAX)
        round_want(pool);
}

void round_mark_word(struct pool *pool, struct leaf *leaf, uint32_t extent_index)
{
    unsigned i = extent_index % LEAF_WORDS;
    atomic_fetch_or(&leaf->dirty[i / 64], 1ULL << i % 64);
    leaf_queue(pool, leaf);
}

void round_mark_words(struct pool *pool, struct leaf *leaf,
                      const uint64_t marks[LEAF_WORDS / 64])
{
    uint64_t any = 0;
    for (unsigned g = 0; g < LEAF_WORDS / 64; g++) {
        any |= marks[g];
        if (marks[g] != 0)
            atomic_fetch_or(&leaf->dirty[g], marks[g]);
    }
    if (any != 0)
        leaf_queue(pool, leaf);
}

static void layer_changed(struct pool *pool, struct layer *layer)
{
    if (!atomic_exchange(&layer->count_changed, true))
        changed_push(&pool->round, layer);
}

void round_count_extent(struct pool *pool, struct layer *layer, int change)
{
    atomic_fetch_add(&layer->used_extents, (uint64_t)(int64_t)change);
    layer_changed(pool, layer);
}

void round_count_shared(struct pool *pool, struct layer *layer, int change)
{
    uint64_t n = atomic_load(&layer->shared_extents), now;
    do
        now = change < 0 && n == 0 ? 0 : n + (uint64_t)(int64_t)change;
    while (!atomic_compare_exchange_weak(&layer->shared_extents, &n, now));
    layer_changed(pool, layer);
}

/* ---- The copy phase --------------------------------------------------------------- */

/* Room for n entries; false: out of memory, the old ones stay. */
static bool room_for(void **entries, size_t *max, size_t n, size_t entry_bytes)
{
    if (n <= *max)
        return true;
    size_t wanted = n < 2 * *max ? 2 * *max : n;
    void *grown = realloc(*entries, wanted * entry_bytes);
    if (grown == NULL)
        return false;
    *entries = grown;
    *max = wanted;
    return true;
}

static int leaf_order(const void *a, const void *b)
{
    const struct leaf *x = *(struct leaf *const *)a, *y = *(struct leaf *const *)b;
    if (x->layer->id != y->layer->id)
        return x->layer->id < y->layer->id ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* One scope's, into r->leaves. False: out of memory, some of them are left. */
static bool take_dirty_scope(struct round *r, unsigned scope)
{
    struct leaf *leaf = atomic_exchange(&r->dirty[scope], NULL);
    bool all = true;
    while (leaf != NULL) {
        struct leaf *rest = leaf->next_dirty;
        atomic_fetch_sub(&r->dirty_count, 1);
        if (room_for((void **)&r->leaves, &r->leaf_max, r->leaf_count + 1,
                     sizeof(struct leaf *)))
            r->leaves[r->leaf_count++] = leaf;
        else {
            dirty_push(r, leaf);
            all = false;
        }
        leaf = rest;
    }
    return all;
}

/* Takes the dirty leaves of the round's scope into r->leaves, sorted. All of them: steps
 * change words of several. */
static bool take_dirty_leaves(struct round *r)
{
    bool all = true;
    r->leaf_count = 0;
    for (unsigned i = 0; i < ROUND_SCOPES; i++)
        if ((r->scope >> i & 1) != 0)
            all = take_dirty_scope(r, i) && all;
    if (r->leaf_count > 1)
        qsort(r->leaves, r->leaf_count, sizeof(struct leaf *), leaf_order);
    return all && room_for((void **)&r->words, &r->word_max, r->leaf_count * LEAF_WORDS,
                           sizeof(struct word_change));
}

/* Clears the marks, then copies: a change between the two is copied twice, never lost. */
static void copy_leaf(struct round *r, struct leaf *leaf)
{
    atomic_store(&leaf->queued, false);
    leaf->round = atomic_load(&r->no);
    uint32_t first = leaf->index * LEAF_WORDS;
    for (unsigned g = 0; g < LEAF_WORDS / 64; g++) {
        uint64_t marks = atomic_exchange(&leaf->dirty[g], 0);
        for (; marks != 0; marks &= marks - 1) {
            uint32_t i = first + g * 64 + (uint32_t)__builtin_ctzll(marks);
            map_word w = leaf_is_ghost(leaf, i) ? 0 : leaf_word(leaf, i);
            r->words[r->word_count++] = (struct word_change){
                .key = extent_key(leaf->layer->id, i), .word = word_stored(w)};
        }
    }
}

static bool copy_counts_of(struct pool *pool, unsigned scope)
{
    struct round *r = &pool->round;
    struct layer *layer = atomic_exchange(&r->changed[scope], NULL);
    size_t n = r->count_count;
    for (struct layer *l = layer; l != NULL; l = l->next_changed)
        n++;
    bool room = room_for((void **)&r->counts, &r->count_max, n, sizeof(*r->counts)) &&
                room_for((void **)&r->layers, &r->layer_max, n, sizeof(struct layer *));
    for (struct layer *next; layer != NULL; layer = next) {
        next = layer->next_changed;
        if (!room) {
            changed_push(r, layer);
            continue;
        }
        if (r->failed_devices > 0 && round_has_lost(pool, layer->family)) {
            round_leave_out(pool);
            continue;
        }
        r->layers[r->count_count] = layer;
        r->counts[r->count_count++] =
            (struct layer_count){.layer = layer->id,
                                 .used_extents = layer->used_extents,
                                 .shared_extents = layer->shared_extents};
        atomic_store(&layer->count_changed, false);
    }
    return room;
}

static bool copy_counts(struct pool *pool)
{
    struct round *r = &pool->round;
    bool all = true;
    r->count_count = 0;
    for (unsigned i = 0; i < ROUND_SCOPES; i++)
        if ((r->scope >> i & 1) != 0)
            all = copy_counts_of(pool, i) && all;
    return all;
}

static bool copy_bitmaps(struct pool *pool)
{
    struct round *r = &pool->round;
    r->bitmap_count = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;) {
        size_t copied;
        do { /* extents are taken meanwhile, outside the gate */
            /* One more, so that there is an array to point into. */
            size_t need = r->bitmap_count + alloc_dirty_groups(d->alloc) + 1;
            if (!room_for((void **)&r->bitmaps, &r->bitmap_max, need,
                          sizeof(*r->bitmaps)))
                return false;
        } while (!alloc_copy_dirty(d->alloc, d->row.no, r->bitmaps + r->bitmap_count,
                                   r->bitmap_max - r->bitmap_count, &copied));
        r->bitmap_count += copied;
    }
    return true;
}

/* False: out of memory somewhere; what was copied is marked again by round_redo. */
static bool round_copy_gated(struct pool *pool, uint64_t no)
{
    struct round *r = &pool->round;
    r->word_count = 0;
    bool all = take_dirty_leaves(r);
    share_take(pool, &r->shares);
    if (r->failed_devices > 0)
        all = round_sort_out(pool) && all;
    r->copied_count = all ? r->leaf_count : 0;
    for (size_t i = 0; i < r->copied_count; i++)
        copy_leaf(r, r->leaves[i]);
    all = copy_counts(pool) && all;
    if (r->scope == ROUND_WHOLE && !atomic_load(&r->has_lost))
        limbo_unkeep(pool, no);
    return copy_bitmaps(pool) && all;
}

bool round_copy(struct pool *pool)
{
    struct round *r = &pool->round;
    pthread_rwlock_wrlock(&pool->gate);
    uint64_t no = atomic_fetch_add(&r->no, 1) + 1;
    if (share_has_changes(pool)) /* their words are of several families */
        r->scope = ROUND_WHOLE;
    if (r->scope == ROUND_WHOLE)
        atomic_store(&r->whole_no, no);
    r->failed_devices = round_failed_devices(pool);
    bool all = round_copy_gated(pool, no);
    r->is_stale = r->failed_devices > 0 && round_copied_lost(pool);
    pthread_rwlock_unlock(&pool->gate);
    return share_sum(&r->shares) && all;
}

/* All words of its leaves, changed or not. */
void round_redo(struct pool *pool)
{
    struct round *r = &pool->round;
    for (size_t i = 0; i < r->leaf_count; i++) {
        struct leaf *leaf = r->leaves[i];
        for (unsigned g = 0; g < LEAF_WORDS / 64; g++)
            atomic_store(&leaf->dirty[g], UINT64_MAX);
        bool in_list = i < r->copied_count && atomic_exchange(&leaf->queued, true);
        if (!in_list)
            dirty_push(r, leaf);
    }
    for (size_t i = 0; i < r->count_count; i++)
        layer_changed(pool, r->layers[i]);
    share_give_back(pool, &r->shares);
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        alloc_copy_failed(d->alloc, d->row.no, r->bitmaps, r->bitmap_count);
}
