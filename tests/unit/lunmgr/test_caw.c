/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE AND WRITE: only if all of it is as it has to be, and nothing comes between; one
 * block in place, several all or nothing; whatever the volume is made of, beside all else
 * that changes it, after cuts and failures, in a full pool. */
#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/snapshot.h"
#include "tests/lib/random.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/rig_manage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES (LEAF_WORDS * (uint64_t)EXTENT_BYTES)
#define BLOCK      ((uint64_t)BLOCK_BYTES)
#define EXTENT     ((uint64_t)EXTENT_BYTES)
#define SECTOR     ((uint64_t)SECTOR_BYTES)

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
    vol = pool_rig_volume(&rig, "v", 32 * MIB, SECTOR_BYTES);
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

static uint64_t differs_at;

static int caw_fua(struct volume *volume, uint64_t offset, uint64_t bytes,
                   uint8_t expected, uint8_t fill, bool fua)
{
    struct rig_io io;
    rig_io_init_caw(&io, &rig, 0, volume, offset, bytes, expected, fill);
    io.vio.fua = fua;
    rig_io_start(&io);
    int rc = rig_io_end(&io);
    differs_at = io.vio.differs_at_bytes;
    return rc;
}

static int caw(uint64_t offset, uint64_t bytes, uint8_t expected, uint8_t fill)
{
    return caw_fua(vol, offset, bytes, expected, fill, false);
}

static void caw_start(struct rig_io *io, unsigned lane, uint64_t offset, uint64_t bytes,
                      uint8_t expected, uint8_t fill)
{
    rig_io_init_caw(io, &rig, lane, vol, offset, bytes, expected, fill);
    rig_io_start(io);
    pool_rig_turn(&rig);
}

static void other_start(struct rig_io *io, enum vio_op op, uint64_t offset,
                        uint64_t bytes, uint8_t fill)
{
    rig_io_init(io, &rig, 1, vol, op, offset, bytes);
    if (op == VIO_WRITE || op == VIO_OR)
        memset(rig_io_data(io), fill, bytes);
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

/* One logical block, in place; several of one block; several blocks and extents. */
static const struct {
    uint64_t offset, bytes;
} ranges[] = {{3 * SECTOR, SECTOR},
              {3 * SECTOR, 3 * SECTOR},
              {7 * SECTOR, 2 * SECTOR},
              {EXTENT - 5 * SECTOR, EXTENT + 7 * SECTOR},
              {0, EXTENT},
              {SECTOR, 3 * EXTENT}};
#define RANGE_END (4 * EXTENT)

/* ---- What it leaves ---------------------------------------------------------------- */

static void assert_only(size_t i, uint8_t around, uint8_t within)
{
    uint64_t from = ranges[i].offset, to = from + ranges[i].bytes;
    assert_true(from == 0 || rig_reads(&rig, vol, 0, from, around));
    assert_true(rig_reads(&rig, vol, from, to - from, within));
    assert_true(rig_reads(&rig, vol, to, RANGE_END - to, around));
}

static void it_writes_where_all_is_as_it_has_to_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        assert_int_equal(rig_write(&rig, vol, 0, RANGE_END, 1), 0);
        assert_int_equal(caw(ranges[i].offset, ranges[i].bytes, 1, 2), 0);
        assert_only(i, 1, 2);
        assert_int_equal(caw(ranges[i].offset, ranges[i].bytes, 2, 3), 0);
        assert_only(i, 1, 3);
    }
    assert_extents(RANGE_END / EXTENT);
    reopen();
    assert_only(ARRAY_LEN(ranges) - 1, 1, 3);
}

/* In seventeen extents. */
static void it_may_be_as_large_as_an_atomic_write(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 17 * EXTENT, 1), 0);
    assert_int_equal(caw(SECTOR, VIO_ATOMIC_BYTES_MAX, 1, 2), 0);
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 1));
    assert_true(rig_reads(&rig, vol, SECTOR, VIO_ATOMIC_BYTES_MAX, 2));
    assert_true(rig_reads(&rig, vol, SECTOR + VIO_ATOMIC_BYTES_MAX, EXTENT - SECTOR, 1));
    assert_extents(17);
}

/* The one byte that differs is anywhere: the first, the last, one between. */
static void it_changes_nothing_where_one_byte_differs(void **state)
{
    uint8_t sector[SECTOR_BYTES];
    uint64_t random = 20261130;
    (void)state;
    for (size_t n = 0; n < 4 * ARRAY_LEN(ranges); n++) {
        size_t i = n / 4;
        uint64_t bytes = ranges[i].bytes;
        uint64_t at = n % 4 == 0 ? 0 : n % 4 == 1 ? bytes - 1 : draw(&random, bytes);
        uint64_t changed = (ranges[i].offset + at) / SECTOR * SECTOR;
        memset(sector, 1, sizeof(sector));
        sector[(ranges[i].offset + at) % SECTOR] = 9;
        assert_int_equal(rig_write(&rig, vol, 0, RANGE_END, 1), 0);
        assert_int_equal(
            rig_io_run(&rig, 0, vol, VIO_WRITE, changed, SECTOR_BYTES, sector), 0);
        assert_int_equal(caw(ranges[i].offset, bytes, 1, 2), -EILSEQ);
        assert_int_equal(differs_at, at);
        assert_true(changed == 0 || rig_reads(&rig, vol, 0, changed, 1));
        assert_true(
            rig_reads(&rig, vol, changed + SECTOR, RANGE_END - changed - SECTOR, 1));
        assert_int_equal(
            rig_io_run(&rig, 0, vol, VIO_READ, changed, SECTOR_BYTES, sector), 0);
        assert_int_equal(sector[(ranges[i].offset + at) % SECTOR], 9);
    }
    assert_extents(RANGE_END / EXTENT);
}

static void what_was_never_written_is_zeros(void **state)
{
    (void)state;
    assert_int_equal(caw(EXTENT - SECTOR, 2 * SECTOR, 1, 2), -EILSEQ);
    assert_extents(0); /* a miscompare takes none */
    assert_int_equal(caw(5 * SECTOR, SECTOR, 0, 2), 0);
    assert_extents(1);
    assert_int_equal(caw(2 * EXTENT - SECTOR, 2 * SECTOR, 0, 3), 0);
    assert_extents(3);
    assert_true(rig_reads(&rig, vol, 0, 5 * SECTOR, 0));
    assert_true(rig_reads(&rig, vol, 5 * SECTOR, SECTOR, 2));
    assert_true(rig_reads(&rig, vol, 2 * EXTENT - SECTOR, 2 * SECTOR, 3));
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, EXTENT, EXTENT, NULL), 0);
    assert_int_equal(caw(2 * EXTENT - SECTOR, 2 * SECTOR, 3, 4), -EILSEQ);
    assert_int_equal(differs_at, 0);
    assert_int_equal(caw(2 * EXTENT - SECTOR, SECTOR, 0, 4), 0);
}

static void one_block_is_written_in_place_and_several_are_not(void **state)
{
    struct fake_engine *fake = rig.lanes[0].fake;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT, 1), 0);
    uint64_t reads = fake_engine_count(fake, FAKE_READ);
    uint64_t writes = fake_engine_count(fake, FAKE_WRITE);
    assert_int_equal(caw(3 * SECTOR, SECTOR, 1, 2), 0);
    assert_int_equal(fake_engine_count(fake, FAKE_READ), reads + 1);
    assert_int_equal(fake_engine_count(fake, FAKE_WRITE), writes + 1);
    assert_int_equal(caw(3 * SECTOR, SECTOR, 1, 2), -EILSEQ);
    assert_int_equal(fake_engine_count(fake, FAKE_WRITE), writes + 1);
    assert_int_equal(limbo_count(rig.pool), 0);
    assert_int_equal(caw(4 * SECTOR, 2 * SECTOR, 1, 2), 0);
    assert_int_equal(limbo_count(rig.pool), 1); /* the extent of before */
}

/* Nothing of the map is in memory. */
static void it_waits_for_leaves(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, LEAF_BYTES - EXTENT, 2 * EXTENT, 1), 0);
    reopen();
    assert_int_equal(caw(LEAF_BYTES - SECTOR, 2 * SECTOR, 1, 2), 0);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    reopen();
    assert_int_equal(caw(LEAF_BYTES - SECTOR, 2 * SECTOR, 2, 3), 0);
    reopen();
    assert_int_equal(caw(LEAF_BYTES + SECTOR, SECTOR, 1, 4), 0);
    assert_true(rig_reads(&rig, vol, LEAF_BYTES - EXTENT, EXTENT - SECTOR, 1));
    assert_true(rig_reads(&rig, vol, LEAF_BYTES - SECTOR, 2 * SECTOR, 3));
    assert_true(rig_reads(&rig, vol, LEAF_BYTES + SECTOR, SECTOR, 4));
}

/* ---- Beside layers and sharers ----------------------------------------------------- */

/* Of a stack whose layers have one block each of an extent. */
static void it_compares_what_a_stack_of_layers_shows(void **state)
{
    struct volume *s[3];
    static const char *const names[] = {"s0", "s1", "s2"};
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(rig_snapshot(&rig, "v", names[i], &s[i], NULL), 0);
        assert_int_equal(
            caw(EXTENT - 2 * SECTOR, 4 * SECTOR, (uint8_t)(i + 1), (uint8_t)(i + 2)), 0);
        assert_int_equal(caw(i * BLOCK, SECTOR, 1, 7), 0);
    }
    for (uint8_t i = 0; i < 3; i++) {
        assert_true(
            rig_reads(&rig, s[i], EXTENT - 2 * SECTOR, 4 * SECTOR, (uint8_t)(i + 1)));
        assert_true(rig_reads(&rig, s[i], i * BLOCK, SECTOR, 1));
        assert_true(rig_reads(&rig, vol, i * BLOCK, SECTOR, 7));
        assert_true(rig_reads(&rig, vol, i * BLOCK + SECTOR, BLOCK - SECTOR, 1));
    }
    assert_int_equal(caw(0, VIO_ATOMIC_BYTES_MAX, 1, 2), -EILSEQ);
    assert_int_equal(differs_at, 0);
    assert_true(rig_reads(&rig, vol, EXTENT + 2 * SECTOR, EXTENT - 2 * SECTOR, 1));
    rig_assert_sound(&rig);
}

static void sharers_stay_what_they_were(void **state)
{
    (void)state;
    struct volume *w = pool_rig_volume(&rig, "w", 4 * MIB, SECTOR_BYTES);
    assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    struct copy copy = {.from = vol, .to = w, .length_bytes = 3 * EXTENT};
    assert_int_equal(rig_copy(&rig, &copy), 0);
    assert_extents(3);
    assert_int_equal(caw(SECTOR, SECTOR, 2, 3), -EILSEQ);
    assert_int_equal(caw(2 * EXTENT - SECTOR, 2 * SECTOR, 2, 3), -EILSEQ);
    assert_extents(3); /* and shared as before */
    assert_int_equal(caw(SECTOR, SECTOR, 1, 2), 0);
    assert_extents(4);
    assert_int_equal(caw(2 * EXTENT - SECTOR, 2 * SECTOR, 1, 2), 0);
    assert_extents(6);
    assert_true(rig_reads(&rig, w, 0, 3 * EXTENT, 1));
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 1));
    assert_true(rig_reads(&rig, vol, SECTOR, SECTOR, 2));
    assert_true(rig_reads(&rig, vol, 2 * SECTOR, 2 * EXTENT - 3 * SECTOR, 1));
    assert_true(rig_reads(&rig, vol, 2 * EXTENT - SECTOR, 2 * SECTOR, 2));
}

/* ---- Cuts -------------------------------------------------------------------------- */

static void a_cut_shows_all_of_it_or_nothing(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT, 1), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(caw(3 * SECTOR, 2 * EXTENT, 1, 2), 0);
    cut_and_reopen();
    assert_true(rig_reads(&rig, vol, 0, 4 * EXTENT, 1));
    assert_int_equal(caw_fua(vol, 3 * SECTOR, 2 * EXTENT, 1, 2, true), 0);
    assert_int_equal(caw_fua(vol, 3 * EXTENT, SECTOR, 1, 3, true), 0);
    cut_and_reopen();
    assert_true(rig_reads(&rig, vol, 0, 3 * SECTOR, 1));
    assert_true(rig_reads(&rig, vol, 3 * SECTOR, 2 * EXTENT, 2));
    assert_true(rig_reads(&rig, vol, 2 * EXTENT + 3 * SECTOR, EXTENT - 3 * SECTOR, 1));
    assert_true(rig_reads(&rig, vol, 3 * EXTENT, SECTOR, 3));
    assert_extents(4);
}

/* ---- Failures ---------------------------------------------------------------------- */

/* The first I/O fails, then the second, to the last. */
static void an_io_that_fails_leaves_all_of_the_old(void **state)
{
    struct fake_engine *fake = rig.lanes[0].fake;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        unsigned nth = 0;
        int rc;
        assert_int_equal(rig_write(&rig, vol, 0, RANGE_END, 1), 0);
        do {
            assert_true(rig_reads(&rig, vol, 0, RANGE_END, 1));
            assert_extents(RANGE_END / EXTENT);
            fake_engine_fail(fake, FAKE_ALL, ++nth, -EIO, false);
            rc = caw(ranges[i].offset, ranges[i].bytes, 1, 2);
            assert_true(rc == 0 || rc == -EIO);
        } while (rc != 0);
        fake_engine_fail(fake, FAKE_ALL, 0, 0, false);
        assert_true(nth > 2);
        assert_only(i, 1, 2);
    }
}

static void fill_pool_but(uint64_t left)
{
    assert_int_equal(
        rig_write(&rig, vol, 0, (pool_rig_free_extents(&rig) - left) * EXTENT, 1), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(pool_rig_free_extents(&rig), left);
}

static void a_full_pool_refuses_only_what_would_be_written(void **state)
{
    (void)state;
    fill_pool_but(1);
    assert_int_equal(caw(EXTENT - SECTOR, 2 * SECTOR, 2, 3), -EILSEQ);
    assert_int_equal(caw(EXTENT - SECTOR, 2 * SECTOR, 1, 2), -ENOSPC);
    assert_true(rig_reads(&rig, vol, 0, 14 * EXTENT, 1));
    assert_int_equal(pool_rig_free_extents(&rig), 1);
    assert_int_equal(caw(BLOCK, 2 * SECTOR, 1, 2), 0); /* of one there is enough */
    assert_extents(14);
}

static void a_pool_without_any_space_takes_one_block_in_place(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 15 * EXTENT, 1), 0);
    assert_int_equal(caw(EXTENT, SECTOR, 1, 2), 0); /* it needs none */
    assert_int_equal(caw(15 * EXTENT, SECTOR, 1, 2), -EILSEQ);
    assert_int_equal(caw(15 * EXTENT, SECTOR, 0, 2), -ENOSPC);
    assert_true(rig_reads(&rig, vol, EXTENT, SECTOR, 2));
    assert_true(rig_reads(&rig, vol, 15 * EXTENT, EXTENT, 0));
}

/* Each leaves as many extents to age as it took; it compares again when it has waited. */
static void a_full_pool_makes_it_wait_for_what_was_freed(void **state)
{
    (void)state;
    fill_pool_but(2);
    for (uint8_t fill = 2; fill < 9; fill++)
        assert_int_equal(caw(EXTENT - SECTOR, 2 * SECTOR, (uint8_t)(fill - 1), fill), 0);
    assert_true(rig_reads(&rig, vol, EXTENT - SECTOR, 2 * SECTOR, 8));
    assert_extents(13);
}

/* ---- Beside other commands --------------------------------------------------------- */

/* It has read and is about to write; what comes meanwhile begins when it has ended. */
static void nothing_comes_between_what_it_reads_and_its_write(void **state)
{
    static const enum vio_op ops[] = {VIO_WRITE, VIO_OR, VIO_ZERO, VIO_UNMAP};
    (void)state;
    for (size_t n = 0; n < 2 * ARRAY_LEN(ops); n++) {
        struct rig_io first, other;
        uint64_t bytes = n % 2 == 0 ? SECTOR : 3 * SECTOR;
        assert_int_equal(rig_write(&rig, vol, 0, EXTENT, 0x11), 0);
        rig_lane_hold(&rig, 0, FAKE_WRITE);
        caw_start(&first, 0, SECTOR, bytes, 0x11, 0x22);
        assert_true(rig_lane_waiting(&rig, 0, FAKE_WRITE) > 0);
        uint64_t before = fake_engine_count(rig.lanes[1].fake, FAKE_ALL);
        other_start(&other, ops[n / 2], 0, EXTENT, 0x44);
        assert_false(other.ended);
        assert_int_equal(fake_engine_count(rig.lanes[1].fake, FAKE_ALL), before);
        rig_lane_hold(&rig, 0, 0);
        assert_int_equal(rig_io_end(&first), 0);
        assert_int_equal(rig_io_end(&other), 0);
        bool ored = ops[n / 2] == VIO_OR, written = ops[n / 2] == VIO_WRITE;
        assert_true(rig_reads(&rig, vol, SECTOR, bytes,
                              ored      ? 0x66
                              : written ? 0x44
                                        : 0));
        assert_true(rig_reads(&rig, vol, 0, SECTOR, ored ? 0x55 : written ? 0x44 : 0));
    }
}

/* Of two with the same expectation one writes; whichever kinds they are. */
static void of_two_at_once_one_finds_what_the_other_wrote(void **state)
{
    static const uint64_t bytes[] = {SECTOR, 2 * SECTOR, EXTENT};
    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(bytes) * ARRAY_LEN(bytes); n++) {
        struct rig_io first, second;
        assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
        rig_lane_hold(&rig, 0, FAKE_READ);
        caw_start(&first, 0, EXTENT - SECTOR, bytes[n / 3], 1, 2);
        assert_true(rig_lane_waiting(&rig, 0, FAKE_READ) > 0);
        caw_start(&second, 1, EXTENT - SECTOR, bytes[n % 3], 1, 3);
        assert_false(second.ended);
        rig_lane_hold(&rig, 0, 0);
        assert_int_equal(rig_io_end(&first), 0);
        assert_int_equal(rig_io_end(&second), -EILSEQ);
        assert_int_equal(second.vio.differs_at_bytes, 0);
        assert_true(rig_reads(&rig, vol, EXTENT - SECTOR, bytes[n / 3], 2));
    }
}

static void it_waits_for_the_writers_before_it(void **state)
{
    (void)state;
    for (uint64_t bytes = SECTOR; bytes <= 2 * SECTOR; bytes += SECTOR) {
        struct rig_io plain, io;
        assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT, 1), 0);
        rig_lane_hold(&rig, 1, FAKE_WRITE);
        other_start(&plain, VIO_WRITE, EXTENT - BLOCK, BLOCK, 3);
        rig_lane_hold(&rig, 0, FAKE_ALL);
        caw_start(&io, 0, EXTENT - SECTOR, bytes, 1, 2);
        assert_int_equal(rig_lane_waiting(&rig, 0, FAKE_ALL),
                         0); /* else it would compare the old block */
        rig_lane_hold(&rig, 1, 0);
        assert_int_equal(rig_io_end(&plain), 0);
        rig_lane_hold(&rig, 0, 0);
        assert_int_equal(rig_io_end(&io), -EILSEQ);
        assert_true(rig_reads(&rig, vol, EXTENT - BLOCK, BLOCK, 3));
    }
}

/* What is written is not seen in part, and what another holds is not waited for while
 * holding anything. */
static void reads_beside_it_see_all_of_the_old_till_its_end(void **state)
{
    struct rig_io io, held, read;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    rig_lane_hold(&rig, 0, FAKE_WRITE);
    caw_start(&io, 0, SECTOR, 2 * EXTENT, 1, 2);
    caw_start(&held, 1, 2 * EXTENT, EXTENT + SECTOR, 1, 3);
    assert_false(held.ended);
    while (!io.ended) {
        other_start(&read, VIO_READ, 0, 3 * EXTENT, 0);
        assert_int_equal(rig_io_wait(&read), 0);
        assert_memory_equal(read.buffer, read.buffer + 1, 3 * EXTENT - 1);
        rig_io_fini(&read);
        rig_lane_let_go(&rig, 0, FAKE_WRITE);
    }
    rig_lane_hold(&rig, 0, 0);
    assert_int_equal(rig_io_end(&io), 0);
    assert_int_equal(rig_io_end(&held), -EILSEQ);
    assert_true(rig_reads(&rig, vol, SECTOR, 2 * EXTENT, 2));
}

/* The snapshot's fence waits for what has begun. */
static void a_snapshot_beside_it_has_all_of_it_or_nothing(void **state)
{
    struct rig_io io;
    struct volume *s = NULL;
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    for (uint64_t bytes = SECTOR; bytes <= SECTOR + EXTENT; bytes += EXTENT) {
        rig_io_init_caw(&io, &rig, 1, vol, EXTENT - SECTOR, bytes, 1, 2);
        rig_io_start(&io); /* it has not been turned yet */
        assert_int_equal(rig_snapshot(&rig, "v", "s", &s, NULL), 0);
        assert_int_equal(rig_io_end(&io), 0);
        assert_true(rig_reads(&rig, s, EXTENT - SECTOR, bytes, 1) ||
                    rig_reads(&rig, s, EXTENT - SECTOR, bytes, 2));
        assert_true(rig_reads(&rig, vol, EXTENT - SECTOR, bytes, 2));
        assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
        assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT, 1), 0);
    }
}

/* ---- On threads -------------------------------------------------------------------- */

/* A counter is a number that fills a range, sector by sector. */
struct counting {
    struct rig_io caw, other;
    uint64_t known[2]; /* what the counter is thought to be */
    uint64_t added[2]; /* successes */
};

static const struct {
    uint64_t offset, bytes;
} counters[] = {{3 * SECTOR, SECTOR}, {3 * EXTENT - SECTOR, EXTENT}};

static void number_fill(uint8_t *to, uint64_t bytes, uint64_t number)
{
    for (uint64_t i = 0; i < bytes; i += sizeof(number))
        memcpy(to + i, &number, sizeof(number));
}

static uint64_t number_read(unsigned lane, unsigned i)
{
    static uint8_t data[3][EXTENT_BYTES];
    uint64_t number;
    assert_int_equal(rig_io_run(&rig, lane, vol, VIO_READ, counters[i].offset,
                                counters[i].bytes, data[lane]),
                     0);
    memcpy(&number, data[lane], sizeof(number));
    assert_memory_equal(data[lane], data[lane] + sizeof(number),
                        counters[i].bytes - sizeof(number));
    return number;
}

static void count_start(struct counting *c, unsigned lane, unsigned i)
{
    rig_io_init(&c->caw, &rig, lane, vol, VIO_COMPARE_WRITE, counters[i].offset,
                counters[i].bytes);
    uint8_t *halves = rig_io_halves(&c->caw);
    number_fill(halves, counters[i].bytes, c->known[i]);
    number_fill(halves + counters[i].bytes, counters[i].bytes, c->known[i] + 1);
    rig_io_start(&c->caw);
}

static void count_end(struct counting *c, unsigned lane, unsigned i)
{
    int rc = rig_io_end(&c->caw);
    assert_true(rc == 0 || rc == -EILSEQ);
    c->added[i] += rc == 0;
    c->known[i] = rc == 0 ? c->known[i] + 1 : number_read(lane, i);
}

/* A neighbour in an extent of a counter's, of each kind of change. */
static void neighbour_start(struct counting *c, unsigned lane, unsigned n)
{
    static const enum vio_op ops[] = {VIO_WRITE, VIO_UNMAP, VIO_ZERO, VIO_OR};
    static const struct {
        uint64_t offset, bytes;
    } places[] = {{0, 3 * SECTOR},
                  {4 * SECTOR, SECTOR},
                  {BLOCK, 2 * BLOCK},
                  {2 * EXTENT, EXTENT - BLOCK},
                  {4 * EXTENT - SECTOR, 2 * SECTOR}};
    enum vio_op op = ops[n % ARRAY_LEN(ops)];
    size_t i = n / ARRAY_LEN(ops) % ARRAY_LEN(places);
    rig_io_init(&c->other, &rig, lane, vol, op, places[i].offset, places[i].bytes);
    if (op == VIO_WRITE || op == VIO_OR)
        memset(rig_io_data(&c->other), (int)n, c->other.vio.length_bytes);
    rig_io_start(&c->other);
}

static void no_increment_is_lost_beside_all_else(void **state)
{
    struct counting c[3] = {{.known = {0, 0}}};
    uint64_t added[2] = {0, 0};
    (void)state;
    for (unsigned n = rig_times(600); n > 0; n--) {
        for (unsigned lane = 0; lane < 3; lane++) {
            count_start(&c[lane], lane, n % 2);
            neighbour_start(&c[lane], lane, n + lane);
        }
        if (n % 100 == 0)
            assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
        if (n % 100 == 50)
            assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
        for (unsigned lane = 0; lane < 3; lane++) {
            assert_int_equal(rig_io_end(&c[lane].other), 0);
            count_end(&c[lane], lane, n % 2);
        }
    }
    for (unsigned i = 0; i < 6; i++)
        added[i % 2] += c[i / 2].added[i % 2];
    for (unsigned i = 0; i < 2; i++) {
        assert_true(added[i] > 0);
        assert_int_equal(number_read(0, i), added[i]);
    }
    rig_assert_sound(&rig);
}

#define CUT_TEST(name)   cmocka_unit_test_setup_teardown(name, setup_cut, teardown)
#define FAKE_TEST(name)  cmocka_unit_test_setup_teardown(name, setup_fake, teardown)
#define SMALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUT_TEST(it_writes_where_all_is_as_it_has_to_be),
        FAKE_TEST(it_may_be_as_large_as_an_atomic_write),
        FAKE_TEST(it_changes_nothing_where_one_byte_differs),
        CUT_TEST(what_was_never_written_is_zeros),
        FAKE_TEST(one_block_is_written_in_place_and_several_are_not),
        CUT_TEST(it_waits_for_leaves),
        CUT_TEST(it_compares_what_a_stack_of_layers_shows),
        CUT_TEST(sharers_stay_what_they_were),
        CUT_TEST(a_cut_shows_all_of_it_or_nothing),
        FAKE_TEST(an_io_that_fails_leaves_all_of_the_old),
        SMALL_TEST(a_full_pool_refuses_only_what_would_be_written),
        SMALL_TEST(a_pool_without_any_space_takes_one_block_in_place),
        SMALL_TEST(a_full_pool_makes_it_wait_for_what_was_freed),
        FAKE_TEST(nothing_comes_between_what_it_reads_and_its_write),
        FAKE_TEST(of_two_at_once_one_finds_what_the_other_wrote),
        FAKE_TEST(it_waits_for_the_writers_before_it),
        FAKE_TEST(reads_beside_it_see_all_of_the_old_till_its_end),
        FAKE_TEST(a_snapshot_beside_it_has_all_of_it_or_nothing),
        cmocka_unit_test_setup_teardown(no_increment_is_lost_beside_all_else,
                                        setup_threads, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
