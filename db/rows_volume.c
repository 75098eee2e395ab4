/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of volumes. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The column `name` is unique over all rows: a volume's own name; VOLUME-ID/NAME for a
 * snapshot; ID/NAME in the trash. */
#define SCOPED_NAME_MAX (CATALOG_ID_MAX + CATALOG_NAME_MAX)

static void volume_read(struct stmt *s, void *row)
{
    struct volume_row *v = row;
    char scoped[SCOPED_NAME_MAX], clone_of[CATALOG_ID_MAX];
    column_text(s, v->id, sizeof(v->id));
    column_text(s, scoped, sizeof(scoped));
    column_text(s, v->pool_id, sizeof(v->pool_id));
    v->top_layer = (uint32_t)column_u64(s, LAYER_ID_MAX);
    v->size_bytes = column_u64(s, INT64_MAX);
    v->block_bytes = (uint32_t)column_u64(s, UINT32_MAX);
    v->physical_bytes = (uint32_t)column_u64(s, UINT32_MAX);
    v->naa_serial = column_u64(s, INT64_MAX);
    v->created_s = column_int(s);
    column_text_or_none(s, v->origin, sizeof(v->origin));
    column_text_or_none(s, v->group, sizeof(v->group));
    column_text_or_none(s, clone_of, sizeof(clone_of));
    v->trashed_s = column_int(s);
    v->is_protected = column_u64(s, 1) != 0;
    v->zero_detect = column_u64(s, 1) != 0;
    v->wipe_bytes = column_u64(s, INT64_MAX);
    v->guaranteed_bytes = column_u64(s, INT64_MAX);
    v->kind = v->origin[0] != '\0' ? VOLUME_SNAPSHOT : VOLUME_PLAIN;
    if (v->kind == VOLUME_PLAIN)
        memcpy(v->origin, clone_of, sizeof(v->origin));
    const char *slash = strrchr(scoped, '/');
    snprintf(v->name, sizeof(v->name), "%.*s", CATALOG_NAME_MAX - 1,
             slash == NULL ? scoped : slash + 1);
}

#define VOLUME_COLUMNS                                                                   \
    "id, name, pool_id, top_layer, size_bytes, block_bytes, physical_bytes, naa_serial," \
    " created_s, snapshot_of, snapshot_group, clone_of, trashed_s, is_protected, "       \
    "zero_detect,"                                                                       \
    " wipe_bytes, guaranteed_bytes"

static void scoped_name(const struct volume_row *row, char out[SCOPED_NAME_MAX])
{
    const char *scope = row->kind == VOLUME_SNAPSHOT ? row->origin
                        : row->trashed_s != 0        ? row->id
                                                     : "";
    snprintf(out, SCOPED_NAME_MAX, "%s%s%s", scope, scope[0] == '\0' ? "" : "/",
             row->name);
}

static void bind_optional(struct stmt *s, const char *field, const char *id, bool given)
{
    if (given && id[0] != '\0')
        bind_text(s, field, id, CATALOG_ID_MAX);
    else
        bind_null(s);
}

static int volume_refuse_reference(struct catalog_txn *txn, const struct volume_row *row,
                                   struct err *e)
{
    if (!row_exists_text(txn, "SELECT 1 FROM pool WHERE id = ?1", row->pool_id))
        return err_set(e, -ENOENT, "pool", "there is no such pool");
    if (row->kind == VOLUME_SNAPSHOT &&
        !row_exists_text(txn, "SELECT 1 FROM volume WHERE id = ?1", row->origin))
        return err_set(e, -ENOENT, "volume", "there is no such volume");
    return err_set(e, -ENOENT, "top_layer", "there is no such layer");
}

int volume_row_add(struct catalog_txn *txn, const struct volume_row *row, struct err *e)
{
    char name[SCOPED_NAME_MAX];
    bool snapshot = row->kind == VOLUME_SNAPSHOT;
    assert(!snapshot || row->origin[0] != '\0');
    scoped_name(row, name);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO volume (" VOLUME_COLUMNS
                  ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                  " ?14, ?15, ?16, ?17)",
                  e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", name, sizeof(name));
    bind_text(&s, "pool", row->pool_id, sizeof(row->pool_id));
    bind_int(&s, row->top_layer);
    bind_u64(&s, "size", row->size_bytes);
    bind_int(&s, row->block_bytes);
    bind_int(&s, row->physical_bytes);
    bind_u64(&s, "naa_serial", row->naa_serial);
    bind_int(&s, row->created_s);
    bind_optional(&s, "volume", row->origin, snapshot);
    bind_optional(&s, "group", row->group, snapshot);
    bind_optional(&s, "snapshot", row->origin, !snapshot);
    bind_int(&s, row->trashed_s);
    bind_int(&s, row->is_protected);
    bind_int(&s, row->zero_detect);
    bind_u64(&s, "wipe_bytes", row->wipe_bytes);
    bind_u64(&s, "guaranteed", row->guaranteed_bytes);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? volume_refuse_reference(txn, row, e) : rc;
}

int volume_row_get(struct catalog_txn *txn, const char *id, struct volume_row *out,
                   struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT " VOLUME_COLUMNS " FROM volume WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    int rc = stmt_next_row(&s, volume_read, out);
    if (rc == 0)
        return err_set(e, -ENOENT, NULL, "there is no such volume");
    return rc < 0 ? rc : 0;
}

int volume_row_change(struct catalog_txn *txn, const struct volume_row *row,
                      struct err *e)
{
    char name[SCOPED_NAME_MAX];
    scoped_name(row, name);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "UPDATE volume SET name = ?1, top_layer = ?2, size_bytes = ?3,"
                  " snapshot_group = ?4, clone_of = ?5, trashed_s = ?6,"
                  " is_protected = ?7, zero_detect = ?8, wipe_bytes = ?9,"
                  " guaranteed_bytes = ?10 WHERE id = ?11",
                  e);
    bind_text(&s, "name", name, sizeof(name));
    bind_int(&s, row->top_layer);
    bind_u64(&s, "size", row->size_bytes);
    bind_optional(&s, "group", row->group, row->kind == VOLUME_SNAPSHOT);
    bind_optional(&s, "snapshot", row->origin, row->kind == VOLUME_PLAIN);
    bind_int(&s, row->trashed_s);
    bind_int(&s, row->is_protected);
    bind_int(&s, row->zero_detect);
    bind_u64(&s, "wipe_bytes", row->wipe_bytes);
    bind_u64(&s, "guaranteed", row->guaranteed_bytes);
    bind_text(&s, "id", row->id, sizeof(row->id));
    int rc = stmt_run_one(&s, "volume");
    if (rc == -ENOENT &&
        row_exists_text(txn, "SELECT 1 FROM volume WHERE id = ?1", row->id))
        return volume_refuse_reference(txn, row, e);
    return rc;
}

int volume_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM volume WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "volume", "is mapped or has snapshots");
}

int volume_row_each(struct catalog_txn *txn,
                    int (*each)(const struct volume_row *row, void *arg), void *arg,
                    struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT " VOLUME_COLUMNS " FROM volume ORDER BY name", e);
    struct volume_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, volume_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
