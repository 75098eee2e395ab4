/* SPDX-License-Identifier: Apache-2.0 */
/* target/threshold.h: a threshold is told once for a crossing, and is armed again only
 * when the space has come back beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "target/threshold.h"

#define POOL 1000 /* extents: it is armed again 10 of them beyond */

static struct threshold_watch watch;
static struct threshold_space space;

static int setup(void **state)
{
    (void)state;
    watch = (struct threshold_watch){.reached = {false}};
    space = (struct threshold_space){.pool_extents = POOL, .free_extents = POOL};
    return 0;
}

static bool look_at(const struct threshold *t, uint64_t free_extents)
{
    space.free_extents = free_extents;
    return threshold_watch_look(&watch, 1, t, &space);
}

static bool look_at_used(const struct threshold *t, uint64_t used_extents)
{
    space.used_extents = used_extents;
    return threshold_watch_look(&watch, 1, t, &space);
}

static const struct threshold quarter = {true, false, THRESHOLD_AVAILABLE, POOL / 4};

static void what_is_left_is_told_once_when_it_comes_to_it(void **state)
{
    (void)state;
    assert_false(look_at(&quarter, 1000));
    assert_false(look_at(&quarter, 251));
    assert_true(look_at(&quarter, 250));
    assert_false(look_at(&quarter, 250));
    assert_false(look_at(&quarter, 0));
}

static void it_is_armed_again_beyond_the_threshold_only(void **state)
{
    (void)state;
    assert_true(look_at(&quarter, 100)); /* from far above in one look */
    assert_false(look_at(&quarter, 260));
    assert_false(look_at(&quarter, 250));
    assert_false(look_at(&quarter, 261));
    assert_true(look_at(&quarter, 250));
}

static void what_is_used_is_told_from_below(void **state)
{
    static const struct threshold t = {true, true, THRESHOLD_USED, 300};
    (void)state;
    assert_false(look_at_used(&t, 299));
    assert_true(look_at_used(&t, 300));
    assert_false(look_at_used(&t, 290));
    assert_false(look_at_used(&t, 300));
    assert_false(look_at_used(&t, 289));
    assert_true(look_at_used(&t, 400));
}

static void both_resources_can_be_watched_either_way(void **state)
{
    static const struct threshold back = {true, true, THRESHOLD_AVAILABLE, 500};
    static const struct threshold shrinks = {true, false, THRESHOLD_USED, 5};
    (void)state;
    assert_true(look_at(&back, 500));
    assert_false(look_at(&back, 489));
    assert_true(look_at(&back, 501));
    assert_false(look_at_used(&shrinks, 6));
    assert_true(look_at_used(&shrinks, 5));
}

static void a_threshold_at_the_end_of_the_scale_is_armed_again(void **state)
{
    static const struct threshold all = {true, false, THRESHOLD_AVAILABLE, POOL - 1};
    static const struct threshold any = {true, true, THRESHOLD_USED, 1};
    (void)state;
    assert_true(look_at(&all, POOL - 1));
    assert_false(look_at(&all, POOL));
    assert_true(look_at(&all, POOL - 1));
    assert_true(look_at_used(&any, 1));
    assert_false(look_at_used(&any, 0));
    assert_true(look_at_used(&any, 1));
}

static void one_that_is_set_anew_is_armed_and_one_that_is_off_tells_nothing(void **state)
{
    struct threshold t = quarter;
    (void)state;
    assert_true(look_at(&t, 100));
    t.extents--;
    assert_true(look_at(&t, 100));
    t.enabled = false;
    assert_false(look_at(&t, 100));
    t.enabled = true;
    assert_true(look_at(&t, 100));
}

static void each_threshold_has_its_own_arming(void **state)
{
    (void)state;
    assert_true(look_at(&quarter, 100));
    assert_true(threshold_watch_look(&watch, 0, &quarter, &space));
    assert_false(threshold_watch_look(&watch, 0, &quarter, &space));
    assert_false(look_at(&quarter, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_left_is_told_once_when_it_comes_to_it, setup),
        cmocka_unit_test_setup(it_is_armed_again_beyond_the_threshold_only, setup),
        cmocka_unit_test_setup(what_is_used_is_told_from_below, setup),
        cmocka_unit_test_setup(both_resources_can_be_watched_either_way, setup),
        cmocka_unit_test_setup(a_threshold_at_the_end_of_the_scale_is_armed_again, setup),
        cmocka_unit_test_setup(
            one_that_is_set_anew_is_armed_and_one_that_is_off_tells_nothing, setup),
        cmocka_unit_test_setup(each_threshold_has_its_own_arming, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
