/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text against what jansson reads of it. */
#include "web/json_text.h"

#include "base/auto.h"
#include "cm.h"

#include <string.h>

static void strings_are_read_as_they_were(void **state)
{
    static const char *const cases[] = {
        "",
        "plain",
        "\"quoted\" \\ back",
        "\x01\x1f\t\n\x7f",
        "\xc3\xa9t\xc3\xa9 \xe2\x82\xac",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_text t = {.at = NULL};
        json_text_string(&t, cases[i]);
        json_t *back = json_loadb(t.at, t.length, JSON_DECODE_ANY, NULL);
        assert_string_equal(json_string_value(back), cases[i]);
        json_decref(back);
        json_text_fini(&t);
    }
}

static void foreign_text_is_made_ascii(void **state)
{
    struct json_text t = {.at = NULL};
    (void)state;
    json_text_foreign(&t, "a\xff\"\\\x01 z");
    assert_memory_equal(t.at, "\"a?\\\"\\\\? z\"", t.length);
    assert_int_equal(t.length, 11);
    json_text_fini(&t);
}

static void numbers_and_values_follow_each_other(void **state)
{
    static const char want[] = "0,18446744073709551615,[1,null],\"x\"";
    struct json_text t = {.at = NULL};
    (void)state;
    json_text_number(&t, 0);
    json_text_puts(&t, ",");
    json_text_number(&t, UINT64_MAX);
    json_text_puts(&t, ",");
    json_text_value(&t, json_pack("[i, n]", 1));
    json_text_puts(&t, ",");
    json_text_value(&t, json_string("x"));
    assert_false(t.failed);
    assert_int_equal(t.length, strlen(want));
    assert_memory_equal(t.at, want, t.length);
    json_text_fini(&t);
}

static void a_value_that_there_is_not_fails_for_good(void **state)
{
    struct json_text t = {.at = NULL};
    (void)state;
    json_text_value(&t, NULL);
    assert_true(t.failed);
    json_text_puts(&t, "x");
    assert_int_equal(t.length, 0);
    json_text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_read_as_they_were),
        cmocka_unit_test(foreign_text_is_made_ascii),
        cmocka_unit_test(numbers_and_values_follow_each_other),
        cmocka_unit_test(a_value_that_there_is_not_fails_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
