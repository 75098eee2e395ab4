/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs over time: the pace and the progress of those that run, the rows of those that are
 * kept no longer, and what a restart finds. One timer. */
#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/op.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define JOB_FORGET_RETRY_S 60 /* what could not be forgotten is tried again */

/* ---- Pace and progress ------------------------------------------------------------- */

/* Work that begins again begins its pace again. */
static void job_sample(struct job *job)
{
    uint64_t done = atomic_load(&job->progress.done);
    if (job->sample_count > 0 && done < job->samples[job->sample_count - 1].done)
        job->sample_count = 0;
    if (atomic_load(&job->progress.total) == 0)
        return;
    if (job->sample_count == JOB_SAMPLES)
        memmove(&job->samples[0], &job->samples[1],
                --job->sample_count * sizeof(job->samples[0]));
    job->samples[job->sample_count].at_ms = clock_ms();
    job->samples[job->sample_count++].done = done;
}

struct progress_op {
    struct op op;
    uint64_t no, done, total;
};

/* One that could not be stored is worth nothing: the next one comes soon. */
static void progress_stored(struct op *op)
{
    op_free(op);
}

static int progress_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct progress_op *po = container_of(job, struct progress_op, op.job);
    return job_row_set_progress(txn, po->no, po->done, po->total, e);
}

static void job_store_progress(struct job *job)
{
    uint64_t done = atomic_load(&job->progress.done);
    uint64_t total = atomic_load(&job->progress.total);
    if (job->ending || (done == job->row.units_done && total == job->row.units_total))
        return;
    struct progress_op *po = op_new(job->manager, sizeof(*po), progress_stored);
    po->no = job->row.no;
    po->done = job->row.units_done = done;
    po->total = job->row.units_total = total;
    op_write(&po->op, progress_work, progress_stored);
}

static void job_tick(struct job *job)
{
    job_sample(job);
    if (++job->ticks % JOB_STORE_TICKS != 0)
        return;
    job_store_progress(job);
    job_store_end(job);
}

/* ---- Forgetting -------------------------------------------------------------------- */

struct keep_rule {
    int64_t ended_before_s; /* goes, and so does */
    uint64_t first_no;      /* what is older than that one */
};

struct forget_op {
    struct op op;
    struct keep_rule rule;
};

static bool is_kept(const struct keep_rule *rule, const struct job *job)
{
    return job->row.state == JOB_RUNNING ||
           (job->row.ended_s >= rule->ended_before_s && job->row.no >= rule->first_no);
}

/* The row of the oldest that number alone would keep; 1: all of them. */
static uint64_t first_kept(struct lunmgr *m)
{
    size_t ended = 0;
    for (struct job *job = NULL; (job = job_next(m, job)) != NULL;)
        ended += job->row.state != JOB_RUNNING;
    for (struct job *job = NULL; (job = job_next(m, job)) != NULL;)
        if (job->row.state != JOB_RUNNING && ended-- <= JOB_KEEP_COUNT)
            return job->row.no;
    return 1;
}

static void job_free(struct job *job)
{
    index_remove(&job->manager->jobs.all, job->key, job->row.id);
    free(job);
}

static void jobs_forgotten(struct op *op)
{
    const struct keep_rule *rule = &container_of(op, struct forget_op, op)->rule;
    struct lunmgr *m = op->manager;
    m->jobs.forgetting = false;
    for (struct job *job = job_next(m, NULL), *next; op->job.rc == 0 && job != NULL;
         job = next) {
        next = job_next(m, job);
        if (!is_kept(rule, job))
            job_free(job);
    }
    if (op->job.rc == 0)
        jobs_forget(m); /* what ended meanwhile */
    jobs_arm(m);
    op_free(op);
}

static int forget_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct keep_rule *rule = &container_of(job, struct forget_op, op.job)->rule;
    return job_rows_forget(txn, rule->ended_before_s, rule->first_no, e);
}

void jobs_forget(struct lunmgr *m)
{
    const struct keep_rule rule = {.ended_before_s = now_s() - JOB_KEEP_S,
                                   .first_no = first_kept(m)};
    struct job *job = job_next(m, NULL);
    while (job != NULL && is_kept(&rule, job))
        job = job_next(m, job);
    if (job == NULL || m->jobs.forgetting || lunmgr_is_closing(m))
        return;
    struct forget_op *forget = op_new(m, sizeof(*forget), jobs_forgotten);
    m->jobs.forgetting = true;
    forget->rule = rule;
    op_write(&forget->op, forget_work, jobs_forgotten);
}

/* ---- The timer --------------------------------------------------------------------- */

static void jobs_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    (void)fd;
    (void)what;
    m->jobs.ticking = false;
    for (struct job *job = m->jobs.running; job != NULL; job = job->next)
        job_tick(job);
    jobs_forget(m);
    jobs_arm(m);
}

/* Seconds until the first that has ended is old enough to go; INT64_MAX: there is none.
 */
static int64_t first_due_s(struct lunmgr *m)
{
    int64_t now = now_s(), first = INT64_MAX;
    for (struct job *job = NULL; (job = job_next(m, job)) != NULL;) {
        int64_t left = job->row.ended_s + JOB_KEEP_S + 1 - now;
        if (job->row.state == JOB_RUNNING)
            continue;
        left = left > 0 ? left : JOB_FORGET_RETRY_S;
        first = left < first ? left : first;
    }
    return first;
}

void jobs_arm(struct lunmgr *m)
{
    bool ticking = m->jobs.running != NULL;
    if (m->jobs.timer == NULL || (ticking && m->jobs.ticking))
        return;
    int64_t after_s = ticking ? JOB_TICK_MS / 1000 : first_due_s(m);
    struct timeval after = {.tv_sec = after_s};
    m->jobs.ticking = ticking;
    if (after_s == INT64_MAX)
        event_del(m->jobs.timer);
    else
        event_add(m->jobs.timer, &after);
}

/* ---- A restart --------------------------------------------------------------------- */

int jobs_load(struct lunmgr *m, const struct job_row *row, struct err *e)
{
    char name[4 * CATALOG_JOB_KIND_MAX];
    const struct job_kind *kind = job_kind_find(row->kind);
    if (kind == NULL) { /* a newer program's */
        log_warning("a job of an unknown kind is left alone", "job=%s kind=%s", row->id,
                    log_quote(name, sizeof(name), row->kind));
        return 0;
    }
    if (index_reserve(&m->jobs.all) != 0)
        return err_oom(e);
    struct job *job = job_new(m, kind);
    job->row = *row;
    atomic_store(&job->progress.done, row->units_done);
    atomic_store(&job->progress.total, row->units_total);
    atomic_store(&job->progress.stop, row->cancel_asked);
    job_adopt(job);
    return 0;
}

int jobs_prepare(struct lunmgr *m, struct err *e)
{
    m->jobs.timer = event_new(loop_base(m->options.control), -1, 0, jobs_on_time, m);
    return m->jobs.timer == NULL ? err_oom(e) : 0;
}

static void job_resume(struct job *job)
{
    struct err cancelled = {.code = -ECANCELED};
    job_run(job);
    if (job->row.cancel_asked)
        job_end(job, &cancelled, "");
    else
        job->kind->start(job);
}

void jobs_resume(struct lunmgr *m)
{
    for (struct job *job = NULL; (job = job_next(m, job)) != NULL;)
        if (job->row.state == JOB_RUNNING)
            job_resume(job);
    jobs_forget(m);
    jobs_arm(m);
}

void jobs_stop(struct lunmgr *m)
{
    if (m->jobs.timer != NULL)
        event_free(m->jobs.timer);
    m->jobs.timer = NULL;
}

void jobs_free(struct lunmgr *m)
{
    for (struct job *job; (job = job_next(m, NULL)) != NULL;)
        job_free(job);
    index_fini(&m->jobs.all);
}
