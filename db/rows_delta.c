/* SPDX-License-Identifier: Apache-2.0 */
/* The table `delta` and the two overlays that may speak for it: the catalog's, and one
 * that a reader made from its own snapshot (db/overlay.h says when). */
#include "db/rows_delta.h"

#include "db/limits.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void span_read(struct stmt *s, void *row)
{
    struct delta_span *span = row;
    span->lowest = column_u64(s, INT64_MAX); /* NULL reads as 0 */
    span->highest = column_u64(s, INT64_MAX);
}

int delta_span_read(struct catalog_txn *txn, struct delta_span *span, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "SELECT (SELECT min(id) FROM delta), (SELECT max(id) FROM delta)", e);
    int rc = stmt_next_row(&s, span_read, span);
    return rc < 0 ? rc : 0;
}

/* ---- Rows -------------------------------------------------------------------------- */

static int delta_refuse(uint64_t id, struct err *e)
{
    return err_set(e, -EUCLEAN, NULL, "catalog: delta %" PRIu64 " of the map is damaged",
                   id);
}

static int delta_take(struct overlay *o, uint64_t id, const void *blob, size_t bytes,
                      struct err *e)
{
    if (blob == NULL || bytes > DELTA_BLOB_MAX)
        return delta_refuse(id, e);
    struct delta *whole = delta_alloc();
    if (whole == NULL)
        return err_oom(e);
    whole->id = id;
    whole->bytes = bytes;
    memcpy(whole->blob, blob, bytes);
    AUTO_FREE struct delta *d = delta_trim(whole);
    int rc = overlay_add(o, d);
    if (rc == 0)
        (void)TAKE(d);
    if (rc == -EUCLEAN)
        return delta_refuse(id, e);
    return rc == 0 ? 0 : err_oom(e);
}

int delta_rows_load(struct catalog_txn *txn, struct overlay *o, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT id, words FROM delta ORDER BY id", e);
    int rc = 0;
    while (rc == 0 && (rc = stmt_next(&s)) > 0) {
        uint64_t id = (uint64_t)column_int(&s);
        size_t bytes = 0;
        const void *blob = column_blob(&s, &bytes);
        rc = delta_take(o, id, blob, bytes, e);
    }
    return rc;
}

int delta_row_add(struct catalog_txn *txn, const struct delta *d, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "INSERT INTO delta (id, words) VALUES (?1, ?2)", e);
    bind_u64(&s, "id", d->id);
    bind_blob(&s, d->blob, d->bytes);
    return stmt_run(&s);
}

int delta_rows_remove(struct catalog_txn *txn, uint64_t through, struct err *e)
{
    struct delta_span span;
    int rc = delta_span_read(txn, &span, e);
    if (rc != 0)
        return rc;
    uint64_t last = span.lowest + DELTA_ROWS_STEP - 1;
    bool is_all = last >= through;
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM delta WHERE id <= ?1", e);
    bind_u64(&s, NULL, is_all ? through : last);
    rc = stmt_run(&s);
    return rc == 0 && !is_all ? 1 : rc;
}

/* ---- What a snapshot says ---------------------------------------------------------- */

static int own_overlay_make(struct catalog_txn *txn, struct err *e)
{
    struct overlay *o = NULL;
    if (overlay_create(&o) != 0)
        return err_oom(e);
    int rc = delta_rows_load(txn, o, e);
    if (rc == 0)
        txn->own_overlay = o;
    else
        overlay_destroy(o);
    return rc;
}

int delta_span_next(struct catalog_txn *txn, const struct delta_span *span,
                    uint64_t first_leaf, uint64_t last_leaf, struct leaf_patch *out,
                    struct err *e)
{
    assert(txn->overlay != NULL);
    if (span->highest == 0)
        return 0;
    if (txn->own_overlay == NULL) {
        int rc = overlay_next(txn->overlay, first_leaf, last_leaf, span->lowest,
                              span->highest, out);
        if (rc != -ESTALE)
            return rc;
        rc = own_overlay_make(txn, e);
        if (rc != 0)
            return rc;
    }
    return overlay_next(txn->own_overlay, first_leaf, last_leaf, span->lowest,
                        span->highest, out);
}
