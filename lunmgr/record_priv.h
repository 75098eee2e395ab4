/* SPDX-License-Identifier: Apache-2.0 */
/* Records from inside lunmgr: taken by an operation, written by its transaction. A NULL
 * record is that of an operation that nobody asked for: nothing is written. */
#ifndef LUNMGR_RECORD_PRIV_H
#define LUNMGR_RECORD_PRIV_H

#include "db/catalog.h"
#include "lunmgr/record.h"

/* Control thread: the pending one, which is the caller's then; NULL: none. */
struct record *record_take(struct lunmgr *m);
void record_free(struct record *record);

/* On the catalog's writer, in the transaction of the change, last. -EEXIST as record.h
 * says. */
int record_store(struct catalog_txn *txn, const struct lunmgr *m,
                 const struct record *record, struct err *e) MUST_CHECK;
/* The same, before a change that could not be rolled back any more: 0 or that -EEXIST. */
int record_check(struct catalog_txn *txn, const struct lunmgr *m,
                 const struct record *record, struct err *e) MUST_CHECK;
/* What was made at that time or before is no longer known by its key. */
int64_t replay_expired_s(const struct lunmgr *m);

#endif
