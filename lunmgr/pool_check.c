/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a pool as a job: from its beginning, whenever it begins. Control thread.
 */
#include "base/log.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct pool_check {
    struct op op;
    struct job *job;
    struct pool *pool;
    char outcome[CATALOG_JOB_OUTCOME_MAX];
};

static struct pool_check *pool_check_of(struct op *op)
{
    return container_of(op, struct pool_check, op);
}

static void pool_check_over(struct op *op)
{
    struct pool_check *pc = pool_check_of(op);
    job_end(pc->job, op_outcome(op), pc->outcome);
    op_free(op);
}

static void pool_check_tell(char out[CATALOG_JOB_OUTCOME_MAX],
                            const struct pool_check_report *r)
{
    bool clean = r->leaked_extents == 0 && r->double_extents == 0 &&
                 r->lost_extents == 0 && r->miscounted_extents == 0;
    snprintf(
        out, CATALOG_JOB_OUTCOME_MAX,
        "clean=%s\nnamed_extents=%" PRIu64 "\nused_extents=%" PRIu64
        "\nleaked_extents=%" PRIu64 "\ndouble_extents=%" PRIu64 "\nlost_extents=%" PRIu64
        "\nshared_extents=%" PRIu64 "\nmiscounted_extents=%" PRIu64 "\n",
        clean ? "yes" : "no", r->named_extents, r->used_extents, r->leaked_extents,
        r->double_extents, r->lost_extents, r->shared_extents, r->miscounted_extents);
}

static void pool_check_on_done(void *arg, const struct pool_check_report *report,
                               const struct err *e)
{
    struct pool_check *pc = arg;
    if (e == NULL)
        pool_check_tell(pc->outcome, report);
    else
        *op_err(&pc->op) = *e;
    pc->op.job.rc = e == NULL ? 0 : e->code;
    pool_check_over(&pc->op);
}

static void pool_check_at_home(struct op *op)
{
    struct pool_check *pc = pool_check_of(op);
    map_check_start(pc->pool, false, &pc->job->progress, op->job.reply_to,
                    pool_check_on_done, pc);
}

static void pool_check_start(struct job *job)
{
    struct lunmgr *m = job->manager;
    struct pool_check *pc = op_new(m, sizeof(*pc), pool_check_over);
    struct err *e = op_err(&pc->op);
    pc->job = job;
    pc->pool = index_find_id(&m->pools, job->row.subject_id);
    if (pc->pool == NULL) {
        op_end(&pc->op,
               err_set(e, -ENOENT, NULL, "pool %s is no more", job->row.subject));
    } else if (pool_is_failed(pc->pool)) {
        op_end(&pc->op, err_set(e, -EIO, NULL, "pool %s has failed", job->row.subject));
    } else {
        atomic_fetch_add(&pc->pool->check_count, 1);
        op_at_home(&pc->op, pool_check_at_home, NULL);
    }
}

static int pool_check_find(struct lunmgr *m, const char *name_or_id, void *detail,
                           struct job_row *row, struct err *e)
{
    const struct pool *pool = pool_find(m, name_or_id);
    (void)detail;
    if (pool == NULL || pool->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", name_or_id);
    memcpy(row->subject, pool->name, sizeof(row->subject));
    memcpy(row->subject_id, pool->id, sizeof(row->subject_id));
    return 0;
}

const struct job_kind job_kind_pool_check = {.name = "pool-check",
                                             .unit = "extents",
                                             .find = pool_check_find,
                                             .start = pool_check_start};

void pool_check(struct lunmgr *m, const char *name_or_id, job_done_fn done, void *arg)
{
    job_create(m, &job_kind_pool_check, name_or_id, NULL, done, arg);
}
