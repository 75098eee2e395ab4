/* SPDX-License-Identifier: Apache-2.0 */
/* base64url both ways, and what is none. */
#include "web/base64.h"

#include "base/auto.h"
#include "cm.h"

#include <string.h>

static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"M", "TQ"},
    {"Ma", "TWE"},
    {"Man", "TWFu"},
    {"foob", "Zm9vYg"},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "-_-_"},
};

static void vectors_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char text[16];
        uint8_t bytes[8];
        size_t length = strlen(vectors[i].bytes), count;
        base64url_put((const uint8_t *)vectors[i].bytes, length, text);
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(strlen(text), BASE64_TEXT_BYTES(length));
        assert_true(base64url_read(text, bytes, sizeof(bytes), &count));
        assert_int_equal(count, length);
        assert_memory_equal(bytes, vectors[i].bytes, length);
    }
}

static void what_is_not_so_written_is_refused(void **state)
{
    static const char *const cases[] = {
        "Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm v", "Zm9v\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[8];
        size_t count;
        if (base64url_read(cases[i], bytes, sizeof(bytes), &count))
            fail_msg("%s was taken", cases[i]);
    }
}

static void no_more_is_read_than_there_is_room(void **state)
{
    uint8_t bytes[4] = {0, 0, 0, 7};
    size_t count;
    (void)state;
    assert_true(base64url_read("Zm9v", bytes, 3, &count));
    assert_false(base64url_read("Zm9vYg", bytes, 3, &count));
    assert_int_equal(bytes[3], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_go_both_ways),
        cmocka_unit_test(what_is_not_so_written_is_refused),
        cmocka_unit_test(no_more_is_read_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
