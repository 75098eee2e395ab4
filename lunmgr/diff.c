/* SPDX-License-Identifier: Apache-2.0 */
/* Who is compared with whom, and slice after slice. A snapshot's words are all in the
 * catalog; a volume's are after a round, for which the volume is pinned, and that is the
 * only time that a walk holds anything. */
#include "lunmgr/diff.h"

#include "lunmgr/diff_walk.h"
#include "lunmgr/op.h"
#include "lunmgr/round.h"
#include "lunmgr/snapshot.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct point {
    char id[CATALOG_ID_MAX]; /* "": none */
    unsigned rollback_count; /* of the volume, as it began */
};

struct diff {
    struct lunmgr *manager;
    struct point of, from;
    struct volume *live; /* pinned until its round has ended; NULL: none, or it has */
    bool is_asked, is_orphan, is_over;
    diff_slice_fn done;
    void *arg;
    struct diff_walk walk;
};

struct diff_op {
    struct op op;
    struct diff *diff;
    struct round_wait round;
};

static struct diff_op *diff_op_of(struct op *op)
{
    return container_of(op, struct diff_op, op);
}

/* ---- The points ------------------------------------------------------------------ */

static struct volume *point_find(struct lunmgr *m, const char *name)
{
    struct volume *v = snapshot_find(m, name);
    if (v == NULL)
        v = volume_find(m, name);
    return v == NULL || v->deleting ? NULL : v;
}

/* A name alone is first that of a snapshot of the same volume. */
static struct volume *from_find(struct volume *of, const char *name)
{
    char key[SNAPSHOT_KEY_MAX];
    const struct volume *volume = volume_is_snapshot(of) ? of->of : of;
    snprintf(key, sizeof(key), "%s/%.63s", volume->name, name);
    struct volume *own = snapshot_find(of->manager, key);
    return own != NULL && !own->deleting ? own : point_find(of->manager, name);
}

static void point_set(struct point *p, const struct volume *v)
{
    snprintf(p->id, sizeof(p->id), "%s", v->id);
    p->rollback_count = v->rollback_count;
}

/* What the walk has seen so far is of what the point is now. */
static int point_check(struct lunmgr *m, const struct point *p, struct err *e)
{
    if (p->id[0] == '\0')
        return 0;
    const struct volume *v = point_find(m, p->id);
    if (v == NULL)
        return err_set(e, -ENOENT, NULL, "%s is gone", p->id);
    if (v->rollback_count != p->rollback_count)
        return err_set(e, -EBUSY, NULL, "volume %s was rolled back meanwhile: ask again",
                       v->name);
    return 0;
}

/* ---- A slice --------------------------------------------------------------------- */

static void diff_free(struct diff *d)
{
    if (d->live != NULL)
        volume_unpin(d->live);
    free(d);
}

static void slice_tell(struct diff *d, int rc, struct err *e)
{
    const struct diff_walk *w = &d->walk;
    if (rc == 0)
        rc = point_check(d->manager, &d->of, e);
    if (rc == 0)
        rc = point_check(d->manager, &d->from, e);
    const struct diff_slice slice = {.ranges = w->ranges,
                                     .count = w->count,
                                     .is_last = w->at_bytes == w->end_bytes,
                                     .size_bytes = w->size_bytes};
    d->is_over = rc != 0 || slice.is_last;
    d->done(d->arg, rc == 0 ? &slice : NULL, rc == 0 ? NULL : e);
}

static void diff_op_end(struct op *op)
{
    struct diff *d = diff_op_of(op)->diff;
    struct err e = *op_err(op);
    int rc = op->job.rc;
    op_free(op);
    d->is_asked = false;
    if (d->is_orphan)
        diff_free(d);
    else
        slice_tell(d, rc, &e); /* which may destroy it */
}

static int slice_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct diff *d = container_of(job, struct diff_op, op.job)->diff;
    d->walk.count = 0;
    return diff_walk_slice(txn, &d->walk, e);
}

/* ---- Before the first ------------------------------------------------------------ */

static void settle_on_round(struct round_wait *wait)
{
    struct diff_op *x = container_of(wait, struct diff_op, round);
    x->op.job.rc = wait->rc == 0 ? 0
                                 : err_set(op_err(&x->op), wait->rc, NULL,
                                           "what was written could not be made durable "
                                           "before the list");
    op_return(&x->op);
}

static void settle_at_home(struct op *op)
{
    struct diff_op *x = diff_op_of(op);
    const struct volume *v = x->diff->live;
    const struct layer *top = volume_top((struct volume *)v);
    x->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(op->manager)),
                                   .done = settle_on_round,
                                   .scope = round_scope(top),
                                   .family = top->family};
    round_join(v->pool, &x->round);
}

static void diff_on_settled(struct op *op)
{
    struct diff *d = diff_op_of(op)->diff;
    volume_unpin(TAKE(d->live));
    if (op->job.rc != 0)
        diff_op_end(op);
    else
        op_read(op, slice_work, diff_op_end);
}

void diff_next(struct diff *d)
{
    assert(!d->is_asked && !d->is_over);
    struct diff_op *x = op_new(d->manager, sizeof(*x), diff_op_end);
    x->diff = d;
    d->is_asked = true;
    if (d->live != NULL)
        op_at_home(&x->op, settle_at_home, diff_on_settled);
    else
        op_read(&x->op, slice_work, diff_op_end);
}

/* ---- Life ------------------------------------------------------------------------ */

static void bounds_set(struct diff_walk *w, const struct diff_spec *spec)
{
    uint64_t end, block = BLOCK_BYTES;
    if (__builtin_add_overflow(spec->offset_bytes, spec->length_bytes, &end) ||
        end > VOLUME_BYTES_MAX)
        end = VOLUME_BYTES_MAX;
    w->end_bytes = (end + block - 1) / block * block;
    w->at_bytes = spec->offset_bytes / block * block;
    w->zeros = spec->zeros;
}

/* 0, or -EBUSY: a rollback, or another change, is under way. */
static int diff_pin(struct diff *d, struct volume *v, struct err *e)
{
    if (v == NULL || volume_is_snapshot(v))
        return 0;
    int rc = volume_pin(v, e);
    if (rc != 0 || d->live == NULL) {
        d->live = rc == 0 ? v : d->live;
        return rc;
    }
    volume_unpin(v); /* both are of one family, if they are comparable: one round */
    return 0;
}

int diff_create(struct lunmgr *m, struct volume *of, const struct diff_spec *spec,
                diff_slice_fn done, void *arg, struct diff **out, struct err *e)
{
    struct volume *from = spec->from == NULL ? NULL : from_find(of, spec->from);
    if (spec->from != NULL && from == NULL)
        return err_set(e, -ENOENT, "from", "there is no snapshot or volume %s",
                       spec->from);
    struct diff *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_oom(e);
    int rc = diff_pin(d, of, e);
    if (rc == 0)
        rc = diff_pin(d, from, e);
    if (rc != 0) {
        diff_free(d);
        return rc;
    }
    d->manager = m;
    d->done = done;
    d->arg = arg;
    point_set(&d->of, of);
    if (from != NULL)
        point_set(&d->from, from);
    snprintf(d->walk.of_id, sizeof(d->walk.of_id), "%s", d->of.id);
    snprintf(d->walk.from_id, sizeof(d->walk.from_id), "%s", d->from.id);
    bounds_set(&d->walk, spec);
    *out = d;
    return 0;
}

void diff_destroy(struct diff *d)
{
    if (d == NULL)
        return;
    if (d->is_asked)
        d->is_orphan = true;
    else
        diff_free(d);
}
