/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a pool's file: copied, looked through, brought up to date, read. */
#include "db/file_seal.h"
#include "db/migrate.h"
#include "db/overlay.h"
#include "db/pool_file_priv.h"
#include "db/rows_delta.h"
#include "db/sqlerr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A copy of it ------------------------------------------------------------------ */

static int refuse_damaged(const char *path, const struct err *why, struct err *e)
{
    struct err first = *why;
    return err_set(e, -EUCLEAN, "path", "%s is damaged: %s", path, first.text);
}

static int file_copy_pages(struct catalog_txn *from, struct catalog_txn *to,
                           struct err *e)
{
    sqlite3_backup *copy = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (copy == NULL)
        return sqlerr_set(to->db, e);
    (void)sqlite3_backup_step(copy, -1);
    return sqlite3_backup_finish(copy) == SQLITE_OK ? 0 : sqlerr_set(to->db, e);
}

/* Nothing is written where it lies, not even a log. */
static int file_copy_privately(struct pool_file *f, const char *path, struct err *e)
{
    struct catalog_txn from;
    int rc = file_check_seal(path, e);
    if (rc != 0)
        return rc;
    rc = txn_open_reader(&from, path, e);
    if (rc != 0)
        return refuse_damaged(path, e, e);
    rc = migrate_check(&from, path, e);
    if (rc == 0)
        rc = txn_open_writer(&f->txn, "", NULL, e);
    if (rc == 0)
        rc = file_copy_pages(&from, &f->txn, e);
    txn_close(&from);
    if (rc != 0)
        snprintf(e->field, sizeof(e->field), "path");
    return rc;
}

static int refuse_rows(struct catalog_txn *txn, const char *sql, const char *path,
                       const char *what, struct err *e)
{
    int64_t found = 0;
    int rc = txn_query_int(txn, sql, &found, e);
    if (rc != 0)
        return refuse_damaged(path, e, e);
    return found == 0 ? 0 : err_set(e, -EUCLEAN, "path", "%s %s", path, what);
}

/* What SQLite itself can say of it. */
static int file_check_pages(struct pool_file *f, const char *path, struct err *e)
{
    int rc = refuse_rows(&f->txn,
                         "SELECT integrity_check <> 'ok' FROM pragma_integrity_check"
                         " LIMIT 1",
                         path, "is damaged: its pages do not fit together", e);
    if (rc == 0)
        rc = refuse_rows(&f->txn, "SELECT count(*) FROM pragma_foreign_key_check", path,
                         "is damaged: rows refer to others that it has not", e);
    return rc;
}

static int file_check_pool(struct pool_file *f, const char *path, struct err *e)
{
    int rc = refuse_rows(&f->txn,
                         "SELECT (SELECT count(*) FROM pool) <> 1"
                         " OR (SELECT count(*) FROM host) <> 0",
                         path, "is a catalog, but not an exported pool's", e);
    if (rc == 0)
        rc = refuse_rows(&f->txn,
                         "SELECT count(*) FROM volume"
                         " WHERE id NOT IN (SELECT volume_id FROM identity)",
                         path, "is damaged: volumes of it have no identity", e);
    return rc;
}

static int pool_read(const struct pool_row *row, void *arg)
{
    *(struct pool_row *)arg = *row;
    return 0;
}

static int device_read(const struct device_row *row, void *arg)
{
    struct pool_file *f = arg;
    f->devices[f->info.device_count++] = *row;
    return 0;
}

static int file_read_devices(struct pool_file *f, struct err *e)
{
    int64_t count = 0;
    int rc = txn_query_int(&f->txn, "SELECT count(*) FROM device", &count, e);
    if (rc != 0)
        return rc;
    f->devices = calloc((size_t)count + 1, sizeof(*f->devices));
    f->info.devices = f->devices;
    return f->devices == NULL ? err_oom(e) : device_row_each(&f->txn, device_read, f, e);
}

static int count_read(struct catalog_txn *txn, const char *sql, uint32_t *out,
                      struct err *e)
{
    int64_t count = 0;
    int rc = txn_query_int(txn, sql, &count, e);
    *out = (uint32_t)count;
    return rc;
}

static int file_count(struct pool_file *f, struct err *e)
{
    struct pool_file_info *info = &f->info;
    int rc = count_read(&f->txn, "SELECT count(*) FROM layer", &info->layer_count, e);
    if (rc == 0)
        rc = count_read(&f->txn,
                        "SELECT count(*) FROM volume WHERE snapshot_of IS NULL"
                        " AND trashed_s = 0",
                        &info->volume_count, e);
    if (rc == 0)
        rc = count_read(&f->txn, "SELECT count(*) FROM volume WHERE trashed_s <> 0",
                        &info->trash_count, e);
    if (rc == 0)
        rc = count_read(&f->txn,
                        "SELECT count(*) FROM volume s JOIN volume v"
                        " ON v.id = s.snapshot_of WHERE v.trashed_s = 0",
                        &info->snapshot_count, e);
    return rc;
}

static int file_read(struct pool_file *f, struct err *e)
{
    struct box_row box;
    int rc = box_get(&f->txn, &box, e);
    if (rc != 0)
        return rc;
    memcpy(f->info.box_id, box.id, sizeof(f->info.box_id));
    f->info.clean = box.clean;
    rc = pool_row_each(&f->txn, pool_read, &f->info.pool, e);
    if (rc == 0)
        rc = file_read_devices(f, e);
    return rc != 0 ? rc : file_count(f, e);
}

static int file_load_deltas(struct pool_file *f, struct err *e)
{
    if (overlay_create(&f->overlay) != 0)
        return err_oom(e);
    f->txn.overlay = f->overlay;
    return delta_rows_load(&f->txn, f->overlay, e);
}

static int file_check(struct pool_file *f, const char *path, struct err *e)
{
    int rc = file_check_pages(f, path, e);
    if (rc != 0)
        return rc;
    rc = migrate_run(&f->txn, path, e);
    if (rc == 0)
        rc = file_load_deltas(f, e);
    if (rc != 0)
        return refuse_damaged(path, e, e);
    rc = file_check_pool(f, path, e);
    if (rc == 0 && (rc = file_read(f, e)) != 0)
        rc = rc == -ENOMEM ? rc : refuse_damaged(path, e, e);
    return rc;
}

int pool_file_open(const char *path, struct pool_file **out, struct err *e)
{
    struct pool_file *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return err_oom(e);
    int rc = file_copy_privately(f, path, e);
    if (rc == 0)
        rc = file_check(f, path, e);
    if (rc != 0) {
        pool_file_close(f);
        return rc;
    }
    *out = f;
    return 0;
}

void pool_file_close(struct pool_file *file)
{
    if (file == NULL)
        return;
    txn_close(&file->txn);
    overlay_destroy(file->overlay);
    free(file->devices);
    free(file);
}

void pool_file_describe(const struct pool_file *file, struct pool_file_info *out)
{
    *out = file->info;
}
