/* SPDX-License-Identifier: Apache-2.0 */
/* The copy's read, then its writes side by side. */
#include "lunmgr/block_copy.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>

static void copy_end(struct block_copy *c, int rc)
{
    buf_put(c->lane->buffers, &c->buf);
    c->done(c, rc);
}

/* `count` blocks from block `first` of the extent at p, to or from their own place in the
 * buffer. */
static void copy_submit(struct block_copy *c, unsigned run, enum engine_op op, place p,
                        unsigned first, unsigned count,
                        void (*done)(struct engine_io *io, int rc))
{
    struct block_copy_io *cio = &c->io[run];
    struct device *device = pool_device(c->pool, p);
    *cio = (struct block_copy_io){
        .iov = {.iov_base = c->buf.base + (size_t)first * BLOCK_BYTES,
                .iov_len = (size_t)count * BLOCK_BYTES},
        .copy = c,
    };
    cio->io = (struct engine_io){
        .op = op,
        .fd = device->fd,
        .device = device,
        .offset_bytes = (place_extent(p) * WORD_BLOCKS + first) * BLOCK_BYTES,
        .iov = &cio->iov,
        .iov_count = 1,
        .done = done,
    };
    engine_submit(c->lane->engine, &cio->io);
}

static void copy_written(struct block_copy *c)
{
    if (--c->due > 0)
        return;
    /* Before any word names the blocks: the round that has the word syncs this device. */
    round_note_write(pool_device(c->pool, c->to), c->family, c->rc);
    copy_end(c, c->rc);
}

static void copy_on_written(struct engine_io *io, int rc)
{
    struct block_copy *c = container_of(io, struct block_copy_io, io)->copy;
    if (rc != 0)
        c->rc = -EIO;
    copy_written(c);
}

static void copy_on_read(struct engine_io *io, int rc)
{
    struct block_copy *c = container_of(io, struct block_copy_io, io)->copy;
    if (rc != 0) {
        copy_end(c, -EIO);
        return;
    }
    unsigned run = 0, left = c->blocks;
    c->due = 1; /* ours, until all are submitted */
    while (left != 0) {
        unsigned first = (unsigned)__builtin_ctz(left);
        unsigned count = (unsigned)__builtin_ctz(~(left >> first));
        left &= ~word_blocks(first, count);
        c->due++;
        copy_submit(c, run++, ENGINE_WRITE, c->to, first, count, copy_on_written);
    }
    copy_written(c);
}

void block_copy_start(struct block_copy *c)
{
    unsigned first = (unsigned)__builtin_ctz(c->blocks);
    unsigned last = 31U - (unsigned)__builtin_clz(c->blocks);
    c->rc = 0;
    if (buf_get(c->lane->buffers, WORD_BLOCKS * BLOCK_BYTES, &c->buf) != 0)
        c->done(c, -ENOMEM);
    else
        copy_submit(c, 0, ENGINE_READ, c->from, first, last - first + 1, copy_on_read);
}
