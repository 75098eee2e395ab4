/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit takes through a target port group that is not active, and REPORT TARGET
 * PORT GROUPS: SPC-4, 5.15.2.4 and 6.37. On the reactor's thread. */
#include "target/exec_ops.h"

#define OPCODE_REQUEST_SENSE  0x03
#define OPCODE_INQUIRY        0x12
#define OPCODE_MODE_SELECT_6  0x15
#define OPCODE_MODE_SENSE_6   0x1a
#define OPCODE_READ_CAPACITY  0x25
#define OPCODE_LOG_SENSE      0x4d
#define OPCODE_MODE_SELECT_10 0x55
#define OPCODE_MODE_SENSE_10  0x5a
#define OPCODE_PR_IN          0x5e
#define OPCODE_PR_OUT         0x5f
#define OPCODE_REPORT_LUNS    0xa0
#define OPCODE_MAINTENANCE_IN 0xa3

static const enum sense_code sense_codes[] = {
    [ALUA_STANDBY] = SENSE_PORT_IN_STANDBY,
    [ALUA_UNAVAILABLE] = SENSE_PORT_UNAVAILABLE,
    [ALUA_TRANSITIONING] = SENSE_ACCESS_TRANSITION,
};

/* Of what the clause lets through in standby and no further, all that there is here is
 * taken; READ CAPACITY is added, without which a host that logs in meanwhile knows a disk
 * of no size. What MAINTENANCE IN tells is the same in each state. */
static bool state_takes(enum alua_state state, const struct cdb_op *op)
{
    switch (op->opcode) {
    case OPCODE_REQUEST_SENSE:
    case OPCODE_INQUIRY:
    case OPCODE_REPORT_LUNS:
    case OPCODE_MAINTENANCE_IN:
        return true;
    case OPCODE_MODE_SELECT_6:
    case OPCODE_MODE_SENSE_6:
    case OPCODE_READ_CAPACITY:
    case OPCODE_LOG_SENSE:
    case OPCODE_MODE_SELECT_10:
    case OPCODE_MODE_SENSE_10:
    case OPCODE_PR_IN:
    case OPCODE_PR_OUT:
        return state == ALUA_STANDBY;
    default:
        return op->id == CDB_READ_CAPACITY_16 && state == ALUA_STANDBY;
    }
}

bool exec_is_taken(const struct task *t, enum alua_state state)
{
    return t->exec.op == NULL || alua_is_active(state) || state_takes(state, t->exec.op);
}

bool exec_path_sense(const struct task *t, struct sense *sense)
{
    enum alua_state state = t->nexus->path->access.state;
    if (alua_is_active(state))
        return false;
    sense_set(sense, sense_codes[state]);
    return true;
}

bool exec_path_takes(const struct task *t, const struct cdb_op *op)
{
    enum alua_state state = t->nexus->path->access.state;
    return alua_is_active(state) || state_takes(state, op);
}

enum exec_result exec_report_port_groups(struct task *t)
{
    const struct alua *alua = t->nexus->alua;
    struct cdb_report_port_groups report;
    struct wire w;
    if (cdb_report_port_groups_decode(t->cdb, &report, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, report.alloc_bytes, &w);
    port_groups_encode(alua->groups, alua->count, report.extended, ALUA_TRANSITION_S, &w);
    return exec_reply(t, &w);
}
