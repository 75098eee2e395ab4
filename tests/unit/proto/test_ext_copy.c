/* SPDX-License-Identifier: Apache-2.0 */
/* proto/ext_copy.h: lists as initiators send them, and each way to spoil one. */
#include "tests/unit/proto/unit.h"

#include "proto/ext_copy.h"
#include "tests/lib/copy_list.h"

static const uint8_t naa[16] = {0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* As QEMU's initiator lays it out: 2 units, a segment of 128 blocks, LIST ID USAGE
 * 10b. */
static const uint8_t qemu_list[] = {
    0x01, 0x10, 0x00, 0x40, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x1c, 0, 0, 0, 0,
    /* source */
    0xe4, 0x00, 0, 0, 0x01, 0x03, 0, 0x10, 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    13, 14, 15, 0, 0, 0, 0, 0x00, 0x00, 0x02, 0x00,
    /* destination */
    0xe4, 0x00, 0, 0, 0x01, 0x03, 0, 0x10, 0x61, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    13, 14, 15, 0, 0, 0, 0, 0x00, 0x00, 0x02, 0x00,
    /* block to block */
    0x02, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x01, 0, 0, 0x00, 0x80, 0, 0, 0, 0, 0, 0,
    0x01, 0x00, 0, 0, 0, 0, 0, 0, 0x02, 0x00};

static struct ext_copy_list list;
static struct copy_list made;
static struct sense sense;

static int decode(void)
{
    return ext_copy_decode(&list, made.bytes, made.at, made.lid4, &sense);
}

static void expect(enum sense_code code)
{
    assert_int_equal(decode(), -EINVAL);
    assert_int_equal(sense.code, code);
}

static void expect_field(unsigned byte, int bit)
{
    expect(SENSE_INVALID_PARAM_FIELD);
    assert_true(sense.has_field && !sense.field_in_cdb && !sense.field_in_segment);
    assert_int_equal(sense.field_byte, byte);
    assert_int_equal(sense.field_has_bit, bit >= 0);
    if (bit >= 0)
        assert_int_equal(sense.field_bit, bit);
}

/* One unit, one segment. */
static void make(void)
{
    copy_list_begin(&made, 7, 0);
    copy_list_unit(&made, naa, 512);
    copy_list_segment(&made, 0, 0, 8, 100, 200);
}

static void make_lid4(void)
{
    copy_list_begin_lid4(&made, 0x01020304, 0, true);
    copy_list_unit(&made, naa, 512);
    copy_list_segment(&made, 0, 0, 8, 100, 200);
}

static void what_qemu_sends_is_read(void **state)
{
    (void)state;
    assert_int_equal(ext_copy_decode(&list, qemu_list, sizeof(qemu_list), false, &sense),
                     0);
    assert_int_equal(list.id, 1);
    assert_true(list.has_id && !list.keeps_results && !list.immed);
    assert_int_equal(list.cscd_count, 2);
    assert_true(list.cscds[0].is_naa);
    assert_memory_equal(list.cscds[0].naa, naa, sizeof(naa));
    assert_int_equal(list.cscds[1].naa[0], 0x61);
    assert_int_equal(list.cscds[1].block_bytes, 512);
    assert_int_equal(list.segment_count, 1);
    const struct ext_copy_segment *s = &list.segments[0];
    assert_true(s->from == 0 && s->to == 1 && s->blocks == 128 && !s->counts_target);
    assert_true(s->from_lba == 256 && s->to_lba == 512);
}

static void a_list_of_lid4_is_read(void **state)
{
    (void)state;
    make_lid4();
    made.bytes[80 + 1] = 0x03; /* DC, CAT */
    assert_int_equal(decode(), 0);
    assert_int_equal(list.id, 0x01020304);
    assert_true(list.immed && list.has_id && list.keeps_results);
    assert_int_equal(list.cscd_count, 1);
    assert_int_equal(list.segment_count, 1);
    assert_true(list.segments[0].counts_target);
    assert_int_equal(list.segments[0].to_lba, 200);
}

static void identifiers_are_used_as_the_list_says(void **state)
{
    (void)state;
    make();
    made.bytes[1] = 2 << 3;
    assert_int_equal(decode(), 0);
    assert_true(list.has_id && !list.keeps_results);
    made.bytes[1] = 3 << 3;
    expect_field(0, -1); /* it has none, and tells 7 */
    made.bytes[0] = 0;
    assert_int_equal(decode(), 0);
    assert_false(list.has_id);
    made.bytes[1] = 1 << 3;
    expect_field(1, 4);
    made.bytes[1] = 0x27; /* STR, PRIORITY */
    assert_int_equal(decode(), 0);
    made.bytes[1] = 0x40;
    expect_field(1, 6);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    make();
    for (made.at = 0; made.at < 16 + 32 + 28; made.at++)
        expect(SENSE_PARAM_LIST_LENGTH);
    make_lid4();
    for (made.at = 0; made.at < 48 + 32 + 28; made.at++)
        expect(SENSE_PARAM_LIST_LENGTH);
    make();
    made.bytes[8] = 0xff;
    expect(SENSE_PARAM_LIST_LENGTH);
    make();
    made.bytes[3] = 16;
    made.bytes[11] += 16;
    expect_field(2, -1);
    make();
    made.bytes[11]--;
    expect_field(8, -1);
    make_lid4();
    made.bytes[45]--;
    expect_field(44, -1);
    make();
    made.bytes[15] = 4;
    expect(SENSE_INLINE_LENGTH);
    make_lid4();
    made.bytes[47] = 4;
    expect(SENSE_INLINE_LENGTH);
}

static void a_header_of_lid4_is_checked(void **state)
{
    static const struct {
        uint8_t byte, value;
        uint16_t field;
        int bit;
    } cases[] = {{0, 2, 0, -1},     {3, 0x1c, 2, -1},   {15, 0x03, 15, 1},
                 {15, 0x81, 15, 7}, {16, 0xe4, 16, -1}, {1, 0x18, 20, -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_lid4();
        made.bytes[cases[i].byte] = cases[i].value;
        expect_field(cases[i].field, cases[i].bit);
    }
}

static void descriptors_that_are_unknown_are_refused(void **state)
{
    (void)state;
    make();
    made.bytes[16] = 0xe0;
    expect(SENSE_CSCD_TYPE);
    make();
    made.bytes[48] = 0x0a;
    expect(SENSE_SEGMENT_TYPE);
    make();
    made.bytes[48 + 1] = 0x04; /* FCO */
    expect_field(49, 2);
    make();
    made.bytes[48 + 3] = 0x1c;
    expect_field(50, -1);
    make();
    made.bytes[16 + 1] = 0x20; /* NUL */
    expect_field(17, 5);
    make();
    made.bytes[16 + 7] = 21;
    expect_field(23, -1);
}

/* A name that no unit of ours has, a tape: the segment that needs it fails. */
static void other_names_of_units_are_read(void **state)
{
    (void)state;
    make();
    made.bytes[16 + 5] = 0x01; /* T10 */
    assert_int_equal(decode(), 0);
    assert_false(list.cscds[0].is_naa);
    make();
    made.bytes[16 + 7] = 8;
    assert_int_equal(decode(), 0);
    assert_false(list.cscds[0].is_naa);
    make();
    made.bytes[16 + 5] = 0x13; /* of a target port */
    assert_int_equal(decode(), 0);
    assert_false(list.cscds[0].is_naa);
    make();
    made.bytes[16 + 1] = 0xc1; /* LU ID TYPE, which is not for this kind; a tape */
    assert_int_equal(decode(), 0);
    assert_true(list.cscds[0].is_naa);
    assert_int_equal(list.cscds[0].device_type, 1);
}

static void more_than_is_told_to_be_possible_is_refused(void **state)
{
    (void)state;
    copy_list_begin(&made, 1, 0);
    for (unsigned i = 0; i < EXT_COPY_CSCDS_MAX; i++)
        copy_list_unit(&made, naa, 512);
    for (unsigned i = 0; i < EXT_COPY_SEGMENTS_MAX; i++)
        copy_list_segment(&made, 0, 0, 1, i, i);
    assert_int_equal(made.at, 16 + EXT_COPY_LIST_BYTES_MAX);
    assert_int_equal(decode(), 0);
    assert_int_equal(list.cscd_count, EXT_COPY_CSCDS_MAX);
    assert_int_equal(list.segment_count, EXT_COPY_SEGMENTS_MAX);
    assert_int_equal(list.segments[255].to_lba, 255);
    copy_list_segment(&made, 0, 0, 1, 0, 0);
    expect(SENSE_PARAM_LIST_LENGTH);

    copy_list_begin(&made, 1, 0);
    for (unsigned i = 0; i <= EXT_COPY_CSCDS_MAX; i++)
        copy_list_unit(&made, naa, 512);
    expect(SENSE_TOO_MANY_CSCDS);
    copy_list_begin(&made, 1, 0);
    for (unsigned i = 0; i <= EXT_COPY_SEGMENTS_MAX; i++)
        copy_list_segment(&made, 0, 0, 1, 0, 0);
    expect(SENSE_TOO_MANY_SEGMENTS);
}

static void a_list_may_be_empty(void **state)
{
    (void)state;
    copy_list_begin(&made, 1, 0);
    assert_int_equal(decode(), 0);
    assert_int_equal(list.cscd_count + list.segment_count, 0);
    made.at += 100; /* what follows is not looked at */
    assert_int_equal(decode(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_qemu_sends_is_read),
        cmocka_unit_test(a_list_of_lid4_is_read),
        cmocka_unit_test(identifiers_are_used_as_the_list_says),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(a_header_of_lid4_is_checked),
        cmocka_unit_test(descriptors_that_are_unknown_are_refused),
        cmocka_unit_test(other_names_of_units_are_read),
        cmocka_unit_test(more_than_is_told_to_be_possible_is_refused),
        cmocka_unit_test(a_list_may_be_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
