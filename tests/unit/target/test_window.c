/* SPDX-License-Identifier: Apache-2.0 */
/* The command window: RFC 7143, 4.2.2.1. */
#include "target/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SIZE 4

static void numbers_are_taken_in_order_only(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 10, SIZE);
    assert_int_equal(window_take(&w, 11, false), WINDOW_HOLD);
    assert_int_equal(window_take(&w, 10, false), WINDOW_RUN);
    assert_int_equal(window_take(&w, 10, false), WINDOW_IGNORE); /* twice */
    assert_int_equal(window_take(&w, 11, false), WINDOW_RUN);
    assert_int_equal(w.exp_cmd_sn, 12);
}

static void outside_the_window_is_ignored(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 10, SIZE);
    assert_int_equal(window_take(&w, 9, false), WINDOW_IGNORE);
    assert_int_equal(window_take(&w, 13, false), WINDOW_HOLD);
    assert_int_equal(window_take(&w, 14, false), WINDOW_IGNORE);
}

static void immediate_takes_no_number(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 10, SIZE);
    assert_int_equal(window_take(&w, 10, true), WINDOW_RUN);
    assert_int_equal(window_take(&w, 99, true), WINDOW_RUN);
    assert_int_equal(w.exp_cmd_sn, 10);
}

static void it_moves_when_commands_end(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 10, SIZE);
    for (uint32_t sn = 10; sn < 14; sn++) {
        assert_int_equal(window_take(&w, sn, false), WINDOW_RUN);
        window_open(&w);
        assert_int_equal(window_max_cmd_sn(&w), 13);
    }
    assert_int_equal(window_take(&w, 14, false), WINDOW_IGNORE); /* full */
    window_close(&w);
    assert_int_equal(window_max_cmd_sn(&w), 14);
    assert_int_equal(window_take(&w, 14, false), WINDOW_RUN);
}

static void it_never_moves_back(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 10, SIZE);
    assert_int_equal(window_take(&w, 10, false), WINDOW_RUN); /* a ping: never open */
    assert_int_equal(window_max_cmd_sn(&w), 14);
    assert_int_equal(window_take(&w, 11, false), WINDOW_RUN);
    window_open(&w);
    window_open(&w); /* more than numbers: still told what was told */
    assert_int_equal(window_max_cmd_sn(&w), 14);
}

static void numbers_wrap_around(void **state)
{
    struct window w;
    (void)state;
    window_init(&w, 0xfffffffe, SIZE);
    assert_int_equal(window_max_cmd_sn(&w), 1);
    assert_int_equal(window_take(&w, 0, false), WINDOW_HOLD);
    for (uint32_t sn = 0xfffffffe; sn != 2; sn++)
        assert_int_equal(window_take(&w, sn, false), WINDOW_RUN);
    assert_int_equal(window_take(&w, 0xffffffff, false), WINDOW_IGNORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_taken_in_order_only),
        cmocka_unit_test(outside_the_window_is_ignored),
        cmocka_unit_test(immediate_takes_no_number),
        cmocka_unit_test(it_moves_when_commands_end),
        cmocka_unit_test(it_never_moves_back),
        cmocka_unit_test(numbers_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
