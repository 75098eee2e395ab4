/* SPDX-License-Identifier: Apache-2.0 */
/* When the log's pages are copied into the database: often enough that neither the log
 * nor one copy is long. The writer's connection and thread. */
#ifndef DB_CHECKPOINT_H
#define DB_CHECKPOINT_H

#include "db/txn.h"

struct checkpoint {
    int log_pages;   /* after the last commit or checkpoint */
    int tried_pages; /* log_pages when the last checkpoint was tried */
    bool is_behind;  /* there is something to checkpoint */
    int rc;          /* of the last one, so that a failure is logged once */
};

/* Watches txn's commits from now on. */
void checkpoint_init(struct checkpoint *c, struct catalog_txn *txn);
/* is_idle: no job waits. */
bool checkpoint_is_due(const struct checkpoint *c, bool is_idle);
/* Between two transactions. */
void checkpoint_run(struct checkpoint *c, struct catalog_txn *txn);
/* All of it, and cuts the log, whatever its length. Readers are closed by now. */
void checkpoint_finish(struct checkpoint *c, struct catalog_txn *txn);

#endif
