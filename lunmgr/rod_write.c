/* SPDX-License-Identifier: Apache-2.0 */
/* Piece by piece: as far as one range of the rod and one of the volume go together. */
#include "lunmgr/rod_write.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>

static void write_next(struct rod_write *w);

static void write_advance(struct rod_write *w, uint64_t bytes)
{
    w->written_bytes += bytes;
    w->into_span += bytes;
}

static void write_on_copied(struct copy *copy, int rc)
{
    struct rod_write *w = container_of(copy, struct rod_write, copy);
    w->is_copying = false;
    write_advance(w, copy->copied_bytes);
    if (rc != 0)
        w->done(w, rc);
    else
        write_next(w);
}

static void write_on_zeroed(struct vio *vio, int rc)
{
    struct rod_write *w = container_of(vio, struct rod_write, zero);
    if (rc != 0) {
        w->done(w, rc);
        return;
    }
    write_advance(w, w->piece_bytes);
    write_next(w);
}

static void write_zeros(struct rod_write *w, uint64_t to_bytes)
{
    w->zero = (struct vio){
        .lane = w->lane,
        .volume = w->to,
        .op = VIO_ZERO,
        .may_unmap = true,
        .patient = w->patient,
        .offset_bytes = to_bytes,
        .length_bytes = w->piece_bytes,
        .done = write_on_zeroed,
    };
    vio_submit(&w->zero);
}

static void write_copy(struct rod_write *w, uint64_t from_bytes, uint64_t to_bytes)
{
    w->is_copying = true;
    w->copy = (struct copy){
        .lane = w->lane,
        .from = w->rod->shows,
        .to = w->to,
        .from_bytes = from_bytes,
        .to_bytes = to_bytes,
        .length_bytes = w->piece_bytes,
        .patient = w->patient,
        .done = write_on_copied,
    };
    copy_start(&w->copy);
}

/* Of the block that the rod's end has fallen into. */
static uint64_t block_rest(const struct rod_write *w)
{
    uint64_t into = w->into_span % w->to->block_bytes;
    return into == 0 ? 0 : w->to->block_bytes - into;
}

static void write_piece(struct rod_write *w)
{
    const struct rod_span *span = &w->spans[w->span];
    uint64_t left = span->length_bytes - w->into_span, from_bytes = 0;
    uint64_t to_bytes = span->offset_bytes + w->into_span;
    uint64_t shown =
        w->rod == NULL ? 0
                       : rod_locate(w->rod, w->rod_bytes + w->written_bytes, &from_bytes);
    uint64_t zeros = w->rod == NULL ? left : block_rest(w);
    uint64_t bytes = shown > 0 ? shown : zeros;
    w->piece_bytes = bytes < left ? bytes : left;
    if (w->piece_bytes == 0)
        w->done(w, 0); /* it has no more */
    else if (shown > 0)
        write_copy(w, from_bytes, to_bytes);
    else
        write_zeros(w, to_bytes);
}

static void write_next(struct rod_write *w)
{
    while (w->span < w->span_count && w->into_span == w->spans[w->span].length_bytes) {
        w->span++;
        w->into_span = 0;
    }
    if (w->span == w->span_count)
        w->done(w, 0);
    else if (w->is_stopping)
        w->done(w, -ECANCELED);
    else
        write_piece(w);
}

static void write_on_start(struct note *note)
{
    write_next(container_of(note, struct rod_write, note));
}

void rod_write_start(struct rod_write *w)
{
    assert(loop_is_mine(w->lane->loop) && !volume_is_snapshot(w->to));
    w->written_bytes = w->into_span = 0;
    w->span = 0;
    w->is_copying = w->is_stopping = false;
    w->note.run = write_on_start;
    loop_post(w->lane->loop, &w->note);
}

void rod_write_stop(struct rod_write *w)
{
    w->is_stopping = true;
    if (w->is_copying)
        copy_stop(&w->copy);
    else
        vio_give_up(&w->zero);
}
