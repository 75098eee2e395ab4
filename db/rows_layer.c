/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of layers. A layer's number makes its leaves' keys, so it is never given
 * twice: AUTOINCREMENT remembers the highest one ever committed. On a db thread, inside
 * work().
 */
#include "db/catalog.h"
#include "db/rows_leaf.h"
#include "db/stmt.h"

#include <errno.h>

static void layer_read(struct stmt *s, void *row)
{
    struct layer_row *layer = row;
    layer->id = (uint32_t)column_u64(s, LAYER_ID_MAX);
    column_text(s, layer->pool_id, sizeof(layer->pool_id));
    layer->parent = (uint32_t)column_u64(s, LAYER_ID_MAX); /* NULL reads as 0 */
    layer->state = (enum layer_state)column_u64(s, LAYER_DROPPING);
    layer->size_extents = column_u64(s, INT64_MAX);
    layer->used_extents = column_u64(s, INT64_MAX);
    layer->shared_extents = column_u64(s, INT64_MAX);
}

static int layer_refuse_reference(struct catalog_txn *txn, const struct layer_row *row,
                                  struct err *e)
{
    if (!row_exists_text(txn, "SELECT 1 FROM pool WHERE id = ?1", row->pool_id))
        return err_set(e, -ENOENT, "pool", "there is no such pool");
    return err_set(e, -ENOENT, "parent", "there is no such layer");
}

int layer_row_add(struct catalog_txn *txn, struct layer_row *row, struct err *e)
{
    if (row_exists_int(txn,
                       "SELECT 1 FROM sqlite_sequence WHERE name = 'layer' AND seq >= ?1",
                       LAYER_ID_MAX))
        return err_set(e, -ENOSPC, NULL, "all %u layer numbers have been used",
                       LAYER_ID_MAX);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO layer (pool_id, parent, state, size_extents,"
                  " used_extents, shared_extents, id)"
                  " VALUES (?1, nullif(?2, 0), ?3, ?4, ?5, ?6, nullif(?7, 0))",
                  e);
    bind_text(&s, "pool", row->pool_id, sizeof(row->pool_id));
    bind_int(&s, row->parent);
    bind_int(&s, row->state);
    bind_u64(&s, "size_extents", row->size_extents);
    bind_u64(&s, "used_extents", row->used_extents);
    bind_u64(&s, "shared_extents", row->shared_extents);
    bind_int(&s, row->id);
    int rc = stmt_run(&s);
    if (rc == -ENOENT)
        return layer_refuse_reference(txn, row, e);
    if (rc == 0)
        row->id = (uint32_t)sqlite3_last_insert_rowid(txn->db);
    return rc;
}

int layer_row_set_state(struct catalog_txn *txn, uint32_t id, enum layer_state state,
                        struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE layer SET state = ?1 WHERE id = ?2", e);
    bind_int(&s, state);
    bind_int(&s, id);
    return stmt_run_one(&s, "layer");
}

int layer_row_set_size(struct catalog_txn *txn, uint32_t id, uint64_t size_extents,
                       struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE layer SET size_extents = ?1 WHERE id = ?2", e);
    bind_u64(&s, "size_extents", size_extents);
    bind_int(&s, id);
    return stmt_run_one(&s, "layer");
}

int layer_row_set_parent(struct catalog_txn *txn, uint32_t id, uint32_t parent,
                         struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE layer SET parent = nullif(?1, 0) WHERE id = ?2", e);
    bind_int(&s, parent);
    bind_int(&s, id);
    int rc = stmt_run_one(&s, "layer");
    if (rc == -ENOENT && parent != 0 &&
        !row_exists_int(txn, "SELECT 1 FROM layer WHERE id = ?1", parent))
        return err_set(e, rc, "parent", "there is no such layer");
    return rc;
}

static int layer_repoint(struct catalog_txn *txn, const char *sql, uint32_t from,
                         uint32_t to, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, sql, e);
    bind_int(&s, to);
    bind_int(&s, from);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? err_set(e, rc, "parent", "there is no such layer") : rc;
}

int layer_row_replace(struct catalog_txn *txn, uint32_t from, uint32_t to, struct err *e)
{
    int rc =
        layer_repoint(txn, "UPDATE layer SET parent = ?1 WHERE parent = ?2", from, to, e);
    return rc != 0
               ? rc
               : layer_repoint(txn,
                               "UPDATE volume SET top_layer = ?1 WHERE top_layer = ?2",
                               from, to, e);
}

static void id_read(struct stmt *s, void *row)
{
    *(uint32_t *)row = (uint32_t)column_u64(s, LAYER_ID_MAX);
}

int layer_next_id(struct catalog_txn *txn, uint32_t *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'layer'", e);
    int rc = stmt_next_row(&s, id_read, id);
    if (rc < 0)
        return rc;
    (*id)++;
    return 0;
}

int layer_row_remove(struct catalog_txn *txn, uint32_t id, struct err *e)
{
    int left = layer_has_leaves(txn, id, e);
    if (left != 0)
        return left < 0 ? left : err_set(e, -EBUSY, NULL, "the layer has leaves");
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM layer WHERE id = ?1", e);
    bind_int(&s, id);
    return stmt_remove(&s, "layer", "is a volume's or has layers above it");
}

#define LAYER_COLUMNS                                                                    \
    "id, pool_id, parent, state, size_extents, used_extents, shared_extents"

int layer_row_get(struct catalog_txn *txn, uint32_t id, struct layer_row *out,
                  struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT " LAYER_COLUMNS " FROM layer WHERE id = ?1", e);
    bind_int(&s, id);
    int rc = stmt_next_row(&s, layer_read, out);
    if (rc == 0)
        return err_set(e, -ENOENT, NULL, "there is no such layer");
    return rc < 0 ? rc : 0;
}

int layer_row_each(struct catalog_txn *txn,
                   int (*each)(const struct layer_row *row, void *arg), void *arg,
                   struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT " LAYER_COLUMNS " FROM layer ORDER BY id", e);
    struct layer_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, layer_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
