/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, setting up and closing connections. The writer's is the only one opened for
 * writing; SQLite's own locking stays on as the second fence behind catalog.lock. */
#include "db/txn.h"

#include "db/sqlerr.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

/* trusted_schema and cell_size_check: a damaged or planted file cannot do more than fail.
 */
static const char common_pragmas[] = "PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA trusted_schema=OFF;"
                                     "PRAGMA cell_size_check=ON;"
                                     "PRAGMA temp_store=MEMORY;"
                                     "PRAGMA mmap_size=0;";
static const char writer_pragmas[] = "PRAGMA page_size=4096;"
                                     "PRAGMA synchronous=FULL;"
                                     "PRAGMA foreign_keys=ON;"
                                     "PRAGMA cache_size=-" TEXT_OF(WRITER_CACHE_KIB);
static const char reader_pragmas[] = "PRAGMA cache_size=-" TEXT_OF(READER_CACHE_KIB);

static int txn_open(struct catalog_txn *txn, const char *path, int flags, const char *vfs,
                    const char *pragmas, struct err *e)
{
    memset(txn, 0, sizeof(*txn));
    int result = sqlite3_open_v2(
        path, &txn->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (txn->db == NULL)
        return err_oom(e);
    int rc = result == SQLITE_OK ? 0 : sqlerr_set(txn->db, e);
    if (rc == 0) {
        sqlite3_db_config(txn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_db_config(txn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        rc = txn_exec(txn, common_pragmas, e);
    }
    if (rc == 0)
        rc = txn_exec(txn, pragmas, e);
    if (rc != 0)
        txn_close(txn);
    return rc;
}

int txn_open_writer(struct catalog_txn *txn, const char *path, const char *vfs,
                    struct err *e)
{
    return txn_open(txn, path, SQLITE_OPEN_READWRITE, vfs, writer_pragmas, e);
}

int txn_start_wal(struct catalog_txn *txn, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(txn->db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL) !=
        SQLITE_OK)
        return sqlerr_set(txn->db, e);
    int result = sqlite3_step(stmt);
    int rc = 0;
    if (result != SQLITE_ROW)
        rc = sqlerr_set(txn->db, e);
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") != 0)
        rc = err_set(e, -EOPNOTSUPP, NULL,
                     "catalog: its file system cannot hold a WAL database");
    sqlite3_finalize(stmt);
    return rc;
}

int txn_open_reader(struct catalog_txn *txn, const char *path, struct err *e)
{
    int rc = txn_open(txn, path, SQLITE_OPEN_READONLY, NULL, reader_pragmas, e);
    if (rc == 0)
        sqlite3_busy_timeout(txn->db, READER_BUSY_MS);
    return rc;
}

void txn_close(struct catalog_txn *txn)
{
    for (size_t i = 0; i < ARRAY_LEN(txn->slots); i++) {
        assert(!txn->slots[i].busy);
        sqlite3_finalize(txn->slots[i].handle);
    }
    int result = sqlite3_close(txn->db);
    assert(result == SQLITE_OK); /* else a statement or a backup of ours is open */
    memset(txn, 0, sizeof(*txn));
}

int txn_exec(struct catalog_txn *txn, const char *sql, struct err *e)
{
    int result = sqlite3_exec(txn->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : sqlerr_set(txn->db, e);
}

int txn_query_int(struct catalog_txn *txn, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(txn->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return sqlerr_set(txn->db, e);
    int rc = 0;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    else
        rc = sqlerr_set(txn->db, e);
    sqlite3_finalize(stmt);
    return rc;
}

int txn_set_durable(struct catalog_txn *txn, bool is_durable, struct err *e)
{
    assert(!txn_is_open(txn));
    if (txn->is_unsynced == !is_durable)
        return 0;
    int rc = txn_exec(
        txn, is_durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
    if (rc == 0)
        txn->is_unsynced = !is_durable;
    return rc;
}

void txn_rollback(struct catalog_txn *txn)
{
    /* It fails only where SQLite has rolled back by itself. */
    if (txn_is_open(txn))
        sqlite3_exec(txn->db, "ROLLBACK", NULL, NULL, NULL);
}

bool txn_is_open(const struct catalog_txn *txn)
{
    return sqlite3_get_autocommit(txn->db) == 0;
}
