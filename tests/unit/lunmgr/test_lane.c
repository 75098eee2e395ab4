/* SPDX-License-Identifier: Apache-2.0 */
/* What a lane keeps of free buffers: all that a load needs, little when it is over. On a
 * clock moved by hand. */
#include "tests/lib/pool_rig.h"

#include "lunmgr/lane_priv.h"
#include "tests/lib/hand_clock.h"

#define BUFFERS     40U
#define AT_REST_MIB 8U

static struct pool_rig rig;

static int setup(void **state)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .by_hand = true};
    (void)state;
    hand_clock_set(1);
    pool_rig_create(&rig, &options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    hand_clock_set(0);
    return 0;
}

static struct buf_pool *buffers(void)
{
    return rig.lanes[0].lane->buffers;
}

static void a_load_comes_and_goes(void)
{
    struct buf held[BUFFERS];
    for (unsigned i = 0; i < BUFFERS; i++)
        assert_int_equal(buf_get(buffers(), MIB, &held[i]), 0);
    for (unsigned i = 0; i < BUFFERS; i++)
        buf_put(buffers(), &held[i]);
}

static void seconds_pass(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        hand_clock_advance(1000000000);
        loop_run_once(rig.lanes[0].loop, false);
    }
}

static void free_buffers_stay_while_they_are_wanted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        a_load_comes_and_goes();
        seconds_pass(1);
        assert_in_range(buf_pool_kept_bytes(buffers()), BUFFERS * MIB, 64 * MIB);
    }
}

static void they_go_when_they_are_not(void **state)
{
    (void)state;
    a_load_comes_and_goes();
    seconds_pass(1);
    assert_in_range(buf_pool_kept_bytes(buffers()), BUFFERS * MIB, 64 * MIB);
    seconds_pass(10);
    assert_in_range(buf_pool_kept_bytes(buffers()), 1, AT_REST_MIB * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(free_buffers_stay_while_they_are_wanted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(they_go_when_they_are_not, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
