/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping a layer that no volume has any more: batch by batch its leaves are read from
 * the catalog, their extents freed like an UNMAP frees them, and a round commits that;
 * with the last leaf gone the layer's row goes. What fails is tried again while the pool
 * serves. A crash at any point leaves a layer in the state "dropping" that the next start
 * takes up again. Home loop. */
#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define DROP_BATCH_LEAVES 64 /* 1 GiB of volume */
#define DROP_RETRY_MS_MIN 4  /* after a failure that may pass; doubles up to */
#define DROP_RETRY_MS_MAX 500

enum drop_state {
    DROP_SETTLING, /* waits for a round: all words are in the catalog */
    DROP_READING,  /* waits for a batch of leaves */
    DROP_FREEING,  /* waits for the round that commits the empty words */
    DROP_REMOVING, /* waits for the row's removal */
};

struct drop {
    struct pool *pool;
    struct layer *layer;
    enum drop_state state;
    struct round_wait round;
    struct catalog_job job;
    struct event *retry;
    unsigned retry_ms; /* the last pause after a failure; 0: there was none since */
    bool warned;
    uint64_t next_key; /* of the batch to come */
    size_t count;
    uint64_t keys[DROP_BATCH_LEAVES];
    uint64_t words[DROP_BATCH_LEAVES][LEAF_WORDS];
};

/* dirty: a round that failed is to copy its leaves again, so they stay until the pool
 * goes. */
static void drop_end(struct drop *d, const char *why, bool dirty)
{
    char reason[ERR_TEXT_MAX];
    if (why != NULL)
        log_warning(
            "a deleted volume's space is not all returned; the next start goes on",
            "pool=%s layer=%u reason=%s", d->pool->name, d->layer->id,
            log_quote(reason, sizeof(reason), why));
    struct layer *below = layer_parent(d->layer);
    layer_unlink(d->layer);
    if (dirty) {
        d->layer->next_orphan = d->pool->orphans;
        d->pool->orphans = d->layer;
    } else {
        layer_destroy(d->layer);
    }
    if (why == NULL)
        layer_look(below);
    background_end(d->pool);
    event_free(d->retry);
    free(d);
}

static void drop_round(struct drop *d, enum drop_state state)
{
    d->state = state;
    round_join(d->pool, &d->round);
}

/* ---- Reading a batch ------------------------------------------------------------- */

static int drop_each(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct drop *d = arg;
    d->keys[d->count] = key;
    memcpy(d->words[d->count], words, sizeof(d->words[0]));
    return ++d->count == DROP_BATCH_LEAVES ? 1 : 0;
}

static int drop_read_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct drop *d = container_of(job, struct drop, job);
    uint64_t last = leaf_key_of(extent_key(d->layer->id, 0x7fffffff));
    d->count = 0;
    int rc = leaf_each(txn, d->next_key, last, drop_each, d, e);
    return rc == 1 ? 0 : rc; /* 1: the batch is full */
}

static int drop_remove_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    return layer_row_remove(txn, container_of(job, struct drop, job)->layer->id, e);
}

/* ---- Freeing it ------------------------------------------------------------------ */

static void drop_word(struct drop *d, struct leaf *leaf, uint32_t extent_index)
{
    map_word w = atomic_exchange(leaf_cell(leaf, extent_index), 0);
    if (w == 0)
        return;
    round_mark_word(d->pool, leaf, extent_index);
    if (word_place(w) != 0) {
        round_count_extent(d->pool, d->layer, -1);
        share_let_go(d->layer, w);
    }
}

static int drop_leaf(struct drop *d, size_t i)
{
    uint32_t index = (uint32_t)(d->keys[i] - leaf_key_of(extent_key(d->layer->id, 0)));
    uint32_t first = index * LEAF_WORDS;
    struct leaf *leaf;
    int rc = layer_install(d->layer, index, d->words[i]);
    if (rc == 0)
        rc = layer_leaf_own(d->layer, first, &leaf);
    if (rc != 0)
        return rc;
    for (uint32_t w = 0; w < LEAF_WORDS; w++)
        drop_word(d, leaf, first + w);
    return 0;
}

static void drop_again(struct drop *d, const char *why, bool dirty);

/* As far as it goes: what is left of the batch is read again. */
static void drop_batch(struct drop *d)
{
    size_t done = 0;
    int rc = 0;
    while (rc == 0 && done < d->count) {
        rc = drop_leaf(d, done);
        done += rc == 0;
    }
    d->count = done;
    if (done > 0)
        drop_round(d, DROP_FREEING);
    else if (rc == -EUCLEAN) /* damage: the same next time */
        drop_end(d, "its map is damaged", false);
    else
        drop_again(d, "out of memory", false);
}

static void drop_forget_batch(struct drop *d)
{
    for (size_t i = 0; i < d->count; i++)
        layer_forget_leaf(
            d->layer, (uint32_t)(d->keys[i] - leaf_key_of(extent_key(d->layer->id, 0))));
    d->next_key = d->keys[d->count - 1] + 1;
}

/* ---- The machine ----------------------------------------------------------------- */

static void drop_job(struct drop *d, enum drop_state state)
{
    d->state = state;
    struct catalog *catalog = lunmgr_catalog(d->pool->manager);
    d->job.work = state == DROP_READING ? drop_read_work : drop_remove_work;
    if (state == DROP_READING)
        catalog_read(catalog, &d->job);
    else
        catalog_write(catalog, &d->job);
}

/* All leaves that were in memory are in the catalog, and clean: from now on batches
 * alone. */
static void drop_settled(struct drop *d)
{
    layer_forget_all(d->layer);
    drop_job(d, DROP_READING);
}

/* Tries the same again soon, unless there is no use in it. dirty: as for drop_end. */
static void drop_again(struct drop *d, const char *why, bool dirty)
{
    char reason[ERR_TEXT_MAX];
    unsigned ms = d->retry_ms == 0 ? DROP_RETRY_MS_MIN : 2 * d->retry_ms;
    d->retry_ms = ms < DROP_RETRY_MS_MAX ? ms : DROP_RETRY_MS_MAX;
    struct timeval soon = {.tv_usec = (suseconds_t)d->retry_ms * 1000};
    if (pool_is_failed(d->pool) || round_has_lost(d->pool, d->layer->family) ||
        lunmgr_is_closing(d->pool->manager) || event_add(d->retry, &soon) != 0) {
        drop_end(d, why, dirty);
        return;
    }
    if (!d->warned)
        log_warning("a deleted volume's space is late", "pool=%s layer=%u reason=%s",
                    d->pool->name, d->layer->id, log_quote(reason, sizeof(reason), why));
    d->warned = true;
}

static void drop_on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct drop *d = arg;
    (void)fd;
    (void)what;
    if (d->state == DROP_READING || d->state == DROP_REMOVING)
        drop_job(d, d->state);
    else
        drop_round(d, d->state);
}

static void drop_on_round(struct round_wait *wait)
{
    struct drop *d = container_of(wait, struct drop, round);
    if (wait->rc != 0) {
        drop_again(d, "a round failed", true);
        return;
    }
    if (d->state == DROP_SETTLING) {
        drop_settled(d);
        return;
    }
    drop_forget_batch(d);
    d->retry_ms = 0;
    if (lunmgr_is_closing(d->pool->manager))
        drop_end(d, "the daemon stops", false);
    else
        drop_job(d, DROP_READING);
}

static void drop_on_job(struct catalog_job *job)
{
    struct drop *d = container_of(job, struct drop, job);
    if (job->rc == -EBUSY || job->rc == -EUCLEAN) /* damage: the same next time */
        drop_end(d, job->err.text, false);
    else if (job->rc != 0)
        drop_again(d, job->err.text, false);
    else if (d->state == DROP_REMOVING)
        drop_end(d, NULL, false);
    else if (d->count == 0)
        drop_job(d, DROP_REMOVING);
    else
        drop_batch(d);
}

void drop_start(struct layer *layer)
{
    struct pool *pool = layer->pool;
    layer->is_dropping = true;
    background_begin(pool);
    struct inbox *home = loop_inbox(lunmgr_home(pool->manager));
    struct drop *d = calloc(1, sizeof(*d));
    if (d != NULL)
        d->retry = event_new(pool->manager->home_base, -1, 0, drop_on_retry, d);
    if (d == NULL || d->retry == NULL) {
        free(d);
        log_warning("a deleted volume's space is returned at the next start", "layer=%u",
                    layer->id);
        background_end(pool); /* it stays linked: nothing below it may go before it */
        return;
    }
    d->pool = pool;
    d->layer = layer;
    d->next_key = leaf_key_of(extent_key(layer->id, 0));
    d->round = (struct round_wait){
        .inbox = home, .done = drop_on_round, .family = layer->family};
    d->job = (struct catalog_job){.reply_to = home, .done = drop_on_job};
    drop_round(d, DROP_SETTLING);
}

/* ---- Where the pool goes --------------------------------------------------------- */

struct erase {
    const char *pool_id;
    uint32_t layer;    /* the last one of the pool; 0: none */
    uint64_t next_key; /* leaves below it are erased */
    size_t count;
    struct word_change changes[DROP_BATCH_LEAVES * LEAF_WORDS];
};

/* Rows come in order of id, and what stands on a layer has a higher one. */
static int erase_find(const struct layer_row *row, void *arg)
{
    struct erase *x = arg;
    if (strcmp(row->pool_id, x->pool_id) == 0)
        x->layer = row->id;
    return 0;
}

static int erase_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct erase *x = arg;
    for (size_t i = 0; i < LEAF_WORDS; i++)
        if (words[i] != 0)
            x->changes[x->count++] = (struct word_change){.key = key * LEAF_WORDS + i};
    x->next_key = key + 1;
    return x->count + LEAF_WORDS > ARRAY_LEN(x->changes) ? 1 : 0;
}

/* 0: the layer has no leaves any more; 1: there may be more. */
static int erase_batch(struct catalog_txn *txn, struct erase *x, struct err *e)
{
    x->count = 0;
    uint64_t last = leaf_key_of(extent_key(x->layer, 0x7fffffff));
    int rc = leaf_each(txn, x->next_key, last, erase_leaf, x, e);
    if (rc < 0)
        return rc;
    struct round_changes changes = {.words = x->changes, .word_count = x->count};
    int stored = round_store(txn, &changes, e);
    return stored != 0 ? stored : rc;
}

int drop_erase(struct catalog_txn *txn, const char *pool_id, struct err *e)
{
    AUTO_FREE struct erase *x = malloc(sizeof(*x));
    if (x == NULL)
        return err_oom(e);
    x->pool_id = pool_id;
    for (;;) {
        x->layer = 0;
        int rc = layer_row_each(txn, erase_find, x, e);
        if (rc < 0 || x->layer == 0)
            return rc;
        x->next_key = leaf_key_of(extent_key(x->layer, 0));
        while ((rc = erase_batch(txn, x, e)) > 0)
            ;
        if (rc == 0)
            rc = layer_row_remove(txn, x->layer, e);
        if (rc != 0)
            return rc;
    }
}
