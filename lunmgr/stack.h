/* SPDX-License-Identifier: Apache-2.0 */
/* What one extent of a volume is made of: the words of its stack of layers, top first, as
 * far as they matter. A lane asks in flight, so that what the words name stays. */
#ifndef LUNMGR_STACK_H
#define LUNMGR_STACK_H

#include "lunmgr/leaf.h"
#include "lunmgr/plan.h"

struct stack {
    map_word words[PLAN_DEPTH_MAX];
    unsigned depth;
};

/* 0, or -EAGAIN: some of it is not in memory. */
int stack_look(struct layer *top, uint32_t extent_index, struct stack *out) MUST_CHECK;
/* The whole leaf around that extent is in memory, and no layer has anything in it. */
bool stack_leaf_is_zeros(struct layer *top, uint32_t extent_index);
void stack_changed(struct pool *pool, uint32_t leaf_index);
/* Has it loaded; look again when the note has come. wait->inbox and note.run are set. */
void stack_ask(struct layer *top, uint32_t extent_index, struct leaf_wait *wait);

#endif
