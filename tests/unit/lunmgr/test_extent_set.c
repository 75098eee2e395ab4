/* SPDX-License-Identifier: Apache-2.0 */
/* Runs come out of the set as long as they are adjacent, each extent once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lunmgr/extent_set.h"
#include "tests/lib/random.h"

#define EXTENTS 50000
#define BORDER  16384

static struct extent_set *set;

static int setup(void **state)
{
    (void)state;
    set = extent_set_create(EXTENTS);
    return set == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    extent_set_destroy(set);
    return 0;
}

static void add(uint64_t extent)
{
    assert_true(extent_set_add(set, extent));
}

static void expect_run(uint64_t max, uint64_t first, uint64_t count)
{
    uint64_t at = UINT64_MAX;
    assert_int_equal(extent_set_take(set, max, &at), count);
    if (count > 0)
        assert_int_equal(at, first);
}

static void adjacent_extents_are_one_run(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        add(40 + (i * 37 + 5) % 100); /* in any order */
    add(200);
    expect_run(1000, 40, 100);
    expect_run(1000, 200, 1);
    expect_run(1000, 0, 0);
}

static void a_run_is_no_longer_than_asked(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        add(60 + i);
    expect_run(4, 60, 4);
    expect_run(4, 64, 4);
    expect_run(4, 68, 2);
    expect_run(4, 0, 0);
}

static void a_border_ends_a_run(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        add(BORDER - 2 + i);
    expect_run(100, BORDER - 2, 2);
    expect_run(100, BORDER, 2);
    expect_run(100, 0, 0);
}

static void what_was_taken_may_come_again(void **state)
{
    (void)state;
    add(EXTENTS - 1);
    expect_run(1, EXTENTS - 1, 1);
    add(EXTENTS - 1);
    add(1); /* behind where it was */
    expect_run(1, EXTENTS - 1, 1);
    expect_run(1, 1, 1);
    expect_run(1, 0, 0);
}

static void every_extent_comes_out_once(void **state)
{
    static uint8_t in[EXTENTS];
    uint64_t random = 7;
    uint64_t left = 0, first, count;
    (void)state;
    for (int step = 0; step < 200000; step++) {
        uint64_t extent = draw(&random, EXTENTS);
        if (!in[extent]) {
            add(extent);
            in[extent] = 1;
            left++;
        }
        if (step % 3 != 0)
            continue;
        count = extent_set_take(set, 1 + draw(&random, 5), &first);
        for (uint64_t i = first; i < first + count; i++) {
            assert_true(in[i]);
            in[i] = 0;
        }
        left -= count;
    }
    while ((count = extent_set_take(set, EXTENTS, &first)) > 0)
        left -= count;
    assert_int_equal(left, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adjacent_extents_are_one_run), TEST(a_run_is_no_longer_than_asked),
        TEST(a_border_ends_a_run),          TEST(what_was_taken_may_come_again),
        TEST(every_extent_comes_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
