/* SPDX-License-Identifier: Apache-2.0 */
/* Online backup: a reader copies its snapshot, page by page, into a new file. Writers go
 * on meanwhile; the log cannot start over until the copy has ended. The copy is made a
 * plain database of one file, without a log beside it. */
#include "db/catalog.h"
#include "db/new_file.h"
#include "db/sqlerr.h"
#include "db/txn.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What a reader thread runs in the caller's job's stead. */
struct backup {
    struct catalog_job job;
    struct catalog_job *asked;
    char path[CATALOG_PATH_MAX];
};

static int backup_copy(struct catalog_txn *txn, sqlite3 *to, struct err *e)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", txn->db, "main");
    if (copy == NULL)
        return sqlerr_set(to, e);
    (void)sqlite3_backup_step(copy, -1);
    if (sqlite3_backup_finish(copy) != SQLITE_OK)
        return sqlerr_set(to, e);
    if (sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
        return sqlerr_set(to, e);
    return 0;
}

static int backup_fill(struct catalog_txn *txn, const char *path, struct err *e)
{
    sqlite3 *to = NULL;
    int rc = 0;
    if (sqlite3_open_v2(path, &to,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK)
        rc = to == NULL ? err_oom(e) : sqlerr_set(to, e);
    if (rc == 0)
        rc = backup_copy(txn, to, e);
    sqlite3_close(to);
    return rc;
}

static int backup_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct backup *b = container_of(job, struct backup, job);
    int rc = new_file_create(b->path, e);
    if (rc != 0)
        return rc;
    rc = backup_fill(txn, b->path, e);
    if (rc == 0)
        rc = new_file_sync(b->path, e);
    if (rc != 0)
        unlink(b->path);
    return rc;
}

static void backup_done(struct catalog_job *job)
{
    struct backup *b = container_of(job, struct backup, job);
    struct catalog_job *asked = b->asked;
    asked->rc = job->rc;
    asked->err = job->err;
    free(b);
    asked->done(asked);
}

/* A path that cannot be tried is refused on a reader thread too: done() never runs inside
 * the call that asked. */
static int refuse_path(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)txn;
    (void)job;
    return err_set(e, -ENAMETOOLONG, "path", "is longer than %d bytes",
                   CATALOG_PATH_MAX - 1);
}

static int refuse_memory(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)txn;
    (void)job;
    return err_oom(e);
}

void catalog_backup(struct catalog *c, const char *path, struct catalog_job *job)
{
    struct backup *b = calloc(1, sizeof(*b));
    size_t bytes = strlen(path);
    if (b == NULL || bytes >= sizeof(b->path)) {
        job->work = b == NULL ? refuse_memory : refuse_path;
        free(b);
        catalog_read(c, job);
        return;
    }
    memcpy(b->path, path, bytes + 1);
    b->asked = job;
    b->job.reply_to = job->reply_to;
    b->job.work = backup_work;
    b->job.done = backup_done;
    catalog_read(c, &b->job);
}
