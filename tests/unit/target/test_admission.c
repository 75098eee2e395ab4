/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be connected, and that what is turned away is counted, and logged now and then
 * only. */
#include "base/log.h"
#include "target/admission.h"
#include "target/limits.h"
#include "target/refusal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct limits limits;
static const uint8_t here[IP_BYTES] = {1}, there[IP_BYTES] = {2};

static void begin(struct admission *a, uint64_t connections, uint64_t of_address,
                  uint64_t logins, uint64_t logins_of_address)
{
    struct target_limits to;
    target_limits_preset(&to);
    to.values[LIMIT_CONNECTIONS] = connections;
    to.values[LIMIT_ADDRESS_CONNECTIONS] = of_address;
    to.values[LIMIT_LOGINS] = logins;
    to.values[LIMIT_ADDRESS_LOGINS] = logins_of_address;
    limits_set(&limits, &to);
    admission_init(a, &limits);
}

static void logins_of_an_address_are_bounded(void **state)
{
    struct admission a;
    enum target_limit limit;
    (void)state;
    begin(&a, 9, 9, 9, 2);
    assert_int_equal(admission_enter(&a, here, &limit), 0);
    assert_int_equal(admission_enter(&a, here, &limit), 0);
    assert_int_equal(admission_enter(&a, here, &limit), -EMFILE);
    assert_int_equal(limit, LIMIT_ADDRESS_LOGINS);
    assert_int_equal(admission_enter(&a, there, &limit), 0);
    assert_int_equal(admission_open(&a, here, &limit), 0); /* no login any more */
    assert_int_equal(admission_enter(&a, here, &limit), 0);
    admission_leave(&a, here, false);
    admission_leave(&a, here, false);
    admission_leave(&a, here, true);
    admission_leave(&a, there, false);
    admission_fini(&a);
}

static void logins_of_all_are_bounded(void **state)
{
    struct admission a;
    enum target_limit limit;
    (void)state;
    begin(&a, 9, 9, 2, 9);
    assert_int_equal(admission_enter(&a, here, &limit), 0);
    assert_int_equal(admission_enter(&a, there, &limit), 0);
    assert_int_equal(admission_enter(&a, there, &limit), -EMFILE);
    assert_int_equal(limit, LIMIT_LOGINS);
    admission_leave(&a, here, false);
    assert_int_equal(admission_enter(&a, there, &limit), 0);
    admission_leave(&a, there, false);
    admission_leave(&a, there, false);
    admission_fini(&a);
}

/* One that may not open is a login still. */
static void open_ones_are_bounded(void **state)
{
    struct admission a;
    enum target_limit limit;
    (void)state;
    begin(&a, 2, 1, 9, 9);
    for (int i = 0; i < 2; i++)
        assert_int_equal(admission_enter(&a, here, &limit), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(admission_enter(&a, there, &limit), 0);
    assert_int_equal(admission_open(&a, here, &limit), 0);
    assert_int_equal(admission_open(&a, here, &limit), -EMFILE);
    assert_int_equal(limit, LIMIT_ADDRESS_CONNECTIONS);
    assert_int_equal(admission_open(&a, there, &limit), 0);
    admission_leave(&a, there, true);
    assert_int_equal(admission_open(&a, there, &limit), 0);
    admission_leave(&a, here, true);
    admission_leave(&a, here, false);
    admission_leave(&a, there, true);
    admission_fini(&a);
    begin(&a, 1, 9, 9, 9);
    assert_int_equal(admission_enter(&a, here, &limit), 0);
    assert_int_equal(admission_enter(&a, there, &limit), 0);
    assert_int_equal(admission_open(&a, here, &limit), 0);
    assert_int_equal(admission_open(&a, there, &limit), -EMFILE);
    assert_int_equal(limit, LIMIT_CONNECTIONS);
    admission_leave(&a, here, true);
    admission_leave(&a, there, false);
    admission_fini(&a);
}

/* More than the hash has places, in any order of going. */
static void many_addresses_come_and_go(void **state)
{
    struct admission a;
    enum target_limit limit;
    (void)state;
    begin(&a, 9, 9, 4096, 1);
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t ip[IP_BYTES] = {[14] = (uint8_t)(i >> 8), [15] = (uint8_t)i};
        assert_int_equal(admission_enter(&a, ip, &limit), 0);
        assert_int_equal(admission_enter(&a, ip, &limit), -EMFILE);
    }
    for (unsigned i = 0; i < 1000; i++) {
        unsigned which = i * 7 % 1000;
        uint8_t ip[IP_BYTES] = {[14] = (uint8_t)(which >> 8), [15] = (uint8_t)which};
        admission_leave(&a, ip, false);
    }
    admission_fini(&a);
}

static unsigned lines;
static char last_line[512];

static void on_line(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)arg;
    lines++;
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static void refusals_are_counted_and_seldom_logged(void **state)
{
    struct refusals r;
    (void)state;
    refusals_init(&r);
    for (int i = 0; i < 1000; i++)
        refusal_note(&r, LIMIT_LOGINS, "192.0.2.7:1", 50);
    assert_int_equal(lines, LOG_BUDGET_LINES);
    assert_non_null(strstr(last_line, "limit=max-logins address=192.0.2.7:1"));
    refusal_note(&r, LIMIT_TEXT, "192.0.2.8:2", 50); /* each limit has its own lines */
    assert_int_equal(lines, LOG_BUDGET_LINES + 1);
    refusal_note(&r, LIMIT_LOGINS, "192.0.2.7:1", 50 + LOG_BUDGET_MS);
    assert_int_equal(lines, LOG_BUDGET_LINES + 2);
    assert_non_null(strstr(last_line, "untold=995"));
    assert_int_equal(refusal_count(&r, LIMIT_LOGINS), 1001);
    assert_int_equal(refusal_count(&r, LIMIT_TEXT), 1);
    refusals_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_of_an_address_are_bounded),
        cmocka_unit_test(logins_of_all_are_bounded),
        cmocka_unit_test(open_ones_are_bounded),
        cmocka_unit_test(many_addresses_come_and_go),
        cmocka_unit_test(refusals_are_counted_and_seldom_logged),
    };
    log_set_sink(on_line, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
