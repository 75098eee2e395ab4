/* SPDX-License-Identifier: Apache-2.0 */
/* What rounds, folds and layers ask of leaves. On a db thread, inside work(). */
#ifndef DB_ROWS_LEAF_H
#define DB_ROWS_LEAF_H

#include "db/delta_codec.h"

/* leaf key = layer << LEAF_INDEX_BITS | extent index / LEAF_WORDS */
#define LEAF_INDEX_BITS 23

/* 1: a word of this layer that is not 0 is left; 0: none; or an error. */
int layer_has_leaves(struct catalog_txn *txn, uint32_t layer, struct err *e) MUST_CHECK;

/* The row has these words, whatever deltas say of it. A leaf whose words are all 0 has no
 * row. */
int leaf_row_store(struct catalog_txn *txn, uint64_t leaf_key,
                   const uint64_t words[LEAF_WORDS], struct err *e) MUST_CHECK;
/* Stores what a patch says in the leaf's row, as leaf_row_store does. */
int leaf_row_patch(struct catalog_txn *txn, const struct leaf_patch *patch,
                   struct err *e) MUST_CHECK;

#endif
