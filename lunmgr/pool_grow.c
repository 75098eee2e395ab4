/* SPDX-License-Identifier: Apache-2.0 */
/* More space for a pool that serves: a device joins, or is larger than it was. The rows
 * come first; an extent of the new space is handed out only when they are durable.
 * Control thread; what blocks goes to a thread of its own. */
#include "lunmgr/joining.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stamp.h"
#include "lunmgr/volume_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct device_op {
    struct op op;
    struct pool *pool;     /* its devices are being changed by this; NULL: not yet */
    struct device *device; /* NULL: it has not joined */
    struct joining joining;
    struct device_claim live;
    uint64_t size_bytes, extents; /* to grow to */
    device_done_fn done;
    void *arg;
};

static struct device_op *device_op_of(struct op *op)
{
    return container_of(op, struct device_op, op);
}

static struct device_op *device_op_of_work(struct catalog_job *job)
{
    return container_of(job, struct device_op, op.job);
}

static struct device_op *device_op_new(struct lunmgr *m, void (*finish)(struct op *op),
                                       device_done_fn done, void *arg)
{
    struct device_op *o = op_new(m, sizeof(*o), finish);
    o->done = done;
    o->arg = arg;
    o->joining.fd = -1;
    return o;
}

static void device_op_end(struct op *op)
{
    struct device_op *o = device_op_of(op);
    if (o->pool != NULL)
        o->pool->devices_changing = false;
    joining_fini(&o->joining);
    free((void *)o->live.live);
    o->done(o->arg, op->job.rc == 0 ? o->device : NULL, op_outcome(op));
    op_free(op);
}

/* One change at a time; the pool stays meanwhile. */
static int pool_take_turn(struct device_op *o, struct pool *pool, struct err *e)
{
    if (pool->devices_changing)
        return err_set(e, -EBUSY, "pool", "devices of pool %s are being changed",
                       pool->name);
    pool->devices_changing = true;
    o->pool = pool;
    return 0;
}

/* ---- Adding ------------------------------------------------------------------------ */

static void add_at_home(struct op *op)
{
    struct device_op *o = device_op_of(op);
    pool_add_device(o->pool, o->device);
    limbo_space_came(o->pool);
    op_return(op);
}

static void add_undo(struct op *op)
{
    joining_undo(&device_op_of(op)->joining);
}

static void add_refused(struct op *op)
{
    if (op_is_dry(op))
        device_op_end(op);
    else
        op_block(op, add_undo, device_op_end);
}

/* It is the pool's: from now on a raise finds all of it, and a change of the pool's page
 * cache finds it; one that came before did not. */
static void add_served(struct op *op)
{
    struct device_op *o = device_op_of(op);
    stamps_add(op->manager, o->device);
    device_use_page_cache(o->device, o->pool->page_cache);
    device_op_end(op);
}

/* The row is committed or refused. */
static void add_adopt(struct op *op)
{
    struct device_op *o = device_op_of(op);
    if (op->job.rc != 0) {
        add_refused(op);
        return;
    }
    o->device = joining_finish(&o->joining);
    op_at_home(op, add_at_home, add_served);
}

static int add_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return device_row_add(txn, &device_op_of_work(job)->joining.row, e);
}

static void add_formatted(struct op *op)
{
    struct device_op *o = device_op_of(op);
    if (op->job.rc == 0)
        op->job.rc = joining_prepare(&o->joining, op_err(op));
    if (op->job.rc != 0)
        add_refused(op);
    else
        op_write(op, add_work, add_adopt);
}

static void add_format(struct op *op)
{
    struct device_op *o = device_op_of(op);
    op->job.rc = joining_format(&o->joining, &o->live, op->manager->box_id, op_is_dry(op),
                                op_err(op));
}

static int add_check(struct device_op *o, const char *name,
                     const struct pool_device_spec *spec, struct err *e)
{
    struct pool *pool = pool_find(o->op.manager, name);
    if (pool == NULL || pool->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", name);
    unsigned slot = pool_free_slot(pool);
    if (slot == 0)
        return err_set(e, -EBUSY, "pool",
                       "pool %s has had %d devices since the start: restart first",
                       pool->name, POOL_DEVICE_MAX);
    int rc = joining_init(&o->joining, spec, pool->id, slot, e);
    if (rc == 0)
        rc = joining_live(o->op.manager, &o->live, e);
    return rc != 0 ? rc : pool_take_turn(o, pool, e);
}

void pool_device_add(struct lunmgr *m, const char *pool,
                     const struct pool_device_spec *spec, device_done_fn done, void *arg)
{
    struct device_op *o = device_op_new(m, device_op_end, done, arg);
    int rc = add_check(o, pool, spec, op_err(&o->op));
    if (rc != 0) {
        op_end(&o->op, rc);
        return;
    }
    op_about(&o->op, o->joining.row.id);
    op_block(&o->op, add_format, add_formatted);
}

/* ---- Growing ----------------------------------------------------------------------- */

static void grow_at_home(struct op *op)
{
    struct device_op *o = device_op_of(op);
    discard_forget(o->pool, o->device); /* its set has the old size */
    alloc_grow(o->device->alloc, o->extents);
    limbo_space_came(o->pool);
    op_return(op);
}

static void grow_adopt(struct op *op)
{
    struct device_op *o = device_op_of(op);
    if (op->job.rc != 0) {
        device_op_end(op);
        return;
    }
    o->device->row.extents = o->extents;
    op_at_home(op, grow_at_home, device_op_end);
}

static int grow_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct device_op *o = device_op_of_work(job);
    return device_row_set_extents(txn, o->device->row.no, o->extents, e);
}

static void grow_measured(struct op *op)
{
    struct device_op *o = device_op_of(op);
    const struct device *d = o->device;
    if (op->job.rc == 0 && o->extents < d->row.extents)
        op->job.rc =
            err_set(op_err(op), -EINVAL, "size",
                    "%s has shrunk from %llu to %llu extents", d->row.path,
                    (unsigned long long)d->row.extents, (unsigned long long)o->extents);
    if (op->job.rc == 0)
        op->job.rc = alloc_make_room(d->alloc, o->extents, op_err(op));
    if (op->job.rc != 0)
        device_op_end(op);
    else
        op_write(op, grow_work, grow_adopt);
}

static void grow_measure(struct op *op)
{
    struct device_op *o = device_op_of(op);
    struct device *d = o->device;
    op->job.rc = device_resize(d, o->size_bytes, op_is_dry(op), &o->extents, op_err(op));
    if (op->job.rc == 0 && o->extents >= PLACE_EXT_LIMIT)
        op->job.rc = err_set(op_err(op), -EINVAL, "size", "at most 2 PiB");
    if (op->job.rc == 0 && !op_is_dry(op))
        op->job.rc = device_superblock_set_extents(d, o->extents, op_err(op));
}

static int grow_check(struct device_op *o, const char *key, struct err *e)
{
    struct device *d = pool_device_find(o->op.manager, key);
    if (d == NULL || d->pool->deleting)
        return err_set(e, -ENOENT, "device", "there is no device %s", key);
    if (device_is_failed(d))
        return err_set(e, -EBUSY, "device", "device %s has failed: %s", d->row.path,
                       d->reason);
    o->device = d;
    return pool_take_turn(o, d->pool, e);
}

void pool_device_grow(struct lunmgr *m, const char *key, uint64_t size_bytes,
                      device_done_fn done, void *arg)
{
    struct device_op *o = device_op_new(m, device_op_end, done, arg);
    int rc = grow_check(o, key, op_err(&o->op));
    if (rc != 0) {
        op_end(&o->op, rc);
        return;
    }
    o->size_bytes = size_bytes;
    op_about(&o->op, o->device->row.id);
    op_block(&o->op, grow_measure, grow_measured);
}
