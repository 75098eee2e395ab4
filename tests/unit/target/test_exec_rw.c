/* SPDX-License-Identifier: Apache-2.0 */
/* READ, WRITE, ORWRITE, VERIFY, WRITE AND VERIFY, SYNCHRONIZE CACHE and PRE-FETCH: what
 * moves, what is refused and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <string.h>

#define LAST ((16U << 20) / 512 - 1) /* the last LBA of a volume of 512-byte blocks */

static void expect_all(const uint8_t *data, uint8_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != value)
            fail_msg("byte %zu is %02x, expected %02x", i, data[i], value);
    }
}

static void written_blocks_are_read_back_and_no_others_change(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    rig_send_pattern(r, 0xab, 3 * 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 7, 0, 0, 3, 0); /* WRITE(10) 7..9: over a block's edge */
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 3 * 512);
    expect_all(r->volume->bytes, 0x11, 7 * 512);
    expect_all(r->volume->bytes + 7 * 512, 0xab, 3 * 512);
    expect_all(r->volume->bytes + 10 * 512, 0x11, 100 * 512);

    RIG_RUN(r, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0); /* READ(16) 6..10 */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 5 * 512);
    assert_int_equal(r->task.transfer_bytes, 5 * 512);
    expect_all(r->task.data_in, 0x11, 512);
    expect_all(r->task.data_in + 512, 0xab, 3 * 512);
    expect_all(r->task.data_in + 4 * 512, 0x11, 512);
}

static void six_byte_length_0_means_256_blocks(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x08, 0, 0, 1, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 256 * 512);
}

static void ten_byte_length_0_moves_nothing(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 1, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 0);
    assert_int_equal(fake_vio.count, 0);
}

static void volume_of_4096_byte_blocks_counts_in_them(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0x5a, 4096);
    RIG_RUN(r, 0xaa, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0); /* WRITE(12) 3 */
    rig_expect_good(r);
    expect_all(r->volume->bytes + 3 * 4096, 0x5a, 4096);
    RIG_RUN(r, 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0);
    rig_expect_good(r);
    expect_all(r->task.data_in, 0x5a, 4096);
}

static void range_beyond_the_end_is_refused_with_its_first_lba(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x28, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_true(r->task.sense.has_info);
    assert_int_equal(r->task.sense.info, LAST + 1);
    RIG_RUN(r, 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    RIG_RUN(r, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    RIG_RUN(r, 0x35, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0); /* SYNCHRONIZE CACHE(10) */
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(fake_vio.count, 0);
}

static void longer_than_the_maximum_transfer_is_refused(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0); /* 8192 blocks: 4 MiB */
    rig_expect_good(r);
    RIG_RUN(r, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 0, 0);
    rig_expect_cdb_field(r, 6);
}

static void protection_information_is_refused(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_cdb_field(r, 1);
}

static void fua_write_is_durable_before_its_answer(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0x18, 0, 0, 0, 0, 0, 0, 1, 0); /* DPO, FUA */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
    assert_true(fake_vio.seen[0].fua);
}

static void fua_read_flushes_first(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x28, 0x08, 0, 0, 0, 5, 0, 0, 1, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 2);
    assert_int_equal(fake_vio.seen[0].op, VIO_FLUSH);
    assert_int_equal(fake_vio.seen[1].op, VIO_READ);
    assert_int_equal(fake_vio.seen[1].offset_bytes, 5 * 512);
    assert_int_equal(r->task.data_in_bytes, 512);
}

static void write_with_less_data_than_it_says_writes_what_came(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 1024); /* the residual: 512 over */
    expect_all(r->volume->bytes, 1, 512);
    expect_all(r->volume->bytes + 512, 0, 512);
}

static void write_without_data_that_says_some_writes_nothing(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 1024);
    assert_int_equal(fake_vio.count, 0);
}

static void write_with_part_of_a_block_is_refused(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 1, 700);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(r->task.transfer_bytes, 1024);
    assert_int_equal(fake_vio.count, 0);
}

static void write_with_more_data_than_it_says_takes_its_own(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 9, 1024);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 512);
    expect_all(r->volume->bytes, 9, 512);
    expect_all(r->volume->bytes + 512, 0, 512);
}

static void read_only_mapping_refuses_writes_and_takes_reads(void **state)
{
    struct rig *r = *state;
    r->lus[0].read_only = true;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0); /* without its data-out */
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    assert_int_equal(r->task.transfer_bytes, 0);
    assert_int_equal(fake_vio.count, 0);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_good(r);
    RIG_RUN(r, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(r);
}

static void what_is_wrong_in_itself_is_told_so_on_a_read_only_mapping(void **state)
{
    struct rig *r = *state;
    r->lus[0].read_only = true;
    rig_send_pattern(r, 1, 2 * 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0x20, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_cdb_field(r, 1);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* no blocks: nothing is written */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
}

static void failures_of_the_disk_become_their_sense(void **state)
{
    static const struct {
        uint8_t opcode;
        int rc;
        enum sense_code code;
    } cases[] = {
        {0x28, -EIO, SENSE_READ_ERROR},          {0x2a, -EIO, SENSE_WRITE_ERROR},
        {0x2a, -ENOSPC, SENSE_NO_SPACE},         {0x35, -EIO, SENSE_WRITE_ERROR},
        {0x2a, -EINVAL, SENSE_INTERNAL_FAILURE}, {0x28, -ERANGE, SENSE_LBA_RANGE},
        {0x2a, -ERANGE, SENSE_LBA_RANGE},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_vio.fail_nth = 1;
        fake_vio.fail_rc = cases[i].rc;
        rig_send_pattern(r, 1, 512);
        RIG_RUN(r, cases[i].opcode, 0, 0, 0, 0, 0, 0, 0, 1, 0);
        rig_expect_sense(r, cases[i].code);
        assert_int_equal(r->task.data_in_bytes, 0);
    }
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -ENOMEM;
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    assert_int_equal(r->task.status, SAM_BUSY);
}

static void failed_flush_ends_a_fua_read(void **state)
{
    struct rig *r = *state;
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EIO;
    RIG_RUN(r, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_ERROR);
    assert_int_equal(fake_vio.count, 1);
}

/* ---- WRITE ATOMIC(16) ---------------------------------------------------------------
 */

#define ATOMIC(r, flags, lba_1, lba_0, blocks_1, blocks_0)                               \
    RIG_RUN(r, 0x9c, flags, 0, 0, 0, 0, 0, 0, lba_1, lba_0, 0, 0, blocks_1, blocks_0, 0, \
            0)

static void an_atomic_write_is_one_atomic_vio(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 16 * 512);
    ATOMIC(r, 0, 0, 8, 0, 16);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 16 * 512);
    assert_int_equal(fake_vio.count, 1);
    assert_true(fake_vio.seen[0].atomic);
    assert_false(fake_vio.seen[0].fua);
    assert_int_equal(fake_vio.seen[0].offset_bytes, 8 * 512);
    expect_all(r->volume->bytes + 8 * 512, 0xab, 16 * 512);
    expect_all(r->volume->bytes + 24 * 512, 0, 8 * 512);
    rig_send_pattern(r, 0xcd, 8 * 512);
    ATOMIC(r, 0x18, 0, 0, 0, 8); /* DPO, FUA */
    rig_expect_good(r);
    assert_true(fake_vio.seen[1].fua && fake_vio.seen[1].atomic);
    rig_send_pattern(r, 1, 512); /* the next one is none */
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_good(r);
    assert_false(fake_vio.seen[2].atomic);
}

static void an_atomic_write_of_4096_byte_blocks_may_begin_anywhere(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 4096);
    ATOMIC(r, 0, 0, 3, 0, 1);
    rig_expect_good(r);
    expect_all(r->volume->bytes + 3 * 4096, 0xab, 4096);
    ATOMIC(r, 0, 0, 0, 1, 1); /* 257 blocks: more than 1 MiB */
    rig_expect_cdb_field(r, 12);
}

static void an_atomic_write_outside_its_limits_is_refused(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 8 * 512);
    ATOMIC(r, 0, 0, 1, 0, 8);
    rig_expect_cdb_field(r, 2);
    ATOMIC(r, 0, 0, 0, 0, 7);
    rig_expect_cdb_field(r, 12);
    ATOMIC(r, 0, 0, 0, 8, 8); /* 2056 blocks */
    rig_expect_cdb_field(r, 12);
    RIG_RUN(r, 0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 8, 0, 0); /* ATOMIC BOUNDARY */
    rig_expect_cdb_field(r, 11);
    ATOMIC(r, 0x20, 0, 0, 0, 8); /* WRPROTECT */
    rig_expect_cdb_field(r, 1);
    ATOMIC(r, 0, 0x7f, 0xf8, 0, 16); /* beyond the end, before anything of its length */
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(r->task.sense.info, LAST + 1);
    ATOMIC(r, 0, 0x7f, 0xf9, 16, 1);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(fake_vio.count, 0);
    ATOMIC(r, 0, 0, 1, 0, 0); /* nothing to align */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
}

/* A plain write writes what came. */
static void an_atomic_write_with_less_data_than_it_says_writes_nothing(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 8 * 512);
    ATOMIC(r, 0, 0, 0, 0, 16);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(r->task.transfer_bytes, 16 * 512); /* for the residual */
    ATOMIC(r, 0, 0, 0, 0, 16);                          /* none at all */
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(fake_vio.count, 0);
}

static void an_atomic_write_with_more_data_takes_its_own(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 16 * 512);
    ATOMIC(r, 0, 0, 0, 0, 8);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 8 * 512);
    expect_all(r->volume->bytes, 0xab, 8 * 512);
    expect_all(r->volume->bytes + 8 * 512, 0, 8 * 512);
}

static void an_atomic_write_is_refused_as_a_write_is(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 8 * 512);
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -ENOSPC;
    ATOMIC(r, 0, 0, 0, 0, 8);
    rig_expect_sense(r, SENSE_NO_SPACE);
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EIO;
    rig_send_pattern(r, 0xab, 8 * 512);
    ATOMIC(r, 0, 0, 0, 0, 8);
    rig_expect_sense(r, SENSE_WRITE_ERROR);
    r->lus[0].read_only = true;
    rig_send_pattern(r, 0xab, 8 * 512);
    ATOMIC(r, 0, 0, 0, 0, 8);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    assert_int_equal(fake_vio.count, 2);
}

/* ---- ORWRITE(16) ---------------------------------------------------------------------
 */

static void orwrite_adds_its_bits_to_what_is_there(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    rig_send_pattern(r, 0x22, 3 * 512);
    RIG_RUN(r, 0x8b, 0x18, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0); /* DPO, FUA */
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 3 * 512);
    expect_all(r->volume->bytes, 0x11, 7 * 512);
    expect_all(r->volume->bytes + 7 * 512, 0x33, 3 * 512);
    expect_all(r->volume->bytes + 10 * 512, 0x11, 512);
    assert_int_equal(fake_vio.count, 1); /* what is read is read where it is held */
    assert_int_equal(fake_vio.seen[0].op, VIO_OR);
    assert_true(fake_vio.seen[0].fua);
    assert_int_equal(r->task.buffer_bytes, 2 * vio_buffer_bytes(7 * 512, 3 * 512));
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0); /* no blocks */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
}

static void orwrite_is_held_to_what_a_write_is(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 512); /* two blocks, one comes */
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 2 * 512);
    expect_all(r->volume->bytes, 0xab, 512);
    expect_all(r->volume->bytes + 512, 0, 512);
    rig_send_pattern(r, 0xab, 2 * 512); /* one block, two come */
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 512);
    expect_all(r->volume->bytes + 512, 0, 512);
    unsigned done = fake_vio.count;
    rig_send_pattern(r, 1, 700);
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x8b, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    rig_expect_cdb_field(r, 1);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 0, 0);
    rig_expect_cdb_field(r, 10); /* more than the maximum transfer */
    rig_send_pattern(r, 1, 2 * 512);
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0, 0, 2, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(r->task.sense.info, LAST + 1);
    r->lus[0].read_only = true;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    assert_int_equal(fake_vio.count, done);
}

/* ---- VERIFY --------------------------------------------------------------------------
 */

static void verify_compares_and_names_the_first_difference(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes + 3 * 512, 0x77, 2 * 512);
    rig_send_pattern(r, 0x77, 2 * 512);
    RIG_RUN(r, 0x2f, 0x02, 0, 0, 0, 3, 0, 0, 2, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 2 * 512);

    r->volume->bytes[4 * 512 + 9] = 0x78;
    rig_send_pattern(r, 0x77, 2 * 512);
    RIG_RUN(r, 0x8f, 0x02, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0);
    rig_expect_sense(r, SENSE_MISCOMPARE);
    assert_int_equal(r->task.sense.info, 512 + 9);

    rig_send_pattern(r, 0x77, 512); /* BYTCHK 3: one block against each */
    RIG_RUN(r, 0xaf, 0x06, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0);
    rig_expect_sense(r, SENSE_MISCOMPARE);
    assert_int_equal(r->task.sense.info, 512 + 9);
}

static void verify_without_data_checks_the_range_alone(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x2f, 0, 0, 0, 0, 3, 0, 0, 2, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
    RIG_RUN(r, 0x2f, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
}

static void write_and_verify_writes_durably_then_compares(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    rig_send_pattern(r, 0xab, 3 * 512);
    RIG_RUN(r, 0x2e, 0x02, 0, 0, 0, 7, 0, 0, 3, 0); /* over a block's edge */
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 3 * 512);
    expect_all(r->volume->bytes + 6 * 512, 0x11, 512);
    expect_all(r->volume->bytes + 7 * 512, 0xab, 3 * 512);
    expect_all(r->volume->bytes + 10 * 512, 0x11, 512);
    assert_int_equal(fake_vio.count, 2);
    assert_int_equal(fake_vio.seen[0].op, VIO_WRITE);
    assert_true(fake_vio.seen[0].fua);
    assert_int_equal(fake_vio.seen[1].op, VIO_READ);
    assert_int_equal(fake_vio.seen[1].offset_bytes, 7 * 512);
    assert_int_equal(fake_vio.seen[1].length_bytes, 3 * 512);

    rig_send_pattern(r, 0xcd, 512); /* BYTCHK 0: nothing to compare */
    RIG_RUN(r, 0xae, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 512);
    assert_int_equal(fake_vio.count, 3);
    assert_true(fake_vio.seen[2].fua);
}

static void write_and_verify_names_what_was_not_kept(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0xab, r->volume->size_bytes);
    r->volume->bytes[8 * 512 + 9] = 0;
    fake_vio.loses_writes = true;
    rig_send_pattern(r, 0xab, 3 * 512);
    RIG_RUN(r, 0x8e, 0x02, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0);
    rig_expect_sense(r, SENSE_MISCOMPARE);
    assert_int_equal(r->task.sense.info, 512 + 9);
}

static void write_and_verify_is_held_to_what_a_write_is(void **state)
{
    struct rig *r = *state;
    rig_send_pattern(r, 0xab, 512); /* two blocks, one comes */
    RIG_RUN(r, 0x2e, 0x02, 0, 0, 0, 0, 0, 0, 2, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 2 * 512);
    expect_all(r->volume->bytes, 0xab, 512);
    expect_all(r->volume->bytes + 512, 0, 512);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2e, 0x06, 0, 0, 0, 0, 0, 0, 1, 0); /* BYTCHK 3 is VERIFY's */
    rig_expect_cdb_field(r, 1);
    rig_send_pattern(r, 1, 2 * 512);
    RIG_RUN(r, 0x2e, 0x02, 0, 0, 0x7f, 0xff, 0, 0, 2, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    r->lus[0].read_only = true;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
}

static void write_and_verify_that_cannot_write_reads_nothing(void **state)
{
    struct rig *r = *state;
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EIO;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2e, 0x02, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_ERROR);
    assert_int_equal(fake_vio.count, 1);
    fake_vio.fail_nth = 2;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2e, 0x02, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_READ_ERROR);
}

static void synchronize_cache_flushes_the_volume(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
    assert_int_equal(fake_vio.seen[0].op, VIO_FLUSH);
    assert_int_equal(fake_vio.seen[0].length_bytes, 0); /* fits, however it shrinks */
}

/* Nothing that is read is kept, so nothing is fetched, and the answer is not CONDITION
 * MET. */
static void prefetch_checks_the_range_and_is_good(void **state)
{
    struct rig *r = *state;
    for (uint8_t immed = 0; immed <= 2; immed += 2) {
        RIG_RUN(r, 0x34, immed, 0, 0, 0, 7, 3, 0, 8, 0);
        rig_expect_good(r);
        RIG_RUN(r, 0x34, immed, 0, 0, 0, 7, 0, 0, 0, 0); /* to the end */
        rig_expect_good(r);
        RIG_RUN(r, 0x34, immed, 0, 0, 0x7f, 0xff, 0, 0, 2, 0);
        rig_expect_sense(r, SENSE_LBA_RANGE);
        assert_int_equal(r->task.sense.info, LAST + 1);
        RIG_RUN(r, 0x90, immed, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0);
        rig_expect_good(r);
        RIG_RUN(r, 0x90, immed, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        rig_expect_sense(r, SENSE_LBA_RANGE);
    }
    assert_int_equal(fake_vio.count, 0);
    r->lus[0].read_only = true;
    RIG_RUN(r, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0);
    rig_expect_good(r);
}

static void lba_status_of_a_unit_that_shrank_since_is_refused(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    rig_expect_good(r);
    r->volume->size_bytes = 256 * SECTOR_BYTES; /* beside a command of which nothing but
                                                   the start is left */
    assert_int_equal(exec_start(&r->task), EXEC_DONE);
    rig_expect_sense(r, SENSE_LBA_RANGE);
}

static void lba_status_begins_at_the_lba_and_ends_with_the_unit(void **state)
{
    struct rig *r = *state;
    /* From LBA 129, one past the start of extent 1; room for three descriptors. */
    RIG_RUN(r, 0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 129, 0, 0, 0, 8 + 3 * 16, 0, 0);
    rig_expect_good(r);
    const uint8_t *d = r->task.data_in;
    assert_int_equal(r->task.data_in_bytes, 8 + 3 * 16);
    assert_int_equal(be32_load(d),
                     4 + 64 * 16); /* all there are, cut by the allocation */
    assert_int_equal(be64_load(d + 8), 129);
    assert_int_equal(be32_load(d + 16), 127);
    assert_int_equal(d[20], 0); /* mapped */
    assert_int_equal(be64_load(d + 24), 256);
    assert_int_equal(be32_load(d + 32), 128);
    assert_int_equal(d[36], 1); /* deallocated */

    uint32_t last = LAST;
    RIG_RUN(r, 0x9e, 0x12, 0, 0, 0, 0, (uint8_t)(last >> 24), (uint8_t)(last >> 16),
            (uint8_t)(last >> 8), (uint8_t)last, 0, 0, 1, 0, 0, 0);
    rig_expect_good(r);
    d = r->task.data_in;
    assert_int_equal(r->task.data_in_bytes, 8 + 16);
    assert_int_equal(be32_load(d + 16), 1);

    last++;
    RIG_RUN(r, 0x9e, 0x12, 0, 0, 0, 0, (uint8_t)(last >> 24), (uint8_t)(last >> 16),
            (uint8_t)(last >> 8), (uint8_t)last, 0, 0, 1, 0, 0, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_512(written_blocks_are_read_back_and_no_others_change),
        ON_512(six_byte_length_0_means_256_blocks),
        ON_512(ten_byte_length_0_moves_nothing),
        ON_4096(volume_of_4096_byte_blocks_counts_in_them),
        ON_512(range_beyond_the_end_is_refused_with_its_first_lba),
        ON_512(longer_than_the_maximum_transfer_is_refused),
        ON_512(protection_information_is_refused),
        ON_512(fua_write_is_durable_before_its_answer),
        ON_512(fua_read_flushes_first),
        ON_512(write_with_less_data_than_it_says_writes_what_came),
        ON_512(write_without_data_that_says_some_writes_nothing),
        ON_512(write_with_part_of_a_block_is_refused),
        ON_512(write_with_more_data_than_it_says_takes_its_own),
        ON_512(read_only_mapping_refuses_writes_and_takes_reads),
        ON_512(what_is_wrong_in_itself_is_told_so_on_a_read_only_mapping),
        ON_512(failures_of_the_disk_become_their_sense),
        ON_512(failed_flush_ends_a_fua_read),
        ON_512(an_atomic_write_is_one_atomic_vio),
        ON_4096(an_atomic_write_of_4096_byte_blocks_may_begin_anywhere),
        ON_512(an_atomic_write_outside_its_limits_is_refused),
        ON_512(an_atomic_write_with_less_data_than_it_says_writes_nothing),
        ON_512(an_atomic_write_with_more_data_takes_its_own),
        ON_512(an_atomic_write_is_refused_as_a_write_is),
        ON_512(orwrite_adds_its_bits_to_what_is_there),
        ON_512(orwrite_is_held_to_what_a_write_is),
        ON_512(verify_compares_and_names_the_first_difference),
        ON_512(verify_without_data_checks_the_range_alone),
        ON_512(write_and_verify_writes_durably_then_compares),
        ON_512(write_and_verify_names_what_was_not_kept),
        ON_512(write_and_verify_is_held_to_what_a_write_is),
        ON_512(write_and_verify_that_cannot_write_reads_nothing),
        ON_512(synchronize_cache_flushes_the_volume),
        ON_512(prefetch_checks_the_range_and_is_good),
        ON_512(lba_status_of_a_unit_that_shrank_since_is_refused),
        ON_512(lba_status_begins_at_the_lba_and_ends_with_the_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
