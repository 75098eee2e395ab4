/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of hosts, of their initiator names, and of mappings. On a db thread, inside
 * work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

/* ---- Hosts and initiators ---------------------------------------------------------- */

static void host_read(struct stmt *s, void *row)
{
    struct host_row *host = row;
    column_text(s, host->id, sizeof(host->id));
    column_text(s, host->name, sizeof(host->name));
    host->created_s = column_int(s);
    column_text(s, host->profile, sizeof(host->profile));
}

static int initiator_add(struct catalog_txn *txn, const char *host_id, size_t entry,
                         const char *name, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "INSERT INTO initiator (host_id, entry, name) VALUES (?1, ?2, ?3)", e);
    bind_text(&s, "id", host_id, CATALOG_ID_MAX);
    bind_u64(&s, "initiators", entry);
    bind_text(&s, "initiators", name, CATALOG_INITIATOR_MAX);
    int rc = stmt_run(&s);
    if (rc == -EEXIST)
        return err_set(e, rc, "initiators", "%.*s belongs to a host already",
                       CATALOG_INITIATOR_MAX, name);
    return rc;
}

static int initiators_add(struct catalog_txn *txn, const char *host_id,
                          const char *const *initiators, size_t count, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = initiator_add(txn, host_id, i, initiators[i], e);
    return rc;
}

int host_row_add(struct catalog_txn *txn, const struct host_row *row,
                 const char *const *initiators, size_t count, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "INSERT INTO host (id, name, created_s, profile) VALUES (?1, ?2, ?3, ?4)",
        e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", row->name, sizeof(row->name));
    bind_int(&s, row->created_s);
    bind_text(&s, "profile", row->profile, sizeof(row->profile));
    int rc = stmt_run(&s);
    return rc != 0 ? rc : initiators_add(txn, row->id, initiators, count, e);
}

static int initiators_remove(struct catalog_txn *txn, const char *host_id, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "DELETE FROM initiator WHERE host_id = ?1", e);
    bind_text(&s, "id", host_id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

int host_row_change(struct catalog_txn *txn, const struct host_row *row,
                    const char *const *initiators, size_t count, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE host SET name = ?2, profile = ?3 WHERE id = ?1", e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", row->name, sizeof(row->name));
    bind_text(&s, "profile", row->profile, sizeof(row->profile));
    int rc = stmt_run_one(&s, "host");
    if (rc == 0)
        rc = initiators_remove(txn, row->id, e);
    return rc != 0 ? rc : initiators_add(txn, row->id, initiators, count, e);
}

int host_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM host WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "host", "has mappings");
}

int host_row_each(struct catalog_txn *txn,
                  int (*each)(const struct host_row *row, void *arg), void *arg,
                  struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT id, name, created_s, profile FROM host ORDER BY name", e);
    struct host_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, host_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}

struct initiator_entry {
    char host_id[CATALOG_ID_MAX];
    char name[CATALOG_INITIATOR_MAX];
};

static void initiator_read(struct stmt *s, void *row)
{
    struct initiator_entry *entry = row;
    column_text(s, entry->host_id, sizeof(entry->host_id));
    column_text(s, entry->name, sizeof(entry->name));
}

int initiator_row_each(struct catalog_txn *txn,
                       int (*each)(const char *host_id, const char *initiator, void *arg),
                       void *arg, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT host_id, name FROM initiator ORDER BY host_id, entry", e);
    struct initiator_entry row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, initiator_read, &row)) > 0)
        rc = each(row.host_id, row.name, arg);
    return rc;
}

/* ---- Mappings ---------------------------------------------------------------------- */

static void mapping_read(struct stmt *s, void *row)
{
    struct mapping_row *mapping = row;
    column_text(s, mapping->id, sizeof(mapping->id));
    column_text(s, mapping->volume_id, sizeof(mapping->volume_id));
    column_text(s, mapping->host_id, sizeof(mapping->host_id));
    mapping->lun = (uint16_t)column_u64(s, UINT16_MAX);
    mapping->read_only = column_u64(s, 1) != 0;
    mapping->created_s = column_int(s);
    mapping->own_target = column_u64(s, 1) != 0;
}

static int mapping_refuse_reference(struct catalog_txn *txn,
                                    const struct mapping_row *row, struct err *e)
{
    if (!row_exists_text(txn, "SELECT 1 FROM volume WHERE id = ?1", row->volume_id))
        return err_set(e, -ENOENT, "volume", "there is no such volume");
    return err_set(e, -ENOENT, "host", "there is no such host");
}

int mapping_row_add(struct catalog_txn *txn, const struct mapping_row *row, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn,
                                        "INSERT INTO mapping (id, volume_id, host_id, "
                                        "lun, read_only, created_s, own_target)"
                                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                        e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "volume", row->volume_id, sizeof(row->volume_id));
    bind_text(&s, "host", row->host_id, sizeof(row->host_id));
    bind_int(&s, row->lun);
    bind_int(&s, row->read_only);
    bind_int(&s, row->created_s);
    bind_int(&s, row->own_target);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? mapping_refuse_reference(txn, row, e) : rc;
}

int mapping_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM mapping WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "mapping", "is in use");
}

int mapping_row_each(struct catalog_txn *txn,
                     int (*each)(const struct mapping_row *row, void *arg), void *arg,
                     struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT id, volume_id, host_id, lun, read_only, created_s, own_target"
                  " FROM mapping ORDER BY host_id, lun, id",
                  e);
    struct mapping_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, mapping_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
