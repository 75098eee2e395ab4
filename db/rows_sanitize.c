/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of volumes that are being sanitized, or that could not be. On a db thread,
 * inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>
#include <string.h>

int sanitize_row_set(struct catalog_txn *txn, const struct sanitize_row *row,
                     struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT OR REPLACE INTO sanitize (volume_id, state, erases,"
                  " unrestricted, inverts, passes, pattern)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  e);
    bind_text(&s, "volume", row->volume_id, sizeof(row->volume_id));
    bind_int(&s, row->failed);
    bind_int(&s, row->erases);
    bind_int(&s, row->unrestricted);
    bind_int(&s, row->inverts);
    bind_int(&s, row->passes);
    bind_blob(&s, row->pattern, row->pattern_bytes);
    return stmt_run(&s);
}

int sanitize_row_remove(struct catalog_txn *txn, const char *volume_id, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "DELETE FROM sanitize WHERE volume_id = ?1", e);
    bind_text(&s, "volume", volume_id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

static void sanitize_read(struct stmt *s, void *to)
{
    struct sanitize_row *row = to;
    column_text(s, row->volume_id, sizeof(row->volume_id));
    row->failed = column_u64(s, 1) != 0;
    row->erases = column_u64(s, 1) != 0;
    row->unrestricted = column_u64(s, 1) != 0;
    row->inverts = column_u64(s, 1) != 0;
    row->passes = (uint8_t)column_u64(s, SANITIZE_PASSES_MAX);
    row->pattern_bytes = (uint16_t)column_u64(s, CATALOG_PATTERN_MAX);
    column_bytes(s, row->pattern, row->pattern_bytes);
}

int sanitize_row_each(struct catalog_txn *txn,
                      int (*each)(const struct sanitize_row *row, void *arg), void *arg,
                      struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT volume_id, state, erases, unrestricted, inverts, passes,"
                  " length(pattern), pattern FROM sanitize ORDER BY volume_id",
                  e);
    struct sanitize_row row = {.failed = false};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, sanitize_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
