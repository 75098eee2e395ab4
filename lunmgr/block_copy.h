/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of some blocks of one extent to the same blocks of another, which nobody sees or
 * writes yet: one read, and a write for each run of blocks. The lane's thread. */
#ifndef LUNMGR_BLOCK_COPY_H
#define LUNMGR_BLOCK_COPY_H

#include "lunmgr/buf.h"
#include "lunmgr/engine.h"
#include "lunmgr/word.h"

#define BLOCK_COPY_RUNS (WORD_BLOCKS / 2) /* at most, of a mask's blocks */

struct lane;
struct pool;
struct block_copy;

struct block_copy_io {
    struct engine_io io;
    struct iovec iov;
    struct block_copy *copy;
};

struct block_copy {
    /* The caller sets these. */
    struct lane *lane;
    struct pool *pool;
    uint32_t family; /* of the layer that is to name the blocks */
    place from, to;
    unsigned blocks; /* a mask, not 0 */
    /* rc: 0; -EIO; -ENOMEM. Perhaps inside block_copy_start. */
    void (*done)(struct block_copy *copy, int rc);
    /* its own */
    struct buf buf;
    struct block_copy_io io[BLOCK_COPY_RUNS];
    unsigned due;
    int rc;
};

void block_copy_start(struct block_copy *copy);

#endif
