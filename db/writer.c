/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit. SQLite rolls a whole transaction back by itself on some errors (a full
 * file system, an I/O error): then, and when the commit fails, every job of the group has
 * failed, and none is answered before the outcome is known. */
#include "db/writer.h"

#include "base/clock.h"
#include "db/limits.h"
#include "db/overlay.h"
#include "db/raise.h"
#include "db/sqlerr.h"
#include "db/stmt.h"

#include <errno.h>
#include <time.h>

/* ---- Groups ------------------------------------------------------------------------ */

static int writer_exec(struct writer *w, const char *sql, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(&w->txn, sql, e);
    return stmt_run(&s);
}

/* Non-zero: the whole transaction is lost. */
static int group_run_job(struct writer *w, struct catalog_job *job, struct err *e)
{
    job_work(job, &w->txn);
    if (txn_is_open(&w->txn))
        return 0;
    *e = job->err;
    if (e->code == 0)
        (void)err_set(e, -EIO, NULL, "catalog: the transaction was lost");
    return e->code;
}

/* The same in a savepoint: what a job that fails has done is undone. */
static int group_run_apart(struct writer *w, struct catalog_job *job, struct err *e)
{
    uint64_t first_delta = overlay_next_id(w->txn.overlay);
    int rc = writer_exec(w, "SAVEPOINT job", e);
    if (rc == 0)
        rc = group_run_job(w, job, e);
    if (rc == 0 && job->rc != 0) {
        rc = writer_exec(w, "ROLLBACK TO job", e);
        overlay_forget_from(w->txn.overlay, first_delta);
    }
    return rc != 0 ? rc : writer_exec(w, "RELEASE job", e);
}

/* Whether the next job may share the transaction of those before. */
static bool group_is_full(const struct writer *w, int64_t end_us, size_t map_bytes)
{
    return clock_us() > end_us ||
           overlay_bytes(w->txn.overlay) > map_bytes + GROUP_MAP_BYTES;
}

static int group_make_durable(struct writer *w, struct err *e)
{
    int64_t began_us = clock_us();
    int rc = writer_exec(w, "COMMIT", e);
    w->commit_us = clock_us() - began_us;
    return rc;
}

/* Runs jobs from the first on and commits; *rest: those that are left for another group.
 */
static int group_run(struct writer *w, struct note *first, struct note **rest,
                     struct err *e)
{
    int64_t end_us = clock_us() + 1000 * GROUP_MS_MAX;
    size_t map_bytes = overlay_bytes(w->txn.overlay);
    uint64_t first_delta = overlay_next_id(w->txn.overlay);
    bool is_alone = first->next == NULL; /* the transaction is its savepoint */
    int rc = txn_set_durable(&w->txn, true, e);
    if (rc == 0)
        rc = writer_exec(w, "BEGIN IMMEDIATE", e);
    *rest = first;
    do {
        struct catalog_job *job = job_of_note(*rest);
        if (rc == 0)
            rc = is_alone ? group_run_job(w, job, e) : group_run_apart(w, job, e);
        *rest = (*rest)->next;
    } while (*rest != NULL && (rc != 0 || !group_is_full(w, end_us, map_bytes)));
    bool is_undone = is_alone && job_of_note(first)->rc != 0;
    if (rc == 0 && !is_undone)
        rc = group_make_durable(w, e);
    if (rc != 0 || is_undone) {
        txn_rollback(&w->txn);
        overlay_forget_from(w->txn.overlay, first_delta);
    }
    return rc;
}

/* ---- Shutting older copies out ------------------------------------------------------
 */

int writer_ask_raise(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)job;
    (void)e;
    container_of(txn, struct writer, txn)->raise_asked = true;
    return 0;
}

int writer_ask_raise_changed(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    const struct writer *w = container_of(txn, struct writer, txn);
    if (sqlite3_total_changes64(txn->db) == w->raised_changes)
        return 0;
    return writer_ask_raise(txn, job, e);
}

static int raise_try(struct writer *w, struct err *e)
{
    if (w->hooks.can_stamp == NULL) /* no device is in use */
        return 0;
    int rc = raise_devices(&w->txn, &w->hooks, e);
    if (rc == 0)
        w->raised_changes = sqlite3_total_changes64(w->txn.db);
    return rc;
}

/* What is committed and not in the mirror waits until the mirror is shut out: it would
 * be lost to whoever starts from there. */
static int raise_insist(struct writer *w, struct err *e)
{
    const struct timespec pause = {.tv_nsec = RAISE_RETRY_MS * 1000000L};
    bool is_first = true;
    while (mirror_owes(w->mirror)) {
        mirror_forgive(w->mirror); /* its copy may fail again meanwhile */
        int rc = raise_try(w, e);
        if (rc == 0)
            continue;
        mirror_owe(w->mirror);
        if (job_queue_is_closed(&w->queue))
            return rc;
        if (is_first)
            log_failure("commits wait: the mirror that failed is not shut out", e);
        is_first = false;
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* After a commit, before it is answered. */
static int writer_raise(struct writer *w, struct err *e)
{
    int rc = w->raise_asked ? raise_try(w, e) : 0;
    w->raise_asked = false;
    int insisted = raise_insist(w, e);
    return insisted != 0 ? insisted : rc;
}

/* ---- Answering ----------------------------------------------------------------------
 */

static void group_answer(struct catalog_job *job, int rc, const struct err *why)
{
    if (rc != 0 && job->rc == 0) {
        job->rc = rc;
        job->err = *why;
    }
    job_answer(job);
}

/* Returns the jobs that are left. */
static struct note *group_commit(struct writer *w, struct note *first)
{
    for (struct note *note = first; note != NULL; note = note->next) {
        job_of_note(note)->rc = 0;
        job_of_note(note)->err = (struct err){0};
    }
    struct err why = {0}, raise_why = {0};
    struct note *rest;
    int rc = group_run(w, first, &rest, &why);
    if (rc != 0)
        log_failure("catalog commit failed", &why);
    int raise_rc = rc == 0 ? writer_raise(w, &raise_why) : 0;
    w->raise_asked = false;
    while (first != rest) {
        struct catalog_job *job = job_of_note(first);
        first = first->next; /* the answer may free the job */
        bool is_raise = job->work == writer_ask_raise ||
                        job->work == writer_ask_raise_changed || mirror_owes(w->mirror);
        if (raise_rc != 0 && is_raise)
            group_answer(job, raise_rc, &raise_why);
        else
            group_answer(job, rc, &why);
    }
    return rest;
}

/* ---- The thread -------------------------------------------------------------------- */

static void writer_fold(struct writer *w)
{
    struct err e = {0};
    if (!fold_is_under_way(&w->fold))
        fold_begin(&w->fold, &w->txn);
    int rc = fold_is_under_way(&w->fold) ? fold_step(&w->fold, &w->txn, &e) : 0;
    if (rc != 0 && rc != w->fold_rc)
        log_failure("catalog fold failed", &e);
    w->fold_rc = rc;
}

/* A step of the fold that failed is not tried again before the writer is idle. */
static bool writer_wants_fold(const struct writer *w)
{
    return w->fold_rc == 0 &&
           (fold_is_under_way(&w->fold) || overlay_bytes(w->txn.overlay) >= FOLD_BYTES);
}

/* A piece of a copy that is being made; another beginning of one that has failed. */
static void writer_mirror(struct writer *w)
{
    struct box_row box;
    if (mirror_wait_ms(w->mirror) != 0)
        return;
    if (!mirror_is_copying(w->mirror) && box_get(&w->txn, &box, NULL) == 0 &&
        mirror_begin(w->mirror, &box, NULL) != 0)
        return; /* it says so */
    mirror_step(w->mirror);
}

/* How long to wait for jobs before there is something to do but for the mirror. */
static int writer_own_wait_ms(const struct writer *w)
{
    if (writer_wants_fold(w))
        return 0;
    if (checkpoint_is_due(&w->checkpoint, true))
        return CHECKPOINT_PAUSE_MS;
    if (w->checkpoint.is_behind)
        return CHECKPOINT_IDLE_MS;
    return overlay_bytes(w->txn.overlay) > 0 ? FOLD_IDLE_MS : QUEUE_FOREVER;
}

static int writer_wait_ms(const struct writer *w)
{
    int own = writer_own_wait_ms(w), mirror = mirror_wait_ms(w->mirror);
    return own < 0 || (mirror >= 0 && mirror < own) ? mirror : own;
}

bool writer_is_behind(const struct writer *w)
{
    return mirror_is_copying(w->mirror) || w->checkpoint.is_behind ||
           overlay_bytes(w->txn.overlay) > 0;
}

/* No job has come for a while: one piece of what can wait. */
static void writer_on_idle(struct writer *w)
{
    writer_mirror(w);
    if (checkpoint_is_due(&w->checkpoint, true) ||
        (w->checkpoint.is_behind && !writer_wants_fold(w)))
        checkpoint_run(&w->checkpoint, &w->txn);
    else
        writer_fold(w);
}

/* Jobs never end: what can wait no longer, between two groups. */
static void writer_on_group(struct writer *w)
{
    writer_mirror(w);
    if (overlay_bytes(w->txn.overlay) >= OVERLAY_BYTES_MAX / 4 * 3)
        writer_fold(w);
    if (checkpoint_is_due(&w->checkpoint, false))
        checkpoint_run(&w->checkpoint, &w->txn);
}

/* Clients that were answered together ask again one after the other. Without a moment for
 * the others to come, the first one's commit would be its own, and all wait for that. */
static enum queue_result writer_take(struct writer *w, int wait_ms, struct note **jobs)
{
    int64_t wait_us = w->commit_us / 2;
    if (wait_us > GATHER_US_MAX)
        wait_us = GATHER_US_MAX;
    return job_queue_gather(&w->queue, GROUP_JOBS_MAX, wait_ms, w->expected,
                            w->by_hand ? 0 : wait_us, jobs);
}

enum queue_result writer_turn(struct writer *w, int wait_ms)
{
    struct note *jobs = NULL;
    enum queue_result result = writer_take(w, wait_ms, &jobs);
    size_t count = 0;
    for (const struct note *note = jobs; note != NULL; note = note->next)
        count++;
    if (result == QUEUE_IDLE)
        writer_on_idle(w);
    while (jobs != NULL) {
        jobs = group_commit(w, jobs);
        writer_on_group(w);
    }
    w->expected = count + job_queue_count(&w->queue);
    return result;
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    while (writer_turn(w, writer_wait_ms(w)) != QUEUE_CLOSED)
        ;
    return NULL;
}

int writer_start(struct writer *w, struct err *e)
{
    w->fold = (struct fold){.through = 0};
    w->fold_rc = 0;
    w->expected = 1;
    w->commit_us = 0;
    w->raised_changes = -1;
    checkpoint_init(&w->checkpoint, &w->txn);
    job_queue_init(&w->queue);
    if (w->by_hand)
        return 0;
    int rc = db_thread_start(&w->thread, "catalog-write", writer_main, w, e);
    if (rc != 0)
        job_queue_fini(&w->queue);
    return rc;
}

void writer_stop(struct writer *w)
{
    job_queue_close(&w->queue);
    if (w->by_hand)
        while (writer_turn(w, QUEUE_FOREVER) != QUEUE_CLOSED)
            ;
    else
        pthread_join(w->thread, NULL);
    job_queue_fini(&w->queue);
    checkpoint_finish(&w->checkpoint, &w->txn);
}
