/* SPDX-License-Identifier: Apache-2.0 */
/* base/be.h, base/wire.h and base/checked.h: byte order, bounded cursors, checked sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/wire.h"

static void numbers_lie_most_significant_byte_first(void **state)
{
    uint8_t buf[32];
    static const uint8_t want[] = {0x12, 0x01, 0x02, 0xaa, 0xbb, 0xcc, 1, 2, 3,
                                   4,    1,    2,    3,    4,    5,    6, 7, 8};
    struct wire w;
    (void)state;
    wire_init(&w, buf, sizeof(buf));
    wire_put_u8(&w, 0x12);
    wire_put_be16(&w, 0x0102);
    wire_put_be24(&w, 0xaabbcc);
    wire_put_be32(&w, 0x01020304);
    wire_put_be64(&w, 0x0102030405060708);
    assert_int_equal(wire_stored(&w), sizeof(want));
    assert_memory_equal(buf, want, sizeof(want));

    struct wire_in r;
    wire_in_init(&r, buf, wire_stored(&w));
    assert_int_equal(wire_take_u8(&r), 0x12);
    assert_int_equal(wire_take_be16(&r), 0x0102);
    assert_int_equal(wire_take_be24(&r), 0xaabbcc);
    assert_int_equal(wire_take_be32(&r), 0x01020304);
    assert_int_equal(wire_take_be64(&r), 0x0102030405060708);
    assert_int_equal(wire_in_left(&r), 0);
    assert_int_equal(wire_in_rc(&r), 0);
}

static void writer_counts_what_does_not_fit(void **state)
{
    uint8_t buf[8];
    struct wire w;
    (void)state;
    memset(buf, 0xee, sizeof(buf));
    wire_init(&w, buf, 5);
    wire_put_be32(&w, 0x01020304);
    assert_int_equal(wire_rc(&w), 0);
    wire_put_be32(&w, 0x05060708);
    wire_put_zeros(&w, 100);
    wire_put_padded(&w, "abc", 8);
    assert_int_equal(wire_rc(&w), -ENOSPC);
    assert_int_equal(w.at, 116);
    assert_int_equal(wire_stored(&w), 5);
    assert_int_equal(buf[4], 5);
    assert_int_equal(buf[5], 0xee);
}

static void writer_of_nothing_counts_alone(void **state)
{
    struct wire w;
    (void)state;
    wire_init(&w, NULL, 0);
    wire_put_be64(&w, 1);
    wire_patch_be16(&w, 2, 7);
    assert_int_equal(w.at, 8);
    assert_int_equal(wire_stored(&w), 0);
}

static void patch_across_the_limit_writes_the_part_inside(void **state)
{
    uint8_t buf[4] = {0};
    struct wire w;
    (void)state;
    wire_init(&w, buf, 3);
    wire_put_zeros(&w, 8);
    wire_patch_be32(&w, 1, 0x0a0b0c0d);
    static const uint8_t want[] = {0, 0x0a, 0x0b, 0};
    assert_memory_equal(buf, want, sizeof(want));
    wire_patch_u8(&w, 0, 0x99);
    assert_int_equal(buf[0], 0x99);
}

static void padded_text_is_cut_or_filled_with_blanks(void **state)
{
    uint8_t buf[8];
    struct wire w;
    (void)state;
    wire_init(&w, buf, sizeof(buf));
    wire_put_padded(&w, "ab", 4);
    wire_put_padded(&w, "abcdef", 4);
    assert_memory_equal(buf, "ab  abcd", 8);
}

static void reader_stays_failed_after_a_short_take(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct wire_in r;
    (void)state;
    wire_in_init(&r, bytes, sizeof(bytes));
    assert_int_equal(wire_take_be32(&r), 0);
    assert_int_equal(wire_in_rc(&r), -EBADMSG);
    assert_int_equal(wire_take_u8(&r), 0);
    assert_int_equal(wire_in_left(&r), 0);
    assert_null(wire_take_bytes(&r, 1));
}

static void empty_buffer_reads_as_empty(void **state)
{
    struct wire_in r;
    (void)state;
    wire_in_init(&r, NULL, 0);
    assert_non_null(wire_take_bytes(&r, 0));
    assert_int_equal(wire_in_rc(&r), 0);
    wire_skip(&r, 1);
    assert_int_equal(wire_in_rc(&r), -EBADMSG);
}

static void sums_that_do_not_fit_are_told(void **state)
{
    uint32_t a;
    uint64_t b;
    size_t c;
    (void)state;
    assert_false(ckd_add_u32(&a, 1, 2));
    assert_int_equal(a, 3);
    assert_true(ckd_add_u32(&a, UINT32_MAX, 1));
    assert_true(ckd_add_u64(&b, UINT64_MAX, 1));
    assert_true(ckd_mul_u64(&b, UINT64_MAX, 2));
    assert_true(ckd_add_size(&c, SIZE_MAX, 1));
    assert_true(ckd_mul_size(&c, SIZE_MAX, 2));
}

static void range_fits_without_overflow(void **state)
{
    (void)state;
    assert_true(range_fits_u64(0, 10, 10));
    assert_true(range_fits_u64(10, 0, 10));
    assert_false(range_fits_u64(11, 0, 10));
    assert_false(range_fits_u64(1, 10, 10));
    assert_false(range_fits_u64(UINT64_MAX, 2, 10));
    assert_false(range_fits_u64(2, UINT64_MAX, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_lie_most_significant_byte_first),
        cmocka_unit_test(writer_counts_what_does_not_fit),
        cmocka_unit_test(writer_of_nothing_counts_alone),
        cmocka_unit_test(patch_across_the_limit_writes_the_part_inside),
        cmocka_unit_test(padded_text_is_cut_or_filled_with_blanks),
        cmocka_unit_test(reader_stays_failed_after_a_short_take),
        cmocka_unit_test(empty_buffer_reads_as_empty),
        cmocka_unit_test(sums_that_do_not_fit_are_told),
        cmocka_unit_test(range_fits_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
