/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic writes: all or nothing, for who reads beside them, after a cut, after a failure,
 * in a full pool; what else names the extents stays what it was. */
#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/rig_manage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES (LEAF_WORDS * (uint64_t)EXTENT_BYTES)
#define BLOCK      ((uint64_t)BLOCK_BYTES)
#define EXTENT     ((uint64_t)EXTENT_BYTES)

static struct pool_rig rig;
static struct volume *vol;

static int setup_with(enum rig_engine engine, unsigned lanes, bool threads,
                      uint64_t pool_bytes)
{
    struct pool_rig_options options = {.engine = engine,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = pool_bytes,
                                       .seed = engine == RIG_CUT ? 5 : 0};
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 32 * MIB, 512);
    assert_true(rig_reads(&rig, vol, 0, BLOCK, 0)); /* its leaf is loaded */
    return 0;
}

static int setup_fake(void **state)
{
    (void)state;
    return setup_with(RIG_FAKE, 2, false, 16 * MIB);
}

static int setup_cut(void **state)
{
    (void)state;
    return setup_with(RIG_CUT, 1, false, 16 * MIB);
}

/* Fifteen extents. */
static int setup_small(void **state)
{
    (void)state;
    return setup_with(RIG_FAKE, 2, false, MIB);
}

static int setup_threads(void **state)
{
    (void)state;
    return setup_with(RIG_THREADS, 3, true, 64 * MIB);
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Steps ------------------------------------------------------------------------- */

static void io_init(struct rig_io *io, unsigned lane, uint64_t offset, uint64_t bytes,
                    uint8_t fill)
{
    rig_io_init(io, &rig, lane, vol, VIO_WRITE, offset, bytes);
    memset(rig_io_data(io), fill, bytes);
    io->vio.atomic = true;
}

static int atomic_write_fua(uint64_t offset, uint64_t bytes, uint8_t fill, bool fua)
{
    struct rig_io io;
    io_init(&io, 0, offset, bytes, fill);
    io.vio.fua = fua;
    rig_io_start(&io);
    return rig_io_end(&io);
}

static int atomic_write(uint64_t offset, uint64_t bytes, uint8_t fill)
{
    return atomic_write_fua(offset, bytes, fill, false);
}

static void io_start(struct rig_io *io, unsigned lane, uint64_t offset, uint64_t bytes,
                     uint8_t fill)
{
    io_init(io, lane, offset, bytes, fill);
    rig_io_start(io);
    pool_rig_turn(&rig);
}

static void reopen(void)
{
    pool_rig_reopen(&rig);
    vol = volume_find(rig.manager, "v");
    assert_non_null(vol);
}

static void cut_and_reopen(void)
{
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    vol = volume_find(rig.manager, "v");
    assert_non_null(vol);
}

/* Every extent that is used is named once, and so many are. */
static void assert_extents(uint64_t extents)
{
    assert_int_equal(rig_assert_sound(&rig).named_extents, extents);
}

/* ---- What it leaves ---------------------------------------------------------------- */

static void it_is_read_as_written_and_what_lies_around_it_stays(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT, 1), 0);
    assert_int_equal(atomic_write(2 * BLOCK, BLOCK, 2), 0); /* a part of one extent */
    assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * EXTENT, 3), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(rig_reads(&rig, vol, 0, 2 * BLOCK, 1));
        assert_true(rig_reads(&rig, vol, 2 * BLOCK, BLOCK, 2));
        assert_true(rig_reads(&rig, vol, 3 * BLOCK, EXTENT - 4 * BLOCK, 1));
        assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * EXTENT, 3));
        assert_true(rig_reads(&rig, vol, 3 * EXTENT - BLOCK, EXTENT + BLOCK, 1));
        reopen();
    }
    assert_extents(4);
}

static void a_first_write_takes_an_extent_each(void **state)
{
    (void)state;
    assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * BLOCK, 1), 0);
    assert_int_equal(atomic_write(8 * EXTENT, EXTENT, 2), 0);
    assert_extents(3);
    reopen();
    assert_true(rig_reads(&rig, vol, 0, EXTENT - BLOCK, 0));
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 1));
    assert_true(rig_reads(&rig, vol, EXTENT + BLOCK, EXTENT - BLOCK, 0));
    assert_true(rig_reads(&rig, vol, 8 * EXTENT, EXTENT, 2));
}

/* Neither of the two leaves is in memory. */
static void it_waits_for_leaves(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, LEAF_BYTES - EXTENT, 2 * EXTENT, 1), 0);
    reopen();
    assert_int_equal(atomic_write(LEAF_BYTES - BLOCK, 2 * BLOCK, 2), 0);
    reopen();
    assert_true(rig_reads(&rig, vol, LEAF_BYTES - EXTENT, EXTENT - BLOCK, 1));
    assert_true(rig_reads(&rig, vol, LEAF_BYTES - BLOCK, 2 * BLOCK, 2));
    assert_true(rig_reads(&rig, vol, LEAF_BYTES + BLOCK, EXTENT - BLOCK, 1));
    assert_extents(2);
}

/* A ZERO would go extent by extent. */
static void zeros_are_written_where_a_plain_write_would_clear(void **state)
{
    bool on = true;
    struct volume_change change = {.zero_detect = &on};
    (void)state;
    assert_int_equal(rig_change(&rig, "v", &change, NULL), 0);
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    assert_int_equal(atomic_write(0, EXTENT + BLOCK, 0), 0);
    assert_true(rig_reads(&rig, vol, 0, EXTENT + BLOCK, 0));
    assert_true(rig_reads(&rig, vol, EXTENT + BLOCK, EXTENT - BLOCK, 1));
    assert_extents(2);
}

/* ---- Beside layers and sharers ----------------------------------------------------- */

static void snapshots_stay_what_they_were(void **state)
{
    (void)state;
    struct volume *s = NULL;
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    assert_int_equal(rig_snapshot(&rig, "v", "s", &s, NULL), 0);
    assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * BLOCK, 2), 0);
    assert_true(rig_reads(&rig, s, 0, 2 * EXTENT, 1));
    assert_true(rig_reads(&rig, vol, 0, EXTENT - BLOCK, 1));
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 2));
    assert_true(rig_reads(&rig, vol, EXTENT + BLOCK, EXTENT - BLOCK, 1));
    assert_extents(4);
    reopen();
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "v/s"), 0, 2 * EXTENT, 1));
    assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
    assert_extents(2);
    assert_true(rig_reads(&rig, vol, 0, EXTENT - BLOCK, 1));
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 2));
}

static void sharers_stay_what_they_were(void **state)
{
    (void)state;
    struct volume *w = pool_rig_volume(&rig, "w", 4 * MIB, 512);
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    struct copy copy = {.from = vol, .to = w, .length_bytes = 2 * EXTENT};
    assert_int_equal(rig_copy(&rig, &copy), 0);
    assert_int_equal(copy.shared_bytes, 2 * EXTENT);
    assert_extents(2);
    assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * BLOCK, 2), 0);
    assert_true(rig_reads(&rig, w, 0, 2 * EXTENT, 1));
    assert_true(rig_reads(&rig, vol, 0, EXTENT - BLOCK, 1));
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 2));
    assert_extents(4);
    assert_int_equal(pool_rig_delete_volume(&rig, "w", NULL), 0);
    assert_extents(2);
}

/* ---- Cuts -------------------------------------------------------------------------- */

static void a_cut_before_its_round_shows_all_of_the_old(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT, 1), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(atomic_write(BLOCK, 3 * EXTENT, 2), 0);
    assert_int_equal(rig_write(&rig, vol, 2 * BLOCK, BLOCK, 3), 0); /* into what is new */
    cut_and_reopen();
    assert_true(rig_reads(&rig, vol, 0, 4 * EXTENT, 1));
    assert_extents(4);
}

static void a_cut_after_it_was_answered_with_fua_shows_all_of_the_new(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT, 1), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(atomic_write_fua(BLOCK, 3 * EXTENT, 2, true), 0);
    cut_and_reopen();
    assert_true(rig_reads(&rig, vol, 0, BLOCK, 1));
    assert_true(rig_reads(&rig, vol, BLOCK, 3 * EXTENT, 2));
    assert_true(rig_reads(&rig, vol, 3 * EXTENT + BLOCK, EXTENT - BLOCK, 1));
    assert_extents(4);
}

/* ---- Failures ---------------------------------------------------------------------- */

/* The first I/O fails, then the second, to the last: three writes, and to copy what lies
 * around it in the first and the last extent two reads and two writes. */
static void an_io_that_fails_leaves_all_of_the_old(void **state)
{
    struct fake_engine *fake = rig.lanes[0].fake;
    unsigned nth = 0;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    do {
        assert_true(rig_reads(&rig, vol, 0, 3 * EXTENT, 1));
        assert_extents(3);
        fake_engine_fail(fake, FAKE_ALL, ++nth, -EIO, false);
    } while (atomic_write(EXTENT - BLOCK, EXTENT + 2 * BLOCK, 2) != 0);
    fake_engine_fail(fake, FAKE_ALL, 0, 0, false);
    assert_int_equal(nth, 3 + 4 + 1);
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, EXTENT + 2 * BLOCK, 2));
    assert_extents(3);
}

static void fill_pool_but(uint64_t left)
{
    assert_int_equal(
        rig_write(&rig, vol, 0, (pool_rig_free_extents(&rig) - left) * EXTENT, 1), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(pool_rig_free_extents(&rig), left);
}

static void a_full_pool_refuses_it_and_keeps_the_old(void **state)
{
    (void)state;
    fill_pool_but(1);
    assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * BLOCK, 2), -ENOSPC);
    assert_true(rig_reads(&rig, vol, 0, 14 * EXTENT, 1));
    assert_int_equal(pool_rig_free_extents(&rig), 1);
    assert_extents(14);
    assert_int_equal(atomic_write(BLOCK, BLOCK, 2), 0); /* of one there is enough */
    assert_true(rig_reads(&rig, vol, BLOCK, BLOCK, 2));
    assert_extents(14);
}

/* Each leaves as many extents to age as it took. */
static void a_full_pool_makes_it_wait_for_what_was_freed(void **state)
{
    (void)state;
    fill_pool_but(2);
    for (uint8_t fill = 2; fill < 9; fill++)
        assert_int_equal(atomic_write(EXTENT - BLOCK, 2 * BLOCK, fill), 0);
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 8));
    assert_extents(13);
}

/* ---- Beside other commands --------------------------------------------------------- */

static bool reads_beside(uint64_t offset, uint64_t bytes, uint8_t fill)
{
    struct rig_io io;
    rig_io_init(&io, &rig, 1, vol, VIO_READ, offset, bytes);
    rig_io_start(&io);
    pool_rig_turn(&rig);
    bool good = io.ended && io.rc == 0;
    for (uint64_t i = 0; good && i < bytes; i++)
        good = rig_io_data(&io)[i] == fill;
    return rig_io_end(&io) == 0 && good;
}

static void reads_beside_it_see_all_of_the_old_till_its_end(void **state)
{
    struct rig_io io;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    rig_lane_hold(&rig, 0, FAKE_ALL);
    io_start(&io, 0, 0, 3 * EXTENT, 2);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_WRITE), 3);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_READ),
                     0); /* whole extents: nothing is copied */
    while (!io.ended) {
        assert_true(reads_beside(0, 3 * EXTENT, 1));
        rig_lane_let_go(&rig, 0, FAKE_ALL);
    }
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&io), 0);
    assert_true(reads_beside(0, 3 * EXTENT, 2));
}

static void it_waits_for_the_writers_before_it(void **state)
{
    struct rig_io plain, atomic;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    rig_lane_hold(&rig, 1, FAKE_WRITE);
    rig_io_init(&plain, &rig, 1, vol, VIO_WRITE, EXTENT + 2 * BLOCK, BLOCK);
    memset(rig_io_data(&plain), 3, BLOCK);
    rig_io_start(&plain);
    pool_rig_turn(&rig);
    rig_lane_hold(&rig, 0, FAKE_ALL);
    io_start(&atomic, 0, EXTENT - BLOCK, 2 * BLOCK, 2);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_ALL),
                     0); /* else it would copy the old block */
    rig_lane_let_go(&rig, 1, FAKE_ALL);
    assert_int_equal(rig_io_end(&plain), 0);
    rig_lane_hold(&rig, 0, 0);
    rig_lane_hold(&rig, 1, 0);
    assert_int_equal(rig_io_end(&atomic), 0);
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, 2 * BLOCK, 2));
    assert_true(rig_reads(&rig, vol, EXTENT + 2 * BLOCK, BLOCK, 3));
}

static void writers_wait_for_its_end(void **state)
{
    struct rig_io atomic, plain, other, unmap;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    io_start(&atomic, 0, EXTENT - BLOCK, 2 * BLOCK, 2);
    rig_lane_hold(&rig, 1, FAKE_ALL);
    rig_io_init(&plain, &rig, 1, vol, VIO_WRITE, 0, BLOCK);
    memset(rig_io_data(&plain), 3, BLOCK);
    rig_io_start(&plain);
    io_start(&other, 1, EXTENT, EXTENT + BLOCK, 4);
    rig_io_init(&unmap, &rig, 1, vol, VIO_UNMAP, 2 * EXTENT, EXTENT);
    rig_io_start(&unmap); /* the other holds nothing while it waits */
    pool_rig_turn(&rig);
    assert_true(unmap.ended);
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_ALL), 0);
    rig_lane_hold(&rig, 0, 0);
    rig_lane_hold(&rig, 1, 0);
    assert_int_equal(rig_io_end(&atomic), 0);
    assert_int_equal(rig_io_end(&plain), 0);
    assert_int_equal(rig_io_end(&other), 0);
    assert_int_equal(rig_io_end(&unmap), 0);
    assert_true(rig_reads(&rig, vol, 0, BLOCK, 3));
    assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, BLOCK, 2));
    assert_true(rig_reads(&rig, vol, EXTENT, EXTENT + BLOCK, 4));
}

/* ---- On threads -------------------------------------------------------------------- */

/* Two writers of one place, a reader: every read is one of the patterns entire. */
static void each_read_is_of_one_write(void **state)
{
    static const uint64_t first = EXTENT_BYTES - BLOCK_BYTES;
    static const uint64_t bytes = VIO_ATOMIC_BYTES_MAX;
    struct rig_io io[3];
    (void)state;
    rig_io_init(&io[2], &rig, 2, vol, VIO_READ, first, bytes);
    unsigned rounds = rig_times(300), seen = 0;
    uint8_t last = 0;
    for (unsigned n = 0; n < rounds; n++) {
        for (unsigned i = 0; i < 2; i++) {
            io_init(&io[i], i, first, bytes, (uint8_t)(1 + (2 * n + i) % 255));
            rig_io_start(&io[i]);
        }
        while (!io[0].ended || !io[1].ended) {
            rig_io_start(&io[2]);
            assert_int_equal(rig_io_wait(&io[2]), 0);
            const uint8_t *data = rig_io_data(&io[2]);
            assert_memory_equal(data, data + 1, bytes - 1);
            seen += data[0] != last;
            last = data[0];
        }
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(rig_io_end(&io[i]), 0);
    }
    rig_io_fini(&io[2]);
    assert_true(seen > 0);
    assert_extents(17);
}

#define CUT_TEST(name)   cmocka_unit_test_setup_teardown(name, setup_cut, teardown)
#define FAKE_TEST(name)  cmocka_unit_test_setup_teardown(name, setup_fake, teardown)
#define SMALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUT_TEST(it_is_read_as_written_and_what_lies_around_it_stays),
        CUT_TEST(a_first_write_takes_an_extent_each),
        CUT_TEST(it_waits_for_leaves),
        CUT_TEST(zeros_are_written_where_a_plain_write_would_clear),
        CUT_TEST(snapshots_stay_what_they_were),
        CUT_TEST(sharers_stay_what_they_were),
        CUT_TEST(a_cut_before_its_round_shows_all_of_the_old),
        CUT_TEST(a_cut_after_it_was_answered_with_fua_shows_all_of_the_new),
        FAKE_TEST(an_io_that_fails_leaves_all_of_the_old),
        SMALL_TEST(a_full_pool_refuses_it_and_keeps_the_old),
        SMALL_TEST(a_full_pool_makes_it_wait_for_what_was_freed),
        FAKE_TEST(reads_beside_it_see_all_of_the_old_till_its_end),
        FAKE_TEST(it_waits_for_the_writers_before_it),
        FAKE_TEST(writers_wait_for_its_end),
        cmocka_unit_test_setup_teardown(each_read_is_of_one_write, setup_threads,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
