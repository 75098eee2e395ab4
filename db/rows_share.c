/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of shared extents: how many words name each of a run. A change reads the rows
 * that it touches, those beside it too, and puts others in their place: runs that do not
 * overlap, and of one count do not touch. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/rows_map.h"
#include "db/stmt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define RUNS_MIN 16

int extent_runs_add(struct extent_runs *r, const struct extent_run *run)
{
    if (r->count == r->max) {
        size_t max = r->max == 0 ? RUNS_MIN : 2 * r->max;
        struct extent_run *grown = realloc(r->runs, max * sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        r->runs = grown;
        r->max = max;
    }
    r->runs[r->count++] = *run;
    return 0;
}

void extent_runs_fini(struct extent_runs *r)
{
    free(r->runs);
    *r = (struct extent_runs){.runs = NULL};
}

/* ---- What comes of a change ---------------------------------------------------------
 */

/* The rows around a change: as they were, then as they are to be. */
struct share_rows {
    struct share_row *rows;
    size_t count, max;
};

static void share_rows_fini(struct share_rows *r)
{
    free(r->rows);
}

/* One with the last where they lie together. A count of 1 has no row. */
static int share_rows_add(struct share_rows *r, const struct share_row *row,
                          struct err *e)
{
    struct share_row *last = r->count == 0 ? NULL : &r->rows[r->count - 1];
    if (row->count < 2 || row->extents == 0)
        return 0;
    if (last != NULL && last->count == row->count &&
        last->extent + last->extents == row->extent) {
        last->extents += row->extents;
        return 0;
    }
    if (r->count == r->max) {
        size_t max = r->max == 0 ? RUNS_MIN : 2 * r->max;
        struct share_row *grown = realloc(r->rows, max * sizeof(*grown));
        if (grown == NULL)
            return err_oom(e);
        r->rows = grown;
        r->max = max;
    }
    r->rows[r->count++] = *row;
    return 0;
}

struct share_changing {
    const struct share_change *change;
    struct share_rows new;
    struct extent_runs *unnamed;
    struct err *e;
};

static int share_refuse(const struct share_changing *c, uint64_t extent)
{
    return err_set(c->e, -EUCLEAN, NULL,
                   "catalog: extent %" PRIu64 " of device %u has fewer words than were "
                   "taken from it",
                   extent, c->change->device_no);
}

/* Extents from `from` to before `to`, all of which have `count` words, or are beyond the
 * change. */
static int share_put(struct share_changing *c, uint64_t from, uint64_t to, int64_t count)
{
    uint64_t first = c->change->extent, end = first + c->change->extents;
    bool changes = from >= first && to <= end && from < to;
    if (changes)
        count += c->change->change;
    if (from >= to)
        return 0;
    if (count < 0 || count > UINT32_MAX)
        return share_refuse(c, from);
    const struct share_row row = {.device_no = c->change->device_no,
                                  .count = (uint32_t)count,
                                  .extent = from,
                                  .extents = to - from};
    if (count > 0)
        return share_rows_add(&c->new, &row, c->e);
    const struct extent_run run = {
        .device_no = row.device_no, .extent = from, .extents = to - from};
    if (c->unnamed == NULL)
        return share_refuse(c, from);
    return extent_runs_add(c->unnamed, &run) == 0 ? 0 : err_oom(c->e);
}

static uint64_t within(uint64_t n, uint64_t least, uint64_t most)
{
    return n < least ? least : n > most ? most : n;
}

/* The same, of a stretch that the change may cover in part. */
static int share_put_parts(struct share_changing *c, uint64_t from, uint64_t to,
                           int64_t count)
{
    uint64_t first = c->change->extent, end = first + c->change->extents;
    uint64_t a = within(first, from, to), b = within(end, from, to);
    int rc = share_put(c, from, a, count);
    if (rc == 0)
        rc = share_put(c, a, b, count);
    return rc != 0 ? rc : share_put(c, b, to, count);
}

/* What the old rows become; between them one word names each extent. */
static int share_work_out(struct share_changing *c, const struct share_rows *old)
{
    uint64_t at = c->change->extent, end = at + c->change->extents;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < old->count; i++) {
        const struct share_row *row = &old->rows[i];
        if (at < row->extent && at < end)
            rc = share_put(c, at, within(row->extent, at, end), 1);
        if (rc == 0)
            rc = share_put_parts(c, row->extent, row->extent + row->extents, row->count);
        if (row->extent + row->extents > at)
            at = row->extent + row->extents;
    }
    return rc != 0 ? rc : share_put(c, at, end, 1);
}

/* ---- The rows ---------------------------------------------------------------------- */

static void share_read(struct stmt *s, void *row)
{
    struct share_row *share = row;
    share->device_no = (uint32_t)column_u64(s, UINT32_MAX);
    share->extent = column_u64(s, INT64_MAX);
    share->extents = column_u64(s, INT64_MAX);
    share->count = (uint32_t)column_u64(s, UINT32_MAX);
}

/* From the last one that begins before the change to the first one behind it. */
static int share_rows_read(struct catalog_txn *txn, const struct share_change *change,
                           struct share_rows *out, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT device_no, extent, extents, count FROM share"
                  " WHERE device_no = ?1 AND extent <= ?3 AND extent >="
                  " ifnull((SELECT max(extent) FROM share"
                  "         WHERE device_no = ?1 AND extent < ?2), ?2)"
                  " ORDER BY extent",
                  e);
    bind_int(&s, change->device_no);
    bind_u64(&s, "extent", change->extent);
    bind_u64(&s, "extent", change->extent + change->extents);
    struct share_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, share_read, &row)) > 0)
        rc = row.extent + row.extents < change->extent ? 0 : share_rows_add(out, &row, e);
    return rc;
}

static int share_rows_remove(struct catalog_txn *txn, const struct share_rows *old,
                             struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "DELETE FROM share WHERE device_no = ?1 AND extent BETWEEN ?2 AND ?3", e);
    const struct share_row *first = &old->rows[0], *last = &old->rows[old->count - 1];
    bind_int(&s, first->device_no);
    bind_u64(&s, "extent", first->extent);
    bind_u64(&s, "extent", last->extent + last->extents - 1);
    return stmt_run(&s);
}

static int share_row_add(struct catalog_txn *txn, const struct share_row *row,
                         struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn,
        "INSERT INTO share (device_no, extent, extents, count) VALUES (?1, ?2, ?3, ?4)",
        e);
    bind_int(&s, row->device_no);
    bind_u64(&s, "extent", row->extent);
    bind_u64(&s, "extents", row->extents);
    bind_int(&s, row->count);
    return stmt_run(&s);
}

int share_store(struct catalog_txn *txn, const struct share_change *change,
                struct extent_runs *unnamed, struct err *e)
{
    struct share_rows old = {.rows = NULL};
    struct share_changing c = {.change = change, .unnamed = unnamed, .e = e};
    int rc = share_rows_read(txn, change, &old, e);
    if (rc == 0)
        rc = share_work_out(&c, &old);
    if (rc == 0 && old.count > 0)
        rc = share_rows_remove(txn, &old, e);
    for (size_t i = 0; rc == 0 && i < c.new.count; i++)
        rc = share_row_add(txn, &c.new.rows[i], e);
    share_rows_fini(&c.new);
    share_rows_fini(&old);
    return rc;
}

int share_each(struct catalog_txn *txn, uint32_t device_no,
               int (*each)(const struct share_row *row, void *arg), void *arg,
               struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT device_no, extent, extents, count FROM share"
                  " WHERE device_no = ?1 ORDER BY extent",
                  e);
    bind_int(&s, device_no);
    struct share_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, share_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
