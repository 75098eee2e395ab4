/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of port groups: one for each that somebody has changed, none of what is as by
 * default. */
#include "rows_rig.h"

#include <errno.h>

struct seen {
    unsigned count;
    uint16_t tags[4];
    struct alua_access access[4];
};

static int see(uint16_t tag, const struct alua_access *access, void *arg)
{
    struct seen *seen = arg;
    assert_in_range(seen->count, 0, 3);
    seen->tags[seen->count] = tag;
    seen->access[seen->count++] = *access;
    return 0;
}

static struct seen all(struct rig *r)
{
    struct seen seen = {.count = 0};
    assert_int_equal(port_group_row_each(&r->txn, see, &seen, NULL), 0);
    return seen;
}

static void set(struct rig *r, uint16_t tag, enum alua_state state, bool preferred)
{
    const struct alua_access access = {.state = state, .preferred = preferred};
    assert_int_equal(port_group_row_set(&r->txn, tag, &access, NULL), 0);
}

static void groups_come_back_in_order_of_tag(void **state)
{
    struct rig *r = *state;
    set(r, 65535, ALUA_UNAVAILABLE, false);
    set(r, 1, ALUA_NON_OPTIMIZED, true);
    set(r, 1, ALUA_STANDBY, true); /* takes the other's place */
    struct seen seen = all(r);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.tags[0], 1);
    assert_int_equal(seen.access[0].state, ALUA_STANDBY);
    assert_true(seen.access[0].preferred);
    assert_int_equal(seen.tags[1], 65535);
    assert_int_equal(seen.access[1].state, ALUA_UNAVAILABLE);
    assert_false(seen.access[1].preferred);
}

static void what_is_as_by_default_has_no_row(void **state)
{
    struct rig *r = *state;
    set(r, 7, ALUA_OPTIMIZED, false);
    assert_int_equal(all(r).count, 0);
    set(r, 7, ALUA_OPTIMIZED, true);
    assert_int_equal(all(r).count, 1);
    set(r, 7, ALUA_OPTIMIZED, false);
    assert_int_equal(all(r).count, 0);
}

static void what_no_group_can_be_is_refused(void **state)
{
    static const struct {
        uint16_t tag;
        enum alua_state state;
        const char *field;
    } cases[] = {{0, ALUA_STANDBY, "tag"}, {1, ALUA_TRANSITIONING, "state"}};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct alua_access access = {.state = cases[i].state};
        struct err e = {0};
        assert_int_equal(port_group_row_set(&r->txn, cases[i].tag, &access, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(groups_come_back_in_order_of_tag),
        ROW_TEST(what_is_as_by_default_has_no_row),
        ROW_TEST(what_no_group_can_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
