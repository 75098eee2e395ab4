/* SPDX-License-Identifier: Apache-2.0 */
/* Which limits go together. */
#include "base/qos.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ALL ((1U << QOS_MEMBERS) - 1)

static void what_is_wrong_is_named_and_changes_nothing(void **state)
{
    static const struct {
        struct qos to;
        const char *field;
    } cases[] = {
        {{{10000001, 0, 0, 0, 0}}, "qos/iops"},
        {{{0, 65535, 0, 0, 0}}, "qos/bytes_per_s"},
        {{{0, (1ULL << 40) + 1, 0, 0, 0}}, "qos/bytes_per_s"},
        {{{0, 0, 100, 0, 0}}, "qos/burst_iops"},
        {{{100, 0, 100, 0, 0}}, "qos/burst_iops"},
        {{{100, 0, 0, 1 << 20, 0}}, "qos/burst_bytes_per_s"},
        {{{100, 1 << 20, 0, 1 << 19, 0}}, "qos/burst_bytes_per_s"},
        {{{100, 0, 200, 0, 3601}}, "qos/burst_s"},
        {{{100, 0, 0, 0, 5}}, "qos/burst_s"},
    };
    const struct qos before = {{5, 0, 0, 0, 0}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct qos q = before;
        struct err e = {0};
        struct qos_change change = {.named = ALL, .to = cases[i].to};
        assert_int_equal(qos_apply(&q, &change, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_true(qos_equals(&q, &before));
    }
}

static void assert_becomes(struct qos *q, unsigned named, struct qos to,
                           struct qos expected)
{
    struct qos_change change = {.named = named, .to = to};
    assert_int_equal(qos_apply(q, &change, NULL), 0);
    assert_true(qos_equals(q, &expected));
}

static void what_is_not_named_stays(void **state)
{
    struct qos q = {{0}};
    (void)state;
    assert_int_equal(qos_apply(&q, NULL, NULL), 0);
    assert_false(qos_is_limited(&q));
    assert_becomes(&q, 1U << QOS_IOPS, (struct qos){{100, 9, 9, 9, 9}},
                   (struct qos){{100, 0, 0, 0, 0}});
    assert_true(qos_is_limited(&q));
    assert_becomes(&q, 1U << QOS_BYTES, (struct qos){{0, 1 << 20, 0, 0, 0}},
                   (struct qos){{100, 1 << 20, 0, 0, 0}});
}

static void a_burst_has_a_time_and_goes_with_its_limit(void **state)
{
    struct qos q = {{100, 1 << 20, 0, 0, 0}};
    (void)state;
    assert_becomes(&q, 1U << QOS_BURST_IOPS, (struct qos){{0, 0, 500, 0, 0}},
                   (struct qos){{100, 1 << 20, 500, 0, QOS_BURST_PRESET_S}});
    assert_becomes(&q, 1U << QOS_BURST_S, (struct qos){{0, 0, 0, 0, 60}},
                   (struct qos){{100, 1 << 20, 500, 0, 60}});
    assert_becomes(&q, 1U << QOS_IOPS, (struct qos){{0}},
                   (struct qos){{0, 1 << 20, 0, 0, 0}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named_and_changes_nothing),
        cmocka_unit_test(what_is_not_named_stays),
        cmocka_unit_test(a_burst_has_a_time_and_goes_with_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
