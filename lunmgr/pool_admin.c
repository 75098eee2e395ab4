/* SPDX-License-Identifier: Apache-2.0 */
/* Making, describing and deleting pools. Control thread; what blocks goes to a
 * thread of its own. */
#include "base/log.h"
#include "lunmgr/op.h"
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
    struct device_row device_row;
    uint64_t size_bytes; /* of the device to be; 0: as it is */
    int fd;              /* the device while it is ours alone */
    bool direct, blocks;
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
        if (po->fd >= 0)
            close(po->fd);
        pool_free(po->pool);
        if (po->reserved)
            index_unreserve(&m->pools);
    }
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

/* The rows were refused: the device is nobody's again. */
static void pool_unformat(struct op *op)
{
    struct err ignored; /* the refusal is what the asker wants to know */
    char path[CATALOG_PATH_MAX];
    int rc = device_wipe_superblock(pool_op_of(op)->fd, &ignored);
    if (rc != 0)
        log_warning("a superblock stays on a device that joined no pool", "path=%s",
                    log_quote(path, sizeof(path), pool_op_of(op)->device_row.path));
}

/* The rows are committed or refused. */
static void pool_adopt(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    if (op->job.rc != 0) {
        if (op_is_dry(op))
            pool_created(op);
        else
            op_block(op, pool_unformat, pool_created);
        return;
    }
    struct device *d = po->pool->devices[0];
    d->row = po->device_row;
    d->fd = po->fd;
    d->direct = po->direct;
    d->blocks = po->blocks;
    stamps_add(op->manager, d);
    index_add(&op->manager->pools, po->pool->name, po->pool->id, po->pool);
    op_at_home(op, pool_start_rounds, pool_created);
}

static int pool_create_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    struct pool_op *po = container_of(job, struct pool_op, op.job);
    int rc = pool_row_add(txn, &po->row, e);
    return rc != 0 ? rc : device_row_add(txn, &po->device_row, e);
}

/* The device is formatted: its allocator now, so that nothing can fail after the commit.
 */
static void pool_formatted(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    if (op->job.rc != 0) {
        pool_created(op);
        return;
    }
    struct device *d = calloc(1, sizeof(*d));
    struct alloc *a = alloc_create(po->device_row.extents);
    if (d == NULL || a == NULL) {
        free(d);
        alloc_destroy(a);
        op_end(op, err_oom(op_err(op)));
        return;
    }
    atomic_init(&d->references, 1);
    d->fd = -1;
    d->alloc = a;
    d->manager = op->manager;
    d->pool_name = po->pool->name;
    po->pool->devices[0] = d;
    po->pool->device_count = 1;
    op_write(op, pool_create_work, pool_adopt);
}

static int superblock_write(struct pool_op *po, struct err *e)
{
    struct superblock sb = {.slot = po->device_row.slot,
                            .extents = po->device_row.extents,
                            .generation = po->device_row.generation};
    memcpy(sb.pool_id, po->device_row.pool_id, sizeof(sb.pool_id));
    memcpy(sb.device_id, po->device_row.id, sizeof(sb.device_id));
    memcpy(sb.box_id, po->op.manager->box_id, sizeof(sb.box_id));
    return device_write_superblock(po->fd, &sb, e);
}

static int device_format(struct pool_op *po, struct err *e)
{
    int rc = device_probe(po->device_row.path, po->size_bytes, &po->fd, &po->direct,
                          &po->device_row.extents, e);
    if (rc != 0)
        return rc;
    po->blocks = device_blocks(po->fd);
    return superblock_write(po, e);
}

static void pool_format(struct op *op)
{
    struct pool_op *po = pool_op_of(op);
    struct err *e = op_err(op);
    op->job.rc = op_is_dry(op) ? device_check(po->device_row.path, po->size_bytes,
                                              &po->device_row.extents, e)
                               : device_format(po, e);
    if (op->job.rc == 0 || e->field[0] == '\0')
        return;
    char field[ERR_FIELD_MAX];
    snprintf(field, sizeof(field), "devices/0/%.40s", e->field);
    memcpy(e->field, field, sizeof(e->field));
}

static int pool_spec_check(struct lunmgr *m, const struct pool_spec *spec, struct err *e)
{
    int rc = name_check(spec->name, "name", e);
    if (rc != 0)
        return rc;
    if (index_find(&m->pools, spec->name) != NULL)
        return err_set(e, -EEXIST, "name", "pool %s exists", spec->name);
    if (spec->device_count != 1)
        return err_set(e, -EINVAL, "devices", "a pool has one device for now, not %zu",
                       spec->device_count);
    const struct pool_device_spec *d = &spec->devices[0];
    if (d->path[0] != '/' || strlen(d->path) >= CATALOG_PATH_MAX)
        return err_set(e, -EINVAL, "devices/0/path",
                       "an absolute path of at most %d bytes is wanted",
                       CATALOG_PATH_MAX - 1);
    if (d->size_bytes != 0 && d->size_bytes < POOL_FILE_BYTES_MIN)
        return err_set(e, -EINVAL, "devices/0/size", "at least 1 MiB");
    if (d->size_bytes / EXTENT_BYTES >= PLACE_EXT_LIMIT)
        return err_set(e, -EINVAL, "devices/0/size", "at most 2 PiB");
    return 0;
}

void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct pool_op *po = op_new(m, sizeof(*po), pool_created);
    struct err *e = op_err(&po->op);
    po->done.created = done;
    po->arg = arg;
    po->fd = -1;
    int rc = pool_spec_check(m, spec, e);
    if (rc == 0) {
        rc = index_reserve(&m->pools) != 0 ? err_oom(e) : 0;
        po->reserved = rc == 0;
    }
    id_make(po->row.id);
    op_about(&po->op, po->row.id);
    po->row.created_s = now_s();
    if (rc == 0) {
        po->pool = pool_new(m, po->row.id, spec->name, po->row.created_s, e);
        rc = po->pool == NULL ? -ENOMEM : 0;
    }
    if (rc != 0) {
        op_end(&po->op, rc);
        return;
    }
    snprintf(po->row.name, sizeof(po->row.name), "%s", spec->name);
    po->device_row.slot = 1;
    po->device_row.generation = 2;
    id_make(po->device_row.id);
    memcpy(po->device_row.pool_id, po->row.id, sizeof(po->row.id));
    snprintf(po->device_row.path, sizeof(po->device_row.path), "%s",
             spec->devices[0].path);
    po->size_bytes = spec->devices[0].size_bytes;
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
    struct device *d = pool_op_of(op)->pool->devices[0];
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
    for (unsigned i = 0; i < po->pool->device_count; i++)
        stamps_remove(op->manager, po->pool->devices[i]);
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

/* The daemon's own check, after an unclean stop, is no job. */
static int pool_unchecked(struct pool *pool, struct err *e)
{
    const struct job *job = job_of_subject(pool->manager, pool->id);
    if (job != NULL)
        return err_set(e, -EBUSY, "pool",
                       "pool %s is in use by job %s (%s): wait for its end, or cancel it",
                       pool->name, job->row.id, job->kind->name);
    if (atomic_load(&pool->check_count) > 0)
        return err_set(e, -EBUSY, "pool", "pool %s is being checked", pool->name);
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
    int rc = pool_unchecked(pool, e);
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

static void device_describe(const struct device *d, struct pool_device_info *out)
{
    memcpy(out->id, d->row.id, sizeof(out->id));
    memcpy(out->path, d->row.path, sizeof(out->path));
    out->size_bytes = d->row.extents * EXTENT_BYTES;
    out->direct = d->direct;
    out->failed = atomic_load(&d->failed);
}

void pool_describe(const struct pool *pool, struct pool_info *out)
{
    *out = (struct pool_info){
        .created_s = pool->created_s,
        .size_bytes = pool_extents(pool) * EXTENT_BYTES,
        .free_bytes = pool_free_bytes(pool),
        .provisioned_bytes = pool->provisioned_bytes,
        .volume_count = pool->volume_count,
        .device_count = pool->device_count,
        .state = pool_is_failed(pool) ? "failed" : "online",
    };
    memcpy(out->id, pool->id, sizeof(out->id));
    memcpy(out->name, pool->name, sizeof(out->name));
    for (unsigned i = 0; i < pool->device_count; i++)
        device_describe(pool->devices[i], &out->devices[i]);
    out->used_bytes = out->size_bytes - out->free_bytes;
}
