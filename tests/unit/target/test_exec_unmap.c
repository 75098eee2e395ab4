/* SPDX-License-Identifier: Apache-2.0 */
/* UNMAP and WRITE SAME: descriptors and patterns, their limits, their several I/Os. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <string.h>

static int setup_filled(void **state)
{
    struct rig *r = rig_create(512);
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    *state = r;
    return 0;
}

#define FILLED(name) cmocka_unit_test_setup_teardown(name, setup_filled, rig_teardown)

struct range {
    uint64_t lba;
    uint32_t blocks;
};

/* Runs UNMAP with these descriptors and whole lengths. */
static void run_unmap(struct rig *r, const struct range *ranges, unsigned count)
{
    uint32_t bytes = 8 + 16 * count;
    memset(r->out, 0, bytes);
    be16_store(r->out, (uint16_t)(bytes - 2));
    be16_store(r->out + 2, (uint16_t)(bytes - 8));
    for (unsigned i = 0; i < count; i++) {
        be64_store(r->out + 8 + 16 * i, ranges[i].lba);
        be32_store(r->out + 8 + 16 * i + 8, ranges[i].blocks);
    }
    r->out_bytes = bytes;
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, (uint8_t)(bytes >> 8), (uint8_t)bytes, 0);
}

static void expect_blocks(const struct rig *r, uint64_t lba, unsigned blocks,
                          uint8_t value)
{
    const uint8_t *at = r->volume->bytes + lba * 512;
    for (size_t i = 0; i < blocks * 512U; i++) {
        if (at[i] != value)
            fail_msg("byte %zu after LBA %llu is %02x", i, (unsigned long long)lba,
                     at[i]);
    }
}

static void unmapped_blocks_read_as_zeros_and_no_others_change(void **state)
{
    static const struct range ranges[] = {{128, 256}, {1000, 0}, {2049, 1}};
    struct rig *r = *state;
    run_unmap(r, ranges, ARRAY_LEN(ranges));
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 8 + 3 * 16);
    expect_blocks(r, 0, 128, 0x11);
    expect_blocks(r, 128, 256, 0);
    expect_blocks(r, 384, 2049 - 384, 0x11);
    expect_blocks(r, 2049, 1, 0);
    expect_blocks(r, 2050, 100, 0x11);
    assert_int_equal(fake_vio.count, 2);
    assert_int_equal(fake_vio.seen[0].op, VIO_UNMAP);
}

static void unmap_takes_256_descriptors_and_no_more(void **state)
{
    struct range ranges[257];
    struct rig *r = *state;
    for (unsigned i = 0; i < 257; i++)
        ranges[i] = (struct range){i * 8, 8};
    run_unmap(r, ranges, 257);
    rig_expect_sense(r, SENSE_INVALID_PARAM_FIELD);
    assert_int_equal(fake_vio.count, 0);
    run_unmap(r, ranges, 256);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 256);
    expect_blocks(r, 0, 2048, 0);
}

static void unmap_beyond_the_end_unmaps_nothing(void **state)
{
    static const struct range ranges[] = {{0, 8}, {32767, 2}};
    struct rig *r = *state;
    run_unmap(r, ranges, 2);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(fake_vio.count, 0);
}

static void unmap_without_a_list_or_descriptors_is_good(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    run_unmap(r, NULL, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
}

static void unmap_list_that_is_cut_is_refused(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0, 24);
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, 40, 0);
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
    rig_send_pattern(r, 0, 7);
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, 7, 0);
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
}

static void failed_range_ends_the_unmap(void **state)
{
    static const struct range ranges[] = {{0, 8}, {8, 8}, {16, 8}};
    struct rig *r = *state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        fake_vio_reset();
        fake_vio.fail_nth = nth;
        fake_vio.fail_rc = -EIO;
        run_unmap(r, ranges, 3);
        rig_expect_sense(r, SENSE_WRITE_ERROR);
        assert_int_equal(fake_vio.count, nth);
    }
}

static void anchor_is_refused(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x41, 0x10, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_cdb_field(r, 1);
    RIG_RUN(r, 0x42, 0x01, 0, 0, 0, 0, 0, 0, 24, 0);
    rig_expect_cdb_field(r, 1);
}

static void zeros_are_written_as_one_zero_io(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x41, 0x08, 0, 0, 0, 3, 0, 0x12, 0x34, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 512);
    assert_int_equal(fake_vio.count, 1);
    assert_int_equal(fake_vio.seen[0].op, VIO_ZERO);
    assert_true(fake_vio.seen[0].may_unmap);
    expect_blocks(r, 3, 0x1234, 0);
    expect_blocks(r, 3 + 0x1234, 1, 0x11);

    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 3, 0, 0, 1, 0);
    rig_expect_good(r);
    assert_false(fake_vio.seen[1].may_unmap);
}

static void no_data_out_means_zeros(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 0);
    expect_blocks(r, 3, 9, 0);
    expect_blocks(r, 12, 1, 0x11);
}

static void pattern_is_written_to_every_block_and_no_other(void **state)
{
    struct rig *r = *state;
    uint8_t block[512];
    uint32_t count = 2000; /* about 1 MB: several pieces */
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 7 + 1);
    rig_send(r, block, sizeof(block));
    RIG_RUN(r, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, (uint8_t)(count >> 8),
            (uint8_t)count, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 512);
    assert_true(fake_vio.count > 3);
    expect_blocks(r, 0, 5, 0x11);
    for (uint32_t i = 0; i < count; i++)
        assert_memory_equal(r->volume->bytes + (5 + i) * 512, block, 512);
    expect_blocks(r, 5 + count, 100, 0x11);
}

static void failed_piece_ends_the_pattern(void **state)
{
    struct rig *r = *state;
    fake_vio.fail_nth = 2;
    fake_vio.fail_rc = -ENOSPC;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0x10, 0, 0);
    rig_expect_sense(r, SENSE_NO_SPACE);
    assert_int_equal(fake_vio.count, 2);
}

static void write_same_of_no_blocks_goes_on_to_the_end(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0x22, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0x7f, 0x00, 0, 0, 0, 0);
    rig_expect_good(r);
    expect_blocks(r, 0x7eff, 1, 0x11);
    expect_blocks(r, 0x7f00, 0x100, 0x22);
    RIG_RUN(r, 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0); /* no data */
    rig_expect_good(r);
    expect_blocks(r, 0, 1, 0x11);
    expect_blocks(r, 1, 0x7fff, 0);
    unsigned done = fake_vio.count;
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0x80, 0, 0, 0, 0, 0); /* behind the last */
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(r->task.sense.info, 0x8000);
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x93, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(fake_vio.count, done);
}

/* The end may be further away than one command may go: SBC-4, 6.6.4. */
static void write_same_to_an_end_too_far_away_is_refused(void **state)
{
    struct rig *r = *state;
    uint64_t size = r->volume->size_bytes;
    r->volume->size_bytes = ((1ULL << 20) + 1) * 512;
    RIG_RUN(r, 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(r, 10);
    assert_int_equal(fake_vio.count, 0);
    r->volume->size_bytes = size;
}

static void write_same_of_too_many_blocks_is_refused(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
}

static void write_same_needs_exactly_one_block(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0, 256);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(r->task.transfer_bytes, 512);
    rig_send_pattern(r, 0, 1024);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(fake_vio.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILLED(unmapped_blocks_read_as_zeros_and_no_others_change),
        FILLED(unmap_takes_256_descriptors_and_no_more),
        FILLED(unmap_beyond_the_end_unmaps_nothing),
        FILLED(unmap_without_a_list_or_descriptors_is_good),
        FILLED(unmap_list_that_is_cut_is_refused),
        FILLED(failed_range_ends_the_unmap),
        FILLED(anchor_is_refused),
        FILLED(zeros_are_written_as_one_zero_io),
        FILLED(no_data_out_means_zeros),
        FILLED(pattern_is_written_to_every_block_and_no_other),
        FILLED(failed_piece_ends_the_pattern),
        FILLED(write_same_of_no_blocks_goes_on_to_the_end),
        FILLED(write_same_to_an_end_too_far_away_is_refused),
        FILLED(write_same_of_too_many_blocks_is_refused),
        FILLED(write_same_needs_exactly_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
