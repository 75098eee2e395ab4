/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY of 10, 12 and 16 bytes. Without data-out it checks the range alone: what the
 * devices hold is checked by them when it is read. With data-out (BYTCHK 1: as many
 * blocks; 3: one, against each) it reads the range and compares. On the reactor's
 * thread. */
#include "target/exec_ops.h"

#include <string.h>

/* The buffer: first the data-out in whole blocks of the volume, then what is read. */
static uint32_t verify_read_at(const struct task *t)
{
    return (t->data_out_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
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
    const uint8_t *sent = t->buffer.base;
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
    t->transfer_bytes = t->data_out_bytes;
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
