/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an import. Until the rows are committed nothing but this operation knows
 * of the pool; all that could fail after is had before. */
#include "lunmgr/pool_move.h"

#include "base/log.h"
#include "lunmgr/identity.h"
#include "lunmgr/load_pool.h"
#include "lunmgr/op.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct import_op {
    struct op op;
    char path[CATALOG_PATH_MAX];
    char name[CATALOG_NAME_MAX]; /* "": the file's */
    char (*paths)[CATALOG_PATH_MAX];
    size_t path_count; /* 0: the file's */
    struct pool_file *file;
    struct pool_file_info info;
    struct carrier *carriers; /* of the file's devices, in their order */
    struct device_row *rows;  /* theirs to be, the same */
    struct identity_rule rule;
    uint32_t first_layer;
    size_t reserved; /* steps of index_reserve that were made */
    struct index pools, volumes, snapshots, trash; /* what was made, not yet known */
    struct pool_load load;
    pool_done_fn done;
    void *arg;
};

static struct import_op *import_of(struct op *op)
{
    return container_of(op, struct import_op, op);
}

/* ---- Room in the manager's indexes ------------------------------------------------- */

/* Which index the nth of the objects to come goes into; NULL: there are not so many. */
static struct index *room_of(const struct import_op *x, size_t nth)
{
    struct lunmgr *m = x->op.manager;
    const struct {
        struct index *index;
        size_t count;
    } rooms[] = {{&m->pools, 1},
                 {&m->volumes, x->info.volume_count},
                 {&m->snapshots, x->info.snapshot_count},
                 {&m->trash, x->info.trash_count}};
    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        if (nth < rooms[i].count)
            return rooms[i].index;
        nth -= rooms[i].count;
    }
    return NULL;
}

static int import_reserve(struct import_op *x, struct err *e)
{
    for (struct index *ix; (ix = room_of(x, x->reserved)) != NULL; x->reserved++)
        if (index_reserve(ix) != 0)
            return err_oom(e);
    return 0;
}

static void import_unreserve(struct import_op *x)
{
    while (x->reserved > 0)
        index_unreserve(room_of(x, --x->reserved));
}

/* ---- The end ----------------------------------------------------------------------- */

/* What was made of rows that are not there. */
static void import_discard(struct import_op *x)
{
    for (struct volume *v; (v = index_next(&x->volumes, NULL)) != NULL;) {
        index_remove(&x->volumes, v->name, v->id);
        volume_unload(v);
    }
    for (struct volume *v; (v = index_next(&x->trash, NULL)) != NULL;) {
        index_remove(&x->trash, v->id, v->id);
        volume_unload(v);
    }
    for (struct pool *pool; (pool = index_next(&x->pools, NULL)) != NULL;) {
        index_remove(&x->pools, pool->name, pool->id);
        pool_free(pool);
    }
}

static void import_free(struct import_op *x)
{
    pool_load_fini(&x->load);
    index_fini(&x->pools);
    index_fini(&x->volumes);
    index_fini(&x->snapshots);
    index_fini(&x->trash);
    for (size_t i = 0; x->carriers != NULL && i < x->info.device_count; i++)
        device_carrier_close(&x->carriers[i]);
    pool_file_close(x->file);
    free(x->carriers);
    free(x->rows);
    free(x->paths);
    op_free(&x->op);
}

static void import_refused(struct op *op)
{
    struct import_op *x = import_of(op);
    import_discard(x);
    import_unreserve(x);
    x->done(x->arg, NULL, op_outcome(op));
    import_free(x);
}

static void import_log_leaks(void *arg, const struct pool_check_report *report,
                             const struct err *e)
{
    const struct pool *pool = arg;
    char reason[ERR_TEXT_MAX];
    if (e != NULL)
        log_error("the check of an imported pool failed", "pool=%s reason=%s", pool->name,
                  log_quote(reason, sizeof(reason), e->text));
    else
        log_info("an imported pool was checked", "pool=%s named=%llu leaked=%llu",
                 pool->name, (unsigned long long)report->named_extents,
                 (unsigned long long)report->leaked_extents);
}

static void import_served(struct op *op)
{
    struct import_op *x = import_of(op);
    struct lunmgr *m = op->manager;
    struct pool *pool = pool_find(m, x->info.pool.id);
    for (struct volume *v = NULL; (v = volume_next(m, v)) != NULL;)
        if (v->pool == pool)
            volume_resume(v);
    if (!x->info.clean && !pool_is_failed(pool)) {
        atomic_fetch_add(&pool->check_count, 1);
        map_check_start(pool, true, NULL, loop_inbox(lunmgr_home(m)), import_log_leaks,
                        pool);
    }
    x->done(x->arg, pool, NULL);
    import_free(x);
}

/* ---- It is this box's -------------------------------------------------------------- */

static void import_serve_at_home(struct op *op)
{
    struct import_op *x = import_of(op);
    round_start(x->load.only);
    pool_load_look(&x->load);
    op_return(op);
}

static void adopt_volumes(struct import_op *x)
{
    struct lunmgr *m = x->op.manager;
    for (struct volume *v; (v = index_next(&x->volumes, NULL)) != NULL;) {
        index_remove(&x->volumes, v->name, v->id);
        index_add(&m->volumes, v->name, v->id, v);
    }
    for (struct volume *v; (v = index_next(&x->trash, NULL)) != NULL;) {
        index_remove(&x->trash, v->id, v->id);
        index_add(&m->trash, v->id, v->id, v);
    }
    for (struct volume *s; (s = index_next(&x->snapshots, NULL)) != NULL;) {
        index_remove(&x->snapshots, s->key, s->id);
        index_add(&m->snapshots, s->key, s->id, s);
    }
}

static void import_adopt(struct op *op)
{
    struct import_op *x = import_of(op);
    struct pool *pool = x->load.only;
    char path[CATALOG_PATH_MAX];
    log_info("a pool was imported", "pool=%s path=%s from=%s", pool->name,
             log_quote(path, sizeof(path), x->path), x->info.box_id);
    index_remove(&x->pools, pool->name, pool->id);
    index_add(&op->manager->pools, pool->name, pool->id, pool);
    adopt_volumes(x);
    x->reserved = 0;
    trash_arm(op->manager);
    op_at_home(op, import_serve_at_home, import_served);
}

/* Without it the file goes with the devices as well as the catalog: they do not serve
 * before a start has raised it. */
static void import_raised(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    struct pool *pool = import_of(op)->load.only;
    if (job->rc != 0)
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            device_fail(d, "its generation could not be raised", -job->rc);
    import_adopt(op);
}

static void import_stored(struct op *op)
{
    struct import_op *x = import_of(op);
    if (op->job.rc != 0) {
        import_refused(op);
        return;
    }
    for (struct device *d = NULL; (d = pool_next_device(x->load.only, d)) != NULL;)
        stamps_add(op->manager, d);
    op->job.done = import_raised;
    catalog_raise(lunmgr_catalog(op->manager), &op->job);
}

/* ---- The rows ---------------------------------------------------------------------- */

static int take_carrier(struct pool_load *l, const struct device_row *row,
                        struct device **out, struct err *e)
{
    struct import_op *x = container_of(l, struct import_op, load);
    struct device *d = *out = device_new(row);
    if (d == NULL)
        return err_oom(e);
    for (size_t i = 0; i < x->info.device_count; i++)
        if (strcmp(x->rows[i].id, row->id) == 0)
            device_take_carrier(d, &x->carriers[i]);
    return 0;
}

/* The objects too, of the very rows: so nothing is left to fail after the commit. */
static int import_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct import_op *x = container_of(job, struct import_op, op.job);
    const struct pool_arrival arrival = {.name = x->name,
                                         .first_layer = x->first_layer,
                                         .devices = x->rows,
                                         .rule = &x->rule};
    int rc = pool_file_store(x->file, txn, &arrival, e);
    return rc != 0 ? rc : pool_load_rows(txn, &x->load, e);
}

static int import_number_layers(struct import_op *x, struct err *e)
{
    struct lunmgr *m = x->op.manager;
    uint32_t last = atomic_load(&m->last_layer_id);
    if (x->info.layer_count > LAYER_ID_MAX - last)
        return err_set(e, -ENOSPC, NULL, "of %u layer numbers %u have been used",
                       LAYER_ID_MAX, last);
    x->first_layer = atomic_fetch_add(&m->last_layer_id, x->info.layer_count) + 1;
    return 0;
}

static void import_opened(struct op *op)
{
    struct import_op *x = import_of(op);
    struct err *e = op_err(op);
    if (op->job.rc == 0)
        op->job.rc = import_reserve(x, e);
    if (op->job.rc == 0)
        op->job.rc = import_number_layers(x, e);
    if (op->job.rc != 0) {
        import_refused(op);
        return;
    }
    op_about(op, x->info.pool.id);
    x->load = (struct pool_load){.m = op->manager,
                                 .pool_id = x->info.pool.id,
                                 .pools = &x->pools,
                                 .volumes = &x->volumes,
                                 .snapshots = &x->snapshots,
                                 .trash = &x->trash,
                                 .open = take_carrier};
    op_write(op, import_work, import_stored);
}

/* ---- The file and the devices ------------------------------------------------------ */

static int refuse_generation(const struct import_op *x, const char *path,
                             const struct superblock *sb, const struct device_row *row,
                             struct err *e)
{
    bool is_old_file = sb->generation > row->generation;
    return err_set(e, -ESTALE, is_old_file ? "path" : "devices",
                   "%s (generation %llu) is older than %s (%llu)",
                   is_old_file ? x->path : path,
                   (unsigned long long)(is_old_file ? row->generation : sb->generation),
                   is_old_file ? path : x->path,
                   (unsigned long long)(is_old_file ? sb->generation : row->generation));
}

static int carrier_check(const struct import_op *x, const char *path,
                         const struct carrier *c, const struct device_row *row,
                         struct err *e)
{
    if (c->superblock.generation != row->generation)
        return refuse_generation(x, path, &c->superblock, row, e);
    if (c->superblock.slot != row->slot || c->extents < row->extents)
        return err_set(e, -EUCLEAN, "devices",
                       "%s is not as the file has it: slot %u of %llu extents, not slot "
                       "%u of %llu",
                       path, c->superblock.slot, (unsigned long long)c->extents,
                       row->slot, (unsigned long long)row->extents);
    return 0;
}

/* Which of the file's it is; device_count: none. */
static size_t carried_by(const struct import_op *x, const struct carrier *c)
{
    size_t i = 0;
    bool is_its = strcmp(c->superblock.pool_id, x->info.pool.id) == 0;
    while (i < x->info.device_count &&
           !(is_its && strcmp(c->superblock.device_id, x->info.devices[i].id) == 0))
        i++;
    return i;
}

/* Opened, it is of the pool. */
static int import_take_device(struct import_op *x, const char *path, struct carrier *c,
                              struct err *e)
{
    size_t i = carried_by(x, c);
    if (i == x->info.device_count)
        return err_set(e, -ENOENT, "devices",
                       "%s is device %s of pool %s, and none of pool %s (%s)", path,
                       c->superblock.device_id, c->superblock.pool_id, x->info.pool.name,
                       x->info.pool.id);
    if (x->carriers[i].fd >= 0)
        return err_set(e, -EEXIST, "devices", "%s and %s are one device, %s",
                       x->rows[i].path, path, x->rows[i].id);
    int rc = carrier_check(x, path, c, &x->info.devices[i], e);
    if (rc != 0)
        return rc;
    x->carriers[i] = *c;
    c->fd = -1;
    x->rows[i] = x->info.devices[i];
    x->rows[i].generation++; /* odd: the superblock's is to follow */
    snprintf(x->rows[i].path, sizeof(x->rows[i].path), "%s", path);
    return 0;
}

static int import_open_device(struct import_op *x, const char *path, struct err *e)
{
    struct carrier c = {.fd = -1};
    int rc = device_carrier_open(path, &c, e);
    if (rc != 0)
        snprintf(e->field, sizeof(e->field), "devices");
    else
        rc = import_take_device(x, path, &c, e);
    device_carrier_close(&c);
    return rc;
}

/* Of those that were named, or of the file's. */
static int import_open_nth(struct import_op *x, size_t i, struct err *e)
{
    if (x->path_count == 0)
        return import_open_device(x, x->info.devices[i].path, e);
    int rc = import_open_device(x, x->paths[i], e);
    if (rc != 0 && strcmp(e->field, "devices") == 0)
        snprintf(e->field, sizeof(e->field), "devices/%zu", i);
    return rc;
}

static int import_all_there(const struct import_op *x, struct err *e)
{
    for (size_t i = 0; i < x->info.device_count; i++)
        if (x->carriers[i].fd < 0)
            return err_set(e, -ENOENT, "devices",
                           "device %s, which was %s, is not among those that are named",
                           x->info.devices[i].id, x->info.devices[i].path);
    return 0;
}

static int import_open_devices(struct import_op *x, struct err *e)
{
    x->carriers = calloc(x->info.device_count, sizeof(*x->carriers));
    x->rows = calloc(x->info.device_count, sizeof(*x->rows));
    if (x->carriers == NULL || x->rows == NULL)
        return err_oom(e);
    for (size_t i = 0; i < x->info.device_count; i++)
        x->carriers[i].fd = -1;
    size_t count = x->path_count > 0 ? x->path_count : x->info.device_count;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = import_open_nth(x, i, e);
    return rc != 0 ? rc : import_all_there(x, e);
}

static void import_open(struct op *op)
{
    struct import_op *x = import_of(op);
    struct err *e = op_err(op);
    op->job.rc = pool_file_open(x->path, &x->file, e);
    if (op->job.rc != 0)
        return;
    pool_file_describe(x->file, &x->info);
    if (x->name[0] == '\0')
        memcpy(x->name, x->info.pool.name, sizeof(x->name));
    op->job.rc = import_open_devices(x, e);
}

/* ---- Asking ------------------------------------------------------------------------ */

static int path_check(const char *path, const char *field, struct err *e)
{
    return path[0] == '/' && strlen(path) < CATALOG_PATH_MAX
               ? 0
               : err_set(e, -EINVAL, field,
                         "an absolute path of at most %d bytes is wanted",
                         CATALOG_PATH_MAX - 1);
}

static int import_check(struct import_op *x, const struct pool_import_spec *spec,
                        struct err *e)
{
    int rc = path_check(spec->path, "path", e);
    if (rc == 0 && spec->name != NULL)
        rc = name_check(spec->name, "name", e);
    if (rc == 0 && spec->device_count > POOL_DEVICE_MAX)
        rc = err_set(e, -EINVAL, "devices", "a pool has at most %d devices",
                     POOL_DEVICE_MAX);
    for (size_t i = 0; rc == 0 && i < spec->device_count; i++)
        rc = path_check(spec->devices[i], "devices", e);
    if (rc != 0)
        return rc;
    x->paths = calloc(spec->device_count + 1, sizeof(*x->paths));
    if (x->paths == NULL)
        return err_oom(e);
    snprintf(x->path, sizeof(x->path), "%s", spec->path);
    if (spec->name != NULL)
        snprintf(x->name, sizeof(x->name), "%s", spec->name);
    for (; x->path_count < spec->device_count; x->path_count++)
        snprintf(x->paths[x->path_count], sizeof(x->paths[0]), "%s",
                 spec->devices[x->path_count]);
    return 0;
}

void pool_import(struct lunmgr *m, const struct pool_import_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct import_op *x = op_new(m, sizeof(*x), import_refused);
    x->done = done;
    x->arg = arg;
    x->rule = identity_rule_of(m);
    int rc = import_check(x, spec, op_err(&x->op));
    if (rc != 0)
        op_end(&x->op, rc);
    else
        op_block(&x->op, import_open, import_opened);
}
