/* SPDX-License-Identifier: Apache-2.0 */
/* base/cidr.h: what is a range, what is in it, and that it is written as it is read. */
#include "tests/unit/proto/unit.h"

#include "base/cidr.h"

static void ranges_are_written_as_they_are_read(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.7", "192.0.2.7/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::1", "::1/128"},
        {"::/0", "::/0"},
        {"::ffff:192.0.2.7", "192.0.2.7/32"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cidr range;
        char text[CIDR_TEXT_MAX];
        assert_int_equal(cidr_parse(cases[i].text, &range), 0);
        cidr_format(&range, text);
        assert_string_equal(text, cases[i].want);
    }
}

static void what_is_no_range_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "192.0.2",
        "192.0.2.0/33",
        "192.0.2.1/24",
        "/24",
        "192.0.2.0/",
        "192.0.2.0/-1",
        "192.0.2.0/+8",
        "192.0.2.0/0024",
        "::/129",
        "2001:db8::1/64",
        "192.0.2.0/2 4",
        "192.0.2.256",
        "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    struct cidr range;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(cidr_parse(bad[i], &range), -EINVAL);
}

static void an_address_is_in_its_ranges_alone(void **state)
{
    static const struct {
        const char *range, *address;
        bool in;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "10.0.0.1", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cidr_list list = {.count = 1};
        struct cidr address;
        assert_int_equal(cidr_parse(cases[i].range, &list.ranges[0]), 0);
        assert_int_equal(cidr_parse(cases[i].address, &address), 0);
        assert_int_equal(cidr_list_has(&list, address.address), cases[i].in);
        list.count = 0;
        assert_false(cidr_list_has(&list, address.address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_written_as_they_are_read),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(an_address_is_in_its_ranges_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
