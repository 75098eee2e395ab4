/* SPDX-License-Identifier: Apache-2.0 */
/* For whom a round waits, and for how long. Rounds are made long, and waits, by setting
 * when they began and end. */
#include "lunmgr/round_crowd.h"

#include "base/clock.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR_US 3600000000

static struct event_base *base;
static struct round_crowd crowd;
static unsigned overs;

static void on_over(void *arg)
{
    (void)arg;
    overs++;
}

static int rig_setup(void **state)
{
    (void)state;
    base = event_base_new();
    overs = 0;
    if (base == NULL || crowd_init(&crowd, base, on_over, NULL, NULL) != 0)
        return -1;
    crowd.is_wanted = true;
    return 0;
}

static int rig_teardown(void **state)
{
    (void)state;
    crowd_fini(&crowd);
    event_base_free(base);
    return 0;
}

static void come(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        crowd_on_come(&crowd);
}

/* `count` are answered by a round that took so long; `late` come while it lasts. The next
 * may wait for an hour. */
static void a_round(unsigned count, unsigned late, int64_t took_us)
{
    come(count - crowd.waiting);
    crowd_on_begin(&crowd);
    come(late);
    crowd.began_us = clock_us() - took_us;
    crowd_on_end(&crowd);
    crowd.over_us += HOUR_US;
}

static void a_long_round_s_crowd_is_waited_for(void **state)
{
    (void)state;
    a_round(5, 1, 10 * CROWD_LONG_US);
    for (unsigned here = 1; here < 6; here++) {
        assert_true(crowd_is_awaited(&crowd));
        come(1);
    }
    assert_false(crowd_is_awaited(&crowd));
    crowd_on_begin(&crowd);
    assert_int_equal(crowd.answered, 6);
    assert_int_equal(overs, 0);
}

static void one_alone_waits_for_nobody(void **state)
{
    (void)state;
    a_round(1, 0, 10 * CROWD_LONG_US);
    come(1);
    assert_false(crowd_is_awaited(&crowd));
}

static void after_a_short_round_nobody_is_waited_for(void **state)
{
    (void)state;
    a_round(5, 0, 0);
    come(1);
    assert_false(crowd_is_awaited(&crowd));
}

static void nor_is_a_great_crowd(void **state)
{
    (void)state;
    a_round(CROWD_MAX, 1, 10 * CROWD_LONG_US);
    assert_false(crowd_is_awaited(&crowd));
    a_round(CROWD_MAX, 0, 10 * CROWD_LONG_US);
    come(1);
    assert_true(crowd_is_awaited(&crowd));
}

static void nor_anybody_where_that_is_not_wanted(void **state)
{
    (void)state;
    crowd.is_wanted = false;
    a_round(5, 0, 10 * CROWD_LONG_US);
    come(1);
    assert_false(crowd_is_awaited(&crowd));
}

static void the_wait_has_an_end(void **state)
{
    (void)state;
    a_round(5, 0, 10 * CROWD_LONG_US);
    crowd.over_us = clock_us() + 1000;
    come(1);
    if (crowd_is_awaited(&crowd)) /* else the end was there already */
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_false(crowd_is_awaited(&crowd));
}

static void its_end_is_told(void **state)
{
    (void)state;
    a_round(5, 0, 10 * CROWD_LONG_US);
    come(1);
    assert_true(crowd_is_awaited(&crowd));
    event_active(crowd.timer, EV_TIMEOUT, 1);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(overs, 1);
    assert_false(crowd_is_awaited(&crowd));
}

/* How many rounds do without, before one waits again. */
static unsigned rounds_without(void)
{
    unsigned count = 0;
    for (;; count++) {
        a_round(5, 0, 10 * CROWD_LONG_US);
        come(1);
        if (crowd_is_awaited(&crowd))
            return count;
    }
}

static void a_vain_wait_costs_some_rounds_theirs(void **state)
{
    (void)state;
    assert_int_equal(rounds_without(), 0);
    for (unsigned without = 1; without <= 64; without *= 2) {
        crowd_on_begin(&crowd); /* with one of five */
        assert_int_equal(rounds_without(), without);
    }
    crowd_on_begin(&crowd);
    assert_int_equal(rounds_without(), 64);
    come(4); /* in time */
    assert_false(crowd_is_awaited(&crowd));
    assert_int_equal(rounds_without(), 0);
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ON(a_long_round_s_crowd_is_waited_for),
        ON(one_alone_waits_for_nobody),
        ON(after_a_short_round_nobody_is_waited_for),
        ON(nor_is_a_great_crowd),
        ON(nor_anybody_where_that_is_not_wanted),
        ON(the_wait_has_an_end),
        ON(its_end_is_told),
        ON(a_vain_wait_costs_some_rounds_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
