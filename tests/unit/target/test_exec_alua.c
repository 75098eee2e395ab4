/* SPDX-License-Identifier: Apache-2.0 */
/* What a unit takes through a port group in each state, and what it says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "tests/unit/target/exec_rig.h"

#include <string.h>

static const struct {
    enum alua_state state;
    enum sense_code code;
} closed[] = {
    {ALUA_STANDBY, SENSE_PORT_IN_STANDBY},
    {ALUA_UNAVAILABLE, SENSE_PORT_UNAVAILABLE},
    {ALUA_TRANSITIONING, SENSE_ACCESS_TRANSITION},
};

static void set_state(struct rig *r, enum alua_state state)
{
    r->alua.groups[0].access.state = state;
}

/* SPC-4, 5.15.2.4, of the commands that there are; READ CAPACITY is ours. */
static bool is_taken(enum alua_state state, const char *name)
{
    static const char *const always[] = {
        "REQUEST SENSE",
        "INQUIRY",
        "REPORT LUNS",
        "REPORT TARGET PORT GROUPS",
        "REPORT SUPPORTED OPERATION CODES",
        "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
    };
    static const char *const in_standby[] = {
        "MODE SELECT(6)", "MODE SENSE(6)",     "LOG SENSE",         "MODE SELECT(10)",
        "MODE SENSE(10)", "READ CAPACITY(10)", "READ CAPACITY(16)",
    };
    static const char reservations[] = "PERSISTENT RESERVE"; /* IN and OUT, each action */
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (strcmp(name, always[i]) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(in_standby); i++)
        if (strcmp(name, in_standby[i]) == 0)
            return state == ALUA_STANDBY;
    if (strncmp(name, reservations, strlen(reservations)) == 0)
        return state == ALUA_STANDBY;
    return false;
}

static bool was_refused_for(const struct rig *r, enum sense_code code)
{
    return r->task.status == SAM_CHECK_CONDITION && r->task.sense.code == code;
}

static void each_state_takes_what_its_clause_says(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
        set_state(r, closed[i].state);
        for (unsigned id = 0; id < CDB_ID_COUNT; id++) {
            const uint8_t cdb[16] = {cdb_ops[id].opcode, cdb_ops[id].service_action};
            rig_run(r, 0, cdb, sizeof(cdb));
            if (was_refused_for(r, closed[i].code) ==
                is_taken(closed[i].state, cdb_ops[id].name))
                fail_msg("%s, %s", cdb_ops[id].name, alua_state_name(closed[i].state));
        }
    }
}

static void active_states_take_all(void **state)
{
    struct rig *r = *state;
    static const enum alua_state active[] = {ALUA_OPTIMIZED, ALUA_NON_OPTIMIZED};
    for (size_t i = 0; i < ARRAY_LEN(active); i++) {
        set_state(r, active[i]);
        RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
        rig_expect_good(r);
        rig_send_pattern(r, 0x5a, 512);
        RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
        rig_expect_good(r);
    }
}

static void another_groups_state_closes_nothing(void **state)
{
    struct rig *r = *state;
    r->alua.groups[1].access.state = ALUA_UNAVAILABLE;
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
}

/* Before they are known by their PDUs, what a state takes of those that are under way. */
static void a_command_under_way_is_judged_by_what_it_is(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x1a, 0, 0x3f, 0, 192, 0);
    assert_true(exec_is_taken(&r->task, ALUA_NON_OPTIMIZED));
    assert_true(exec_is_taken(&r->task, ALUA_STANDBY));
    assert_false(exec_is_taken(&r->task, ALUA_UNAVAILABLE));
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    assert_true(exec_is_taken(&r->task, ALUA_OPTIMIZED));
    assert_false(exec_is_taken(&r->task, ALUA_STANDBY));
    RIG_RUN(r, 0xff, 0, 0, 0, 0, 0); /* answered for what it is */
    assert_true(exec_is_taken(&r->task, ALUA_UNAVAILABLE));
}

static void an_attention_comes_before_the_state(void **state)
{
    struct rig *r = *state;
    set_state(r, ALUA_STANDBY);
    nexus_notice(r->nexus, NULL, NEXUS_ACCESS_CHANGED);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_ACCESS_CHANGED);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_PORT_IN_STANDBY);
}

static void request_sense_tells_the_state_as_data(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
        set_state(r, closed[i].state);
        RIG_RUN(r, 0x03, 0, 0, 0, 252, 0);
        rig_expect_good(r);
        assert_int_equal(r->task.data_in[2], SENSE_KEY_NOT_READY);
        assert_int_equal(be16_load(r->task.data_in + 12),
                         (unsigned)closed[i].code & 0xffff);
    }
    set_state(r, ALUA_OPTIMIZED);
    RIG_RUN(r, 0x03, 0, 0, 0, 252, 0);
    assert_int_equal(r->task.data_in[2], SENSE_KEY_NO_SENSE);
}

static void both_headers_tell_of_all_groups(void **state)
{
    struct rig *r = *state;
    r->alua.groups[1].access = (struct alua_access){ALUA_NON_OPTIMIZED, true};
    RIG_RUN(r, 0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 28);
    assert_int_equal(be32_load(r->task.data_in), 24);
    assert_int_equal(be16_load(r->task.data_in + 6), 1);
    assert_int_equal(r->task.data_in[16], 0x81);
    assert_int_equal(be16_load(r->task.data_in + 18), 7);

    RIG_RUN(r, 0xa3, 0x2a, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 20);
    assert_int_equal(be32_load(r->task.data_in), 28);
    assert_int_equal(r->task.data_in[4], 0x10);
    assert_int_equal(r->task.data_in[5], ALUA_TRANSITION_S);

    RIG_RUN(r, 0xa3, 0x4a, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0);
    rig_expect_cdb_field(r, 1);
}

/* The nexus's own designators are of one of the groups that are reported. */
static void the_port_and_its_group_have_the_tags_number(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x12, 1, 0x83, 1, 0, 0);
    rig_expect_good(r);
    unsigned found = 0;
    for (uint32_t at = 4; at + 4 <= r->task.data_in_bytes;) {
        const uint8_t *id = r->task.data_in + at;
        uint8_t type = id[1] & 0x0f;
        if (type == 4 || type == 5) {
            assert_int_equal(be32_load(id + 4), 1);
            found++;
        }
        at += 4U + id[3];
    }
    assert_int_equal(found, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_512(each_state_takes_what_its_clause_says),
        ON_512(active_states_take_all),
        ON_512(another_groups_state_closes_nothing),
        ON_512(a_command_under_way_is_judged_by_what_it_is),
        ON_512(an_attention_comes_before_the_state),
        ON_512(request_sense_tells_the_state_as_data),
        ON_512(both_headers_tell_of_all_groups),
        ON_512(the_port_and_its_group_have_the_tags_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
