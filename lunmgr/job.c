/* SPDX-License-Identifier: Apache-2.0 */
/* A job's life: made, begun, asked to stop, ended. What it shows is what is durable. */
#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/news.h"
#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct job_kind *const kinds[] = {
    &job_kind_pool_check,
    &job_kind_device_evacuate,
    &job_kind_volume_copy,
};

const struct job_kind *job_kind_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

struct job_op {
    struct op op;
    struct job *job; /* NULL: there is none */
    struct job_row row;
    void *detail;
    job_done_fn done;
    void *arg;
};

static struct job_op *job_op_of(struct op *op)
{
    return container_of(op, struct job_op, op);
}

static struct job_op *job_op_of_work(struct catalog_job *job)
{
    return container_of(job, struct job_op, op.job);
}

/* ---- Those that run ---------------------------------------------------------------- */

struct job *job_of_subject(struct lunmgr *m, const char *subject_id)
{
    struct job *job = m->jobs.running;
    while (job != NULL && strcmp(job->row.subject_id, subject_id) != 0)
        job = job->next;
    return job;
}

static struct job *job_of_kind(struct lunmgr *m, const struct job_kind *kind,
                               const char *subject_id)
{
    struct job *job = m->jobs.running;
    while (job != NULL &&
           (job->kind != kind || strcmp(job->row.subject_id, subject_id) != 0))
        job = job->next;
    return job;
}

void job_run(struct job *job)
{
    job->next = job->manager->jobs.running;
    job->manager->jobs.running = job;
}

static void job_run_no_more(struct job *job)
{
    struct job **link = &job->manager->jobs.running;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
}

/* ---- Making one -------------------------------------------------------------------- */

struct job *job_new(struct lunmgr *m, const struct job_kind *kind)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        log_fatal("out of memory");
    job->manager = m;
    job->kind = kind;
    return job;
}

void job_adopt(struct job *job)
{
    snprintf(job->key, sizeof(job->key), "%020" PRIu64, job->row.no);
    index_add(&job->manager->jobs.all, job->key, job->row.id, job);
}

static void job_created(struct op *op)
{
    struct job_op *jo = job_op_of(op);
    struct job *job = jo->job;
    if (op->job.rc == 0) {
        job->row = jo->row;
        job_adopt(job);
        job->kind->start(job);
        jobs_arm(op->manager);
    } else {
        if (job != NULL) {
            index_unreserve(&op->manager->jobs.all);
            job_run_no_more(job);
        }
        free(job);
    }
    jo->done(jo->arg, op->job.rc == 0 ? job : NULL, op_outcome(op));
    free(jo->detail);
    op_free(op);
}

static int job_add_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct job_op *jo = job_op_of_work(job);
    int rc = job_row_add(txn, &jo->row, e);
    if (rc == 0 && jo->job->kind->add_work != NULL)
        rc = jo->job->kind->add_work(txn, &jo->row, jo->detail, e);
    return rc;
}

static int job_check(struct lunmgr *m, const struct job_kind *kind,
                     const struct job_row *row, struct err *e)
{
    const struct job *other = kind->many ? NULL : job_of_kind(m, kind, row->subject_id);
    return other == NULL ? 0
                         : err_set(e, -EBUSY, NULL, "a %s of %s is under way: job %s",
                                   kind->name, row->subject, other->row.id);
}

void job_create(struct lunmgr *m, const struct job_kind *kind, const char *name_or_id,
                void *detail, job_done_fn done, void *arg)
{
    struct job_op *jo = op_new(m, sizeof(*jo), job_created);
    struct err *e = op_err(&jo->op);
    struct job_row *row = &jo->row;
    jo->detail = detail;
    jo->done = done;
    jo->arg = arg;
    int rc = kind->find(m, name_or_id, detail, row, e);
    if (rc == 0)
        rc = job_check(m, kind, row, e);
    if (rc == 0)
        rc = index_reserve(&m->jobs.all) != 0 ? err_oom(e) : 0;
    if (rc != 0) {
        op_end(&jo->op, rc);
        return;
    }
    id_make(row->id);
    op_about(&jo->op, row->id);
    snprintf(row->kind, sizeof(row->kind), "%s", kind->name);
    row->created_s = now_s();
    jo->job = job_new(m, kind);
    jo->job->row = *row;
    job_run(jo->job); /* from now on it is in the way of others */
    op_write(&jo->op, job_add_work, job_created);
}

/* ---- Its end ----------------------------------------------------------------------- */

static void job_ended(struct op *op)
{
    struct job_op *jo = job_op_of(op);
    struct job *job = jo->job;
    struct lunmgr *m = op->manager;
    job->end_under_way = false;
    if (op->job.rc == 0) {
        job->row.state = job->end_state;
        job_run_no_more(job);
        if (job->kind->ended != NULL)
            job->kind->ended(job);
        news_job_ended(m, job);
        jobs_forget(m);
    } else {
        char reason[ERR_TEXT_MAX];
        log_error("the end of a job could not be stored", "job=%s reason=%s", job->row.id,
                  log_quote(reason, sizeof(reason), op->job.err.text));
    }
    jobs_arm(m);
    op_free(op);
}

static int job_end_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct job_op *jo = job_op_of_work(job);
    int rc = job_row_end(txn, &jo->row, e);
    if (rc == 0 && jo->job->kind->end_work != NULL)
        rc = jo->job->kind->end_work(txn, &jo->row, e);
    return rc;
}

void job_store_end(struct job *job)
{
    if (!job->ending || job->end_under_way)
        return;
    struct job_op *jo = op_new(job->manager, sizeof(*jo), job_ended);
    job->end_under_way = true;
    jo->job = job;
    jo->row = job->row;
    jo->row.state = job->end_state;
    op_write(&jo->op, job_end_work, job_ended);
}

/* What stops with the daemon has not ended: the next start begins it again. */
void job_end(struct job *job, const struct err *e, const char *outcome)
{
    bool stopped = e != NULL && e->code == -ECANCELED;
    bool asked = atomic_load(&job->progress.stop);
    assert(!job->ending);
    if (stopped && !asked && lunmgr_is_closing(job->manager))
        return;
    job->ending = true;
    job->row.ended_s = now_s();
    job->row.units_done = atomic_load(&job->progress.done);
    job->row.units_total = atomic_load(&job->progress.total);
    if (e == NULL) {
        job->end_state = JOB_DONE;
        snprintf(job->row.outcome, sizeof(job->row.outcome), "%s", outcome);
    } else if (stopped && asked) {
        job->end_state = JOB_CANCELLED;
    } else {
        job->end_state = JOB_FAILED;
        snprintf(job->row.error, sizeof(job->row.error), "%s", e->text);
    }
    job_store_end(job);
}

/* ---- Cancelling -------------------------------------------------------------------- */

static void job_cancel_asked(struct op *op)
{
    struct job_op *jo = job_op_of(op);
    if (op->job.rc == 0) {
        jo->job->row.cancel_asked = true;
        atomic_store(&jo->job->progress.stop, true);
    }
    jo->done(jo->arg, op->job.rc == 0 ? jo->job : NULL, op_outcome(op));
    op_free(op);
}

static int job_cancel_work(struct catalog_txn *txn, struct catalog_job *job,
                           struct err *e)
{
    return job_row_ask_cancel(txn, job_op_of_work(job)->row.no, e);
}

void job_cancel(struct lunmgr *m, const char *id, job_done_fn done, void *arg)
{
    struct job_op *jo = op_new(m, sizeof(*jo), job_cancel_asked);
    struct err *e = op_err(&jo->op);
    jo->done = done;
    jo->arg = arg;
    jo->job = job_find(m, id);
    if (jo->job == NULL) {
        op_end(&jo->op, err_set(e, -ENOENT, NULL, "there is no job %s", id));
    } else if (jo->job->row.state != JOB_RUNNING || jo->job->ending) {
        op_end(&jo->op, err_set(e, -EBUSY, NULL, "job %s has ended", jo->job->row.id));
    } else {
        jo->row.no = jo->job->row.no;
        op_about(&jo->op, jo->job->row.id);
        op_write(&jo->op, job_cancel_work, job_cancel_asked);
    }
}

/* ---- Reading ----------------------------------------------------------------------- */

struct job *job_find(struct lunmgr *m, const char *id)
{
    return index_find_id(&m->jobs.all, id);
}

struct job *job_next(struct lunmgr *m, const struct job *prev)
{
    return index_next(&m->jobs.all, prev == NULL ? NULL : prev->key);
}

/* Since the oldest sample, which may be a moment more than their time. */
static void job_describe_pace(const struct job *job, struct job_info *out)
{
    out->rate = out->estimate_s = -1;
    if (job->row.state != JOB_RUNNING || job->sample_count == 0)
        return;
    int64_t ms = clock_ms() - job->samples[0].at_ms;
    if (ms < JOB_TICK_MS || out->units_done < job->samples[0].done)
        return;
    out->rate = (int64_t)((out->units_done - job->samples[0].done) * 1000 / (uint64_t)ms);
    if (out->rate > 0 && out->units_total > 0)
        out->estimate_s =
            ((int64_t)(out->units_total - out->units_done) + out->rate - 1) / out->rate;
}

void job_describe(const struct job *job, struct job_info *out)
{
    static const char *const states[] = {[JOB_RUNNING] = "running",
                                         [JOB_DONE] = "done",
                                         [JOB_FAILED] = "failed",
                                         [JOB_CANCELLED] = "cancelled"};
    const struct job_row *row = &job->row;
    bool runs = row->state == JOB_RUNNING;
    *out = (struct job_info){
        .no = row->no,
        .kind = job->kind->name,
        .unit = job->kind->unit,
        .state = states[row->state],
        .created_s = row->created_s,
        .ended_s = runs ? 0 : row->ended_s,
        .cancel_asked = row->cancel_asked,
        .units_done = runs ? atomic_load(&job->progress.done) : row->units_done,
        .units_total = runs ? atomic_load(&job->progress.total) : row->units_total,
        .outcome = row->state == JOB_DONE ? row->outcome : "",
        .error = row->state == JOB_FAILED ? row->error : "",
    };
    memcpy(out->id, row->id, sizeof(out->id));
    memcpy(out->subject, row->subject, sizeof(out->subject));
    memcpy(out->subject_id, row->subject_id, sizeof(out->subject_id));
    /* The total may have been a guess. */
    if (out->units_total > 0 && out->units_done > out->units_total)
        out->units_total = out->units_done;
    job_describe_pace(job, out);
}
