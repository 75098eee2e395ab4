/* SPDX-License-Identifier: Apache-2.0 */
/* READ and WRITE of 6, 10, 12 and 16 bytes, WRITE ATOMIC(16), ORWRITE(16). The data goes
 * between the socket and the disk in the task's buffer, where it lies as volume I/O wants
 * it: no copy, no allocation. On the reactor's thread. */
#include "target/exec_ops.h"

static void exec_rw_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    if (rc == 0) {
        t->transfer_bytes = (uint32_t)(t->exec.blocks << t->lu->block_shift);
        if (vio->op == VIO_READ) {
            t->data_in = vio->data + t->data_offset;
            t->data_in_bytes = t->transfer_bytes;
        }
    }
    exec_end(t, rc);
}

/* FUA on a read: what is read is durable. SBC-4, 4.15.4. */
static void exec_read_flushed(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    if (rc != 0) {
        exec_end(t, rc);
        return;
    }
    exec_vio_range(t, VIO_READ, t->exec.lba, t->exec.blocks);
    (void)exec_vio_submit(t, exec_rw_done);
}

/* A WRITE whose initiator sends less than its CDB says: whole blocks of what comes are
 * written and the rest is told as residual overflow (RFC 7143, 11.4.5.1); part of a block
 * cannot be. */
static enum exec_result exec_rw_short(struct task *t, uint32_t bytes)
{
    if (t->expected_out_bytes % lu_block_bytes(t->lu) != 0)
        return exec_refuse_length(t, bytes);
    if (t->expected_out_bytes > 0)
        return EXEC_PENDING;
    t->transfer_bytes = bytes;
    return exec_good(t);
}

enum exec_result exec_want_blocks(struct task *t, const struct cdb_rw *rw)
{
    const struct lu *lu = t->lu;
    if (cdb_check_range(rw->lba, rw->blocks, lu_block_count(lu), &t->sense) != 0)
        return exec_check(t);
    if (rw->blocks > EXEC_TRANSFER_BYTES_MAX >> lu->block_shift) {
        sense_set_cdb(&t->sense, rw->blocks_byte, SENSE_NO_BIT);
        return exec_check(t);
    }
    if (rw->blocks == 0)
        return exec_good(t);

    uint32_t bytes = rw->blocks << lu->block_shift;
    bool is_short = rw->write && t->expected_out_bytes < bytes;
    t->exec.lba = rw->lba;
    t->exec.blocks = rw->blocks;
    if (is_short && exec_rw_short(t, bytes) == EXEC_DONE)
        return EXEC_DONE;
    if (is_short)
        bytes = t->expected_out_bytes;
    exec_vio_range(t, rw->write ? VIO_WRITE : VIO_READ, rw->lba,
                   bytes >> lu->block_shift);
    t->exec.vio.fua = rw->fua || (rw->write && exec_writes_through(t));
    t->data_out_bytes = rw->write ? bytes : 0;
    t->data_offset = (uint32_t)(t->exec.vio.offset_bytes % BLOCK_BYTES);
    t->buffer_bytes = (uint32_t)vio_buffer_bytes(t->exec.vio.offset_bytes, bytes);
    return EXEC_PENDING;
}

enum exec_result exec_rw_prepare(struct task *t)
{
    struct cdb_rw rw;
    if (cdb_rw_decode(t->cdb, t->exec.op, &rw, &t->sense) != 0)
        return exec_check(t);
    return exec_want_blocks(t, &rw);
}

/* WRITE ATOMIC(16): SBC-4, 5.48. Less than all of it is nothing: an initiator that sends
 * less than its CDB says is refused. */
enum exec_result exec_write_atomic_prepare(struct task *t)
{
    uint8_t shift = t->lu->block_shift;
    const struct atomic_limits limits = {
        .blocks_max = EXEC_ATOMIC_BYTES_MAX >> shift,
        .alignment_blocks = BLOCK_BYTES >> shift,
        .granularity_blocks = BLOCK_BYTES >> shift,
    };
    struct cdb_rw rw;
    if (cdb_write_atomic_decode(t->cdb, &rw, &t->sense) != 0 ||
        cdb_check_range(rw.lba, rw.blocks, lu_block_count(t->lu), &t->sense) != 0 ||
        cdb_check_atomic(&rw, &limits, &t->sense) != 0)
        return exec_check(t);
    if (t->expected_out_bytes < rw.blocks << shift)
        return exec_refuse_length(t, rw.blocks << shift);
    t->exec.vio.atomic = true;
    return exec_want_blocks(t, &rw);
}

/* A write to the transport; what is there is read and ORed below, in the other half of
 * the buffer: volume_io.h. */
enum exec_result exec_orwrite_prepare(struct task *t)
{
    if (exec_rw_prepare(t) == EXEC_DONE)
        return EXEC_DONE;
    t->exec.vio.op = VIO_OR;
    t->buffer_bytes *= 2;
    return EXEC_PENDING;
}

enum exec_result exec_rw(struct task *t)
{
    struct vio *vio = &t->exec.vio;
    vio->data = t->buffer.base;
    if (vio->op != VIO_READ || !vio->fua)
        return exec_vio_submit(t, exec_rw_done);
    exec_vio_range(t, VIO_FLUSH, 0, 0);
    return exec_vio_submit(t, exec_read_flushed);
}
