/* SPDX-License-Identifier: Apache-2.0 */
/* Task management, as an initiator meets it: each function in each state of a task, what
 * other sessions notice, what is refused. */
#include "tests/unit/target/wire_talk.h"

#include "proto/lun.h"
#include "target/limits.h"
#include "target/request.h"

#include <stdio.h>
#include <string.h>

static void an_aborted_write_is_not_answered(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    begin_write(p, &m, 0, 8, &r);
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
    begin_write(a, &ma, 0, 8, &ra);
    begin_write(b, &mb, 8, 8, &rb);
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
        begin_write(b, &m, 8, 8, &r);
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

/* ---- the states of a task ---- */

#define ASKED   KEYS("InitialR2T=Yes\0ImmediateData=No\0")
#define LEVEL_2 KEYS("InitialR2T=Yes\0ImmediateData=No\0iSCSIProtocolLevel=2\0")

static uint32_t send_rw(struct wire_peer *p, bool write, enum task_attr attr)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, write, 0, 8);
    m.attr = attr;
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

/* Its buffer may not be freed before the disk has let go of it. */
static void an_abort_waits_for_the_disk(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct disk_hold hold;
    hold_disk(*state, &hold);
    uint32_t read = send_rw(p, false, TASK_SIMPLE);
    uint32_t first = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, read);
    uint32_t again = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, read);
    expect_silence(p);
    release_disk(&hold);
    wire_peer_expect(p, OP_TMF_RSP);
    bool in_order = be32_get(p->bhs.any.itt) == first;
    expect_tmf(p, in_order ? again : first, TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, read), TMF_NO_TASK);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_task_set_is_aborted_in_every_state(void **state)
{
    static const enum tmf_function functions[] = {TMF_ABORT_TASK_SET, TMF_CLEAR_TASK_SET,
                                                  TMF_I_T_NEXUS_RESET};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        struct wire_peer *p = logged_in(state, LEVEL_2);
        struct disk_hold hold;
        struct r2t r;
        hold_disk(*state, &hold);
        (void)send_rw(p, false, TASK_SIMPLE); /* at the disk */
        (void)send_rw(p, true, TASK_SIMPLE);  /* without its data */
        expect_r2t(p, &r);
        (void)send_ready(p, TASK_ORDERED); /* dormant */
        uint32_t itt = send_tmf(p, functions[i], RIG_LUN, PDU_TAG_NONE);
        expect_silence(p);
        release_disk(&hold);
        expect_tmf(p, itt, TMF_COMPLETE);
        expect_silence(p);
        wire_peer_ready(p);
        wire_peer_close(p);
    }
}

static void a_reset_waits_for_the_disk_of_others(void **state)
{
    static const enum tmf_function functions[] = {TMF_LU_RESET, TMF_TARGET_WARM_RESET};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        struct wire_peer *a = logged_in(state, ASKED);
        struct wire_peer *b = logged_in(state, ASKED);
        struct disk_hold hold;
        hold_disk(*state, &hold);
        (void)send_rw(b, false, TASK_SIMPLE);
        expect_silence(b);
        uint32_t itt = send_tmf(a, functions[i], RIG_LUN, PDU_TAG_NONE);
        expect_silence(a);
        expect_silence(b);
        release_disk(&hold);
        expect_tmf(a, itt, TMF_COMPLETE);
        expect_silence(b);
        wire_peer_ready(a);
        wire_peer_ready(b);
        wire_peer_close(a);
        wire_peer_close(b);
    }
}

static void tasks_of_other_sessions_and_units_are_unknown(void **state)
{
    struct wire_peer *a = logged_in(state, LEVEL_2);
    struct wire_peer *b = logged_in(state, LEVEL_2);
    struct r2t r;
    a->itt = 7000;
    uint32_t write = send_rw(a, true, TASK_SIMPLE);
    expect_r2t(a, &r);
    expect_tmf(b, send_tmf(b, TMF_ABORT_TASK, RIG_LUN, write), TMF_NO_TASK);
    expect_tmf(b, send_tmf(b, TMF_QUERY_TASK, RIG_LUN, write), TMF_COMPLETE);
    expect_tmf(a, send_tmf(a, TMF_ABORT_TASK, RIG_LUN + 1, write), TMF_NO_TASK);
    answer_r2t(a, &r, 4096);
    expect_good(a, write);
    expect_tmf(a, send_tmf(a, TMF_ABORT_TASK, RIG_LUN, write), TMF_NO_TASK);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void a_function_is_no_task(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct disk_hold hold;
    hold_disk(*state, &hold);
    uint32_t read = send_rw(p, false, TASK_SIMPLE);
    uint32_t abort = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, read);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, abort), TMF_NO_TASK);
    release_disk(&hold);
    expect_tmf(p, abort, TMF_COMPLETE);
    wire_peer_close(p);
}

/* In one segment, so that the command is there before the reset has got to its reactor.
 */
static void what_comes_after_a_reset_is_not_swept(void **state)
{
    static const enum tmf_function functions[] = {TMF_LU_RESET, TMF_TARGET_WARM_RESET};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        struct wire_peer *p = logged_in(state, ASKED);
        struct disk_hold hold;
        union bhs both[2];
        struct cmd_req read;
        struct tmf_req tmf = {.immediate = true,
                              .function = (uint8_t)functions[i],
                              .lun = lun_encode(RIG_LUN),
                              .itt = p->itt++,
                              .ref_itt = PDU_TAG_NONE,
                              .cmd_sn = p->cmd_sn};
        wire_peer_rw(p, &read, false, 0, 8);
        tmf_req_encode(&tmf, &both[0].tmf_req);
        cmd_req_encode(&read, &both[1].cmd_req);
        hold_disk(*state, &hold);
        wire_peer_send_raw(p, both, sizeof(both));
        expect_tmf(p, tmf.itt, TMF_COMPLETE);
        release_disk(&hold);
        wire_peer_expect(p, OP_DATA_IN);
        assert_int_equal(be32_get(p->bhs.any.itt), read.itt);
        wire_peer_close(p);
    }
}

/* ---- commands that did not come: RFC 7143, 11.6.1 ---- */

static void abort_number(struct wire_peer *p, uint32_t itt, uint32_t cmd_sn,
                         enum tmf_response response)
{
    const struct tmf_req m = {.function = TMF_ABORT_TASK,
                              .lun = lun_encode(RIG_LUN),
                              .ref_itt = itt,
                              .ref_cmd_sn = cmd_sn};
    expect_tmf(p, send_tmf_req(p, &m), response);
}

static void an_aborted_number_counts_as_received(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req lost;
    wire_peer_cmd(p, &lost);
    uint32_t behind = send_ready(p, TASK_SIMPLE);
    expect_silence(p);
    abort_number(p, lost.itt, lost.cmd_sn, TMF_COMPLETE);
    expect_good(p, behind);
    wire_peer_send_cmd(p, &lost, NULL); /* too late */
    expect_silence(p);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    wire_peer_close(p);
}

static void a_command_before_its_turn_is_aborted(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req lost, early;
    wire_peer_cmd(p, &lost);
    wire_peer_cmd(p, &early);
    wire_peer_send_cmd(p, &early, NULL);
    abort_number(p, early.itt + 50, early.cmd_sn, TMF_NO_TASK); /* not its tag */
    abort_number(p, early.itt, early.cmd_sn, TMF_COMPLETE);
    wire_peer_send_cmd(p, &lost, NULL);
    expect_good(p, lost.itt);
    expect_silence(p);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    wire_peer_close(p);
}

static void a_task_set_includes_what_came_before_its_turn(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req lost;
    wire_peer_cmd(p, &lost);
    (void)send_ready(p, TASK_SIMPLE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    uint32_t after = send_ready(p, TASK_SIMPLE);
    wire_peer_send_cmd(p, &lost, NULL);
    expect_good(p, lost.itt);
    expect_good(p, after);
    wire_peer_close(p);
}

static void numbers_outside_the_window_are_no_tasks(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    abort_number(p, 1, p->cmd_sn - 1, TMF_NO_TASK);
    abort_number(p, 1, p->cmd_sn, TMF_NO_TASK); /* not before the function itself */
    abort_number(p, 1, p->cmd_sn + 1000, TMF_NO_TASK);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    wire_peer_close(p);
}

/* ---- bounds ---- */

static void functions_pass_a_closed_window(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    for (int i = 0; i < SESSION_WINDOW; i++) {
        (void)send_rw(p, true, TASK_SIMPLE);
        expect_r2t(p, &r);
    }
    uint32_t max = be32_get(p->bhs.r2t.max_cmd_sn);
    assert_int_equal(max, p->cmd_sn - 1);
    assert_int_equal(be32_get(p->bhs.r2t.exp_cmd_sn), p->cmd_sn);
    (void)send_ready(p, TASK_SIMPLE); /* one too many */
    p->cmd_sn--;
    expect_silence(p);
    uint32_t itt = send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE);
    expect_tmf(p, itt, TMF_COMPLETE);
    assert_int_equal(be32_get(p->bhs.tmf_rsp.max_cmd_sn), max + SESSION_WINDOW);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    wire_peer_close(p);
}

static void immediate_commands_are_bounded(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req m;
    struct r2t r;
    for (int i = 0; i <= SESSION_IMMEDIATE_MAX; i++) {
        wire_peer_rw(p, &m, true, 0, 8);
        m.immediate = true;
        p->cmd_sn--;
        wire_peer_send_cmd(p, &m, NULL);
        if (i < SESSION_IMMEDIATE_MAX)
            expect_r2t(p, &r);
    }
    struct reject reject;
    wire_peer_expect(p, OP_REJECT);
    assert_int_equal(reject_decode(&p->bhs.reject, &reject), 0);
    assert_int_equal(reject.reason, REJECT_IMMEDIATE_TOO_MANY);
    wire_peer_ready(p);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, r.itt), TMF_COMPLETE);
    wire_peer_close(p);
}

static void functions_under_way_are_bounded(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct disk_hold hold;
    hold_disk(*state, &hold);
    (void)send_rw(p, false, TASK_SIMPLE);
    for (int i = 0; i < SESSION_TMF_MAX; i++)
        (void)send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_REJECTED);
    release_disk(&hold);
    for (int i = 0; i < SESSION_TMF_MAX; i++)
        wire_peer_expect(p, OP_TMF_RSP);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_connection_may_end_under_a_function(void **state)
{
    struct wire_peer *a = logged_in(state, ASKED);
    struct wire_peer *b = logged_in(state, ASKED);
    struct disk_hold hold;
    hold_disk(*state, &hold);
    (void)send_rw(a, false, TASK_SIMPLE);
    (void)send_tmf(a, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE);
    (void)send_tmf(a, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE);
    expect_silence(a);
    wire_peer_close(a);
    uint32_t itt = send_tmf(b, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE);
    expect_silence(b);
    release_disk(&hold);
    expect_tmf(b, itt, TMF_COMPLETE);
    wire_peer_ready(b);
    wire_peer_close(b);
}

/* At the disk, dormant, without data, without memory, before its turn, in the middle of a
 * PDU; and a function that waits for all of it. The next login is of the same port. */
static void a_connection_may_end_with_tasks_in_every_state(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=Yes\0MaxBurstLength=1048576\0"));
    struct wire_peer *again = wire_peer_connect(*state);
    struct disk_hold hold;
    struct cmd_req m;
    struct r2t r;
    hold_disk(*state, &hold);
    (void)send_rw(p, false, TASK_SIMPLE);
    for (unsigned i = 0; i < SESSION_BUFFER_BYTES_MAX >> 20; i++) {
        wire_peer_rw(p, &m, true, 0, 2048);
        wire_peer_send_cmd(p, &m, NULL);
        if (i + 1 < SESSION_BUFFER_BYTES_MAX >> 20)
            expect_r2t(p, &r);
    }
    (void)send_ready(p, TASK_ORDERED);
    p->cmd_sn++;
    (void)send_ready(p, TASK_SIMPLE);
    (void)send_tmf(p, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE);
    (void)send_rw(p, true, TASK_SIMPLE);
    expect_silence(p);
    wire_peer_send_raw(p, &p->bhs, 20);
    memcpy(again->isid, p->isid, sizeof(p->isid));
    wire_peer_close(p);
    release_disk(&hold);
    wire_peer_login(again, KEYS(""));
    wire_peer_ready(again);
    wire_peer_close(again);
}

/* ---- TARGET COLD RESET ---- */

static void a_cold_reset_ends_the_sessions(void **state)
{
    struct wire_peer *a = logged_in(state, ASKED);
    struct wire_peer *b = logged_in(state, ASKED);
    struct disk_hold hold;
    hold_disk(*state, &hold);
    (void)send_rw(b, false, TASK_SIMPLE);
    expect_silence(b);
    uint32_t itt = send_tmf(a, TMF_TARGET_COLD_RESET, 0, PDU_TAG_NONE);
    expect_silence(a);
    release_disk(&hold);
    expect_tmf(a, itt, TMF_COMPLETE);
    wire_peer_expect_drop(a, ASYNC_DROP_SESSION);
    wire_peer_expect_drop(b, ASYNC_DROP_SESSION);
    wire_peer_close(a);
    wire_peer_close(b);
    a = wire_peer_connect(*state);
    wire_peer_login(a, KEYS(""));
    (void)send_ready(a, TASK_SIMPLE);
    expect_sense(a, SENSE_POWER_ON);
    wire_peer_close(a);
}

/* ---- iSCSIProtocolLevel 2: RFC 7144 ---- */

static void expect_level(struct wire_peer *p, const char *level)
{
    assert_true(wire_peer_said(p, "iSCSIProtocolLevel", level));
}

/* SPC-5, 6.36: what may be asked is what is told. */
static void functions_are_reported_as_they_are_served(void **state)
{
    (void)state;
    assert_int_equal(tmf_reported(1), 0xda00);
    assert_int_equal(tmf_reported(2), 0xde07);
}

static void queries_tell_what_is_there(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    wire_peer_login(p, LEVEL_2);
    expect_level(p, "2");
    wire_peer_ready(p);
    struct r2t r;
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    uint32_t write = send_rw(p, true, TASK_SIMPLE);
    expect_r2t(p, &r);
    uint32_t dormant = send_ready(p, TASK_ORDERED);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK, RIG_LUN, write), TMF_SUCCEEDED);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK, RIG_LUN, dormant), TMF_SUCCEEDED);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK, RIG_LUN, write + 99), TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_SUCCEEDED);
    answer_r2t(p, &r, 4096);
    expect_good(p, write);
    expect_good(p, dormant);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK, RIG_LUN, write), TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_QUERY_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    wire_peer_close(p);
}

static void expect_event(struct wire_peer *p, enum tmf_response response, uint32_t info)
{
    uint32_t itt = send_tmf(p, TMF_QUERY_ASYNC_EVENT, RIG_LUN, PDU_TAG_NONE);
    expect_tmf(p, itt, response);
    assert_int_equal(be24_get(p->bhs.tmf_rsp.info), info);
}

static void a_waiting_attention_is_told_and_kept(void **state)
{
    struct wire_peer *p = logged_in(state, LEVEL_2);
    expect_event(p, TMF_COMPLETE, 0);
    expect_tmf(p, send_tmf(p, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    expect_event(p, TMF_SUCCEEDED, 0x162903);
    expect_tmf(p, send_tmf(p, TMF_I_T_NEXUS_RESET, 0, PDU_TAG_NONE), TMF_COMPLETE);
    expect_event(p, TMF_SUCCEEDED, 0x262903);
    (void)send_ready(p, TASK_SIMPLE);
    expect_sense(p, SENSE_LU_RESET);
    expect_event(p, TMF_SUCCEEDED, 0x162907);
    (void)send_ready(p, TASK_SIMPLE);
    expect_sense(p, SENSE_NEXUS_LOSS);
    expect_event(p, TMF_COMPLETE, 0);
    wire_peer_close(p);
}

static void a_nexus_reset_is_of_one_nexus(void **state)
{
    struct wire_peer *a = logged_in(state, LEVEL_2);
    struct wire_peer *b = logged_in(state, LEVEL_2);
    struct r2t r;
    uint32_t write = send_rw(b, true, TASK_SIMPLE);
    expect_r2t(b, &r);
    expect_tmf(a, send_tmf(a, TMF_I_T_NEXUS_RESET, 0, PDU_TAG_NONE), TMF_COMPLETE);
    (void)send_ready(a, TASK_SIMPLE);
    expect_sense(a, SENSE_NEXUS_LOSS);
    answer_r2t(b, &r, 4096);
    expect_good(b, write);
    expect_good(b, send_ready(b, TASK_SIMPLE));
    wire_peer_close(a);
    wire_peer_close(b);
}

/* REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS. */
static void expect_functions(struct wire_peer *p, uint8_t first, uint8_t second)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.read = true;
    m.expected_bytes = 4;
    m.cdb[0] = 0xa3;
    m.cdb[1] = 0x0d;
    m.cdb[9] = 4;
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data[0], first);
    assert_int_equal(p->data[1], second);
}

static void the_new_functions_want_the_level(void **state)
{
    static const char *const levels[] = {"0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        char keys[32];
        int bytes = snprintf(keys, sizeof(keys), "iSCSIProtocolLevel=%s", levels[i]);
        struct wire_peer *p = wire_peer_connect(*state);
        wire_peer_login(p, keys, (size_t)bytes + 1);
        expect_level(p, levels[i]);
        wire_peer_ready(p);
        for (int f = TMF_QUERY_TASK; f <= TMF_QUERY_ASYNC_EVENT; f++)
            expect_tmf(p, send_tmf(p, (enum tmf_function)f, RIG_LUN, 1),
                       TMF_NOT_SUPPORTED);
        expect_functions(p, 0xda, 0);
        wire_peer_close(p);
    }
    struct wire_peer *p = logged_in(state, LEVEL_2);
    expect_functions(p, 0xde, 0x07);
    wire_peer_close(p);
}

/* All memory of the session is lent, and data comes that has no place. */
static void a_full_task_set_says_when_to_try_again(void **state)
{
    static const struct {
        const char *keys;
        size_t bytes;
        uint16_t qualifier;
    } cases[] = {
        {KEYS("InitialR2T=Yes\0"), 0},
        {KEYS("InitialR2T=Yes\0iSCSIProtocolLevel=2\0"), 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_peer *p = logged_in(state, cases[i].keys, cases[i].bytes);
        struct cmd_req m;
        struct cmd_rsp rsp;
        struct r2t r;
        for (unsigned n = 0; n < SESSION_BUFFER_BYTES_MAX >> 20; n++) {
            begin_write(p, &m, 0, 2048, &r);
        }
        wire_peer_rw(p, &m, true, 0, 1);
        m.data_bytes = 512;
        wire_peer_send_cmd(p, &m, pattern);
        assert_int_equal(wire_peer_status(p, &rsp), SAM_TASK_SET_FULL);
        assert_int_equal(rsp.status_qualifier, cases[i].qualifier);
        wire_peer_close(p);
    }
}

/* ---- what is refused ---- */

static void unknown_functions_and_units_are_said(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    expect_tmf(p, send_tmf(p, TMF_LU_RESET, 77, PDU_TAG_NONE), TMF_NO_LUN);
    expect_tmf(p, send_tmf(p, TMF_CLEAR_ACA, RIG_LUN, PDU_TAG_NONE), TMF_NOT_SUPPORTED);
    expect_tmf(p, send_tmf(p, TMF_TASK_REASSIGN, RIG_LUN, 1), TMF_NO_REASSIGN);
    expect_tmf(p, send_tmf(p, 0, RIG_LUN, 1), TMF_NOT_SUPPORTED);
    expect_tmf(p, send_tmf(p, TMF_QUERY_ASYNC_EVENT + 1, RIG_LUN, 1), TMF_NOT_SUPPORTED);
    expect_tmf(p, send_tmf(p, 0x7f, RIG_LUN, 1), TMF_NOT_SUPPORTED);
    wire_peer_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_aborted_write_is_not_answered),
        cmocka_unit_test(a_task_set_is_aborted_for_its_own_session_alone),
        cmocka_unit_test(a_reset_ends_the_commands_of_all_sessions),
        cmocka_unit_test(an_abort_waits_for_the_disk),
        cmocka_unit_test(a_task_set_is_aborted_in_every_state),
        cmocka_unit_test(a_reset_waits_for_the_disk_of_others),
        cmocka_unit_test(tasks_of_other_sessions_and_units_are_unknown),
        cmocka_unit_test(a_function_is_no_task),
        cmocka_unit_test(what_comes_after_a_reset_is_not_swept),
        cmocka_unit_test(an_aborted_number_counts_as_received),
        cmocka_unit_test(a_command_before_its_turn_is_aborted),
        cmocka_unit_test(a_task_set_includes_what_came_before_its_turn),
        cmocka_unit_test(numbers_outside_the_window_are_no_tasks),
        cmocka_unit_test(functions_pass_a_closed_window),
        cmocka_unit_test(immediate_commands_are_bounded),
        cmocka_unit_test(functions_under_way_are_bounded),
        cmocka_unit_test(a_connection_may_end_under_a_function),
        cmocka_unit_test(a_connection_may_end_with_tasks_in_every_state),
        cmocka_unit_test(a_cold_reset_ends_the_sessions),
        cmocka_unit_test(functions_are_reported_as_they_are_served),
        cmocka_unit_test(queries_tell_what_is_there),
        cmocka_unit_test(a_waiting_attention_is_told_and_kept),
        cmocka_unit_test(a_nexus_reset_is_of_one_nexus),
        cmocka_unit_test(the_new_functions_want_the_level),
        cmocka_unit_test(a_full_task_set_says_when_to_try_again),
        cmocka_unit_test(unknown_functions_and_units_are_said),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
