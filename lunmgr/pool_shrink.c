/* SPDX-License-Identifier: Apache-2.0 */
/* A device's way out of its pool. It is evacuated by a job (evacuate.h): its row says so
 * from before the first extent is moved until it serves again, or is removed. Removing
 * takes the row away, and only then wipes the superblock: a crash in between leaves a
 * device that no pool has, and that says whose it was. Control thread. */
#include "lunmgr/evacuate.h"
#include "lunmgr/guarantee.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/stamp.h"
#include "lunmgr/volume_io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- The job ----------------------------------------------------------------------- */

struct evacuation {
    struct op op;
    struct job *job;
    struct device *device;
};

static struct evacuation *evacuation_of(struct op *op)
{
    return container_of(op, struct evacuation, op);
}

/* In the transaction of the job's end, so that no device is being evacuated by nobody. */
static int evacuation_end_work(struct catalog_txn *txn, const struct job_row *row,
                               struct err *e)
{
    enum device_evacuation state =
        row->state == JOB_DONE ? DEVICE_EVACUATED : DEVICE_SERVES;
    return device_row_set_evacuation(txn, row->subject_id, (uint8_t)state, e);
}

static void evacuation_over(struct job *job)
{
    struct device *d = pool_device_find(job->manager, job->row.subject_id);
    if (d == NULL)
        return;
    atomic_store(&d->evacuation,
                 job->row.state == JOB_DONE ? DEVICE_EVACUATED : DEVICE_SERVES);
    limbo_space_came(d->pool);
}

/* The work is over, or could not be begun. What stops with the daemon goes on at the next
 * start. */
static void evacuation_ended(struct op *op)
{
    struct evacuation *ev = evacuation_of(op);
    char outcome[CATALOG_JOB_OUTCOME_MAX];
    snprintf(outcome, sizeof(outcome), "moved_extents=%" PRIu64 "\n",
             atomic_load(&ev->job->progress.done));
    job_end(ev->job, op_outcome(op), op->job.rc == 0 ? outcome : "");
    op_free(op);
}

/* Home loop. */
static void evacuation_on_done(void *arg, const struct err *e)
{
    struct evacuation *ev = arg;
    if (e != NULL)
        *op_err(&ev->op) = *e;
    ev->op.job.rc = e == NULL ? 0 : e->code;
    op_return(&ev->op);
}

static void evacuation_at_home(struct op *op)
{
    struct evacuation *ev = evacuation_of(op);
    evacuate_start(ev->device->pool, ev->device, &ev->job->progress, evacuation_on_done,
                   ev);
}

static int evacuation_work(struct catalog_txn *txn, struct catalog_job *job,
                           struct err *e)
{
    const struct evacuation *ev = container_of(job, struct evacuation, op.job);
    return device_row_set_evacuation(txn, ev->device->row.id, DEVICE_EVACUATING, e);
}

/* It is durable that it is being evacuated; else the job ends, and it serves again. */
static void evacuation_marked(struct op *op)
{
    if (op->job.rc != 0) {
        evacuation_ended(op);
        return;
    }
    op_at_home(op, evacuation_at_home, evacuation_ended);
}

static void evacuation_start(struct job *job)
{
    struct evacuation *ev = op_new(job->manager, sizeof(*ev), evacuation_ended);
    struct device *d = pool_device_find(job->manager, job->row.subject_id);
    uint64_t short_of;
    ev->job = job;
    ev->device = d;
    if (d == NULL)
        op_end(&ev->op, err_set(op_err(&ev->op), -ENOENT, NULL, "device %s is no more",
                                job->row.subject));
    else if (device_is_failed(d))
        op_end(&ev->op, err_set(op_err(&ev->op), -EIO, NULL, "the device has failed"));
    else if (space_withdraw(d, &short_of) != 0)
        op_end(&ev->op, guarantee_refuse(d->pool, NULL, short_of, op_err(&ev->op)));
    else
        op_write(&ev->op, evacuation_work, evacuation_marked);
}

static uint64_t used_extents(const struct device *d)
{
    return alloc_usable_extents(d->alloc) - alloc_free_extents(d->alloc);
}

/* What the others have free is enough now; what is written meanwhile may still use it. */
static int room_check(const struct device *d, struct err *e)
{
    uint64_t free = 0, reserved = space_reserved(d->pool);
    unsigned others = 0;
    for (struct device *o = NULL; (o = pool_next_device(d->pool, o)) != NULL;) {
        if (o == d || !device_gives(o) ||
            job_of_subject(d->pool->manager, o->row.id) != NULL)
            continue;
        free += alloc_free_extents(o->alloc);
        others++;
    }
    if (others == 0)
        return err_set(e, -EBUSY, "device", "no other device of pool %s serves",
                       d->pool->name);
    if (free >= used_extents(d) + reserved)
        return 0;
    return err_set(e, -EBUSY, "device",
                   "%" PRIu64 " bytes of device %s are in use, and the other devices "
                   "have %" PRIu64 " free, of which %" PRIu64
                   " are guaranteed to volumes and not used yet",
                   used_extents(d) * EXTENT_BYTES, d->row.path, free * EXTENT_BYTES,
                   reserved * EXTENT_BYTES);
}

static int evacuation_find(struct lunmgr *m, const char *key, void *detail,
                           struct job_row *row, struct err *e)
{
    const struct device *d = pool_device_find(m, key);
    (void)detail;
    if (d == NULL || d->pool->deleting)
        return err_set(e, -ENOENT, "device", "there is no device %s", key);
    if (device_is_failed(d))
        return err_set(e, -EBUSY, "device", "device %s has failed: %s", d->row.path,
                       d->reason);
    snprintf(row->subject, sizeof(row->subject), "%.57s/%u", d->pool->name,
             d->row.slot % 10000U);
    memcpy(row->subject_id, d->row.id, sizeof(row->subject_id));
    return room_check(d, e);
}

const struct job_kind job_kind_device_evacuate = {.name = "device-evacuate",
                                                  .unit = "extents",
                                                  .find = evacuation_find,
                                                  .start = evacuation_start,
                                                  .end_work = evacuation_end_work,
                                                  .ended = evacuation_over};

void pool_device_evacuate(struct lunmgr *m, const char *key, job_done_fn done, void *arg)
{
    job_create(m, &job_kind_device_evacuate, key, NULL, done, arg);
}

/* ---- Removing ---------------------------------------------------------------------- */

struct removal {
    struct op op;
    struct device *device; /* NULL: there is none */
    struct round_wait round;
    bool has_turn;
    done_fn done;
    void *arg;
};

static struct removal *removal_of(struct op *op)
{
    return container_of(op, struct removal, op);
}

static void removal_end(struct op *op)
{
    struct removal *r = removal_of(op);
    if (r->has_turn)
        r->device->pool->devices_changing = false;
    r->done(r->arg, op_outcome(op));
    op_free(op);
}

/* Nothing names it, and no I/O of it is in flight: what is in memory stays until the pool
 * goes, its file is closed, unless the kernel has something of it that nobody waits for.
 */
static void removal_close(struct op *op)
{
    struct device *d = removal_of(op)->device;
    if (d->fd >= 0 && atomic_load(&d->references) == 1) {
        close(d->fd);
        d->fd = -1;
    }
    op->job.rc = 0; /* a superblock that could not be wiped is no failure of it */
    removal_end(op);
}

static void removal_wipe(struct op *op)
{
    struct device *d = removal_of(op)->device;
    struct err ignored;
    if (d->fd >= 0)
        op->job.rc = device_wipe_superblock(d->fd, &ignored);
}

static void removal_written(struct op *op)
{
    struct device *d = removal_of(op)->device;
    if (op->job.rc != 0) {
        atomic_store(&d->gone, false);
        removal_end(op);
        return;
    }
    stamps_remove(op->manager, d);
    op_block(op, removal_wipe, removal_close);
}

static int removal_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct removal *r = container_of(job, struct removal, op.job);
    return device_row_remove(txn, r->device->row.no, e);
}

static void removal_gone(struct op *op)
{
    op_write(op, removal_work, removal_written);
}

static void removal_on_round(struct round_wait *wait)
{
    struct removal *r = container_of(wait, struct removal, round);
    if (wait->rc != 0)
        r->op.job.rc = err_set(op_err(&r->op), wait->rc, NULL,
                               "the pool's state could not be committed");
    op_return(&r->op);
}

/* The round under way may have its bitmaps; the next one has not. */
static void removal_at_home(struct op *op)
{
    struct removal *r = removal_of(op);
    struct pool *pool = r->device->pool;
    if (!op_is_dry(op))
        atomic_store(&r->device->gone, true);
    r->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(op->manager)),
                                   .done = removal_on_round,
                                   .family = ROUND_ASKS};
    round_join(pool, &r->round);
}

static void removal_settled(struct op *op)
{
    if (op->job.rc == 0) {
        removal_gone(op);
        return;
    }
    atomic_store(&removal_of(op)->device->gone, false);
    removal_end(op);
}

static bool is_last(const struct device *d)
{
    const struct device *first = pool_next_device(d->pool, NULL);
    return first == d && pool_next_device(d->pool, d) == NULL;
}

static int removal_check(struct removal *r, const char *key, struct err *e)
{
    struct device *d = pool_device_find(r->op.manager, key);
    if (d == NULL || d->pool->deleting)
        return err_set(e, -ENOENT, "device", "there is no device %s", key);
    if (atomic_load(&d->evacuation) != DEVICE_EVACUATED)
        return err_set(e, -EBUSY, "device",
                       "%" PRIu64
                       " bytes of device %s are in use, or may be: evacuate it "
                       "first",
                       used_extents(d) * EXTENT_BYTES, d->row.path);
    if (is_last(d))
        return err_set(e, -EBUSY, "device", "device %s is the last one of pool %s",
                       d->row.path, d->pool->name);
    if (d->pool->devices_changing)
        return err_set(e, -EBUSY, "pool", "devices of pool %s are being changed",
                       d->pool->name);
    r->device = d;
    d->pool->devices_changing = true;
    r->has_turn = true;
    return 0;
}

void pool_device_remove(struct lunmgr *m, const char *key, done_fn done, void *arg)
{
    struct removal *r = op_new(m, sizeof(*r), removal_end);
    r->done = done;
    r->arg = arg;
    int rc = removal_check(r, key, op_err(&r->op));
    if (rc != 0) {
        op_end(&r->op, rc);
        return;
    }
    op_about(&r->op, r->device->row.id);
    op_at_home(&r->op, removal_at_home, removal_settled);
}
