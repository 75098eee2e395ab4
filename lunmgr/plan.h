/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a stack of layers to runs on disk: which blocks come from where.
 * Pure. */
#ifndef LUNMGR_PLAN_H
#define LUNMGR_PLAN_H

#include "lunmgr/word.h"

#include <stddef.h>

/* Words of one extent that matter: a top's and one for each block. */
#define PLAN_DEPTH_MAX (1 + WORD_BLOCKS)

/* Blocks that lie together on one device, or zeros. */
struct plan_run {
    unsigned slot;  /* 0: zeros, no disk I/O */
    uint64_t block; /* of the device, 4 KiB each; 0 for zeros */
    uint32_t count; /* blocks */
};

struct plan {
    struct plan_run *runs;
    size_t run_count, run_max;
};

/* Appends blocks first..first+count-1 of one extent, seen through stack[0] (top) to
 * stack[depth-1]. What continues the last run on disk joins it. run_max leaves room. */
void plan_extent(struct plan *plan, const map_word *stack, unsigned depth, unsigned first,
                 unsigned count);

#endif
