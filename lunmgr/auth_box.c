/* SPDX-License-Identifier: Apache-2.0 */
/* The box's own credentials (see auth.h): one change at a time. */
#include "lunmgr/auth.h"
#include "lunmgr/op.h"

#include <errno.h>

struct auth_op {
    struct op op;
    struct auth auth;
    bool changes; /* it has the turn */
    done_fn done;
    void *arg;
};

static struct auth_op *auth_op_of(struct op *op)
{
    return container_of(op, struct auth_op, op);
}

static void auth_changed(struct op *op)
{
    struct auth_op *ao = auth_op_of(op);
    if (ao->changes)
        op->manager->box_auth_changing = false;
    ao->done(ao->arg, op_outcome(op));
    auth_wipe(&ao->auth);
    op_free(op);
}

static void auth_adopt(struct op *op)
{
    if (op->job.rc != 0) {
        auth_changed(op);
        return;
    }
    op->manager->box_auth = auth_op_of(op)->auth;
    op_settle(op, auth_changed);
}

static int auth_change_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    return auth_row_set(txn, "", &container_of(job, struct auth_op, op.job)->auth, e);
}

const struct auth *auth_box(const struct lunmgr *m)
{
    return &m->box_auth;
}

void auth_box_change(struct lunmgr *m, const struct auth_change *change, done_fn done,
                     void *arg)
{
    struct auth_op *ao = op_new(m, sizeof(*ao), auth_changed);
    ao->done = done;
    ao->arg = arg;
    ao->auth = m->box_auth;
    struct err *e = op_err(&ao->op);
    int rc = m->box_auth_changing
                 ? err_set(e, -ECANCELED, NULL, "another change is under way")
                 : auth_apply(&ao->auth, change, "discovery", e);
    ao->changes = rc == 0;
    m->box_auth_changing |= ao->changes;
    if (rc != 0)
        op_end(&ao->op, rc);
    else
        op_write(&ao->op, auth_change_work, auth_adopt);
}
