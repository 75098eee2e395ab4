/* SPDX-License-Identifier: Apache-2.0 */
/* proto/chap_text.h: the strongest algorithm that both have, and values in the two forms
 * that a digest comes in. */
#include "tests/unit/proto/unit.h"

#include "proto/chap_text.h"

static void the_strongest_algorithm_is_chosen(void **state)
{
    (void)state;
    assert_int_equal(chap_choose("5", true), CHAP_MD5);
    assert_int_equal(chap_choose("5,6", true), CHAP_SHA1);
    assert_int_equal(chap_choose("8,7,6,5", true), CHAP_SHA3_256);
    assert_int_equal(chap_choose("5,7,99", true), CHAP_SHA256);
    assert_int_equal(chap_choose("007", true), CHAP_SHA256);
}

static void nothing_in_common_is_none(void **state)
{
    static const char *const lists[] = {"",   ",",   "0",  "4,9",  "55",
                                        "-7", "0x7", "7 ", "+7",   "4294967301",
                                        "a",  "MD5", "99", "007x", "000000007"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        assert_int_equal(chap_choose(lists[i], true), CHAP_NONE);
}

static void md5_can_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(chap_choose("5", false), CHAP_NONE);
    assert_int_equal(chap_choose("5,6", false), CHAP_SHA1);
}

static void an_identifier_is_one_byte(void **state)
{
    static const char *const bad[] = {"", "256", "-1", "x", "1 ", "0x100"};
    uint8_t id;
    (void)state;
    assert_int_equal(chap_identifier("255", &id), 0);
    assert_int_equal(id, 255);
    assert_int_equal(chap_identifier("0x2a", &id), 0);
    assert_int_equal(id, 0x2a);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(chap_identifier(bad[i], &id), -EINVAL);
}

/* printf '\xde\xad\xbe\xef' | base64: 3q2+7w== */
static void values_come_as_hexadecimal_or_base64(void **state)
{
    static const char *const forms[] = {"0xdeadbeef", "0xDEADBEEF", "0XdeadBEEF",
                                        "0b3q2+7w==", "0b3q2+7w",   "0B3q2+7w"};
    static const uint8_t want[] = {0xde, 0xad, 0xbe, 0xef};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        uint8_t out[4];
        size_t bytes;
        assert_int_equal(chap_value(forms[i], out, sizeof(out), &bytes), 0);
        assert_int_equal(bytes, sizeof(want));
        assert_memory_equal(out, want, sizeof(want));
    }
}

static void malformed_values_are_refused(void **state)
{
    static const char *const bad[] = {
        "",        "deadbeef",  "3735928559", "0x",     "0b",       "0",   "0xdeadbeeg",
        "0x dead", "0b3q2+7w=", "0b3q2+7x==", "0b====", "0b3q2-7w", "0b3", "0b3q=+",
    };
    uint8_t out[4];
    size_t bytes;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(chap_value(bad[i], out, sizeof(out), &bytes), -EINVAL);
}

static void longer_values_are_refused(void **state)
{
    uint8_t out[4];
    size_t bytes;
    (void)state;
    assert_int_equal(chap_value("0xdeadbeef00", out, sizeof(out), &bytes), -ENOSPC);
    assert_int_equal(chap_value("0b3q2+7wA=", out, sizeof(out), &bytes), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strongest_algorithm_is_chosen),
        cmocka_unit_test(nothing_in_common_is_none),
        cmocka_unit_test(md5_can_be_left_out),
        cmocka_unit_test(an_identifier_is_one_byte),
        cmocka_unit_test(values_come_as_hexadecimal_or_base64),
        cmocka_unit_test(malformed_values_are_refused),
        cmocka_unit_test(longer_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
