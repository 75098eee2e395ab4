/* SPDX-License-Identifier: Apache-2.0 */
/* A reader copies, then the writer raises, then the record is written. */
#include "lunmgr/backup.h"

#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(CATALOG_BACKUP_PATH_MAX < CATALOG_PATH_MAX, "with its NUL");

struct backup_op {
    struct op op;
    char path[CATALOG_PATH_MAX];
    done_fn done;
    void *arg;
};

static struct backup_op *backup_of(struct op *op)
{
    return container_of(op, struct backup_op, op);
}

static void backup_ended(struct op *op)
{
    struct backup_op *b = backup_of(op);
    b->done(b->arg, op_outcome(op));
    op_free(op);
}

/* One that the devices do not refuse is worth nothing. */
static void backup_remove(struct op *op)
{
    (void)unlink(backup_of(op)->path);
}

static void backup_raised(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    if (job->rc == 0)
        op_write_record(op, backup_ended);
    else
        op_block(op, backup_remove, backup_ended);
}

static void backup_copied(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    if (job->rc != 0) {
        backup_ended(op);
        return;
    }
    job->done = backup_raised;
    catalog_raise(lunmgr_catalog(op->manager), job);
}

static void backup_try(struct op *op)
{
    const char *path = backup_of(op)->path;
    if (access(path, F_OK) == 0)
        op->job.rc = err_set(op_err(op), -EEXIST, "path", "%s is there already", path);
}

static void backup_tried(struct op *op)
{
    if (op->job.rc != 0)
        backup_ended(op);
    else
        op_write_record(op, backup_ended); /* undone: it is dry */
}

void lunmgr_backup(struct lunmgr *m, const char *path, done_fn done, void *arg)
{
    struct backup_op *b = op_new(m, sizeof(*b), backup_ended);
    b->done = done;
    b->arg = arg;
    if (path[0] != '/' || strlen(path) > CATALOG_BACKUP_PATH_MAX) {
        op_end(&b->op, err_set(op_err(&b->op), -EINVAL, "path",
                               "an absolute path of at most %d bytes is wanted",
                               CATALOG_BACKUP_PATH_MAX));
        return;
    }
    snprintf(b->path, sizeof(b->path), "%s", path);
    if (op_is_dry(&b->op)) {
        op_block(&b->op, backup_try, backup_tried);
        return;
    }
    b->op.job.done = backup_copied;
    catalog_backup(lunmgr_catalog(m), b->path, &b->op.job);
}
