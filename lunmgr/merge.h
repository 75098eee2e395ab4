/* SPDX-License-Identifier: Apache-2.0 */
/* The background merge of a hidden layer with its only child, word by word: upwards into
 * the child, or downwards, where the child is sealed and has less: then the parent takes
 * the child's place. At every moment, and in every commit, the stack shows the same
 * blocks; a crash at any point leaves two layers that the next start merges on. One that
 * cannot go on (the pool failed, the daemon stops) is taken up at the next start. Home
 * loop. */
#ifndef LUNMGR_MERGE_H
#define LUNMGR_MERGE_H

#include "lunmgr/layer.h"

/* parent is hidden and has one child; neither is merging or dropping. */
void merge_start(struct layer *parent);

#endif
