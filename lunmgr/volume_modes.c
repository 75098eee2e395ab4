/* SPDX-License-Identifier: Apache-2.0 */
/* The mode parameters that initiators save with a volume or a snapshot: read at the
 * start, written when asked. What is in force now is the target's. Control thread. */
#include "lunmgr/op.h"
#include "lunmgr/volume_priv.h"

struct modes_op {
    struct op op;
    struct volume *volume; /* with a reference */
    struct modes modes;
    done_fn done;
    void *arg;
};

static void modes_end(struct op *op)
{
    struct modes_op *mo = container_of(op, struct modes_op, op);
    struct volume *v = mo->volume;
    if (op->job.rc == 0) {
        v->saved_modes = mo->modes;
        v->has_saved_modes = true;
    }
    mo->done(mo->arg, op_outcome(op));
    op_free(op);
    volume_put(v);
}

static int modes_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct modes_op *mo = container_of(job, struct modes_op, op.job);
    return mode_row_set(txn, mo->volume->id, &mo->modes, e);
}

void volume_save_modes(struct volume *volume, const struct modes *modes, done_fn done,
                       void *arg)
{
    struct modes_op *mo = op_new(volume->manager, sizeof(*mo), modes_end);
    volume_get(volume);
    mo->volume = volume;
    mo->modes = *modes;
    mo->done = done;
    mo->arg = arg;
    op_write(&mo->op, modes_work, modes_end);
}

bool volume_saved_modes(const struct volume *volume, struct modes *out)
{
    if (volume->has_saved_modes)
        *out = volume->saved_modes;
    return volume->has_saved_modes;
}
