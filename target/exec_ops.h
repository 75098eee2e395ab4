/* SPDX-License-Identifier: Apache-2.0 */
/* Between exec.c and the files that execute commands (exec_*.c), and nobody else: the
 * commands' two halves, and how they answer. On the reactor's thread. */
#ifndef TARGET_EXEC_OPS_H
#define TARGET_EXEC_OPS_H

#include "base/wire.h"
#include "proto/lu_ident.h"
#include "target/exec.h"
#include "target/nexus.h"

/* What one command may ask for; told in VPD page B0h. */
#define EXEC_TRANSFER_BYTES_MAX     (4U << 20)
#define EXEC_TRANSFER_BYTES_OPTIMAL (1U << 20)
#define EXEC_UNMAP_BLOCKS_MAX       (1U << 20)
#define EXEC_UNMAP_DESCRIPTORS_MAX  256U
#define EXEC_SAME_BLOCKS_MAX        (1U << 20)
#define EXEC_ATOMIC_BYTES_MAX       VIO_ATOMIC_BYTES_MAX
#define EXEC_CAW_BLOCKS_MAX         255U

/* Space is told in sets of 1 << this bytes, one extent, whatever the block: VPD page B2h
 * and log page 0Ch. */
#define EXEC_THRESHOLD_SHIFT 16

/* ---- The commands ------------------------------------------------------------------ */

enum exec_result exec_inquiry(struct task *t);
enum exec_result exec_mode_sense(struct task *t);
enum exec_result exec_mode_select_prepare(struct task *t);
enum exec_result exec_mode_select(struct task *t);
enum exec_result exec_log_sense(struct task *t);
enum exec_result exec_read_capacity(struct task *t);
enum exec_result exec_lba_status_prepare(struct task *t);
enum exec_result exec_lba_status(struct task *t);
enum exec_result exec_report_luns_prepare(struct task *t);
enum exec_result exec_report_luns(struct task *t);
enum exec_result exec_report_opcodes(struct task *t);
enum exec_result exec_report_tmfs(struct task *t);
enum exec_result exec_report_port_groups(struct task *t);
enum exec_result exec_request_sense(struct task *t);
enum exec_result exec_test_unit_ready(struct task *t);
enum exec_result exec_start_stop_prepare(struct task *t);
enum exec_result exec_prevent_allow(struct task *t);
enum exec_result exec_sync_prepare(struct task *t);
enum exec_result exec_flush(struct task *t);
enum exec_result exec_prefetch(struct task *t);
enum exec_result exec_defect_data(struct task *t);
enum exec_result exec_rw_prepare(struct task *t);
enum exec_result exec_rw(struct task *t);
enum exec_result exec_write_atomic_prepare(struct task *t);
enum exec_result exec_orwrite_prepare(struct task *t);
enum exec_result exec_caw_prepare(struct task *t);
enum exec_result exec_caw(struct task *t);
enum exec_result exec_verify_prepare(struct task *t);
enum exec_result exec_verify(struct task *t);
enum exec_result exec_write_verify_prepare(struct task *t);
enum exec_result exec_write_verify(struct task *t);
enum exec_result exec_unmap_prepare(struct task *t);
enum exec_result exec_unmap(struct task *t);
enum exec_result exec_write_same_prepare(struct task *t);
enum exec_result exec_write_same(struct task *t);
/* Its data is there: whether it writes nothing but zeros. */
bool exec_same_is_zero(const struct task *t);
enum exec_result exec_sanitize_prepare(struct task *t);
enum exec_result exec_sanitize(struct task *t);

enum exec_result exec_pr_in_prepare(struct task *t);
enum exec_result exec_pr_in(struct task *t);
enum exec_result exec_pr_out_prepare(struct task *t);
enum exec_result exec_pr_out(struct task *t);
enum exec_result exec_reserve(struct task *t);
enum exec_result exec_release(struct task *t);
enum exec_result exec_copy_prepare(struct task *t);
enum exec_result exec_copy(struct task *t);
enum exec_result exec_copy_abort(struct task *t);
enum exec_result exec_copy_status(struct task *t);
enum exec_result exec_copy_parameters(struct task *t);
enum exec_result exec_copy_failure(struct task *t);

enum exec_result exec_rod_list_prepare(struct task *t);
enum exec_result exec_populate_token(struct task *t);
enum exec_result exec_write_token(struct task *t);
enum exec_result exec_rod_info(struct task *t);
enum exec_result exec_rods_prepare(struct task *t);
enum exec_result exec_rods(struct task *t);

/* Of a task that copies: how far it is; and that it ends soon, as any other may. */
uint64_t exec_copied_bytes(const struct task *t);
void exec_copy_stop(struct task *t);
/* The same of one that makes or uses a token. */
uint64_t exec_rod_bytes(const struct task *t);
void exec_rod_stop(struct task *t);

/* ---- Answers ----------------------------------------------------------------------- */

/* Each sets the answer and returns EXEC_DONE, to be returned. */
enum exec_result exec_good(struct task *t);
/* CHECK CONDITION with the sense that t->sense already has, or with this code. */
enum exec_result exec_check(struct task *t);
enum exec_result exec_refuse(struct task *t, enum sense_code code);
/* The initiator expects to send less than (or not what) the CDB asks for: nothing is
 * transferred. The residual is told all the same. */
enum exec_result exec_refuse_length(struct task *t, uint32_t cdb_bytes);

/* Data-in that is built in the buffer: the wire is limited to alloc_bytes and to what
 * exec_prepare asked for; exec_reply sends what was put. */
void exec_reply_init(struct task *t, uint32_t alloc_bytes, struct wire *w);
enum exec_result exec_reply(struct task *t, const struct wire *w);

/* For a command with data-out of a parameter list: asks for it, or refuses. */
enum exec_result exec_want_list(struct task *t, uint32_t list_bytes);

/* For a command that moves blocks: checks the range, points t->exec.vio at it and asks
 * for its buffer; or answers. */
enum exec_result exec_want_blocks(struct task *t, const struct cdb_rw *rw);

/* ---- Volume I/O -------------------------------------------------------------------- */

/* Points t->exec.vio at a range of the LU. */
void exec_vio_range(struct task *t, enum vio_op op, uint64_t lba, uint64_t blocks);
/* done: as of struct vio; it ends with exec_end, or submits again. */
enum exec_result exec_vio_submit(struct task *t, void (*done)(struct vio *vio, int rc));
struct task *exec_vio_task(struct vio *vio);
/* Somebody waits for its end: it was aborted, or its LU, the way there or its right to it
 * is gone. */
bool exec_is_hurried(const struct task *t);
/* WCE is 0: what changes the medium is durable before it is answered. */
bool exec_writes_through(const struct task *t);
/* Sets the status for what the I/O came to and gives the task back: it may be gone. What
 * has changed the medium is flushed first if it has to be. */
void exec_end(struct task *t, int rc);

/* The sense of a unit that is being sanitized, or whose sanitize has failed; false: it is
 * neither. Any command but those that SBC-4, 4.11.2 lets through is answered so. */
bool exec_sanitize_sense(const struct lu *lu, struct sense *sense) MUST_CHECK;
/* Answers an I/O that a sanitize of the task's unit has ended. */
void exec_set_sanitized(struct task *t);

/* The sense of a unit that is not accessible by way of t's port group now; false: it is.
 * And whether a command is taken all the same: SPC-4, 5.15.2.4. */
bool exec_path_sense(const struct task *t, struct sense *sense) MUST_CHECK;
bool exec_path_takes(const struct task *t, const struct cdb_op *op);
/* What changes its medium is refused. */
bool exec_is_write_protected(const struct lu *lu);

/* ---- The unit ---------------------------------------------------------------------- */

/* What the unit says of itself, as this nexus sees it. revision: 5 bytes of the caller's,
 * lent to *ident. */
void exec_ident(const struct task *t, char revision[5], struct lu_ident *ident);

#endif
