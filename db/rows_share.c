/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of shared extents: how many words name one. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/rows_map.h"
#include "db/stmt.h"

#include <errno.h>
#include <inttypes.h>

static int share_remove(struct catalog_txn *txn, const struct share_change *share,
                        struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "DELETE FROM share WHERE device_no = ?1 AND extent = ?2", e);
    bind_int(&s, share->device_no);
    bind_u64(&s, "extent", share->extent);
    return stmt_run(&s);
}

static int share_set(struct catalog_txn *txn, const struct share_change *share,
                     struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO share (device_no, extent, count) VALUES (?1, ?2, ?3)"
                  " ON CONFLICT (device_no, extent) DO UPDATE SET count = excluded.count",
                  e);
    bind_int(&s, share->device_no);
    bind_u64(&s, "extent", share->extent);
    bind_int(&s, share->count);
    return stmt_run(&s);
}

/* As it was; 1 without a row. */
static int share_get(struct catalog_txn *txn, const struct share_change *share,
                     int64_t *count, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT count FROM share WHERE device_no = ?1 AND extent = ?2", e);
    bind_int(&s, share->device_no);
    bind_u64(&s, "extent", share->extent);
    int rc = stmt_next(&s);
    *count = rc > 0 ? column_int(&s) : 1;
    return rc < 0 ? rc : 0;
}

int share_store(struct catalog_txn *txn, struct share_change *share, struct err *e)
{
    int64_t count;
    int rc = share_get(txn, share, &count, e);
    if (rc != 0)
        return rc;
    count += share->change;
    if (count < 0)
        return err_set(e, -EUCLEAN, NULL,
                       "catalog: extent %" PRIu64 " of device %u has fewer words than"
                       " were taken from it",
                       share->extent, share->device_no);
    share->count = (uint32_t)count;
    return count < 2 ? share_remove(txn, share, e) : share_set(txn, share, e);
}

static void share_read(struct stmt *s, void *row)
{
    struct share_row *share = row;
    share->device_no = (uint32_t)column_u64(s, UINT32_MAX);
    share->extent = column_u64(s, INT64_MAX);
    share->count = (uint32_t)column_u64(s, UINT32_MAX);
}

int share_each(struct catalog_txn *txn, uint32_t device_no,
               int (*each)(const struct share_row *row, void *arg), void *arg,
               struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn,
                                        "SELECT device_no, extent, count FROM share"
                                        " WHERE device_no = ?1 ORDER BY extent",
                                        e);
    bind_int(&s, device_no);
    struct share_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, share_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
