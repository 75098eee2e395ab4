/* SPDX-License-Identifier: Apache-2.0 */
/* A write that needs an extent in a full pool waits for one, so long as the grace says;
 * meanwhile nothing else does, and whoever wants its end has it at once: a grace of the
 * rig that is to go on or to be given up is longer than a test may take. */
#include "tests/lib/rig_manage.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LONG_MS  3600000
#define SHORT_MS 100
#define MANY     500

static struct pool_rig rig;
static struct volume *vol;

static void open_rig(unsigned grace_ms, bool threads)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = 2,
                                       .threads = threads,
                                       .pool_bytes = MIB,
                                       .tick_ms = 50,
                                       .space_grace_ms = grace_ms};
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    for (uint64_t at = 0; pool_free_extents(rig.pool) > 0; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, vol, at, EXTENT_BYTES, 0x11), 0);
}

/* Fifteen extents, all of them used. */
static int setup(void **state)
{
    (void)state;
    open_rig(LONG_MS, false);
    return 0;
}

static int setup_short(void **state)
{
    (void)state;
    open_rig(SHORT_MS, false);
    return 0;
}

static int setup_threads(void **state)
{
    (void)state;
    open_rig(LONG_MS, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Waiting ------------------------------------------------------------------------
 */

static void write_start(struct rig_io *io, unsigned lane, unsigned extent)
{
    rig_io_init(io, &rig, lane, vol, VIO_WRITE, extent * (uint64_t)EXTENT_BYTES, 4096);
    memset(rig_io_data(io), 0x77, 4096);
    io->vio.patient = true;
    rig_io_start(io);
}

static bool so_many_wait(void *arg)
{
    return atomic_load(&rig.pool->waiting_writes) == *(unsigned *)arg;
}

static void await_waiters(unsigned count)
{
    pool_rig_until(&rig, so_many_wait, &count);
}

static void write_waits(struct rig_io *io, unsigned extent)
{
    write_start(io, 0, extent);
    await_waiters(1);
}

static void unmap(unsigned first, unsigned count)
{
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, first * (uint64_t)EXTENT_BYTES,
                                count * (uint64_t)EXTENT_BYTES, NULL),
                     0);
}

static void give_up(struct rig_lane *lane, void *arg)
{
    (void)lane;
    vio_give_up(&((struct rig_io *)arg)->vio);
}

static void end_by_giving_up(struct rig_io *io)
{
    pool_rig_at_lane(&rig, io->lane, give_up, io);
    assert_int_equal(rig_io_end(io), -ENOSPC);
    await_waiters(0);
}

/* ---- Going on -----------------------------------------------------------------------
 */

static void a_waiting_write_goes_on_when_space_is_given_back(void **state)
{
    struct rig_io io;
    (void)state;
    write_waits(&io, 20);
    unmap(3, 1);
    assert_int_equal(rig_io_end(&io), 0);
    assert_true(rig_reads(&rig, vol, 20ULL * EXTENT_BYTES, 4096, 0x77));
    assert_int_equal(atomic_load(&rig.pool->waiting_writes), 0);
}

static void on_device(void *arg, struct device *device, const struct err *e)
{
    assert_null(e);
    assert_non_null(device);
    *(bool *)arg = true;
}

static bool is_true(void *arg)
{
    return *(bool *)arg;
}

static void a_waiting_write_goes_on_when_a_device_is_added(void **state)
{
    struct rig_io io;
    char path[320];
    bool added = false;
    (void)state;
    write_waits(&io, 20);
    snprintf(path, sizeof(path), "%s/second", rig.dir);
    struct pool_device_spec spec = {.path = path, .size_bytes = MIB};
    pool_device_add(rig.manager, "p", &spec, on_device, &added);
    pool_rig_until(&rig, is_true, &added);
    assert_int_equal(rig_io_end(&io), 0);
    assert_true(rig_reads(&rig, vol, 20ULL * EXTENT_BYTES, 4096, 0x77));
}

/* Each kind that may need an extent, a part of a block and what lies in several extents
 * among them. */
static void every_kind_of_write_waits(void **state)
{
    static const struct {
        enum vio_op op;
        bool atomic;
        uint32_t offset, bytes;
    } kinds[] = {
        {VIO_WRITE, false, 512, 512},
        {VIO_WRITE, false, 4096, 3 * EXTENT_BYTES},
        {VIO_WRITE, true, 32768, EXTENT_BYTES},
        {VIO_OR, false, 0, 4096},
        {VIO_COMPARE_WRITE, false, 512, 512},
        {VIO_COMPARE_WRITE, false, 32768, EXTENT_BYTES},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct rig_io io;
        uint64_t at = 20ULL * EXTENT_BYTES + kinds[i].offset;
        if (kinds[i].op == VIO_COMPARE_WRITE) {
            rig_io_init_caw(&io, &rig, 0, vol, at, kinds[i].bytes, 0, 0x77);
        } else {
            rig_io_init(&io, &rig, 0, vol, kinds[i].op, at, kinds[i].bytes);
            memset(rig_io_data(&io), 0x77, kinds[i].bytes);
        }
        io.vio.patient = true;
        io.vio.atomic = kinds[i].atomic;
        rig_io_start(&io);
        await_waiters(1);
        unmap(0, 4);
        assert_int_equal(rig_io_end(&io), 0);
        assert_true(rig_reads(&rig, vol, at, kinds[i].bytes, 0x77));
        unmap(20, 4);
        for (uint64_t e = 0; e < 4; e++)
            assert_int_equal(rig_write(&rig, vol, e * EXTENT_BYTES, EXTENT_BYTES, 1), 0);
    }
}

/* What they have of the space that they need is nobody's while they wait. */
static void atomic_writes_that_wait_keep_nothing(void **state)
{
    struct rig_io io[2];
    (void)state;
    unmap(0, 3);
    pool_rig_settle(&rig);
    for (unsigned i = 0; i < 2; i++) {
        rig_io_init(&io[i], &rig, i, vol, VIO_WRITE,
                    (20 + 10 * i) * (uint64_t)EXTENT_BYTES, 4ULL * EXTENT_BYTES);
        io[i].vio.patient = io[i].vio.atomic = true;
        rig_io_start(&io[i]);
    }
    await_waiters(2);
    assert_int_equal(pool_free_extents(rig.pool), 3);
    assert_int_equal(rig_write(&rig, vol, 40ULL * EXTENT_BYTES, EXTENT_BYTES, 5), 0);
    for (unsigned i = 0; i < 2; i++)
        pool_rig_at_lane(&rig, i, give_up, &io[i]);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rig_io_end(&io[i]), -ENOSPC);
    assert_int_equal(pool_free_extents(rig.pool), 2);
}

/* Of two that wait to write to the same blocks the second finds them changed. */
static void who_has_waited_compares_again(void **state)
{
    struct rig_io io[2];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rig_io_init_caw(&io[i], &rig, i, vol, 20ULL * EXTENT_BYTES, EXTENT_BYTES, 0,
                        (uint8_t)(i + 1));
        io[i].vio.patient = true;
        rig_io_start(&io[i]);
    }
    await_waiters(2);
    unmap(0, 4);
    int rc[2] = {rig_io_end(&io[0]), rig_io_end(&io[1])};
    assert_int_equal(rc[0] + rc[1], -EILSEQ);
    assert_true(
        rig_reads(&rig, vol, 20ULL * EXTENT_BYTES, EXTENT_BYTES, rc[0] == 0 ? 1 : 2));
}

static void of_many_that_wait_as_many_go_on_as_find_space(void **state)
{
    static struct rig_io io[MANY];
    unsigned good = 0;
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        write_start(&io[i], i % 2, 20 + i);
    await_waiters(MANY);
    unmap(0, 10);
    await_waiters(MANY - 10);
    for (unsigned i = 0; i < MANY; i++)
        pool_rig_at_lane(&rig, i % 2, give_up, &io[i]);
    for (unsigned i = 0; i < MANY; i++) {
        int rc = rig_io_end(&io[i]);
        assert_true(rc == 0 || rc == -ENOSPC);
        good += rc == 0;
    }
    assert_int_equal(good, 10);
}

/* ---- Not waiting --------------------------------------------------------------------
 */

static void a_write_waits_no_longer_than_its_grace(void **state)
{
    struct rig_io io;
    (void)state;
    write_waits(&io, 20);
    assert_int_equal(rig_io_end(&io), -ENOSPC);
    assert_int_equal(atomic_load(&rig.pool->waiting_writes), 0);
    assert_true(rig_reads(&rig, vol, 20ULL * EXTENT_BYTES, 4096, 0));
}

/* What is given to others meanwhile does not begin the grace of one again. */
static void a_write_that_loses_every_race_ends_all_the_same(void **state)
{
    struct rig_io io;
    unsigned extent = 0;
    (void)state;
    rig_io_init(&io, &rig, 0, vol, VIO_WRITE, 20ULL * EXTENT_BYTES, 16ULL * EXTENT_BYTES);
    io.vio.patient = io.vio.atomic = true; /* more than the pool has */
    rig_io_start(&io);
    while (!atomic_load(&io.ended)) {
        unmap(extent, 1);
        int rc = rig_write(&rig, vol, extent * (uint64_t)EXTENT_BYTES, EXTENT_BYTES, 3);
        assert_true(rc == 0 || rc == -ENOSPC);
        extent = (extent + 1) % 15;
    }
    assert_int_equal(rig_io_end(&io), -ENOSPC);
}

static void who_is_not_patient_fails_at_once(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 20ULL * EXTENT_BYTES, 4096, 2), -ENOSPC);
}

static void what_needs_no_extent_is_served_meanwhile(void **state)
{
    struct rig_io io;
    char path[320];
    struct pool *other;
    struct volume *of_other;
    const struct volume_spec spec = {
        .name = "w", .pool = "q", .size_bytes = MIB, .block_bytes = 512};
    struct err e = {.code = 0};
    (void)state;
    snprintf(path, sizeof(path), "%s/other", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, &other, &e), 0);
    write_waits(&io, 20);
    assert_true(rig_reads(&rig, vol, 0, 15ULL * EXTENT_BYTES, 0x11));
    assert_true(rig_reads(&rig, vol, 20ULL * EXTENT_BYTES, EXTENT_BYTES, 0));
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 2), 0);
    assert_int_equal(rig_write(&rig, vol, 512, 512, 3), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(rig_make(&rig, &spec, &of_other, &e), 0);
    assert_int_equal(rig_write(&rig, of_other, 0, EXTENT_BYTES, 4), 0);
    assert_false(atomic_load(&io.ended));
    end_by_giving_up(&io);
}

/* ---- Ending a wait ------------------------------------------------------------------
 */

static void a_write_that_is_given_up_ends_at_once(void **state)
{
    struct rig_io io[2];
    (void)state;
    write_start(&io[0], 0, 20);
    write_start(&io[1], 0, 21);
    await_waiters(2);
    pool_rig_at_lane(&rig, 0, give_up, &io[0]);
    assert_int_equal(rig_io_end(&io[0]), -ENOSPC);
    assert_int_equal(atomic_load(&rig.pool->waiting_writes), 1);
    assert_false(atomic_load(&io[1].ended));
    end_by_giving_up(&io[1]);
}

/* A snapshot, a shrink, a rollback of the volume. */
static void a_fence_does_not_wait_for_space(void **state)
{
    struct rig_io io;
    (void)state;
    write_waits(&io, 20);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    assert_int_equal(rig_io_end(&io), -ENOSPC);
    write_waits(&io, 20); /* the fence has fallen */
    end_by_giving_up(&io);
}

#define GRACE_TEST(name, how) cmocka_unit_test_setup_teardown(name, how, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRACE_TEST(a_waiting_write_goes_on_when_space_is_given_back, setup),
        GRACE_TEST(a_waiting_write_goes_on_when_a_device_is_added, setup),
        GRACE_TEST(every_kind_of_write_waits, setup),
        GRACE_TEST(atomic_writes_that_wait_keep_nothing, setup),
        GRACE_TEST(who_has_waited_compares_again, setup),
        GRACE_TEST(of_many_that_wait_as_many_go_on_as_find_space, setup_threads),
        GRACE_TEST(a_write_waits_no_longer_than_its_grace, setup_short),
        GRACE_TEST(a_write_that_loses_every_race_ends_all_the_same, setup_short),
        GRACE_TEST(who_is_not_patient_fails_at_once, setup),
        GRACE_TEST(what_needs_no_extent_is_served_meanwhile, setup),
        GRACE_TEST(a_write_that_is_given_up_ends_at_once, setup),
        GRACE_TEST(a_fence_does_not_wait_for_space, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
