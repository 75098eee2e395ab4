/* SPDX-License-Identifier: Apache-2.0 */
/* Making volumes: empty ones, and clones, whose stack begins at a snapshot's layer. */
#include "lunmgr/guarantee.h"
#include "lunmgr/label.h"
#include "lunmgr/op.h"
#include "lunmgr/overcommit.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct create_op {
    struct op op;
    struct volume *volume;
    struct layer *top;   /* the volume's to be */
    struct volume *base; /* the snapshot, pinned; NULL: none */
    struct shape_wait turn;
    struct volume_row row;
    struct qos qos;
    struct promise promise;
    bool reserved;
    volume_done_fn done;
    void *arg;
};

static struct create_op *create_op_of(struct op *op)
{
    return container_of(op, struct create_op, op);
}

/* What the volume's layer is to stand on; NULL: nothing. */
static struct layer *base_layer(const struct create_op *co)
{
    return co->base == NULL ? NULL : volume_top(co->base);
}

/* ---- The end --------------------------------------------------------------------- */

static void create_forget_top(struct create_op *co)
{
    uint64_t short_of;
    if (co->top != NULL && space_guarantee(co->top, 0, false, &short_of) == 0)
        layer_destroy(co->top);
}

static void create_end(struct op *op)
{
    struct create_op *co = create_op_of(op);
    struct volume *v = co->volume;
    bool good = op->job.rc == 0;
    promise_end(&co->promise);
    if (co->base != NULL)
        volume_unpin(co->base);
    if (!good && v != NULL) {
        v->pool->volume_count--;
        create_forget_top(co);
        volume_set_base(v, NULL);
        volume_put(v);
    }
    if (!good && co->reserved)
        index_unreserve(&op->manager->volumes);
    co->done(co->arg, good ? v : NULL, op_outcome(op));
    op_free(op);
}

/* A clone, committed or not: on the home loop the layer takes its place, the turn ends.
 */
static void create_link(struct op *op)
{
    struct create_op *co = create_op_of(op);
    if (op->job.rc == 0)
        layer_link(co->top, base_layer(co), co->volume);
    shape_leave(co->volume->pool);
    op_return(op);
}

static void create_adopt(struct op *op)
{
    struct create_op *co = create_op_of(op);
    struct volume *v = co->volume;
    if (op->job.rc == 0) {
        volume_set_top(v, co->top);
        volume_identify(v, co->row.naa_serial);
        v->pool->provisioned_bytes += v->size_bytes;
        index_add(&op->manager->volumes, v->name, v->id, v);
        co->reserved = false;
    }
    /* Nobody knows of a layer that begins on nothing. A clone's has a place in the tree.
     */
    if (co->base != NULL) {
        op_at_home(op, create_link, create_end);
        return;
    }
    if (op->job.rc == 0)
        layer_link(co->top, NULL, v);
    create_end(op);
}

/* ---- The rows -------------------------------------------------------------------- */

static int create_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct create_op *co = container_of(job, struct create_op, op.job);
    struct layer_row layer = {
        .id = co->top->id,
        .parent = co->base == NULL ? 0 : base_layer(co)->id,
        .size_extents = atomic_load(&co->top->size_extents),
    };
    struct box_row box;
    memcpy(layer.pool_id, co->row.pool_id, sizeof(layer.pool_id));
    int rc = box_get(txn, &box, e);
    if (rc != 0)
        return rc;
    co->row.naa_serial = ++box.naa_serial;
    co->row.top_layer = layer.id;
    rc = box_set(txn, &box, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    if (rc == 0)
        rc = volume_row_add(txn, &co->row, e);
    if (rc == 0 && qos_is_limited(&co->qos))
        rc = qos_row_set(txn, QOS_OF_VOLUME, co->row.id, &co->qos, e);
    return rc != 0 ? rc : labels_store(txn, co->row.id, labels_of(co->volume), e);
}

static void create_store(struct op *op)
{
    struct create_op *co = create_op_of(op);
    /* Its id is higher than its base's. */
    layer_set_id(co->top, lunmgr_next_layer_id(op->manager), base_layer(co));
    op_write(op, create_work, create_adopt);
}

/* The base's layer stays what it is until create_link. */
static void create_on_turn(struct note *note)
{
    op_return(&container_of(note, struct create_op, turn.note)->op);
}

static void create_take_turn(struct op *op)
{
    struct create_op *co = create_op_of(op);
    co->turn = (struct shape_wait){.note.run = create_on_turn};
    shape_enter(co->volume->pool, &co->turn);
}

/* ---- The beginning --------------------------------------------------------------- */

static int size_check(uint64_t size_bytes, struct err *e)
{
    if (size_bytes == 0 || size_bytes % BLOCK_BYTES != 0 || size_bytes > VOLUME_BYTES_MAX)
        return err_set(e, -EINVAL, "size",
                       "a multiple of 4096 bytes, from 4096 to 128 TiB, is wanted");
    return 0;
}

static bool is_block_size(uint32_t bytes)
{
    return bytes == SECTOR_BYTES || bytes == BLOCK_BYTES;
}

/* Fills in what was left to us. */
static int blocks_check(struct volume_row *row, struct err *e)
{
    if (row->block_bytes == 0)
        row->block_bytes = SECTOR_BYTES;
    if (!is_block_size(row->block_bytes))
        return err_set(e, -EINVAL, "block_size", "512 or 4096 is wanted");
    if (row->physical_bytes == 0)
        row->physical_bytes = BLOCK_BYTES;
    if (!is_block_size(row->physical_bytes) || row->physical_bytes < row->block_bytes)
        return err_set(e, -EINVAL, "physical_block_size",
                       "512 or 4096 is wanted, at least the block size");
    return 0;
}

/* Fills in what a clone takes from its snapshot. */
static int clone_check(struct lunmgr *m, const struct volume_spec *spec,
                       struct volume_row *row, struct volume **base, struct err *e)
{
    *base = snapshot_find(m, spec->snapshot);
    if (*base == NULL || (*base)->deleting)
        return err_set(e, -ENOENT, "snapshot", "there is no snapshot %s", spec->snapshot);
    if (row->size_bytes == 0)
        row->size_bytes = volume_size_bytes(*base);
    if (row->size_bytes < volume_size_bytes(*base))
        return err_set(e, -EINVAL, "size",
                       "a clone is at least as large as its snapshot: %llu bytes",
                       (unsigned long long)volume_size_bytes(*base));
    if (row->block_bytes == 0)
        row->block_bytes = (*base)->block_bytes;
    if (row->block_bytes != (*base)->block_bytes)
        return err_set(e, -EINVAL, "block_size", "a clone's is its snapshot's: %u",
                       (*base)->block_bytes);
    if (row->physical_bytes == 0)
        row->physical_bytes = (*base)->physical_bytes;
    if (row->physical_bytes != (*base)->physical_bytes)
        return err_set(e, -EINVAL, "physical_block_size",
                       "a clone's is its snapshot's: %u", (*base)->physical_bytes);
    memcpy(row->origin, (*base)->id, sizeof(row->origin));
    return 0;
}

static int pool_of_spec(struct lunmgr *m, const struct volume_spec *spec,
                        const struct volume *base, struct pool **pool, struct err *e)
{
    *pool = spec->pool == NULL && base != NULL ? base->pool : pool_find(m, spec->pool);
    if (*pool == NULL || (*pool)->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", spec->pool);
    if (base != NULL && *pool != base->pool)
        return err_set(e, -EINVAL, "pool", "a clone is in its snapshot's pool: %s",
                       base->pool->name);
    return 0;
}

static int spec_check(struct create_op *co, const struct volume_spec *spec,
                      struct pool **pool, struct err *e)
{
    struct lunmgr *m = co->op.manager;
    struct volume *base = NULL;
    co->row = (struct volume_row){.size_bytes = spec->size_bytes,
                                  .block_bytes = spec->block_bytes,
                                  .physical_bytes = spec->physical_bytes};
    int rc = name_check(spec->name, "name", e);
    if (rc == 0 && spec->snapshot != NULL)
        rc = clone_check(m, spec, &co->row, &base, e);
    if (rc == 0)
        rc = size_check(co->row.size_bytes, e);
    if (rc == 0)
        rc = blocks_check(&co->row, e);
    if (rc == 0)
        rc = guarantee_check(spec->guaranteed_bytes, co->row.size_bytes, "guaranteed", e);
    if (rc != 0)
        return rc;
    rc = pool_of_spec(m, spec, base, pool, e);
    if (rc == 0)
        rc = labels_check(spec->labels, e);
    if (rc == 0)
        rc = qos_apply(&co->qos, spec->qos, e);
    if (rc != 0)
        return rc;
    if (volume_find(m, spec->name) != NULL)
        return err_set(e, -EEXIST, "name", "volume %s exists", spec->name);
    rc = base == NULL ? 0 : volume_pin(base, e);
    if (rc == 0)
        co->base = base;
    return rc;
}

static void row_fill(struct create_op *co, const struct volume_spec *spec,
                     const struct pool *pool)
{
    struct volume_row checked = co->row;
    volume_row_begin(&co->row, pool, spec->name);
    if (spec->id != NULL)
        memcpy(co->row.id, spec->id, sizeof(co->row.id));
    co->row.size_bytes = checked.size_bytes;
    co->row.block_bytes = checked.block_bytes;
    co->row.physical_bytes = checked.physical_bytes;
    memcpy(co->row.origin, checked.origin, sizeof(co->row.origin));
    op_about(&co->op, co->row.id);
    co->row.is_protected = spec->is_protected;
    co->row.zero_detect = spec->zero_detect;
    co->row.guaranteed_bytes = spec->guaranteed_bytes;
}

/* What could fail after the commit is had before it. */
static int create_prepare(struct create_op *co, const struct volume_spec *spec,
                          struct pool *pool, struct err *e)
{
    struct lunmgr *m = pool->manager;
    row_fill(co, spec, pool);
    int rc = promise_make(&co->promise, pool, co->row.size_bytes, "size", e);
    if (rc != 0)
        return rc;
    if (index_reserve(&m->volumes) != 0)
        return err_oom(e);
    co->reserved = true;
    co->volume = volume_new(pool, &co->row);
    if (co->volume == NULL)
        return err_oom(e);
    co->volume->qos = co->qos;
    pool->volume_count++;
    volume_set_base(co->volume, co->base);
    co->top = layer_create(pool, extents_for(co->row.size_bytes), 0);
    if (co->top == NULL || labels_set(co->volume, spec->labels) != 0)
        return err_oom(e);
    return guarantee_reserve(co->top, spec->guaranteed_bytes, false, e);
}

void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg)
{
    struct create_op *co = op_new(m, sizeof(*co), create_end);
    struct err *e = op_err(&co->op);
    struct pool *pool = NULL;
    co->done = done;
    co->arg = arg;
    int rc = spec_check(co, spec, &pool, e);
    if (rc == 0)
        rc = create_prepare(co, spec, pool, e);
    if (rc != 0)
        op_end(&co->op, rc);
    else if (co->base != NULL)
        op_at_home(&co->op, create_take_turn, create_store);
    else
        create_store(&co->op);
}
