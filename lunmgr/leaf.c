/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a layer's leaves, the loader that fills it from the catalog, and how a
 * leaf goes again.
 *
 * Why eviction loses nothing. The home loop evicts: it marks a leaf closing, waits for a
 * grace (leaf_cache.c), then makes it dead and takes it out of the directory, waits for a
 * second grace, and frees it. It becomes dead only if it is clean then, by one
 * compare-and-swap that fails if a writer has taken the mark back since.
 *
 * - A reader may use it in all states: it is freed a grace after it could last be found.
 *   One that still reads the old leaf while a new one is written overlaps that write.
 * - A writer got it through layer_leaf_own: before the mark, then the first grace has
 *   waited for it, and its dirty mark shows; after, then it has taken the mark back; or
 * it found a dead one, and asks for it to be loaded. So nobody writes a dead leaf, and
 * what was clean then is what the catalog has.
 * - Clean: no dirty word, not in the list of the next round, not copied by one that has
 *   not been committed (round_redo() of a failed one marks its leaves before the state
 *   "committed" can be reached), no word held, none with a place and no block, no ghost.
 * - A load reads the catalog at some time after it was asked for, and installs on the
 * home loop. What it read is too old only if the leaf was there, written, committed and
 *   evicted meanwhile: a leaf with a load under way is not evicted. One that is asked for
 *   after that look reads what the dead leaf had: it was committed then.
 * - The home loop's own users (drop, merge) find, change and mark a leaf without going
 *   back to their loop, or hold a word of it.
 * - layer_forget_*() and layer_destroy() take the leaf out of the directory's entry, then
 *   off the cache's lists under its lock; an eviction takes it out of the entry under
 * that lock. Who gets it out of the entry frees it. */
#include "lunmgr/leaf.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What every leaf without a row is until it is written. */
static struct leaf leaf_of_zeros;

struct leaf_chunk {
    _Atomic(struct leaf *) leaves[LEAF_CHUNK];
};

typedef _Atomic(struct leaf_chunk *) leaf_chunk_slot;

struct leaf_directory {
    struct leaf_directory *older; /* readers in flight may still look at it */
    size_t chunk_count;
    _Atomic(leaf_chunk_slot *) chunks; /* NULL: none yet, most layers sleep */
};

static const struct cached_kind leaf_kind;

/* NULL: of a layer without a pool. */
static struct leaf_cache *leaf_cache_of(const struct layer *layer)
{
    return layer->pool == NULL ? NULL : layer->pool->manager->leaf_cache;
}

/* One that was out of the directory's entry, and that nobody uses. */
static void leaf_free(struct leaf *leaf)
{
    if (leaf == NULL || leaf == &leaf_of_zeros)
        return;
    struct leaf_cache *cache = leaf_cache_of(leaf->layer);
    if (cache != NULL)
        leaf_cache_remove(cache, &leaf->cached);
    free(leaf);
}

/* ---- The directory ------------------------------------------------------------------
 */

struct leaf_directory *leaf_directory_create(uint64_t size_extents)
{
    size_t leaves = (size_t)((size_extents + LEAF_WORDS - 1) / LEAF_WORDS);
    struct leaf_directory *d = calloc(1, sizeof(*d));
    if (d != NULL)
        d->chunk_count = (leaves + LEAF_CHUNK - 1) / LEAF_CHUNK;
    return d;
}

static leaf_chunk_slot *directory_chunks(struct leaf_directory *d)
{
    return atomic_load_explicit(&d->chunks, memory_order_acquire);
}

/* NULL: out of memory. */
static leaf_chunk_slot *directory_make_chunks(struct leaf_directory *d)
{
    leaf_chunk_slot *chunks = directory_chunks(d);
    if (chunks != NULL)
        return chunks;
    leaf_chunk_slot *made = calloc(d->chunk_count, sizeof(*made));
    if (made == NULL || atomic_compare_exchange_strong(&d->chunks, &chunks, made))
        return made;
    free(made);
    return chunks;
}

struct leaf_directory *leaf_directory_grow(struct leaf_directory *older,
                                           uint64_t size_extents)
{
    struct leaf_directory *d = leaf_directory_create(size_extents);
    if (d == NULL)
        return NULL;
    assert(d->chunk_count >= older->chunk_count);
    leaf_chunk_slot *from = directory_chunks(older);
    leaf_chunk_slot *to = from == NULL ? NULL : directory_make_chunks(d);
    if (from != NULL && to == NULL) {
        free(d);
        return NULL;
    }
    for (size_t c = 0; from != NULL && c < older->chunk_count; c++)
        atomic_init(&to[c], atomic_load(&from[c]));
    d->older = older;
    return d;
}

static void leaf_chunk_free(struct leaf_chunk *chunk)
{
    for (size_t i = 0; chunk != NULL && i < LEAF_CHUNK; i++)
        leaf_free(atomic_exchange(&chunk->leaves[i], NULL));
    free(chunk);
}

static void leaf_directory_empty(struct leaf_directory *d)
{
    leaf_chunk_slot *chunks = directory_chunks(d);
    for (size_t c = 0; chunks != NULL && c < d->chunk_count; c++)
        leaf_chunk_free(atomic_exchange(&chunks[c], NULL));
}

void leaf_directory_destroy(struct leaf_directory *d)
{
    if (d == NULL)
        return;
    leaf_directory_empty(d);
    while (d != NULL) {
        struct leaf_directory *older = d->older;
        free(directory_chunks(d));
        free(d);
        d = older;
    }
}

static struct leaf_directory *directory_of(struct layer *layer)
{
    return atomic_load_explicit(&layer->directory, memory_order_acquire);
}

void layer_forget_all(struct layer *layer)
{
    leaf_directory_empty(directory_of(layer));
}

static bool leaf_is_beyond(const struct leaf_directory *d, uint32_t leaf_index)
{
    return leaf_index / LEAF_CHUNK >= d->chunk_count;
}

/* NULL: no chunk yet. */
static _Atomic(struct leaf *) *leaf_entry(struct layer *layer, uint32_t leaf_index)
{
    struct leaf_directory *d = directory_of(layer);
    assert(!leaf_is_beyond(d, leaf_index));
    leaf_chunk_slot *chunks = directory_chunks(d);
    if (chunks == NULL)
        return NULL;
    struct leaf_chunk *chunk =
        atomic_load_explicit(&chunks[leaf_index / LEAF_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk->leaves[leaf_index % LEAF_CHUNK];
}

/* The entry, its chunk made where it is missing; NULL: out of memory. */
static _Atomic(struct leaf *) *leaf_entry_make(struct layer *layer, uint32_t leaf_index)
{
    _Atomic(struct leaf *) *entry = leaf_entry(layer, leaf_index);
    if (entry != NULL)
        return entry;
    leaf_chunk_slot *chunks = directory_make_chunks(directory_of(layer));
    struct leaf_chunk *chunk = calloc(1, sizeof(*chunk)), *none = NULL;
    if (chunks == NULL || chunk == NULL) {
        free(chunk);
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&chunks[leaf_index / LEAF_CHUNK], &none, chunk))
        free(chunk);
    return leaf_entry(layer, leaf_index);
}

const struct leaf *layer_leaf_peek(struct layer *layer, uint32_t extent_index)
{
    if (leaf_is_beyond(directory_of(layer), extent_index / LEAF_WORDS))
        return &leaf_of_zeros;
    _Atomic(struct leaf *) *entry = leaf_entry(layer, extent_index / LEAF_WORDS);
    /* Sequentially consistent: after the reader's epoch was published. */
    return entry == NULL ? NULL : atomic_load(entry);
}

const struct leaf *layer_leaf(struct layer *layer, uint32_t extent_index)
{
    const struct leaf *leaf = layer_leaf_peek(layer, extent_index);
    if (leaf != NULL)
        cached_use(&((struct leaf *)leaf)->cached);
    return leaf;
}

const struct leaf *layer_next_leaf(struct layer *layer, uint32_t *leaf_index)
{
    struct leaf_directory *d = directory_of(layer);
    leaf_chunk_slot *chunks = directory_chunks(d);
    for (size_t i = *leaf_index; chunks != NULL && i / LEAF_CHUNK < d->chunk_count; i++) {
        struct leaf_chunk *chunk = atomic_load(&chunks[i / LEAF_CHUNK]);
        if (chunk == NULL) {
            i |= LEAF_CHUNK - 1; /* on to the next one */
            continue;
        }
        struct leaf *leaf = atomic_load(&chunk->leaves[i % LEAF_CHUNK]);
        if (leaf == NULL || leaf == &leaf_of_zeros)
            continue;
        *leaf_index = (uint32_t)i;
        return leaf;
    }
    return NULL;
}

bool leaf_is_zeros(const struct leaf *leaf)
{
    return leaf == &leaf_of_zeros;
}

static struct leaf *leaf_new(struct layer *layer, uint32_t leaf_index)
{
    struct leaf *leaf = calloc(1, sizeof(*leaf));
    if (leaf != NULL) {
        leaf->layer = layer;
        leaf->index = leaf_index;
    }
    return leaf;
}

/* Puts leaf where `expected` is, or frees it if another was first. */
static void leaf_place(_Atomic(struct leaf *) *entry, struct leaf *expected,
                       struct leaf *leaf)
{
    struct leaf_cache *cache = leaf == &leaf_of_zeros ? NULL : leaf_cache_of(leaf->layer);
    bool placed = atomic_compare_exchange_strong(entry, &expected, leaf);
    if (placed && cache != NULL)
        leaf_cache_add(cache, &leaf->cached, &leaf_kind, sizeof(*leaf));
    else if (!placed && leaf != &leaf_of_zeros)
        free(leaf);
}

/* It may be written, and is not evicted before all that is in flight now has ended.
 * False: it is dead. */
static bool leaf_take_back(struct leaf *leaf)
{
    cached_use(&leaf->cached);
    int state = atomic_load(&leaf->state);
    return state == LEAF_OPEN ||
           (state == LEAF_CLOSING &&
            atomic_compare_exchange_strong(&leaf->state, &state, LEAF_OPEN)) ||
           state == LEAF_OPEN;
}

int layer_leaf_own(struct layer *layer, uint32_t extent_index, struct leaf **out)
{
    uint32_t index = extent_index / LEAF_WORDS;
    _Atomic(struct leaf *) *entry = leaf_entry(layer, index);
    struct leaf *leaf = entry == NULL ? NULL : atomic_load(entry);
    *out = NULL;
    if (leaf == &leaf_of_zeros) {
        struct leaf *own = leaf_new(layer, index);
        if (own == NULL)
            return -ENOMEM;
        leaf_place(entry, &leaf_of_zeros, own);
        leaf = atomic_load(entry);
    }
    if (leaf != NULL && leaf_take_back(leaf))
        *out = leaf;
    return 0;
}

static bool words_are_zero(const uint64_t words[LEAF_WORDS])
{
    return words[0] == 0 &&
           memcmp(words, words + 1, (LEAF_WORDS - 1) * sizeof(*words)) == 0;
}

/* A stored word of this pool: an extent of one of its devices with valid blocks, or none
 * of both. Nothing shares extents yet. */
static bool word_is_known(const struct pool *pool, map_word w)
{
    place p = word_place(w);
    if ((w & WORD_HELD) != 0 || (p == 0) != (word_mask(w) == 0) ||
        (p == 0 && (w & WORD_SHARED) != 0))
        return false;
    if (p == 0)
        return true;
    const struct device *d = pool_slot(pool, place_slot(p));
    return d != NULL && place_extent(p) != 0 && place_extent(p) < alloc_extents(d->alloc);
}

bool leaf_words_are_known(const struct pool *pool, uint32_t layer_id, uint32_t leaf_index,
                          const uint64_t words[LEAF_WORDS])
{
    for (uint32_t i = 0; i < LEAF_WORDS; i++) {
        if (word_is_known(pool, words[i]))
            continue;
        log_error("the catalog names an extent that is none of its pool's",
                  "pool=%s layer=%u extent=%u word=%016" PRIx64, pool->name, layer_id,
                  leaf_index * LEAF_WORDS + i, words[i]);
        return false;
    }
    return true;
}

int layer_install(struct layer *layer, uint32_t leaf_index,
                  const uint64_t words[LEAF_WORDS])
{
    _Atomic(struct leaf *) *entry = leaf_entry_make(layer, leaf_index);
    if (entry == NULL)
        return -ENOMEM;
    struct leaf *leaf = &leaf_of_zeros;
    if (!words_are_zero(words)) {
        if (layer->pool != NULL &&
            !leaf_words_are_known(layer->pool, layer->id, leaf_index, words))
            return -EUCLEAN;
        leaf = leaf_new(layer, leaf_index);
        if (leaf == NULL)
            return -ENOMEM;
        for (size_t i = 0; i < LEAF_WORDS; i++)
            atomic_init(&leaf->words[i], words[i]);
    }
    leaf_place(entry, NULL, leaf);
    return 0;
}

void layer_forget_leaf(struct layer *layer, uint32_t leaf_index)
{
    _Atomic(struct leaf *) *entry = leaf_entry(layer, leaf_index);
    if (entry != NULL)
        leaf_free(atomic_exchange(entry, NULL));
}

/* ---- Loading ------------------------------------------------------------------------
 */

#define LOAD_BUCKETS 256

struct leaf_load {
    struct catalog_job job;
    struct leaf_loader *loader;
    struct leaf_load *next;
    struct layer *layer;
    uint32_t leaf_index;
    struct leaf_wait *waits;
    uint64_t words[LEAF_WORDS];
};

struct leaf_loader {
    struct catalog *catalog;
    struct inbox *home;
    pthread_mutex_t lock;
    struct leaf_load *loads[LOAD_BUCKETS]; /* under way */
};

struct leaf_loader *leaf_loader_create(struct catalog *catalog, struct inbox *home)
{
    struct leaf_loader *loader = calloc(1, sizeof(*loader));
    if (loader == NULL)
        return NULL;
    loader->catalog = catalog;
    loader->home = home;
    pthread_mutex_init(&loader->lock, NULL);
    return loader;
}

void leaf_loader_destroy(struct leaf_loader *loader)
{
    if (loader == NULL)
        return;
    for (size_t i = 0; i < LOAD_BUCKETS; i++)
        assert(loader->loads[i] == NULL);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

static int leaf_load_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct leaf_load *load = container_of(job, struct leaf_load, job);
    uint64_t first = extent_key(load->layer->id, load->leaf_index * LEAF_WORDS);
    return leaf_load(txn, leaf_key_of(first), load->words, e);
}

void leaf_wait_answer(struct leaf_wait *wait, int rc)
{
    while (wait != NULL) {
        struct leaf_wait *next = wait->next;
        wait->rc = rc;
        inbox_post(wait->inbox, &wait->note);
        wait = next;
    }
}

static struct leaf_load **load_bucket(struct leaf_loader *loader,
                                      const struct layer *layer, uint32_t leaf_index)
{
    return &loader->loads[(layer->id * 31U + leaf_index) % LOAD_BUCKETS];
}

static void leaf_load_done(struct catalog_job *job)
{
    struct leaf_load *load = container_of(job, struct leaf_load, job);
    struct leaf_loader *loader = load->loader;
    int rc = job->rc;
    if (rc == 0)
        rc = layer_install(load->layer, load->leaf_index, load->words);

    pthread_mutex_lock(&loader->lock);
    struct leaf_load **link = load_bucket(loader, load->layer, load->leaf_index);
    while (*link != load)
        link = &(*link)->next;
    *link = load->next;
    pthread_mutex_unlock(&loader->lock);
    leaf_wait_answer(load->waits, rc);
    layer_unpin(load->layer);
    free(load);
}

/* Under the lock. */
static struct leaf_load *leaf_load_find(struct leaf_loader *loader,
                                        const struct layer *layer, uint32_t leaf_index)
{
    struct leaf_load *load = *load_bucket(loader, layer, leaf_index);
    while (load != NULL && (load->layer != layer || load->leaf_index != leaf_index))
        load = load->next;
    return load;
}

static bool leaf_loader_has(struct leaf_loader *loader, const struct leaf *leaf)
{
    pthread_mutex_lock(&loader->lock);
    bool has = leaf_load_find(loader, leaf->layer, leaf->index) != NULL;
    pthread_mutex_unlock(&loader->lock);
    return has;
}

/* Under the lock. NULL: out of memory. */
static struct leaf_load *leaf_load_add(struct leaf_loader *loader, struct layer *layer,
                                       uint32_t leaf_index)
{
    struct leaf_load **bucket = load_bucket(loader, layer, leaf_index);
    struct leaf_load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return NULL;
    load->job = (struct catalog_job){
        .reply_to = loader->home, .work = leaf_load_work, .done = leaf_load_done};
    load->loader = loader;
    load->layer = layer;
    load->leaf_index = leaf_index;
    load->next = *bucket;
    *bucket = load;
    layer_pin(layer);
    return load;
}

void leaf_loader_ask(struct leaf_loader *loader, struct layer *layer, uint32_t leaf_index,
                     struct leaf_wait *wait)
{
    pthread_mutex_lock(&loader->lock);
    struct leaf_load *load = leaf_load_find(loader, layer, leaf_index), *fresh = NULL;
    if (load == NULL)
        load = fresh = leaf_load_add(loader, layer, leaf_index);
    wait->next = NULL;
    if (load != NULL) {
        wait->next = load->waits;
        load->waits = wait;
    }
    pthread_mutex_unlock(&loader->lock);
    if (load == NULL)
        leaf_wait_answer(wait, -ENOMEM);
    else if (fresh != NULL)
        catalog_read(loader->catalog, &fresh->job);
}

bool leaf_word_is_committed(const struct leaf *leaf, uint32_t extent_index)
{
    unsigned i = extent_index % LEAF_WORDS;
    return (atomic_load(&leaf->dirty[i / 64]) >> i % 64 & 1) == 0 &&
           leaf->round <= leaf->layer->pool->round.durable;
}

/* ---- Eviction: the home loop, under the cache's lock --------------------------------
 */

/* Nothing of it is waiting to be copied or committed. */
static bool leaf_is_committed(struct leaf *leaf)
{
    for (unsigned g = 0; g < LEAF_WORDS / 64; g++)
        if (atomic_load(&leaf->dirty[g]) != 0)
            return false;
    return !atomic_load(&leaf->queued) && leaf->round <= leaf->layer->pool->round.durable;
}

/* The catalog's words are not all there is to it. */
static bool leaf_has_memory_state(const struct leaf *leaf)
{
    for (uint32_t i = 0; i < LEAF_WORDS; i++) {
        map_word w = leaf_word(leaf, i);
        if (leaf_is_ghost(leaf, i) || (w & WORD_HELD) != 0 ||
            (word_place(w) != 0 && word_mask(w) == 0))
            return true;
    }
    return false;
}

static struct leaf *leaf_of_cached(struct cached *c)
{
    return container_of(c, struct leaf, cached);
}

static bool leaf_on_close(struct cached *c)
{
    struct leaf *leaf = leaf_of_cached(c);
    if (!leaf_is_committed(leaf))
        return false;
    atomic_store(&leaf->state, LEAF_CLOSING);
    return true;
}

static bool leaf_on_unlink(struct cached *c)
{
    struct leaf *leaf = leaf_of_cached(c);
    int closing = LEAF_CLOSING;
    bool goes = !cached_is_used(c) && leaf_is_committed(leaf) &&
                !leaf_has_memory_state(leaf) &&
                !leaf_loader_has(leaf->layer->pool->loader, leaf);
    if (!atomic_compare_exchange_strong(&leaf->state, &closing,
                                        goes ? LEAF_DEAD : LEAF_OPEN) ||
        !goes)
        return false;
    _Atomic(struct leaf *) *entry = leaf_entry(leaf->layer, leaf->index);
    struct leaf *expected = leaf;
    /* Or it is being forgotten just now. */
    return entry != NULL && atomic_compare_exchange_strong(entry, &expected, NULL);
}

static void leaf_on_free(struct cached *c)
{
    free(leaf_of_cached(c));
}

static const struct cached_kind leaf_kind = {
    .close = leaf_on_close, .unlink = leaf_on_unlink, .free = leaf_on_free};
