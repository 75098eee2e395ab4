/* SPDX-License-Identifier: Apache-2.0 */
/* Each piece goes its own way: look what is mapped, read that, write it, or zero what
 * there is none of; then the next piece of the range. */
#include "lunmgr/copy_data.h"

#include "lunmgr/lane_priv.h"

#include <errno.h>
#include <string.h>

static void piece_step(struct copy_piece *p);

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- The end ------------------------------------------------------------------------
 */

/* Up to the first byte that is not copied yet. */
static void data_count(struct copy_data *d)
{
    uint64_t copied = d->cursor;
    for (unsigned i = 0; i < COPY_PIECES; i++)
        if (d->pieces[i].at < d->pieces[i].end)
            copied = least(copied, d->pieces[i].at);
    d->copied_bytes = copied;
}

static void piece_rest(struct copy_piece *p)
{
    struct copy_data *d = p->data;
    buf_put(d->lane->buffers, &p->buf);
    p->is_busy = false;
    if (--d->busy > 0)
        return;
    data_count(d);
    d->done(d, d->rc);
}

/* Its own failure, or another's. */
static void piece_fail(struct copy_piece *p, int rc)
{
    if (p->data->rc == 0)
        p->data->rc = rc;
    piece_rest(p);
}

/* ---- A piece's I/O -------------------------------------------------------------------
 */

static void piece_submit(struct copy_piece *p, enum vio_op op, uint64_t length,
                         void (*done)(struct vio *, int))
{
    const struct copy_data *d = p->data;
    bool looks = op == VIO_READ || op == VIO_STATUS;
    p->length_bytes = length;
    p->vio = (struct vio){
        .lane = d->lane,
        .volume = looks ? d->from : d->to,
        .op = op,
        .patient = d->patient,
        .may_unmap = op == VIO_ZERO,
        .offset_bytes = (looks ? d->from_bytes : d->to_bytes) + p->at,
        .length_bytes = length,
        .data = p->buf.base,
        .status = &p->status,
        .status_max = 1,
        .done = done,
    };
    vio_submit(&p->vio);
}

static struct copy_piece *piece_of(struct vio *vio)
{
    return container_of(vio, struct copy_piece, vio);
}

static void piece_on_changed(struct vio *vio, int rc)
{
    struct copy_piece *p = piece_of(vio);
    if (rc != 0) {
        piece_fail(p, rc);
        return;
    }
    p->at += p->length_bytes;
    data_count(p->data);
    piece_step(p);
}

static bool bytes_are_zeros(const uint8_t *data, uint64_t length)
{
    return data[0] == 0 && memcmp(data, data + 1, (size_t)length - 1) == 0;
}

static void piece_on_read(struct vio *vio, int rc)
{
    struct copy_piece *p = piece_of(vio);
    uint8_t *got = p->buf.base + vio->offset_bytes % BLOCK_BYTES;
    if (rc != 0 || p->data->rc != 0) {
        piece_fail(p, rc);
    } else if (bytes_are_zeros(got, p->length_bytes)) {
        piece_submit(p, VIO_ZERO, p->length_bytes, piece_on_changed);
    } else {
        uint64_t to = p->data->to_bytes + p->at;
        memmove(p->buf.base + to % BLOCK_BYTES, got, (size_t)p->length_bytes);
        piece_submit(p, VIO_WRITE, p->length_bytes, piece_on_changed);
    }
}

/* One stretch of the source: all mapped or all not. It is told in whole blocks, which may
 * begin before ours. */
static void piece_on_status(struct vio *vio, int rc)
{
    struct copy_piece *p = piece_of(vio);
    if (rc != 0 || p->data->rc != 0) {
        piece_fail(p, rc);
        return;
    }
    uint64_t stretch =
        p->status.offset_bytes + p->status.length_bytes - vio->offset_bytes;
    uint64_t length = least(stretch, p->end - p->at);
    if (p->status.mapped)
        piece_submit(p, VIO_READ, length, piece_on_read);
    else
        piece_submit(p, VIO_ZERO, length, piece_on_changed);
}

/* ---- Pieces --------------------------------------------------------------------------
 */

/* The next of the range. It ends at the end of an extent of the target, where it can, and
 * fits into the buffer as it lies in the source and in the target. */
static bool piece_take(struct copy_piece *p)
{
    struct copy_data *d = p->data;
    uint64_t to = d->to_bytes + d->cursor, end = d->to_bytes + d->length_bytes;
    uint64_t most = COPY_PIECE_BYTES - 2 * BLOCK_BYTES;
    if (d->cursor == d->length_bytes)
        return false;
    if (to % BLOCK_BYTES == 0 && (d->from_bytes + d->cursor) % BLOCK_BYTES == 0)
        most = COPY_PIECE_BYTES;
    p->at = d->cursor;
    p->end = least(end, (to + most) / EXTENT_BYTES * EXTENT_BYTES) - d->to_bytes;
    d->cursor = p->end;
    return true;
}

static void piece_step(struct copy_piece *p)
{
    if (p->data->rc != 0 || (p->at == p->end && !piece_take(p)))
        piece_rest(p);
    else
        piece_submit(p, VIO_STATUS, p->end - p->at, piece_on_status);
}

void copy_data_start(struct copy_data *d)
{
    d->cursor = d->copied_bytes = 0;
    d->rc = 0;
    d->busy = 1; /* ours, until all have begun */
    for (unsigned i = 0; i < COPY_PIECES; i++) {
        struct copy_piece *p = &d->pieces[i];
        *p = (struct copy_piece){.data = d};
        if (d->cursor == d->length_bytes)
            continue;
        if (buf_get(d->lane->buffers, COPY_PIECE_BYTES, &p->buf) != 0) {
            d->rc = d->busy == 1 ? -ENOMEM : 0; /* fewer will do */
            break;
        }
        p->is_busy = true;
        d->busy++;
        piece_step(p);
    }
    if (--d->busy == 0) {
        data_count(d);
        d->done(d, d->rc);
    }
}

void copy_data_stop(struct copy_data *d)
{
    if (d->rc == 0)
        d->rc = -ECANCELED;
    for (unsigned i = 0; i < COPY_PIECES; i++)
        if (d->pieces[i].is_busy)
            vio_give_up(&d->pieces[i].vio);
}
