/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs from inside lunmgr: the kinds, and what the work of a kind tells. Control thread,
 * but for the progress. */
#ifndef LUNMGR_JOB_PRIV_H
#define LUNMGR_JOB_PRIV_H

#include "db/catalog.h"
#include "lunmgr/index.h"
#include "lunmgr/job.h"
#include "lunmgr/progress.h"

struct event;

#define JOB_TICK_MS     1000 /* the rate is looked at */
#define JOB_STORE_TICKS 5    /* so many ticks: progress is stored */
#define JOB_SAMPLES     10   /* the rate is of so many ticks */

/* One row in the table of kinds (job.c) for each. */
struct job_kind {
    const char *name; /* in rows and in the API: it stays */
    const char *unit;
    /* Fills subject and subject_id; -ENOENT. detail: the asker's, see job_create. */
    int (*find)(struct lunmgr *m, const char *name_or_id, void *detail,
                struct job_row *row, struct err *e);
    /* What else is stored with its row, in the same transaction. NULL: nothing. */
    int (*add_work)(struct catalog_txn *txn, const struct job_row *row, void *detail,
                    struct err *e);
    bool many; /* of one subject may run at a time */
    /* Begins the work, which ends with one job_end(), later than this call. Called again
     * by the next start if the daemon ended before that. */
    void (*start)(struct job *job);
    /* What else says that it is over, in the transaction of its end; row: with the state
     * it ends in. On the catalog's thread. NULL: nothing does. */
    int (*end_work)(struct catalog_txn *txn, const struct job_row *row, struct err *e);
    /* That is durable; job->row.state says how it ended. NULL: nobody asks. */
    void (*ended)(struct job *job);
};
extern const struct job_kind job_kind_pool_check, job_kind_device_evacuate,
    job_kind_volume_copy;

struct job {
    struct lunmgr *manager;
    const struct job_kind *kind;
    /* As in the catalog, but for the units; outcome, error and ended_s may be there
     * before the end is. */
    struct job_row row;
    char key[24];             /* row.no, as long as the longest */
    struct progress progress; /* any thread */
    struct job *next;         /* of those that run, the ones being made too */
    bool ending;              /* the work is over, that is not durable yet */
    bool end_under_way;       /* it is being stored */
    enum job_state end_state;
    unsigned ticks;
    struct {
        int64_t at_ms;
        uint64_t done;
    } samples[JOB_SAMPLES]; /* the oldest first */
    unsigned sample_count;
};

struct jobs {
    struct index all; /* those whose row is there, by age */
    struct job *running;
    struct event *timer;
    bool ticking; /* it stands for the next tick */
    bool forgetting;
};

/* done when the row is durable and the work begun. -ENOENT: there is no such subject.
 * -EBUSY: one of that kind runs for it; e names that. */
void job_create(struct lunmgr *m, const struct job_kind *kind, const char *name_or_id,
                void *detail, job_done_fn done, void *arg);
/* The work is over. e: NULL, or why it failed, -ECANCELED if it was stopped. outcome: see
 * job_info; "" if it failed. */
void job_end(struct job *job, const struct err *e, const char *outcome);
/* One that runs for this subject, or NULL. */
struct job *job_of_subject(struct lunmgr *m, const char *subject_id);

/* ---- job_keep.c: over time and over restarts -------------------------------------- */

/* At start: a row's job, not begun. A kind that is not known is left alone. */
int jobs_load(struct lunmgr *m, const struct job_row *row, struct err *e) MUST_CHECK;
int jobs_prepare(struct lunmgr *m, struct err *e) MUST_CHECK;
/* What was running begins again. */
void jobs_resume(struct lunmgr *m);
/* Those that are kept no longer go. */
void jobs_forget(struct lunmgr *m);
/* The timer stands for what comes next. */
void jobs_arm(struct lunmgr *m);
/* No timer any more. */
void jobs_stop(struct lunmgr *m);
void jobs_free(struct lunmgr *m);

/* Shared by job.c and job_keep.c. */
struct job *job_new(struct lunmgr *m, const struct job_kind *kind);
/* Its row is there: it can be found. Room is reserved. */
void job_adopt(struct job *job);
void job_run(struct job *job);
const struct job_kind *job_kind_find(const char *name);
/* Once more, where it failed. */
void job_store_end(struct job *job);

#endif
