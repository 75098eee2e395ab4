/* SPDX-License-Identifier: Apache-2.0 */
/* What a round stores: its words as deltas, the layers' counts, allocation bitmaps of 1
 * GiB. On a db thread, inside work(). */
#include "db/rows_map.h"

#include "db/limits.h"
#include "db/rows_delta.h"
#include "db/rows_leaf.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>

/* ---- A round ----------------------------------------------------------------------- */

/* 1: there is such a layer; 0: none; or an error. */
static int layer_exists(struct catalog_txn *txn, uint64_t layer, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "SELECT 1 FROM layer WHERE id = ?1", e);
    bind_u64(&s, NULL, layer);
    return stmt_next(&s);
}

/* How many changes from the first on have key / divisor in common. */
static size_t changes_together(const struct word_change *changes, size_t left,
                               uint64_t divisor)
{
    size_t count = 1;
    while (count < left && changes[count].key / divisor == changes[0].key / divisor) {
        assert(changes[count].key > changes[count - 1].key);
        count++;
    }
    assert(count == left || changes[count].key > changes[count - 1].key);
    return count;
}

/* The delta that a round's leaves are being put into; NULL: none yet. */
struct round_words {
    struct catalog_txn *txn;
    struct delta_span span; /* what was there before */
    bool is_direct;         /* see limits.h, OVERLAY_BYTES_MAX */
    struct delta *delta;
    struct delta_writer writer;
};

/* The delta is visible to others only with the transaction's commit; its memory is there
 * first (db/overlay.h). */
static int delta_finish(struct round_words *w, struct err *e)
{
    if (w->delta == NULL)
        return 0;
    w->delta->id = overlay_next_id(w->txn->overlay);
    w->delta->bytes = delta_end(&w->writer, w->delta->id);
    AUTO_FREE struct delta *d = delta_trim(TAKE(w->delta));
    int rc = delta_row_add(w->txn, d, e);
    if (rc == 0 && overlay_add(w->txn->overlay, d) != 0)
        rc = err_oom(e);
    if (rc == 0)
        (void)TAKE(d);
    return rc;
}

static int delta_start(struct round_words *w, struct err *e)
{
    w->delta = delta_alloc();
    if (w->delta == NULL)
        return err_oom(e);
    delta_begin(&w->writer, w->delta->blob);
    return 0;
}

static int leaf_defer(struct round_words *w, const struct word_change *changes,
                      size_t count, struct err *e)
{
    int rc = w->delta == NULL ? delta_start(w, e) : 0;
    if (rc != 0 || delta_put(&w->writer, changes, count))
        return rc;
    rc = delta_finish(w, e);
    if (rc == 0)
        rc = delta_start(w, e);
    if (rc != 0)
        return rc;
    bool fits = delta_put(&w->writer, changes, count);
    assert(fits);
    return 0;
}

/* Only a leaf of which no delta speaks may be stored in its row at once. */
static int leaf_store(struct round_words *w, const struct word_change *changes,
                      size_t count, struct err *e)
{
    struct leaf_patch patch;
    uint64_t leaf_key = leaf_key_of(changes[0].key);
    int rc = w->is_direct
                 ? delta_span_next(w->txn, &w->span, leaf_key, leaf_key, &patch, e)
                 : 1;
    if (rc != 0)
        return rc < 0 ? rc : leaf_defer(w, changes, count, e);
    leaf_patch_init(&patch, leaf_key);
    for (size_t i = 0; i < count; i++)
        leaf_patch_set(&patch, changes[i].key % LEAF_WORDS, changes[i].word);
    return leaf_row_patch(w->txn, &patch, e);
}

static int layer_store_words(struct round_words *w, const struct word_change *changes,
                             size_t count, struct err *e)
{
    int rc = 0;
    for (size_t at = 0, together = 0; rc == 0 && at < count; at += together) {
        together = changes_together(changes + at, count - at, LEAF_WORDS);
        rc = leaf_store(w, changes + at, together, e);
    }
    return rc;
}

static int words_begin(struct round_words *w, struct err *e)
{
    size_t bytes = overlay_bytes(w->txn->overlay);
    if (bytes >= 2 * OVERLAY_BYTES_MAX)
        return err_set(e, -ENOBUFS, NULL,
                       "catalog: too much of the map waits to be folded");
    w->is_direct = bytes >= OVERLAY_BYTES_MAX;
    return delta_span_read(w->txn, &w->span, e);
}

static int round_store_words(struct catalog_txn *txn, const struct word_change *changes,
                             size_t count, struct err *e)
{
    struct round_words w = {.txn = txn};
    int rc = words_begin(&w, e);
    for (size_t at = 0, together = 0; rc == 0 && at < count; at += together) {
        together = changes_together(changes + at, count - at, 1ULL << EXTENT_INDEX_BITS);
        rc = layer_exists(txn, changes[at].key >> EXTENT_INDEX_BITS, e);
        if (rc > 0)
            rc = layer_store_words(&w, changes + at, together, e);
    }
    if (rc == 0)
        rc = delta_finish(&w, e);
    free(w.delta);
    return rc;
}

static int round_store_count(struct catalog_txn *txn, const struct layer_count *count,
                             struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "UPDATE layer SET used_extents = ?1, shared_extents = ?2 WHERE id = ?3", e);
    bind_u64(&s, "used_extents", count->used_extents);
    bind_u64(&s, "shared_extents", count->shared_extents);
    bind_int(&s, count->layer);
    return stmt_run(&s);
}

static uint64_t bitmap_key(uint32_t device_no, uint32_t gib)
{
    return (uint64_t)device_no << BITMAP_GIB_BITS | gib;
}

/* A device that is gone takes its bitmaps with it, as a layer its words. */
static int round_store_bitmap(struct catalog_txn *txn, const struct bitmap_change *bitmap,
                              struct err *e)
{
    assert(bitmap->gib < 1U << BITMAP_GIB_BITS);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO bitmap (key, free_extents, bits)"
                  " SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM device WHERE no = ?4)"
                  " ON CONFLICT (key) DO UPDATE SET free_extents = excluded.free_extents,"
                  " bits = excluded.bits",
                  e);
    bind_u64(&s, NULL, bitmap_key(bitmap->device_no, bitmap->gib));
    bind_int(&s, bitmap->free_extents);
    bind_blob(&s, bitmap->bits, sizeof(bitmap->bits));
    bind_int(&s, bitmap->device_no);
    return stmt_run(&s);
}

int round_store(struct catalog_txn *txn, const struct round_changes *changes,
                struct err *e)
{
    if (changes->unnamed != NULL)
        changes->unnamed->count = 0; /* of an attempt that failed */
    int rc = changes->word_count == 0
                 ? 0
                 : round_store_words(txn, changes->words, changes->word_count, e);
    for (size_t i = 0; rc == 0 && i < changes->layer_count; i++)
        rc = round_store_count(txn, &changes->layers[i], e);
    for (size_t i = 0; rc == 0 && i < changes->bitmap_count; i++)
        rc = round_store_bitmap(txn, &changes->bitmaps[i], e);
    for (size_t i = 0; rc == 0 && i < changes->share_count; i++)
        rc = share_store(txn, &changes->shares[i], changes->unnamed, e);
    return rc;
}

/* ---- Bitmaps ----------------------------------------------------------------------- */

static void bitmap_read(struct stmt *s, void *row)
{
    struct bitmap_change *bitmap = row;
    bitmap->gib = (uint32_t)column_int(s) & ((1U << BITMAP_GIB_BITS) - 1);
    bitmap->free_extents = (uint32_t)column_u64(s, UINT64_C(8) * BITMAP_BYTES);
    column_bytes(s, bitmap->bits, sizeof(bitmap->bits));
}

int bitmap_each(struct catalog_txn *txn, uint32_t device_no,
                int (*each)(const struct bitmap_change *row, void *arg), void *arg,
                struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT key, free_extents, bits FROM bitmap WHERE key BETWEEN ?1 AND ?2"
                  " ORDER BY key",
                  e);
    bind_u64(&s, NULL, bitmap_key(device_no, 0));
    bind_u64(&s, NULL, bitmap_key(device_no, (1U << BITMAP_GIB_BITS) - 1));
    struct bitmap_change row = {.device_no = device_no};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, bitmap_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
