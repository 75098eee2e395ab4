/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a layer's leaves, and the one loader that fills it from the catalog.
 */
#include "lunmgr/leaf.h"

#include "base/log.h"
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

struct leaf_directory {
    struct leaf_directory *older; /* readers in flight may still look at it */
    size_t chunk_count;
    _Atomic(struct leaf_chunk *) chunks[];
};

static void leaf_free(struct leaf *leaf)
{
    if (leaf != &leaf_of_zeros)
        free(leaf);
}

/* ---- The directory ------------------------------------------------------------------
 */

struct leaf_directory *leaf_directory_create(uint64_t size_extents)
{
    size_t leaves = (size_t)((size_extents + LEAF_WORDS - 1) / LEAF_WORDS);
    size_t chunks = (leaves + LEAF_CHUNK - 1) / LEAF_CHUNK;
    struct leaf_directory *d = calloc(1, sizeof(*d) + chunks * sizeof(d->chunks[0]));
    if (d != NULL)
        d->chunk_count = chunks;
    return d;
}

struct leaf_directory *leaf_directory_grow(struct leaf_directory *older,
                                           uint64_t size_extents)
{
    struct leaf_directory *d = leaf_directory_create(size_extents);
    if (d == NULL)
        return NULL;
    assert(d->chunk_count >= older->chunk_count);
    for (size_t c = 0; c < older->chunk_count; c++)
        atomic_init(&d->chunks[c], atomic_load(&older->chunks[c]));
    d->older = older;
    return d;
}

static void leaf_directory_empty(struct leaf_directory *d)
{
    for (size_t c = 0; c < d->chunk_count; c++) {
        struct leaf_chunk *chunk = atomic_exchange(&d->chunks[c], NULL);
        for (size_t i = 0; chunk != NULL && i < LEAF_CHUNK; i++)
            leaf_free(atomic_load(&chunk->leaves[i]));
        free(chunk);
    }
}

void leaf_directory_destroy(struct leaf_directory *d)
{
    if (d == NULL)
        return;
    leaf_directory_empty(d);
    while (d != NULL) {
        struct leaf_directory *older = d->older;
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
    struct leaf_chunk *chunk =
        atomic_load_explicit(&d->chunks[leaf_index / LEAF_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk->leaves[leaf_index % LEAF_CHUNK];
}

/* The entry, its chunk made where it is missing; NULL: out of memory. */
static _Atomic(struct leaf *) *leaf_entry_make(struct layer *layer, uint32_t leaf_index)
{
    _Atomic(struct leaf *) *entry = leaf_entry(layer, leaf_index);
    if (entry != NULL)
        return entry;
    struct leaf_chunk *chunk = calloc(1, sizeof(*chunk)), *none = NULL;
    if (chunk == NULL)
        return NULL;
    if (!atomic_compare_exchange_strong(
            &directory_of(layer)->chunks[leaf_index / LEAF_CHUNK], &none, chunk))
        free(chunk);
    return leaf_entry(layer, leaf_index);
}

const struct leaf *layer_leaf(struct layer *layer, uint32_t extent_index)
{
    if (leaf_is_beyond(directory_of(layer), extent_index / LEAF_WORDS))
        return &leaf_of_zeros;
    _Atomic(struct leaf *) *entry = leaf_entry(layer, extent_index / LEAF_WORDS);
    return entry == NULL ? NULL : atomic_load_explicit(entry, memory_order_acquire);
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
    if (!atomic_compare_exchange_strong(entry, &expected, leaf))
        leaf_free(leaf);
}

int layer_leaf_own(struct layer *layer, uint32_t extent_index, struct leaf **out)
{
    uint32_t index = extent_index / LEAF_WORDS;
    _Atomic(struct leaf *) *entry = leaf_entry(layer, index);
    *out = entry == NULL ? NULL : atomic_load_explicit(entry, memory_order_acquire);
    if (*out != &leaf_of_zeros)
        return 0;
    struct leaf *own = leaf_new(layer, index);
    *out = NULL;
    if (own == NULL)
        return -ENOMEM;
    leaf_place(entry, &leaf_of_zeros, own);
    *out = atomic_load_explicit(entry, memory_order_acquire);
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
    unsigned slot = place_slot(p);
    if ((w & (WORD_HELD | WORD_SHARED)) != 0 || (p == 0) != (word_mask(w) == 0))
        return false;
    return p == 0 || (slot >= 1 && slot <= pool->device_count && place_extent(p) != 0 &&
                      place_extent(p) < pool->devices[slot - 1]->row.extents);
}

static bool words_are_known(const struct layer *layer, uint32_t leaf_index,
                            const uint64_t words[LEAF_WORDS])
{
    for (uint32_t i = 0; i < LEAF_WORDS; i++) {
        if (word_is_known(layer->pool, words[i]))
            continue;
        log_error("the catalog names an extent that is none of its pool's",
                  "pool=%s layer=%u extent=%u word=%016" PRIx64, layer->pool->name,
                  layer->id, leaf_index * LEAF_WORDS + i, words[i]);
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
        if (layer->pool != NULL && !words_are_known(layer, leaf_index, words))
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
    struct leaf_load *loads; /* under way */
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
    assert(loader->loads == NULL);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

static int leaf_load_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct leaf_load *load = container_of(job, struct leaf_load, job);
    uint64_t first = extent_key(load->layer->id, load->leaf_index * LEAF_WORDS);
    return leaf_load(txn, leaf_key_of(first), load->words, e);
}

static void leaf_answer(struct leaf_wait *wait, int rc)
{
    while (wait != NULL) {
        struct leaf_wait *next = wait->next;
        wait->rc = rc;
        inbox_post(wait->inbox, &wait->note);
        wait = next;
    }
}

static void leaf_load_done(struct catalog_job *job)
{
    struct leaf_load *load = container_of(job, struct leaf_load, job);
    struct leaf_loader *loader = load->loader;
    int rc = job->rc;
    if (rc == 0)
        rc = layer_install(load->layer, load->leaf_index, load->words);

    pthread_mutex_lock(&loader->lock);
    struct leaf_load **link = &loader->loads;
    while (*link != load)
        link = &(*link)->next;
    *link = load->next;
    pthread_mutex_unlock(&loader->lock);
    leaf_answer(load->waits, rc);
    free(load);
}

/* Under the lock. */
static struct leaf_load *leaf_load_find(struct leaf_loader *loader,
                                        const struct layer *layer, uint32_t leaf_index)
{
    struct leaf_load *load = loader->loads;
    while (load != NULL && (load->layer != layer || load->leaf_index != leaf_index))
        load = load->next;
    return load;
}

static struct leaf_load *leaf_load_new(struct leaf_loader *loader, struct layer *layer,
                                       uint32_t leaf_index)
{
    struct leaf_load *load = calloc(1, sizeof(*load));
    if (load == NULL)
        return NULL;
    load->job = (struct catalog_job){
        .reply_to = loader->home, .work = leaf_load_work, .done = leaf_load_done};
    load->loader = loader;
    load->layer = layer;
    load->leaf_index = leaf_index;
    return load;
}

void leaf_loader_ask(struct leaf_loader *loader, struct layer *layer, uint32_t leaf_index,
                     struct leaf_wait *wait)
{
    pthread_mutex_lock(&loader->lock);
    struct leaf_load *load = leaf_load_find(loader, layer, leaf_index), *fresh = NULL;
    if (load == NULL) {
        load = fresh = leaf_load_new(loader, layer, leaf_index);
        if (fresh != NULL) {
            fresh->next = loader->loads;
            loader->loads = fresh;
        }
    }
    wait->next = NULL;
    if (load != NULL) {
        wait->next = load->waits;
        load->waits = wait;
    }
    pthread_mutex_unlock(&loader->lock);
    if (load == NULL)
        leaf_answer(wait, -ENOMEM);
    else if (fresh != NULL)
        catalog_read(loader->catalog, &fresh->job);
}
