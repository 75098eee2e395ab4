/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, both ways. */
#include "target/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
    assert_false(address_is_advertisable("a,1", &has_port));
    assert_false(address_is_advertisable("[zz]:1", &has_port));
    assert_false(address_is_advertisable("a:99999", &has_port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(names_may_be_advertised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
