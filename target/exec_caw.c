/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE AND WRITE (SBC-4, 5.3): what comes is twice the blocks, first what has to be
 * there, then what is written if it is. Comparing and writing are the volume's, in one
 * step. On the reactor's thread. */
#include "target/exec_ops.h"

#include <assert.h>
#include <errno.h>

/* As many as its CDB can say, on any unit. */
static_assert(EXEC_CAW_BLOCKS_MAX == UINT8_MAX, "the CDB has a byte for them");
static_assert(EXEC_CAW_BLOCKS_MAX * BLOCK_BYTES <= VIO_ATOMIC_BYTES_MAX, "one vio");

/* The buffer: first the data-out in whole blocks of the volume, then what is read. */
static uint32_t caw_blocks_at(const struct task *t)
{
    return (t->data_out_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

/* The data is twice the blocks, or it is refused: of less or more the halves would not
 * lie where the initiator thinks, and 256 blocks, of which the CDB says 0, would be GOOD.
 */
static enum exec_result caw_judge_length(struct task *t, const struct cdb_rw *rw)
{
    uint32_t bytes = 2 * rw->blocks << t->lu->block_shift;
    if (t->expected_out_bytes < bytes)
        return exec_refuse_length(t, bytes);
    if (t->expected_out_bytes == bytes)
        return EXEC_PENDING;
    t->transfer_bytes = bytes; /* for the residual */
    sense_set_cdb(&t->sense, rw->blocks_byte, SENSE_NO_BIT);
    return exec_check(t);
}

enum exec_result exec_caw_prepare(struct task *t)
{
    struct cdb_rw rw;
    if (cdb_caw_decode(t->cdb, &rw, &t->sense) != 0 ||
        cdb_check_range(rw.lba, rw.blocks, lu_block_count(t->lu), &t->sense) != 0)
        return exec_check(t);
    if (caw_judge_length(t, &rw) == EXEC_DONE || exec_want_blocks(t, &rw) == EXEC_DONE)
        return EXEC_DONE;
    t->exec.vio.op = VIO_COMPARE_WRITE;
    t->data_out_bytes *= 2;
    t->data_offset = 0;
    t->buffer_bytes += caw_blocks_at(t);
    return EXEC_PENDING;
}

static void exec_caw_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    t->transfer_bytes = t->data_out_bytes;
    if (rc != -EILSEQ) {
        exec_end(t, rc);
        return;
    }
    sense_set_info(&t->sense, SENSE_MISCOMPARE, vio->differs_at_bytes);
    (void)exec_check(t);
    task_done(t);
}

enum exec_result exec_caw(struct task *t)
{
    t->exec.vio.halves = t->buffer.base;
    t->exec.vio.data = t->buffer.base + caw_blocks_at(t);
    return exec_vio_submit(t, exec_caw_done);
}
