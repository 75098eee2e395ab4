/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, both ways. */
#include "target/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"127.0.0.1:3261", "127.0.0.1:3261"},
        {"127.0.0.1", "127.0.0.1:3260"},
        {"[::1]:0", "[::1]:0"},
        {"[2001:db8::7]", "[2001:db8::7]:3260"},
        {"[::ffff:192.0.2.1]:9", "192.0.2.1:9"}, /* as IPv4 came to an IPv6 socket */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sockaddr_storage addr;
        socklen_t bytes;
        char text[80];
        assert_int_equal(address_parse(cases[i].in, "f", &addr, &bytes, NULL), 0);
        address_format((struct sockaddr *)&addr, text, sizeof(text));
        assert_string_equal(text, cases[i].out);
    }
}

static void bad_addresses_are_refused(void **state)
{
    static const char *const cases[] = {"",
                                        ":3260",
                                        "host:1",
                                        "127.0.0.1:",
                                        "127.0.0.1:65536",
                                        "1.2.3.4:+1",
                                        "1.2.3.4: 1",
                                        "::1",
                                        "[::1",
                                        "[::1]x",
                                        "[::1]:",
                                        "[]:1",
                                        "127.0.0.1:12345678901234567890"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sockaddr_storage addr;
        socklen_t bytes;
        struct err e = {0};
        assert_int_not_equal(address_parse(cases[i], "portal", &addr, &bytes, &e), 0);
        assert_string_equal(e.field, "portal");
    }
}

static void names_may_be_advertised(void **state)
{
    bool has_port;
    (void)state;
    assert_true(address_is_advertisable("san.example.org", &has_port));
    assert_false(has_port);
    assert_true(address_is_advertisable("san-1:3261", &has_port));
    assert_true(has_port);
    assert_true(address_is_advertisable("[2001:db8::1]", &has_port));
    assert_false(address_is_advertisable("", &has_port));
    assert_false(address_is_advertisable("a b", &has_port));
    assert_true(address_is_advertisable("a,1", &has_port));
    assert_false(has_port);
    assert_true(address_is_advertisable("[2001:db8::1]:3261,65535", &has_port));
    assert_true(has_port);
    assert_false(address_is_advertisable("a,", &has_port));
    assert_false(address_is_advertisable("a,0", &has_port));
    assert_false(address_is_advertisable("a,65536", &has_port));
    assert_false(address_is_advertisable("a,1,2", &has_port));
    assert_false(address_is_advertisable("[fe80::1%lo]", &has_port));
    assert_false(address_is_advertisable("[zz]:1", &has_port));
    assert_false(address_is_advertisable("a:99999", &has_port));
}

static void a_tag_is_cut_off(void **state)
{
    struct address_tagged a;
    char longest[ADDRESS_TEXT_MAX + 1];
    (void)state;
    assert_int_equal(address_cut_tag("192.0.2.1:3260,7", &a), 0);
    assert_string_equal(a.address, "192.0.2.1:3260");
    assert_int_equal(a.tag, 7);
    assert_int_equal(address_cut_tag("[::1]", &a), 0);
    assert_string_equal(a.address, "[::1]");
    assert_int_equal(a.tag, 0);
    assert_int_equal(address_cut_tag("a,0065535", &a), -EINVAL);
    assert_int_equal(address_cut_tag("a,+1", &a), -EINVAL);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(address_cut_tag(longest, &a), -EINVAL);
    longest[sizeof(longest) - 2] = '\0';
    assert_int_equal(address_cut_tag(longest, &a), 0);
    assert_string_equal(a.address, longest);
}

static enum address_scope scope_of(const char *text)
{
    struct cidr range;
    assert_int_equal(cidr_parse(text, &range), 0);
    return address_scope(range.address);
}

static void scopes_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(scope_of("0.0.0.0"), ADDRESS_ANY);
    assert_int_equal(scope_of("::"), ADDRESS_ANY);
    assert_int_equal(scope_of("127.0.0.1"), ADDRESS_LOOPBACK);
    assert_int_equal(scope_of("127.255.1.2"), ADDRESS_LOOPBACK);
    assert_int_equal(scope_of("::1"), ADDRESS_LOOPBACK);
    assert_int_equal(scope_of("169.254.0.1"), ADDRESS_LINK);
    assert_int_equal(scope_of("fe80::1"), ADDRESS_LINK);
    assert_int_equal(scope_of("febf::1"), ADDRESS_LINK);
    assert_int_equal(scope_of("169.253.0.1"), ADDRESS_GLOBAL);
    assert_int_equal(scope_of("192.0.2.1"), ADDRESS_GLOBAL);
    assert_int_equal(scope_of("fd00::2"), ADDRESS_GLOBAL);
    assert_int_equal(scope_of("2001:db8::1"), ADDRESS_GLOBAL);
}

/* The zone is there to bind by, and is nobody else's to know. */
static void a_link_local_address_has_a_zone(void **state)
{
    struct sockaddr_storage addr;
    socklen_t bytes;
    struct err e = {0};
    char text[80];
    (void)state;
    assert_int_equal(address_parse("[fe80::1%lo]:3261", "portal", &addr, &bytes, &e), 0);
    address_format((struct sockaddr *)&addr, text, sizeof(text));
    assert_string_equal(text, "[fe80::1]:3261");
    assert_int_equal(address_parse("[fe80::1]:3261", "portal", &addr, &bytes, &e),
                     -EINVAL);
    assert_non_null(strstr(e.text, "[fe80::1%INTERFACE]"));
    assert_int_equal(address_parse("[fe80::1%nothere]", "portal", &addr, &bytes, &e),
                     -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(names_may_be_advertised),
        cmocka_unit_test(a_tag_is_cut_off),
        cmocka_unit_test(scopes_are_told_apart),
        cmocka_unit_test(a_link_local_address_has_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
