/* SPDX-License-Identifier: Apache-2.0 */
/* The merge's machine: a round, so that the catalog has every leaf of the layer that is
 * to be emptied; then its leaves, a batch of keys at a time, a leaf at a time, some words
 * at once; a round, so that the catalog has it empty; then the rows, and the tree. */
#include "lunmgr/merge.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/merge_word.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define MERGE_BATCH_LEAVES 64
#define MERGE_WORDS        8 /* of a leaf, under way at once */
#define MERGE_GRACE_MS     1 /* between looks for the end of a grace */
#define MERGE_PAUSE_MS     2 /* after a leaf, while hosts have I/O in flight */
#define MERGE_RETRY_MS_MIN 4 /* after a failure that may pass; doubles up to */
#define MERGE_RETRY_MS_MAX 500

enum merge_state {
    MERGE_SETTLING, /* waits for a round: the catalog knows all leaves */
    MERGE_READING,  /* waits for a batch of keys */
    MERGE_LOADING,  /* waits for both leaves */
    MERGE_WORKING,  /* on the words of a leaf */
    MERGE_BURYING,  /* waits for the grace of the emptied words */
    MERGE_ENDING,   /* waits for the round that commits the emptiness */
    MERGE_TURN,     /* waits for its turn to change the tree */
    MERGE_REMOVING, /* waits for the rows */
    MERGE_PARTING,  /* waits for the grace of the emptied layer */
};

struct merge {
    struct pool *pool;
    struct layer *parent, *child;
    bool down;
    enum merge_state state;
    struct event *timer; /* of the pause, the grace or the retry under way */
    struct round_wait round;
    struct catalog_job job;
    struct shape_wait turn;
    struct leaf_wait leaf;
    uint64_t next_key;
    size_t key_count, key_next;
    uint64_t keys[MERGE_BATCH_LEAVES];
    uint32_t first;     /* extent of the leaf being merged */
    uint32_t next_word; /* of it */
    struct leaf *parent_leaf, *child_leaf;
    unsigned words_due;
    bool is_starting; /* words */
    bool copied;      /* a word of this leaf took disk I/O */
    bool haunted;     /* some of its words are ghosts */
    int rc;
    unsigned retry_ms; /* the last pause after a failure; 0: there was none since */
    bool warned;
    uint64_t epoch; /* the grace that is waited for */
    struct merge_word words[MERGE_WORDS];
};

static void merge_advance(struct merge *g);

/* ---- The end --------------------------------------------------------------------- */

static void merge_free(struct merge *g)
{
    struct pool *pool = g->pool;
    event_free(g->timer);
    free(g);
    background_end(pool);
}

/* As it is: the next start goes on, or who looks at the two next. */
static void merge_stop(struct merge *g, const char *why)
{
    char reason[ERR_TEXT_MAX];
    struct layer *parent = g->parent, *child = g->child;
    if (why != NULL)
        log_warning("a merge of layers stops; the next start goes on",
                    "pool=%s parent=%u child=%u reason=%s", g->pool->name, parent->id,
                    child->id, log_quote(reason, sizeof(reason), why));
    parent->is_merging = child->is_merging = false;
    if (child->volume == NULL && child->child_count == 0)
        layer_look(child);
    merge_free(g);
}

/* Nobody's any more, or no time. */
static bool merge_is_over(const struct merge *g)
{
    return lunmgr_is_closing(g->pool->manager) || pool_is_failed(g->pool) ||
           round_has_lost(g->pool, g->parent->family) ||
           (g->child->volume == NULL && g->child->child_count == 0);
}

/* ---- Waiting --------------------------------------------------------------------- */

static void merge_wait_ms(struct merge *g, unsigned ms)
{
    struct timeval after = {.tv_usec = (suseconds_t)ms * 1000};
    event_add(g->timer, &after);
}

static void merge_on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    merge_advance(arg);
}

static void merge_begin_grace(struct merge *g)
{
    g->epoch = lunmgr_next_epoch(g->pool->manager);
}

static bool merge_grace_is_over(const struct merge *g)
{
    return lunmgr_oldest_epoch(g->pool->manager) > g->epoch;
}

/* The step has failed: soon again, unless there is no use in it. */
static void merge_again(struct merge *g, int rc, const char *why)
{
    char reason[ERR_TEXT_MAX];
    if (merge_is_over(g)) {
        merge_stop(g, NULL);
        return;
    }
    /* Damage, or a device that is not there: the same next time. */
    if (rc == -EBUSY || rc == -EUCLEAN || (rc == -EIO && pool_is_degraded(g->pool))) {
        merge_stop(g, why);
        return;
    }
    if (!g->warned)
        log_warning("a merge of layers is late", "pool=%s parent=%u child=%u reason=%s",
                    g->pool->name, g->parent->id, g->child->id,
                    log_quote(reason, sizeof(reason), why));
    g->warned = true;
    g->retry_ms = g->retry_ms == 0 ? MERGE_RETRY_MS_MIN : 2 * g->retry_ms;
    if (g->retry_ms > MERGE_RETRY_MS_MAX)
        g->retry_ms = MERGE_RETRY_MS_MAX;
    merge_wait_ms(g, g->retry_ms);
}

static void merge_on_round(struct round_wait *wait)
{
    struct merge *g = container_of(wait, struct merge, round);
    if (merge_is_over(g)) {
        merge_stop(g, NULL);
        return;
    }
    if (wait->rc != 0) { /* the state stays: the round is asked for again */
        merge_again(g, wait->rc, "a round failed");
        return;
    }
    g->state = g->state == MERGE_SETTLING ? MERGE_READING : MERGE_TURN;
    merge_advance(g);
}

/* ---- The leaves of the layer to be emptied --------------------------------------- */

static struct layer *merge_source(const struct merge *g)
{
    return g->down ? g->child : g->parent;
}

static int merge_see_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct merge *g = arg;
    (void)words;
    g->keys[g->key_count] = key;
    return ++g->key_count == MERGE_BATCH_LEAVES ? 1 : 0;
}

static int merge_read_work(struct catalog_txn *txn, struct catalog_job *job,
                           struct err *e)
{
    struct merge *g = container_of(job, struct merge, job);
    uint64_t last = leaf_key_of(extent_key(merge_source(g)->id, 0x7fffffff));
    g->key_count = 0;
    int rc = leaf_each(txn, g->next_key, last, merge_see_leaf, g, e);
    return rc == 1 ? 0 : rc; /* 1: the batch is full */
}

static void merge_next_leaf(struct merge *g)
{
    if (g->key_next < g->key_count) {
        uint64_t base = leaf_key_of(extent_key(merge_source(g)->id, 0));
        g->first = (uint32_t)(g->keys[g->key_next++] - base) * LEAF_WORDS;
        g->state = MERGE_LOADING;
    } else if (g->key_count == MERGE_BATCH_LEAVES) {
        g->next_key = g->keys[g->key_count - 1] + 1;
        g->state = MERGE_READING;
    } else {
        g->state = MERGE_ENDING;
    }
}

static void merge_on_leaf(struct note *note)
{
    struct merge *g = container_of(note, struct merge, leaf.note);
    if (g->leaf.rc == 0)
        merge_advance(g);
    else
        merge_again(g, g->leaf.rc, "the map could not be read");
}

static void merge_ask(struct merge *g, struct layer *layer)
{
    g->leaf = (struct leaf_wait){.note.run = merge_on_leaf,
                                 .inbox = loop_inbox(lunmgr_home(g->pool->manager))};
    leaf_loader_ask(g->pool->loader, layer, g->first / LEAF_WORDS, &g->leaf);
}

static void merge_load(struct merge *g)
{
    int rc = layer_leaf_own(g->parent, g->first, &g->parent_leaf);
    if (rc == 0)
        rc = layer_leaf_own(g->child, g->first, &g->child_leaf);
    if (rc != 0) {
        merge_again(g, rc, "out of memory");
    } else if (g->parent_leaf == NULL || g->child_leaf == NULL) {
        merge_ask(g, g->parent_leaf == NULL ? g->parent : g->child);
    } else {
        g->next_word = 0;
        g->copied = g->haunted = false;
        g->rc = 0;
        g->state = MERGE_WORKING;
        merge_advance(g);
    }
}

/* ---- Words ----------------------------------------------------------------------- */

/* Nothing of the leaf is held any more, so that it may be evicted. */
static void merge_leaf_end(struct merge *g)
{
    if (g->rc == 0) {
        g->retry_ms = 0;
        merge_next_leaf(g);
    } else {
        g->state = MERGE_LOADING; /* the same again: what is done is done */
    }
    if (merge_is_over(g))
        merge_stop(g, NULL);
    else if (g->rc == -EAGAIN)
        merge_wait_ms(g, MERGE_PAUSE_MS);
    else if (g->rc != 0)
        merge_again(g, g->rc, g->rc == -EIO ? "a disk failed" : "out of memory");
    else if (g->copied && lunmgr_oldest_epoch(g->pool->manager) != UINT64_MAX)
        merge_wait_ms(g, MERGE_PAUSE_MS);
    else
        merge_advance(g);
}

static void merge_leaf_done(struct merge *g)
{
    if (!g->haunted) {
        merge_leaf_end(g);
        return;
    }
    g->state = MERGE_BURYING;
    merge_begin_grace(g);
    merge_advance(g);
}

static bool child_is_sealed(const struct merge *g)
{
    return g->child->volume == NULL || volume_is_snapshot(g->child->volume);
}

static void merge_work(struct merge *g);

static void merge_on_word(struct merge_word *mw, int rc)
{
    struct merge *g = mw->arg;
    mw->is_busy = false;
    if (g->rc == 0)
        g->rc = rc;
    g->copied |= mw->copies;
    g->haunted |= rc == 0 && !g->down;
    g->words_due--;
    if (!g->is_starting)
        merge_work(g);
}

/* The next word that the emptied layer has anything of; false: none in this leaf. */
static bool merge_seek(struct merge *g)
{
    const struct leaf *source = g->down ? g->child_leaf : g->parent_leaf;
    for (; g->next_word < LEAF_WORDS; g->next_word++) {
        uint32_t i = g->next_word;
        if (!leaf_is_ghost(source, i) && (leaf_word(source, i) & ~WORD_HELD) != 0)
            return true;
    }
    return false;
}

static void merge_word_begin(struct merge *g, struct merge_word *mw)
{
    uint32_t index = g->first + g->next_word++;
    *mw = (struct merge_word){
        .parent = {.layer = g->parent,
                   .leaf = g->parent_leaf,
                   .cell = leaf_cell(g->parent_leaf, index)},
        .child = {.layer = g->child,
                  .leaf = g->child_leaf,
                  .cell = leaf_cell(g->child_leaf, index)},
        .down = g->down,
        .child_is_sealed = child_is_sealed(g),
        .index = index,
        .done = merge_on_word,
        .arg = g,
        .is_busy = true,
    };
    g->words_due++;
    merge_word_start(mw);
}

/* Keeps some words under way until the leaf has no more; then all of them end. */
static void merge_work(struct merge *g)
{
    g->is_starting = true; /* words that end at once do not come back here */
    for (unsigned i = 0; i < MERGE_WORDS; i++)
        while (!g->words[i].is_busy && g->rc == 0 && merge_seek(g))
            merge_word_begin(g, &g->words[i]);
    g->is_starting = false;
    if (g->words_due == 0)
        merge_leaf_done(g);
}

static void merge_bury(struct merge *g)
{
    if (!merge_grace_is_over(g)) {
        merge_wait_ms(g, MERGE_GRACE_MS);
        return;
    }
    for (unsigned i = 0; i < LEAF_WORDS; i++)
        if (leaf_is_ghost(g->parent_leaf, i))
            merge_word_bury(g->parent, g->parent_leaf, g->first + i);
    merge_leaf_end(g);
}

/* ---- The rows and the tree ------------------------------------------------------- */

static int merge_remove_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    struct merge *g = container_of(job, struct merge, job);
    struct layer *below = layer_parent(g->parent);
    struct layer *kept = g->down ? g->parent : g->child;
    int rc = g->down ? layer_row_replace(txn, g->child->id, g->parent->id, e)
                     : layer_row_set_parent(txn, g->child->id,
                                            below == NULL ? 0 : below->id, e);
    if (rc == 0)
        rc = layer_row_set_size(txn, kept->id, atomic_load(&kept->size_extents), e);
    return rc != 0 ? rc : layer_row_remove(txn, merge_source(g)->id, e);
}

/* The child's place is the parent's: its name, and all that stands on it. */
static void merge_replace(struct layer *child, struct layer *parent)
{
    while (child->first_child != NULL)
        layer_set_parent(child->first_child, parent);
    parent->volume = child->volume;
    if (child->volume != NULL)
        volume_set_top(child->volume, parent);
    child->volume = NULL;
    layer_unlink(child);
}

static void merge_relink(struct merge *g)
{
    if (g->down) {
        merge_replace(g->child, g->parent);
    } else {
        layer_set_parent(g->child, layer_parent(g->parent));
        layer_unlink(g->parent);
    }
    shape_leave(g->pool);
    g->state = MERGE_PARTING;
    merge_begin_grace(g);
    merge_advance(g);
}

/* I/O that was on its way through the emptied layer has ended. */
static void merge_part(struct merge *g)
{
    if (!merge_grace_is_over(g)) {
        merge_wait_ms(g, MERGE_GRACE_MS);
        return;
    }
    struct layer *kept = g->down ? g->parent : g->child;
    layer_destroy(merge_source(g));
    kept->is_merging = false;
    merge_free(g);
    layer_look(kept);
    layer_look(layer_parent(kept));
}

static void merge_on_job(struct catalog_job *job)
{
    struct merge *g = container_of(job, struct merge, job);
    bool removing = g->state == MERGE_REMOVING;
    if (job->rc == 0 && removing) {
        merge_relink(g);
        return;
    }
    if (removing) {
        shape_leave(g->pool);
        g->state = MERGE_TURN;
    }
    if (job->rc != 0) {
        merge_again(g, job->rc, job->err.text);
        return;
    }
    if (merge_is_over(g)) {
        merge_stop(g, NULL);
        return;
    }
    g->key_next = 0;
    merge_next_leaf(g);
    merge_advance(g);
}

static void merge_on_turn(struct note *note)
{
    struct merge *g = container_of(note, struct merge, turn.note);
    if (merge_is_over(g)) {
        shape_leave(g->pool);
        merge_stop(g, NULL);
        return;
    }
    g->state = MERGE_REMOVING;
    g->job.work = merge_remove_work;
    catalog_write(lunmgr_catalog(g->pool->manager), &g->job);
}

/* ---- The machine ----------------------------------------------------------------- */

static void merge_advance(struct merge *g)
{
    switch (g->state) {
    case MERGE_SETTLING:
    case MERGE_ENDING:
        round_join(g->pool, &g->round);
        return; /* until merge_on_round() */
    case MERGE_READING:
        g->job.work = merge_read_work;
        catalog_read(lunmgr_catalog(g->pool->manager), &g->job);
        return; /* until merge_on_job() */
    case MERGE_LOADING:
        merge_load(g);
        return;
    case MERGE_WORKING:
        merge_work(g);
        return;
    case MERGE_BURYING:
        merge_bury(g);
        return;
    case MERGE_TURN:
        g->turn = (struct shape_wait){.note.run = merge_on_turn};
        shape_enter(g->pool, &g->turn);
        return; /* until merge_on_turn() */
    case MERGE_REMOVING:
        return; /* until merge_on_job() */
    case MERGE_PARTING:
        merge_part(g);
        return;
    }
}

/* Both sides have room for what the other has. */
static int merge_make_room(struct layer *parent, struct layer *child)
{
    uint64_t p = atomic_load(&parent->size_extents);
    uint64_t c = atomic_load(&child->size_extents);
    if (p < c)
        return layer_grow(parent, c);
    return c < p ? layer_grow(child, p) : 0;
}

void merge_start(struct layer *parent)
{
    struct layer *child = parent->first_child;
    struct pool *pool = parent->pool;
    struct inbox *home = loop_inbox(lunmgr_home(pool->manager));
    struct merge *g = calloc(1, sizeof(*g));
    if (g != NULL)
        g->timer = event_new(pool->manager->home_base, -1, 0, merge_on_time, g);
    if (g == NULL || g->timer == NULL || merge_make_room(parent, child) != 0) {
        if (g != NULL && g->timer != NULL)
            event_free(g->timer);
        free(g);
        log_warning("a merge of layers waits for the next start",
                    "pool=%s parent=%u reason=memory", pool->name, parent->id);
        return;
    }
    background_begin(pool);
    g->pool = pool;
    g->parent = parent;
    g->child = child;
    g->down = child_is_sealed(g) &&
              atomic_load(&child->used_extents) < atomic_load(&parent->used_extents);
    g->next_key = leaf_key_of(extent_key(merge_source(g)->id, 0));
    g->round = (struct round_wait){
        .inbox = home, .done = merge_on_round, .family = parent->family};
    g->job = (struct catalog_job){.reply_to = home, .done = merge_on_job};
    parent->is_merging = child->is_merging = true;
    merge_advance(g);
}
