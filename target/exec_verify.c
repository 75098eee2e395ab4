/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY, and WRITE AND VERIFY, of 10, 12 and 16 bytes. With BYTCHK 0 nothing is
 * compared: what the devices hold is checked by them when it is read; VERIFY then checks
 * the range alone. Else (1: as many blocks; 3: one, against each) the range is read and
 * compared with the data-out, which WRITE AND VERIFY has written before. On the reactor's
 * thread. */
#include "target/exec_ops.h"

#include <string.h>

/* The buffer: first the data-out in whole blocks of the volume, then what is read. */
static uint32_t verify_read_at(const struct task *t)
{
    return (t->data_offset + t->data_out_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES *
           BLOCK_BYTES;
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    size_t i = 0;
    while (i < bytes && a[i] == b[i])
        i++;
    return i;
}

/* True, or t->sense says where the data first differs. */
static bool verify_compare(struct task *t)
{
    const struct vio *vio = &t->exec.vio;
    const uint8_t *sent = t->buffer.base + t->data_offset;
    const uint8_t *read = vio->data + vio->offset_bytes % BLOCK_BYTES;
    for (size_t at = 0; at < vio->length_bytes; at += t->data_out_bytes) {
        if (memcmp(read + at, sent, t->data_out_bytes) == 0)
            continue;
        at += first_difference(read + at, sent, t->data_out_bytes);
        sense_set_info(&t->sense, SENSE_MISCOMPARE, at);
        return false;
    }
    return true;
}

static void exec_verify_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    t->transfer_bytes = (uint32_t)(t->exec.blocks << t->lu->block_shift);
    if (rc != 0 || verify_compare(t)) {
        exec_end(t, rc);
        return;
    }
    (void)exec_check(t);
    task_done(t);
}

/* The length is inside the limit; blocks and bytchk are not 0. */
static enum exec_result verify_want_data(struct task *t, const struct cdb_verify *v)
{
    uint32_t blocks = v->bytchk == 1 ? v->blocks : 1;
    uint32_t bytes = blocks << t->lu->block_shift;
    if (t->expected_out_bytes < bytes)
        return exec_refuse_length(t, bytes);
    t->data_out_bytes = bytes;
    t->exec.blocks = blocks;
    exec_vio_range(t, VIO_READ, v->lba, v->blocks);
    const struct vio *vio = &t->exec.vio;
    t->buffer_bytes = verify_read_at(t) +
                      (uint32_t)vio_buffer_bytes(vio->offset_bytes, vio->length_bytes);
    return EXEC_PENDING;
}

enum exec_result exec_verify_prepare(struct task *t)
{
    struct cdb_verify v;
    if (cdb_verify_decode(t->cdb, t->exec.op, &v, &t->sense) != 0)
        return exec_check(t);
    if (cdb_check_range(v.lba, v.blocks, lu_block_count(t->lu), &t->sense) != 0)
        return exec_check(t);
    if (v.blocks == 0 || v.bytchk == 0)
        return exec_good(t);
    if (v.blocks > EXEC_TRANSFER_BYTES_MAX >> t->lu->block_shift) {
        sense_set_cdb(&t->sense, v.blocks_byte, SENSE_NO_BIT);
        return exec_check(t);
    }
    return verify_want_data(t, &v);
}

enum exec_result exec_verify(struct task *t)
{
    t->exec.vio.data = t->buffer.base + verify_read_at(t);
    return exec_vio_submit(t, exec_verify_done);
}

/* ---- WRITE AND VERIFY -------------------------------------------------------------- */

/* It is what the medium holds that is verified, so what was written is durable first. */
static void exec_write_verify_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    if (rc == 0 && t->exec.compare) {
        vio->op = VIO_READ;
        (void)exec_verify(t);
        return;
    }
    if (rc == 0)
        t->transfer_bytes = (uint32_t)(t->exec.blocks << t->lu->block_shift);
    exec_end(t, rc);
}

enum exec_result exec_write_verify_prepare(struct task *t)
{
    struct cdb_verify v;
    if (cdb_verify_decode(t->cdb, t->exec.op, &v, &t->sense) != 0)
        return exec_check(t);
    const struct cdb_rw rw = {
        .lba = v.lba,
        .blocks = v.blocks,
        .write = true,
        .fua = true,
        .blocks_byte = v.blocks_byte,
    };
    if (exec_want_blocks(t, &rw) == EXEC_DONE)
        return EXEC_DONE;
    t->exec.compare = v.bytchk != 0;
    if (t->exec.compare)
        t->buffer_bytes *= 2;
    return EXEC_PENDING;
}

enum exec_result exec_write_verify(struct task *t)
{
    t->exec.vio.data = t->buffer.base;
    return exec_vio_submit(t, exec_write_verify_done);
}
