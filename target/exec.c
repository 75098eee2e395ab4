/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI execution's entry: finds the unit and the command, tells what comes before any
 * command (no such unit, unit attention), hands it to the command's own file (exec_*.c),
 * and refuses what would change a protected medium. Also how commands answer. No
 * allocation, no locks; on the reactor's thread. */
#include "target/exec.h"

#include "proto/inquiry.h"
#include "proto/lun.h"
#include "target/copy_run.h"
#include "target/exec_ops.h"
#include "target/reserve.h"
#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

/* Bounds of what the commands with one shape of answer can tell. */
#define REPLY_BYTES         1024
#define REPLY_OPCODES_BYTES 4096
#define REPLY_PORTS_BYTES   VPD_PAGE_BYTES_MAX

struct exec_handler {
    /* Checks and asks for buffers; NULL: all is done in start, with reply_bytes of buffer
     * for data-in. */
    enum exec_result (*prepare)(struct task *t);
    enum exec_result (*start)(struct task *t); /* NULL: prepare always answers */
    uint32_t reply_bytes;
};

#define CDB_ROW(id, opcode, action, bytes, dir, medium, class, timeout, name, prepare,   \
                start, reply, ...)                                                       \
    [CDB_##id] = {prepare, start, reply},
#define CDB_MORE CDB_ROW
static const struct exec_handler exec_handlers[CDB_ID_COUNT] = {
#include "proto/cdb_table.h"
};

/* INQUIRY, REPORT LUNS and REQUEST SENSE: they are answered where no unit is, and neither
 * tell a unit attention by their status nor end with it. SPC-4, 5.6.2; SAM-5, 5.14. */
static bool opcode_is_discovery(uint8_t opcode)
{
    return opcode == cdb_ops[CDB_INQUIRY].opcode ||
           opcode == cdb_ops[CDB_REPORT_LUNS].opcode ||
           opcode == cdb_ops[CDB_REQUEST_SENSE].opcode;
}

static const struct lu *find_lu(const struct task *t)
{
    uint32_t no;
    return lun_decode(t->lun, &no) == 0 ? view_lu(t->nexus->view, no) : NULL;
}

bool exec_is_write_protected(const struct lu *lu)
{
    return lu->read_only || (unit_modes(lu->unit) & UNIT_WRITE_PROTECT) != 0;
}

/* A CDB that is wrong in itself is told so, whatever it is sent to; what comes with it, a
 * protected medium does not look at. */
static bool is_refused_by_its_cdb(const struct task *t)
{
    return t->status == SAM_CHECK_CONDITION && t->sense.code != SENSE_INVALID_IU_FIELD &&
           t->sense.code != SENSE_PARAM_LIST_LENGTH;
}

static enum exec_result prepare_unless_protected(struct task *t,
                                                 const struct exec_handler *h)
{
    enum exec_result result = h->prepare(t);
    if (!t->exec.op->changes_medium || !exec_is_write_protected(t->lu))
        return result;
    if (result == EXEC_DONE && (t->status == SAM_GOOD || is_refused_by_its_cdb(t)))
        return result;
    t->data_out_bytes = t->buffer_bytes = t->data_offset = t->transfer_bytes = 0;
    return exec_refuse(t, SENSE_WRITE_PROTECTED);
}

static enum exec_result exec_attention(struct task *t, enum sense_code attention)
{
    ua_sense(t->lu, attention, &t->sense);
    return exec_check(t);
}

/* A reservation is in its way. An opcode that we do not have is refused as such. */
static bool is_in_conflict(struct task *t)
{
    const struct unit *unit = t->lu->unit;
    unsigned reactor = t->nexus->reactor;
    const struct reservation *r = unit_reservation(unit, reactor);
    t->exec.reservations = unit_reservations(unit, reactor);
    if (r == NULL || !r->restricts)
        return false;
    const struct cdb_op *op = cdb_op_of(t->cdb[0], t->cdb[1] & CDB_SERVICE_ACTION);
    return op != NULL &&
           reservation_conflicts(r, &t->nexus->id, cdb_class_of(t->cdb, op));
}

/* It was none when the command came: it has been taken from its nexus meanwhile. */
static bool is_overtaken(struct task *t)
{
    return t->lu != NULL &&
           t->exec.reservations != unit_reservations(t->lu->unit, t->nexus->reactor) &&
           is_in_conflict(t);
}

static enum exec_result exec_conflict(struct task *t)
{
    t->status = SAM_RESERVATION_CONFLICT;
    return EXEC_DONE;
}

/* SAM-5, 5.3.3: what resets have to tell goes before a conflict, all else after it. */
static bool take_attention(struct task *t, bool conflicts, enum sense_code *code)
{
    bool more;
    if (conflicts && !ua_is_of_reset(ua_peek(&t->nexus->ua, t->lu, &more)))
        return false;
    return ua_take(&t->nexus->ua, t->lu, code);
}

/* SBC-4, 4.11.2: while a sanitize is under way; after one that failed, another one too.
 */
static bool is_let_through(const struct task *t, enum cdb_id id)
{
    switch (id) {
    case CDB_INQUIRY:
    case CDB_REPORT_LUNS:
    case CDB_REPORT_OPCODES:
    case CDB_REPORT_TMFS:
    case CDB_REQUEST_SENSE:
        return true;
    case CDB_SANITIZE_OVERWRITE:
    case CDB_SANITIZE_ERASE:
    case CDB_SANITIZE_EXIT:
        return volume_sanitize_state(t->lu->volume, NULL) != SANITIZE_RUNNING;
    default:
        return false;
    }
}

enum exec_result exec_prepare(struct task *t)
{
    const struct cdb_op *op;
    enum sense_code attention;
    bool discovery = opcode_is_discovery(t->cdb[0]);

    t->lu = find_lu(t);
    if (t->lu == NULL && !discovery)
        return exec_refuse(t, SENSE_LUN_NOT_SUPPORTED);
    bool conflicts = !discovery && is_in_conflict(t);
    if (!discovery && take_attention(t, conflicts, &attention))
        return exec_attention(t, attention);
    if (conflicts)
        return exec_conflict(t);
    if (t->attribute == TASK_ACA) /* NACA is not supported: there is no ACA condition */
        return exec_refuse(t, SENSE_INVALID_MESSAGE);
    if (cdb_find(t->cdb, &op, &t->sense) != 0)
        return exec_check(t);

    if (t->lu != NULL && !exec_path_takes(t, op) && exec_path_sense(t, &t->sense))
        return exec_check(t);
    if (t->lu != NULL && exec_sanitize_sense(t->lu, &t->sense) &&
        !is_let_through(t, op->id))
        return exec_check(t);

    const struct exec_handler *h = &exec_handlers[op->id];
    t->exec.op = op;
    if (h->prepare != NULL)
        return prepare_unless_protected(t, h);
    t->buffer_bytes = h->reply_bytes;
    return EXEC_PENDING;
}

enum exec_result exec_start(struct task *t)
{
    const struct exec_handler *h = &exec_handlers[t->exec.op->id];
    assert(h->start != NULL);
    return is_overtaken(t) ? exec_conflict(t) : h->start(t);
}

enum exec_result exec_good(struct task *t)
{
    t->status = SAM_GOOD;
    return EXEC_DONE;
}

enum exec_result exec_check(struct task *t)
{
    t->status = SAM_CHECK_CONDITION;
    t->sense_descriptor =
        t->lu != NULL && (unit_modes(t->lu->unit) & UNIT_DESCRIPTOR_SENSE) != 0;
    return EXEC_DONE;
}

enum exec_result exec_refuse(struct task *t, enum sense_code code)
{
    sense_set(&t->sense, code);
    return exec_check(t);
}

enum exec_result exec_refuse_length(struct task *t, uint32_t cdb_bytes)
{
    t->transfer_bytes = cdb_bytes;
    return exec_refuse(t, SENSE_INVALID_IU_FIELD);
}

void exec_reply_init(struct task *t, uint32_t alloc_bytes, struct wire *w)
{
    uint32_t limit = alloc_bytes < t->buffer_bytes ? alloc_bytes : t->buffer_bytes;
    wire_init(w, t->buffer.base, limit);
}

enum exec_result exec_reply(struct task *t, const struct wire *w)
{
    t->data_in = w->data;
    t->data_in_bytes = (uint32_t)wire_stored(w);
    t->transfer_bytes = t->data_in_bytes;
    return exec_good(t);
}

enum exec_result exec_want_list(struct task *t, uint32_t list_bytes)
{
    if (list_bytes == 0)
        return exec_good(t);
    if (t->expected_out_bytes < list_bytes)
        return exec_refuse(t, SENSE_PARAM_LIST_LENGTH);
    t->data_out_bytes = list_bytes;
    t->buffer_bytes = list_bytes;
    return EXEC_PENDING;
}

void exec_vio_range(struct task *t, enum vio_op op, uint64_t lba, uint64_t blocks)
{
    struct vio *vio = &t->exec.vio;
    vio->op = op;
    vio->offset_bytes = lba << t->lu->block_shift;
    vio->length_bytes = blocks << t->lu->block_shift;
}

enum exec_result exec_vio_submit(struct task *t, void (*done)(struct vio *vio, int rc))
{
    struct vio *vio = &t->exec.vio;
    vio->lane = t->lane;
    vio->volume = t->lu->volume;
    vio->done = done;
    vio->patient = !exec_is_hurried(t);
    vio_submit(vio);
    return EXEC_PENDING;
}

bool exec_is_hurried(const struct task *t)
{
    return t->aborted || t->swap != NULL || t->drains[0] != NULL || t->leaving != NULL;
}

void exec_hurry(struct task *t)
{
    vio_give_up(&t->exec.vio);
    if (t->exec.change != NULL)
        reserve_drop(t->exec.change);
    exec_copy_stop(t);
}

void exec_copy_stop(struct task *t)
{
    if (t->exec.copy != NULL)
        copy_run_stop(t->exec.copy);
    if (t->exec.rod != NULL)
        exec_rod_stop(t);
}

uint64_t exec_copied_bytes(const struct task *t)
{
    return t->exec.copy != NULL ? copy_run_bytes(t->exec.copy) : exec_rod_bytes(t);
}

bool exec_follow(struct task *t, const struct view *view)
{
    return t->exec.copy == NULL || copy_run_follow(t->exec.copy, view);
}

bool exec_writes_through(const struct task *t)
{
    return (unit_modes(t->lu->unit) & UNIT_WRITE_THROUGH) != 0;
}

struct task *exec_vio_task(struct vio *vio)
{
    return container_of(vio, struct task, exec.vio);
}

/* What a failed I/O tells the initiator. */
static enum sense_code sense_of_failure(enum vio_op op, int rc)
{
    if (rc == -ENOSPC)
        return SENSE_NO_SPACE;
    if (rc == -ERANGE) /* it has shrunk since the range was checked */
        return SENSE_LBA_RANGE;
    if (rc == -EIO)
        return op == VIO_READ ? SENSE_READ_ERROR : SENSE_WRITE_ERROR;
    return SENSE_INTERNAL_FAILURE;
}

static void exec_on_flushed(struct vio *vio, int rc)
{
    exec_end(exec_vio_task(vio), rc);
}

/* With WCE 0 whatever has changed the medium is answered when it is durable:
 * SBC-4, 6.5.5. Commands of several I/Os have one flush for all of them. */
static bool is_to_flush(const struct task *t)
{
    const struct vio *vio = &t->exec.vio;
    return t->exec.op->changes_medium && !t->aborted && !vio->fua &&
           vio->op != VIO_FLUSH && exec_writes_through(t);
}

void exec_set_sanitized(struct task *t)
{
    if (exec_sanitize_sense(t->lu, &t->sense))
        (void)exec_check(t);
    else
        t->status = SAM_BUSY; /* it has ended meanwhile */
}

void exec_end(struct task *t, int rc)
{
    if (rc == 0 && is_to_flush(t)) {
        exec_vio_range(t, VIO_FLUSH, 0, 0);
        (void)exec_vio_submit(t, exec_on_flushed);
        return;
    }
    if (rc == 0) {
        (void)exec_good(t);
    } else if (rc == -ENOMEM) {
        t->status = SAM_BUSY; /* it passes: the initiator tries again */
    } else if (rc == -ENOSPC && t->leaving != NULL) {
        (void)exec_refuse(t, SENSE_ACCESS_TRANSITION); /* to wait elsewhere */
    } else if (rc == -EINPROGRESS) {
        exec_set_sanitized(t);
    } else {
        (void)exec_refuse(t, sense_of_failure(t->exec.vio.op, rc));
    }
    task_done(t);
}
