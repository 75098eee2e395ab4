/* SPDX-License-Identifier: Apache-2.0 */
/* MODE SENSE and MODE SELECT of 6 and 10 bytes. What a MODE SELECT changes is changed for
 * all nexuses of the unit, until it is reset or the daemon ends; what it saves, for good.
 * On the reactor's thread. */
#include "proto/mode.h"

#include "target/exec_ops.h"
#include "target/mode_save.h"
#include "target/unit.h"

enum exec_result exec_mode_sense(struct task *t)
{
    struct cdb_mode_sense mode;
    struct lu_ident ident;
    struct wire w;
    char revision[5];
    if (cdb_mode_sense_decode(t->cdb, t->exec.op, &mode, &t->sense) != 0)
        return exec_check(t);
    exec_ident(t, revision, &ident);
    exec_reply_init(t, mode.alloc_bytes, &w);
    struct mode_values values;
    unit_values(t->lu->unit, &values);
    if (mode_sense_encode(&ident, &values, &mode, &w, &t->sense) != 0)
        return exec_check(t);
    return exec_reply(t, &w);
}

/* SP without a list saves what is: SPC-5, 6.12. */
enum exec_result exec_mode_select_prepare(struct task *t)
{
    struct cdb_mode_select mode;
    if (cdb_mode_select_decode(t->cdb, t->exec.op, &mode, &t->sense) != 0)
        return exec_check(t);
    if (mode.list_bytes == 0 && mode.save)
        return EXEC_PENDING;
    return exec_want_list(t, mode.list_bytes);
}

static void select_on_flushed(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    unit_select_end(t->lu->unit);
    exec_end(t, rc);
}

/* The nexus itself need not be told; if its mapping has gone meanwhile, nobody need. */
static void select_seen(struct task *t, unsigned modes)
{
    if (view_lu(t->nexus->view, t->lu->lun) == t->lu)
        ua_saw_modes(&t->nexus->ua, t->lu, modes);
}

/* A cache that is switched off is written before that is answered: what was written
 * before is then as durable as what comes after. SBC-4, 6.5.5. */
static enum exec_result select_adopt(struct task *t, const struct modes *modes,
                                     bool saved)
{
    struct unit *unit = t->lu->unit;
    bool was_through = (unit_modes(unit) & UNIT_WRITE_THROUGH) != 0;
    select_seen(t, unit_set_modes(unit, modes, saved));
    t->transfer_bytes = t->data_out_bytes;
    if (!was_through && !modes->write_cache) {
        exec_vio_range(t, VIO_FLUSH, 0, 0);
        return exec_vio_submit(t, select_on_flushed);
    }
    unit_select_end(unit);
    return exec_good(t);
}

static void select_on_saved(struct task *t, const struct modes *modes, int rc)
{
    if (rc != 0) {
        unit_select_end(t->lu->unit);
        (void)exec_refuse(t, SENSE_INTERNAL_FAILURE);
        task_done(t);
    } else if (select_adopt(t, modes, true) == EXEC_DONE) {
        task_done(t);
    }
}

/* What one MODE SELECT has read another may not change before it is done: the other one
 * is to come again. */
static enum exec_result select_busy(struct task *t)
{
    t->status = SAM_BUSY;
    return EXEC_DONE;
}

static enum exec_result select_decode(struct task *t, const struct cdb_mode_select *mode,
                                      struct modes *modes)
{
    struct mode_values values;
    struct lu_ident ident;
    char revision[5];
    unit_values(t->lu->unit, &values);
    *modes = values.current;
    exec_ident(t, revision, &ident);
    if (mode_select_decode(&ident, mode, t->buffer.base, t->data_out_bytes, modes,
                           &t->sense) == 0)
        return EXEC_PENDING;
    unit_select_end(t->lu->unit);
    return exec_check(t);
}

enum exec_result exec_mode_select(struct task *t)
{
    struct cdb_mode_select mode;
    struct modes modes;
    if (cdb_mode_select_decode(t->cdb, t->exec.op, &mode, &t->sense) != 0)
        return exec_check(t);
    if (!unit_select_begin(t->lu->unit))
        return select_busy(t);
    if (select_decode(t, &mode, &modes) == EXEC_DONE)
        return EXEC_DONE;
    if (!mode.save)
        return select_adopt(t, &modes, false);
    if (mode_save_start(t, &modes, select_on_saved) == 0)
        return EXEC_PENDING;
    unit_select_end(t->lu->unit);
    return select_busy(t);
}
