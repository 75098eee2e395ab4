/* SPDX-License-Identifier: Apache-2.0 */
/* Times written and read, and text that may be anything. */
#include "web/json_out.h"

#include "cm.h"

static void times_go_both_ways(void **state)
{
    static const int64_t cases[] = {0, 1, 951782400, 1714564800, 4102444799};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TIME_TEXT_MAX];
        int64_t back;
        assert_true(time_parse(time_text(text, cases[i]), &back));
        assert_int_equal(back, cases[i]);
    }
}

static void an_offset_is_taken_into_account(void **state)
{
    int64_t got;
    (void)state;
    assert_true(time_parse("2024-05-01T14:00:00+02:00", &got));
    assert_int_equal(got, 1714564800);
    assert_true(time_parse("2024-05-01T06:30:00-05:30", &got));
    assert_int_equal(got, 1714564800);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2024-05-01",
        "2024-05-01T12:00:00",
        "2024-05-01 12:00:00Z",
        "2024-05-01T12:00:00z",
        "2024-05-01T12:00:00Zx",
        "2024-13-01T12:00:00Z",
        "2024-00-01T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2024-05-32T12:00:00Z",
        "2024-05-01T24:00:00Z",
        "2024-05-01T12:60:00Z",
        "2024-05-01T12:00:60Z",
        "2024-05-01T12:00:00+24:00",
        "2024-05-01T12:00:00+2:00",
        "2024-05-01T12:00:00+02:60",
        "2024-05-01T12:00:00+02:00x",
        "+024-05-01T12:00:00Z",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got;
        if (time_parse(cases[i], &got))
            fail_msg("%s was taken", cases[i]);
    }
}

static void foreign_text_becomes_ascii(void **state)
{
    (void)state;
    json_t *text = json_of_foreign_text("a\xff\x01\x7f z");
    assert_string_equal(json_string_value(text), "a??? z");
    json_decref(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_go_both_ways),
        cmocka_unit_test(an_offset_is_taken_into_account),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(foreign_text_becomes_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
