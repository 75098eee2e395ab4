/* SPDX-License-Identifier: Apache-2.0 */
/* The schema's versions: which one a database has, and the steps up to this program's.
 * On the writing connection alone, before any thread. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/txn.h"

#define CATALOG_APPLICATION_ID 0x4173686c /* "Ashl" */

/* From db/migrations, compiled in: migrations[n - 1] makes version n. */
extern const char *const migrations[];
extern const int migration_count;

/* Looks without writing. 0: empty, or ours and not newer. -EUCLEAN: someone else's.
 * -EPROTO: newer than this program. */
int migrate_check(struct catalog_txn *txn, const char *path, struct err *e) MUST_CHECK;
/* After migrate_check. Each step is a transaction of its own. */
int migrate_run(struct catalog_txn *txn, const char *path, struct err *e) MUST_CHECK;

#endif
