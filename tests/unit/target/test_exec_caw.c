/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE AND WRITE: both halves of its data, what a miscompare tells, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <string.h>

#define LAST ((16U << 20) / 512 - 1) /* the last LBA of a volume of 512-byte blocks */

#define CAW(r, flags, lba_1, lba_0, blocks)                                              \
    RIG_RUN(r, 0x89, flags, 0, 0, 0, 0, 0, 0, lba_1, lba_0, 0, 0, 0, blocks, 0, 0)

static void expect_all(const uint8_t *data, uint8_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (data[i] != value)
            fail_msg("byte %zu is %02x, expected %02x", i, data[i], value);
    }
}

/* Of the next command: what is expected there, what is to be written. */
static void send_halves(struct rig *r, uint8_t expected, uint8_t value, uint32_t bytes)
{
    static uint8_t data[64 << 10];
    memset(data, expected, bytes);
    memset(data + bytes, value, bytes);
    rig_send(r, data, 2 * bytes);
}

static void equal_blocks_are_written(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    send_halves(r, 0x11, 0x22, 3 * 512);
    CAW(r, 0x18, 0, 7, 3); /* DPO, FUA; over a block's edge */
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 2 * 3 * 512);
    expect_all(r->volume->bytes, 0x11, 7 * 512);
    expect_all(r->volume->bytes + 7 * 512, 0x22, 3 * 512);
    expect_all(r->volume->bytes + 10 * 512, 0x11, 512);
    assert_int_equal(fake_vio.count, 1); /* it is compared where it is held */
    assert_int_equal(fake_vio.seen[0].op, VIO_COMPARE_WRITE);
    assert_true(fake_vio.seen[0].fua);
    send_halves(r, 0x22, 0x33, 512);
    CAW(r, 0, 0, 7, 1);
    rig_expect_good(r);
    assert_false(fake_vio.seen[1].fua);
    expect_all(r->volume->bytes + 7 * 512, 0x33, 512);
}

static void blocks_of_4096_bytes_count_in_them(void **state)
{
    struct rig *r = *state;
    send_halves(r, 0, 0x5a, 2 * 4096);
    CAW(r, 0, 0, 3, 2);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 4 * 4096);
    expect_all(r->volume->bytes + 3 * 4096, 0x5a, 2 * 4096);
    expect_all(r->volume->bytes + 5 * 4096, 0, 4096);
}

static void a_miscompare_changes_nothing_and_names_its_first_byte(void **state)
{
    struct rig *r = *state;
    memset(r->volume->bytes, 0x11, r->volume->size_bytes);
    r->volume->bytes[9 * 512 + 13] = 0;
    r->volume->bytes[9 * 512 + 99] = 0;
    send_halves(r, 0x11, 0x22, 3 * 512);
    CAW(r, 0x08, 0, 7, 3);
    rig_expect_sense(r, SENSE_MISCOMPARE);
    assert_true(r->task.sense.has_info);
    assert_int_equal(r->task.sense.info, 2 * 512 + 13);
    assert_int_equal(r->task.transfer_bytes, 2 * 3 * 512);
    expect_all(r->volume->bytes, 0x11, 9 * 512 + 13);
    assert_int_equal(fake_vio.count, 1); /* nothing to flush */
}

static void no_blocks_are_good_without_anything(void **state)
{
    struct rig *r = *state;
    CAW(r, 0, 0, 7, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 0);
    CAW(r, 0, 0x80, 1, 0); /* not beyond the end */
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(fake_vio.count, 0);
}

static void a_range_or_field_that_is_wrong_is_told(void **state)
{
    struct rig *r = *state;
    send_halves(r, 0, 1, 2 * 512);
    CAW(r, 0, 0x7f, 0xff, 2);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    assert_int_equal(r->task.sense.info, LAST + 1);
    send_halves(r, 0, 1, 512);
    CAW(r, 0x20, 0, 0, 1); /* WRPROTECT */
    rig_expect_cdb_field(r, 1);
    assert_int_equal(fake_vio.count, 0);
}

/* Half of it is as little as none. */
static void less_data_than_it_says_writes_nothing(void **state)
{
    struct rig *r = *state;
    send_halves(r, 0, 1, 512);
    CAW(r, 0, 0, 0, 2);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(r->task.transfer_bytes, 4 * 512); /* for the residual */
    rig_send_pattern(r, 0, 512);
    CAW(r, 0, 0, 0, 1);
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    CAW(r, 0, 0, 0, 255); /* none at all */
    rig_expect_sense(r, SENSE_INVALID_IU_FIELD);
    assert_int_equal(r->task.transfer_bytes, 2 * 255 * 512);
    assert_int_equal(fake_vio.count, 0);
}

/* 256 blocks, of which its CDB says 0, among them. */
static void more_data_than_it_says_is_refused(void **state)
{
    struct rig *r = *state;
    send_halves(r, 0, 1, 2 * 512);
    CAW(r, 0, 0, 0, 1);
    rig_expect_cdb_field(r, 13);
    assert_int_equal(r->task.transfer_bytes, 2 * 512);
    send_halves(r, 0, 1, 512);
    CAW(r, 0, 0, 0, 0);
    rig_expect_cdb_field(r, 13);
    assert_int_equal(r->task.transfer_bytes, 0);
    assert_int_equal(fake_vio.count, 0);
}

static void failures_of_the_volume_become_their_sense(void **state)
{
    static const struct {
        int rc;
        enum sense_code code;
    } cases[] = {
        {-ENOSPC, SENSE_NO_SPACE}, {-EIO, SENSE_WRITE_ERROR}, {-ERANGE, SENSE_LBA_RANGE}};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        send_halves(r, 0, 1, 512);
        fake_vio.fail_nth = 1;
        fake_vio.fail_rc = cases[i].rc;
        CAW(r, 0, 0, 0, 1);
        rig_expect_sense(r, cases[i].code);
    }
    send_halves(r, 0, 1, 512);
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -ENOMEM;
    CAW(r, 0, 0, 0, 1);
    assert_int_equal(r->task.status, SAM_BUSY);
}

/* Before anything is compared. */
static void a_protected_unit_refuses_it(void **state)
{
    struct rig *r = *state;
    r->lus[0].read_only = true;
    send_halves(r, 9, 1, 512);
    CAW(r, 0, 0, 0, 1);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    CAW(r, 0, 0, 0, 0); /* nothing */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
}

static void without_a_write_cache_it_is_durable_before_its_answer(void **state)
{
    struct rig *r = *state;
    const uint8_t list[4 + 20] = {[4] = 0x08, 0x12};
    rig_send(r, list, sizeof(list));
    RIG_RUN(r, 0x15, 0x10, 0, 0, sizeof(list), 0); /* MODE SELECT(6): WCE 0 */
    rig_expect_good(r);
    unsigned before = fake_vio.count;
    send_halves(r, 0, 1, 512);
    CAW(r, 0, 0, 0, 1);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, before + 1);
    assert_true(fake_vio.seen[before].fua);
}

static void it_counts_against_limits_as_what_it_writes(void **state)
{
    struct rig *r = *state;
    uint64_t bytes = 0;
    send_halves(r, 0, 1, 3 * 512);
    CAW(r, 0, 0, 0, 3);
    rig_expect_good(r);
    assert_true(exec_is_limited(&r->task, &bytes));
    assert_int_equal(bytes, 3 * 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_512(equal_blocks_are_written),
        ON_4096(blocks_of_4096_bytes_count_in_them),
        ON_512(a_miscompare_changes_nothing_and_names_its_first_byte),
        ON_512(no_blocks_are_good_without_anything),
        ON_512(a_range_or_field_that_is_wrong_is_told),
        ON_512(less_data_than_it_says_writes_nothing),
        ON_512(more_data_than_it_says_is_refused),
        ON_512(failures_of_the_volume_become_their_sense),
        ON_512(a_protected_unit_refuses_it),
        ON_512(without_a_write_cache_it_is_durable_before_its_answer),
        ON_512(it_counts_against_limits_as_what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
