/* SPDX-License-Identifier: Apache-2.0 */
/* Neither mode waits for a reader: the writer's connection has no busy handler. */
#include "db/checkpoint.h"

#include "db/limits.h"
#include "db/sqlerr.h"

#include <errno.h>

/* SQLite calls it after each commit. The log has started over when it is shorter. */
static int checkpoint_on_commit(void *arg, sqlite3 *db, const char *schema, int log_pages)
{
    (void)db;
    (void)schema;
    struct checkpoint *c = arg;
    if (log_pages < c->tried_pages)
        c->tried_pages = 0;
    c->log_pages = log_pages;
    c->is_behind = true;
    return SQLITE_OK;
}

void checkpoint_init(struct checkpoint *c, struct catalog_txn *txn)
{
    /* What an earlier process may have left in the log. */
    *c = (struct checkpoint){.is_behind = true};
    sqlite3_wal_hook(txn->db, checkpoint_on_commit, c);
}

bool checkpoint_is_due(const struct checkpoint *c, bool is_idle)
{
    int pages = c->log_pages - c->tried_pages;
    return pages >= (is_idle ? CHECKPOINT_PAGES : CHECKPOINT_PAGES_MAX);
}

static void checkpoint_try(struct checkpoint *c, struct catalog_txn *txn, int mode)
{
    int log_pages = 0, copied_pages = 0;
    struct err e = {0};
    int result =
        sqlite3_wal_checkpoint_v2(txn->db, "main", mode, &log_pages, &copied_pages);
    int rc = result == SQLITE_OK ? 0 : sqlerr_set(txn->db, &e);
    if (rc == -EBUSY)
        rc = 0; /* a reader still needs the log's tail: later */
    if (rc != 0 && rc != c->rc)
        log_failure("catalog checkpoint failed", &e);
    c->rc = rc;
    if (log_pages >= 0)
        c->log_pages = log_pages;
    c->tried_pages = c->log_pages;
    c->is_behind =
        rc != 0 || copied_pages < log_pages || c->log_pages >= CHECKPOINT_TRUNCATE_PAGES;
}

void checkpoint_run(struct checkpoint *c, struct catalog_txn *txn)
{
    bool is_long = c->log_pages >= CHECKPOINT_TRUNCATE_PAGES;
    checkpoint_try(c, txn,
                   is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
}

void checkpoint_finish(struct checkpoint *c, struct catalog_txn *txn)
{
    checkpoint_try(c, txn, SQLITE_CHECKPOINT_TRUNCATE);
}
