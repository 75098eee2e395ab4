/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the map ask of each other. On a db thread, inside work(). */
#ifndef DB_ROWS_MAP_H
#define DB_ROWS_MAP_H

#include "db/catalog.h"

/* bitmap key = device number << BITMAP_GIB_BITS | GiB of the device */
#define BITMAP_GIB_BITS 21

/* Sets share->count. -EUCLEAN: it would be negative. */
int share_store(struct catalog_txn *txn, struct share_change *share,
                struct err *e) MUST_CHECK;

#endif
