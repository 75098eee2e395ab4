/* SPDX-License-Identifier: Apache-2.0 */
/* Where each block of a request is read from, held against a block by block model. */
#include "lunmgr/plan.h"

#include "tests/lib/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#define DEPTH_MAX   5
#define EXTENTS_MAX 6

struct source {
    unsigned slot;
    uint64_t block;
};

/* The rule of the design, for one block. */
static struct source model(const map_word *stack, unsigned depth, unsigned block)
{
    for (unsigned i = 0; i < depth; i++) {
        if ((stack[i] >> block & 1) != 0) {
            place p = word_place(stack[i]);
            return (struct source){place_slot(p), place_extent(p) * WORD_BLOCKS + block};
        }
        if ((stack[i] & WORD_OPAQUE) != 0)
            break;
    }
    return (struct source){0, 0};
}

static map_word random_word(uint64_t *seed)
{
    map_word flags = draw(seed, 4) == 0 ? WORD_OPAQUE : 0;
    if (draw(seed, 8) == 0)
        flags |= WORD_HELD;
    if (draw(seed, 4) == 0)
        return flags; /* no extent */
    place p = place_of((unsigned)draw(seed, 2) + 1, draw(seed, 4) + 1);
    map_word mask = draw(seed, 3) == 0 ? WORD_MASK_FULL : draw(seed, 65536);
    return word_with_place(flags | mask, p);
}

/* Runs follow one another without a gap and none could join the one before it. */
static void assert_runs_are(const struct plan *plan, const struct source *want,
                            size_t count)
{
    size_t at = 0;
    for (size_t r = 0; r < plan->run_count; r++) {
        const struct plan_run *run = &plan->runs[r];
        assert_true(run->count > 0);
        for (uint32_t b = 0; b < run->count; b++, at++) {
            assert_true(at < count);
            assert_int_equal(run->slot, want[at].slot);
            if (run->slot != 0)
                assert_int_equal(run->block + b, want[at].block);
            else
                assert_int_equal(run->block, 0);
        }
        if (r == 0)
            continue;
        const struct plan_run *before = run - 1;
        assert_false(run->slot == before->slot &&
                     (run->slot == 0 || before->block + before->count == run->block));
    }
    assert_int_equal(at, count);
}

static void each_block_comes_from_its_topmost_layer(void **state)
{
    uint64_t seed = 42;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct plan_run runs[EXTENTS_MAX * WORD_BLOCKS];
        struct source want[EXTENTS_MAX * WORD_BLOCKS];
        struct plan plan = {.runs = runs, .run_max = EXTENTS_MAX * WORD_BLOCKS};
        size_t count = 0;
        unsigned extents = (unsigned)draw(&seed, EXTENTS_MAX) + 1;
        for (unsigned x = 0; x < extents; x++) {
            map_word stack[DEPTH_MAX];
            unsigned depth = (unsigned)draw(&seed, DEPTH_MAX) + 1;
            for (unsigned d = 0; d < depth; d++)
                stack[d] = random_word(&seed);
            unsigned first = (unsigned)draw(&seed, WORD_BLOCKS);
            unsigned blocks = (unsigned)draw(&seed, WORD_BLOCKS - first) + 1;
            plan_extent(&plan, stack, depth, first, blocks);
            for (unsigned b = first; b < first + blocks; b++)
                want[count++] = model(stack, depth, b);
        }
        assert_runs_are(&plan, want, count);
    }
}

static void extents_in_a_row_are_one_run(void **state)
{
    struct plan_run runs[4];
    struct plan plan = {.runs = runs, .run_max = 4};
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        map_word w = word_with_place(WORD_MASK_FULL, place_of(1, 10 + i));
        plan_extent(&plan, &w, 1, 0, WORD_BLOCKS);
    }
    assert_int_equal(plan.run_count, 1);
    assert_int_equal(runs[0].slot, 1);
    assert_int_equal(runs[0].block, 160);
    assert_int_equal(runs[0].count, 1600);
}

static void the_end_of_one_device_does_not_join_the_next(void **state)
{
    struct plan_run runs[4];
    struct plan plan = {.runs = runs, .run_max = 4};
    map_word last = word_with_place(WORD_MASK_FULL, place_of(1, PLACE_EXT_LIMIT - 1));
    map_word first = word_with_place(WORD_MASK_FULL, place_of(2, 0));
    (void)state;
    plan_extent(&plan, &last, 1, 0, WORD_BLOCKS);
    plan_extent(&plan, &first, 1, 0, WORD_BLOCKS);
    assert_int_equal(plan.run_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_block_comes_from_its_topmost_layer),
        cmocka_unit_test(extents_in_a_row_are_one_run),
        cmocka_unit_test(the_end_of_one_device_does_not_join_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
