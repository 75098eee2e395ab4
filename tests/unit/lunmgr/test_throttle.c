/* SPDX-License-Identifier: Apache-2.0 */
/* Limits by a clock that the test moves: lanes ask for commands as fast as they get them,
 * each woken when it was told to come back, or a little later. */
#include "lunmgr/throttle.h"

#include "tests/lib/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S       1000000000LL
#define MS      1000000LL
#define KIB     1024ULL
#define MIB     (1024 * KIB)
#define LANES   16
#define SECONDS 64 /* that are counted one by one */

struct run {
    struct throttle *throttle;
    unsigned lanes;
    uint64_t bytes_min, bytes_max; /* of a command */
    int64_t late_ns;               /* that a lane wakes too late, at most */
    int64_t now_ns;
    int64_t due_ns[LANES];
    uint64_t seed;
    uint64_t commands[SECONDS], bytes[SECONDS]; /* in each second since the begin */
    uint64_t of_lane[LANES];
};

static void run_init(struct run *r, const struct qos *qos, unsigned lanes)
{
    *r = (struct run){.throttle = throttle_create(qos, LANES),
                      .lanes = lanes,
                      .bytes_min = 4 * KIB,
                      .bytes_max = 4 * KIB,
                      .seed = 7};
    assert_non_null(r->throttle);
}

static void run_fini(struct run *r)
{
    throttle_put(r->throttle);
}

static void lane_wake(struct run *r, unsigned lane)
{
    for (;;) {
        uint64_t bytes = r->bytes_min + draw(&r->seed, r->bytes_max - r->bytes_min + 1);
        int64_t at_ns = throttle_take(r->throttle, lane, bytes, r->now_ns);
        if (at_ns > r->now_ns) {
            r->due_ns[lane] = at_ns + (int64_t)draw(&r->seed, (uint64_t)r->late_ns + 1);
            return;
        }
        assert_int_equal(at_ns, r->now_ns);
        size_t second = (size_t)(r->now_ns / S);
        if (second < SECONDS) {
            r->commands[second]++;
            r->bytes[second] += bytes;
        }
        r->of_lane[lane]++;
    }
}

/* All lanes ask for all they can get until then. */
static void run_until(struct run *r, int64_t end_ns)
{
    for (;;) {
        unsigned next = 0;
        for (unsigned i = 1; i < r->lanes; i++)
            if (r->due_ns[i] < r->due_ns[next])
                next = i;
        if (r->due_ns[next] >= end_ns)
            break;
        if (r->due_ns[next] > r->now_ns)
            r->now_ns = r->due_ns[next];
        lane_wake(r, next);
    }
    r->now_ns = end_ns;
}

static uint64_t sum(const uint64_t *of_second, unsigned from, unsigned seconds)
{
    uint64_t all = 0;
    for (unsigned i = from; i < from + seconds; i++)
        all += of_second[i];
    return all;
}

/* Every window of 10 s until `end` holds what it should, within 5 %. */
static void assert_windows(const uint64_t *of_second, unsigned from, unsigned end,
                           uint64_t rate)
{
    for (unsigned i = from; i + 10 <= end; i++)
        assert_in_range(sum(of_second, i, 10), rate * 19 / 2, rate * 21 / 2);
}

static void a_rate_holds_in_every_window(void **state)
{
    static const uint64_t rates[] = {100, 333, 1000, 4999, 100000};
    static const unsigned lanes[] = {1, 2, LANES};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates) * ARRAY_LEN(lanes) * 2; i++) {
        struct run r;
        uint64_t rate = rates[i / 2 % ARRAY_LEN(rates)];
        run_init(&r, &(struct qos){{[QOS_IOPS] = rate}}, lanes[i / 2 / ARRAY_LEN(rates)]);
        r.late_ns = i % 2 == 0 ? 0 : 9 * MS;
        run_until(&r, 20 * S);
        assert_windows(r.commands, 0, 20, rate);
        run_fini(&r);
    }
}

static void a_bandwidth_holds_in_every_window(void **state)
{
    (void)state;
    for (unsigned lanes = 1; lanes <= 2; lanes++) {
        struct run r;
        run_init(&r, &(struct qos){{[QOS_BYTES] = 10 * MIB}}, lanes);
        r.bytes_min = 512;
        r.bytes_max = MIB;
        r.late_ns = 5 * MS;
        run_until(&r, 30 * S);
        assert_windows(r.bytes, 0, 30, 10 * MIB);
        run_fini(&r);
    }
}

static void the_smaller_of_two_limits_holds(void **state)
{
    struct run r;
    (void)state;
    run_init(&r, &(struct qos){{[QOS_IOPS] = 100, [QOS_BYTES] = 4 * MIB}}, 2);
    run_until(&r, 10 * S); /* of 4 KiB: commands are what is short */
    assert_windows(r.commands, 0, 10, 100);
    r.bytes_min = r.bytes_max = 256 * KIB; /* 16 a second */
    run_until(&r, 30 * S);
    assert_windows(r.bytes, 11, 30, 4 * MIB);
    r.bytes_min = r.bytes_max = 4 * KIB; /* what was not used is not made up for */
    run_until(&r, 50 * S);
    assert_windows(r.commands, 31, 50, 100);
    run_fini(&r);
}

static void lanes_have_equal_shares(void **state)
{
    static const uint64_t rates[] = {50, 50000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct run r;
        run_init(&r, &(struct qos){{[QOS_IOPS] = rates[i]}}, 2);
        run_until(&r, 20 * S);
        assert_in_range(r.of_lane[0], rates[i] * 19 / 2, rates[i] * 21 / 2);
        assert_in_range(r.of_lane[1], rates[i] * 19 / 2, rates[i] * 21 / 2);
        run_fini(&r);
    }
}

/* A lane that asks no more leaves the whole rate to the others. */
static void a_lane_that_stops_costs_the_others_nothing(void **state)
{
    struct run r;
    (void)state;
    run_init(&r, &(struct qos){{[QOS_IOPS] = 100}}, LANES);
    run_until(&r, 10 * S);
    r.lanes = 1;
    run_until(&r, 30 * S);
    assert_windows(r.commands, 10, 30, 100);
    run_fini(&r);
}

static void nothing_drifts(void **state)
{
    struct run r;
    (void)state;
    run_init(&r, &(struct qos){{[QOS_IOPS] = 7}}, 2);
    r.late_ns = 3 * MS;
    run_until(&r, 3600 * S);
    assert_in_range(r.of_lane[0] + r.of_lane[1], 7 * 3600 - 3, 7 * 3600 + 3);
    run_fini(&r);
}

static void a_burst_lasts_as_long_as_it_may(void **state)
{
    (void)state;
    for (unsigned lanes = 1; lanes <= 2; lanes++) {
        struct run r;
        run_init(&r,
                 &(struct qos){
                     {[QOS_IOPS] = 200, [QOS_BURST_IOPS] = 1000, [QOS_BURST_S] = 10}},
                 lanes);
        r.late_ns = 5 * MS;
        run_until(&r, 30 * S);
        assert_in_range(sum(r.commands, 0, 10), 9500, 10500);
        assert_windows(r.commands, 11, 30, 200);
        run_fini(&r);
    }
}

/* Half of the time that all of it takes: 800 * 10 / 200 s. */
static void half_a_rest_pays_for_half_a_burst(void **state)
{
    struct run r;
    (void)state;
    run_init(
        &r,
        &(struct qos){{[QOS_IOPS] = 200, [QOS_BURST_IOPS] = 1000, [QOS_BURST_S] = 10}},
        1);
    run_until(&r, 20 * S);
    r.now_ns = r.due_ns[0] = 40 * S;
    run_until(&r, 60 * S);
    assert_in_range(sum(r.commands, 40, 5), 4750, 5250);
    assert_windows(r.commands, 46, 60, 200);
    run_fini(&r);
}

static void a_burst_of_bytes_is_bounded_too(void **state)
{
    struct run r;
    (void)state;
    run_init(
        &r,
        &(struct qos){
            {[QOS_BYTES] = 4 * MIB, [QOS_BURST_BYTES] = 16 * MIB, [QOS_BURST_S] = 10}},
        2);
    r.bytes_min = r.bytes_max = 64 * KIB;
    run_until(&r, 30 * S);
    assert_windows(r.bytes, 0, 10, 16 * MIB);
    assert_windows(r.bytes, 11, 30, 4 * MIB);
    run_fini(&r);
}

/* After a rest of any length: a tenth of a second's worth at once, no more. */
static void a_rest_is_made_up_for_a_little(void **state)
{
    struct run r;
    (void)state;
    run_init(&r, &(struct qos){{[QOS_IOPS] = 1000}}, 1);
    run_until(&r, S);
    r.now_ns = r.due_ns[0] = 10 * S;
    uint64_t before = r.of_lane[0];
    lane_wake(&r, 0);
    assert_in_range(r.of_lane[0] - before, 99, 102);
    run_fini(&r);
}

static void what_is_returned_is_the_next_ones(void **state)
{
    struct throttle *t =
        throttle_create(&(struct qos){{[QOS_IOPS] = 1, [QOS_BYTES] = MIB}}, 2);
    (void)state;
    assert_int_equal(throttle_take(t, 0, 64 * KIB, S), S);
    throttle_return(t, 0, 64 * KIB);
    assert_int_equal(throttle_take(t, 0, 64 * KIB, S), S);
    assert_true(throttle_take(t, 0, 64 * KIB, S) > S);
    throttle_put(t);
}

/* Who asks often is told the same, and pays once. */
static void asking_again_costs_nothing(void **state)
{
    struct throttle *t = throttle_create(&(struct qos){{[QOS_BYTES] = 64 * KIB}}, 2);
    (void)state;
    assert_int_equal(throttle_take(t, 0, MIB, S), S);
    int64_t due_ns = throttle_take(t, 0, MIB, S);
    assert_in_range(due_ns, 16 * S, 17 * S);
    for (int64_t now_ns = S; now_ns < due_ns; now_ns += S)
        assert_int_equal(throttle_take(t, 0, MIB, now_ns), due_ns);
    assert_int_equal(throttle_take(t, 0, MIB, due_ns), due_ns);
    throttle_put(t);
}

static void the_largest_values_do_not_overflow(void **state)
{
    static const struct qos extremes[] = {
        {{1, 0, 10000000, 0, 3600}},
        {{10000000, 1ULL << 40, 0, 0, 0}},
        {{0, 64 * KIB, 0, 1ULL << 40, 3600}},
        {{1, 64 * KIB, 10000000, 1ULL << 40, 3600}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(extremes); i++) {
        struct throttle *t = throttle_create(&extremes[i], 1);
        int64_t now_ns = 400LL * 24 * 3600 * S; /* of uptime */
        assert_int_equal(throttle_take(t, 0, 4096 * MIB, now_ns), now_ns);
        int64_t due_ns = throttle_take(t, 0, 4096 * MIB, now_ns);
        assert_in_range(due_ns, now_ns, now_ns + 70000LL * S);
        throttle_put(t);
    }
}

/* ---- Threads ----------------------------------------------------------------------- */

struct taker {
    pthread_t thread;
    struct throttle *throttle;
    unsigned lane;
    uint64_t taken;
};

static void *take_for_10_s(void *arg)
{
    struct taker *taker = arg;
    for (int64_t now_ns = 0; now_ns < 10 * S; now_ns += MS)
        while (throttle_take(taker->throttle, taker->lane, 4 * KIB, now_ns) == now_ns)
            taker->taken++;
    return NULL;
}

static void threads_together_never_exceed_it(void **state)
{
    struct taker takers[4];
    uint64_t all = 0;
    struct throttle *t = throttle_create(&(struct qos){{[QOS_IOPS] = 10000}}, 4);
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(takers); i++) {
        takers[i] = (struct taker){.throttle = throttle_get(t), .lane = i};
        assert_int_equal(
            pthread_create(&takers[i].thread, NULL, take_for_10_s, &takers[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_LEN(takers); i++) {
        pthread_join(takers[i].thread, NULL);
        all += takers[i].taken;
        throttle_put(takers[i].throttle);
    }
    assert_in_range(all, 95000, 105000);
    throttle_put(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_holds_in_every_window),
        cmocka_unit_test(a_bandwidth_holds_in_every_window),
        cmocka_unit_test(the_smaller_of_two_limits_holds),
        cmocka_unit_test(lanes_have_equal_shares),
        cmocka_unit_test(a_lane_that_stops_costs_the_others_nothing),
        cmocka_unit_test(nothing_drifts),
        cmocka_unit_test(a_burst_lasts_as_long_as_it_may),
        cmocka_unit_test(half_a_rest_pays_for_half_a_burst),
        cmocka_unit_test(a_burst_of_bytes_is_bounded_too),
        cmocka_unit_test(a_rest_is_made_up_for_a_little),
        cmocka_unit_test(what_is_returned_is_the_next_ones),
        cmocka_unit_test(asking_again_costs_nothing),
        cmocka_unit_test(the_largest_values_do_not_overflow),
        cmocka_unit_test(threads_together_never_exceed_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
