/* SPDX-License-Identifier: Apache-2.0 */
/* What one extent of a volume is made of: the words of its stack of layers, top first, as
 * far as they matter. Of a stack of up to two layers these are the layers' own words; of
 * a deeper one the top's word and what a view (view.h) has resolved of all below it. */
#ifndef LUNMGR_STACK_H
#define LUNMGR_STACK_H

#include "lunmgr/leaf.h"
#include "lunmgr/plan.h"

struct stack {
    map_word words[PLAN_DEPTH_MAX];
    unsigned depth;
};

/* A lane, in flight since before it took `top`, so that what the words name stays. 0, or
 * -EAGAIN: some of it is not in memory. */
int stack_look(struct layer *top, uint32_t extent_index, struct stack *out) MUST_CHECK;
/* `count` blocks from block `first` of the extent are zeros as the volume shows them. */
bool stack_is_zeros(const struct stack *stack, unsigned first, unsigned count);
/* The whole leaf around that extent is in memory, and no layer has anything in it. As
 * above. */
bool stack_leaf_is_zeros(struct layer *top, uint32_t extent_index);
/* A lane, still in flight: has it loaded; look again, from the volume's top, when the
 * note has come. wait->inbox and note.run are set. */
void stack_ask(struct layer *top, uint32_t extent_index, struct leaf_wait *wait);

/* Home loop: words of sealed layers in this leaf have changed, or words of a top and of
 * one below it together. In the step that changed them, before it frees an extent. */
void stack_changed(struct pool *pool, uint32_t leaf_index);
/* Raised by that. Any thread. */
uint64_t stack_version(struct pool *pool, uint32_t leaf_index);

#endif
