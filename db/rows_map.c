/* SPDX-License-Identifier: Apache-2.0 */
/* The map's rows: leaves of 256 words under one integer key, allocation bitmaps of 1 GiB,
 * the layers' counts. A round's words become leaf rows here, so that the format behind a
 * round can change without its callers. Leaf rows are upserted in place: REPLACE and
 * WITHOUT ROWID cost several times as much. On a db thread, inside work(). */
#include "db/rows_map.h"

#include "db/leaf_codec.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* leaf key = layer << LEAF_INDEX_BITS | extent index / LEAF_WORDS */
#define LEAF_INDEX_BITS 23
static_assert(LEAF_WORDS == 1 << (EXTENT_INDEX_BITS - LEAF_INDEX_BITS), "leaf key");
/* bitmap key = device number << GIB_BITS | GiB of the device */
#define GIB_BITS 21

/* ---- Leaves ------------------------------------------------------------------------ */

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

int leaf_load(struct catalog_txn *txn, uint64_t leaf_key, uint64_t words[LEAF_WORDS],
              struct err *e)
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

static int leaf_remove(struct catalog_txn *txn, uint64_t leaf_key, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM leaf WHERE key = ?1", e);
    bind_u64(&s, NULL, leaf_key);
    return stmt_run(&s);
}

static int leaf_store(struct catalog_txn *txn, uint64_t leaf_key,
                      const uint64_t words[LEAF_WORDS], struct err *e)
{
    static const uint64_t zeros[LEAF_WORDS];
    if (memcmp(words, zeros, sizeof(zeros)) == 0)
        return leaf_remove(txn, leaf_key, e);
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

int leaf_each(struct catalog_txn *txn, uint64_t first, uint64_t last,
              int (*each)(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg),
              void *arg, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "SELECT key, words FROM leaf WHERE key BETWEEN ?1 AND ?2 ORDER BY key", e);
    bind_u64(&s, NULL, first);
    bind_u64(&s, NULL, last > INT64_MAX ? INT64_MAX : last);
    uint64_t words[LEAF_WORDS];
    int rc = 0;
    while (rc == 0 && (rc = stmt_next(&s)) > 0) {
        uint64_t key = (uint64_t)column_int(&s);
        rc = leaf_read(&s, key, words, e);
        if (rc == 0)
            rc = each(key, words, arg);
    }
    return rc;
}

int layer_has_leaves(struct catalog_txn *txn, uint32_t layer, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT 1 FROM leaf WHERE key BETWEEN ?1 AND ?2 LIMIT 1", e);
    uint64_t first = (uint64_t)layer << LEAF_INDEX_BITS;
    bind_u64(&s, NULL, first);
    bind_u64(&s, NULL, first | ((1U << LEAF_INDEX_BITS) - 1));
    return stmt_next(&s);
}

/* ---- A round ----------------------------------------------------------------------- */

/* 1: there is such a layer; 0: none; or an error. */
static int layer_exists(struct catalog_txn *txn, uint64_t layer, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "SELECT 1 FROM layer WHERE id = ?1", e);
    bind_u64(&s, NULL, layer);
    return stmt_next(&s);
}

/* The words of one leaf, `count` of them. */
static int leaf_change(struct catalog_txn *txn, const struct word_change *changes,
                       size_t count, struct err *e)
{
    uint64_t leaf_key = leaf_key_of(changes[0].key);
    uint64_t words[LEAF_WORDS];
    int rc = leaf_load(txn, leaf_key, words, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++)
        words[changes[i].key % LEAF_WORDS] = changes[i].word;
    return leaf_store(txn, leaf_key, words, e);
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

static int layer_store_words(struct catalog_txn *txn, const struct word_change *changes,
                             size_t count, struct err *e)
{
    int rc = 0;
    for (size_t at = 0, together = 0; rc == 0 && at < count; at += together) {
        together = changes_together(changes + at, count - at, LEAF_WORDS);
        rc = leaf_change(txn, changes + at, together, e);
    }
    return rc;
}

static int round_store_words(struct catalog_txn *txn, const struct word_change *changes,
                             size_t count, struct err *e)
{
    for (size_t at = 0, together = 0; at < count; at += together) {
        together = changes_together(changes + at, count - at, 1ULL << EXTENT_INDEX_BITS);
        int rc = layer_exists(txn, changes[at].key >> EXTENT_INDEX_BITS, e);
        if (rc > 0)
            rc = layer_store_words(txn, changes + at, together, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int round_store_count(struct catalog_txn *txn, const struct layer_count *count,
                             struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE layer SET used_extents = ?1 WHERE id = ?2", e);
    bind_u64(&s, "used_extents", count->used_extents);
    bind_int(&s, count->layer);
    return stmt_run(&s);
}

static uint64_t bitmap_key(uint32_t device_no, uint32_t gib)
{
    return (uint64_t)device_no << GIB_BITS | gib;
}

/* A device that is gone takes its bitmaps with it, as a layer its words. */
static int round_store_bitmap(struct catalog_txn *txn, const struct bitmap_change *bitmap,
                              struct err *e)
{
    assert(bitmap->gib < 1U << GIB_BITS);
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
    int rc = round_store_words(txn, changes->words, changes->word_count, e);
    for (size_t i = 0; rc == 0 && i < changes->layer_count; i++)
        rc = round_store_count(txn, &changes->layers[i], e);
    for (size_t i = 0; rc == 0 && i < changes->bitmap_count; i++)
        rc = round_store_bitmap(txn, &changes->bitmaps[i], e);
    for (size_t i = 0; rc == 0 && i < changes->share_count; i++)
        rc = share_store(txn, &changes->shares[i], e);
    return rc;
}

/* ---- Bitmaps ----------------------------------------------------------------------- */

static void bitmap_read(struct stmt *s, void *row)
{
    struct bitmap_change *bitmap = row;
    bitmap->gib = (uint32_t)column_int(s) & ((1U << GIB_BITS) - 1);
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
    bind_u64(&s, NULL, bitmap_key(device_no, (1U << GIB_BITS) - 1));
    struct bitmap_change row = {.device_no = device_no};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, bitmap_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
