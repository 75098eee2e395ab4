/* SPDX-License-Identifier: Apache-2.0 */
/* The evacuation's machine. A pass: grace and a round, so that the catalog has all words
 * that name the device but those of first writes that failed, which are in memory; then
 * the layers by id; of each the leaves in memory and those in the catalog that name it.
 * Words that share are gathered, and move at the end of the pass, each extent's together;
 * the layers that have some are kept from going until then. */
#include "lunmgr/evacuate.h"

#include "lunmgr/evacuate_move.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define BATCH_LEAVES 64
#define GRACE_MS     1
#define RETRY_MS     20 /* when what is left is held, merged or dropped by others */

enum evacuate_state {
    EVACUATE_GRACE,    /* waits for the I/O of the time before */
    EVACUATE_SETTLING, /* waits for a round */
    EVACUATE_LAYER,    /* on to the next layer */
    EVACUATE_READING,  /* waits for a batch of keys */
    EVACUATE_LEAF,     /* on to the next leaf of the batch, or waits for it */
    EVACUATE_WORDS,    /* moves words of a leaf */
    EVACUATE_SHARED,   /* moves what is shared */
    EVACUATE_RESTING,  /* before another pass */
    EVACUATE_FREEING,  /* waits until what was moved off is free */
};

struct shared_word {
    uint64_t extent;
    struct layer *layer; /* kept */
    uint32_t index;
};

struct evacuate {
    struct pool *pool;
    struct device *device;
    struct progress *progress;
    void (*done)(void *arg, const struct err *e);
    void *arg;
    enum evacuate_state state;
    struct event *timer;
    struct round_wait round;
    struct catalog_job job;
    struct leaf_wait leaf_wait;
    uint64_t epoch;
    uint64_t handed_on; /* as the pass began */
    bool found;         /* some word named the device in this pass */
    bool settled;       /* the last pass found none: the round is the last */
    struct err err;     /* once it is over */
    int rc;             /* of moves, leaves and keys */
    bool is_running, again, is_over;
    /* The layer at hand. */
    struct layer *layer;
    uint32_t layer_id; /* of the last one */
    bool in_catalog;   /* its leaves in memory are done */
    uint64_t next_key;
    size_t key_count, key_next;
    uint64_t keys[BATCH_LEAVES];
    /* The leaf at hand. */
    struct leaf *leaf;
    uint32_t first, next_word;
    /* Moves. */
    unsigned moves_due, burst;
    bool is_starting;
    place after;
    struct evacuate_move moves[EVACUATE_MOVES];
    struct evacuate_side single[EVACUATE_MOVES];
    /* Shared words of the pass. */
    struct shared_word *shared;
    size_t shared_count, shared_max, shared_next;
    struct evacuate_side *sides; /* EVACUATE_SHARERS of them */
};

static void evacuate_advance(struct evacuate *v);

/* ---- Layers ------------------------------------------------------------------------ */

static void layer_keep(struct layer *layer)
{
    layer->keepers++;
}

static void layer_unkeep(struct layer *layer)
{
    if (--layer->keepers > 0)
        return;
    struct layer *below = layer_parent(layer);
    layer_look(below);
    layer_look(layer);
}

static struct layer *layer_after(struct pool *pool, uint32_t id)
{
    struct layer *best = NULL;
    pthread_mutex_lock(&pool->layers_lock);
    for (struct layer *l = pool->layers; l != NULL; l = l->next)
        if (l->id > id && (best == NULL || l->id < best->id))
            best = l;
    pthread_mutex_unlock(&pool->layers_lock);
    return best;
}

/* ---- The end ----------------------------------------------------------------------- */

static void shared_forget(struct evacuate *v)
{
    for (size_t i = 0; i < v->shared_count; i++)
        layer_unkeep(v->shared[i].layer);
    v->shared_count = v->shared_next = 0;
}

static void evacuate_end(struct evacuate *v, int rc)
{
    v->err.code = rc;
    v->is_over = true;
}

static void evacuate_finish(struct evacuate *v)
{
    struct pool *pool = v->pool;
    shared_forget(v);
    if (v->layer != NULL)
        layer_unkeep(v->layer);
    v->done(v->arg, v->err.code == 0 ? NULL : &v->err);
    event_free(v->timer);
    free(v->shared);
    free(v->sides);
    free(v);
    background_end(pool);
}

static const char *reason_of(int rc)
{
    switch (rc) {
    case -ENOSPC:
        return "the other devices have no room left";
    case -ENOMEM:
        return "out of memory";
    case -EUCLEAN:
        return "the map is damaged";
    default:
        return "a disk failed, or the catalog";
    }
}

/* 0: it goes on. */
static int evacuate_must_end(struct evacuate *v)
{
    if (v->moves_due > 0)
        return 0;
    if (v->rc != 0)
        return err_set(&v->err, v->rc, NULL, "%s", reason_of(v->rc));
    if (atomic_load(&v->progress->stop) || lunmgr_is_closing(v->pool->manager))
        return err_set(&v->err, -ECANCELED, NULL, "stopped");
    if (device_is_failed(v->device))
        return err_set(&v->err, -EIO, NULL, "the device has failed");
    return 0;
}

static void evacuate_wait_ms(struct evacuate *v, unsigned ms)
{
    struct timeval after = {.tv_usec = (suseconds_t)ms * 1000};
    event_add(v->timer, &after);
}

static void evacuate_on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evacuate_advance(arg);
}

/* ---- Moves ------------------------------------------------------------------------- */

static void evacuate_on_moved(struct evacuate_move *mv, int rc)
{
    struct evacuate *v = mv->arg;
    mv->is_busy = false;
    v->moves_due--;
    if (rc == 0) {
        atomic_fetch_add(&v->progress->done, 1);
        v->after = mv->to != 0 ? mv->to : v->after;
        v->burst++;
    } else if (rc != -EAGAIN && v->rc == 0) {
        v->rc = rc;
    }
    if (!v->is_starting)
        evacuate_advance(v);
}

static void move_begin(struct evacuate *v, struct evacuate_move *mv,
                       struct evacuate_side *sides, size_t count, uint64_t extent)
{
    *mv = (struct evacuate_move){
        .pool = v->pool,
        .from = place_of(v->device->row.slot, extent),
        .after = v->after,
        .sides = sides,
        .count = count,
        .done = evacuate_on_moved,
        .arg = v,
        .is_busy = true,
    };
    v->moves_due++;
    evacuate_move_start(mv);
}

/* Hosts come first. True: it waits. */
static bool evacuate_pause(struct evacuate *v)
{
    if (v->burst < EVACUATE_BURST)
        return false;
    v->burst = 0;
    if (lunmgr_oldest_epoch(v->pool->manager) == UINT64_MAX)
        return false;
    evacuate_wait_ms(v, EVACUATE_PAUSE_MS);
    return true;
}

/* ---- Words ------------------------------------------------------------------------- */

static bool names_device(const struct evacuate *v, map_word w)
{
    return word_place(w) != 0 && place_slot(word_place(w)) == v->device->row.slot;
}

/* False: out of memory. */
static bool shared_add(struct evacuate *v, map_word w, uint32_t index)
{
    if (v->shared_count == v->shared_max) {
        size_t max = v->shared_max == 0 ? 64 : 2 * v->shared_max;
        struct shared_word *grown = realloc(v->shared, max * sizeof(*grown));
        if (grown == NULL)
            return false;
        v->shared = grown;
        v->shared_max = max;
    }
    layer_keep(v->layer);
    v->shared[v->shared_count++] = (struct shared_word){
        .extent = place_extent(word_place(w)), .layer = v->layer, .index = index};
    return true;
}

/* The next word of the leaf that is to move alone; LEAF_WORDS: none. */
static uint32_t word_seek(struct evacuate *v)
{
    for (; v->next_word < LEAF_WORDS; v->next_word++) {
        uint32_t index = v->first + v->next_word;
        map_word w = leaf_word(v->leaf, index);
        if (!names_device(v, w) || leaf_is_ghost(v->leaf, index))
            continue;
        v->found = true;
        if ((w & WORD_SHARED) == 0)
            return v->next_word++;
        if (!shared_add(v, w, index))
            v->rc = -ENOMEM;
    }
    return LEAF_WORDS;
}

static bool words_begin(struct evacuate *v, unsigned i)
{
    uint32_t word = v->rc == 0 ? word_seek(v) : LEAF_WORDS;
    if (word == LEAF_WORDS)
        return false;
    uint32_t index = v->first + word;
    v->single[i] = (struct evacuate_side){.layer = v->layer,
                                          .index = index,
                                          .leaf = v->leaf,
                                          .cell = leaf_cell(v->leaf, index)};
    move_begin(v, &v->moves[i], &v->single[i], 1,
               place_extent(word_place(leaf_word(v->leaf, index))));
    return true;
}

static void evacuate_words(struct evacuate *v)
{
    if (v->moves_due == 0 && evacuate_pause(v)) {
        v->state = EVACUATE_LEAF; /* its leaf may be evicted meanwhile */
        v->key_next--;
        return;
    }
    v->is_starting = true;
    for (unsigned i = 0; i < EVACUATE_MOVES && v->burst < EVACUATE_BURST; i++)
        while (!v->moves[i].is_busy && words_begin(v, i))
            ;
    v->is_starting = false;
    if (v->moves_due > 0)
        return; /* until evacuate_on_moved() */
    if (v->rc == 0 && v->next_word < LEAF_WORDS)
        v->key_next--; /* the pause */
    v->state = EVACUATE_LEAF;
    evacuate_advance(v);
}

static void evacuate_on_leaf(struct note *note)
{
    struct evacuate *v = container_of(note, struct evacuate, leaf_wait.note);
    if (v->rc == 0)
        v->rc = v->leaf_wait.rc;
    evacuate_advance(v);
}

static void leaf_ask(struct evacuate *v, struct layer *layer, uint32_t index)
{
    v->leaf_wait = (struct leaf_wait){.note.run = evacuate_on_leaf,
                                      .inbox = loop_inbox(lunmgr_home(v->pool->manager))};
    leaf_loader_ask(v->pool->loader, layer, index / LEAF_WORDS, &v->leaf_wait);
}

/* The next leaf of the batch: loaded, to be written. */
static void evacuate_leaf(struct evacuate *v)
{
    if (v->key_next == v->key_count) {
        v->state = EVACUATE_READING;
        evacuate_advance(v);
        return;
    }
    uint64_t base = leaf_key_of(extent_key(v->layer->id, 0));
    uint32_t first = (uint32_t)(v->keys[v->key_next] - base) * LEAF_WORDS;
    int rc = layer_leaf_own(v->layer, first, &v->leaf);
    if (rc != 0) {
        v->rc = rc;
    } else if (v->leaf == NULL) {
        leaf_ask(v, v->layer, first);
        return;
    } else {
        if (v->first != first || v->next_word >= LEAF_WORDS)
            v->next_word = 0;
        v->first = first;
        v->key_next++;
        v->state = EVACUATE_WORDS;
    }
    evacuate_advance(v);
}

/* ---- Keys -------------------------------------------------------------------------- */

static int evacuate_see_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct evacuate *v = arg;
    bool names = false;
    for (size_t i = 0; i < LEAF_WORDS && !names; i++)
        names = names_device(v, words[i]);
    v->next_key = key + 1;
    if (names)
        v->keys[v->key_count++] = key;
    return v->key_count == BATCH_LEAVES ? 1 : 0;
}

static int evacuate_read_work(struct catalog_txn *txn, struct catalog_job *job,
                              struct err *e)
{
    struct evacuate *v = container_of(job, struct evacuate, job);
    uint64_t last = leaf_key_of(extent_key(v->layer->id, 0x7fffffff));
    int rc = leaf_each(txn, v->next_key, last, evacuate_see_leaf, v, e);
    return rc == 1 ? 0 : rc; /* 1: the batch is full */
}

static void evacuate_on_read(struct catalog_job *job)
{
    struct evacuate *v = container_of(job, struct evacuate, job);
    v->rc = job->rc;
    v->state = v->key_count > 0 ? EVACUATE_LEAF : EVACUATE_LAYER;
    evacuate_advance(v);
}

/* Leaves in memory that name it. */
static void memory_see(struct evacuate *v)
{
    uint64_t base = leaf_key_of(extent_key(v->layer->id, 0));
    const struct leaf *leaf;
    uint32_t index = (uint32_t)v->next_key;
    while (v->key_count < BATCH_LEAVES &&
           (leaf = layer_next_leaf(v->layer, &index)) != NULL) {
        bool names = false;
        for (uint32_t i = 0; i < LEAF_WORDS && !names; i++)
            names = names_device(v, leaf_word(leaf, i));
        if (names)
            v->keys[v->key_count++] = base + index;
        index++;
    }
    v->next_key = index;
}

static void evacuate_read(struct evacuate *v)
{
    v->key_count = v->key_next = 0;
    if (!v->in_catalog) {
        memory_see(v);
        if (v->key_count > 0) {
            v->state = EVACUATE_LEAF;
            evacuate_advance(v);
            return;
        }
        v->in_catalog = true;
        v->next_key = leaf_key_of(extent_key(v->layer->id, 0));
    }
    v->job = (struct catalog_job){.reply_to = loop_inbox(lunmgr_home(v->pool->manager)),
                                  .work = evacuate_read_work,
                                  .done = evacuate_on_read};
    catalog_read(lunmgr_catalog(v->pool->manager), &v->job);
}

static void evacuate_next_layer(struct evacuate *v)
{
    if (v->layer != NULL)
        layer_unkeep(v->layer);
    v->layer = layer_after(v->pool, v->layer_id);
    if (v->layer == NULL) {
        v->state = EVACUATE_SHARED;
        evacuate_advance(v);
        return;
    }
    v->layer_id = v->layer->id;
    layer_keep(v->layer);
    v->in_catalog = false;
    v->next_key = 0;
    v->next_word = LEAF_WORDS;
    /* One that is merged or dropped is looked at by the next pass. */
    if (v->layer->is_merging || v->layer->is_dropping)
        v->found = true;
    else
        v->state = EVACUATE_READING;
    evacuate_advance(v);
}

/* ---- Shared words ------------------------------------------------------------------ */

static int shared_order(const void *a, const void *b)
{
    const struct shared_word *x = a, *y = b;
    if (x->extent != y->extent)
        return x->extent < y->extent ? -1 : 1;
    if (x->layer->id != y->layer->id)
        return x->layer->id < y->layer->id ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* In order of extent, each word once: a leaf is seen in memory and in the catalog. */
static void shared_sort(struct evacuate *v)
{
    size_t kept = 0;
    if (v->shared_count > 1)
        qsort(v->shared, v->shared_count, sizeof(v->shared[0]), shared_order);
    for (size_t i = 0; i < v->shared_count; i++) {
        if (kept > 0 && shared_order(&v->shared[kept - 1], &v->shared[i]) == 0)
            layer_unkeep(v->shared[i].layer); /* the other keeps it */
        else
            v->shared[kept++] = v->shared[i];
    }
    v->shared_count = kept;
}

/* The sides of the next extent, with their leaves: how many; 0: one is asked for, or
 * v->rc. */
static size_t shared_sides(struct evacuate *v)
{
    size_t n = 0;
    uint64_t extent = v->shared[v->shared_next].extent;
    for (size_t i = v->shared_next;
         i < v->shared_count && n < EVACUATE_SHARERS && v->shared[i].extent == extent;
         i++) {
        struct evacuate_side *side = &v->sides[n++];
        *side = (struct evacuate_side){.layer = v->shared[i].layer,
                                       .index = v->shared[i].index};
        v->rc = layer_leaf_own(side->layer, side->index, &side->leaf);
        if (v->rc != 0)
            return 0;
        if (side->leaf == NULL) {
            leaf_ask(v, side->layer, side->index);
            return 0;
        }
        side->cell = leaf_cell(side->leaf, side->index);
    }
    return n;
}

/* The pass is over. */
static void evacuate_next_pass(struct evacuate *v)
{
    shared_forget(v);
    v->state = EVACUATE_RESTING;
    if (!v->found && atomic_load(&v->device->handed_on) == v->handed_on) {
        v->settled = true;
        v->state = EVACUATE_SETTLING;
        evacuate_advance(v);
        return;
    }
    evacuate_wait_ms(v, RETRY_MS);
}

static void evacuate_shared(struct evacuate *v)
{
    if (v->shared_next == 0)
        shared_sort(v);
    if (v->shared_next == v->shared_count) {
        evacuate_next_pass(v);
        return;
    }
    if (evacuate_pause(v))
        return;
    uint64_t extent = v->shared[v->shared_next].extent;
    size_t n = shared_sides(v);
    if (n > 0) {
        v->shared_next += n;
        move_begin(v, &v->moves[0], v->sides, n, extent);
    } else if (v->rc != 0) {
        evacuate_advance(v);
    }
}

/* ---- Passes ------------------------------------------------------------------------ */

static void pass_begin(struct evacuate *v)
{
    v->found = false;
    v->handed_on = atomic_load(&v->device->handed_on);
    v->layer_id = 0;
    v->epoch = lunmgr_next_epoch(v->pool->manager);
    v->state = EVACUATE_GRACE;
    evacuate_advance(v);
}

static void evacuate_grace(struct evacuate *v)
{
    if (lunmgr_oldest_epoch(v->pool->manager) <= v->epoch) {
        evacuate_wait_ms(v, GRACE_MS);
        return;
    }
    v->state = EVACUATE_SETTLING;
    evacuate_advance(v);
}

static void evacuate_on_round(struct round_wait *wait)
{
    struct evacuate *v = container_of(wait, struct evacuate, round);
    v->rc = wait->rc;
    v->state = v->settled ? EVACUATE_FREEING : EVACUATE_LAYER;
    evacuate_advance(v);
}

static void evacuate_settle(struct evacuate *v)
{
    v->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(v->pool->manager)),
                                   .done = evacuate_on_round};
    round_join(v->pool, &v->round);
}

/* What was moved off ages; discards end. */
static void evacuate_free(struct evacuate *v)
{
    discard_forget(v->pool, v->device);
    if (atomic_load(&v->pool->round.has_lost)) {
        v->rc = -EIO; /* nothing ages any more */
        evacuate_advance(v);
        return;
    }
    if (!limbo_has_device(v->pool, v->device) &&
        !discard_has_device(v->pool, v->device)) {
        evacuate_end(v, 0);
        return;
    }
    round_want(v->pool);
    evacuate_wait_ms(v, RETRY_MS);
}

static void evacuate_step(struct evacuate *v)
{
    int over = evacuate_must_end(v);
    if (over != 0) {
        evacuate_end(v, over);
        return;
    }
    switch (v->state) {
    case EVACUATE_GRACE:
        evacuate_grace(v);
        return;
    case EVACUATE_SETTLING:
        evacuate_settle(v);
        return; /* until evacuate_on_round() */
    case EVACUATE_LAYER:
        evacuate_next_layer(v);
        return;
    case EVACUATE_READING:
        evacuate_read(v);
        return;
    case EVACUATE_LEAF:
        evacuate_leaf(v);
        return;
    case EVACUATE_WORDS:
        evacuate_words(v);
        return;
    case EVACUATE_SHARED:
        evacuate_shared(v);
        return;
    case EVACUATE_RESTING:
        pass_begin(v);
        return;
    case EVACUATE_FREEING:
        evacuate_free(v);
        return;
    }
}

/* One step after the other; what a step asks for may be there at once. */
static void evacuate_advance(struct evacuate *v)
{
    v->again = true;
    if (v->is_running)
        return;
    v->is_running = true;
    /* A call from inside a step has returned above, so v is still there. */
    while (v->again && !v->is_over) { /* NOLINT(clang-analyzer-unix.Malloc) */
        v->again = false;
        evacuate_step(v);
    }
    v->is_running = false;
    if (v->is_over)
        evacuate_finish(v);
}

void evacuate_start(struct pool *pool, struct device *device, struct progress *progress,
                    void (*done)(void *arg, const struct err *e), void *arg)
{
    struct evacuate *v = calloc(1, sizeof(*v));
    struct evacuate_side *sides = calloc(EVACUATE_SHARERS, sizeof(*sides));
    if (v != NULL)
        v->timer = event_new(pool->manager->home_base, -1, 0, evacuate_on_time, v);
    if (v == NULL || sides == NULL || v->timer == NULL) {
        struct err e;
        (void)err_oom(&e);
        free(v);
        free(sides);
        done(arg, &e);
        return;
    }
    background_begin(pool);
    v->pool = pool;
    v->device = device;
    v->progress = progress;
    v->sides = sides;
    v->done = done;
    v->arg = arg;
    atomic_store(&progress->done, 0); /* of an earlier daemon's */
    atomic_store(&progress->total,
                 alloc_usable_extents(device->alloc) - alloc_free_extents(device->alloc));
    pass_begin(v);
}
