/* SPDX-License-Identifier: Apache-2.0 */
/* proto/sense.h: both formats byte by byte, and read back as written. */
#include "tests/unit/proto/unit.h"

#include "proto/pdu.h"
#include "proto/sense.h"
#include "tests/unit/proto/golden.h"

static void fixed_sense_names_the_field(void **state)
{
    static const uint8_t want[SENSE_FIXED_BYTES] = {
        0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0x00, 0, 0xcf, 0, 1};
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    assert_int_equal(sense_set_cdb(&s, 1, 7), -EINVAL);
    assert_int_equal(sense_encode(&s, false, out), sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
}

static void fixed_sense_of_a_parameter_has_no_bit(void **state)
{
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    sense_set_param(&s, 0x102, SENSE_NO_BIT);
    sense_encode(&s, false, out);
    assert_int_equal(out[12], 0x26);
    static const uint8_t want[] = {0x80, 0x01, 0x02};
    assert_memory_equal(out + 15, want, sizeof(want));
}

static void fixed_sense_has_32_bits_of_information(void **state)
{
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    sense_set_info(&s, SENSE_LBA_RANGE, 0x01020304);
    sense_encode(&s, false, out);
    static const uint8_t want[] = {0xf0, 0, 5, 1, 2, 3, 4, 10};
    assert_memory_equal(out, want, sizeof(want));
    sense_set_info(&s, SENSE_LBA_RANGE, (uint64_t)1 << 32);
    sense_encode(&s, false, out);
    assert_int_equal(out[0], 0x70);
    assert_int_equal(out[3] | out[4] | out[5] | out[6], 0);
}

static void descriptor_sense_has_all(void **state)
{
    static const uint8_t want[] = {0x72, 0x05, 0x24, 0x00, 0,    0,    0, 20, 0x00, 0x0a,
                                   0x80, 0,    0,    0,    0,    1,    2, 3,  4,    5,
                                   2,    6,    0,    0,    0xc8, 0x00, 2, 0};
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    sense_set_cdb(&s, 2, 0);
    s.has_info = true;
    s.info = 0x0102030405;
    assert_int_equal(sense_encode(&s, true, out), sizeof(want));
    assert_memory_equal(out, want, sizeof(want));
}

/* SPC-5, 4.5.2.4.6: SKSV, then the progress. */
static void sense_of_not_ready_has_progress(void **state)
{
    static const uint8_t fixed[] = {0x70, 0, 0x02, 0, 0,    0, 0,    10,   0,
                                    0,    0, 0,    4, 0x1b, 0, 0x80, 0x40, 0x01};
    static const uint8_t descriptor[] = {0x72, 0x02, 4, 0x1b, 0,    0,    0,    8,
                                         2,    6,    0, 0,    0x80, 0x40, 0x01, 0};
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    sense_set_progress(&s, SENSE_SANITIZE_IN_PROGRESS, 0x4001);
    assert_int_equal(sense_encode(&s, false, out), sizeof(fixed));
    assert_memory_equal(out, fixed, sizeof(fixed));
    assert_int_equal(sense_encode(&s, true, out), sizeof(descriptor));
    assert_memory_equal(out, descriptor, sizeof(descriptor));
}

/* SPC-5, 4.5.2.4.5, 4.5.2.9 and 4.5.3: segment 0x102, and what the target said. */
static void sense_of_a_copy_has_its_segment(void **state)
{
    static const uint8_t field[] = {0x70, 0, 0x0a, 0,    0,    0, 0,    10, 0,
                                    0,    1, 0x02, 0x26, 0x0a, 0, 0xa0, 0,  10};
    static const uint8_t unit[] = {0x70, 0, 0x0a, 0, 0, 0,    0,    29, 0, 18, 1, 2, 0x0d,
                                   0x01, 0, 0,    0, 0, 2,    0x70, 0,  7, 0,  0, 0, 0,
                                   10,   0, 0,    0, 0, 0x27, 0,    0,  0, 0,  0};
    static const uint8_t descriptor[] = {
        0x72, 0x0a, 0x0d, 0x01, 0,    0,  0,    24, 0x01, 10, 0,    0, 0, 0, 1, 2,
        0,    0,    0,    0,    0x0c, 10, 0x01, 2,  0x72, 7,  0x27, 0, 0, 0, 0, 0};
    struct sense s;
    uint8_t out[SENSE_BYTES_MAX];
    (void)state;
    sense_set_segment_field(&s, SENSE_COPY_INEXACT, 0x102, 10);
    assert_int_equal(sense_encode(&s, false, out), sizeof(field));
    assert_memory_equal(out, field, sizeof(field));
    sense_set_segment_unit(&s, 0x102, true, SENSE_WRITE_PROTECTED);
    assert_int_equal(sense_encode(&s, false, out), sizeof(unit));
    assert_memory_equal(out, unit, sizeof(unit));
    sense_set_segment_unit(&s, 0x102, false, SENSE_WRITE_PROTECTED);
    assert_int_equal(sense_encode(&s, true, out), sizeof(descriptor));
    assert_memory_equal(out, descriptor, sizeof(descriptor));
}

static void sense_reads_back_in_both_formats(void **state)
{
    struct sense all[8];
    (void)state;
    sense_set(&all[0], SENSE_NO_SPACE);
    sense_set_info(&all[1], SENSE_MISCOMPARE, 77);
    sense_set_cdb(&all[2], 14, 3);
    sense_set_param(&all[3], 260, SENSE_NO_BIT);
    sense_set_progress(&all[4], SENSE_SANITIZE_IN_PROGRESS, 0x8123);
    sense_set_segment(&all[5], SENSE_COPY_NOT_REACHABLE, 0x102);
    sense_set_segment_field(&all[6], SENSE_COPY_ABORTED, 3, 12);
    sense_set_segment_unit(&all[7], 255, true, SENSE_WRITE_PROTECTED);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (int descriptor = 0; descriptor < 2; descriptor++) {
            uint8_t out[SENSE_SEGMENT_MAX];
            struct sense back;
            size_t bytes = sense_segment_encode(&all[i], descriptor != 0, out);
            assert_int_equal(sense_segment_decode(out, bytes, &back), 0);
            assert_int_equal(back.code, all[i].code);
            assert_int_equal(back.has_info, all[i].has_info);
            assert_int_equal(back.info, all[i].info);
            assert_int_equal(back.has_field, all[i].has_field);
            assert_int_equal(back.field_in_cdb, all[i].field_in_cdb);
            assert_int_equal(back.field_byte, all[i].field_byte);
            assert_int_equal(back.field_has_bit, all[i].field_has_bit);
            assert_int_equal(back.field_bit, all[i].field_bit);
            assert_int_equal(back.has_progress, all[i].has_progress);
            assert_int_equal(back.progress, all[i].progress);
            assert_int_equal(back.has_segment, all[i].has_segment);
            assert_int_equal(back.field_in_segment, all[i].field_in_segment);
            assert_int_equal(back.segment, all[i].segment);
            assert_int_equal(back.unit_status, all[i].unit_status);
            assert_int_equal(back.unit_is_target, all[i].unit_is_target);
            assert_int_equal(back.unit_code, all[i].unit_code);
        }
    }
}

static void sense_of_tgt_is_read(void **state)
{
    struct sense s;
    (void)state;
    assert_int_equal(sense_segment_decode(golden_cmd_rsp_sense + BHS_BYTES, 20, &s), 0);
    assert_int_equal(s.code, SENSE_INVALID_OPCODE);
    assert_int_equal(sense_key_of(&s), SENSE_KEY_ILLEGAL_REQUEST);
    assert_false(s.has_field);
}

static void cut_sense_is_refused(void **state)
{
    static const uint8_t descriptor[] = {0x72, 5, 0x24, 0, 0, 0, 0, 4, 0, 10, 0x80, 0};
    struct sense s;
    (void)state;
    assert_int_equal(sense_decode(NULL, 0, &s), -EBADMSG);
    assert_int_equal(sense_decode((const uint8_t[]){0x70, 0, 5}, 3, &s), -EBADMSG);
    assert_int_equal(sense_decode((const uint8_t[14]){0x73}, 14, &s), -EBADMSG);
    assert_int_equal(sense_decode(descriptor, sizeof(descriptor), &s), -EBADMSG);
    assert_int_equal(sense_segment_decode((const uint8_t[]){0, 18, 0x70}, 3, &s),
                     -EBADMSG);
}

static void sense_codes_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(sense_name(SENSE_INVALID_CDB_FIELD), "INVALID FIELD IN CDB");
    assert_string_equal(sense_name(SENSE_NO_SPACE),
                        "SPACE ALLOCATION FAILED WRITE PROTECT");
    assert_string_equal(sense_name((enum sense_code)0x123456), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_sense_names_the_field),
        cmocka_unit_test(fixed_sense_of_a_parameter_has_no_bit),
        cmocka_unit_test(fixed_sense_has_32_bits_of_information),
        cmocka_unit_test(descriptor_sense_has_all),
        cmocka_unit_test(sense_of_not_ready_has_progress),
        cmocka_unit_test(sense_of_a_copy_has_its_segment),
        cmocka_unit_test(sense_reads_back_in_both_formats),
        cmocka_unit_test(sense_of_tgt_is_read),
        cmocka_unit_test(cut_sense_is_refused),
        cmocka_unit_test(sense_codes_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
