/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of ranges of any size, inside a pool and into another, held against bytes in
 * memory; how they end early. */
#include "tests/lib/fake_engine.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"

#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOLUME_BYTES (2 * MIB)
#define SECTORS      (VOLUME_BYTES / SECTOR_BYTES)

static struct pool_rig rig;
static struct volume *from, *to;
static uint8_t source[VOLUME_BYTES], target[VOLUME_BYTES], seen[VOLUME_BYTES];
static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (random_state >> 33) % below;
}

static void open_rig(enum rig_engine engine)
{
    struct pool_rig_options o = {
        .engine = engine, .lane_count = 1, .pool_bytes = 32 * MIB};
    pool_rig_create(&rig, &o);
    random_state = 5;
    memset(source, 0, sizeof(source));
    memset(target, 0, sizeof(target));
    from = pool_rig_volume(&rig, "from", VOLUME_BYTES, 512);
    to = pool_rig_volume(&rig, "to", VOLUME_BYTES, 512);
}

static int setup(void **state)
{
    (void)state;
    open_rig(RIG_FAKE);
    return 0;
}

static int setup_files(void **state)
{
    (void)state;
    open_rig(RIG_THREADS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Contents ---------------------------------------------------------------------- */

static void put(struct volume *v, uint8_t *model, uint64_t offset, uint64_t bytes)
{
    for (uint64_t i = offset; i < offset + bytes; i++)
        model[i] = (uint8_t)(1 + draw(255));
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_WRITE, offset, bytes, model + offset), 0);
}

static void put_somewhere(struct volume *v, uint8_t *model)
{
    uint64_t first = draw(SECTORS), count = 1 + draw(200);
    count = count > SECTORS - first ? SECTORS - first : count;
    put(v, model, first * SECTOR_BYTES, count * SECTOR_BYTES);
}

static void assert_holds(struct volume *v, const uint8_t *model)
{
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 0, VOLUME_BYTES, seen), 0);
    assert_memory_equal(seen, model, VOLUME_BYTES);
}

/* Copied, in the volumes and in the model. */
static struct copy copy(uint64_t from_bytes, uint64_t to_bytes, uint64_t length_bytes)
{
    struct copy c = {.from = from,
                     .to = to,
                     .from_bytes = from_bytes,
                     .to_bytes = to_bytes,
                     .length_bytes = length_bytes};
    assert_int_equal(rig_copy(&rig, &c), 0);
    assert_int_equal(c.copied_bytes, length_bytes);
    memcpy(target + to_bytes, source + from_bytes, length_bytes);
    return c;
}

static uint64_t mapped_bytes(struct volume *v)
{
    return volume_used_extents(v) * EXTENT_BYTES;
}

/* ---- The tests --------------------------------------------------------------------- */

static void whole_extents_are_shared_and_their_edges_moved(void **state)
{
    (void)state;
    put(from, source, 0, VOLUME_BYTES);
    struct copy c = copy(512, EXTENT_BYTES + 512, 4 * EXTENT_BYTES);
    assert_int_equal(c.shared_bytes, 3 * EXTENT_BYTES);
    assert_holds(to, target);
    rig_assert_sound(&rig);
}

static void what_lies_otherwise_is_moved(void **state)
{
    (void)state;
    put(from, source, 0, VOLUME_BYTES);
    assert_int_equal(copy(0, 4096, 3 * EXTENT_BYTES).shared_bytes, 0);
    assert_int_equal(copy(0, 8 * EXTENT_BYTES + 512, EXTENT_BYTES).shared_bytes, 0);
    assert_int_equal(copy(1536, 12 * EXTENT_BYTES + 3072, 5 * 512).shared_bytes, 0);
    assert_holds(to, target);
    rig_assert_sound(&rig);
}

static void nothing_is_copied_as_nothing(void **state)
{
    (void)state;
    put(to, target, 0, VOLUME_BYTES);
    put(from, source, 4 * EXTENT_BYTES, 4096);
    copy(0, 0, 8 * EXTENT_BYTES);          /* shared or cleared */
    copy(0, 8 * EXTENT_BYTES + 4096, MIB); /* moved or cleared */
    assert_holds(to, target);
    assert_true(mapped_bytes(to) < MIB);
    rig_assert_sound(&rig);
}

static void zeros_take_no_space(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, from, 0, MIB, 0), 0);
    copy(0, 4096, MIB - 4096);
    assert_int_equal(mapped_bytes(to), 0);
    assert_holds(to, target);
}

static void any_ranges_are_as_memcpy_has_them(void **state)
{
    (void)state;
    put(from, source, 0, VOLUME_BYTES / 2);
    for (unsigned n = 0; n < rig_times(150); n++) {
        uint64_t unit = n % 3 == 0 ? 128 : n % 3 == 1 ? 8 : 1;
        uint64_t a = draw(SECTORS / unit), b = n % 4 == 0 ? a : draw(SECTORS / unit);
        uint64_t most = SECTORS / unit - (a > b ? a : b);
        copy(a * unit * SECTOR_BYTES, b * unit * SECTOR_BYTES,
             (1 + draw(most)) * unit * SECTOR_BYTES);
        put_somewhere(from, source);
        put_somewhere(to, target);
        if (n == 40)
            assert_int_equal(rig_snapshot(&rig, "from", "s", NULL, NULL), 0);
        if (n == 60)
            assert_int_equal(rig_snapshot(&rig, "to", "s", NULL, NULL), 0);
        assert_holds(to, target);
    }
    assert_holds(from, source);
    rig_assert_sound(&rig);
}

static void within_one_volume_too(void **state)
{
    (void)state;
    to = from;
    put(from, source, 0, MIB);
    memcpy(target, source, sizeof(target));
    copy(0, MIB, MIB / 2);
    memcpy(source, target, sizeof(source));
    copy(512, MIB + MIB / 2 + 1024, MIB / 4);
    assert_holds(from, target);
    assert_int_equal(copy(0, 0, MIB).shared_bytes, 0); /* onto itself */
    assert_holds(from, target);
    rig_assert_sound(&rig);
}

static void into_another_pool_data_is_moved(void **state)
{
    (void)state;
    struct pool *other;
    char path[300];
    snprintf(path, sizeof(path), "%s/other", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, 16 * MIB, &other, NULL), 0);
    struct volume_spec spec = {.name = "far", .pool = "q", .size_bytes = VOLUME_BYTES};
    assert_int_equal(rig_make(&rig, &spec, &to, NULL), 0);
    put(from, source, EXTENT_BYTES, MIB);
    assert_int_equal(copy(0, 0, VOLUME_BYTES).shared_bytes, 0);
    assert_holds(to, target);
    assert_true(mapped_bytes(to) <= MIB + EXTENT_BYTES);
}

/* ---- Early ends -------------------------------------------------------------------- */

struct copying {
    struct copy copy;
    atomic_bool ended;
    int rc;
};

static void on_done(struct copy *copy, int rc)
{
    struct copying *c = container_of(copy, struct copying, copy);
    c->rc = rc;
    atomic_store(&c->ended, true);
}

static bool has_ended(void *arg)
{
    return atomic_load(&((struct copying *)arg)->ended);
}

static void start(struct rig_lane *lane, void *arg)
{
    struct copying *c = arg;
    c->copy.lane = lane->lane;
    copy_start(&c->copy);
}

static void stop(struct rig_lane *lane, void *arg)
{
    struct copying *c = arg;
    (void)lane;
    copy_stop(&c->copy);
}

/* Its first so many bytes are copied, whatever became of the rest. */
static void assert_copied(const struct copying *c)
{
    assert_int_equal(rig_io_run(&rig, 0, to, VIO_READ, 0, VOLUME_BYTES, seen), 0);
    assert_memory_equal(seen + c->copy.to_bytes, source + c->copy.from_bytes,
                        c->copy.copied_bytes);
    rig_assert_sound(&rig);
}

static void begin(struct copying *c, uint64_t to_bytes, uint64_t length_bytes)
{
    *c = (struct copying){.copy = {.from = from,
                                   .to = to,
                                   .to_bytes = to_bytes,
                                   .length_bytes = length_bytes,
                                   .done = on_done}};
    pool_rig_at_lane(&rig, 0, start, c);
}

/* A write to one of either side's extents is under way: who shares the run waits for it,
 * and it is in what both show. */
static void a_run_waits_for_writes_of_before(void **state)
{
    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct copying c;
        struct rig_io write;
        put(from, source, 0, VOLUME_BYTES);
        put(to, target, 0, VOLUME_BYTES);
        fake_engine_hold(rig.lanes[0].fake, FAKE_WRITE);
        rig_io_init(&write, &rig, 0, side == 0 ? from : to, VIO_WRITE, 5 * EXTENT_BYTES,
                    4096);
        memset(rig_io_data(&write), 0xa5, 4096);
        rig_io_start(&write);
        while (fake_engine_waiting(rig.lanes[0].fake, FAKE_WRITE) == 0)
            pool_rig_step(&rig);
        begin(&c, 0, VOLUME_BYTES);
        for (unsigned i = 0; i < 100; i++)
            pool_rig_step(&rig);
        assert_false(has_ended(&c));
        fake_engine_hold(rig.lanes[0].fake, 0);
        while (fake_engine_let_go(rig.lanes[0].fake, FAKE_WRITE, 0))
            pool_rig_turn(&rig);
        assert_int_equal(rig_io_end(&write), 0);
        pool_rig_until(&rig, has_ended, &c);
        assert_int_equal(c.rc, 0);
        assert_int_equal(c.copy.shared_bytes, VOLUME_BYTES);
        memset(source + 5 * EXTENT_BYTES, side == 0 ? 0xa5 : source[5 * EXTENT_BYTES],
               side == 0 ? 4096 : 1);
        assert_holds(from, source);
        assert_copied(&c);
        rig_assert_sound(&rig);
    }
}

static void a_stop_ends_what_is_moved(void **state)
{
    (void)state;
    struct copying c;
    put(from, source, 0, VOLUME_BYTES);
    fake_engine_hold(rig.lanes[0].fake, FAKE_READ);
    begin(&c, 4096, VOLUME_BYTES - EXTENT_BYTES);
    while (fake_engine_waiting(rig.lanes[0].fake, FAKE_READ) < COPY_PIECES)
        pool_rig_step(&rig);
    pool_rig_at_lane(&rig, 0, stop, &c);
    pool_rig_at_lane(&rig, 0, stop, &c);
    pool_rig_turn(&rig);
    assert_false(has_ended(&c)); /* the disk has its buffers */
    fake_engine_hold(rig.lanes[0].fake, 0);
    while (fake_engine_let_go(rig.lanes[0].fake, FAKE_READ, 0))
        pool_rig_turn(&rig);
    pool_rig_until(&rig, has_ended, &c);
    assert_int_equal(c.rc, -ECANCELED);
    assert_true(c.copy.copied_bytes < VOLUME_BYTES - EXTENT_BYTES);
    assert_copied(&c);
}

static void a_stop_ends_what_is_shared(void **state)
{
    (void)state;
    struct copying c;
    put(from, source, 0, VOLUME_BYTES);
    begin(&c, 0, VOLUME_BYTES);
    pool_rig_at_lane(&rig, 0, stop, &c);
    pool_rig_until(&rig, has_ended, &c);
    assert_true(c.rc == -ECANCELED || c.rc == 0);
    assert_copied(&c);
}

/* Each read or write of what is moved fails in turn. */
static void a_failed_io_ends_it_where_it_is(void **state)
{
    (void)state;
    struct copying c = {.rc = 1};
    put(from, source, 0, VOLUME_BYTES);
    for (unsigned nth = 1; c.rc != 0; nth++) {
        assert_in_range(nth, 1, 60);
        fake_engine_fail(rig.lanes[0].fake, FAKE_READ | FAKE_WRITE, nth, -EIO, false);
        begin(&c, 4096, VOLUME_BYTES - EXTENT_BYTES);
        pool_rig_until(&rig, has_ended, &c);
        bool struck = fake_engine_failed(rig.lanes[0].fake);
        fake_engine_fail(rig.lanes[0].fake, 0, 0, 0, false);
        assert_int_equal(c.rc, struck ? -EIO : 0);
        assert_copied(&c);
    }
    assert_int_equal(c.copy.copied_bytes, VOLUME_BYTES - EXTENT_BYTES);
}

static void a_full_pool_ends_it(void **state)
{
    (void)state;
    struct copying c;
    struct volume *rest = pool_rig_volume(&rig, "rest", 32 * MIB, 512);
    put(from, source, 0, VOLUME_BYTES);
    uint64_t left = pool_free_extents(rig.pool) - 4;
    for (uint64_t i = 0; i < left; i++)
        assert_int_equal(rig_write(&rig, rest, i * EXTENT_BYTES, EXTENT_BYTES, 7), 0);
    begin(&c, 4096, MIB);
    pool_rig_until(&rig, has_ended, &c);
    assert_int_equal(c.rc, -ENOSPC);
    assert_copied(&c);
    begin(&c, 0, VOLUME_BYTES); /* what is shared needs none */
    pool_rig_until(&rig, has_ended, &c);
    assert_int_equal(c.rc, 0);
    assert_int_equal(c.copy.shared_bytes, VOLUME_BYTES);
    assert_copied(&c);
}

#define RANGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, setup_files, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RANGE_TEST(whole_extents_are_shared_and_their_edges_moved),
        RANGE_TEST(what_lies_otherwise_is_moved),
        RANGE_TEST(nothing_is_copied_as_nothing),
        RANGE_TEST(zeros_take_no_space),
        RANGE_TEST(any_ranges_are_as_memcpy_has_them),
        RANGE_TEST(within_one_volume_too),
        FILES_TEST(into_another_pool_data_is_moved),
        RANGE_TEST(a_run_waits_for_writes_of_before),
        RANGE_TEST(a_stop_ends_what_is_moved),
        RANGE_TEST(a_stop_ends_what_is_shared),
        RANGE_TEST(a_failed_io_ends_it_where_it_is),
        RANGE_TEST(a_full_pool_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
