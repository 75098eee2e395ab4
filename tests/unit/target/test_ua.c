/* SPDX-License-Identifier: Apache-2.0 */
/* Unit attentions: what is told, when, how often, and what a change of the view does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "target/ua.h"
#include "target/unit.h"
#include "tests/unit/target/fake_vio.h"

struct units {
    struct unit *units[3];
    struct lu lus[3];
    struct view view;
};

static const struct modes protected_modes = {.write_protect = true};
static const struct modes descriptor_modes = {.descriptor_sense = true};
static const struct modes one_modes = {.tells_one = true};

static void units_init(struct units *u, size_t count)
{
    for (size_t i = 0; i < 3; i++) {
        struct volume *volume = fake_volume_create(BLOCK_BYTES, 512);
        u->units[i] = unit_create(volume);
        assert_non_null(u->units[i]);
        volume_put(volume);
        u->lus[i] =
            (struct lu){.lun = (uint16_t)i, .volume = volume, .unit = u->units[i]};
    }
    u->view = (struct view){.lus = u->lus, .lu_count = count};
}

static void units_fini(struct units *u)
{
    for (size_t i = 0; i < 3; i++)
        unit_put(u->units[i]);
}

static void expect_told(struct ua *ua, const struct lu *lu, enum sense_code expected)
{
    enum sense_code code;
    assert_true(ua_take(ua, lu, &code));
    assert_int_equal(code, expected);
}

static void expect_nothing(struct ua *ua, const struct lu *lu)
{
    enum sense_code code;
    assert_false(ua_take(ua, lu, &code));
}

static void new_nexus_is_told_power_on_once_by_each_unit(void **state)
{
    struct units u;
    struct ua ua;
    (void)state;
    units_init(&u, 2);
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    expect_told(&ua, &u.lus[1], SENSE_POWER_ON);
    expect_nothing(&ua, &u.lus[1]);
    expect_told(&ua, &u.lus[0], SENSE_POWER_ON);
    expect_nothing(&ua, &u.lus[0]);
    ua_fini(&ua);
    units_fini(&u);
}

static void a_look_takes_nothing(void **state)
{
    struct units u;
    struct ua ua;
    bool more;
    (void)state;
    units_init(&u, 2);
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    ua_raise(&ua, &u.lus[0], UA_NEXUS_LOST);
    assert_int_equal(ua_peek(&ua, &u.lus[0], &more), SENSE_POWER_ON);
    assert_true(more);
    expect_told(&ua, &u.lus[0], SENSE_POWER_ON);
    assert_int_equal(ua_peek(&ua, &u.lus[0], &more), SENSE_NEXUS_LOSS);
    assert_false(more);
    expect_told(&ua, &u.lus[0], SENSE_NEXUS_LOSS);
    assert_int_equal(ua_peek(&ua, &u.lus[0], &more), SENSE_NONE);
    assert_false(more);
    /* By another nexus: */
    (void)unit_set_modes(u.lus[0].unit, &protected_modes, false);
    assert_int_equal(ua_peek(&ua, &u.lus[0], &more), SENSE_MODE_CHANGED);
    expect_told(&ua, &u.lus[0], SENSE_MODE_CHANGED);
    ua_fini(&ua);
    units_fini(&u);
}

static void changed_view_is_told_by_every_unit(void **state)
{
    struct units u;
    struct ua ua;
    (void)state;
    units_init(&u, 2);
    struct view wider = {.lus = u.lus, .lu_count = 3};
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    expect_told(&ua, &u.lus[0], SENSE_POWER_ON);
    ua_set_view(&ua, &wider);
    expect_told(&ua, &u.lus[0], SENSE_LUNS_CHANGED);
    expect_nothing(&ua, &u.lus[0]);
    expect_told(&ua, &u.lus[1], SENSE_POWER_ON);
    expect_told(&ua, &u.lus[1], SENSE_LUNS_CHANGED);
    expect_told(&ua, &u.lus[2], SENSE_POWER_ON);
    ua_fini(&ua);
    units_fini(&u);
}

static void same_view_again_tells_nothing(void **state)
{
    struct units u;
    struct ua ua;
    enum sense_code code;
    (void)state;
    units_init(&u, 2);
    struct lu copies[2] = {u.lus[0], u.lus[1]};
    struct view again = {.lus = copies, .lu_count = 2};
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    assert_true(ua_take(&ua, &u.lus[0], &code));
    ua_set_view(&ua, &again);
    expect_nothing(&ua, &copies[0]);
    expect_told(&ua, &copies[1], SENSE_POWER_ON);
    ua_fini(&ua);
    units_fini(&u);
}

static void another_volume_at_a_lun_is_a_new_unit(void **state)
{
    struct units u;
    struct ua ua;
    enum sense_code code;
    (void)state;
    units_init(&u, 1);
    struct lu other = {.lun = 0, .volume = u.lus[2].volume, .unit = u.units[2]};
    struct view after = {.lus = &other, .lu_count = 1};
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    assert_true(ua_take(&ua, &u.lus[0], &code));
    ua_set_view(&ua, &after);
    expect_told(&ua, &other, SENSE_POWER_ON);
    expect_told(&ua, &other, SENSE_LUNS_CHANGED);
    ua_fini(&ua);
    units_fini(&u);
}

static void report_luns_ends_the_announcement_alone(void **state)
{
    struct units u;
    struct ua ua;
    (void)state;
    units_init(&u, 2);
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    ua_raise_all(&ua, UA_LUNS_CHANGED);
    ua_luns_were_reported(&ua);
    for (size_t i = 0; i < 2; i++) {
        expect_told(&ua, &u.lus[i], SENSE_POWER_ON);
        expect_nothing(&ua, &u.lus[i]);
    }
    ua_fini(&ua);
    units_fini(&u);
}

static void a_lost_view_and_a_new_one_begin_anew(void **state)
{
    struct units u;
    struct ua ua;
    enum sense_code code;
    (void)state;
    units_init(&u, 1);
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    assert_true(ua_take(&ua, &u.lus[0], &code));
    ua_set_view(&ua, NULL);
    ua_raise_all(&ua, UA_LU_RESET);
    ua_set_view(&ua, &u.view);
    expect_told(&ua, &u.lus[0], SENSE_POWER_ON);
    ua_fini(&ua);
    units_fini(&u);
}

static void changed_modes_are_told_to_every_other_nexus(void **state)
{
    struct units u;
    struct ua mine;
    struct ua other;
    enum sense_code code;
    (void)state;
    units_init(&u, 2);
    ua_init(&mine);
    ua_set_view(&mine, &u.view);
    ua_init(&other);
    ua_set_view(&other, &u.view);
    assert_true(ua_take(&mine, &u.lus[0], &code));
    assert_true(ua_take(&other, &u.lus[0], &code));
    ua_saw_modes(&mine, &u.lus[0], unit_set_modes(u.units[0], &descriptor_modes, false));
    expect_nothing(&mine, &u.lus[0]);
    expect_told(&other, &u.lus[0], SENSE_MODE_CHANGED);
    expect_nothing(&other, &u.lus[0]);
    ua_fini(&mine);
    ua_fini(&other);
    units_fini(&u);
}

struct pair {
    struct units u;
    struct ua first, second;
};

/* Two nexuses that have been told that the units were powered on. */
static void pair_init(struct pair *p)
{
    units_init(&p->u, 1);
    ua_init(&p->first);
    ua_set_view(&p->first, &p->u.view);
    ua_init(&p->second);
    ua_set_view(&p->second, &p->u.view);
    expect_told(&p->first, &p->u.lus[0], SENSE_POWER_ON);
    expect_told(&p->second, &p->u.lus[0], SENSE_POWER_ON);
}

static void pair_fini(struct pair *p)
{
    ua_fini(&p->first);
    ua_fini(&p->second);
    units_fini(&p->u);
}

static void a_threshold_is_told_to_every_nexus_once(void **state)
{
    struct pair p;
    struct sense sense;
    (void)state;
    pair_init(&p);
    unit_reach(p.u.units[0], 1);
    expect_told(&p.first, &p.u.lus[0], SENSE_THRESHOLD_REACHED);
    ua_sense(&p.u.lus[0], SENSE_THRESHOLD_REACHED, &sense);
    assert_true(sense.has_info);
    assert_int_equal(sense.info, mode_threshold_offset(1));
    ua_sense(&p.u.lus[0], SENSE_POWER_ON, &sense);
    assert_false(sense.has_info);
    expect_nothing(&p.first, &p.u.lus[0]);
    expect_told(&p.second, &p.u.lus[0], SENSE_THRESHOLD_REACHED);
    expect_nothing(&p.second, &p.u.lus[0]);
    unit_reach(p.u.units[0], 1); /* again, after it was armed */
    expect_told(&p.first, &p.u.lus[0], SENSE_THRESHOLD_REACHED);
    ua_set_view(&p.second, &p.u.view); /* what waits stays */
    expect_told(&p.second, &p.u.lus[0], SENSE_THRESHOLD_REACHED);
    expect_nothing(&p.second, &p.u.lus[0]);
    pair_fini(&p);
}

static void a_threshold_for_one_is_told_to_whoever_comes_first(void **state)
{
    struct pair p;
    (void)state;
    pair_init(&p);
    (void)unit_set_modes(p.u.units[0], &one_modes, false);
    expect_told(&p.first, &p.u.lus[0], SENSE_MODE_CHANGED);
    expect_told(&p.second, &p.u.lus[0], SENSE_MODE_CHANGED);
    for (int i = 0; i < 2; i++) {
        unit_reach(p.u.units[0], 0);
        expect_told(&p.second, &p.u.lus[0], SENSE_THRESHOLD_REACHED);
        expect_nothing(&p.first, &p.u.lus[0]);
        expect_nothing(&p.second, &p.u.lus[0]);
    }
    pair_fini(&p);
}

static void a_changed_medium_is_told_before_its_capacity(void **state)
{
    struct units u;
    struct ua ua;
    (void)state;
    units_init(&u, 2);
    ua_init(&ua);
    ua_set_view(&ua, &u.view);
    ua_raise(&ua, &u.lus[0], UA_CAPACITY_CHANGED);
    ua_raise(&ua, &u.lus[0], UA_MEDIUM_CHANGED);
    ua_raise(&ua, &u.lus[0], UA_CAPACITY_CHANGED);
    expect_told(&ua, &u.lus[0], SENSE_POWER_ON);
    expect_told(&ua, &u.lus[0], SENSE_MEDIUM_CHANGED);
    expect_told(&ua, &u.lus[0], SENSE_CAPACITY_CHANGED);
    expect_nothing(&ua, &u.lus[0]);
    expect_told(&ua, &u.lus[1], SENSE_POWER_ON);
    expect_nothing(&ua, &u.lus[1]);
    ua_fini(&ua);
    units_fini(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_takes_nothing),
        cmocka_unit_test(new_nexus_is_told_power_on_once_by_each_unit),
        cmocka_unit_test(changed_view_is_told_by_every_unit),
        cmocka_unit_test(same_view_again_tells_nothing),
        cmocka_unit_test(another_volume_at_a_lun_is_a_new_unit),
        cmocka_unit_test(report_luns_ends_the_announcement_alone),
        cmocka_unit_test(changed_modes_are_told_to_every_other_nexus),
        cmocka_unit_test(a_threshold_is_told_to_every_nexus_once),
        cmocka_unit_test(a_threshold_for_one_is_told_to_whoever_comes_first),
        cmocka_unit_test(a_changed_medium_is_told_before_its_capacity),
        cmocka_unit_test(a_lost_view_and_a_new_one_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
