/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of volumes. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

static void volume_read(struct stmt *s, void *row)
{
    struct volume_row *volume = row;
    column_text(s, volume->id, sizeof(volume->id));
    column_text(s, volume->name, sizeof(volume->name));
    column_text(s, volume->pool_id, sizeof(volume->pool_id));
    volume->top_layer = (uint32_t)column_u64(s, LAYER_ID_MAX);
    volume->size_bytes = column_u64(s, INT64_MAX);
    volume->block_bytes = (uint32_t)column_u64(s, UINT32_MAX);
    volume->naa_serial = column_u64(s, INT64_MAX);
    volume->created_s = column_int(s);
}

static int volume_refuse_reference(struct catalog_txn *txn, const struct volume_row *row,
                                   struct err *e)
{
    if (!row_exists_text(txn, "SELECT 1 FROM pool WHERE id = ?1", row->pool_id))
        return err_set(e, -ENOENT, "pool", "there is no such pool");
    return err_set(e, -ENOENT, "top_layer", "there is no such layer");
}

int volume_row_add(struct catalog_txn *txn, const struct volume_row *row, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn,
        "INSERT INTO volume (id, name, pool_id, top_layer, size_bytes, block_bytes,"
        " naa_serial, created_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", row->name, sizeof(row->name));
    bind_text(&s, "pool", row->pool_id, sizeof(row->pool_id));
    bind_int(&s, row->top_layer);
    bind_u64(&s, "size", row->size_bytes);
    bind_int(&s, row->block_bytes);
    bind_u64(&s, "naa_serial", row->naa_serial);
    bind_int(&s, row->created_s);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? volume_refuse_reference(txn, row, e) : rc;
}

int volume_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM volume WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "volume", "is mapped");
}

int volume_row_each(struct catalog_txn *txn,
                    int (*each)(const struct volume_row *row, void *arg), void *arg,
                    struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT id, name, pool_id, top_layer, size_bytes, block_bytes,"
                  " naa_serial, created_s FROM volume ORDER BY name",
                  e);
    struct volume_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, volume_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
