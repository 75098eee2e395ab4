/* SPDX-License-Identifier: Apache-2.0 */
/* An OR into one extent (SBC-4, 5.11) while its word is held: what the blocks show is
 * read, the data is ORed into it, all of it is written. Writers of before have ended, and
 * whoever would change the extent meanwhile (a write, an UNMAP, another OR) waits for the
 * release, so nothing that they wrote is lost. */
#include "lunmgr/extent_priv.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/stack.h"

#include <errno.h>

struct or_read {
    struct engine_io io;
    struct iovec iov;
    struct extent_io *x;
};

/* Where what is there is read to: our blocks of the second half of the vio's memory. The
 * data stays as it came, for a piece that parks begins again. */
static uint8_t *or_blocks(const struct extent_io *x)
{
    return x->data + vio_buffer_bytes(x->vio->offset_bytes, x->vio->length_bytes);
}

/* From here on it parks no more. */
static void or_merge(struct extent_io *x)
{
    size_t into_block = (size_t)(x->first_sector % BLOCK_SECTORS) * SECTOR_BYTES;
    size_t bytes = (size_t)x->sector_count * SECTOR_BYTES;
    uint8_t *blocks = or_blocks(x);
    for (size_t i = into_block; i < into_block + bytes; i++)
        blocks[i] |= x->data[i];
    x->data = blocks;
}

static void or_read_ended(struct extent_io *x, int rc)
{
    if (rc != 0)
        x->rc = -EIO;
    if (--x->due > 0)
        return;
    if (x->rc != 0) {
        extent_end(x, x->rc);
        return;
    }
    or_merge(x);
    extent_write(x, 1);
}

static void or_on_read(struct engine_io *io, int rc)
{
    or_read_ended(container_of(io, struct or_read, io)->x, rc);
}

static void or_read_all(struct extent_io *x, const struct stack *stack)
{
    struct or_read *reads = (void *)x->work.base;
    struct plan_run runs[WORD_BLOCKS];
    struct plan plan = {.runs = runs, .run_max = WORD_BLOCKS};
    uint8_t *to = or_blocks(x);
    plan_extent(&plan, stack->words, stack->depth, first_block(x), block_count(x));
    x->rc = 0;
    x->due = 1; /* ours, until all are submitted */
    for (size_t i = 0; i < plan.run_count; i++) {
        reads[i].x = x;
        extent_read(x, &runs[i], to, &reads[i].io, &reads[i].iov, or_on_read);
        to += (size_t)runs[i].count * BLOCK_BYTES;
    }
    or_read_ended(x, 0);
}

/* All that may wait, or fail for want of space or memory, comes before the first read. */
void extent_or(struct extent_io *x)
{
    struct stack stack;
    map_word w = atomic_load(x->cell);
    if (stack_look(extent_layer(x), x->index, &stack) != 0) {
        extent_park_for_leaf(x);
        return;
    }
    int rc = extent_place(x, &w);
    if (rc != 0) {
        extent_no_space(x, rc);
        return;
    }
    if (buf_get(x->vio->lane->buffers, WORD_BLOCKS * sizeof(struct or_read), &x->work) !=
        0)
        extent_end(x, -ENOMEM);
    else
        or_read_all(x, &stack);
}
