/* SPDX-License-Identifier: Apache-2.0 */
/* Task attributes: who waits for whom, and who does not. A write whose data does not come
 * and a disk that is held keep commands where a test wants them. */
#include "tests/unit/target/wire_talk.h"

#include "proto/lun.h"

#define MIB (1U << 20)

#define ASKED KEYS("InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=1048576\0")

/* A write of 8 blocks that has its R2T. */
static uint32_t open_write(struct wire_peer *p, enum task_attr attr, struct r2t *r)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, true, 0, 8);
    m.attr = attr;
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, r);
    return m.itt;
}

static void an_ordered_command_waits_for_those_before_it(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    uint32_t write = open_write(p, TASK_SIMPLE, &r);
    uint32_t ordered = send_ready(p, TASK_ORDERED);
    uint32_t after = send_ready(p, TASK_SIMPLE);
    expect_silence(p);
    answer_r2t(p, &r, 4096);
    expect_good(p, write);
    expect_good(p, ordered);
    expect_good(p, after);
    wire_peer_close(p);
}

static void the_disk_is_waited_for_too(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct disk_hold hold;
    struct cmd_req read;
    hold_disk(*state, &hold);
    wire_peer_rw(p, &read, false, 0, 8);
    wire_peer_send_cmd(p, &read, NULL);
    uint32_t ordered = send_ready(p, TASK_ORDERED);
    expect_silence(p);
    release_disk(&hold);
    wire_peer_expect(p, OP_DATA_IN);
    expect_good(p, ordered);
    wire_peer_close(p);
}

static void what_comes_after_an_ordered_command_waits_for_it(void **state)
{
    static const enum task_attr later[] = {TASK_SIMPLE, TASK_UNTAGGED, TASK_ORDERED};
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct wire_peer *p = logged_in(state, ASKED);
        struct r2t r;
        uint32_t ordered = open_write(p, TASK_ORDERED, &r);
        uint32_t after = send_ready(p, later[i]);
        expect_silence(p);
        answer_r2t(p, &r, 4096);
        expect_good(p, ordered);
        expect_good(p, after);
        wire_peer_close(p);
    }
}

static void simple_commands_do_not_wait_for_each_other(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    uint32_t write = open_write(p, TASK_SIMPLE, &r);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    expect_good(p, send_ready(p, TASK_UNTAGGED));
    answer_r2t(p, &r, 4096);
    expect_good(p, write);
    wire_peer_close(p);
}

static void a_head_of_queue_command_waits_for_nobody(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    uint32_t write = open_write(p, TASK_SIMPLE, &r);
    uint32_t ordered = send_ready(p, TASK_ORDERED);
    expect_good(p, send_ready(p, TASK_HEAD_OF_QUEUE));
    expect_silence(p);
    answer_r2t(p, &r, 4096);
    expect_good(p, write);
    expect_good(p, ordered);
    wire_peer_close(p);
}

static void all_wait_for_a_head_of_queue_command(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    uint32_t first = open_write(p, TASK_HEAD_OF_QUEUE, &r);
    uint32_t simple = send_ready(p, TASK_SIMPLE);
    uint32_t ordered = send_ready(p, TASK_ORDERED);
    expect_silence(p);
    answer_r2t(p, &r, 4096);
    expect_good(p, first);
    expect_good(p, simple);
    expect_good(p, ordered);
    wire_peer_close(p);
}

/* TST 001b: each nexus has a task set of its own. */
static void another_nexus_does_not_wait(void **state)
{
    struct wire_peer *a = logged_in(state, ASKED);
    struct wire_peer *b = logged_in(state, ASKED);
    struct r2t r;
    uint32_t ordered = open_write(a, TASK_ORDERED, &r);
    expect_good(b, send_ready(b, TASK_SIMPLE));
    expect_good(b, send_ready(b, TASK_ORDERED));
    answer_r2t(a, &r, 4096);
    expect_good(a, ordered);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void what_is_refused_does_not_wait(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req m;
    struct r2t r;
    uint32_t ordered = open_write(p, TASK_ORDERED, &r);
    wire_peer_rw(p, &m, false, RIG_BLOCKS, 1);
    wire_peer_send_cmd(p, &m, NULL);
    expect_sense(p, SENSE_LBA_RANGE);
    answer_r2t(p, &r, 4096);
    expect_good(p, ordered);
    wire_peer_close(p);
}

/* There is no ACA condition that it could be for: NACA is not supported. */
static void the_aca_attribute_is_refused(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    (void)send_ready(p, TASK_ACA);
    expect_sense(p, SENSE_INVALID_MESSAGE);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    wire_peer_close(p);
}

static void an_aborted_command_is_waited_for_no_more(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    uint32_t ordered = open_write(p, TASK_ORDERED, &r);
    uint32_t dormant = send_ready(p, TASK_SIMPLE);
    uint32_t gone = send_ready(p, TASK_ORDERED);
    uint32_t last = send_ready(p, TASK_SIMPLE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, gone), TMF_COMPLETE);
    expect_silence(p);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, ordered), TMF_COMPLETE);
    expect_good(p, dormant);
    expect_good(p, last);
    wire_peer_close(p);
}

static void a_connection_may_end_with_dormant_commands(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct r2t r;
    (void)open_write(p, TASK_ORDERED, &r);
    (void)send_ready(p, TASK_SIMPLE);
    (void)send_ready(p, TASK_ORDERED);
    expect_silence(p);
    wire_peer_close(p);
    p = logged_in(state, ASKED);
    wire_peer_close(p);
}

enum { SMALL = 125, HALF_MIB = 1024 /* in blocks */ };

/* Writes of half a MiB that have a session's memory but for 1.5 MiB. */
static void lend_memory(struct wire_peer *p, struct r2t r[SMALL])
{
    struct cmd_req m;
    for (unsigned i = 0; i < SMALL; i++) {
        wire_peer_rw(p, &m, true, HALF_MIB * (i % 8), HALF_MIB);
        wire_peer_send_cmd(p, &m, NULL);
        expect_r2t(p, &r[i]);
    }
}

/* The next PDU is an R2T, added to r[], or GOOD status: then it returns 1. */
static unsigned take_r2t_or_good(struct wire_peer *p, struct r2t *r, unsigned *count)
{
    wire_peer_recv(p);
    if (pdu_opcode(&p->bhs) == OP_R2T) {
        assert_int_equal(r2t_decode(&p->bhs.r2t, &r[(*count)++]), 0);
        return 0;
    }
    assert_int_equal(pdu_opcode(&p->bhs), OP_CMD_RSP);
    assert_int_equal(p->bhs.cmd_rsp.status, SAM_GOOD);
    return 1;
}

/* All of a session's memory is lent to writes of 512 KiB when an ORDERED one wants 2 MiB;
 * with each that ends another small one comes. If those got the memory, they would keep
 * it until the ordered one is done, which never gets any. */
static void memory_is_not_given_to_those_behind(void **state)
{
    static struct r2t r[2 * SMALL + 2];
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req m;
    unsigned asked = SMALL, done = 0;
    lend_memory(p, r);
    wire_peer_rw(p, &m, true, 0, 4 * HALF_MIB);
    m.attr = TASK_ORDERED;
    wire_peer_send_cmd(p, &m, NULL);
    for (unsigned i = 0; i < SMALL; i++) {
        wire_peer_rw(p, &m, true, HALF_MIB * (i % 8), HALF_MIB);
        wire_peer_send_cmd(p, &m, NULL);
        answer_r2t(p, &r[done++], MIB / 4);
        while (take_r2t_or_good(p, r, &asked) == 0)
            ;
    }
    for (unsigned answers = SMALL; answers < 2 * SMALL + 1;) {
        while (done < asked)
            answer_r2t(p, &r[done++], MIB / 4);
        answers += take_r2t_or_good(p, r, &asked);
    }
    wire_peer_close(p);
}

static void those_behind_an_aborted_waiter_go_on(void **state)
{
    struct wire_peer *p = logged_in(state, ASKED);
    struct cmd_req m;
    struct r2t r[SMALL];
    lend_memory(p, r);
    wire_peer_rw(p, &m, true, 0, 4 * HALF_MIB);
    m.attr = TASK_ORDERED;
    wire_peer_send_cmd(p, &m, NULL);
    uint32_t waiter = m.itt;
    wire_peer_rw(p, &m, true, 0, HALF_MIB);
    wire_peer_send_cmd(p, &m, NULL);
    expect_silence(p);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, waiter), TMF_COMPLETE);
    expect_r2t(p, &r[0]);
    assert_int_equal(r[0].itt, m.itt);
    wire_peer_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordered_command_waits_for_those_before_it),
        cmocka_unit_test(the_disk_is_waited_for_too),
        cmocka_unit_test(what_comes_after_an_ordered_command_waits_for_it),
        cmocka_unit_test(simple_commands_do_not_wait_for_each_other),
        cmocka_unit_test(a_head_of_queue_command_waits_for_nobody),
        cmocka_unit_test(all_wait_for_a_head_of_queue_command),
        cmocka_unit_test(another_nexus_does_not_wait),
        cmocka_unit_test(what_is_refused_does_not_wait),
        cmocka_unit_test(the_aca_attribute_is_refused),
        cmocka_unit_test(an_aborted_command_is_waited_for_no_more),
        cmocka_unit_test(a_connection_may_end_with_dormant_commands),
        cmocka_unit_test(memory_is_not_given_to_those_behind),
        cmocka_unit_test(those_behind_an_aborted_waiter_go_on),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
