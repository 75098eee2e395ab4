/* SPDX-License-Identifier: Apache-2.0 */
/* UNMAP, and WRITE SAME of 10 and 16 bytes. Both may take several I/Os; they go one after
 * the other, in one vio. On the reactor's thread. */
#include "target/exec_ops.h"

#include <string.h>

/* What a pattern that is not zeros is written by at once: whole blocks and extents. */
#define SAME_PIECE_BYTES (192U << 10)

/* ---- UNMAP ------------------------------------------------------------------------- */

static void exec_unmap_done(struct vio *vio, int rc);

/* LBPRZ is told, so what was unmapped reads as zeros. Volume I/O unmaps whole blocks;
 * where a range begins or ends inside one it is zeroed instead. */
static enum vio_op unmap_op(uint64_t offset_bytes, uint64_t length_bytes)
{
    bool whole = offset_bytes % BLOCK_BYTES == 0 && length_bytes % BLOCK_BYTES == 0;
    return whole ? VIO_UNMAP : VIO_ZERO;
}

/* Submits the next range; false: none is left, or nobody waits for it. */
static bool unmap_submit_next(struct task *t)
{
    struct vio *vio = &t->exec.vio;
    struct unmap_range range;
    while (!t->aborted && unmap_list_next(&t->exec.unmap, &range)) {
        if (range.blocks == 0)
            continue;
        exec_vio_range(t, VIO_UNMAP, range.lba, range.blocks);
        vio->op = unmap_op(vio->offset_bytes, vio->length_bytes);
        vio->may_unmap = true;
        (void)exec_vio_submit(t, exec_unmap_done);
        return true;
    }
    return false;
}

static void exec_unmap_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    if (rc != 0 || !unmap_submit_next(t))
        exec_end(t, rc);
}

enum exec_result exec_unmap_prepare(struct task *t)
{
    struct cdb_unmap unmap;
    if (cdb_unmap_decode(t->cdb, &unmap, &t->sense) != 0)
        return exec_check(t);
    return exec_want_list(t, unmap.list_bytes);
}

enum exec_result exec_unmap(struct task *t)
{
    const struct unmap_limits limits = {
        .capacity_blocks = lu_block_count(t->lu),
        .descriptors_max = EXEC_UNMAP_DESCRIPTORS_MAX,
        .blocks_max = EXEC_UNMAP_BLOCKS_MAX,
    };
    if (unmap_list_init(&t->exec.unmap, t->buffer.base, t->data_out_bytes, &limits,
                        &t->sense) != 0)
        return exec_check(t);
    t->transfer_bytes = t->data_out_bytes;
    return unmap_submit_next(t) ? EXEC_PENDING : exec_good(t);
}

/* ---- WRITE SAME -------------------------------------------------------------------- */

static bool bytes_are_zero(const uint8_t *data, size_t bytes)
{
    return data[0] == 0 && memcmp(data, data + 1, bytes - 1) == 0;
}

static void exec_zero_done(struct vio *vio, int rc)
{
    exec_end(exec_vio_task(vio), rc);
}

static enum exec_result same_zero(struct task *t)
{
    exec_vio_range(t, VIO_ZERO, t->exec.lba, t->exec.blocks);
    return exec_vio_submit(t, exec_zero_done);
}

/* The buffer: first the piece, which is the block again and again, then the block as it
 * came. The piece is laid anew for each write: volume I/O may use what lies around the
 * range in its first and last block. */
static void same_lay_piece(struct task *t)
{
    uint32_t block_bytes = t->data_out_bytes;
    const uint8_t *block = t->buffer.base + t->data_offset;
    for (uint32_t at = 0; at < t->data_offset; at += block_bytes)
        memcpy(t->buffer.base + at, block, block_bytes);
}

static void exec_same_done(struct vio *vio, int rc);

/* Writes as much as fits into the piece; exec.lba and exec.blocks: what is left. */
static enum exec_result same_write_next(struct task *t)
{
    struct vio *vio = &t->exec.vio;
    uint64_t into_block = (t->exec.lba << t->lu->block_shift) % BLOCK_BYTES;
    uint64_t blocks = (t->data_offset - into_block) >> t->lu->block_shift;
    if (blocks > t->exec.blocks)
        blocks = t->exec.blocks;
    same_lay_piece(t);
    exec_vio_range(t, VIO_WRITE, t->exec.lba, blocks);
    vio->data = t->buffer.base;
    t->exec.lba += blocks;
    t->exec.blocks -= blocks;
    return exec_vio_submit(t, exec_same_done);
}

static void exec_same_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    if (rc != 0 || t->exec.blocks == 0 || t->aborted)
        exec_end(t, rc);
    else
        (void)same_write_next(t);
}

static enum exec_result same_want_data(struct task *t)
{
    uint32_t block_bytes = lu_block_bytes(t->lu);
    if (t->expected_out_bytes != block_bytes)
        return exec_refuse_length(t, block_bytes);
    uint64_t piece = vio_buffer_bytes(t->exec.vio.offset_bytes, t->exec.vio.length_bytes);
    t->data_out_bytes = block_bytes;
    t->data_offset = piece < SAME_PIECE_BYTES ? (uint32_t)piece : SAME_PIECE_BYTES;
    t->buffer_bytes = t->data_offset + block_bytes;
    return EXEC_PENDING;
}

enum exec_result exec_write_same_prepare(struct task *t)
{
    struct cdb_write_same ws;
    if (cdb_write_same_decode(t->cdb, t->exec.op, &ws, &t->sense) != 0)
        return exec_check(t);
    /* To the end are at least one block: an LBA behind the last is out of range. */
    uint64_t capacity = lu_block_count(t->lu);
    if (cdb_check_range(ws.lba, ws.blocks == 0 ? 1 : ws.blocks, capacity, &t->sense) != 0)
        return exec_check(t);
    uint64_t blocks = ws.blocks == 0 ? capacity - ws.lba : ws.blocks;
    if (blocks > EXEC_SAME_BLOCKS_MAX) {
        sense_set_cdb(&t->sense, ws.blocks_byte, SENSE_NO_BIT);
        return exec_check(t);
    }
    t->exec.lba = ws.lba;
    t->exec.blocks = blocks;
    exec_vio_range(t, VIO_ZERO, ws.lba, blocks);
    t->exec.vio.may_unmap = ws.unmap;
    return ws.ndob ? EXEC_PENDING : same_want_data(t);
}

bool exec_same_is_zero(const struct task *t)
{
    return t->data_out_bytes == 0 ||
           bytes_are_zero(t->buffer.base + t->data_offset, t->data_out_bytes);
}

enum exec_result exec_write_same(struct task *t)
{
    t->transfer_bytes = t->data_out_bytes;
    if (exec_same_is_zero(t))
        return same_zero(t);
    return same_write_next(t);
}
