/* SPDX-License-Identifier: Apache-2.0 */
/* Building views, and finding them.
 *
 * Found in a hash table that only the home loop changes, by any lane without a lock: a
 * view that is taken out keeps its own link and is freed after a grace (leaf_cache.h).
 *
 * Built on the home loop, where neither the tree nor a sealed word changes beside it. It
 * notes the leaf's version and walks down from the top's parent until all blocks are
 * resolved, a view of a deeper layer is found, or a leaf is not in memory. Then that
 * layer and all below it are read in one transaction of the catalog, but for leaves that
 * are in memory: these are copied, for they may be newer than the catalog. A leaf that is
 * not in memory is in the catalog as it is: no leaf is evicted before its words are
 * committed, and the transaction begins later. If a word changes before the transaction's
 * answer, so does the version, and nothing of it is used. None of the leaves read enters
 * the cache. */
#include "lunmgr/view.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_A_BUCKET  4096 /* of the cache's bound */
#define BUCKETS_MIN     64
#define BUCKETS_MAX     (1U << 20)
#define BUILDS_MAX      16 /* at once; the others wait in line */
#define BUILD_BUCKETS   64
#define BUILD_STEPS_MIN 16

struct view {
    struct cached cached;
    _Atomic(struct view *) next; /* in its bucket */
    struct views *views;
    uint32_t layer_id, leaf_index;
    uint64_t version;
    uint16_t first[LEAF_WORDS + 1]; /* of an extent's words; the next one's is the end */
    map_word words[];
};

typedef _Atomic(struct view *) view_slot;

struct views {
    struct lunmgr *manager;
    struct build *builds[BUILD_BUCKETS]; /* under way or in line */
    struct build *line_first, *line_last;
    unsigned running;
    bool is_starting; /* those in line: what ends at once starts no others */
    _Atomic uint64_t view_count, layer_count; /* built, and of so many */
    size_t bucket_count;
    view_slot buckets[];
};

/* ---- Resolving --------------------------------------------------------------------- */

struct resolve {
    unsigned open;             /* extents with blocks left */
    uint16_t left[LEAF_WORDS]; /* blocks that no layer above has */
    uint8_t count[LEAF_WORDS]; /* of words */
    map_word words[LEAF_WORDS][WORD_BLOCKS];
};

static struct resolve *resolve_new(void)
{
    struct resolve *r = malloc(sizeof(*r));
    if (r == NULL)
        return NULL;
    r->open = LEAF_WORDS;
    memset(r->left, 0xff, sizeof(r->left));
    memset(r->count, 0, sizeof(r->count));
    return r;
}

/* The next layer's word of extent i. */
static void resolve_word(struct resolve *r, uint32_t i, map_word w)
{
    unsigned mask = word_mask(w) & r->left[i];
    if (r->left[i] == 0)
        return;
    if (mask != 0)
        r->words[i][r->count[i]++] =
            (w & ~(WORD_OPAQUE | WORD_HELD | WORD_MASK_FULL)) | mask;
    r->left[i] = (w & WORD_OPAQUE) != 0 ? 0 : (uint16_t)(r->left[i] & ~mask);
    r->open -= r->left[i] == 0;
}

static void resolve_leaf(struct resolve *r, const struct leaf *leaf)
{
    for (uint32_t i = 0; i < LEAF_WORDS && !leaf_is_zeros(leaf); i++)
        resolve_word(r, i, leaf_word(leaf, i));
}

static void resolve_words(struct resolve *r, const uint64_t words[LEAF_WORDS])
{
    for (uint32_t i = 0; i < LEAF_WORDS; i++)
        resolve_word(r, i, words[i]);
}

/* All that is left. */
static void resolve_view(struct resolve *r, const struct view *view)
{
    for (uint32_t i = 0; i < LEAF_WORDS; i++)
        for (unsigned n = view->first[i]; n < view->first[i + 1]; n++)
            resolve_word(r, i, view->words[n]);
}

/* ---- The table --------------------------------------------------------------------- */

int views_create(struct lunmgr *m, uint64_t bytes_max, struct views **out, struct err *e)
{
    size_t count = BUCKETS_MIN;
    while (count < bytes_max / BYTES_A_BUCKET && count < BUCKETS_MAX)
        count *= 2;
    struct views *views = calloc(1, sizeof(*views) + count * sizeof(view_slot));
    if (views == NULL)
        return err_oom(e);
    views->manager = m;
    views->bucket_count = count;
    *out = views;
    return 0;
}

void views_destroy(struct views *views)
{
    assert(views == NULL || (views->running == 0 && views->line_first == NULL));
    free(views);
}

static uint64_t view_hash(uint32_t layer_id, uint32_t leaf_index)
{
    uint64_t key = (uint64_t)layer_id << 32 | leaf_index;
    return key * 0x9e3779b97f4a7c15ULL >> 32; /* Fibonacci hashing */
}

static view_slot *view_bucket(struct views *views, uint32_t layer_id, uint32_t leaf_index)
{
    return &views->buckets[view_hash(layer_id, leaf_index) % views->bucket_count];
}

/* Of any version. */
static struct view *view_of(struct views *views, uint32_t layer_id, uint32_t leaf_index)
{
    struct view *view = atomic_load(view_bucket(views, layer_id, leaf_index));
    while (view != NULL && (view->layer_id != layer_id || view->leaf_index != leaf_index))
        view = atomic_load(&view->next);
    return view;
}

const struct view *view_find(struct views *views, uint32_t layer_id, uint32_t leaf_index,
                             uint64_t version)
{
    struct view *view = view_of(views, layer_id, leaf_index);
    if (view == NULL || view->version != version)
        return NULL;
    cached_use(&view->cached);
    return view;
}

unsigned view_words(const struct view *view, uint32_t extent_index, map_word *out)
{
    unsigned i = extent_index % LEAF_WORDS;
    unsigned count = view->first[i + 1] - view->first[i];
    memcpy(out, view->words + view->first[i], count * sizeof(*out));
    return count;
}

bool view_is_zeros(const struct view *view)
{
    return view->first[LEAF_WORDS] == 0;
}

static void view_unlink(struct view *view)
{
    view_slot *link = view_bucket(view->views, view->layer_id, view->leaf_index);
    while (atomic_load(link) != view)
        link = &atomic_load(link)->next;
    atomic_store(link, atomic_load(&view->next));
}

static bool view_on_unlink(struct cached *c)
{
    if (cached_is_used(c))
        return false;
    view_unlink(container_of(c, struct view, cached));
    return true;
}

static void view_on_free(struct cached *c)
{
    free(container_of(c, struct view, cached));
}

static const struct cached_kind view_kind = {.unlink = view_on_unlink,
                                             .free = view_on_free};

/* In place of one that has another version. */
static void view_insert(struct view *view)
{
    struct views *views = view->views;
    struct view *old = view_of(views, view->layer_id, view->leaf_index);
    if (old != NULL) {
        view_unlink(old);
        leaf_cache_retire(views->manager->leaf_cache, &old->cached);
    }
    view_slot *bucket = view_bucket(views, view->layer_id, view->leaf_index);
    atomic_init(&view->next, atomic_load(bucket));
    atomic_store(bucket, view);
    cached_use(&view->cached);
    leaf_cache_add(
        views->manager->leaf_cache, &view->cached, &view_kind,
        (uint32_t)(sizeof(*view) + view->first[LEAF_WORDS] * sizeof(map_word)));
}

/* ---- A build ----------------------------------------------------------------------- */

/* A layer of the walk that the catalog's reader takes. */
struct build_step {
    uint32_t layer_id;
    uint64_t *words; /* as they are in memory; NULL: to be read */
};

struct build {
    struct catalog_job job;
    struct build *next;         /* in its bucket */
    struct build *next_in_line; /* before it runs */
    struct views *views;
    struct pool *pool;
    struct layer *top; /* pinned until it runs */
    uint32_t layer_id, leaf_index;
    struct leaf_wait *waits;
    uint64_t version;
    struct resolve *resolved;
    struct build_step *steps;
    size_t step_count, step_max;
    uint32_t base_id; /* the rest is in this layer's view; 0: there is none */
    uint64_t layers;  /* resolved */
};

static int build_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e);
static void build_on_read(struct catalog_job *job);

static struct build **build_bucket(struct views *views, uint32_t layer_id,
                                   uint32_t leaf_index)
{
    return &views->builds[view_hash(layer_id, leaf_index) % BUILD_BUCKETS];
}

static void build_unlist(struct build *b)
{
    struct build **link = build_bucket(b->views, b->layer_id, b->leaf_index);
    while (*link != b)
        link = &(*link)->next;
    *link = b->next;
}

static void build_free(struct build *b)
{
    for (size_t i = 0; i < b->step_count; i++)
        free(b->steps[i].words);
    free(b->steps);
    free(b->resolved);
    free(b);
}

static void build_run_line(struct views *views);

/* Answers, and makes room for the next. */
static void build_end(struct build *b, int rc)
{
    struct views *views = b->views;
    build_unlist(b);
    leaf_wait_answer(b->waits, rc);
    build_free(b);
    views->running--;
    build_run_line(views);
}

/* Of all that is resolved. 0 or -ENOMEM. */
static int build_install(struct build *b)
{
    const struct resolve *r = b->resolved;
    size_t count = 0;
    for (uint32_t i = 0; i < LEAF_WORDS; i++)
        count += r->count[i];
    struct view *view = calloc(1, sizeof(*view) + count * sizeof(map_word));
    if (view == NULL)
        return -ENOMEM;
    view->views = b->views;
    view->layer_id = b->layer_id;
    view->leaf_index = b->leaf_index;
    view->version = b->version;
    for (uint32_t i = 0; i < LEAF_WORDS; i++) {
        memcpy(view->words + view->first[i], r->words[i], r->count[i] * sizeof(map_word));
        view->first[i + 1] = (uint16_t)(view->first[i] + r->count[i]);
    }
    view_insert(view);
    atomic_fetch_add(&b->views->view_count, 1);
    atomic_fetch_add(&b->views->layer_count, b->layers);
    return 0;
}

/* All layers are resolved, but for a view further down. */
static void build_finish(struct build *b)
{
    int rc = 0;
    bool is_right = stack_version(b->pool, b->leaf_index) == b->version;
    if (is_right && b->base_id != 0) {
        const struct view *base =
            view_find(b->views, b->base_id, b->leaf_index, b->version);
        is_right = base != NULL; /* or it was evicted */
        if (is_right)
            resolve_view(b->resolved, base);
    }
    if (is_right)
        rc = build_install(b);
    build_end(b, rc);
}

/* ---- The walk down: home loop ------------------------------------------------------ */

/* For the reader. */
static int build_add_step(struct build *b, uint32_t layer_id, const struct leaf *leaf)
{
    if (b->step_count == b->step_max) {
        size_t max = b->step_max == 0 ? BUILD_STEPS_MIN : 2 * b->step_max;
        struct build_step *grown = realloc(b->steps, max * sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        b->steps = grown;
        b->step_max = max;
    }
    struct build_step *step = &b->steps[b->step_count++];
    *step = (struct build_step){.layer_id = layer_id};
    if (leaf == NULL)
        return 0;
    step->words = malloc(LEAF_WORDS * sizeof(uint64_t));
    for (uint32_t i = 0; step->words != NULL && i < LEAF_WORDS; i++)
        step->words[i] = leaf_word(leaf, i);
    return step->words == NULL ? -ENOMEM : 0;
}

/* At once as long as leaves are in memory, then for the reader. */
static int build_add_layer(struct build *b, struct layer *layer)
{
    const struct leaf *leaf = layer_leaf_peek(layer, b->leaf_index * LEAF_WORDS);
    b->layers++;
    if (leaf != NULL && leaf_is_zeros(leaf))
        return 0;
    if (leaf == NULL || b->step_count > 0)
        return build_add_step(b, layer->id, leaf);
    resolve_leaf(b->resolved, leaf);
    return 0;
}

static int build_walk(struct build *b, struct layer *from)
{
    int rc = 0;
    for (struct layer *l = from; rc == 0 && l != NULL && b->resolved->open > 0;
         l = layer_parent(l)) {
        if (l != from && view_find(b->views, l->id, b->leaf_index, b->version) != NULL) {
            b->base_id = l->id;
            break;
        }
        rc = build_add_layer(b, l);
    }
    return rc;
}

/* The view that is wanted is there, or the tree has changed so that none is. */
static struct layer *view_wanted(const struct views *views, struct layer *top,
                                 uint32_t leaf_index)
{
    struct layer *below = top->is_gone ? NULL : layer_parent(top);
    bool is_wanted = below != NULL && layer_parent(below) != NULL &&
                     view_find((struct views *)views, below->id, leaf_index,
                               stack_version(top->pool, leaf_index)) == NULL;
    return is_wanted ? below : NULL;
}

static void build_run(struct build *b)
{
    struct layer *below = view_wanted(b->views, b->top, b->leaf_index);
    bool is_wanted = below != NULL && below->id == b->layer_id;
    b->version = stack_version(b->pool, b->leaf_index);
    b->resolved = is_wanted ? resolve_new() : NULL;
    int rc = b->resolved == NULL ? -ENOMEM : build_walk(b, below);
    layer_unpin(b->top);
    b->views->running++;
    if (!is_wanted || rc != 0)
        build_end(b, is_wanted ? rc : 0);
    else if (b->step_count == 0)
        build_finish(b);
    else
        catalog_read(lunmgr_catalog(b->views->manager), &b->job);
}

static void build_run_line(struct views *views)
{
    if (views->is_starting)
        return; /* the loop below goes on */
    views->is_starting = true;
    while (views->running < BUILDS_MAX && views->line_first != NULL) {
        struct build *b = views->line_first;
        views->line_first = b->next_in_line;
        build_run(b);
    }
    views->is_starting = false;
}

/* ---- On a reader ------------------------------------------------------------------- */

static int build_step_read(struct catalog_txn *txn, struct build *b,
                           const struct build_step *step, struct err *e)
{
    uint64_t words[LEAF_WORDS];
    uint64_t first = extent_key(step->layer_id, b->leaf_index * LEAF_WORDS);
    int rc = leaf_load(txn, leaf_key_of(first), words, e);
    if (rc != 0)
        return rc;
    if (!leaf_words_are_known(b->pool, step->layer_id, b->leaf_index, words))
        return -EUCLEAN;
    resolve_words(b->resolved, words);
    return 0;
}

static int build_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct build *b = container_of(job, struct build, job);
    int rc = 0;
    for (size_t i = 0; rc == 0 && b->resolved->open > 0 && i < b->step_count; i++) {
        if (b->steps[i].words != NULL)
            resolve_words(b->resolved, b->steps[i].words);
        else
            rc = build_step_read(txn, b, &b->steps[i], e);
    }
    return rc;
}

static void build_on_read(struct catalog_job *job)
{
    struct build *b = container_of(job, struct build, job);
    if (job->rc != 0)
        build_end(b, job->rc);
    else
        build_finish(b);
}

/* ---- Asking ------------------------------------------------------------------------ */

static struct build *build_find(struct views *views, uint32_t layer_id,
                                uint32_t leaf_index)
{
    struct build *b = *build_bucket(views, layer_id, leaf_index);
    while (b != NULL && (b->layer_id != layer_id || b->leaf_index != leaf_index))
        b = b->next;
    return b;
}

/* NULL: out of memory. It has the asker's pin. */
static struct build *build_new(struct views *views, struct layer *top, uint32_t layer_id,
                               uint32_t leaf_index)
{
    struct build **bucket = build_bucket(views, layer_id, leaf_index);
    struct build *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    b->job = (struct catalog_job){
        .reply_to = loop_inbox(lunmgr_home(views->manager)),
        .work = build_work,
        .done = build_on_read,
    };
    b->views = views;
    b->pool = top->pool;
    b->top = top;
    b->layer_id = layer_id;
    b->leaf_index = leaf_index;
    b->next = *bucket;
    *bucket = b;
    return b;
}

static void build_line_up(struct build *b)
{
    struct views *views = b->views;
    if (views->line_first == NULL)
        views->line_first = b;
    else
        views->line_last->next_in_line = b;
    views->line_last = b;
    build_run_line(views);
}

static void view_on_ask(struct note *note)
{
    struct leaf_wait *wait = container_of(note, struct leaf_wait, ask);
    struct layer *top = wait->top;
    struct views *views = top->pool->manager->views;
    struct layer *below = view_wanted(views, top, wait->leaf_index);
    struct build *b =
        below == NULL ? NULL : build_find(views, below->id, wait->leaf_index);
    struct build *fresh = NULL;
    if (below != NULL && b == NULL)
        b = fresh = build_new(views, top, below->id, wait->leaf_index);
    if (fresh == NULL)
        layer_unpin(top);
    if (b == NULL) {
        leaf_wait_answer(wait, below == NULL ? 0 : -ENOMEM);
        return;
    }
    wait->next = b->waits;
    b->waits = wait;
    if (fresh != NULL)
        build_line_up(fresh);
}

void view_ask(struct layer *top, uint32_t leaf_index, struct leaf_wait *wait)
{
    layer_pin(top);
    wait->top = top;
    wait->leaf_index = leaf_index;
    wait->ask.run = view_on_ask;
    loop_post(lunmgr_home(top->pool->manager), &wait->ask);
}

void views_count(struct views *views, struct view_counts *out)
{
    *out = (struct view_counts){.views = atomic_load(&views->view_count),
                                .layers = atomic_load(&views->layer_count)};
}
