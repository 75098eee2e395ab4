/* SPDX-License-Identifier: Apache-2.0 */
/* Access through port groups: kept by tag over restarts, answered when it is in force,
 * one change at a time. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/port_group.h"

#include <errno.h>

static void ask_set(struct answer *a, uint16_t tag, enum alua_state state, bool preferred)
{
    const struct alua_access access = {.state = state, .preferred = preferred};
    *a = (struct answer){.came = false};
    port_group_set(rig.manager, tag, &access, on_done, a);
}

static void set(uint16_t tag, enum alua_state state, bool preferred)
{
    struct answer a;
    ask_set(&a, tag, state, preferred);
    assert_int_equal(wait_for(&a), 0);
}

static void assert_access(uint16_t tag, enum alua_state state, bool preferred)
{
    struct alua_access access = port_group_access(rig.manager, tag);
    assert_int_equal(access.state, state);
    assert_int_equal(access.preferred, preferred);
}

static void a_group_is_kept_by_its_tag(void **state)
{
    (void)state;
    assert_access(1, ALUA_OPTIMIZED, false);
    set(1, ALUA_STANDBY, false);
    set(65535, ALUA_NON_OPTIMIZED, true);
    set(1, ALUA_UNAVAILABLE, true);
    assert_access(1, ALUA_UNAVAILABLE, true);
    restart();
    assert_access(1, ALUA_UNAVAILABLE, true);
    assert_access(65535, ALUA_NON_OPTIMIZED, true);
    assert_access(2, ALUA_OPTIMIZED, false);
    set(1, ALUA_OPTIMIZED, false);
    restart();
    assert_access(1, ALUA_OPTIMIZED, false);
}

struct settle {
    unsigned count;
    uint16_t tag;
    struct alua_access access;
    uint64_t ticket;
};

static void on_changed(void *arg, uint16_t tag, const struct alua_access *access,
                       uint64_t ticket)
{
    struct settle *s = arg;
    s->count++;
    s->tag = tag;
    s->access = *access;
    s->ticket = ticket;
}

static bool is_told(void *arg)
{
    return ((struct settle *)arg)->count > 0;
}

static void a_change_is_answered_when_it_is_in_force(void **state)
{
    struct settle s = {.count = 0};
    const struct lunmgr_events events = {.arg = &s, .port_group_changed = on_changed};
    struct answer a;
    (void)state;
    lunmgr_set_events(rig.manager, &events);
    ask_set(&a, 7, ALUA_STANDBY, false);
    pool_rig_until(&rig, is_told, &s);
    assert_int_equal(s.tag, 7);
    assert_int_equal(s.access.state, ALUA_STANDBY);
    assert_access(7, ALUA_STANDBY, false); /* as it will be */
    pool_rig_turn(&rig);
    assert_false(a.came);
    lunmgr_settled(rig.manager, s.ticket);
    assert_int_equal(wait_for(&a), 0);
    lunmgr_set_events(rig.manager, &(struct lunmgr_events){.arg = NULL});
}

static void a_change_beside_another_is_to_be_tried_again(void **state)
{
    struct answer a, b;
    (void)state;
    ask_set(&a, 1, ALUA_STANDBY, false);
    ask_set(&b, 2, ALUA_STANDBY, false);
    wait_for(&b);
    assert_int_equal(b.err.code, -ECANCELED);
    assert_int_equal(wait_for(&a), 0);
    assert_access(2, ALUA_OPTIMIZED, false);
    set(2, ALUA_STANDBY, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_group_is_kept_by_its_tag),
        MANAGE_TEST(a_change_is_answered_when_it_is_in_force),
        MANAGE_TEST(a_change_beside_another_is_to_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
