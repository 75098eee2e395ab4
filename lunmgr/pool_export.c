/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an export. From the first on until the end nobody else can change the pool
 * or its volumes; until the rows have left, all can be as it was. */
#include "lunmgr/pool_move.h"

#include "base/log.h"
#include "lunmgr/identity.h"
#include "lunmgr/load_pool.h"
#include "lunmgr/op.h"
#include "lunmgr/sanitize_priv.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS_MAX  1000 /* until it rests; each waits for I/O of other pools, too */
#define IO_PAUSE_US 1000

struct export_op {
    struct op op;
    struct pool *pool; /* taken: nobody else's until it is let go */
    char path[CATALOG_PATH_MAX];
    struct identity_rule rule;
    struct round_wait round;
    unsigned rounds;
    uint64_t generations; /* the sum of the devices', which only goes up: the file's */
    struct err why;       /* it failed while what is done is undone; code 0: it has not */
    done_fn done;
    void *arg;
};

static struct export_op *export_of(struct op *op)
{
    return container_of(op, struct export_op, op);
}

/* ---- Taking it: nobody else changes it --------------------------------------------- */

/* dry: others are told that it is busy, not that it is gone. */
static int volume_take(struct volume *v, bool dry, struct err *e)
{
    if (v->mapping_count > 0)
        return err_set(e, -EBUSY, "pool",
                       "%s %s is mapped to %u hosts: unmap it first; hosts are the box's "
                       "and do not go along",
                       volume_is_snapshot(v) ? "snapshot" : "volume", v->name,
                       v->mapping_count);
    if (volume_sanitize_state(v, NULL) == SANITIZE_FAILED)
        return err_set(e, -EBUSY, "pool", "the last sanitize of volume %s failed",
                       v->name);
    if (atomic_load(&v->references) > 1 + v->clone_count)
        return err_set(e, -EBUSY, "pool",
                       "volume %s was unmapped just now, and a session is not done with "
                       "it: try again",
                       v->name);
    int rc = volume_change_begin(v, e);
    if (rc == 0)
        v->deleting = !dry;
    else
        snprintf(e->field, sizeof(e->field), "pool");
    return rc;
}

static void volume_let_go(struct volume *v)
{
    v->deleting = false;
    volume_change_end(v);
}

/* Of the pool's volumes, those in the trash last; after NULL: the first. */
static struct volume *volume_after(const struct pool *pool, const struct volume *v)
{
    struct lunmgr *m = pool->manager;
    if (v == NULL || v->trashed_s == 0) {
        while ((v = volume_next(m, v)) != NULL && v->pool != pool)
            ;
        if (v != NULL)
            return (struct volume *)(uintptr_t)v;
    }
    while ((v = volume_trash_next(m, v)) != NULL && v->pool != pool)
        ;
    return (struct volume *)(uintptr_t)v;
}

/* The same, after each its snapshots. */
static struct volume *whole_after(const struct pool *pool, const struct volume *v)
{
    if (v == NULL)
        return volume_after(pool, NULL);
    struct volume *s = volume_is_snapshot(v) ? v->next_snapshot : v->first_snapshot;
    return s != NULL ? s : volume_after(pool, volume_is_snapshot(v) ? v->of : v);
}

/* Up to `end`, NULL: all. */
static void volumes_let_go(struct pool *pool, const struct volume *end)
{
    for (struct volume *v = NULL; (v = whole_after(pool, v)) != end;)
        volume_let_go(v);
}

static int volumes_take(struct pool *pool, bool dry, struct err *e)
{
    uint32_t count = 0;
    for (struct volume *v = NULL; (v = whole_after(pool, v)) != NULL;) {
        int rc = volume_take(v, dry, e);
        if (rc != 0) {
            volumes_let_go(pool, v);
            return rc;
        }
        count += !volume_is_snapshot(v);
    }
    if (count == pool->volume_count)
        return 0;
    volumes_let_go(pool, NULL);
    return err_set(e, -EBUSY, "pool", "a volume of pool %s is being made", pool->name);
}

static int pool_take_whole(struct pool *pool, bool dry, struct err *e)
{
    int rc = pool_unoccupied(pool, e);
    if (rc == 0 && pool_is_degraded(pool))
        rc = err_set(e, -EBUSY, "pool",
                     "a device of pool %s has failed or is missing: a pool goes whole",
                     pool->name);
    if (rc == 0)
        rc = volumes_take(pool, dry, e);
    if (rc != 0)
        return rc;
    rc = rods_leave(pool, dry, e);
    if (rc != 0)
        volumes_let_go(pool, NULL);
    if (rc != 0)
        return rc;
    pool->deleting = !dry;
    atomic_fetch_add(&pool->check_count, 1); /* it stays as it is until export_end */
    return 0;
}

static void export_end(struct op *op)
{
    struct export_op *x = export_of(op);
    if (x->why.code != 0) {
        op->job.err = x->why;
        op->job.rc = x->why.code;
    }
    if (x->pool != NULL) {
        x->pool->deleting = false;
        atomic_fetch_sub(&x->pool->check_count, 1);
        volumes_let_go(x->pool, NULL);
    }
    x->done(x->arg, op_outcome(op));
    op_free(op);
}

/* ---- Back to how it was ------------------------------------------------------------ */

static void export_serve_at_home(struct op *op)
{
    struct pool *pool = export_of(op)->pool;
    discard_go_on(pool);
    round_start(pool);
    op_return(op);
}

static void export_serve(struct op *op)
{
    op_at_home(op, export_serve_at_home, export_end);
}

static void export_failed(struct op *op)
{
    export_of(op)->why = *op_err(op);
    export_serve(op);
}

static void export_raised_again(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    char reason[ERR_TEXT_MAX];
    if (job->rc != 0)
        log_warning("a pool's file may go with its devices until the next start",
                    "reason=%s", log_quote(reason, sizeof(reason), job->err.text));
    export_serve(op);
}

static void export_remove(struct op *op)
{
    (void)unlink(export_of(op)->path);
}

/* Whoever has a copy of the file: it is older than the devices from now on. */
static void export_removed(struct op *op)
{
    op->job.done = export_raised_again;
    catalog_raise(lunmgr_catalog(op->manager), &op->job);
}

/* ---- The rows leave ---------------------------------------------------------------- */

static void export_free_pool(struct op *op)
{
    struct export_op *x = export_of(op);
    pool_free(x->pool); /* the devices are closed with it */
    x->pool = NULL;
    op_return(op);
}

static void volume_forget(struct volume *v)
{
    struct lunmgr *m = v->manager;
    if (v->trashed_s != 0) {
        index_remove(&m->trash, v->id, v->id);
    } else {
        for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot)
            index_remove(&m->snapshots, s->key, s->id);
        index_remove(&m->volumes, v->name, v->id);
    }
    volume_unload(v);
}

static void forget_volumes(struct pool *pool)
{
    struct volume *v = volume_after(pool, NULL);
    while (v != NULL) {
        struct volume *next = volume_after(pool, v);
        volume_forget(v);
        v = next;
    }
}

static void export_left(struct op *op)
{
    struct export_op *x = export_of(op);
    char path[CATALOG_PATH_MAX];
    if (op->job.rc != 0) {
        x->why = *op_err(op);
        op_block(op, export_remove, export_removed);
        return;
    }
    log_info("a pool was exported", "pool=%s path=%s", x->pool->name,
             log_quote(path, sizeof(path), x->path));
    forget_volumes(x->pool);
    for (struct device *d = NULL; (d = pool_next_device(x->pool, d)) != NULL;)
        stamps_remove(op->manager, d);
    index_remove(&op->manager->pools, x->pool->name, x->pool->id);
    op_at_home(op, export_free_pool, export_end);
}

struct generations {
    const char *pool_id;
    uint64_t sum;
    bool is_raising; /* a superblock could not be given its own */
};

static int add_generation(const struct device_row *row, void *arg)
{
    struct generations *g = arg;
    if (strcmp(row->pool_id, g->pool_id) == 0) {
        g->sum += row->generation;
        g->is_raising |= row->generation % 2 == 1;
    }
    return 0;
}

/* A backup, say, has raised the devices since the file was written: it would be too old
 * for them. Once the rows are gone nobody raises them any more. */
static int export_leave_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    struct export_op *x = container_of(job, struct export_op, op.job);
    struct generations now = {.pool_id = x->pool->id};
    int rc = device_row_each(txn, add_generation, &now, e);
    if (rc == 0 && now.sum != x->generations)
        rc = err_set(e, -EBUSY, "pool",
                     "the generation of pool %s was raised while its file was written: "
                     "try again",
                     x->pool->name);
    return rc != 0 ? rc : pool_rows_remove(txn, x->pool->id, e);
}

/* ---- The file ---------------------------------------------------------------------- */

static void export_written(struct op *op)
{
    if (op->job.rc != 0)
        export_failed(op);
    else
        op_write(op, export_leave_work, export_left);
}

static int export_write_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    struct export_op *x = container_of(job, struct export_op, op.job);
    struct generations file = {.pool_id = x->pool->id};
    int rc = device_row_each(txn, add_generation, &file, e);
    if (rc == 0 && file.is_raising)
        rc = err_set(e, -EIO, "pool", "a device of pool %s could not be raised",
                     x->pool->name);
    if (rc != 0)
        return rc;
    x->generations = file.sum;
    return pool_file_write(txn, x->pool->id, !atomic_load(&x->pool->has_leaks), &x->rule,
                           x->path, e);
}

/* No file of before goes with the devices now. */
static void export_raised(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    struct pool *pool = export_of(op)->pool;
    if (job->rc == 0 && pool_is_degraded(pool))
        job->rc = err_set(op_err(op), -EIO, "pool", "a device of pool %s has failed",
                          pool->name);
    if (job->rc != 0)
        export_failed(op);
    else
        op_read(op, export_write_work, export_written);
}

/* ---- Coming to rest ---------------------------------------------------------------- */

static void export_rested(struct op *op)
{
    if (op->job.rc != 0) {
        export_failed(op);
        return;
    }
    op->job.done = export_raised;
    catalog_raise(lunmgr_catalog(op->manager), &op->job);
}

static void export_on_round(struct round_wait *wait);

static void export_join_round(struct note *note)
{
    struct export_op *x = container_of(note, struct export_op, op.job.note);
    x->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(x->op.manager)),
                                   .done = export_on_round};
    round_join(x->pool, &x->round);
}

/* Drops and merges end first; what a round frees is free with one of the next. */
static void export_rest(struct export_op *x)
{
    x->op.job.note.run = export_join_round;
    background_wait(x->pool, &x->op.job.note);
}

static void export_on_round(struct round_wait *wait)
{
    struct export_op *x = container_of(wait, struct export_op, round);
    struct op *op = &x->op;
    limbo_release(x->pool);
    if (wait->rc != 0)
        op->job.rc =
            err_set(op_err(op), wait->rc, "pool",
                    "what pool %s has in memory cannot be made durable", x->pool->name);
    else if (++x->rounds == ROUNDS_MAX)
        op->job.rc = err_set(op_err(op), -EBUSY, "pool",
                             "pool %s does not come to rest: try again", x->pool->name);
    else if (!round_is_quiet(x->pool) || atomic_load(&x->pool->background_count) > 0) {
        export_rest(x);
        return;
    }
    op_return(op);
}

static void export_at_home(struct op *op)
{
    struct export_op *x = export_of(op);
    round_stop(x->pool);
    discard_stop(x->pool);
    export_rest(x);
}

static void export_alone(struct op *op)
{
    if (op->job.rc != 0)
        export_end(op);
    else
        op_at_home(op, export_at_home, export_rested);
}

static int path_is_free(const char *path, struct err *e)
{
    return access(path, F_OK) != 0
               ? 0
               : err_set(e, -EEXIST, "path", "%s is there already", path);
}

/* No I/O that began before is under way: none of the pool's, then. */
static void export_await_io(struct op *op)
{
    uint64_t epoch = lunmgr_next_epoch(op->manager);
    op->job.rc = path_is_free(export_of(op)->path, op_err(op));
    while (op->job.rc == 0 && lunmgr_oldest_epoch(op->manager) <= epoch)
        usleep(IO_PAUSE_US);
}

/* ---- Asking ------------------------------------------------------------------------ */

static void export_try(struct op *op)
{
    op->job.rc = path_is_free(export_of(op)->path, op_err(op));
}

static void export_tried(struct op *op)
{
    if (op->job.rc != 0)
        export_end(op);
    else
        op_write_record(op, export_end); /* undone: it is dry */
}

static int export_check(struct export_op *x, const char *name_or_id, const char *path,
                        struct err *e)
{
    struct pool *pool = pool_find(x->op.manager, name_or_id);
    if (pool == NULL || pool->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", name_or_id);
    if (path[0] != '/' || strlen(path) >= sizeof(x->path))
        return err_set(e, -EINVAL, "path",
                       "an absolute path of at most %zu bytes is wanted",
                       sizeof(x->path) - 1);
    snprintf(x->path, sizeof(x->path), "%s", path);
    op_about(&x->op, pool->id);
    int rc = pool_take_whole(pool, op_is_dry(&x->op), e);
    if (rc == 0)
        x->pool = pool;
    return rc;
}

void pool_export(struct lunmgr *m, const char *name_or_id, const char *path, done_fn done,
                 void *arg)
{
    struct export_op *x = op_new(m, sizeof(*x), export_end);
    x->done = done;
    x->arg = arg;
    x->rule = identity_rule_of(m);
    int rc = export_check(x, name_or_id, path, op_err(&x->op));
    if (rc != 0)
        op_end(&x->op, rc);
    else if (op_is_dry(&x->op))
        op_block(&x->op, export_try, export_tried);
    else
        op_block(&x->op, export_await_io, export_alone);
}
