/* SPDX-License-Identifier: Apache-2.0 */
/* Rollback: a volume goes back to one of its snapshots; what it held is kept as another
 * one. No command is served from the step to its commit, so that it is either done or was
 * never there. */
#include "lunmgr/guarantee.h"
#include "lunmgr/op.h"
#include "lunmgr/overcommit.h"
#include "lunmgr/seal.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct rollback_op {
    struct op op;
    struct volume *volume; /* being changed */
    struct volume *base;   /* the snapshot, pinned */
    struct seal *seal;
    struct promise promise;
    volume_done_fn done;
    void *arg;
};

static struct rollback_op *rollback_op_of(struct op *op)
{
    return container_of(op, struct rollback_op, op);
}

/* ---- The end --------------------------------------------------------------------- */

static void rollback_end(struct op *op)
{
    struct rollback_op *ro = rollback_op_of(op);
    promise_end(&ro->promise);
    if (ro->base != NULL)
        volume_unpin(ro->base);
    if (ro->volume != NULL)
        volume_change_end(ro->volume);
    if (ro->seal != NULL && ro->seal->parts[0].snapshot != NULL && op->job.rc != 0)
        snapshot_discard(ro->seal->parts[0].snapshot);
    else if (ro->seal != NULL)
        ro->seal->parts[0].snapshot = NULL; /* the index has it */
    seal_free(ro->seal);
    ro->done(ro->arg, op->job.rc == 0 ? ro->volume : NULL, op_outcome(op));
    op_free(op);
}

static void rollback_sealed(struct op *op)
{
    struct rollback_op *ro = rollback_op_of(op);
    const struct seal_part *part = &ro->seal->parts[0];
    if (op->job.rc != 0) {
        rollback_end(op);
        return;
    }
    snapshot_publish(part->snapshot, part->row.naa_serial);
    ro->volume->pool->provisioned_bytes += part->size_bytes - part->old_bytes;
    rollback_end(op);
}

/* ---- Behind the fence ------------------------------------------------------------ */

static void rollback_release(struct op *op)
{
    seal_release(rollback_op_of(op)->seal);
}

static void rollback_told(struct op *op)
{
    op_at_home(op, rollback_release, rollback_sealed);
}

static void rollback_tell_size(struct op *op)
{
    struct rollback_op *ro = rollback_op_of(op);
    const struct seal_part *part = &ro->seal->parts[0];
    if (part->size_bytes != part->old_bytes)
        op_tell(op, ro->volume, VOLUME_RESIZED, rollback_told);
    else
        rollback_told(op);
}

/* Initiators learn of it before the first command that is sent after it. */
static void rollback_tell(struct op *op)
{
    op_tell(op, rollback_op_of(op)->volume, VOLUME_REPLACED, rollback_tell_size);
}

static void rollback_on_committed(struct seal *seal)
{
    struct rollback_op *ro = seal->arg;
    ro->op.step = rollback_tell;
    op_return(&ro->op);
}

static int rollback_refuse_failed(struct err *e, int rc)
{
    return err_set(e, rc, NULL,
                   "the rollback could not be made durable, and was taken back: the "
                   "pool's device or the catalog failed");
}

static void rollback_on_sealed(struct seal *seal)
{
    struct rollback_op *ro = seal->arg;
    if (seal->is_refused)
        *op_err(&ro->op) = seal->err;
    else if (seal->rc != 0)
        (void)rollback_refuse_failed(op_err(&ro->op), seal->rc);
    ro->op.job.rc = seal->rc;
    op_return(&ro->op);
}

static void rollback_at_home(struct op *op)
{
    seal_start(rollback_op_of(op)->seal);
}

static int rollback_try_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    return seal_try(txn, container_of(job, struct rollback_op, op.job)->seal, e);
}

/* A dry run's end. */
static void rollback_try(struct rollback_op *ro)
{
    int rc = 0;
    if (pool_is_failed(ro->seal->pool))
        rc = rollback_refuse_failed(op_err(&ro->op), -EIO);
    if (rc == 0)
        rc = seal_has_room(ro->seal, op_err(&ro->op));
    if (rc != 0)
        op_end(&ro->op, rc);
    else
        op_write(&ro->op, rollback_try_work, rollback_end);
}

/* ---- The beginning --------------------------------------------------------------- */

static struct volume *rollback_find(struct volume *v, const char *name)
{
    char key[SNAPSHOT_KEY_MAX];
    snprintf(key, sizeof(key), "%s/%.63s", v->name, name);
    struct volume *s = snapshot_find(v->manager, key);
    return s != NULL ? s : snapshot_find(v->manager, name);
}

static int rollback_check(struct rollback_op *ro, struct volume *v,
                          const struct rollback_spec *spec, struct err *e)
{
    const struct lunmgr_events *events = &v->manager->events;
    unsigned sessions =
        events->volume_sessions == NULL ? 0 : events->volume_sessions(events->arg, v);
    if (sessions > 0 && !spec->fence)
        return err_set(e, -EBUSY, "fence",
                       "%u sessions see volume %s: detach it from its guests, or have it "
                       "fenced",
                       sessions, v->name);
    int rc = volume_unprotected(v, "volume", e);
    if (rc == 0)
        rc = volume_cleared(v, e);
    if (rc == 0)
        rc = volume_change_begin(v, e);
    if (rc != 0)
        return rc;
    ro->volume = v;
    op_about(&ro->op, v->id);
    struct volume *base = rollback_find(v, spec->snapshot);
    if (base == NULL || base->of != v || base->deleting)
        return err_set(e, -ENOENT, "snapshot", "volume %s has no snapshot %s", v->name,
                       spec->snapshot);
    rc = volume_pin(base, e);
    if (rc != 0)
        return rc;
    ro->base = base;
    uint64_t now = volume_size_bytes(v), then = volume_size_bytes(base);
    rc = guarantee_check(v->guaranteed_bytes, then, "snapshot", e);
    if (rc != 0)
        return rc;
    return promise_make(&ro->promise, v->pool, then > now ? then - now : 0, "snapshot",
                        e);
}

static int rollback_prepare(struct rollback_op *ro, const char *keep_name, struct err *e)
{
    char stamp[CATALOG_NAME_MAX];
    struct tm tm;
    time_t now = (time_t)now_s();
    if (keep_name == NULL) {
        gmtime_r(&now, &tm);
        strftime(stamp, sizeof(stamp), "rollback-%Y%m%dT%H%M%SZ", &tm);
        keep_name = stamp;
    }
    int rc = snapshot_name_check(ro->volume, keep_name, "keep_name", e);
    if (rc != 0)
        return rc;
    struct seal *seal = calloc(1, sizeof(*seal) + sizeof(seal->parts[0]));
    if (seal == NULL)
        return err_oom(e);
    ro->seal = seal;
    seal->pool = ro->volume->pool;
    seal->fence = FENCE_ALL;
    seal->record = ro->op.record;
    seal->committed = rollback_on_committed;
    seal->done = rollback_on_sealed;
    seal->arg = ro;
    seal->count = 1;
    struct seal_part *part = &seal->parts[0];
    part->volume = ro->volume;
    part->base = ro->base;
    part->snapshot = snapshot_prepare(ro->volume, keep_name, "", &part->row, e);
    part->fresh = layer_create(seal->pool, extents_for(volume_size_bytes(ro->base)), 0);
    return part->snapshot == NULL || part->fresh == NULL ? err_oom(e) : 0;
}

void volume_rollback(struct lunmgr *m, const char *name_or_id,
                     const struct rollback_spec *spec, volume_done_fn done, void *arg)
{
    struct rollback_op *ro = op_new(m, sizeof(*ro), rollback_end);
    struct err *e = op_err(&ro->op);
    struct volume *v = volume_find(m, name_or_id);
    ro->done = done;
    ro->arg = arg;
    int rc = v == NULL || v->deleting
                 ? err_set(e, -ENOENT, "volume", "there is no volume %s", name_or_id)
                 : rollback_check(ro, v, spec, e);
    if (rc == 0)
        rc = rollback_prepare(ro, spec->keep_name, e);
    if (rc != 0)
        op_end(&ro->op, rc);
    else if (op_is_dry(&ro->op))
        rollback_try(ro);
    else {
        v->rollback_count++;
        op_at_home(&ro->op, rollback_at_home, rollback_sealed);
    }
}
