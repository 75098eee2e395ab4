/* SPDX-License-Identifier: Apache-2.0 */
/* The hold between two lanes, step by step: what waits for what, who wins beside an
 * UNMAP, and when an extent that was freed may be used again. The lanes are turned by
 * hand, their disks answer when they are let. */
#include "tests/lib/rig_fake.h"

#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512U

static struct pool_rig rig;
static struct volume *vol;

static int setup_with(uint64_t pool_bytes)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 2, .pool_bytes = pool_bytes};
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", 16 * MIB, 512);
    assert_true(rig_reads(&rig, vol, 0, 4096, 0)); /* its leaf is loaded */
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(16 * MIB);
}

/* Fifteen extents. */
static int setup_small(void **state)
{
    (void)state;
    return setup_with(MIB);
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Steps ------------------------------------------------------------------------- */

static void start_io(struct rig_io *io, unsigned lane, enum vio_op op, uint64_t offset,
                     uint64_t bytes, uint8_t fill)
{
    rig_io_init(io, &rig, lane, vol, op, offset, bytes);
    if (op == VIO_WRITE || op == VIO_OR)
        memset(rig_io_data(io), fill, bytes);
    rig_io_start(io);
    pool_rig_turn(&rig);
}

static bool is_all(const struct rig_io *io, uint64_t bytes, uint8_t fill)
{
    const uint8_t *data = io->buffer + io->vio.offset_bytes % BLOCK_BYTES;
    for (uint64_t i = 0; i < bytes; i++)
        if (data[i] != fill)
            return false;
    return true;
}

/* ---- Writes smaller than a block --------------------------------------------------- */

static void a_small_write_waits_for_the_writers_before_it(void **state)
{
    struct rig_io whole, small;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    rig_lane_hold(&rig, 1, FAKE_WRITE);
    start_io(&whole, 1, VIO_WRITE, 0, 4096, 0x22);
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_WRITE), 1);
    rig_lane_hold(&rig, 0, FAKE_READ);
    start_io(&small, 0, VIO_WRITE, SECTOR, SECTOR, 0x33);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_ALL),
                     0); /* else it would fill from the old block */
    rig_lane_let_go(&rig, 1, FAKE_WRITE);
    assert_int_equal(rig_io_end(&whole), 0);
    pool_rig_turn(&rig);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_READ),
                     2); /* for the head and for the tail */
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&small), 0);
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 0x22));
    assert_true(rig_reads(&rig, vol, SECTOR, SECTOR, 0x33));
    assert_true(rig_reads(&rig, vol, 2 * SECTOR, 4096 - 2 * SECTOR, 0x22));
}

static void writers_wait_while_a_small_write_fills(void **state)
{
    struct rig_io small, whole, other, elsewhere;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_READ);
    start_io(&small, 0, VIO_WRITE, SECTOR, SECTOR, 0x33);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_READ), 2);
    rig_lane_hold(&rig, 1, FAKE_WRITE);
    start_io(&whole, 1, VIO_WRITE, 0, 4096, 0x22);
    start_io(&other, 1, VIO_WRITE, 8192, 4096, 0x44); /* another block, the same extent */
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_WRITE), 0);
    start_io(&elsewhere, 1, VIO_WRITE, EXTENT_BYTES, 4096, 0x55);
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_WRITE),
                     1); /* another extent's writers do not wait */
    rig_lane_let_go(&rig, 0, FAKE_READ);
    rig_lane_let_go(&rig, 0, FAKE_READ);
    assert_int_equal(rig_io_end(&small), 0);
    pool_rig_turn(&rig);
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_WRITE), 3);
    rig_lane_hold(&rig, 0, 0);
    rig_lane_hold(&rig, 1, 0);
    assert_int_equal(rig_io_end(&whole), 0);
    assert_int_equal(rig_io_end(&other), 0);
    assert_int_equal(rig_io_end(&elsewhere), 0);
    assert_true(rig_reads(&rig, vol, 0, 4096, 0x22));
    assert_true(rig_reads(&rig, vol, 8192, 4096, 0x44));
}

static void two_small_writes_to_a_block_take_turns(void **state)
{
    struct rig_io a, b;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&a, 0, VIO_WRITE, 0, SECTOR, 0xaa);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_WRITE), 1);
    start_io(&b, 1, VIO_WRITE, 7 * SECTOR, SECTOR, 0xbb);
    assert_int_equal(rig_lane_waiting(&rig, 1, FAKE_ALL), 0);
    assert_false(b.ended);
    rig_lane_let_go(&rig, 0, FAKE_WRITE);
    assert_int_equal(rig_io_end(&a), 0);
    assert_int_equal(rig_io_end(&b), 0);
    rig_lane_hold(&rig, 0, 0);
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 0xaa));
    assert_true(rig_reads(&rig, vol, SECTOR, 6 * SECTOR, 0x11));
    assert_true(rig_reads(&rig, vol, 7 * SECTOR, SECTOR, 0xbb));
}

static void reads_do_not_wait_for_a_hold(void **state)
{
    struct rig_io small, read;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&small, 0, VIO_WRITE, SECTOR, SECTOR, 0x33);
    start_io(&read, 1, VIO_READ, 0, 4096, 0);
    assert_true(read.ended);
    assert_true(is_all(&read, 4096, 0x11));
    assert_int_equal(rig_io_end(&read), 0);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&small), 0);
}

/* On threads: each lane owns a sector of one block and reads it back after each write. */
struct owner {
    struct rig_io io;
    uint8_t count;
};

static void two_lanes_never_lose_each_others_sectors(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_THREADS, .lane_count = 2, .threads = true, .pool_bytes = 4 * MIB};
    pool_rig_destroy(&rig);
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", MIB, 512);
    unsigned rounds = rig_times(300);
    for (unsigned n = 1; n <= rounds; n++) {
        struct rig_io io[2];
        for (unsigned i = 0; i < 2; i++) {
            rig_io_init(&io[i], &rig, i, vol, VIO_WRITE, i * 5 * SECTOR, SECTOR);
            memset(rig_io_data(&io[i]), (int)(n * 2 + i), SECTOR);
            rig_io_start(&io[i]);
        }
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(rig_io_end(&io[i]), 0);
        for (unsigned i = 0; i < 2; i++)
            assert_true(
                rig_reads(&rig, vol, i * 5 * SECTOR, SECTOR, (uint8_t)(n * 2 + i)));
    }
    assert_true(rig_reads(&rig, vol, SECTOR, 4 * SECTOR, 0));
}

/* ---- ORs --------------------------------------------------------------------------- */

static void an_or_waits_for_the_writers_before_it(void **state)
{
    struct rig_io write, ored;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    rig_lane_hold(&rig, 1, FAKE_WRITE);
    start_io(&write, 1, VIO_WRITE, 0, 4096, 0x22);
    start_io(&ored, 0, VIO_OR, 0, 4096, 0x44);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_ALL),
                     0); /* else it would OR into the old block */
    rig_lane_let_go(&rig, 1, FAKE_WRITE);
    rig_lane_hold(&rig, 1, 0);
    assert_int_equal(rig_io_end(&write), 0);
    assert_int_equal(rig_io_end(&ored), 0);
    assert_true(rig_reads(&rig, vol, 0, 4096, 0x66));
}

/* The first has read and is about to write; who came meanwhile finds what it wrote. */
static void nothing_comes_between_what_an_or_reads_and_its_write(void **state)
{
    struct rig_io first, second, write;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&first, 0, VIO_OR, 0, 3 * 4096, 0x22);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_WRITE), 1);
    start_io(&second, 1, VIO_OR, SECTOR, 4096, 0x44);
    start_io(&write, 1, VIO_WRITE, 2 * 4096, 4096, 0x88);
    assert_int_equal(fake_engine_count(rig.lanes[1].fake, FAKE_ALL), 0);
    assert_false(second.ended || write.ended);
    rig_lane_let_go(&rig, 0, FAKE_WRITE);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&first), 0);
    assert_int_equal(rig_io_end(&second), 0);
    assert_int_equal(rig_io_end(&write), 0);
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 0x33));
    assert_true(rig_reads(&rig, vol, SECTOR, 4096, 0x77));
    assert_true(rig_reads(&rig, vol, SECTOR + 4096, 4096 - SECTOR, 0x33));
    assert_true(rig_reads(&rig, vol, 2 * 4096, 4096, 0x88));
    assert_true(rig_reads(&rig, vol, 3 * 4096, EXTENT_BYTES - 3 * 4096, 0x11));
}

/* Each way of emptying an extent. */
static void an_unmap_beside_an_or_waits_for_it(void **state)
{
    static const struct {
        enum vio_op op;
        uint64_t bytes;
    } ways[] = {{VIO_UNMAP, EXTENT_BYTES}, {VIO_UNMAP, 4096}, {VIO_ZERO, 4096 + SECTOR}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct rig_io ored, clear;
        assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
        rig_lane_hold(&rig, 0, FAKE_WRITE);
        start_io(&ored, 0, VIO_OR, 0, EXTENT_BYTES, 0x22);
        start_io(&clear, 1, ways[i].op, 0, ways[i].bytes, 0);
        assert_false(clear.ended);
        rig_lane_hold(&rig, 0, 0);
        assert_int_equal(rig_io_end(&ored), 0);
        assert_int_equal(rig_io_end(&clear), 0);
        assert_true(rig_reads(&rig, vol, 0, ways[i].bytes, 0));
        if (ways[i].bytes < EXTENT_BYTES)
            assert_true(
                rig_reads(&rig, vol, ways[i].bytes, EXTENT_BYTES - ways[i].bytes, 0x33));
    }
}

/* On threads: two lanes set bits of the same bytes at once; none is lost. */
static void two_lanes_never_lose_each_others_bits(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_THREADS, .lane_count = 2, .threads = true, .pool_bytes = 4 * MIB};
    pool_rig_destroy(&rig);
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", MIB, 512);
    for (unsigned n = rig_times(100); n > 0; n--) {
        struct rig_io io[4];
        assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT_BYTES, 0x10), 0);
        for (unsigned i = 0; i < 4; i++) {
            rig_io_init(&io[i], &rig, i % 2, vol, VIO_OR, SECTOR, EXTENT_BYTES);
            memset(rig_io_data(&io[i]), 1 << i, EXTENT_BYTES);
            rig_io_start(&io[i]);
        }
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(rig_io_end(&io[i]), 0);
        assert_true(rig_reads(&rig, vol, SECTOR, EXTENT_BYTES, 0x1f));
    }
}

/* ---- Beside an UNMAP --------------------------------------------------------------- */

static void an_unmap_beside_a_first_write_wins(void **state)
{
    struct rig_io write, unmap;
    (void)state;
    uint64_t before = pool_rig_free_extents(&rig);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&write, 0, VIO_WRITE, 0, 4096, 0x11);
    assert_int_equal(pool_rig_free_extents(&rig), before - 1);
    start_io(&unmap, 1, VIO_UNMAP, 0, EXTENT_BYTES, 0);
    assert_int_equal(rig_io_end(&unmap), 0); /* it does not wait for the write */
    rig_lane_let_go(&rig, 0, FAKE_WRITE);
    assert_int_equal(rig_io_end(&write), 0);
    rig_lane_hold(&rig, 0, 0);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0));
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_free_extents(&rig), before);
}

static void a_write_after_the_unmap_stays(void **state)
{
    struct rig_io old, unmap, fresh;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&old, 0, VIO_WRITE, 0, 4096, 0x22);
    start_io(&unmap, 1, VIO_UNMAP, 0, EXTENT_BYTES, 0);
    assert_int_equal(rig_io_end(&unmap), 0);
    start_io(&fresh, 1, VIO_WRITE, 0, 4096, 0x33);
    assert_int_equal(rig_io_end(&fresh), 0);
    rig_lane_let_go(&rig, 0,
                    FAKE_WRITE); /* to the extent that the word no longer names */
    assert_int_equal(rig_io_end(&old), 0);
    rig_lane_hold(&rig, 0, 0);
    assert_true(rig_reads(&rig, vol, 0, 4096, 0x33));
    assert_true(rig_reads(&rig, vol, 4096, EXTENT_BYTES - 4096, 0));
}

static void an_unmap_waits_while_a_small_write_fills(void **state)
{
    struct rig_io small, unmap;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_READ);
    start_io(&small, 0, VIO_WRITE, SECTOR, SECTOR, 0x33);
    assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_READ), 2);
    start_io(&unmap, 1, VIO_UNMAP, 0, EXTENT_BYTES, 0);
    assert_false(unmap.ended);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&small), 0);
    assert_int_equal(rig_io_end(&unmap), 0);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0));
}

/* Clearing bits waits for the writers, else their end would set the bits again. */
static void an_unmap_of_a_part_waits_for_the_writers(void **state)
{
    struct rig_io write, unmap;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&write, 0, VIO_WRITE, 0, 4096, 0x22);
    start_io(&unmap, 1, VIO_UNMAP, 0, 8192, 0);
    assert_false(unmap.ended);
    rig_lane_let_go(&rig, 0, FAKE_WRITE);
    assert_int_equal(rig_io_end(&write), 0);
    assert_int_equal(rig_io_end(&unmap), 0);
    rig_lane_hold(&rig, 0, 0);
    assert_true(rig_reads(&rig, vol, 0, 8192, 0));
    assert_true(rig_reads(&rig, vol, 8192, EXTENT_BYTES - 8192, 0x11));
}

static void unmapping_the_last_block_frees_the_extent(void **state)
{
    (void)state;
    uint64_t before = pool_rig_free_extents(&rig);
    assert_int_equal(rig_write(&rig, vol, 4096, 8192, 0x11), 0);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, 4096, 4096, NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_free_extents(&rig), before - 1);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, 8192, 4096, NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_free_extents(&rig), before);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0));
}

static void zeroing_what_is_zero_takes_no_space(void **state)
{
    (void)state;
    uint64_t before = pool_rig_free_extents(&rig);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_ZERO, SECTOR, 3 * EXTENT_BYTES, NULL),
                     0);
    assert_int_equal(pool_rig_free_extents(&rig), before);
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x11), 0);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_ZERO, SECTOR, 8192, NULL), 0);
    assert_int_equal(pool_rig_free_extents(&rig), before - 1);
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 0x11));
    assert_true(rig_reads(&rig, vol, SECTOR, 2 * EXTENT_BYTES, 0));
}

/* ---- Aging ------------------------------------------------------------------------- */

static void fill_pool(void)
{
    uint64_t extents = pool_rig_free_extents(&rig);
    assert_int_equal(rig_write(&rig, vol, 0, extents * EXTENT_BYTES, 0x11), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(pool_rig_free_extents(&rig), 0);
}

static void unmap_extent(uint64_t index)
{
    assert_int_equal(
        rig_io_run(&rig, 1, vol, VIO_UNMAP, index * EXTENT_BYTES, EXTENT_BYTES, NULL), 0);
}

static void a_freed_extent_is_free_when_the_next_round_is_committed(void **state)
{
    (void)state;
    fill_pool();
    unmap_extent(3);
    pool_rig_turn(&rig);
    assert_int_equal(pool_rig_free_extents(&rig), 0);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(pool_rig_free_extents(&rig), 1);
}

/* A round that had copied the words before the free may commit the old word. */
static void the_round_under_way_at_the_free_does_not_count(void **state)
{
    struct rig_round round;
    (void)state;
    fill_pool();
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 0x22), 0); /* something to sync */
    rig_home_hold(&rig, FAKE_SYNC);
    rig_round_start(&rig, &round);
    rig_home_await(&rig, FAKE_SYNC, 1);
    unmap_extent(3);
    rig_home_hold(&rig, 0);
    assert_int_equal(rig_round_wait(&rig, &round), 0);
    pool_rig_turn(&rig);
    assert_int_equal(pool_rig_free_extents(&rig), 0);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(pool_rig_free_extents(&rig), 1);
}

static void a_freed_extent_waits_for_the_readers_of_that_moment(void **state)
{
    struct rig_io read, write;
    (void)state;
    fill_pool();
    rig_lane_hold(&rig, 0, FAKE_READ);
    start_io(&read, 0, VIO_READ, 3 * EXTENT_BYTES, EXTENT_BYTES, 0);
    unmap_extent(3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(pool_rig_free_extents(&rig), 0);
    /* Who needs space waits, it does not fail. */
    start_io(&write, 1, VIO_WRITE, 15 * EXTENT_BYTES, EXTENT_BYTES, 0x77);
    pool_rig_turn(&rig);
    assert_false(write.ended);
    rig_lane_hold(&rig, 0, 0);
    pool_rig_turn(&rig);
    assert_true(read.ended);
    assert_true(is_all(&read, EXTENT_BYTES, 0x11)); /* its own data, not the writer's */
    assert_int_equal(rig_io_end(&read), 0);
    assert_int_equal(rig_io_end(&write), 0);
    assert_true(rig_reads(&rig, vol, 15 * EXTENT_BYTES, EXTENT_BYTES, 0x77));
}

static void a_freed_extent_waits_for_its_writers(void **state)
{
    struct rig_io old, write;
    (void)state;
    fill_pool();
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    start_io(&old, 0, VIO_WRITE, 3 * EXTENT_BYTES, EXTENT_BYTES, 0x22);
    unmap_extent(3);
    start_io(&write, 1, VIO_WRITE, 15 * EXTENT_BYTES, EXTENT_BYTES, 0x77);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_round(&rig), 0);
    assert_false(write.ended);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&old), 0);
    assert_int_equal(rig_io_end(&write), 0);
    assert_true(rig_reads(&rig, vol, 15 * EXTENT_BYTES, EXTENT_BYTES, 0x77));
    assert_true(rig_reads(&rig, vol, 3 * EXTENT_BYTES, EXTENT_BYTES, 0));
}

/* Who came after the free cannot have seen the old word. */
static void a_freed_extent_does_not_wait_for_later_io(void **state)
{
    struct rig_io read;
    (void)state;
    fill_pool();
    unmap_extent(3);
    rig_lane_hold(&rig, 0, FAKE_READ);
    start_io(&read, 0, VIO_READ, 4 * EXTENT_BYTES, EXTENT_BYTES, 0);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(pool_rig_free_extents(&rig), 1);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&read), 0);
}

/* A parked writer is not in flight: it does not hold back what it waits for, also if
 * another piece of it is on its way. */
static void a_writer_does_not_wait_for_itself(void **state)
{
    struct rig_io write;
    (void)state;
    fill_pool();
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    /* The last mapped extent and one more. */
    start_io(&write, 0, VIO_WRITE, 14 * EXTENT_BYTES, 2 * EXTENT_BYTES, 0x66);
    assert_true(write.ended || rig_lane_waiting(&rig, 0, FAKE_WRITE) == 1);
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&write), -ENOSPC); /* nothing is aging */
    unmap_extent(0);
    assert_int_equal(rig_write(&rig, vol, 14 * EXTENT_BYTES, 2 * EXTENT_BYTES, 0x77), 0);
    assert_true(rig_reads(&rig, vol, 14 * EXTENT_BYTES, 2 * EXTENT_BYTES, 0x77));
}

#define HOLD_TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SMALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOLD_TEST(a_small_write_waits_for_the_writers_before_it),
        HOLD_TEST(writers_wait_while_a_small_write_fills),
        HOLD_TEST(two_small_writes_to_a_block_take_turns),
        HOLD_TEST(reads_do_not_wait_for_a_hold),
        HOLD_TEST(two_lanes_never_lose_each_others_sectors),
        HOLD_TEST(an_or_waits_for_the_writers_before_it),
        HOLD_TEST(nothing_comes_between_what_an_or_reads_and_its_write),
        HOLD_TEST(an_unmap_beside_an_or_waits_for_it),
        HOLD_TEST(two_lanes_never_lose_each_others_bits),
        HOLD_TEST(an_unmap_beside_a_first_write_wins),
        HOLD_TEST(a_write_after_the_unmap_stays),
        HOLD_TEST(an_unmap_waits_while_a_small_write_fills),
        HOLD_TEST(an_unmap_of_a_part_waits_for_the_writers),
        HOLD_TEST(unmapping_the_last_block_frees_the_extent),
        HOLD_TEST(zeroing_what_is_zero_takes_no_space),
        SMALL_TEST(a_freed_extent_is_free_when_the_next_round_is_committed),
        SMALL_TEST(the_round_under_way_at_the_free_does_not_count),
        SMALL_TEST(a_freed_extent_waits_for_the_readers_of_that_moment),
        SMALL_TEST(a_freed_extent_waits_for_its_writers),
        SMALL_TEST(a_freed_extent_does_not_wait_for_later_io),
        SMALL_TEST(a_writer_does_not_wait_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
