/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of layers, leaves and shares ask of each other. On a db thread, inside work(). */
#ifndef DB_ROWS_MAP_H
#define DB_ROWS_MAP_H

#include "db/catalog.h"

/* 1: a leaf row of this layer is left; 0: none; or an error. */
int layer_has_leaves(struct catalog_txn *txn, uint32_t layer, struct err *e) MUST_CHECK;

/* Sets share->count. -EUCLEAN: it would be negative. */
int share_store(struct catalog_txn *txn, struct share_change *share,
                struct err *e) MUST_CHECK;

#endif
