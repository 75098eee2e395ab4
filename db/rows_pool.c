/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the box itself, of pools and of devices. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

/* ---- Box --------------------------------------------------------------------------- */

static void box_read(struct stmt *s, void *row)
{
    struct box_row *box = row;
    column_text(s, box->id, sizeof(box->id));
    box->naa_serial = column_u64(s, INT64_MAX);
    box->generation = column_u64(s, INT64_MAX);
    box->clean = column_u64(s, 1) != 0;
}

int box_get(struct catalog_txn *txn, struct box_row *out, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT id, naa_serial, generation, clean FROM box", e);
    int rc = stmt_next_row(&s, box_read, out);
    if (rc == 0)
        return err_set(e, -EUCLEAN, NULL, "catalog: the box has no row");
    return rc > 0 ? 0 : rc;
}

int box_set(struct catalog_txn *txn, const struct box_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "UPDATE box SET id = ?1, naa_serial = ?2, generation = ?3, clean = ?4"
                  " WHERE naa_serial <= ?2",
                  e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_u64(&s, "naa_serial", row->naa_serial);
    bind_u64(&s, "generation", row->generation);
    bind_int(&s, row->clean);
    int rc = stmt_run(&s);
    if (rc == 0 && sqlite3_changes(txn->db) == 0)
        rc = err_set(e, -EINVAL, "naa_serial", "cannot go back");
    return rc;
}

/* ---- Pools ------------------------------------------------------------------------- */

static void pool_read(struct stmt *s, void *row)
{
    struct pool_row *pool = row;
    column_text(s, pool->id, sizeof(pool->id));
    column_text(s, pool->name, sizeof(pool->name));
    pool->created_s = column_int(s);
    pool->overcommit_cap_percent = (uint32_t)column_u64(s, UINT32_MAX);
    column_text(s, pool->usage_thresholds, sizeof(pool->usage_thresholds));
    pool->page_cache = column_u64(s, 1) != 0;
}

int pool_row_add(struct catalog_txn *txn, const struct pool_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO pool (id, name, created_s, overcommit_cap_percent,"
                  " usage_thresholds, page_cache) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                  e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", row->name, sizeof(row->name));
    bind_int(&s, row->created_s);
    bind_int(&s, row->overcommit_cap_percent);
    bind_text_or_empty(&s, "usage_thresholds", row->usage_thresholds,
                       sizeof(row->usage_thresholds));
    bind_int(&s, row->page_cache);
    return stmt_run(&s);
}

int pool_row_change(struct catalog_txn *txn, const struct pool_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "UPDATE pool SET overcommit_cap_percent = ?1, usage_thresholds = ?2,"
                  " page_cache = ?3 WHERE id = ?4",
                  e);
    bind_int(&s, row->overcommit_cap_percent);
    bind_text_or_empty(&s, "usage_thresholds", row->usage_thresholds,
                       sizeof(row->usage_thresholds));
    bind_int(&s, row->page_cache);
    bind_text(&s, "id", row->id, sizeof(row->id));
    return stmt_run_one(&s, "pool");
}

int pool_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM pool WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "pool", "has volumes or layers");
}

int pool_row_each(struct catalog_txn *txn,
                  int (*each)(const struct pool_row *row, void *arg), void *arg,
                  struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT id, name, created_s, overcommit_cap_percent,"
                  " usage_thresholds, page_cache FROM pool ORDER BY name",
                  e);
    struct pool_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, pool_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}

/* ---- Devices ----------------------------------------------------------------------- */

static void device_read(struct stmt *s, void *row)
{
    struct device_row *device = row;
    device->no = (uint32_t)column_u64(s, UINT32_MAX);
    column_text(s, device->id, sizeof(device->id));
    column_text(s, device->pool_id, sizeof(device->pool_id));
    device->slot = (uint16_t)column_u64(s, UINT16_MAX);
    column_text(s, device->path, sizeof(device->path));
    device->extents = column_u64(s, INT64_MAX);
    device->generation = column_u64(s, INT64_MAX);
    device->evacuation = (uint8_t)column_u64(s, UINT8_MAX);
}

int device_row_add(struct catalog_txn *txn, struct device_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO device (id, pool_id, slot, path, extents, generation)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                  e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "pool", row->pool_id, sizeof(row->pool_id));
    bind_int(&s, row->slot);
    bind_text(&s, "path", row->path, sizeof(row->path));
    bind_u64(&s, "extents", row->extents);
    bind_u64(&s, "generation", row->generation);
    int rc = stmt_run(&s);
    if (rc == -ENOENT)
        return err_set(e, rc, "pool", "there is no such pool");
    if (rc == 0)
        row->no = (uint32_t)sqlite3_last_insert_rowid(txn->db);
    return rc;
}

int device_row_set_generation(struct catalog_txn *txn, uint32_t no, uint64_t generation,
                              struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE device SET generation = ?1 WHERE no = ?2", e);
    bind_u64(&s, "generation", generation);
    bind_int(&s, no);
    return stmt_run_one(&s, "device");
}

int device_row_set_extents(struct catalog_txn *txn, uint32_t no, uint64_t extents,
                           struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "UPDATE device SET extents = ?1 WHERE no = ?2 AND extents <= ?1", e);
    bind_u64(&s, "extents", extents);
    bind_int(&s, no);
    return stmt_run_one(&s, "device");
}

int device_row_set_evacuation(struct catalog_txn *txn, const char *id, uint8_t evacuation,
                              struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE device SET evacuation = ?1 WHERE id = ?2", e);
    bind_int(&s, evacuation);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

int device_row_remove(struct catalog_txn *txn, uint32_t no, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM device WHERE no = ?1", e);
    bind_int(&s, no);
    return stmt_run_one(&s, "device");
}

int device_row_each(struct catalog_txn *txn,
                    int (*each)(const struct device_row *row, void *arg), void *arg,
                    struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT no, id, pool_id, slot, path, extents, generation, evacuation"
                  " FROM device ORDER BY no",
                  e);
    struct device_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, device_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
