/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a pool that fills and empties, and that it is kept over a restart what
 * was told and what an admin has set. 100 extents, so that an extent is a percent. */
#include "tests/lib/rig_manage.h"

#include "base/clock.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define EXTENTS 100

static struct pool_rig rig;
static struct volume *vol;
static unsigned looks;

/* ---- what is told ---- */

#define TOLD_MAX 16
static struct told {
    char what[16];
    unsigned percent;
} told[TOLD_MAX];
static size_t told_count;

static void note_told(const char *what, unsigned percent)
{
    assert_true(told_count < TOLD_MAX);
    snprintf(told[told_count].what, sizeof(told[0].what), "%s", what);
    told[told_count++].percent = percent;
}

static void on_usage(void *arg, const struct pool_usage_news *news)
{
    (void)arg;
    assert_string_equal(news->pool, "p");
    assert_string_equal(news->id, rig.pool->id);
    assert_int_equal(news->size_bytes, EXTENTS * (uint64_t)EXTENT_BYTES);
    note_told(news->reached ? "reached" : "left", news->percent);
}

static void on_full(void *arg, const char *id, const char *pool, uint64_t writes,
                    unsigned waiting)
{
    (void)arg;
    (void)id;
    (void)pool;
    note_told(waiting > 0 ? "waiting" : "full", (unsigned)writes);
}

static void on_back(void *arg, const char *id, const char *pool, uint64_t free_bytes)
{
    (void)arg;
    (void)id;
    (void)pool;
    note_told("back", (unsigned)(free_bytes / EXTENT_BYTES));
}

static void assert_told(const struct told *wanted, size_t count)
{
    assert_int_equal(told_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(told[i].what, wanted[i].what);
        assert_int_equal(told[i].percent, wanted[i].percent);
    }
    told_count = 0;
}
#define ASSERT_TOLD(...)                                                                 \
    assert_told((const struct told[]){__VA_ARGS__},                                      \
                sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told))

/* ---- the rig ---- */

static void listen_to(void)
{
    static const struct lunmgr_news news = {
        .pool_usage = on_usage, .space_refused = on_full, .space_back = on_back};
    lunmgr_set_news(rig.manager, &news);
}

static int setup(void **state)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = 1,
                                       .pool_bytes = (EXTENTS + 1) * EXTENT_BYTES,
                                       .tick_ms = 50,
                                       .space_grace_ms = 3600000};
    (void)state;
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    told_count = 0;
    listen_to();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static void on_look(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    looks++;
}

static bool has_looked(void *arg)
{
    (void)arg;
    return looks == 3;
}

/* Until the watch, whose timer is as long, has looked twice at least: a busy machine
 * delays its looks, each of which sets the next, and not these. */
static void look(void)
{
    static const struct timeval every = {.tv_usec = POOL_WATCH_MS * 1000};
    struct event *timer =
        event_new(loop_base(rig.control), -1, EV_PERSIST, on_look, NULL);
    looks = 0;
    event_add(timer, &every);
    pool_rig_until(&rig, has_looked, NULL);
    event_free(timer);
}

static void fill(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        assert_int_equal(rig_write(&rig, vol, i * (uint64_t)EXTENT_BYTES, 4096, 1), 0);
    look();
}

static void unmap(unsigned from, unsigned to)
{
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, from * (uint64_t)EXTENT_BYTES,
                                (to - from) * (uint64_t)EXTENT_BYTES, NULL),
                     0);
    pool_rig_settle(&rig);
    look();
}

static void on_changed(void *arg, struct pool *pool, const struct err *e)
{
    (void)pool;
    *(int *)arg = e == NULL ? 0 : e->code;
}

static bool is_answered(void *arg)
{
    return *(int *)arg != 1;
}

static int set_thresholds(const struct usage_thresholds *t)
{
    int rc = 1;
    const struct pool_change change = {.usage_thresholds = t};
    pool_change(rig.manager, "p", &change, on_changed, &rc);
    pool_rig_until(&rig, is_answered, &rc);
    return rc;
}

static void assert_thresholds(const struct usage_thresholds *wanted)
{
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_memory_equal(&info.usage_thresholds, wanted, sizeof(*wanted));
}

static void restart(void)
{
    pool_rig_reopen(&rig);
    vol = volume_find(rig.manager, "v");
    listen_to();
}

/* ---- the claims ---- */

static void a_pool_that_fills_and_empties_tells_of_75_and_90(void **state)
{
    (void)state;
    assert_thresholds(&usage_default);
    fill(0, 74);
    assert_int_equal(told_count, 0);
    fill(74, 75);
    ASSERT_TOLD({"reached", 75});
    fill(75, 95);
    ASSERT_TOLD({"reached", 90});
    unmap(0, 6); /* 89 */
    assert_int_equal(told_count, 0);
    unmap(6, 40);
    ASSERT_TOLD({"left", 75}, {"left", 90});
    fill(0, 40);
    ASSERT_TOLD({"reached", 75}, {"reached", 90});
}

static void thresholds_and_what_was_told_outlive_a_restart(void **state)
{
    const struct usage_thresholds own = {3, {10, 50, 99}};
    (void)state;
    assert_int_equal(set_thresholds(&own), 0);
    fill(0, 60);
    ASSERT_TOLD({"reached", 10}, {"reached", 50});
    restart();
    assert_thresholds(&own);
    look();
    assert_int_equal(told_count, 0);
    unmap(20, 60);
    ASSERT_TOLD({"left", 50});
}

static void a_new_threshold_that_is_reached_already_is_told(void **state)
{
    const struct usage_thresholds more = {3, {30, 75, 90}}, none = {.count = 0},
                                  bad = {2, {90, 75}};
    (void)state;
    fill(0, 80);
    ASSERT_TOLD({"reached", 75});
    assert_int_equal(set_thresholds(&more), 0);
    look();
    ASSERT_TOLD({"reached", 30});
    assert_int_equal(set_thresholds(&bad), -EINVAL);
    assert_thresholds(&more);
    assert_int_equal(set_thresholds(&none), 0);
    unmap(0, 80);
    assert_int_equal(told_count, 0);
}

/* Full: told as soon as one waits; over: told once, when none waits. */
static void that_a_pool_is_full_and_is_not_any_more_is_told(void **state)
{
    const struct usage_thresholds none = {.count = 0};
    struct rig_io io;
    (void)state;
    assert_int_equal(set_thresholds(&none), 0);
    fill(0, EXTENTS);
    assert_int_equal(told_count, 0);
    rig_io_init(&io, &rig, 0, vol, VIO_WRITE, 200ULL * EXTENT_BYTES, 4096);
    io.vio.patient = true;
    rig_io_start(&io);
    look();
    ASSERT_TOLD({"waiting", 0});
    unmap(0, 1);
    assert_int_equal(rig_io_end(&io), 0);
    assert_int_equal(told_count, 0); /* it is full again */
    unmap(1, 3);
    ASSERT_TOLD({"back", 2});
    look();
    assert_int_equal(told_count, 0);
}

static void it_comes_to_rest(void)
{
    look(); /* finds what setup made */
    rig.manager->quiet_looks = POOL_WATCH_QUIET_LOOKS;
    look();
    assert_true(lunmgr_rests(rig.manager));
}

/* At rest it looks all the same at whole multiples of POOL_WATCH_REST_MS: none of these
 * is to fall into the second and a half that the next fill() takes. */
static void no_look_is_near(void)
{
    while (clock_us_to_next(POOL_WATCH_REST_MS * 1000) < POOL_WATCH_REST_MS * 700)
        look();
    assert_true(lunmgr_rests(rig.manager));
}

static void on_stirred(void *arg)
{
    *(unsigned *)arg += 1;
}

static void at_rest_it_does_not_look_until_it_is_stirred(void **state)
{
    unsigned stirs = 0;
    const struct lunmgr_events events = {.arg = &stirs, .stirred = on_stirred};
    (void)state;
    lunmgr_set_events(rig.manager, &events);
    it_comes_to_rest();
    no_look_is_near();
    fill(0, 80);
    assert_int_equal(told_count, 0);
    lunmgr_stir(rig.manager);
    lunmgr_stir(rig.manager);
    look();
    ASSERT_TOLD({"reached", 75});
    assert_int_equal(stirs, 1);
    assert_false(lunmgr_rests(rig.manager));
}

static void operations_stir_it(void **state)
{
    const struct usage_thresholds some = {1, {30}};
    (void)state;
    it_comes_to_rest();
    assert_int_equal(set_thresholds(&some), 0);
    fill(0, 30);
    ASSERT_TOLD({"reached", 30});
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCH_TEST(a_pool_that_fills_and_empties_tells_of_75_and_90),
        WATCH_TEST(thresholds_and_what_was_told_outlive_a_restart),
        WATCH_TEST(a_new_threshold_that_is_reached_already_is_told),
        WATCH_TEST(that_a_pool_is_full_and_is_not_any_more_is_told),
        WATCH_TEST(at_rest_it_does_not_look_until_it_is_stirred),
        WATCH_TEST(operations_stir_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
