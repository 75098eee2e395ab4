/* SPDX-License-Identifier: Apache-2.0 */
/* Task management, as an initiator meets it: each function in each state of a task, what
 * other sessions notice, what is refused. */
#include "tests/unit/target/wire_talk.h"

#include "proto/lun.h"

static void an_aborted_write_is_not_answered(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
    uint32_t itt = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, m.itt);
    expect_tmf(p, itt, TMF_COMPLETE);
    answer_r2t(p, &r, 4096); /* was on its way */
    itt = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, m.itt);
    expect_tmf(p, itt, TMF_NO_TASK);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_task_set_is_aborted_for_its_own_session_alone(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct wire_peer *b = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req ma, mb;
    struct r2t ra, rb;
    wire_peer_rw(a, &ma, true, 0, 8);
    wire_peer_send_cmd(a, &ma, NULL);
    expect_r2t(a, &ra);
    wire_peer_rw(b, &mb, true, 8, 8);
    wire_peer_send_cmd(b, &mb, NULL);
    expect_r2t(b, &rb);
    expect_tmf(a, send_tmf(a, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    answer_r2t(b, &rb, 4096);
    expect_good(b, mb.itt);
    wire_peer_ready(a);
    wire_peer_close(a);
    wire_peer_close(b);
}

/* The sessions are on different reactors. */
static void a_reset_ends_the_commands_of_all_sessions(void **state)
{
    static const struct {
        enum tmf_function function;
        enum sense_code told;
    } cases[] = {
        {TMF_LU_RESET, SENSE_LU_RESET},
        {TMF_TARGET_WARM_RESET, SENSE_POWER_ON},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_peer *a = logged_in(state, KEYS(""));
        struct wire_peer *b =
            logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
        struct cmd_req m;
        struct r2t r;
        wire_peer_rw(b, &m, true, 8, 8);
        wire_peer_send_cmd(b, &m, NULL);
        expect_r2t(b, &r);
        expect_tmf(a, send_tmf(a, cases[i].function, RIG_LUN, PDU_TAG_NONE),
                   TMF_COMPLETE);
        answer_r2t(b, &r, 4096);
        wire_peer_cmd(b, &m);
        wire_peer_send_cmd(b, &m, NULL);
        expect_sense(b, cases[i].told);
        wire_peer_cmd(a, &m);
        wire_peer_send_cmd(a, &m, NULL);
        expect_sense(a, cases[i].told);
        wire_peer_ready(a);
        wire_peer_ready(b);
        wire_peer_close(a);
        wire_peer_close(b);
    }
}

static void unknown_functions_and_units_are_said(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    expect_tmf(p, send_tmf(p, TMF_LU_RESET, 77, PDU_TAG_NONE), TMF_NO_LUN);
    expect_tmf(p, send_tmf(p, TMF_CLEAR_ACA, RIG_LUN, PDU_TAG_NONE), TMF_NOT_SUPPORTED);
    expect_tmf(p, send_tmf(p, TMF_TASK_REASSIGN, RIG_LUN, 1), TMF_NOT_SUPPORTED);
    wire_peer_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_aborted_write_is_not_answered),
        cmocka_unit_test(a_task_set_is_aborted_for_its_own_session_alone),
        cmocka_unit_test(a_reset_ends_the_commands_of_all_sessions),
        cmocka_unit_test(unknown_functions_and_units_are_said),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
