/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one volume I/O: through the fence, then a read's pieces, or windows of
 * extents (extent_io.c), then, where asked, the round that makes it durable, then the
 * answer. */
#include "lunmgr/volume_io.h"

#include "lunmgr/extent_io.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/plan.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize.h"
#include "lunmgr/stack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define EXTENT_SECTORS (EXTENT_BYTES / SECTOR_BYTES)
#define LEAF_BYTES     ((uint64_t)LEAF_WORDS * EXTENT_BYTES)
static_assert(VIO_ATOMIC_BYTES_MAX < VIO_BYTES_MAX, "an atomic write is one window");
/* Pieces of a window: its extents, and a zero's two edges smaller than a block. */
#define WINDOW_PIECES (WINDOW_EXTENTS + 2)
/* A zero's edge: two blocks to fill from and one of zeros. */
#define EDGE_BYTES (3 * BLOCK_BYTES)

static void vio_next_window(struct vio *vio);

static uint64_t vio_end_bytes(const struct vio *vio)
{
    return vio->offset_bytes + vio->length_bytes;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- The end --------------------------------------------------------------------- */

static void vio_end(struct vio *vio)
{
    buf_put(vio->lane->buffers, &vio->p.work);
    fence_leave(&vio->volume->fence, vio);
    lane_finish(vio->lane, vio);
}

struct vio_round {
    struct round_wait wait;
    struct vio *vio;
};

static void vio_on_round(struct round_wait *wait)
{
    struct vio *vio = container_of(wait, struct vio_round, wait)->vio;
    if (vio->p.rc == 0)
        vio->p.rc = wait->rc;
    vio_end(vio);
}

/* Of the volume's family. In flight for the look: a snapshot's layer may be merged away.
 */
static void vio_set_scope(struct vio *vio, struct round_wait *wait)
{
    lane_enter(vio->lane, vio);
    const struct layer *top = volume_top(vio->volume);
    wait->scope = round_scope(top);
    wait->family = top->family;
    lane_leave(vio->lane, vio);
}

/* Answers when the next round has committed what completed before. */
static void vio_flush(struct vio *vio)
{
    buf_put(vio->lane->buffers, &vio->p.work);
    if (buf_get(vio->lane->buffers, sizeof(struct vio_round), &vio->p.work) != 0) {
        vio->p.rc = -ENOMEM;
        vio_end(vio);
        return;
    }
    struct vio_round *vr = (void *)vio->p.work.base;
    *vr = (struct vio_round){
        .wait = {.inbox = loop_inbox(vio->lane->loop), .done = vio_on_round}, .vio = vio};
    vio_set_scope(vio, &vr->wait);
    round_join(vio->volume->pool, &vr->wait);
}

static bool brings_data(enum vio_op op)
{
    return op == VIO_WRITE || op == VIO_OR || op == VIO_COMPARE_WRITE;
}

static bool vio_changes(const struct vio *vio)
{
    return brings_data(vio->op) || vio->op == VIO_UNMAP || vio->op == VIO_ZERO;
}

static void vio_data_done(struct vio *vio)
{
    if (vio_changes(vio))
        fence_changed(&vio->volume->fence, vio);
    if (vio->fua && vio->op != VIO_READ && vio->p.rc == 0)
        vio_flush(vio);
    else
        vio_end(vio);
}

/* ---- Reading --------------------------------------------------------------------- */

struct read_piece {
    struct engine_io io;
    struct iovec iov;
    struct vio *vio;
};

struct read_wait {
    struct leaf_wait wait;
    struct vio *vio;
};

static void vio_start(struct vio *vio);

static void read_on_leaf(struct note *note)
{
    struct read_wait *rw = container_of(note, struct read_wait, wait.note);
    struct vio *vio = rw->vio;
    int rc = rw->wait.rc;
    buf_put(vio->lane->buffers, &vio->p.work);
    if (rc == 0) {
        vio_start(vio);
        return;
    }
    vio->p.rc = rc == -ENOMEM ? -ENOMEM : -EIO;
    vio_end(vio);
}

/* Some of the map is missing: asked for in flight, while the layers are sure to be there;
 * then the vio leaves the in-flight set and starts again when it has come. */
static void read_park(struct vio *vio, struct layer *top, uint32_t extent_index)
{
    if (buf_get(vio->lane->buffers, sizeof(struct read_wait), &vio->p.work) != 0) {
        lane_leave(vio->lane, vio);
        vio->p.rc = -ENOMEM;
        vio_end(vio);
        return;
    }
    struct read_wait *rw = (void *)vio->p.work.base;
    *rw = (struct read_wait){
        .wait = {.note.run = read_on_leaf, .inbox = loop_inbox(vio->lane->loop)},
        .vio = vio};
    stack_ask(top, extent_index, &rw->wait);
    lane_leave(vio->lane, vio);
}

/* Plans the whole range. False: parked for a leaf. */
static bool read_plan_words(struct vio *vio, struct plan *plan)
{
    struct layer *top = volume_top(vio->volume);
    uint64_t block = vio->offset_bytes / BLOCK_BYTES;
    uint64_t end = (vio_end_bytes(vio) - 1) / BLOCK_BYTES + 1;
    plan->run_count = 0;
    while (block < end) {
        uint32_t index = (uint32_t)(block / WORD_BLOCKS);
        unsigned first = (unsigned)(block % WORD_BLOCKS);
        unsigned count = (unsigned)least(end - block, WORD_BLOCKS - first);
        struct stack stack;
        if (stack_look(top, index, &stack) != 0) {
            read_park(vio, top, index);
            return false;
        }
        plan_extent(plan, stack.words, stack.depth, first, count);
        block += count;
    }
    return true;
}

/* The same, with all words from before or after each atomic write: where a step of one
 * fell between them they are looked at again. A step waits for nothing. */
static bool read_plan(struct vio *vio, struct plan *plan)
{
    struct volume *volume = vio->volume;
    uint64_t ended;
    do {
        ended = atomic_load(&volume->steps_ended);
        if (!read_plan_words(vio, plan))
            return false;
    } while (atomic_load(&volume->steps_begun) != ended);
    return true;
}

static void read_piece_ended(struct vio *vio, int rc)
{
    if (rc != 0)
        vio->p.rc = -EIO;
    if (--vio->p.pending > 0)
        return;
    lane_leave(vio->lane, vio);
    vio_data_done(vio);
}

static void read_on_piece(struct engine_io *io, int rc)
{
    read_piece_ended(container_of(io, struct read_piece, io)->vio, rc);
}

static void read_submit(struct vio *vio, struct read_piece *piece,
                        const struct plan_run *run, uint8_t *to)
{
    struct device *device =
        pool_device(vio->volume->pool, place_of(run->slot, run->block / WORD_BLOCKS));
    vio->p.pending++;
    *piece = (struct read_piece){
        .iov = {.iov_base = to, .iov_len = (size_t)run->count * BLOCK_BYTES}, .vio = vio};
    piece->io = (struct engine_io){
        .op = ENGINE_READ,
        .fd = device->fd,
        .device = device,
        .offset_bytes = run->block * BLOCK_BYTES,
        .iov = &piece->iov,
        .iov_count = 1,
        .done = read_on_piece,
    };
    engine_submit(vio->lane->engine, &piece->io);
}

static void vio_read(struct vio *vio)
{
    lane_enter(vio->lane, vio);
    struct plan plan = {.runs = vio->lane->runs, .run_max = ARRAY_LEN(vio->lane->runs)};
    if (!read_plan(vio, &plan))
        return;
    vio->p.pending = 1; /* ours, until all are submitted */
    int rc = buf_get(vio->lane->buffers, plan.run_count * sizeof(struct read_piece),
                     &vio->p.work);
    struct read_piece *pieces = (void *)vio->p.work.base;
    uint8_t *to = vio->data;
    for (size_t i = 0; rc == 0 && i < plan.run_count; i++) {
        const struct plan_run *run = &plan.runs[i];
        if (run->slot == 0)
            memset(to, 0, (size_t)run->count * BLOCK_BYTES);
        else
            read_submit(vio, &pieces[i], run, to);
        to += (size_t)run->count * BLOCK_BYTES;
    }
    if (rc != 0)
        vio->p.rc = rc;
    read_piece_ended(vio, 0);
}

/* ---- Status ---------------------------------------------------------------------- */

/* False: no room for another stretch. */
static bool status_append(struct vio *vio, bool mapped, uint64_t offset, uint64_t bytes)
{
    assert(vio->status != NULL);
    struct vio_status *last =
        vio->status_count == 0 ? NULL : &vio->status[vio->status_count - 1];
    if (last != NULL && last->mapped == mapped) {
        last->length_bytes += bytes;
        return true;
    }
    if (vio->status_count == vio->status_max)
        return false;
    vio->status[vio->status_count++] = (struct vio_status){
        .offset_bytes = offset, .length_bytes = bytes, .mapped = mapped};
    return true;
}

/* `count` blocks of one extent, from block `first` of it. False: no room. */
static bool status_extent(struct vio *vio, const struct stack *stack, uint32_t index,
                          unsigned first, unsigned count)
{
    struct plan_run runs[WORD_BLOCKS];
    struct plan plan = {.runs = runs, .run_max = WORD_BLOCKS};
    uint64_t offset = (uint64_t)index * EXTENT_BYTES + (uint64_t)first * BLOCK_BYTES;
    bool room = true;
    plan_extent(&plan, stack->words, stack->depth, first, count);
    for (size_t i = 0; room && i < plan.run_count; i++) {
        uint64_t bytes = (uint64_t)runs[i].count * BLOCK_BYTES;
        room = status_append(vio, runs[i].slot != 0, offset, bytes);
        offset += bytes;
    }
    return room;
}

static void vio_status(struct vio *vio)
{
    uint64_t block = vio->offset_bytes / BLOCK_BYTES;
    uint64_t end = (vio_end_bytes(vio) + BLOCK_BYTES - 1) / BLOCK_BYTES;
    bool room = true;
    vio->status_count = 0;
    lane_enter(vio->lane, vio);
    struct layer *top = volume_top(vio->volume);
    while (room && block < end) {
        uint32_t index = (uint32_t)(block / WORD_BLOCKS);
        unsigned first = (unsigned)(block % WORD_BLOCKS);
        unsigned count = (unsigned)least(end - block, WORD_BLOCKS - first);
        struct stack stack;
        if (stack_look(top, index, &stack) != 0) {
            read_park(vio, top, index);
            return;
        }
        room = status_extent(vio, &stack, index, first, count);
        block += count;
    }
    lane_leave(vio->lane, vio);
    vio_end(vio);
}

/* ---- Writing, unmapping, zeroing: windows of extents ----------------------------- */

void vio_extent_wakes(struct vio *vio)
{
    if (vio->p.active++ == 0)
        lane_enter(vio->lane, vio);
}

void vio_extent_parks(struct vio *vio)
{
    assert(vio->p.active > 0);
    if (--vio->p.active == 0)
        lane_leave(vio->lane, vio);
}

void vio_extent_ended(struct vio *vio, int rc)
{
    if (vio->p.rc == 0)
        vio->p.rc = rc;
    vio_extent_parks(vio);
    assert(vio->p.pending > 0);
    if (--vio->p.pending == 0)
        vio_next_window(vio);
}

static struct extent_io *piece_add(struct vio *vio, uint32_t *count,
                                   enum extent_kind kind, uint64_t from, uint64_t to)
{
    struct extent_io *x = (struct extent_io *)(void *)vio->p.work.base + (*count)++;
    *x = (struct extent_io){
        .vio = vio,
        .kind = kind,
        .index = (uint32_t)(from / EXTENT_BYTES),
        .first_sector = (uint16_t)(from % EXTENT_BYTES / SECTOR_BYTES),
        .sector_count = (uint16_t)((to - from) / SECTOR_BYTES),
    };
    return x;
}

/* All its pieces go together. */
static bool goes_whole(const struct vio *vio)
{
    return vio->atomic || vio->p.op == VIO_COMPARE_WRITE;
}

static enum extent_kind kind_of_write(const struct vio *vio)
{
    if (vio->p.op == VIO_COMPARE_WRITE &&
        vio->length_bytes == volume_block_bytes(vio->volume))
        return EXTENT_COMPARE;
    if (goes_whole(vio))
        return EXTENT_ATOMIC;
    return vio->p.op == VIO_OR ? EXTENT_OR : EXTENT_WRITE;
}

/* Of a COMPARE AND WRITE all of the blocks that it touches: it has read them. */
static void add_write(struct vio *vio, uint32_t *count, uint64_t from, uint64_t to)
{
    if (vio->p.op == VIO_COMPARE_WRITE) {
        from -= from % BLOCK_BYTES;
        to = (to + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }
    struct extent_io *x = piece_add(vio, count, kind_of_write(vio), from, to);
    x->data =
        vio->data + (from / BLOCK_BYTES - vio->offset_bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/* A part of a block to be zeroed is a small write of zeros. */
static int add_zero_edge(struct vio *vio, uint32_t *count, uint64_t from, uint64_t to)
{
    struct buf zeros = {.base = NULL};
    if (buf_get(vio->lane->buffers, EDGE_BYTES, &zeros) != 0)
        return -ENOMEM;
    struct extent_io *x = piece_add(vio, count, EXTENT_WRITE, from, to);
    x->zeros = true;
    x->own = zeros;
    x->data = zeros.base + 2 * BLOCK_BYTES;
    memset(x->data, 0, BLOCK_BYTES);
    return 0;
}

/* Whole blocks are cleared; what is left at the edges is zeroed, or by an UNMAP left
 * alone. */
static int add_clear(struct vio *vio, uint32_t *count, uint64_t from, uint64_t to)
{
    uint64_t first = (from + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    uint64_t last = to / BLOCK_BYTES * BLOCK_BYTES;
    bool zero = vio->p.op == VIO_ZERO;
    if (first > last) /* inside one block */
        return zero ? add_zero_edge(vio, count, from, to) : 0;
    int rc = zero && from < first ? add_zero_edge(vio, count, from, first) : 0;
    if (rc == 0 && first < last)
        piece_add(vio, count, zero ? EXTENT_ZERO : EXTENT_CLEAR, first, last);
    if (rc == 0 && zero && last < to)
        rc = add_zero_edge(vio, count, last, to);
    return rc;
}

/* UNMAP and ZERO pass over whole leaves that hold nothing. */
static bool skip_empty_leaf(struct vio *vio)
{
    if (brings_data(vio->p.op) || vio->p.cursor_bytes % LEAF_BYTES != 0 ||
        vio_end_bytes(vio) - vio->p.cursor_bytes < LEAF_BYTES ||
        !stack_leaf_is_zeros(volume_top(vio->volume),
                             (uint32_t)(vio->p.cursor_bytes / EXTENT_BYTES)))
        return false;
    vio->p.cursor_bytes += LEAF_BYTES;
    return true;
}

/* What may pass over leaves stops at each, to look at the next. */
static uint64_t window_end(const struct vio *vio)
{
    uint64_t end = vio_end_bytes(vio);
    if (brings_data(vio->p.op))
        return end;
    return least(end, (vio->p.cursor_bytes / LEAF_BYTES + 1) * LEAF_BYTES);
}

/* The pieces of the next window, from the cursor; how many go their own way: of an atomic
 * write or COMPARE AND WRITE one, with the others behind it. */
static uint32_t window_build(struct vio *vio)
{
    uint32_t count = 0;
    while (skip_empty_leaf(vio))
        ;
    uint64_t end = window_end(vio);
    for (uint32_t n = 0; n < WINDOW_EXTENTS && vio->p.cursor_bytes < end; n++) {
        uint64_t from = vio->p.cursor_bytes;
        uint64_t to = least(end, (from / EXTENT_BYTES + 1) * EXTENT_BYTES);
        if (brings_data(vio->p.op))
            add_write(vio, &count, from, to);
        else if (add_clear(vio, &count, from, to) != 0)
            vio->p.rc = -ENOMEM;
        vio->p.cursor_bytes = to;
    }
    if (!goes_whole(vio))
        return count;
    ((struct extent_io *)(void *)vio->p.work.base)->run_count = count;
    return 1;
}

static size_t window_bytes(const struct vio *vio)
{
    uint64_t first = vio->offset_bytes / EXTENT_BYTES;
    uint64_t last = (vio_end_bytes(vio) - 1) / EXTENT_BYTES;
    return (size_t)least(last - first + 3, WINDOW_PIECES) * sizeof(struct extent_io);
}

/* The next window; after the last, or a failure, the end. A window of pieces that all end
 * at once is followed by the next in the loop, not by recursion. */
static void vio_next_window(struct vio *vio)
{
    while (vio->p.rc == 0 && vio->p.cursor_bytes < vio_end_bytes(vio)) {
        if (fence_step_aside(&vio->volume->fence, vio))
            return; /* goes on here by vio_resume */
        lane_enter(vio->lane, vio);
        uint32_t count = window_build(vio);
        vio->p.pending = count + 1; /* and ours, while they start */
        vio->p.active = count;
        if (count > 0)
            extent_io_start_all((void *)vio->p.work.base, count);
        else
            lane_leave(vio->lane, vio);
        if (--vio->p.pending > 0)
            return;
    }
    vio_data_done(vio);
}

static void vio_change(struct vio *vio)
{
    vio->p.op_began = true;
    vio->p.cursor_bytes = vio->offset_bytes;
    if (vio->length_bytes > 0 &&
        buf_get(vio->lane->buffers, window_bytes(vio), &vio->p.work) != 0)
        vio->p.rc = -ENOMEM;
    vio_next_window(vio);
}

/* Beyond the end: the volume has shrunk since the command was checked. */
static bool vio_fits(const struct vio *vio)
{
    uint64_t size = volume_size_bytes(vio->volume);
    return vio->is_wipe ||
           (vio->offset_bytes <= size && vio->length_bytes <= size - vio->offset_bytes);
}

static bool data_is_zeros(const struct vio *vio)
{
    const uint8_t *data = vio->data + vio->offset_bytes % BLOCK_BYTES;
    return data[0] == 0 && memcmp(data, data + 1, (size_t)vio->length_bytes - 1) == 0;
}

static void vio_inner(struct vio *vio)
{
    vio->inner(vio);
}

/* What a sanitize waits for has passed its fence before; what comes past the fence since
 * is refused here, as is the rest of what had begun and stepped aside. */
static bool vio_is_let_in(const struct vio *vio)
{
    return vio->is_wipe || vio->op == VIO_INNER ||
           volume_sanitize_state(vio->volume, NULL) == SANITIZE_NONE;
}

static int vio_judge(const struct vio *vio)
{
    if (vio->volume->pool->closed)
        return -EIO;
    if (!vio_is_let_in(vio))
        return -EINPROGRESS;
    return vio_fits(vio) ? 0 : -ERANGE;
}

static void vio_start(struct vio *vio)
{
    static void (*const start[])(struct vio * vio) = {
        [VIO_READ] = vio_read,
        [VIO_WRITE] = vio_change,
        [VIO_OR] = vio_change,
        [VIO_UNMAP] = vio_change,
        [VIO_ZERO] = vio_change,
        [VIO_FLUSH] = vio_flush,
        [VIO_STATUS] = vio_status,
        [VIO_INNER] = vio_inner,
        [VIO_COMPARE_WRITE] = vio_change,
    };
    vio->p.op = vio->op;
    vio->p.rc = vio_judge(vio);
    if (vio->p.rc != 0) {
        vio_data_done(vio);
        return;
    }
    /* Not an atomic one: a ZERO goes extent by extent. */
    if (vio->op == VIO_WRITE && !vio->atomic && atomic_load(&vio->volume->zero_detect) &&
        data_is_zeros(vio))
        vio->p.op = VIO_ZERO;
    start[vio->op](vio);
}

/* ---- Submission ------------------------------------------------------------------ */

static void vio_check(const struct vio *vio)
{
    assert(loop_is_mine(vio->lane->loop));
    assert(vio->offset_bytes % SECTOR_BYTES == 0 &&
           vio->length_bytes % SECTOR_BYTES == 0);
    if (vio->op == VIO_READ || brings_data(vio->op)) {
        assert(vio->length_bytes > 0 && vio->length_bytes <= VIO_BYTES_MAX);
        assert((uintptr_t)vio->data % BUF_ALIGN == 0);
    }
    if (vio->atomic) {
        assert(vio->op == VIO_WRITE && vio->length_bytes <= VIO_ATOMIC_BYTES_MAX);
        assert(vio->offset_bytes % BLOCK_BYTES == 0);
        assert(vio->length_bytes % BLOCK_BYTES == 0);
    }
    if (vio->op == VIO_COMPARE_WRITE)
        assert(vio->halves != NULL && vio->length_bytes <= VIO_ATOMIC_BYTES_MAX);
    assert(!vio_changes(vio) || !volume_is_snapshot(vio->volume));
}

void vio_submit(struct vio *vio)
{
    vio_check(vio);
    vio->p = (struct vio_private){.changes = vio_changes(vio)};
    if (fence_enter(&vio->volume->fence, vio))
        vio_start(vio);
}

void vio_give_up(struct vio *vio)
{
    vio->p.given_up = true;
    grace_end_vio(vio);
}

void vio_resume(struct vio *vio)
{
    if (!fence_enter(&vio->volume->fence, vio))
        return;
    if (!vio->p.op_began) {
        vio_start(vio);
        return;
    }
    if (!vio_is_let_in(vio))
        vio->p.rc = -EINPROGRESS;
    vio_next_window(vio); /* or the end */
}
