/* SPDX-License-Identifier: Apache-2.0 */
/* MODE SENSE and MODE SELECT of 6 and 10 bytes. What a MODE SELECT changes is changed for
 * all nexuses of the unit, until it is reset or the daemon ends. On the reactor's thread.
 */
#include "proto/mode.h"

#include "target/exec_ops.h"
#include "target/unit.h"

static struct mode_state mode_state_of(const struct lu *lu)
{
    unsigned modes = unit_modes(lu->unit);
    return (struct mode_state){
        .descriptor_sense = (modes & UNIT_DESCRIPTOR_SENSE) != 0,
        .write_protect = (modes & UNIT_WRITE_PROTECT) != 0,
    };
}

static void mode_change(struct task *t, const struct mode_state *state)
{
    unsigned bits = (state->descriptor_sense ? UNIT_DESCRIPTOR_SENSE : 0) |
                    (state->write_protect ? UNIT_WRITE_PROTECT : 0);
    ua_saw_modes(&t->nexus->ua, t->lu, unit_set_modes(t->lu->unit, bits));
}

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
    struct mode_state state = mode_state_of(t->lu);
    if (mode_sense_encode(&ident, &state, &mode, &w, &t->sense) != 0)
        return exec_check(t);
    return exec_reply(t, &w);
}

enum exec_result exec_mode_select_prepare(struct task *t)
{
    struct cdb_mode_select mode;
    if (cdb_mode_select_decode(t->cdb, t->exec.op, &mode, &t->sense) != 0)
        return exec_check(t);
    return exec_want_list(t, mode.list_bytes);
}

enum exec_result exec_mode_select(struct task *t)
{
    struct cdb_mode_select mode;
    struct lu_ident ident;
    struct mode_state state = mode_state_of(t->lu);
    char revision[5];
    if (cdb_mode_select_decode(t->cdb, t->exec.op, &mode, &t->sense) != 0)
        return exec_check(t);
    exec_ident(t, revision, &ident);
    if (mode_select_decode(&ident, &mode, t->buffer.base, t->data_out_bytes, &state,
                           &t->sense) != 0)
        return exec_check(t);
    mode_change(t, &state);
    t->transfer_bytes = t->data_out_bytes;
    return exec_good(t);
}
