/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the catalog with its prepared statements: what the row functions are
 * given. One thread at a time. The pragmas that every connection needs are set here and
 * nowhere else; no connection checkpoints by itself, on close neither. */
#ifndef DB_TXN_H
#define DB_TXN_H

#include "base/err.h"
#include "db/limits.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct stmt_slot {
    const char *sql; /* a literal: its address is the key */
    sqlite3_stmt *handle;
    bool busy;
};

struct catalog_txn {
    sqlite3 *db; /* NULL: closed */
    /* The catalog's deltas in memory; borrowed, set by whoever opens the connection for
     * work with the map. */
    struct overlay *overlay;
    /* A reader's own, of its snapshot alone; NULL: it needed none (db/rows_delta.h). */
    struct overlay *own_overlay;
    bool is_unsynced; /* see txn_set_durable */
    struct stmt_slot slots[STMT_SLOTS];
};

/* Opens an existing file (it may be empty) without changing it. vfs: through which of
 * SQLite's file systems; NULL: the default one. */
int txn_open_writer(struct catalog_txn *txn, const char *path, const char *vfs,
                    struct err *e) MUST_CHECK;
/* After that, and after the file is known to be ours: makes it a WAL database. */
int txn_start_wal(struct catalog_txn *txn, struct err *e) MUST_CHECK;
int txn_open_reader(struct catalog_txn *txn, const char *path, struct err *e) MUST_CHECK;
/* A txn that is all zero is closed already. */
void txn_close(struct catalog_txn *txn);

/* SQL without results. */
int txn_exec(struct catalog_txn *txn, const char *sql, struct err *e) MUST_CHECK;
/* The first column of the first row. */
int txn_query_int(struct catalog_txn *txn, const char *sql, int64_t *out,
                  struct err *e) MUST_CHECK;
/* Whether the transactions to come are on the disk when their commit returns. One that is
 * not is there at the latest with the next one that is: the log keeps their order.
 * Writers begin durable; outside a transaction. */
int txn_set_durable(struct catalog_txn *txn, bool is_durable, struct err *e) MUST_CHECK;
/* Leaves any transaction that is open; after a failure, where SQLite may have left it
 * itself. */
void txn_rollback(struct catalog_txn *txn);
bool txn_is_open(const struct catalog_txn *txn);

#endif
