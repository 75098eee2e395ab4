/* SPDX-License-Identifier: Apache-2.0 */
/* Changing what an admin has set of a pool. Control thread. */
#include "lunmgr/op.h"
#include "lunmgr/overcommit.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <string.h>

struct change_op {
    struct op op;
    struct pool *pool; /* being changed */
    struct pool_row row;
    struct usage_thresholds usage_thresholds;
    pool_done_fn done;
    void *arg;
};

static struct change_op *change_op_of(struct op *op)
{
    return container_of(op, struct change_op, op);
}

static void change_end(struct op *op)
{
    struct change_op *co = change_op_of(op);
    if (co->pool != NULL)
        co->pool->changing = false;
    co->done(co->arg, op->job.rc == 0 ? co->pool : NULL, op_outcome(op));
    op_free(op);
}

/* A device on its way into the pool is told of it there: add_served(). */
static void use_page_cache(struct pool *pool, bool used)
{
    pool->page_cache = used;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        device_use_page_cache(d, used);
}

/* Nothing is left that could fail. */
static void change_adopt(struct op *op)
{
    struct change_op *co = change_op_of(op);
    if (op->job.rc == 0) {
        co->pool->overcommit_cap_percent = co->row.overcommit_cap_percent;
        co->pool->usage_thresholds = co->usage_thresholds;
        use_page_cache(co->pool, co->row.page_cache);
    }
    change_end(op);
}

static int change_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct change_op *co = container_of(job, struct change_op, op.job);
    return pool_row_change(txn, &co->row, e);
}

static int change_begin(struct change_op *co, const char *name, struct err *e)
{
    struct pool *pool = pool_find(co->op.manager, name);
    if (pool == NULL || pool->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", name);
    if (pool->changing)
        return err_set(e, -EBUSY, "pool", "pool %s is being changed", pool->name);
    pool->changing = true;
    co->pool = pool;
    memcpy(co->row.id, pool->id, sizeof(co->row.id));
    op_about(&co->op, pool->id);
    return 0;
}

static int change_check(struct change_op *co, const struct pool_change *change,
                        struct err *e)
{
    co->row.overcommit_cap_percent = change->overcommit_cap_percent == NULL
                                         ? co->pool->overcommit_cap_percent
                                         : *change->overcommit_cap_percent;
    co->usage_thresholds = change->usage_thresholds == NULL ? co->pool->usage_thresholds
                                                            : *change->usage_thresholds;
    co->row.page_cache =
        change->page_cache == NULL ? co->pool->page_cache : *change->page_cache;
    int rc = overcommit_cap_check(co->row.overcommit_cap_percent, e);
    if (rc == 0)
        rc = usage_thresholds_check(&co->usage_thresholds, e);
    if (rc == 0)
        usage_thresholds_text(&co->usage_thresholds, co->row.usage_thresholds);
    return rc;
}

void pool_change(struct lunmgr *m, const char *name_or_id,
                 const struct pool_change *change, pool_done_fn done, void *arg)
{
    struct change_op *co = op_new(m, sizeof(*co), change_end);
    struct err *e = op_err(&co->op);
    co->done = done;
    co->arg = arg;
    int rc = change_begin(co, name_or_id, e);
    if (rc == 0)
        rc = change_check(co, change, e);
    if (rc != 0)
        op_end(&co->op, rc);
    else
        op_write(&co->op, change_work, change_adopt);
}
