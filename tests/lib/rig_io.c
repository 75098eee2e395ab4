/* SPDX-License-Identifier: Apache-2.0 */
/* One I/O of the rig: on its lane's thread where lanes have threads, else here. */
#include "tests/lib/pool_rig.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Blocks for the range, and what the operation wants behind them. */
static size_t buffer_bytes(enum vio_op op, uint64_t offset, uint64_t bytes)
{
    switch (op) {
    case VIO_READ:
    case VIO_WRITE:
        return vio_buffer_bytes(offset, bytes);
    case VIO_OR:
        return 2 * vio_buffer_bytes(offset, bytes);
    case VIO_COMPARE_WRITE:
        return vio_buffer_bytes(offset, bytes) + vio_buffer_bytes(0, 2 * bytes);
    default:
        return 0;
    }
}

static void rig_io_done(struct vio *vio, int rc)
{
    struct rig_io *io = container_of(vio, struct rig_io, vio);
    io->rc = rc;
    atomic_store(&io->ended, true);
}

static void rig_io_run_note(struct note *note)
{
    struct rig_io *io = container_of(note, struct rig_io, note);
    vio_submit(&io->vio);
}

void rig_io_init(struct rig_io *io, struct pool_rig *r, unsigned lane,
                 struct volume *volume, enum vio_op op, uint64_t offset, uint64_t bytes)
{
    *io = (struct rig_io){.rig = r, .lane = lane};
    size_t size = buffer_bytes(op, offset, bytes);
    if (size > 0)
        io->buffer = aligned_alloc(BUF_ALIGN, size);
    io->vio = (struct vio){
        .lane = r->lanes[lane].lane,
        .volume = volume,
        .op = op,
        .offset_bytes = offset,
        .length_bytes = bytes,
        .data = io->buffer,
        .done = rig_io_done,
    };
    if (op == VIO_COMPARE_WRITE)
        io->vio.halves = rig_io_halves(io);
}

void rig_io_fini(struct rig_io *io)
{
    free(io->buffer);
    io->buffer = NULL;
}

uint8_t *rig_io_data(struct rig_io *io)
{
    return io->buffer + io->vio.offset_bytes % BLOCK_BYTES;
}

uint8_t *rig_io_halves(struct rig_io *io)
{
    return io->buffer + vio_buffer_bytes(io->vio.offset_bytes, io->vio.length_bytes);
}

void rig_io_start(struct rig_io *io)
{
    atomic_store(&io->ended, false);
    io->note.run = rig_io_run_note;
    if (io->rig->options.threads)
        loop_post(io->rig->lanes[io->lane].loop, &io->note);
    else
        vio_submit(&io->vio);
}

static bool rig_io_ended(void *arg)
{
    return atomic_load(&((struct rig_io *)arg)->ended);
}

int rig_io_wait(struct rig_io *io)
{
    pool_rig_until(io->rig, rig_io_ended, io);
    return io->rc;
}

int rig_io_end(struct rig_io *io)
{
    int rc = rig_io_wait(io);
    rig_io_fini(io);
    return rc;
}

int rig_io_run(struct pool_rig *r, unsigned lane, struct volume *volume, enum vio_op op,
               uint64_t offset, uint64_t bytes, uint8_t *data)
{
    struct rig_io io;
    rig_io_init(&io, r, lane, volume, op, offset, bytes);
    if (op == VIO_WRITE || op == VIO_OR)
        memcpy(rig_io_data(&io), data, bytes);
    rig_io_start(&io);
    int rc = rig_io_wait(&io);
    if (op == VIO_READ)
        memcpy(data, rig_io_data(&io), bytes);
    rig_io_fini(&io);
    return rc;
}

int rig_write(struct pool_rig *r, struct volume *volume, uint64_t offset, uint64_t bytes,
              uint8_t fill)
{
    AUTO_FREE uint8_t *data = malloc(bytes);
    memset(data, fill, bytes);
    return rig_io_run(r, 0, volume, VIO_WRITE, offset, bytes, data);
}

void rig_io_init_caw(struct rig_io *io, struct pool_rig *r, unsigned lane,
                     struct volume *volume, uint64_t offset, uint64_t bytes,
                     uint8_t expected, uint8_t fill)
{
    rig_io_init(io, r, lane, volume, VIO_COMPARE_WRITE, offset, bytes);
    memset(rig_io_halves(io), expected, bytes);
    memset(rig_io_halves(io) + bytes, fill, bytes);
}

bool rig_reads(struct pool_rig *r, struct volume *volume, uint64_t offset, uint64_t bytes,
               uint8_t fill)
{
    AUTO_FREE uint8_t *data = malloc(bytes);
    memset(data, ~fill, bytes);
    if (rig_io_run(r, 0, volume, VIO_READ, offset, bytes, data) != 0)
        return false;
    for (uint64_t i = 0; i < bytes; i++)
        if (data[i] != fill)
            return false;
    return true;
}

int rig_flush(struct pool_rig *r, struct volume *volume)
{
    return rig_io_run(r, 0, volume, VIO_FLUSH, 0, 0, NULL);
}
