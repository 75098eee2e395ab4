/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the map ask of each other. On a db thread, inside work(). */
#ifndef DB_ROWS_MAP_H
#define DB_ROWS_MAP_H

#include "db/catalog.h"

/* bitmap key = device number << BITMAP_GIB_BITS | GiB of the device */
#define BITMAP_GIB_BITS 21

/* Adds to unnamed what nobody names any more. -EUCLEAN: fewer words than none. */
int share_store(struct catalog_txn *txn, const struct share_change *change,
                struct extent_runs *unnamed, struct err *e) MUST_CHECK;

#endif
