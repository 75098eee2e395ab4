/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of jobs. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

static void job_read(struct stmt *s, void *row)
{
    struct job_row *job = row;
    job->no = column_u64(s, INT64_MAX);
    column_text(s, job->id, sizeof(job->id));
    column_text(s, job->kind, sizeof(job->kind));
    column_text(s, job->subject, sizeof(job->subject));
    column_text(s, job->subject_id, sizeof(job->subject_id));
    job->created_s = column_int(s);
    job->ended_s = column_int(s);
    job->state = (enum job_state)column_u64(s, JOB_CANCELLED);
    job->cancel_asked = column_u64(s, 1) != 0;
    job->units_done = column_u64(s, INT64_MAX);
    job->units_total = column_u64(s, INT64_MAX);
    column_text(s, job->outcome, sizeof(job->outcome));
    column_text(s, job->error, sizeof(job->error));
}

int job_row_add(struct catalog_txn *txn, struct job_row *row, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn,
        "INSERT INTO job (id, kind, subject, subject_id, created_s, ended_s, state,"
        " cancel, units_done, units_total, outcome, error)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, 0, '', '')",
        e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "kind", row->kind, sizeof(row->kind));
    bind_text(&s, "subject", row->subject, sizeof(row->subject));
    bind_text(&s, "subject_id", row->subject_id, sizeof(row->subject_id));
    bind_int(&s, row->created_s);
    int rc = stmt_run(&s);
    if (rc == 0)
        row->no = (uint64_t)sqlite3_last_insert_rowid(txn->db);
    return rc;
}

int job_row_ask_cancel(struct catalog_txn *txn, uint64_t no, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "UPDATE job SET cancel = 1 WHERE no = ?1 AND state = 0", e);
    bind_u64(&s, "no", no);
    return stmt_run_one(&s, "job");
}

int job_row_set_progress(struct catalog_txn *txn, uint64_t no, uint64_t units_done,
                         uint64_t units_total, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "UPDATE job SET units_done = ?1, units_total = ?2 WHERE no = ?3", e);
    bind_u64(&s, "units_done", units_done);
    bind_u64(&s, "units_total", units_total);
    bind_u64(&s, "no", no);
    return stmt_run_one(&s, "job");
}

int job_row_end(struct catalog_txn *txn, const struct job_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "UPDATE job SET ended_s = ?1, state = ?2, units_done = ?3,"
                  " units_total = ?4, outcome = ?5, error = ?6"
                  " WHERE no = ?7 AND state = 0",
                  e);
    bind_int(&s, row->ended_s);
    bind_int(&s, row->state);
    bind_u64(&s, "units_done", row->units_done);
    bind_u64(&s, "units_total", row->units_total);
    bind_text_or_empty(&s, "outcome", row->outcome, sizeof(row->outcome));
    bind_text_or_empty(&s, "error", row->error, sizeof(row->error));
    bind_u64(&s, "no", row->no);
    return stmt_run_one(&s, "job");
}

int job_rows_forget(struct catalog_txn *txn, int64_t ended_before_s, uint64_t first_no,
                    struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "DELETE FROM job WHERE state <> 0 AND (ended_s < ?1 OR no < ?2)", e);
    bind_int(&s, ended_before_s);
    bind_u64(&s, "no", first_no);
    return stmt_run(&s);
}

int job_row_each(struct catalog_txn *txn,
                 int (*each)(const struct job_row *row, void *arg), void *arg,
                 struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT no, id, kind, subject, subject_id, created_s, ended_s, state,"
                  " cancel, units_done, units_total, outcome, error FROM job ORDER BY no",
                  e);
    struct job_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, job_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
