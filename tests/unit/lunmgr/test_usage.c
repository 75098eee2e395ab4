/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds of a pool's use: which lists are accepted and come back from the catalog's
 * text, and when each is told. */
#include "lunmgr/usage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"

#define SIZE 1000

static struct usage_watch watch;

static int setup(void **state)
{
    (void)state;
    watch = (struct usage_watch){{false}};
    return 0;
}

static enum usage_turn look(uint32_t percent, uint64_t used)
{
    return usage_watch_look(&watch, percent, used, SIZE);
}

/* ---- lists ---- */

static void lists_come_back_from_their_text(void **state)
{
    static const struct {
        const char *text;
        struct usage_thresholds t;
    } cases[] = {
        {"", {.count = 0}},
        {"1", {1, {1}}},
        {"75 90", {2, {75, 90}}},
        {"97 98 99 100", {4, {97, 98, 99, 100}}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[USAGE_TEXT_MAX];
        struct usage_thresholds back;
        struct err e = {.code = 0};
        assert_int_equal(usage_thresholds_check(&cases[i].t, &e), 0);
        usage_thresholds_text(&cases[i].t, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(usage_thresholds_read(text, &back), 0);
        assert_memory_equal(&back, &cases[i].t, sizeof(back));
    }
}

static void other_lists_are_refused(void **state)
{
    static const struct usage_thresholds cases[] = {
        {1, {0}},      {1, {101}},   {2, {90, 75}},
        {2, {90, 90}}, {.count = 5}, {.count = UINT32_MAX},
    };
    static const char *const texts[] = {
        "0",  "101", "9 8",       "a",   "75,90",
        " 5", "5 ",  "1 2 3 4 5", "7 7", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {.code = 0};
        assert_int_equal(usage_thresholds_check(&cases[i], &e), -EINVAL);
        assert_string_equal(e.field, "usage_thresholds");
    }
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct usage_thresholds t;
        assert_int_equal(usage_thresholds_read(texts[i], &t), -EINVAL);
    }
}

/* ---- watching ---- */

static void each_is_told_once_up_and_once_down(void **state)
{
    (void)state;
    assert_int_equal(look(75, 749), USAGE_STAYS);
    assert_int_equal(look(75, 750), USAGE_REACHED);
    assert_int_equal(look(75, 1000), USAGE_STAYS);
    assert_int_equal(look(75, 750), USAGE_STAYS);
    assert_int_equal(look(75, 749), USAGE_STAYS);
    assert_int_equal(look(75, 740), USAGE_STAYS);
    assert_int_equal(look(75, 739), USAGE_LEFT);
    assert_int_equal(look(75, 0), USAGE_STAYS);
    assert_int_equal(look(75, 750), USAGE_REACHED);
}

static void the_first_and_the_last_percent_are_told_too(void **state)
{
    (void)state;
    assert_int_equal(look(100, 999), USAGE_STAYS);
    assert_int_equal(look(100, 1000), USAGE_REACHED);
    assert_int_equal(look(100, 989), USAGE_LEFT);
    assert_int_equal(look(1, 10), USAGE_REACHED);
    assert_int_equal(look(1, 1), USAGE_STAYS);
    assert_int_equal(look(1, 0), USAGE_LEFT);
}

static void a_size_as_large_as_can_be_does_not_overflow(void **state)
{
    (void)state;
    assert_int_equal(usage_watch_look(&watch, 90, UINT64_MAX / 10 * 8, UINT64_MAX),
                     USAGE_STAYS);
    assert_int_equal(usage_watch_look(&watch, 90, UINT64_MAX / 10 * 10, UINT64_MAX),
                     USAGE_REACHED);
}

static void a_start_tells_nothing_again(void **state)
{
    (void)state;
    usage_watch_begin(&watch, 800, SIZE);
    assert_int_equal(look(75, 800), USAGE_STAYS);
    assert_int_equal(look(90, 800), USAGE_STAYS);
    assert_int_equal(look(90, 900), USAGE_REACHED);
    assert_int_equal(look(75, 0), USAGE_LEFT);
}

static void what_was_no_threshold_meanwhile_is_new(void **state)
{
    const struct usage_thresholds one = {1, {75}}, both = {2, {75, 90}};
    (void)state;
    usage_watch_begin(&watch, 950, SIZE);
    usage_watch_forget(&watch, &both);
    assert_int_equal(look(90, 950), USAGE_STAYS);
    usage_watch_forget(&watch, &one);
    usage_watch_forget(&watch, &both);
    assert_int_equal(look(75, 950), USAGE_STAYS);
    assert_int_equal(look(90, 950), USAGE_REACHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_back_from_their_text),
        cmocka_unit_test(other_lists_are_refused),
        cmocka_unit_test_setup(each_is_told_once_up_and_once_down, setup),
        cmocka_unit_test_setup(the_first_and_the_last_percent_are_told_too, setup),
        cmocka_unit_test_setup(a_size_as_large_as_can_be_does_not_overflow, setup),
        cmocka_unit_test_setup(a_start_tells_nothing_again, setup),
        cmocka_unit_test_setup(what_was_no_threshold_meanwhile_is_new, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
