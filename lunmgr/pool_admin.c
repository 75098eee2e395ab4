/* SPDX-License-Identifier: Apache-2.0 */
/* Making, describing and deleting pools. Control thread; what blocks goes to a
 * thread of its own. */
#include "lunmgr/joining.h"
#include "lunmgr/op.h"
#include "lunmgr/overcommit.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct pool_op {
    struct op op;
    struct pool *pool;
    struct pool_row row;
    struct joining *joining; /* of a pool to be: its devices */
    size_t joining_count;
    struct device_claim live;
    bool reserved; /* room in the index */
    union {
        pool_done_fn created;
        done_fn deleted;
    } done;
    void *arg;
};

static struct pool_op *pool_op_of(struct op *op)
{
    return container_of(op, struct pool_op, op);
}

/* ---- Creating -------------------------------------------------------------------- */

static void pool_created(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    struct lunmgr *m = op->manager;
    bool good = op->job.rc == 0;
    if (!good) {
        pool_free(po->pool);
        if (po->reserved)
            index_unreserve(&m->pools);
    }
    for (size_t i = 0; i < po->joining_count; i++)
        joining_fini(&po->joining[i]);
    free(po->joining);
    free((void *)po->live.live);
    po->done.created(po->arg, good ? po->pool : NULL, op_outcome(op));
    op_free(op);
}

static void pool_start_rounds(struct op *op)
{
    struct pool *pool = pool_op_of(op)->pool;
    discard_go_on(pool);
    round_start(pool);
    op_return(op);
}

/* It failed: the devices are nobody's again. */
static void pool_unformat(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    for (size_t i = 0; i < po->joining_count; i++)
        joining_undo(&po->joining[i]);
}

static void pool_refused(struct op *op)
{
    if (op_is_dry(op))
        pool_created(op);
    else
        op_block(op, pool_unformat, pool_created);
}

/* The rows are committed or refused. */
static void pool_adopt(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    if (op->job.rc != 0) {
        pool_refused(op);
        return;
    }
    for (size_t i = 0; i < po->joining_count; i++) {
        struct device *d = joining_finish(&po->joining[i]);
        device_use_page_cache(d, po->pool->page_cache);
        pool_add_device(po->pool, d);
        stamps_add(op->manager, d);
    }
    index_add(&op->manager->pools, po->pool->name, po->pool->id, po->pool);
    op_at_home(op, pool_start_rounds, pool_created);
}

static int pool_create_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    struct pool_op *po = container_of(job, struct pool_op, op.job);
    int rc = pool_row_add(txn, &po->row, e);
    for (size_t i = 0; rc == 0 && i < po->joining_count; i++)
        rc = device_row_add(txn, &po->joining[i].row, e);
    return rc;
}

/* The devices are formatted: their allocators now, so that nothing can fail after the
 * commit. */
static void pool_formatted(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    for (size_t i = 0; op->job.rc == 0 && i < po->joining_count; i++)
        op->job.rc = joining_prepare(&po->joining[i], op_err(op));
    if (op->job.rc != 0)
        pool_refused(op);
    else
        op_write(op, pool_create_work, pool_adopt);
}

/* The member that is at fault, of the i-th device. */
static int device_at_fault(struct err *e, size_t i, int rc)
{
    char field[ERR_FIELD_MAX];
    if (rc == 0 || e->field[0] == '\0')
        return rc;
    snprintf(field, sizeof(field), "devices/%zu/%.30s", i, e->field);
    memcpy(e->field, field, sizeof(e->field));
    return rc;
}

static void pool_format(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    struct err *e = op_err(op);
    for (size_t i = 0; op->job.rc == 0 && i < po->joining_count; i++)
        op->job.rc =
            device_at_fault(e, i,
                            joining_format(&po->joining[i], &po->live,
                                           op->manager->box_id, op_is_dry(op), e));
}

static const struct usage_thresholds *thresholds_of(const struct pool_spec *spec)
{
    return spec->usage_thresholds == NULL ? &usage_default : spec->usage_thresholds;
}

static int pool_spec_check(struct lunmgr *m, const struct pool_spec *spec, struct err *e)
{
    int rc = name_check(spec->name, "name", e);
    if (rc != 0)
        return rc;
    if (index_find(&m->pools, spec->name) != NULL)
        return err_set(e, -EEXIST, "name", "pool %s exists", spec->name);
    rc = overcommit_cap_check(spec->overcommit_cap_percent, e);
    if (rc == 0)
        rc = usage_thresholds_check(thresholds_of(spec), e);
    if (rc != 0)
        return rc;
    if (spec->device_count < 1 || spec->device_count > POOL_SPEC_DEVICE_MAX)
        return err_set(e, -EINVAL, "devices", "a pool is made with 1 to %d devices",
                       POOL_SPEC_DEVICE_MAX);
    for (size_t i = 0; i < spec->device_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(spec->devices[i].path, spec->devices[k].path) == 0)
                return device_at_fault(e, i,
                                       err_set(e, -EINVAL, "path", "%s is named twice",
                                               spec->devices[i].path));
    return 0;
}

static int pool_joinings(struct pool_op *po, const struct pool_spec *spec, struct err *e)
{
    int rc = joining_live(po->op.manager, &po->live, e);
    po->joining = calloc(spec->device_count, sizeof(*po->joining));
    if (po->joining == NULL)
        return err_oom(e);
    for (size_t i = 0; rc == 0 && i < spec->device_count; i++) {
        po->joining_count = i + 1;
        rc = device_at_fault(e, i,
                             joining_init(&po->joining[i], &spec->devices[i], po->row.id,
                                          (unsigned)i + 1, e));
    }
    return rc;
}

void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct pool_op *po = op_new(m, sizeof(*po), pool_created);
    struct err *e = op_err(&po->op);
    po->done.created = done;
    po->arg = arg;
    int rc = pool_spec_check(m, spec, e);
    if (rc == 0) {
        rc = index_reserve(&m->pools) != 0 ? err_oom(e) : 0;
        po->reserved = rc == 0;
    }
    id_make(po->row.id);
    op_about(&po->op, po->row.id);
    po->row.created_s = now_s();
    if (rc == 0)
        rc = pool_joinings(po, spec, e);
    if (rc == 0) {
        po->pool = pool_new(m, po->row.id, spec->name, po->row.created_s, e);
        rc = po->pool == NULL ? -ENOMEM : 0;
    }
    if (rc != 0) {
        op_end(&po->op, rc);
        return;
    }
    snprintf(po->row.name, sizeof(po->row.name), "%s", spec->name);
    po->row.overcommit_cap_percent = spec->overcommit_cap_percent;
    po->pool->overcommit_cap_percent = spec->overcommit_cap_percent;
    po->pool->usage_thresholds = *thresholds_of(spec);
    po->row.page_cache = po->pool->page_cache = spec->page_cache;
    usage_thresholds_text(thresholds_of(spec), po->row.usage_thresholds);
    op_block(&po->op, pool_format, pool_formatted);
}

/* ---- Deleting -------------------------------------------------------------------- */

static void pool_deleted(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    if (po->pool != NULL && op_is_dry(op))
        atomic_fetch_sub(&po->pool->check_count, 1);
    else if (op->job.rc != 0 && po->pool != NULL)
        po->pool->deleting = false;
    po->done.deleted(po->arg, op_outcome(op));
    op_free(op);
}

static void pool_gone(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    pool_free(po->pool);
    po->pool = NULL;
    op->job.rc =
        0; /* a superblock that could not be wiped is no failure of the deletion */
    pool_deleted(op);
}

static void pool_wipe(struct op *op)
{
    struct pool *pool = pool_op_of(op)->pool;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (d->fd >= 0)
            op->job.rc = device_wipe_superblock(d->fd, op_err(op));
}

static int pool_delete_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    const char *id = container_of(job, struct pool_op, op.job)->row.id;
    int rc = drop_erase(txn, id, e);
    return rc != 0 ? rc : pool_row_remove(txn, id, e);
}

static void pool_row_gone(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    if (op->job.rc != 0) {
        if (op_is_dry(op))
            pool_deleted(op);
        else
            op_at_home(op, pool_start_rounds, pool_deleted);
        return;
    }
    index_remove(&op->manager->pools, po->pool->name, po->pool->id);
    for (struct device *d = NULL; (d = pool_next_device(po->pool, d)) != NULL;)
        stamps_remove(op->manager, d);
    op_block(op, pool_wipe, pool_gone);
}

static void pool_idle(struct op *op)
{
    op_write(op, pool_delete_work, pool_row_gone);
}

struct pool_last_round {
    struct round_wait wait;
    struct op *op;
};

static void pool_after_last_round(struct round_wait *wait)
{
    struct pool_last_round *last = container_of(wait, struct pool_last_round, wait);
    struct op *op = last->op;
    free(last);
    op_return(op);
}

/* No ticks any more; a round under way ends first. */
static void pool_stop_rounds(struct note *note)
{
    struct op *op = container_of(note, struct op, job.note);
    struct pool *pool = pool_op_of(op)->pool;
    round_stop(pool);
    struct pool_last_round *last = calloc(1, sizeof(*last));
    if (last == NULL) {
        op_return(op);
        return;
    }
    last->op = op;
    last->wait.inbox = loop_inbox(lunmgr_home(op->manager));
    last->wait.done = pool_after_last_round;
    round_join(pool, &last->wait);
}

static void pool_drops_ended(struct note *note)
{
    op_return(container_of(note, struct op, job.note));
}

/* Deleted volumes' layers are still the pool's: they go first. */
static void pool_await_drops(struct op *op)
{
    struct pool *pool = pool_op_of(op)->pool;
    op->job.note.run = op_is_dry(op) ? pool_drops_ended : pool_stop_rounds;
    if (!op_is_dry(op))
        discard_stop(pool); /* the last round may free extents after the wait */
    background_wait(pool, &op->job.note);
}

static bool is_evacuating(const struct pool *pool)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (job_of_subject(pool->manager, d->row.id) != NULL)
            return true;
    return false;
}

/* The daemon's own check, after an unclean stop, is no job. */
int pool_unoccupied(struct pool *pool, struct err *e)
{
    const struct job *job = job_of_subject(pool->manager, pool->id);
    if (job != NULL)
        return err_set(e, -EBUSY, "pool",
                       "pool %s is in use by job %s (%s): wait for its end, or cancel it",
                       pool->name, job->row.id, job->kind->name);
    if (atomic_load(&pool->check_count) > 0)
        return err_set(e, -EBUSY, "pool", "pool %s is being checked", pool->name);
    if (is_evacuating(pool))
        return err_set(e, -EBUSY, "pool",
                       "a device of pool %s is being evacuated: cancel that first",
                       pool->name);
    if (pool->devices_changing)
        return err_set(e, -EBUSY, "pool", "devices of pool %s are being changed",
                       pool->name);
    if (pool->changing)
        return err_set(e, -EBUSY, "pool", "pool %s is being changed", pool->name);
    return 0;
}

void pool_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct pool_op *po = op_new(m, sizeof(*po), pool_deleted);
    struct err *e = op_err(&po->op);
    po->done.deleted = done;
    po->arg = arg;
    struct pool *pool = index_find(&m->pools, name_or_id);
    if (pool == NULL || pool->deleting) {
        op_end(&po->op, err_set(e, -ENOENT, "pool", "there is no pool %s", name_or_id));
        return;
    }
    if (pool->volume_count > 0) {
        op_end(&po->op,
               err_set(e, -EBUSY, "pool",
                       "pool %s has %u volumes (those in the trash count): delete them "
                       "first, for good",
                       pool->name, pool->volume_count));
        return;
    }
    int rc = pool_unoccupied(pool, e);
    if (rc == 0)
        rc = rods_leave(pool, op_is_dry(&po->op), e);
    if (rc != 0) {
        op_end(&po->op, rc);
        return;
    }
    if (op_is_dry(&po->op))
        atomic_fetch_add(&pool->check_count, 1); /* it stays, and serves */
    else
        pool->deleting = true;
    po->pool = pool;
    memcpy(po->row.id, pool->id, sizeof(po->row.id));
    op_about(&po->op, pool->id);
    op_at_home(&po->op, pool_await_drops, pool_idle);
}

/* ---- Reading --------------------------------------------------------------------- */

struct pool *pool_find(struct lunmgr *m, const char *name_or_id)
{
    return index_find(&m->pools, name_or_id);
}

struct pool *pool_next(struct lunmgr *m, const struct pool *prev)
{
    return index_next(&m->pools, prev == NULL ? NULL : prev->name);
}

struct pool *pool_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->pools, walk);
}

static unsigned device_count(const struct pool *pool)
{
    unsigned n = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n++;
    return n;
}

static const char *state_of(const struct pool *pool)
{
    if (pool_is_failed(pool))
        return "failed";
    return pool_is_degraded(pool) ? "degraded" : "online";
}

void pool_describe(const struct pool *pool, struct pool_info *out)
{
    *out = (struct pool_info){
        .created_s = pool->created_s,
        .size_bytes = pool_extents(pool) * EXTENT_BYTES,
        .used_bytes = pool_used_extents(pool) * EXTENT_BYTES,
        .free_bytes = pool_free_bytes(pool),
        .reserved_bytes = space_reserved(pool) * EXTENT_BYTES,
        .provisioned_bytes = pool->provisioned_bytes,
        .overcommit_percent = overcommit_percent(pool),
        .overcommit_cap_percent = pool->overcommit_cap_percent,
        .volume_count = pool->volume_count,
        .device_count = device_count(pool),
        .waiting_writes = atomic_load(&pool->waiting_writes),
        .usage_thresholds = pool->usage_thresholds,
        .page_cache = pool->page_cache,
        .full_in_s = forecast_full_s(&pool->watch.forecast, pool_free_extents(pool)),
        .fill_bytes_per_s =
            (uint64_t)(forecast_rate(&pool->watch.forecast) * EXTENT_BYTES),
        .watched_since_s = pool->watch.since_s,
        .state = state_of(pool),
    };
    if (out->free_bytes > out->reserved_bytes)
        out->available_bytes = out->free_bytes - out->reserved_bytes;
    memcpy(out->id, pool->id, sizeof(out->id));
    memcpy(out->name, pool->name, sizeof(out->name));
}
