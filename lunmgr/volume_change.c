/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a volume or a snapshot: name, labels, flags, size. All that a change names is
 * one transaction. A volume that grows has its room first, then the row, then the new
 * size is served and initiators are told. One that shrinks has the row first: from then
 * on nobody reads or writes beyond its new end; what lies there is cleared, so that a
 * later growth shows zeros; a crash between leaves the row's wipe_bytes, and the next
 * start goes on (wipe.c). A wipe that failed is done before the next growth, by a change
 * to the same size, or with the next shrink.
 */
#include "lunmgr/guarantee.h"
#include "lunmgr/label.h"
#include "lunmgr/op.h"
#include "lunmgr/overcommit.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"
#include "lunmgr/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change_op {
    struct op op;
    struct volume *volume; /* being changed */
    char name[CATALOG_NAME_MAX];
    uint64_t size_bytes; /* the new one; the old one if it stays */
    uint64_t wipe_bytes;
    bool is_protected, zero_detect;
    uint64_t guaranteed_bytes;
    struct qos qos;
    struct promise promise;
    bool sets_labels;
    struct label_list labels; /* own copy */
    struct label *own_labels;
    volume_done_fn done;
    void *arg;
};

static struct change_op *change_op_of(struct op *op)
{
    return container_of(op, struct change_op, op);
}

static bool change_resizes(const struct change_op *co)
{
    return co->size_bytes != volume_size_bytes(co->volume);
}

static bool change_limits(const struct change_op *co)
{
    return !qos_equals(&co->qos, &co->volume->qos);
}

/* What an earlier shrink left is to be cleared first: a growth would show it; the same
 * size again asks for it. */
static bool change_clears(const struct change_op *co, const struct volume_change *change)
{
    uint64_t old = volume_size_bytes(co->volume);
    return change->size_bytes >= old && co->volume->wipe_bytes > old;
}

/* ---- The end --------------------------------------------------------------------- */

static void change_end(struct op *op)
{
    struct change_op *co = change_op_of(op);
    promise_end(&co->promise);
    if (co->volume != NULL && !volume_is_snapshot(co->volume))
        guarantee_settle(co->volume);
    if (co->volume != NULL)
        volume_change_end(co->volume);
    free(co->own_labels);
    co->done(co->arg, op->job.rc == 0 ? co->volume : NULL, op_outcome(op));
    op_free(op);
}

/* ---- The size -------------------------------------------------------------------- */

/* The volume is smaller, whatever came of the rest. */
static void change_on_wiped(void *arg, const struct err *e)
{
    struct change_op *co = arg;
    if (e != NULL)
        wipe_log_failure(co->volume, e);
    change_end(&co->op);
}

static void resize_told(struct op *op)
{
    struct change_op *co = change_op_of(op);
    if (co->wipe_bytes > co->size_bytes)
        wipe_start(co->volume, change_on_wiped, co);
    else
        change_end(op);
}

static void resize_adopt(struct op *op)
{
    struct change_op *co = change_op_of(op);
    struct volume *v = co->volume;
    uint64_t old = volume_size_bytes(v);
    v->wipe_bytes = co->wipe_bytes;
    v->pool->provisioned_bytes += co->size_bytes - old;
    atomic_store(&v->size_bytes, co->size_bytes);
    op_tell(op, v, VOLUME_RESIZED, resize_told);
}

/* ---- The rest -------------------------------------------------------------------- */

static void rest_adopted(struct op *op)
{
    if (change_resizes(change_op_of(op)))
        resize_adopt(op);
    else
        change_end(op);
}

static void volume_rename(struct volume *v, const char *name)
{
    struct lunmgr *m = v->manager;
    if (strcmp(v->name, name) == 0)
        return;
    if (volume_is_snapshot(v)) {
        index_remove_for_now(&m->snapshots, v->key, v->id);
        memcpy(v->name, name, sizeof(v->name));
        snapshot_set_key(v);
        index_add(&m->snapshots, v->key, v->id, v);
        return;
    }
    index_remove_for_now(&m->volumes, v->name, v->id);
    memcpy(v->name, name, sizeof(v->name));
    index_add(&m->volumes, v->name, v->id, v);
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot) {
        index_remove_for_now(&m->snapshots, s->key, s->id);
        snapshot_set_key(s);
        index_add(&m->snapshots, s->key, s->id, s);
    }
}

static void change_adopt(struct op *op)
{
    struct change_op *co = change_op_of(op);
    struct volume *v = co->volume;
    if (op->job.rc != 0) {
        change_end(op);
        return;
    }
    volume_rename(v, co->name);
    v->is_protected = co->is_protected;
    v->guaranteed_bytes = co->guaranteed_bytes;
    atomic_store(&v->zero_detect, co->zero_detect);
    if (co->sets_labels) {
        free(v->labels);
        v->labels = co->own_labels;
        v->label_count = co->labels.count;
        co->own_labels = NULL;
    }
    bool limits = change_limits(co);
    v->qos = co->qos;
    if (limits)
        op_settle(op, rest_adopted);
    else
        rest_adopted(op);
}

static int change_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct change_op *co = container_of(job, struct change_op, op.job);
    struct volume_row row;
    int rc = volume_row_get(txn, co->volume->id, &row, e);
    if (rc != 0)
        return rc;
    bool grows = co->size_bytes > row.size_bytes;
    memcpy(row.name, co->name, sizeof(row.name));
    row.size_bytes = co->size_bytes;
    row.wipe_bytes = co->wipe_bytes;
    row.is_protected = co->is_protected;
    row.zero_detect = co->zero_detect;
    row.guaranteed_bytes = co->guaranteed_bytes;
    rc = volume_row_change(txn, &row, e);
    if (rc == 0 && grows)
        rc = layer_row_set_size(txn, row.top_layer, extents_for(row.size_bytes), e);
    if (rc == 0 && change_limits(co))
        rc = qos_row_set(txn, QOS_OF_VOLUME, row.id, &co->qos, e);
    if (rc == 0 && co->sets_labels)
        rc = labels_store(txn, row.id, co->labels, e);
    return rc;
}

static void change_store(struct op *op)
{
    if (op->job.rc != 0)
        change_end(op);
    else
        op_write(op, change_work, change_adopt);
}

static void change_make_room(struct op *op)
{
    struct change_op *co = change_op_of(op);
    uint64_t extents = extents_for(co->size_bytes);
    struct layer *top = volume_top(co->volume);
    if (extents > atomic_load(&top->size_extents) && layer_grow(top, extents) != 0)
        op->job.rc = err_oom(op_err(op));
    op_return(op);
}

/* ---- The beginning --------------------------------------------------------------- */

static int size_change_check(struct change_op *co, const struct volume_change *change,
                             struct err *e)
{
    struct volume *v = co->volume;
    uint64_t old = volume_size_bytes(v);
    co->size_bytes = change->size_bytes == 0 ? old : change->size_bytes;
    co->wipe_bytes = v->wipe_bytes;
    if (co->size_bytes % BLOCK_BYTES != 0 || co->size_bytes > VOLUME_BYTES_MAX)
        return err_set(e, -EINVAL, "size",
                       "a multiple of 4096 bytes, from 4096 to 128 TiB, is wanted");
    if (co->size_bytes >= old)
        return promise_make(&co->promise, v->pool, co->size_bytes - old, "size", e);
    if (!change->allow_data_loss)
        return err_set(e, -EINVAL, "size",
                       "it has %llu bytes: a smaller size loses data, and wants "
                       "allow_data_loss",
                       (unsigned long long)old);
    if (co->wipe_bytes < old) /* what an earlier one left is cleared with this one's */
        co->wipe_bytes = old;
    return co->is_protected ? volume_unprotected(v, "size", e) : 0;
}

/* More is reserved before it is promised. */
static int guarantee_change_check(struct change_op *co, const uint64_t *bytes,
                                  struct err *e)
{
    struct volume *v = co->volume;
    co->guaranteed_bytes = bytes == NULL ? v->guaranteed_bytes : *bytes;
    int rc = guarantee_check(co->guaranteed_bytes, co->size_bytes,
                             bytes == NULL ? "size" : "guaranteed", e);
    if (rc != 0 || co->guaranteed_bytes <= v->guaranteed_bytes)
        return rc;
    return guarantee_reserve(volume_top(v), co->guaranteed_bytes, op_is_dry(&co->op), e);
}

static int name_change_check(struct change_op *co, const char *name, struct err *e)
{
    struct volume *v = co->volume;
    memcpy(co->name, v->name, sizeof(co->name));
    if (name == NULL || strcmp(name, v->name) == 0)
        return 0;
    int rc = name_check(name, "name", e);
    if (rc == 0 && volume_is_snapshot(v))
        rc = snapshot_name_check(v->of, name, "name", e);
    if (rc == 0 && !volume_is_snapshot(v) && volume_find(v->manager, name) != NULL)
        rc = err_set(e, -EEXIST, "name", "volume %s exists", name);
    if (rc == 0)
        snprintf(co->name, sizeof(co->name), "%s", name);
    return rc;
}

static int labels_change_check(struct change_op *co, const struct label_list *labels,
                               struct err *e)
{
    co->sets_labels = labels != NULL;
    int rc = labels == NULL ? 0 : labels_check(*labels, e);
    if (rc != 0 || labels == NULL || labels->count == 0)
        return rc;
    struct volume sorted = {.labels = NULL}; /* labels_set sorts */
    if (labels_set(&sorted, *labels) != 0)
        return err_oom(e);
    co->own_labels = sorted.labels;
    co->labels = labels_of(&sorted);
    return 0;
}

static int change_check(struct change_op *co, const struct volume_change *change,
                        struct err *e)
{
    struct volume *v = co->volume;
    co->is_protected =
        change->is_protected == NULL ? v->is_protected : *change->is_protected;
    co->zero_detect =
        change->zero_detect == NULL ? atomic_load(&v->zero_detect) : *change->zero_detect;
    co->qos = v->qos;
    int rc = name_change_check(co, change->name, e);
    if (rc == 0)
        rc = size_change_check(co, change, e);
    if (rc == 0)
        rc = qos_apply(&co->qos, change->qos, e);
    if (rc == 0)
        rc = labels_change_check(co, change->labels, e);
    return rc != 0 ? rc : guarantee_change_check(co, change->guaranteed_bytes, e);
}

/* What an earlier shrink has cut off would be seen again by one that grows. */
static void change_on_cleared(void *arg, const struct err *e)
{
    struct change_op *co = arg;
    if (e != NULL) {
        *op_err(&co->op) = *e;
        co->op.job.rc = e->code;
        change_end(&co->op);
        return;
    }
    co->wipe_bytes = 0;
    op_at_home(&co->op, change_make_room, change_store);
}

/* volume NULL: there is none of that name. */
static void change_start(struct lunmgr *m, struct volume *volume, const char *kind,
                         const char *name, const struct volume_change *change,
                         volume_done_fn done, void *arg)
{
    struct change_op *co = op_new(m, sizeof(*co), change_end);
    struct err *e = op_err(&co->op);
    co->done = done;
    co->arg = arg;
    int rc = volume == NULL || volume->deleting
                 ? err_set(e, -ENOENT, kind, "there is no %s %s", kind, name)
                 : volume_change_begin(volume, e);
    if (rc == 0) {
        co->volume = volume;
        op_about(&co->op, volume->id);
        rc = change_check(co, change, e);
    }
    if (rc != 0)
        op_end(&co->op, rc);
    else if (op_is_dry(&co->op))
        change_store(&co->op); /* nothing is cleared, no room is made */
    else if (change_clears(co, change))
        wipe_start(volume, change_on_cleared, co);
    else
        op_at_home(&co->op, change_make_room, change_store);
}

void volume_change(struct lunmgr *m, const char *name_or_id,
                   const struct volume_change *change, volume_done_fn done, void *arg)
{
    change_start(m, volume_find(m, name_or_id), "volume", name_or_id, change, done, arg);
}

void snapshot_change(struct lunmgr *m, const char *key_or_id,
                     const struct volume_change *change, volume_done_fn done, void *arg)
{
    assert(change->size_bytes == 0 && change->zero_detect == NULL &&
           change->qos == NULL && change->guaranteed_bytes == NULL);
    change_start(m, snapshot_find(m, key_or_id), "snapshot", key_or_id, change, done,
                 arg);
}
