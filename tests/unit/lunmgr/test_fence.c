/* SPDX-License-Identifier: Apache-2.0 */
/* The fence over two lanes and more: raised when all commands in flight have ended, new
 * ones wait and run after the release, raises queue. */
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pool_rig rig;
static struct volume *vol;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 2, .pool_bytes = 16 * MIB};
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 16 * MIB, 512);
    assert_true(rig_reads(&rig, vol, 0, 4096, 0)); /* its leaf is loaded */
    return 0;
}

static void settle_down(void);

static int teardown(void **state)
{
    (void)state;
    if (rig.manager != NULL)
        settle_down(); /* a release has ended when every lane has run its note */
    pool_rig_destroy(&rig);
    return 0;
}

struct asker {
    struct fence_wait wait;
    atomic_bool raised;
};

static void on_raised(struct note *note)
{
    atomic_store(&container_of(note, struct asker, wait.note)->raised, true);
}

static void raise_fence(struct asker *a, struct volume *v)
{
    *a =
        (struct asker){.wait = {.note.run = on_raised, .inbox = loop_inbox(rig.control)}};
    fence_raise(&v->fence, &a->wait);
}

static bool is_raised(void *arg)
{
    return atomic_load(&((struct asker *)arg)->raised);
}

/* Long enough for every loop to have run what was posted to it. */
static void home_nothing(struct pool_rig *r, void *arg)
{
    (void)r;
    (void)arg;
}

static void lane_nothing(struct rig_lane *lane, void *arg)
{
    (void)lane;
    (void)arg;
}

static void settle_down(void)
{
    for (int i = 0; i < 3; i++) {
        pool_rig_at_home(&rig, home_nothing, NULL);
        for (unsigned l = 0; l < rig.options.lane_count; l++)
            pool_rig_at_lane(&rig, l, lane_nothing, NULL);
    }
}

static void start_io(struct rig_io *io, unsigned lane, struct volume *v, enum vio_op op,
                     uint64_t offset, uint8_t fill)
{
    rig_io_init(io, &rig, lane, v, op, offset, op == VIO_FLUSH ? 0 : 4096);
    if (op == VIO_WRITE)
        memset(rig_io_data(io), fill, 4096);
    rig_io_start(io);
    pool_rig_turn(&rig);
}

static void with_nothing_in_flight_it_is_raised(void **state)
{
    struct asker a;
    (void)state;
    raise_fence(&a, vol);
    pool_rig_until(&rig, is_raised, &a);
    fence_release(&vol->fence);
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 1), 0);
}

static void it_is_raised_when_the_last_command_in_flight_has_ended(void **state)
{
    struct asker a;
    struct rig_io write, read;
    (void)state;
    fake_engine_hold(rig.lanes[0].fake, FAKE_ALL);
    fake_engine_hold(rig.lanes[1].fake, FAKE_ALL);
    assert_true(fake_engine_waiting(rig.lanes[0].fake, FAKE_ALL) == 0);
    start_io(&write, 0, vol, VIO_WRITE, 0, 1);
    start_io(&read, 1, vol, VIO_WRITE, EXTENT_BYTES, 2);
    raise_fence(&a, vol);
    settle_down();
    assert_false(is_raised(&a));
    fake_engine_hold(rig.lanes[0].fake, 0);
    settle_down();
    assert_true(write.ended);
    assert_false(is_raised(&a));
    fake_engine_hold(rig.lanes[1].fake, 0);
    pool_rig_until(&rig, is_raised, &a);
    assert_true(read.ended);
    fence_release(&vol->fence);
    assert_int_equal(rig_io_end(&write), 0);
    assert_int_equal(rig_io_end(&read), 0);
}

/* A flush is in flight until its round has ended. */
static void it_waits_for_flushes_too(void **state)
{
    struct asker a;
    struct rig_io flush;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 1), 0);
    start_io(&flush, 0, vol, VIO_FLUSH, 0, 0);
    raise_fence(&a, vol);
    pool_rig_until(&rig, is_raised, &a);
    assert_true(flush.ended);
    fence_release(&vol->fence);
    assert_int_equal(rig_io_end(&flush), 0);
}

static void new_commands_wait_for_the_release(void **state)
{
    struct asker a;
    struct rig_io io[6];
    (void)state;
    raise_fence(&a, vol);
    pool_rig_until(&rig, is_raised, &a);
    for (unsigned i = 0; i < 6; i++)
        start_io(&io[i], i % 2, vol, i < 4 ? VIO_WRITE : VIO_FLUSH, i * EXTENT_BYTES,
                 (uint8_t)(i + 1));
    settle_down();
    for (unsigned i = 0; i < 6; i++)
        assert_false(io[i].ended);
    assert_int_equal(pool_free_extents(rig.pool), 255); /* none has begun */
    fence_release(&vol->fence);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(rig_io_end(&io[i]), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(rig_reads(&rig, vol, i * EXTENT_BYTES, 4096, (uint8_t)(i + 1)));
}

static void another_volumes_commands_do_not_wait(void **state)
{
    struct asker a;
    (void)state;
    struct volume *other = pool_rig_volume(&rig, "w", MIB, 512);
    raise_fence(&a, vol);
    pool_rig_until(&rig, is_raised, &a);
    assert_int_equal(rig_write(&rig, other, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, other), 0);
    fence_release(&vol->fence);
}

static void raises_queue(void **state)
{
    struct asker asker[3];
    struct rig_io io;
    (void)state;
    for (int i = 0; i < 3; i++)
        raise_fence(&asker[i], vol);
    start_io(&io, 0, vol, VIO_WRITE, 0, 9);
    for (int i = 0; i < 3; i++) {
        pool_rig_until(&rig, is_raised, &asker[i]);
        settle_down();
        for (int later = i + 1; later < 3; later++)
            assert_false(is_raised(&asker[later]));
        fence_release(&vol->fence);
    }
    assert_int_equal(rig_io_end(&io), 0);
    assert_true(rig_reads(&rig, vol, 0, 4096, 9));
}

/* ---- Under load, on threads -------------------------------------------------------- */

#define LANES 3

/* What is in flight of the volume on all lanes, seen from outside: the lanes' own lists
 * may only be looked at on their threads, so this asks each. */
static void lane_look(struct rig_lane *lane, void *arg)
{
    const struct fence_lane *fl = &vol->fence.lanes[lane->lane->index];
    *(unsigned *)arg += fl->commands;
}

static void under_load_nothing_is_in_flight_while_it_is_raised(void **state)
{
    (void)state;
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = LANES,
                                       .threads = true,
                                       .pool_bytes = 16 * MIB,
                                       .tick_ms = 5,
                                       .seed = 99};
    pool_rig_destroy(&rig);
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 8 * MIB, 512);
    struct oracle *o = oracle_create(8 * MIB);
    struct vio_load *loads[LANES];
    const struct load_options load = {
        .rig = &rig,
        .volume = vol,
        .oracle = o,
        .seed = 7,
        .count = UINT32_MAX,
        .depth = 8,
        .region_bytes = 8 * MIB,
        .align_bytes = 512,
        .bytes_max = 2 * EXTENT_BYTES,
        .mix = {.read = 30, .write = 50, .unmap = 10, .zero = 9, .flush = 1}};
    vio_loads_start(&load, loads, LANES);
    for (unsigned n = 0; n < rig_times(40); n++) {
        struct asker a[2];
        raise_fence(&a[0], vol);
        raise_fence(&a[1], vol);
        for (int i = 0; i < 2; i++) {
            pool_rig_until(&rig, is_raised, &a[i]);
            unsigned in_flight = 0;
            for (unsigned l = 0; l < LANES; l++)
                pool_rig_at_lane(&rig, l, lane_look, &in_flight);
            assert_int_equal(in_flight, 0);
            fence_release(&vol->fence);
        }
    }
    assert_int_equal(vio_loads_stop(&rig, loads, LANES), 0);
    assert_true(oracle_verify(o, &rig, vol, NULL));
    assert_null(oracle_offence(o));
    oracle_destroy(o);
}

/* ---- Lanes that go ----------------------------------------------------------------- */

static void destroy_lane(unsigned i)
{
    lane_destroy(rig.lanes[i].lane);
    loop_destroy(rig.lanes[i].loop);
    rig.options.lane_count--;
    assert_int_equal(rig.options.lane_count, i);
}

static void a_lane_that_goes_gives_its_word_first(void **state)
{
    struct asker a;
    (void)state;
    raise_fence(&a, vol); /* told to lane 1, which does not run any more */
    destroy_lane(1);
    pool_rig_until(&rig, is_raised, &a);
    fence_release(&vol->fence);
    destroy_lane(0);
    rig.lanes[0] = rig.lanes[1] = (struct rig_lane){.rig = NULL};
    pool_rig_close(&rig); /* which asserts that no fence is raised */
}

static void on_snapshot(void *arg, struct volume *const *made, size_t count,
                        const struct err *e)
{
    (void)made;
    (void)count;
    (void)e;
    *(bool *)arg = true;
}

static void closing_answers_a_snapshot_under_way(void **state)
{
    (void)state;
    static const char *const names[] = {"v"};
    struct snapshot_spec spec = {.volumes = names, .volume_count = 1, .name = "s"};
    for (unsigned turns = 0; turns < 8; turns++) {
        bool answered = false;
        char name[8];
        snprintf(name, sizeof(name), "s%u", turns);
        spec.name = name;
        snapshot_create(rig.manager, &spec, on_snapshot, &answered);
        for (unsigned i = 0; i < turns; i++)
            loop_run_once(rig.lanes[0].loop, false);
        pool_rig_close(&rig);
        assert_true(answered);
        pool_rig_open(&rig);
        assert_non_null(volume_find(rig.manager, "v"));
    }
}

#define FENCE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FENCE_TEST(with_nothing_in_flight_it_is_raised),
        FENCE_TEST(it_is_raised_when_the_last_command_in_flight_has_ended),
        FENCE_TEST(it_waits_for_flushes_too),
        FENCE_TEST(new_commands_wait_for_the_release),
        FENCE_TEST(another_volumes_commands_do_not_wait),
        FENCE_TEST(raises_queue),
        FENCE_TEST(a_lane_that_goes_gives_its_word_first),
        FENCE_TEST(closing_answers_a_snapshot_under_way),
        FENCE_TEST(under_load_nothing_is_in_flight_while_it_is_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
