/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of a request lie where. A read takes each block from the topmost layer
 * whose valid bit is set or whose word is opaque; from none: zeros. */
#include "lunmgr/plan.h"

#include <assert.h>

/* The place that block is read from; 0: zeros. */
static place block_place(const map_word *stack, unsigned depth, unsigned block)
{
    for (unsigned i = 0; i < depth; i++) {
        if (word_mask(stack[i]) >> block & 1U)
            return word_place(stack[i]);
        if ((stack[i] & WORD_OPAQUE) != 0)
            return 0;
    }
    return 0;
}

static void plan_append(struct plan *plan, unsigned slot, uint64_t block)
{
    assert(plan->runs != NULL);
    struct plan_run *last =
        plan->run_count == 0 ? NULL : &plan->runs[plan->run_count - 1];
    if (last != NULL && last->slot == slot &&
        (slot == 0 || last->block + last->count == block)) {
        last->count++;
        return;
    }
    assert(plan->run_count < plan->run_max);
    plan->runs[plan->run_count++] =
        (struct plan_run){.slot = slot, .block = slot == 0 ? 0 : block, .count = 1};
}

void plan_extent(struct plan *plan, const map_word *stack, unsigned depth, unsigned first,
                 unsigned count)
{
    assert(depth >= 1 && first + count <= WORD_BLOCKS);
    for (unsigned b = first; b < first + count; b++) {
        place p = block_place(stack, depth, b);
        plan_append(plan, place_slot(p), place_extent(p) * WORD_BLOCKS + b);
    }
}
