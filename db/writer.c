/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit. SQLite rolls a whole transaction back by itself on some errors (a full
 * file system, an I/O error): then, and when the commit fails, every job of the group has
 * failed, and none is answered before the outcome is known. */
#include "db/writer.h"

#include "base/log.h"
#include "db/sqlerr.h"
#include "db/stmt.h"

#include <errno.h>

static void log_failure(const char *what, const struct err *e)
{
    char text[ERR_TEXT_MAX];
    log_error(what, "errno=%d text=%s", -e->code, log_quote(text, sizeof(text), e->text));
}

/* ---- Groups ------------------------------------------------------------------------ */

static int writer_exec(struct writer *w, const char *sql, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(&w->txn, sql, e);
    return stmt_run(&s);
}

/* Runs one job in a savepoint. Non-zero: the whole transaction is lost. */
static int group_run_job(struct writer *w, struct catalog_job *job, struct err *e)
{
    int rc = writer_exec(w, "SAVEPOINT job", e);
    if (rc != 0)
        return rc;
    job_work(job, &w->txn);
    if (!txn_is_open(&w->txn)) {
        *e = job->err;
        if (e->code == 0)
            (void)err_set(e, -EIO, NULL, "catalog: the transaction was lost");
        return e->code;
    }
    if (job->rc != 0)
        rc = writer_exec(w, "ROLLBACK TO job", e);
    return rc != 0 ? rc : writer_exec(w, "RELEASE job", e);
}

static int group_run(struct writer *w, struct note *first, struct err *e)
{
    int rc = writer_exec(w, "BEGIN IMMEDIATE", e);
    for (struct note *note = first; rc == 0 && note != NULL; note = note->next)
        rc = group_run_job(w, job_of_note(note), e);
    if (rc == 0)
        rc = writer_exec(w, "COMMIT", e);
    if (rc != 0)
        txn_rollback(&w->txn);
    return rc;
}

static void group_commit(struct writer *w, struct note *first)
{
    for (struct note *note = first; note != NULL; note = note->next) {
        job_of_note(note)->rc = 0;
        job_of_note(note)->err = (struct err){0};
    }
    struct err why = {0};
    int rc = group_run(w, first, &why);
    if (rc != 0)
        log_failure("catalog commit failed", &why);
    while (first != NULL) {
        struct catalog_job *job = job_of_note(first);
        first = first->next; /* the answer may free the job */
        if (rc != 0 && job->rc == 0) {
            job->rc = rc;
            job->err = why;
        }
        job_answer(job);
    }
}

/* ---- Checkpoints ------------------------------------------------------------------- */

/* SQLite calls it after each commit. The log has started over when it is shorter. */
static int writer_on_commit(void *arg, sqlite3 *db, const char *schema, int log_pages)
{
    (void)db;
    (void)schema;
    struct writer *w = arg;
    if (log_pages < w->checkpoint_pages)
        w->checkpoint_pages = 0;
    w->log_pages = log_pages;
    w->behind = true;
    return SQLITE_OK;
}

/* Neither mode waits for a reader: this connection has no busy handler. */
static void writer_checkpoint(struct writer *w)
{
    int mode = w->log_pages >= CHECKPOINT_TRUNCATE_PAGES ? SQLITE_CHECKPOINT_TRUNCATE
                                                         : SQLITE_CHECKPOINT_PASSIVE;
    int log_pages = 0, copied_pages = 0;
    struct err e = {0};
    int result =
        sqlite3_wal_checkpoint_v2(w->txn.db, "main", mode, &log_pages, &copied_pages);
    int rc = result == SQLITE_OK ? 0 : sqlerr_set(w->txn.db, &e);
    if (rc == -EBUSY)
        rc = 0; /* a reader still needs the log's tail: later */
    if (rc != 0 && rc != w->checkpoint_rc)
        log_failure("catalog checkpoint failed", &e);
    w->checkpoint_rc = rc;
    if (log_pages >= 0)
        w->log_pages = log_pages;
    w->checkpoint_pages = w->log_pages;
    w->behind =
        rc != 0 || copied_pages < log_pages || w->log_pages >= CHECKPOINT_TRUNCATE_PAGES;
}

/* ---- The thread -------------------------------------------------------------------- */

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    for (;;) {
        struct note *group = NULL;
        enum queue_result result =
            job_queue_take(&w->queue, GROUP_JOBS_MAX,
                           w->behind ? CHECKPOINT_IDLE_MS : QUEUE_FOREVER, &group);
        if (result == QUEUE_CLOSED)
            break;
        if (result == QUEUE_JOBS)
            group_commit(w, group);
        if (result == QUEUE_IDLE ||
            w->log_pages - w->checkpoint_pages >= CHECKPOINT_PAGES)
            writer_checkpoint(w);
    }
    return NULL;
}

int writer_start(struct writer *w, struct err *e)
{
    w->log_pages = 0;
    w->checkpoint_pages = 0;
    w->behind = true; /* what an earlier process may have left in the log */
    w->checkpoint_rc = 0;
    sqlite3_wal_hook(w->txn.db, writer_on_commit, w);
    job_queue_init(&w->queue);
    int rc = db_thread_start(&w->thread, "catalog-write", writer_main, w, e);
    if (rc != 0)
        job_queue_fini(&w->queue);
    return rc;
}

void writer_stop(struct writer *w)
{
    job_queue_close(&w->queue);
    pthread_join(w->thread, NULL);
    job_queue_fini(&w->queue);
    w->log_pages = CHECKPOINT_TRUNCATE_PAGES; /* cut it, whatever its length */
    writer_checkpoint(w);
}
