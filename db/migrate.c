/* SPDX-License-Identifier: Apache-2.0 */
/* user_version is the number of the last migration; application_id says whose database it
 * is. Both lie in the file's header and change with the transaction of their migration.
 */
#include "db/migrate.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct identity {
    int64_t application_id;
    int64_t version;
    int64_t tables;
};

static int identity_read(struct catalog_txn *txn, struct identity *out, struct err *e)
{
    int rc = txn_query_int(txn, "PRAGMA application_id", &out->application_id, e);
    if (rc == 0)
        rc = txn_query_int(txn, "PRAGMA user_version", &out->version, e);
    if (rc == 0)
        rc = txn_query_int(txn, "SELECT count(*) FROM sqlite_schema", &out->tables, e);
    return rc;
}

int migrate_check(struct catalog_txn *txn, const char *path, struct err *e)
{
    struct identity id;
    int rc = identity_read(txn, &id, e);
    if (rc != 0)
        return rc;
    if (id.application_id == 0 && id.version == 0 && id.tables == 0)
        return 0;
    if (id.application_id != CATALOG_APPLICATION_ID || id.version < 1)
        return err_set(e, -EUCLEAN, NULL, "%s is a database, but no Ashlar catalog",
                       path);
    if (id.version > migration_count)
        return err_set(e, -EPROTO, NULL,
                       "%s has schema %" PRId64 ", newer than this program's %d", path,
                       id.version, migration_count);
    return 0;
}

static int migrate_step(struct catalog_txn *txn, int version, struct err *e)
{
    char stamp[96];
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id=%d; PRAGMA user_version=%d",
             CATALOG_APPLICATION_ID, version);
    int rc = txn_exec(txn, "BEGIN IMMEDIATE", e);
    if (rc == 0)
        rc = txn_exec(txn, migrations[version - 1], e);
    if (rc == 0)
        rc = txn_exec(txn, stamp, e);
    if (rc == 0)
        rc = txn_exec(txn, "COMMIT", e);
    if (rc != 0)
        txn_rollback(txn);
    return rc;
}

int migrate_run(struct catalog_txn *txn, const char *path, struct err *e)
{
    int64_t version = 0;
    int rc = txn_query_int(txn, "PRAGMA user_version", &version, e);
    if (rc != 0)
        return rc;
    for (int next = (int)version + 1; rc == 0 && next <= migration_count; next++)
        rc = migrate_step(txn, next, e);
    if (rc != 0)
        return rc;
    char quoted[256];
    if (version < migration_count)
        log_info("catalog schema made", "path=%s from=%" PRId64 " version=%d",
                 log_quote(quoted, sizeof(quoted), path), version, migration_count);
    return 0;
}
