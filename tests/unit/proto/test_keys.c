/* SPDX-License-Identifier: Apache-2.0 */
/* proto/keys.h: text is read in place and never past its end, values in each form of the
 * RFC and in no other. */
#include "tests/unit/proto/unit.h"

#include "proto/keys.h"

static void pairs_are_read_in_order_and_padding_skipped(void **state)
{
    static const char text[] =
        "HeaderDigest=None,CRC32C\0\0X#NodeArchitecture=\0a=b=c\0\0";
    struct key_iter it;
    struct key_pair pair;
    (void)state;
    key_iter_init(&it, text, sizeof(text) - 1);
    assert_int_equal(key_next(&it, &pair), 1);
    assert_string_equal(pair.key, "HeaderDigest");
    assert_string_equal(pair.value, "None,CRC32C");
    assert_int_equal(pair.value_bytes, 11);
    assert_int_equal(key_next(&it, &pair), 1);
    assert_string_equal(pair.key, "X#NodeArchitecture");
    assert_string_equal(pair.value, "");
    assert_int_equal(key_next(&it, &pair), 1);
    assert_string_equal(pair.value, "b=c");
    assert_int_equal(key_next(&it, &pair), 0);
    assert_int_equal(key_next(&it, &pair), 0);
}

static void malformed_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "NoEquals",
        "=value",
        "1Key=v",
        "Key with blank=v",
        "Key/slash=v",
        "KeyOfSixtyFourCharactersxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=v",
    };
    struct key_iter it;
    struct key_pair pair;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        key_iter_init(&it, bad[i], strlen(bad[i]) + 1);
        assert_int_equal(key_next(&it, &pair), -EPROTO);
    }
    key_iter_init(&it, "Key=unterminated", 16);
    assert_int_equal(key_next(&it, &pair), -EPROTO);
    key_iter_init(&it, NULL, 0);
    assert_int_equal(key_next(&it, &pair), 0);
}

static void value_above_the_limit_is_refused(void **state)
{
    static char text[2 + KEY_VALUE_MAX + 1 + 1];
    size_t bytes = sizeof(text);
    struct key_iter it;
    struct key_pair pair;
    (void)state;
    memset(text, 'v', bytes);
    memcpy(text, "K=", 2);
    text[bytes - 1] = '\0';
    key_iter_init(&it, text, bytes);
    assert_int_equal(key_next(&it, &pair), -EPROTO);
    text[bytes - 2] = '\0';
    key_iter_init(&it, text, bytes - 1);
    assert_int_equal(key_next(&it, &pair), 1);
    assert_int_equal(pair.value_bytes, KEY_VALUE_MAX);
}

static void pairs_are_written_with_their_nul(void **state)
{
    char buf[200];
    struct wire w;
    (void)state;
    wire_init(&w, buf, sizeof(buf));
    key_put(&w, "AuthMethod", "None");
    key_put_number(&w, "MaxBurstLength", 262144);
    key_put_bool(&w, "InitialR2T", true);
    key_put_bool(&w, "ImmediateData", false);
    key_put_hex(&w, "CHAP_C", (const uint8_t[]){0x01, 0xaf}, 2);
    assert_wire_text(&w, "AuthMethod=None\0MaxBurstLength=262144\0InitialR2T=Yes\0"
                         "ImmediateData=No\0CHAP_C=0x01af\0");
    wire_init(&w, buf, 5);
    key_put(&w, "Key", "value");
    assert_int_equal(wire_rc(&w), -ENOSPC);
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"65536", 0, 65536},
        {"0x1F", 0, 31},
        {"0Xff", 0, 255},
        {"18446744073709551615", 0, UINT64_MAX},
        {"0xffffffffffffffff", 0, UINT64_MAX},
        {"18446744073709551616", -EINVAL, 0},
        {"0x10000000000000000", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"0x", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"12a", -EINVAL, 0},
        {"None", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t v = 0;
        assert_int_equal(key_number(cases[i].text, &v), cases[i].rc);
        assert_true(v == cases[i].value);
    }
}

static void ranges_go_up(void **state)
{
    uint64_t low, high;
    (void)state;
    assert_int_equal(key_range("8~0x10", &low, &high), 0);
    assert_int_equal(low, 8);
    assert_int_equal(high, 16);
    assert_int_equal(key_range("8~7", &low, &high), -EINVAL);
    assert_int_equal(key_range("8", &low, &high), -EINVAL);
    assert_int_equal(key_range("~8", &low, &high), -EINVAL);
    assert_int_equal(key_range("8~", &low, &high), -EINVAL);
}

static void booleans_are_yes_and_no(void **state)
{
    bool v = false;
    (void)state;
    assert_int_equal(key_bool("Yes", &v), 0);
    assert_true(v);
    assert_int_equal(key_bool("No", &v), 0);
    assert_false(v);
    assert_int_equal(key_bool("yes", &v), -EINVAL);
    assert_int_equal(key_bool("", &v), -EINVAL);
}

static void binary_values_are_read_in_every_form(void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
        uint8_t value[6];
    } cases[] = {
        {"0x0102af", 3, {1, 2, 0xaf}},
        {"0X102AF", 3, {1, 2, 0xaf}}, /* odd: an implied 0 */
        {"0x0", 1, {0}},
        {"0bZm9vYmFy", 6, {'f', 'o', 'o', 'b', 'a', 'r'}}, /* RFC 4648, 10 */
        {"0bZm9vYmE=", 5, {'f', 'o', 'o', 'b', 'a'}},
        {"0bZm9vYmE", 5, {'f', 'o', 'o', 'b', 'a'}}, /* without its padding */
        {"0BZm9vYg==", 4, {'f', 'o', 'o', 'b'}},
        {"0bZm9vYg", 4, {'f', 'o', 'o', 'b'}},
        {"0b+/+/", 3, {0xfb, 0xff, 0xbf}},
        {"258", 2, {1, 2}},
        {"0", 1, {0}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t out[6];
        size_t bytes;
        assert_int_equal(key_binary(cases[i].text, out, sizeof(out), &bytes), 0);
        assert_int_equal(bytes, cases[i].bytes);
        assert_memory_equal(out, cases[i].value, bytes);
    }
}

static void malformed_binary_values_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           "0x",      "0xg0",   "0x12 ",   "0b",     "0bA",    "0bA===",
        "0bAB=",      "0bABC==", "0b====", "0bZm9v!", "0bZm=v", "0bZh==", /* stray bits */
        "0bZm9vYmF=", "text",    "-1",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t out[8];
        size_t bytes;
        if (key_binary(bad[i], out, sizeof(out), &bytes) != -EINVAL)
            fail_msg("%s is accepted", bad[i]);
    }
}

/* The kind of overflow that Linux' target had in its CHAP response. */
static void binary_value_never_passes_its_limit(void **state)
{
    uint8_t out[4] = {0, 0, 0, 0xee};
    size_t bytes = 0;
    (void)state;
    assert_int_equal(key_binary("0x01020304", out, 3, &bytes), -ENOSPC);
    assert_int_equal(key_binary("0bZm9vYmFy", out, 3, &bytes), -ENOSPC);
    assert_int_equal(key_binary("0bZm9vYg", out, 3, &bytes), -ENOSPC);
    assert_int_equal(key_binary("16909060", out, 3, &bytes), -ENOSPC);
    assert_int_equal(out[3], 0xee);
    assert_int_equal(key_binary("0bZm9v", out, 3, &bytes), 0);
    assert_int_equal(bytes, 3);
    assert_int_equal(out[3], 0xee);
}

static void list_is_walked_item_by_item(void **state)
{
    const char *at = "CHAP,,None", *item;
    size_t bytes;
    (void)state;
    assert_true(key_list_next(&at, &item, &bytes));
    assert_int_equal(bytes, 4);
    assert_true(key_list_next(&at, &item, &bytes));
    assert_int_equal(bytes, 0);
    assert_true(key_list_next(&at, &item, &bytes));
    assert_memory_equal(item, "None", 4);
    assert_false(key_list_next(&at, &item, &bytes));
    assert_true(key_list_has("CHAP,None", "None"));
    assert_false(key_list_has("CHAP,NoneX", "None"));
    assert_false(key_list_has("", "None"));
}

static void node_names_are_checked_and_folded(void **state)
{
    char out[NODE_NAME_MAX + 1];
    char longest[NODE_NAME_MAX + 2];
    (void)state;
    assert_int_equal(key_node_name("IQN.2026-01.Example.Host:A_b", out), 0);
    assert_string_equal(out, "iqn.2026-01.example.host:a_b");
    assert_int_equal(key_node_name("eui.02004567A425678D", out), 0);
    assert_int_equal(key_node_name("naa.52004567BA64678D", out), 0);
    assert_int_equal(key_node_name("", out), -EINVAL);
    assert_int_equal(key_node_name("iqn.", out), -EINVAL);
    assert_int_equal(key_node_name("host", out), -EINVAL);
    assert_int_equal(key_node_name("iqn.a b", out), -EINVAL);
    assert_int_equal(key_node_name("iqn.a,t,1", out), -EINVAL);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "iqn.", 4);
    longest[NODE_NAME_MAX + 1] = '\0';
    assert_int_equal(key_node_name(longest, out), -EINVAL);
    longest[NODE_NAME_MAX] = '\0';
    assert_int_equal(key_node_name(longest, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_in_order_and_padding_skipped),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(value_above_the_limit_is_refused),
        cmocka_unit_test(pairs_are_written_with_their_nul),
        cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
        cmocka_unit_test(ranges_go_up),
        cmocka_unit_test(booleans_are_yes_and_no),
        cmocka_unit_test(binary_values_are_read_in_every_form),
        cmocka_unit_test(malformed_binary_values_are_refused),
        cmocka_unit_test(binary_value_never_passes_its_limit),
        cmocka_unit_test(list_is_walked_item_by_item),
        cmocka_unit_test(node_names_are_checked_and_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
