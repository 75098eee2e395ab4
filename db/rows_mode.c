/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of saved mode parameters. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

static int mode_remove(struct catalog_txn *txn, const char *volume_id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM mode WHERE volume_id = ?1", e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

static int mode_add(struct catalog_txn *txn, const char *volume_id,
                    const struct modes *modes, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn,
        "INSERT INTO mode (volume_id, descriptor_sense, write_protect, write_cache,"
        " tells_thresholds, tells_one) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    bind_int(&s, modes->descriptor_sense);
    bind_int(&s, modes->write_protect);
    bind_int(&s, modes->write_cache);
    bind_int(&s, modes->tells_thresholds);
    bind_int(&s, modes->tells_one);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? err_set(e, rc, NULL, "there is no such volume") : rc;
}

static int threshold_add(struct catalog_txn *txn, const char *volume_id, int no,
                         const struct threshold *t, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn,
        "INSERT INTO threshold (volume_id, no, enabled, increasing, resource, extents)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    bind_int(&s, no);
    bind_int(&s, t->enabled);
    bind_int(&s, t->increasing);
    bind_int(&s, t->resource);
    bind_int(&s, t->extents);
    return stmt_run(&s);
}

int mode_row_set(struct catalog_txn *txn, const char *volume_id,
                 const struct modes *modes, struct err *e)
{
    int rc = mode_remove(txn, volume_id, e);
    if (rc == 0)
        rc = mode_add(txn, volume_id, modes, e);
    for (int i = 0; rc == 0 && i < THRESHOLD_MAX; i++)
        rc = threshold_add(txn, volume_id, i, &modes->thresholds[i], e);
    return rc;
}

struct mode_of {
    char volume_id[CATALOG_ID_MAX];
    struct modes modes; /* with the threshold `no` alone */
    uint64_t no;
};

static void mode_read(struct stmt *s, void *row)
{
    struct mode_of *m = row;
    column_text(s, m->volume_id, sizeof(m->volume_id));
    m->modes.descriptor_sense = column_u64(s, 1) != 0;
    m->modes.write_protect = column_u64(s, 1) != 0;
    m->modes.write_cache = column_u64(s, 1) != 0;
    m->modes.tells_thresholds = column_u64(s, 1) != 0;
    m->modes.tells_one = column_u64(s, 1) != 0;
    m->no = column_u64(s, THRESHOLD_MAX - 1);
    struct threshold *t = &m->modes.thresholds[m->no];
    t->enabled = column_u64(s, 1) != 0;
    t->increasing = column_u64(s, 1) != 0;
    t->resource = (uint8_t)column_u64(s, THRESHOLD_USED);
    t->extents = (uint32_t)column_u64(s, UINT32_MAX);
}

/* A row of the join for each threshold, of which the last has all of them. */
int mode_row_each(struct catalog_txn *txn,
                  int (*each)(const char *volume_id, const struct modes *modes,
                              void *arg),
                  void *arg, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT m.volume_id, descriptor_sense, write_protect, write_cache,"
                  " tells_thresholds, tells_one, no, enabled, increasing, resource,"
                  " extents FROM mode m JOIN threshold t ON t.volume_id = m.volume_id"
                  " ORDER BY m.volume_id, no",
                  e);
    struct mode_of m = {.volume_id = ""};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, mode_read, &m)) > 0)
        rc = m.no == THRESHOLD_MAX - 1 ? each(m.volume_id, &m.modes, arg) : 0;
    return rc;
}
