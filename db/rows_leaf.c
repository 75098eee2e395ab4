/* SPDX-License-Identifier: Apache-2.0 */
/* The map as readers see it: a leaf's row, and over it what the deltas of the same
 * snapshot say. Leaf rows are upserted in place: REPLACE and WITHOUT ROWID cost several
 * times as much. On a db thread, inside work(). */
#include "db/rows_leaf.h"

#include "db/leaf_codec.h"
#include "db/rows_delta.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

static_assert(LEAF_WORDS == 1 << (EXTENT_INDEX_BITS - LEAF_INDEX_BITS), "leaf key");
static_assert(LEAF_KEY_BITS == 32 + LEAF_INDEX_BITS, "leaf key");

static const uint64_t leaf_zeros[LEAF_WORDS];

/* ---- Rows -------------------------------------------------------------------------- */

static int leaf_refuse(uint64_t leaf_key, struct err *e)
{
    return err_set(e, -EUCLEAN, NULL,
                   "catalog: the map of layer %" PRIu64 " is damaged at leaf %" PRIu64,
                   leaf_key >> LEAF_INDEX_BITS, leaf_key & ((1U << LEAF_INDEX_BITS) - 1));
}

static int leaf_read(struct stmt *s, uint64_t leaf_key, uint64_t words[LEAF_WORDS],
                     struct err *e)
{
    size_t bytes = 0;
    const void *blob = column_blob(s, &bytes);
    return leaf_decode(leaf_key, blob, bytes, words) == 0 ? 0 : leaf_refuse(leaf_key, e);
}

static int leaf_row_load(struct catalog_txn *txn, uint64_t leaf_key,
                         uint64_t words[LEAF_WORDS], struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "SELECT words FROM leaf WHERE key = ?1", e);
    bind_u64(&s, NULL, leaf_key);
    int rc = stmt_next(&s);
    if (rc > 0)
        return leaf_read(&s, leaf_key, words, e);
    if (rc == 0)
        memset(words, 0, LEAF_WORDS * sizeof(words[0]));
    return rc;
}

static int leaf_row_remove(struct catalog_txn *txn, uint64_t leaf_key, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM leaf WHERE key = ?1", e);
    bind_u64(&s, NULL, leaf_key);
    return stmt_run(&s);
}

int leaf_row_store(struct catalog_txn *txn, uint64_t leaf_key,
                   const uint64_t words[LEAF_WORDS], struct err *e)
{
    if (memcmp(words, leaf_zeros, sizeof(leaf_zeros)) == 0)
        return leaf_row_remove(txn, leaf_key, e);
    uint8_t blob[LEAF_BLOB_MAX];
    size_t bytes = leaf_encode(leaf_key, words, blob);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO leaf (key, words) VALUES (?1, ?2)"
                  " ON CONFLICT (key) DO UPDATE SET words = excluded.words",
                  e);
    bind_u64(&s, NULL, leaf_key);
    bind_blob(&s, blob, bytes);
    return stmt_run(&s);
}

int leaf_row_patch(struct catalog_txn *txn, const struct leaf_patch *patch, struct err *e)
{
    uint64_t words[LEAF_WORDS];
    int rc =
        leaf_patch_is_full(patch) ? 0 : leaf_row_load(txn, patch->leaf_key, words, e);
    if (rc != 0)
        return rc;
    leaf_patch_apply(patch, words);
    return leaf_row_store(txn, patch->leaf_key, words, e);
}

/* ---- One leaf ---------------------------------------------------------------------- */

int leaf_load(struct catalog_txn *txn, uint64_t leaf_key, uint64_t words[LEAF_WORDS],
              struct err *e)
{
    struct delta_span span;
    struct leaf_patch patch;
    int rc = delta_span_read(txn, &span, e);
    if (rc == 0)
        rc = leaf_row_load(txn, leaf_key, words, e);
    if (rc == 0)
        rc = delta_span_next(txn, &span, leaf_key, leaf_key, &patch, e);
    if (rc <= 0)
        return rc;
    leaf_patch_apply(&patch, words);
    return 0;
}

/* ---- Many -------------------------------------------------------------------------- */

#define NO_LEAF UINT64_MAX

/* Two walks in step: the rows, and the leaves that deltas speak of. */
struct leaf_walk {
    struct stmt rows;
    struct delta_span span;
    uint64_t last;
    uint64_t row_key; /* of the row that the statement is at; NO_LEAF: at the end */
    struct leaf_patch patch; /* leaf_key NO_LEAF: at the end */
};

static int walk_next_row(struct leaf_walk *w)
{
    int rc = stmt_next(&w->rows);
    w->row_key = rc > 0 ? (uint64_t)column_int(&w->rows) : NO_LEAF;
    return rc < 0 ? rc : 0;
}

static int walk_next_patch(struct leaf_walk *w, uint64_t first, struct err *e)
{
    int rc = delta_span_next(w->rows.txn, &w->span, first, w->last, &w->patch, e);
    if (rc == 0)
        w->patch.leaf_key = NO_LEAF;
    return rc < 0 ? rc : 0;
}

static int walk_begin(struct leaf_walk *w, uint64_t first, struct err *e)
{
    int rc = delta_span_read(w->rows.txn, &w->span, e);
    bind_u64(&w->rows, NULL, first);
    bind_u64(&w->rows, NULL, w->last);
    if (rc == 0)
        rc = walk_next_row(w);
    return rc != 0 ? rc : walk_next_patch(w, first, e);
}

/* The lower leaf of the two, or both if they are one; then steps over it. 1: there is
 * one; 0: the end. */
static int walk_next(struct leaf_walk *w, uint64_t *key, uint64_t words[LEAF_WORDS],
                     struct err *e)
{
    uint64_t row_key = w->row_key, patch_key = w->patch.leaf_key;
    *key = row_key < patch_key ? row_key : patch_key;
    if (*key == NO_LEAF)
        return 0;
    int rc = 0;
    bool is_known = patch_key == *key && leaf_patch_is_full(&w->patch);
    if (row_key != *key)
        memset(words, 0, sizeof(leaf_zeros));
    else if (!is_known)
        rc = leaf_read(&w->rows, *key, words, e);
    if (rc == 0 && patch_key == *key) {
        leaf_patch_apply(&w->patch, words);
        rc = walk_next_patch(w, *key + 1, e);
    }
    if (rc == 0 && row_key == *key)
        rc = walk_next_row(w);
    return rc != 0 ? rc : 1;
}

static void walk_end(struct leaf_walk *w)
{
    stmt_close(&w->rows);
}

int leaf_each(struct catalog_txn *txn, uint64_t first, uint64_t last,
              int (*each)(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg),
              void *arg, struct err *e)
{
    __attribute__((cleanup(walk_end))) struct leaf_walk w = {
        .rows = stmt_open(
            txn, "SELECT key, words FROM leaf WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
            e),
        .last = last > INT64_MAX ? INT64_MAX : last};
    uint64_t key, words[LEAF_WORDS];
    int rc = walk_begin(&w, first, e);
    while (rc == 0 && (rc = walk_next(&w, &key, words, e)) > 0) {
        bool is_empty = memcmp(words, leaf_zeros, sizeof(leaf_zeros)) == 0;
        rc = is_empty ? 0 : each(key, words, arg);
    }
    return rc;
}

static int stop_at_first(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    (void)leaf_key;
    (void)words;
    (void)arg;
    return 1;
}

int layer_has_leaves(struct catalog_txn *txn, uint32_t layer, struct err *e)
{
    uint64_t first = (uint64_t)layer << LEAF_INDEX_BITS;
    return leaf_each(txn, first, first | ((1U << LEAF_INDEX_BITS) - 1), stop_at_first,
                     NULL, e);
}
