/* SPDX-License-Identifier: Apache-2.0 */
/* One SCSI command's life, from the PDU that brought it to its status. The transport
 * (conn_rx.c, data.c, task.c) makes and frees it and moves its data; SCSI execution
 * (exec.h) says what it needs and fills in what it answers. On its reactor's thread
 * alone. */
#ifndef TARGET_TASK_H
#define TARGET_TASK_H

#include "base/auto.h"
#include "lunmgr/buf.h"
#include "lunmgr/lane.h"
#include "lunmgr/sanitize.h"
#include "lunmgr/volume_io.h"
#include "proto/cdb.h"
#include "proto/pdu.h"
#include "proto/sense.h"
#include "target/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access_swap;
struct reserve_change;
struct reserve_leg;
struct alua_wait;
struct conn;
struct copy_run;
struct flow;
struct lu;
struct nexus;
struct rod_run;

/* What exec_*.c keeps of a command between exec_prepare and task_done; exec's alone, to
 * be changed as it needs. All zero when exec_prepare is called. */
struct task_exec {
    const struct cdb_op *op;
    struct vio vio; /* one I/O at a time */
    /* Its range, or what is left of it. */
    uint64_t lba;
    uint64_t blocks;
    struct unmap_list unmap; /* inside buffer */
    bool compare;            /* WRITE AND VERIFY: what was written, with what was sent */
    struct sanitize_ask sanitize;
    unsigned reservations;         /* the unit's count of changes when it was checked */
    struct reserve_change *change; /* of what is reserved, that it waits for */
    struct copy_run *copy;         /* NULL: none is under way */
    struct rod_run *rod;           /* the same */
};

/* Where the transport has it. */
enum task_state {
    TASK_WAITING,    /* for buffer memory */
    TASK_RECEIVING,  /* for data-out */
    TASK_DISCARDING, /* its status is known, but data-out on its way is taken first */
    TASK_DORMANT,    /* for others of its task set: task_set.h */
    TASK_THROTTLED,  /* for the limits of its volume and its host: pacer.h */
    TASK_EXECUTING,  /* exec has it */
    TASK_ANSWERING,  /* data-in and status are in the output queue */
};

/* Book of the data-out (data.c). Offsets are of the whole transfer; the first kept_bytes
 * of it go to the buffer, what is beyond goes nowhere. */
struct task_data_out {
    uint32_t kept_bytes;
    uint32_t at_bytes;                 /* came, in order, up to here */
    uint32_t asked_bytes;              /* asked for up to here */
    bool immediate_due;                /* the command's own data is still coming */
    bool final_seen;                   /* nothing more comes unasked */
    uint32_t data_sn;                  /* of the next Data-Out in its sequence */
    uint32_t r2t_sn;                   /* R2Ts sent */
    uint32_t r2t_done;                 /* of them, answered in full */
    uint32_t r2t_ttt[SESSION_R2T_MAX]; /* by number of the R2T, modulo */
    uint32_t r2t_end[SESSION_R2T_MAX]; /* offset after its last byte */
};

#define TASK_UNITS 3 /* its own, and those that it copies from and to */

struct task {
    /* --- set by the transport before exec_prepare; exec only reads --- */
    struct lane *lane;   /* for vio.lane */
    struct nexus *nexus; /* the initiator's view and unit attentions */
    uint64_t lun;        /* as on the wire: proto/lun.h reads it */
    uint8_t cdb[CDB_BYTES_MAX];
    uint32_t itt;
    enum task_attr attribute;
    /* The initiator's expected data transfer length, by its R and W flags; the other one
     * is 0. */
    uint32_t expected_in_bytes, expected_out_bytes;

    /* --- set by exec_prepare --- */
    const struct lu *lu; /* NULL: the LUN shows nothing, or the command needs no LU */
    /* The data-out that the CDB asks for. The transport gets no more of it than
     * expected_out_bytes. */
    uint32_t data_out_bytes;
    /* The buffer that the command needs, at most BUF_BYTES_MAX; 0: none. The transport
     * gets it (buffer below) before data arrives and before exec_start, and frees it when
     * the answer is sent. */
    uint32_t buffer_bytes;
    /* The first byte of data-out is put at buffer.base + data_offset; for volume I/O that
     * is (lba * block) % BLOCK_BYTES. */
    uint32_t data_offset;

    /* --- set by the transport before exec_start --- */
    /* Less than data_out_bytes: the initiator's expected length was too short. */
    uint32_t data_out_received_bytes;
    struct buf buffer; /* base is NULL if buffer_bytes is 0 */
    /* No answer will be sent: exec may skip what it has not begun, and still calls
     * task_done. */
    bool aborted;

    /* --- the answer, set by exec: by exec_prepare if it returns EXEC_DONE, by exec_start
     *     if it does, else before task_done --- */
    enum sam_status status;
    struct sense sense;    /* with SAM_CHECK_CONDITION */
    bool sense_descriptor; /* the format: D_SENSE of the control mode page */
    /* What the command moves by its CDB (data-in: after the allocation length), whatever
     * the initiator expected: the difference is the residual. 0 when refused. */
    uint32_t transfer_bytes;
    /* Data-in: data_in_bytes at data_in, inside buffer or static const data. The
     * transport sends no more of it than expected_in_bytes. */
    const uint8_t *data_in;
    uint32_t data_in_bytes;

    struct task_exec exec;

    /* --- the transport's alone --- */
    struct conn *conn;
    struct task *next, *prev; /* in its connection's list, in order of arrival */
    struct task *wait_next;   /* in its connection's queue for memory */
    struct task *hash_next;   /* of those with its ITT's hash */
    int64_t came_us;          /* clock_us() */
    struct flow *flow;        /* THROTTLED: its row, and the next of it */
    struct task *flow_next;
    uint64_t limited_bytes;   /* that it counts for there */
    int64_t throttled_us;     /* since when: clock_us() */
    struct access_swap *swap; /* lu is gone: this waits for the task's end */
    /* The same: its nexus has lost its right to it, or to the units that a copy works on;
     * the first is filled first. */
    struct reserve_leg *drains[TASK_UNITS];
    struct alua_wait *leaving; /* the way to lu is closed: the same */
    uint64_t serial;           /* in order of arrival at its reactor */
    enum task_state state;
    uint32_t cmd_sn;
    bool immediate;
    bool answered;           /* status is set: what is left is to send it */
    bool detached;           /* its status is sent, exec has it yet: task_detach */
    uint32_t reserved_bytes; /* of the buffer budgets */
    uint32_t tx_refs;        /* PDUs in the output queue */
    uint32_t data_in_pdus;   /* sent */
    struct task_data_out out;
};

/* Exec calls it once for every exec_start that returned EXEC_PENDING, when the answer is
 * set and no I/O of the task is under way: on the reactor's thread, from an I/O's done()
 * or a turn hook, never inside exec_start. The task may be gone when it returns. */
void task_done(struct task *t);

/* Exec, inside exec_start: what it has set is the answer, without data-in, and it goes on
 * behind it until task_done. To its initiator there is no such task any more; it ends
 * with its session at the latest, and by a reset. Its buffer is gone when this returns.
 */
void task_detach(struct task *t);

#endif
