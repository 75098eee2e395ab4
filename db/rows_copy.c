/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of copies of volumes: a job's each, gone with it. On a db thread, inside
 * work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>
#include <string.h>

int copy_row_add(struct catalog_txn *txn, const struct copy_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO volume_copy (job_id, source_id, snapshot_id, to_id, name,"
                  " pool_id, from_bytes, to_bytes, length_bytes)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                  e);
    bind_text(&s, "job", row->job_id, sizeof(row->job_id));
    bind_text(&s, "source", row->source_id, sizeof(row->source_id));
    bind_text_or_empty(&s, "snapshot", row->snapshot_id, sizeof(row->snapshot_id));
    bind_text(&s, "to", row->to_id, sizeof(row->to_id));
    bind_text_or_empty(&s, "name", row->name, sizeof(row->name));
    bind_text_or_empty(&s, "pool", row->pool_id, sizeof(row->pool_id));
    bind_u64(&s, "offset", row->from_bytes);
    bind_u64(&s, "to_offset", row->to_bytes);
    bind_u64(&s, "length", row->length_bytes);
    return stmt_run(&s);
}

static void copy_read(struct stmt *s, void *row)
{
    struct copy_row *copy = row;
    column_text(s, copy->job_id, sizeof(copy->job_id));
    column_text(s, copy->source_id, sizeof(copy->source_id));
    column_text(s, copy->snapshot_id, sizeof(copy->snapshot_id));
    column_text(s, copy->to_id, sizeof(copy->to_id));
    column_text(s, copy->name, sizeof(copy->name));
    column_text(s, copy->pool_id, sizeof(copy->pool_id));
    copy->from_bytes = column_u64(s, INT64_MAX);
    copy->to_bytes = column_u64(s, INT64_MAX);
    copy->length_bytes = column_u64(s, INT64_MAX);
}

int copy_row_get(struct catalog_txn *txn, const char *job_id, struct copy_row *out,
                 struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT job_id, source_id, snapshot_id, to_id, name, pool_id,"
                  " from_bytes, to_bytes, length_bytes FROM volume_copy"
                  " WHERE job_id = ?1",
                  e);
    bind_text(&s, "job", job_id, CATALOG_ID_MAX);
    int rc = stmt_next_row(&s, copy_read, out);
    if (rc == 0)
        return err_set(e, -ENOENT, NULL, "the copy of job %s is not there", job_id);
    return rc > 0 ? 0 : rc;
}
