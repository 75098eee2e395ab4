/* SPDX-License-Identifier: Apache-2.0 */
/* SANITIZE: SBC-4, 4.11 and 5.24. lunmgr does it, and goes on with it whatever becomes of
 * the command, its session or the daemon. On the reactor's thread. */
#include "lunmgr/sanitize.h"

#include "target/exec_ops.h"

#include <errno.h>

bool exec_sanitize_sense(const struct lu *lu, struct sense *sense)
{
    uint16_t progress = 0;
    switch (volume_sanitize_state(lu->volume, &progress)) {
    case SANITIZE_RUNNING:
        sense_set_progress(sense, SENSE_SANITIZE_IN_PROGRESS, progress);
        return true;
    case SANITIZE_FAILED:
        sense_set(sense, SENSE_SANITIZE_FAILED);
        return true;
    default:
        return false;
    }
}

enum exec_result exec_sanitize_prepare(struct task *t)
{
    struct cdb_sanitize cdb;
    if (cdb_sanitize_decode(t->cdb, t->exec.op, lu_block_bytes(t->lu), &cdb, &t->sense) !=
        0)
        return exec_check(t);
    t->exec.sanitize.waits = !cdb.immed;
    t->exec.sanitize.exits = t->exec.op->id == CDB_SANITIZE_EXIT;
    t->exec.sanitize.spec = (struct sanitize_spec){
        .erases = t->exec.op->id == CDB_SANITIZE_ERASE,
        .unrestricted = cdb.ause,
    };
    return cdb.list_bytes == 0 ? EXEC_PENDING : exec_want_list(t, cdb.list_bytes);
}

/* The byte of the CDB that asks for what the restricted mode does not allow: the service
 * action of EXIT FAILURE MODE, the AUSE bit of the others. */
static int refuse_restricted(struct task *t)
{
    return sense_set_cdb(&t->sense, 1, t->exec.sanitize.exits ? 4 : 5);
}

static void sanitize_set_given_up(struct task *t)
{
    if (t->leaving != NULL)
        (void)exec_refuse(t, SENSE_ACCESS_TRANSITION);
    else if (t->drains[0] == NULL)
        (void)exec_refuse(t, SENSE_LUN_NOT_SUPPORTED);
    else
        exec_set_sanitized(t);
}

/* The command is right and the unit serves it; what stands in its way is what the unit
 * has: a snapshot or a clone. SPC-5 has COMMAND SEQUENCE ERROR for a command that the
 * state of the unit does not allow, and an initiator does not try that again. */
static void sanitize_set_refusal(struct task *t, int rc)
{
    switch (rc) {
    case -EEXIST:
        (void)exec_refuse(t, SENSE_COMMAND_SEQUENCE);
        break;
    case -EPERM:
        (void)refuse_restricted(t);
        (void)exec_check(t);
        break;
    case -EBUSY:
    case -ENOMEM:
        t->status = SAM_BUSY;
        break;
    case -ECANCELED: /* nobody waits for the answer, or its unit, the way there or its
                      * right is gone */
        sanitize_set_given_up(t);
        break;
    case -EREMOTEIO:
        (void)exec_refuse(t, SENSE_SANITIZE_FAILED);
        break;
    default:
        (void)exec_refuse(t, SENSE_WRITE_ERROR);
    }
}

static void exec_sanitize_done(struct sanitize_ask *ask, int rc)
{
    struct task *t = container_of(ask, struct task, exec.sanitize);
    if (rc == 0)
        (void)exec_good(t);
    else
        sanitize_set_refusal(t, rc);
    task_done(t);
}

/* An abort, and the loss of the unit or of the way to it, end the command but not the
 * sanitize. */
static bool exec_sanitize_is_given_up(struct sanitize_ask *ask)
{
    const struct task *t = container_of(ask, struct task, exec.sanitize);
    return exec_is_hurried(t);
}

static int sanitize_read_list(struct task *t, struct sanitize_spec *spec)
{
    struct overwrite_list list;
    if (overwrite_list_decode(&list, t->buffer.base, t->data_out_bytes,
                              lu_block_bytes(t->lu), &t->sense) != 0)
        return -EINVAL;
    spec->inverts = list.invert;
    spec->passes = list.count;
    spec->pattern = list.pattern;
    spec->pattern_bytes = list.pattern_bytes;
    return 0;
}

enum exec_result exec_sanitize(struct task *t)
{
    struct sanitize_ask *ask = &t->exec.sanitize;
    if (t->data_out_bytes > 0 && sanitize_read_list(t, &ask->spec) != 0)
        return exec_check(t);
    t->transfer_bytes = t->data_out_bytes;
    ask->lane = t->lane;
    ask->volume = t->lu->volume;
    ask->is_given_up = exec_sanitize_is_given_up;
    ask->done = exec_sanitize_done;
    sanitize_start(ask);
    return EXEC_PENDING;
}
