/* SPDX-License-Identifier: Apache-2.0 */
/* When a pool will be full: by a clock of the test's own. */
#include "lunmgr/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEP_MS 10000
#define HOUR_S  3600

static struct forecast f;
static int64_t now_ms;
static uint64_t used;

static int setup(void **state)
{
    (void)state;
    f = (struct forecast){.begun = false};
    now_ms = 5;
    used = 1000000;
    forecast_look(&f, now_ms, used);
    return 0;
}

/* Grows (or shrinks) by so much every ten seconds, for so long. */
static void grow(int64_t each, unsigned seconds)
{
    for (unsigned s = 0; s < seconds; s += STEP_MS / 1000) {
        now_ms += STEP_MS;
        used = (uint64_t)((int64_t)used + each);
        forecast_look(&f, now_ms, used);
    }
}

static void assert_about(uint64_t value, uint64_t wanted)
{
    assert_in_range(value, wanted - wanted / 50, wanted + wanted / 50);
}

static void a_steady_rate_is_told_from_the_first_half_minute_on(void **state)
{
    (void)state;
    assert_int_equal(forecast_full_s(&f, 100), 0);
    grow(50, 20);
    assert_int_equal(forecast_full_s(&f, 100), 0);
    grow(50, 10);
    assert_about((uint64_t)(forecast_rate(&f) * 1000), 5000);
    assert_about(forecast_full_s(&f, 5000), 1000);
    grow(50, 20 * HOUR_S);
    assert_about(forecast_full_s(&f, 5000), 1000);
}

static void seconds_are_rounded_up(void **state)
{
    (void)state;
    grow(30, 30);
    assert_int_equal(forecast_full_s(&f, 1), 1);
    assert_int_equal(forecast_full_s(&f, 3), 1);
    assert_int_equal(forecast_full_s(&f, 4), 2);
}

static void what_does_not_fill_has_no_end(void **state)
{
    (void)state;
    grow(0, HOUR_S);
    assert_int_equal(forecast_full_s(&f, 1), 0);
    grow(-5, HOUR_S);
    assert_int_equal(forecast_full_s(&f, 1), 0);
    assert_true(forecast_rate(&f) == 0);
}

static void what_is_full_already_is_not_forecast(void **state)
{
    (void)state;
    grow(30, 60);
    assert_int_equal(forecast_full_s(&f, 0), 0);
}

static void what_is_further_off_than_ten_years_is_not_told(void **state)
{
    (void)state;
    grow(10, 60); /* one a second */
    assert_int_equal(forecast_full_s(&f, FORECAST_MAX_S + FORECAST_MAX_S / 50), 0);
    assert_about(forecast_full_s(&f, FORECAST_MAX_S - FORECAST_MAX_S / 50),
                 FORECAST_MAX_S - FORECAST_MAX_S / 50);
}

/* After an hour of another rate that counts for more than half, after six for all. */
static void a_new_rate_takes_over(void **state)
{
    (void)state;
    grow(100, 5 * HOUR_S);
    grow(1000, HOUR_S);
    assert_in_range((uint64_t)forecast_rate(&f), 60, 75);
    grow(1000, 5 * HOUR_S);
    assert_about((uint64_t)forecast_rate(&f), 100);
    grow(-2000, HOUR_S); /* space comes back */
    assert_true(forecast_rate(&f) == 0);
}

static void what_was_slept_over_is_one_long_look(void **state)
{
    (void)state;
    now_ms += 12LL * HOUR_S * 1000;
    used += 12ULL * HOUR_S * 7;
    forecast_look(&f, now_ms, used);
    assert_about(forecast_full_s(&f, 7000), 1000);
}

static void a_look_at_the_same_moment_changes_nothing(void **state)
{
    (void)state;
    grow(30, 60);
    struct forecast before = f;
    forecast_look(&f, now_ms, used + 1000);
    assert_memory_equal(&f, &before, sizeof(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_steady_rate_is_told_from_the_first_half_minute_on,
                               setup),
        cmocka_unit_test_setup(seconds_are_rounded_up, setup),
        cmocka_unit_test_setup(what_does_not_fill_has_no_end, setup),
        cmocka_unit_test_setup(what_is_full_already_is_not_forecast, setup),
        cmocka_unit_test_setup(what_is_further_off_than_ten_years_is_not_told, setup),
        cmocka_unit_test_setup(a_new_rate_takes_over, setup),
        cmocka_unit_test_setup(what_was_slept_over_is_one_long_look, setup),
        cmocka_unit_test_setup(a_look_at_the_same_moment_changes_nothing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
