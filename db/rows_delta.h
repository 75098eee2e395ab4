/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of deltas, and what the deltas of a transaction's snapshot say. On a db
 * thread, inside work(). */
#ifndef DB_ROWS_DELTA_H
#define DB_ROWS_DELTA_H

#include "db/overlay.h"
#include "db/txn.h"

/* The deltas that a transaction sees: all ids from lowest to highest; 0 and 0: none. */
struct delta_span {
    uint64_t lowest, highest;
};
int delta_span_read(struct catalog_txn *txn, struct delta_span *span,
                    struct err *e) MUST_CHECK;
/* What they say of the first leaf from first_leaf to last_leaf of which they say
 * anything. 1: *out is filled; 0: nothing; or an error. */
int delta_span_next(struct catalog_txn *txn, const struct delta_span *span,
                    uint64_t first_leaf, uint64_t last_leaf, struct leaf_patch *out,
                    struct err *e) MUST_CHECK;

/* All rows that the transaction sees, into an overlay that has none. */
int delta_rows_load(struct catalog_txn *txn, struct overlay *o, struct err *e) MUST_CHECK;
int delta_row_add(struct catalog_txn *txn, const struct delta *d,
                  struct err *e) MUST_CHECK;
/* Up to and with this id, the lowest first, DELTA_ROWS_STEP at most. 1: some are left. */
int delta_rows_remove(struct catalog_txn *txn, uint64_t through,
                      struct err *e) MUST_CHECK;

#endif
