/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, cells and objects read as people expect, and never say more than there is. */
#include "web/cli/human.h"

#include "cli_rig.h"

static void sizes_are_short_and_never_too_large(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0B"},
        {1023, "1023B"},
        {1024, "1KiB"},
        {1536, "1.5KiB"},
        {65536, "64KiB"},
        {(1ULL << 30) - 65536, "1023.9MiB"},
        {(1ULL << 30) + 1, "1.0GiB"},
        {107374182400ULL, "100GiB"},
        {1ULL << 47, "128TiB"},
        {UINT64_MAX, "15.9EiB"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[HUMAN_BYTES_MAX];
        human_bytes(text, cases[i].bytes);
        assert_string_equal(text, cases[i].text);
    }
}

static void expect_cell(const char *json, enum column_kind kind, const char *want)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    AUTO_FREE char *text = human_value(value, kind);
    assert_string_equal(text, want);
    json_decref(value);
}

static void cells_show_every_kind_of_value(void **state)
{
    (void)state;
    expect_cell("\"a\"", COLUMN_TEXT, "a");
    expect_cell("true", COLUMN_TEXT, "yes");
    expect_cell("false", COLUMN_TEXT, "no");
    expect_cell("null", COLUMN_TEXT, "-");
    expect_cell("9223372036854775807", COLUMN_COUNT, "9223372036854775807");
    expect_cell("2048", COLUMN_BYTES, "2KiB");
    expect_cell("[\"a\",\"b\"]", COLUMN_LIST, "a, b");
    expect_cell("[]", COLUMN_LIST, "-");
    expect_cell("[\"a\",\"b\"]", COLUMN_FIRST, "a");
    expect_cell("[]", COLUMN_FIRST, "-");
    AUTO_FREE char *missing = human_value(NULL, COLUMN_BYTES);
    assert_string_equal(missing, "-");
}

static void objects_are_shown_member_by_member(void **state)
{
    AUTO_FREE char *text = NULL;
    size_t bytes;
    (void)state;
    json_t *object = json_loads(
        "{\"name\":\"p\",\"size\":2048,\"used\":0,\"portals\":[\"a:1\",\"b:1\"],"
        "\"none\":[],\"devices\":[{\"path\":\"/x\",\"direct\":true}],"
        "\"negotiated\":{\"max_burst\":262144},\"host\":null}",
        0, NULL);
    assert_non_null(object);
    FILE *out = open_memstream(&text, &bytes);
    human_object(object, out);
    fclose(out);
    json_decref(object);
    assert_string_equal(text, "name                  p\n"
                              "size                  2KiB (2048 bytes)\n"
                              "used                  0B\n"
                              "portals               a:1\n"
                              "                      b:1\n"
                              "none                  -\n"
                              "devices[0].path       /x\n"
                              "devices[0].direct     yes\n"
                              "negotiated.max_burst  262144\n"
                              "host                  -\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_short_and_never_too_large),
        cmocka_unit_test(cells_show_every_kind_of_value),
        cmocka_unit_test(objects_are_shown_member_by_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
