/* SPDX-License-Identifier: Apache-2.0 */
/* An OR leaves what was there ORed with what came, whatever the volume is made of:
 * nothing yet, parts of blocks, a stack of snapshots, extents that copies share. What
 * goes on beside it is in test_hold.c. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"

#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR       512U
#define VOLUME_BYTES MIB

static struct pool_rig rig;
static struct volume *vol;
static uint8_t model[VOLUME_BYTES], sent[VOLUME_BYTES];

static void start(enum rig_engine engine, uint64_t pool_bytes)
{
    struct pool_rig_options options = {
        .engine = engine, .lane_count = 1, .pool_bytes = pool_bytes};
    pool_rig_create(&rig, &options);
    vol = pool_rig_volume(&rig, "v", VOLUME_BYTES, SECTOR);
    memset(model, 0, sizeof(model));
}

static int setup(void **state)
{
    (void)state;
    start(RIG_FAKE, 64 * MIB);
    return 0;
}

/* Fifteen extents: less than the volume has. */
static int setup_small(void **state)
{
    (void)state;
    start(RIG_FAKE, MIB);
    return 0;
}

static int setup_cut(void **state)
{
    (void)state;
    start(RIG_CUT, 64 * MIB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Any mixture --------------------------------------------------------------------*/

static void model_change(enum vio_op op, uint64_t at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++) {
        if (op == VIO_OR)
            model[at + i] |= sent[i];
        else
            model[at + i] = op == VIO_ZERO ? 0 : sent[i];
    }
}

static void change(uint64_t *random)
{
    static const enum vio_op ops[] = {VIO_OR, VIO_OR, VIO_WRITE, VIO_ZERO};
    static const uint64_t most[] = {3, 24, 3 * EXTENT_BYTES / SECTOR};
    enum vio_op op = ops[draw(random, ARRAY_LEN(ops))];
    uint64_t bytes = (draw(random, most[draw(random, ARRAY_LEN(most))]) + 1) * SECTOR;
    uint64_t at = draw(random, (VOLUME_BYTES - bytes) / SECTOR + 1) * SECTOR;
    for (uint64_t i = 0; i < bytes; i++)
        sent[i] = (uint8_t)(1U << draw(random, 8));
    assert_int_equal(rig_io_run(&rig, 0, vol, op, at, bytes, sent), 0);
    model_change(op, at, bytes);
}

static void an_or_of_anything_is_what_was_there_ored(void **state)
{
    static uint8_t kept[VOLUME_BYTES];
    struct volume *snapshot = NULL;
    uint64_t random = 20261129;
    char name[8];
    (void)state;
    for (unsigned layer = 0; layer < 4; layer++) {
        for (unsigned n = rig_times(60); n > 0; n--)
            change(&random);
        rig_assert_holds(&rig, vol, model, VOLUME_BYTES);
        if (snapshot != NULL)
            rig_assert_holds(&rig, snapshot, kept, VOLUME_BYTES);
        memcpy(kept, model, sizeof(kept));
        snprintf(name, sizeof(name), "s%u", layer);
        assert_int_equal(rig_snapshot(&rig, "v", name, &snapshot, NULL), 0);
    }
    rig_assert_sound(&rig);
    pool_rig_reopen(&rig);
    vol = volume_find(rig.manager, "v");
    change(&random); /* nothing of the map is in memory yet */
    rig_assert_holds(&rig, vol, model, VOLUME_BYTES);
}

/* ---- Shared extents
 * ------------------------------------------------------------------*/

static void an_or_leaves_the_other_owner_of_an_extent_alone(void **state)
{
    (void)state;
    struct volume *other = pool_rig_volume(&rig, "w", VOLUME_BYTES, SECTOR);
    assert_int_equal(rig_write(&rig, vol, 0, 2 * EXTENT_BYTES, 0x11), 0);
    struct copy copy = {.from = vol, .to = other, .length_bytes = 2 * EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &copy), 0);
    assert_true(copy.shared_bytes > 0);
    memset(sent, 0x22, EXTENT_BYTES);
    assert_int_equal(rig_io_run(&rig, 0, other, VIO_OR, SECTOR, EXTENT_BYTES, sent), 0);
    assert_true(rig_reads(&rig, vol, 0, 2 * EXTENT_BYTES, 0x11));
    assert_true(rig_reads(&rig, other, 0, SECTOR, 0x11));
    assert_true(rig_reads(&rig, other, SECTOR, EXTENT_BYTES, 0x33));
    assert_true(
        rig_reads(&rig, other, SECTOR + EXTENT_BYTES, EXTENT_BYTES - SECTOR, 0x11));
    rig_assert_sound(&rig);
}

/* ---- Failures
 * ------------------------------------------------------------------------*/

static void an_or_without_space_changes_nothing_there(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 15 * EXTENT_BYTES, 0x11), 0);
    memset(sent, 0x22, EXTENT_BYTES);
    assert_int_equal(
        rig_io_run(&rig, 0, vol, VIO_OR, 15 * EXTENT_BYTES, EXTENT_BYTES, sent), -ENOSPC);
    assert_true(rig_reads(&rig, vol, 15 * EXTENT_BYTES, EXTENT_BYTES, 0));
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_OR, 0, EXTENT_BYTES, sent), 0);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0x33)); /* it needs none */
}

static void an_or_that_cannot_read_writes_nothing(void **state)
{
    (void)state;
    struct fake_engine *disk = rig.lanes[0].fake;
    assert_int_equal(rig_write(&rig, vol, 0, EXTENT_BYTES, 0x11), 0);
    uint64_t writes = fake_engine_count(disk, FAKE_WRITE);
    memset(sent, 0x22, EXTENT_BYTES);
    fake_engine_fail(disk, FAKE_READ, 1, -EIO, false);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_OR, 0, EXTENT_BYTES, sent), -EIO);
    assert_int_equal(fake_engine_count(disk, FAKE_WRITE), writes);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0x11));
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_OR, 0, EXTENT_BYTES, sent), 0);
    assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0x33)); /* the hold has gone */
}

/* ---- Power cuts
 * ----------------------------------------------------------------------*/

static void or_with(uint64_t at, uint64_t bytes, uint8_t fill, bool fua)
{
    struct rig_io io;
    rig_io_init(&io, &rig, 0, vol, VIO_OR, at, bytes);
    io.vio.fua = fua;
    memset(rig_io_data(&io), fill, bytes);
    rig_io_start(&io);
    assert_int_equal(rig_io_end(&io), 0);
}

/* The one with FUA is there; of the other each block is as before it or as after it. */
static void a_cut_leaves_blocks_of_before_or_after_an_or(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT_BYTES, 0x11), 0);
    assert_int_equal(rig_flush(&rig, vol), 0);
    or_with(SECTOR, 2 * EXTENT_BYTES - SECTOR, 0x22, true);
    or_with(2 * EXTENT_BYTES, 2 * EXTENT_BYTES, 0x44, false);
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    vol = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, vol, 0, SECTOR, 0x11));
    assert_true(rig_reads(&rig, vol, SECTOR, 2 * EXTENT_BYTES - SECTOR, 0x33));
    for (uint64_t at = 2 * EXTENT_BYTES; at < 4 * EXTENT_BYTES; at += BLOCK_BYTES)
        assert_true(rig_reads(&rig, vol, at, BLOCK_BYTES, 0x11) ||
                    rig_reads(&rig, vol, at, BLOCK_BYTES, 0x55));
}

int main(void)
{
#define OR_TEST(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SMALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)
#define CUT_TEST(name)   cmocka_unit_test_setup_teardown(name, setup_cut, teardown)
    const struct CMUnitTest tests[] = {
        OR_TEST(an_or_of_anything_is_what_was_there_ored),
        OR_TEST(an_or_leaves_the_other_owner_of_an_extent_alone),
        SMALL_TEST(an_or_without_space_changes_nothing_there),
        OR_TEST(an_or_that_cannot_read_writes_nothing),
        CUT_TEST(a_cut_leaves_blocks_of_before_or_after_an_or),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
