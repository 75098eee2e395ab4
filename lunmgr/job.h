/* SPDX-License-Identifier: Apache-2.0 */
/* Long work that was asked for and is answered before it is over: what it is, how far it
 * is, how it ended. A job's row is durable before its work begins; one that is running
 * when the daemon ends, however it ends, is begun again by the next start. Those that
 * have ended are kept for a while. Control thread. */
#ifndef LUNMGR_JOB_H
#define LUNMGR_JOB_H

#include "base/err.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

/* How long an ended job is kept, and how many of them at most. */
#define JOB_KEEP_S     (7 * 24 * 3600)
#define JOB_KEEP_COUNT 1000

struct job;

struct job_info {
    char id[VOLUME_ID_MAX];
    uint64_t no;                   /* by age, never reused */
    const char *kind;              /* "pool-check" */
    const char *unit;              /* what progress counts, such as "extents" */
    const char *state;             /* "running", "done", "failed", "cancelled" */
    char subject[VOLUME_NAME_MAX]; /* the name, when it was asked for, of what it is about
                                    */
    char subject_id[VOLUME_ID_MAX];
    int64_t created_s;
    int64_t ended_s; /* 0: it is running */
    bool cancel_asked;
    uint64_t units_done;
    uint64_t units_total; /* 0: not known */
    int64_t rate;         /* units a second of late; -1: not known */
    int64_t estimate_s;   /* seconds left; -1: not known */
    /* The job's, until the next turn of the loop; "": none. */
    const char *outcome; /* done: lines NAME=VALUE; a decimal number, "yes" or "no" */
    const char *error;   /* failed: why */
};

/* done: on the control thread, never inside the call. */
typedef void (*job_done_fn)(void *arg, struct job *job, const struct err *e);

struct job *job_find(struct lunmgr *m, const char *id);
/* In order of age; after NULL: the oldest. */
struct job *job_next(struct lunmgr *m, const struct job *prev);
void job_describe(const struct job *job, struct job_info *out);
/* Asks it to stop at its next step; again is no error. Answered when that it was asked is
 * durable; it may yet end as done. -EBUSY: it has ended. */
void job_cancel(struct lunmgr *m, const char *id, job_done_fn done, void *arg);

#endif
