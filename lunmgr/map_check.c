/* SPDX-License-Identifier: Apache-2.0 */
/* Holding the committed map against the committed bitmaps, in one snapshot of the
 * catalog, on a reader: extents that two words name and do not share, that are shared by
 * another number of words than is counted, that are named but free, that are used but
 * named by nobody (leaks, which an unclean stop may leave). Starts and ends on the home
 * loop, where a pool's checks wait for each other: suspects are of one at a time. */
#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHARES_MIN 64

struct device_check {
    struct device *device; /* NULL: the slot had none as it began */
    uint64_t *named;       /* a bit for each extent */
    uint64_t *kept;
    size_t words;
    uint64_t *shares; /* extents of shared words, one entry a word */
    size_t share_count, share_max;
    size_t share_next; /* of those sorted, while the rows are read */
};

struct map_check {
    struct pool *pool;
    struct map_check *next; /* of the pool's, in order of asking */
    bool repair;
    struct progress *progress; /* NULL: nobody asks */
    struct catalog_job job;
    struct round_wait round;
    struct note reply;
    struct inbox *reply_to;
    map_check_fn done;
    void *arg;
    struct pool_check_report report;
    struct err err;   /* code 0: it worked */
    uint32_t *layers; /* the pool's, by id */
    size_t layer_count;
    uint64_t words; /* that name an extent, as the layers count them */
    unsigned slot_count;
    struct device_check *devices; /* by slot - 1 */
};

static bool check_is_to_stop(const struct map_check *c)
{
    return lunmgr_is_closing(c->pool->manager) ||
           (c->progress != NULL && atomic_load(&c->progress->stop));
}

/* ---- On a reader ----------------------------------------------------------------- */

static bool bit_test_and_set(uint64_t *bits, uint64_t i)
{
    uint64_t bit = 1ULL << i % 64;
    bool was = (bits[i / 64] & bit) != 0;
    bits[i / 64] |= bit;
    return was;
}

static int check_shared(struct device_check *dc, uint64_t extent)
{
    if (dc->share_count == dc->share_max) {
        size_t max = dc->share_max == 0 ? SHARES_MIN : 2 * dc->share_max;
        uint64_t *grown = realloc(dc->shares, max * sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        dc->shares = grown;
        dc->share_max = max;
    }
    dc->shares[dc->share_count++] = extent;
    return 0;
}

/* NULL: no device in the pool has such an extent, or it has come since the check began
 * (is_new), and is not looked at. */
static struct device_check *check_place(const struct map_check *c, place p, bool *is_new)
{
    unsigned slot = place_slot(p);
    const struct device *d = pool_slot(c->pool, slot);
    struct device_check *dc =
        slot >= 1 && slot <= c->slot_count ? &c->devices[slot - 1] : NULL;
    bool there =
        d != NULL && place_extent(p) != 0 && place_extent(p) < alloc_extents(d->alloc);
    bool known =
        there && dc != NULL && dc->device != NULL && place_extent(p) / 64 < dc->words;
    *is_new = there && !known;
    return known ? dc : NULL;
}

static int check_word(struct map_check *c, map_word w)
{
    place p = word_place(w);
    bool is_new;
    if (p == 0)
        return 0;
    struct device_check *dc = check_place(c, p, &is_new);
    if (dc == NULL)
        c->report.lost_extents += !is_new;
    else if ((w & WORD_SHARED) != 0)
        return check_shared(dc, place_extent(p));
    else if (bit_test_and_set(dc->named, place_extent(p)))
        c->report.double_extents++;
    else
        c->report.named_extents++;
    return 0;
}

static int check_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct map_check *c = arg;
    uint64_t naming = 0;
    (void)key;
    if (check_is_to_stop(c))
        return -ECANCELED;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < LEAF_WORDS; i++) {
        rc = check_word(c, words[i]);
        naming += word_place(words[i]) != 0;
    }
    if (c->progress != NULL)
        atomic_fetch_add(&c->progress->done, naming);
    return rc;
}

static int check_layer(const struct layer_row *row, void *arg)
{
    struct map_check *c = arg;
    if (strcmp(row->pool_id, c->pool->id) != 0)
        return 0;
    uint32_t *grown = realloc(c->layers, (c->layer_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    c->layers = grown;
    c->layers[c->layer_count++] = row->id;
    c->words += row->used_extents;
    return 0;
}

static int check_bitmap(const struct bitmap_change *row, void *arg)
{
    struct device_check *dc = arg;
    size_t first = (size_t)row->gib * BITMAP_BYTES / 8;
    for (size_t i = 0; i < BITMAP_BYTES && first + i / 8 < dc->words; i++)
        dc->kept[first + i / 8] |= (uint64_t)row->bits[i] << 8 * (i % 8);
    return 0;
}

/* ---- Shares: the words' extents, sorted, beside the rows, in the same order -----------
 */

struct share_walk {
    struct map_check *check;
    struct device_check *dc;
};

static int extent_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The next extent's words are as many as counted. */
static void check_share(struct map_check *c, struct device_check *dc, uint64_t count)
{
    uint64_t extent = dc->shares[dc->share_next], words = 0;
    while (dc->share_next < dc->share_count && dc->shares[dc->share_next] == extent) {
        dc->share_next++;
        words++;
    }
    c->report.shared_extents++;
    c->report.miscounted_extents += words != count;
    if (bit_test_and_set(dc->named, extent))
        c->report.double_extents++; /* and by a word that does not share it */
    else
        c->report.named_extents++;
}

/* Those before the row's have no row: a single word each. */
static void check_shares_before(struct map_check *c, struct device_check *dc,
                                uint64_t extent)
{
    while (dc->share_next < dc->share_count && dc->shares[dc->share_next] < extent)
        check_share(c, dc, 1);
}

static int check_share_row(const struct share_row *row, void *arg)
{
    const struct share_walk *walk = arg;
    struct device_check *dc = walk->dc;
    check_shares_before(walk->check, dc, row->extent);
    for (uint64_t extent = row->extent; extent < row->extent + row->extents; extent++) {
        if (dc->share_next < dc->share_count && dc->shares[dc->share_next] == extent)
            check_share(walk->check, dc, row->count);
        else
            walk->check->report.miscounted_extents++; /* nobody shares it */
    }
    return 0;
}

static int check_shares(struct catalog_txn *txn, struct map_check *c,
                        struct device_check *dc, struct err *e)
{
    struct share_walk walk = {.check = c, .dc = dc};
    if (dc->share_count > 0)
        qsort(dc->shares, dc->share_count, sizeof(dc->shares[0]), extent_order);
    int rc = share_each(txn, dc->device->row.no, check_share_row, &walk, e);
    check_shares_before(c, dc, UINT64_MAX);
    return rc;
}

/* ---- All of it ------------------------------------------------------------------------
 */

static void check_device(struct map_check *c, const struct device_check *dc)
{
    for (size_t i = 0; i < dc->words; i++) {
        c->report.used_extents += (uint64_t)__builtin_popcountll(dc->kept[i]);
        c->report.lost_extents +=
            (uint64_t)__builtin_popcountll(dc->named[i] & ~dc->kept[i]);
    }
}

static int check_layers(struct catalog_txn *txn, struct map_check *c, struct err *e)
{
    int rc = layer_row_each(txn, check_layer, c, e);
    if (rc == 0 && c->progress != NULL) {
        atomic_store(&c->progress->done, 0); /* of an earlier daemon's */
        atomic_store(&c->progress->total, c->words);
    }
    for (size_t i = 0; rc == 0 && i < c->layer_count; i++) {
        if (check_is_to_stop(c))
            return -ECANCELED;
        rc = leaf_each(txn, leaf_key_of(extent_key(c->layers[i], 0)),
                       leaf_key_of(extent_key(c->layers[i], 0x7fffffff)), check_leaf, c,
                       e);
    }
    return rc;
}

static int map_check_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct map_check *c = container_of(job, struct map_check, job);
    int rc = check_layers(txn, c, e);
    for (unsigned i = 0; rc == 0 && i < c->slot_count; i++) {
        if (c->devices[i].device == NULL)
            continue;
        rc = bitmap_each(txn, c->devices[i].device->row.no, check_bitmap, &c->devices[i],
                         e);
        if (rc == 0)
            rc = check_shares(txn, c, &c->devices[i], e);
        if (rc == 0)
            check_device(c, &c->devices[i]);
    }
    return rc;
}

/* ---- On the home loop ------------------------------------------------------------ */

static void map_check_answer(struct note *note)
{
    struct map_check *c = container_of(note, struct map_check, reply);
    atomic_fetch_sub(&c->pool->check_count, 1);
    c->done(c->arg, c->err.code == 0 ? &c->report : NULL,
            c->err.code == 0 ? NULL : &c->err);
    for (unsigned i = 0; i < c->slot_count; i++) {
        free(c->devices[i].named);
        free(c->devices[i].kept);
        free(c->devices[i].shares);
    }
    free(c->devices);
    free(c->layers);
    free(c);
}

static void map_check_begin(struct map_check *c);

static void map_check_end(struct map_check *c, int rc)
{
    struct pool *pool = c->pool;
    for (unsigned i = 0; i < c->slot_count; i++)
        if (c->devices[i].device != NULL)
            c->report.leaked_extents +=
                alloc_suspect_end(c->devices[i].device->alloc,
                                  rc == 0 ? c->devices[i].named : NULL, c->repair);
    if (c->repair && c->report.leaked_extents > 0)
        round_want(pool);
    pool->checks = c->next;
    struct map_check *next = c->next; /* itself counted: the pool stays */
    c->err.code = rc;
    c->reply.run = map_check_answer;
    inbox_post(c->reply_to, &c->reply);
    if (next != NULL)
        map_check_begin(next);
}

static void map_check_walked(struct catalog_job *job)
{
    struct map_check *c = container_of(job, struct map_check, job);
    c->err = job->err;
    map_check_end(c, job->rc);
}

static void map_check_on_round(struct round_wait *wait)
{
    struct map_check *c = container_of(wait, struct map_check, round);
    if (wait->rc != 0)
        map_check_end(c, err_set(&c->err, wait->rc, NULL,
                                 "the pool's state could not be "
                                 "committed before the check"));
    else
        catalog_read(lunmgr_catalog(c->pool->manager), &c->job);
}

static int device_check_prepare(struct map_check *c, struct device *d)
{
    struct device_check *dc = &c->devices[d->row.slot - 1];
    int rc = alloc_suspect_begin(d->alloc, &dc->words, &c->err);
    if (rc != 0)
        return rc;
    dc->device = d;
    dc->named = calloc(dc->words, sizeof(uint64_t));
    dc->kept = calloc(dc->words, sizeof(uint64_t));
    return dc->named == NULL || dc->kept == NULL ? err_oom(&c->err) : 0;
}

static int map_check_prepare(struct map_check *c)
{
    if (check_is_to_stop(c))
        return err_set(&c->err, -ECANCELED, NULL, "stopped before it began");
    unsigned slots = atomic_load(&c->pool->slot_count);
    c->devices = calloc(slots + 1U, sizeof(*c->devices));
    if (c->devices == NULL)
        return err_oom(&c->err);
    c->slot_count = slots;
    int rc = 0;
    for (struct device *d = NULL; rc == 0 && (d = pool_next_device(c->pool, d)) != NULL;)
        rc = device_check_prepare(c, d);
    return rc;
}

static void map_check_begin(struct map_check *c)
{
    int rc = map_check_prepare(c);
    if (rc != 0)
        map_check_end(c, rc);
    else
        round_join(c->pool, &c->round);
}

void map_check_start(struct pool *pool, bool repair, struct progress *progress,
                     struct inbox *reply_to, map_check_fn done, void *arg)
{
    struct map_check *c = calloc(1, sizeof(*c));
    if (c == NULL)
        log_fatal("out of memory");
    struct inbox *home = loop_inbox(lunmgr_home(pool->manager));
    c->pool = pool;
    c->repair = repair;
    c->progress = progress;
    c->reply_to = reply_to;
    c->done = done;
    c->arg = arg;
    c->round = (struct round_wait){.inbox = home, .done = map_check_on_round};
    c->job = (struct catalog_job){
        .reply_to = home, .work = map_check_work, .done = map_check_walked};
    struct map_check **last = &pool->checks;
    while (*last != NULL)
        last = &(*last)->next;
    *last = c;
    if (pool->checks == c)
        map_check_begin(c);
}
