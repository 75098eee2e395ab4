/* SPDX-License-Identifier: Apache-2.0 */
/* Who is locked out after how many failures, for how long, and who is not. */
#include "web/auth_limit.h"

#include "base/auto.h"
#include "cm.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND 1000

static struct auth_limit limit;
static const struct peer one = {.ip = {[15] = 1}}, two = {.ip = {[15] = 2}};

static int set_up(void **state)
{
    (void)state;
    memset(&limit, 0, sizeof(limit));
    return 0;
}

/* Fails so often at that moment; true if it was locked out by the last of them alone. */
static bool fail_times(const struct peer *peer, unsigned times, int64_t now_ms)
{
    for (unsigned i = 1; i < times; i++)
        assert_false(auth_limit_fail(&limit, peer, now_ms));
    return auth_limit_fail(&limit, peer, now_ms);
}

static void the_tenth_failure_locks_out_for_a_minute(void **state)
{
    (void)state;
    assert_int_equal(auth_limit_wait_s(&limit, &one, 0), 0);
    assert_false(fail_times(&one, WEB_AUTH_FAILURES_MAX - 1, 0));
    assert_int_equal(auth_limit_wait_s(&limit, &one, 59 * SECOND), 0);
    assert_true(fail_times(&one, 1, 59 * SECOND));
    assert_int_equal(auth_limit_wait_s(&limit, &one, 59 * SECOND), 60);
    assert_int_equal(auth_limit_wait_s(&limit, &one, 119 * SECOND - 1), 1);
    assert_int_equal(auth_limit_wait_s(&limit, &one, 119 * SECOND), 0);
}

static void after_the_lock_it_begins_anew(void **state)
{
    (void)state;
    assert_true(fail_times(&one, WEB_AUTH_FAILURES_MAX, 0));
    assert_false(fail_times(&one, WEB_AUTH_FAILURES_MAX - 1, 60 * SECOND));
    assert_int_equal(auth_limit_wait_s(&limit, &one, 60 * SECOND), 0);
    assert_true(fail_times(&one, 1, 61 * SECOND));
}

static void slow_failures_do_not_add_up(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_false(fail_times(&one, 1, i * 7LL * SECOND));
}

static void others_are_not_locked_out(void **state)
{
    (void)state;
    assert_true(fail_times(&one, WEB_AUTH_FAILURES_MAX, 0));
    assert_int_equal(auth_limit_wait_s(&limit, &two, 1), 0);
    assert_false(fail_times(&two, WEB_AUTH_FAILURES_MAX - 1, 1));
}

static struct peer nth(unsigned i)
{
    return (struct peer){.ip = {[0] = 0x20, [6] = (uint8_t)(i >> 8), [7] = (uint8_t)i}};
}

static void a_full_table_forgets_the_oldest(void **state)
{
    (void)state;
    assert_false(fail_times(&one, WEB_AUTH_FAILURES_MAX - 1, 0));
    for (unsigned i = 1; i < WEB_AUTH_ADDRESSES_MAX; i++) {
        struct peer peer = nth(i);
        assert_false(fail_times(&peer, 1, i));
    }
    assert_false(fail_times(&two, 1, 5000)); /* takes the place of one */
    assert_int_equal(limit.count, WEB_AUTH_ADDRESSES_MAX);
    assert_false(fail_times(&one, WEB_AUTH_FAILURES_MAX - 1, 5001));
    assert_true(fail_times(&one, 1, 5002));
}

static struct peer peer_from(const char *text)
{
    struct peer peer;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        peer_of_address((const struct sockaddr *)&in, &peer);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        peer_of_address((const struct sockaddr *)&in6, &peer);
    }
    assert_true(strcmp(peer.text, text) == 0 || strstr(text, peer.text) != NULL);
    return peer;
}

static void an_ipv6_address_is_counted_with_its_network(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8::1", "2001:db8::ffff:1", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer a = peer_from(cases[i].a), b = peer_from(cases[i].b);
        assert_int_equal(peer_is_same(&a, &b), cases[i].same);
    }
}

static void what_is_not_tcp_has_no_address(void **state)
{
    struct peer peer;
    int pair[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    peer_of(pair[0], &peer);
    assert_string_equal(peer.text, "");
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_tenth_failure_locks_out_for_a_minute, set_up),
        cmocka_unit_test_setup(after_the_lock_it_begins_anew, set_up),
        cmocka_unit_test_setup(slow_failures_do_not_add_up, set_up),
        cmocka_unit_test_setup(others_are_not_locked_out, set_up),
        cmocka_unit_test_setup(a_full_table_forgets_the_oldest, set_up),
        cmocka_unit_test(an_ipv6_address_is_counted_with_its_network),
        cmocka_unit_test(what_is_not_tcp_has_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
