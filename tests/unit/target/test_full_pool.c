/* SPDX-License-Identifier: Apache-2.0 */
/* A full pool, whose writes wait for space for longer than a test may take: what
 * initiators are owed meanwhile, and each way to end such a wait. */
#include "tests/unit/target/wire_talk.h"

#include <string.h>
#include <unistd.h>

#define GRACE_MS      3600000
#define BLOCKS        8
#define EXTENT_BLOCKS 128
#define EXTENTS       15 /* that the pool has */

/* ---- the rig ---- */

static uint32_t send_write(struct wire_peer *p, uint32_t extent, uint8_t seed)
{
    struct cmd_req m;
    fill_pattern(seed);
    wire_peer_rw(p, &m, true, extent * EXTENT_BLOCKS, BLOCKS);
    m.data_bytes = BLOCKS * 512U;
    wire_peer_send_cmd(p, &m, pattern);
    return m.itt;
}

static int setup(void **state)
{
    struct wire_rig_options options = {.space_grace_ms = GRACE_MS, .pool_bytes = 1 << 20};
    int rc = wire_rig_setup_with(state, &options);
    struct wire_peer *p = logged_in(state, KEYS(""));
    bool told = false; /* of the threshold, which is on the way to full */
    for (uint32_t extent = 0; extent < EXTENTS || !told; extent++) {
        struct cmd_rsp rsp;
        (void)send_write(p, extent % EXTENTS, 1);
        told = wire_peer_status(p, &rsp) != SAM_GOOD || told;
        loop_run_once(((struct wire_rig *)*state)->control, false);
    }
    for (uint32_t extent = 0; extent < EXTENTS; extent++)
        expect_good(p, send_write(p, extent, 1));
    wire_peer_close(p);
    return rc;
}

static void await_waiters(struct wire_rig *r, uint32_t count)
{
    struct pool_info info;
    do {
        loop_run_once(r->control, false);
        usleep(1000);
        pool_describe(pool_find(r->lunmgr, "p"), &info);
    } while (info.waiting_writes != count);
}

/* Logged in, with a write of each of so many extents that waits; the last one's ITT. */
static struct wire_peer *waiting(void **state, uint32_t count, uint32_t *itt)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    for (uint32_t i = 0; i < count; i++)
        *itt = send_write(p, 20 + i, 2);
    await_waiters(*state, count);
    return p;
}

/* ---- meanwhile ---- */

static void overwrites_and_reads_are_answered(void **state)
{
    uint32_t itt;
    struct cmd_req m;
    struct wire_peer *p = waiting(state, 2, &itt);
    expect_good(p, send_write(p, 3, 5));
    wire_peer_rw(p, &m, false, 3 * EXTENT_BLOCKS, BLOCKS);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_memory_equal(p->data, pattern, BLOCKS * 512U);
    wire_peer_rw(p, &m, false, 20 * EXTENT_BLOCKS, BLOCKS); /* nothing is there yet */
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    memset(pattern, 0, BLOCKS * 512U);
    assert_memory_equal(p->data, pattern, BLOCKS * 512U);
    wire_peer_close(p);
}

static void a_waiting_write_is_answered_when_space_comes(void **state)
{
    uint32_t itt;
    struct cmd_req m;
    struct wire_peer *p = waiting(state, 1, &itt);
    static const uint8_t list[24] = {
        [1] = 22, [3] = 16, [8 + 6] = 1, [8 + 7] = 0x80, [8 + 11] = EXTENT_BLOCKS};
    wire_peer_cmd(p, &m);
    m.cdb[0] = 0x42; /* UNMAP of the fourth extent */
    m.cdb[8] = sizeof(list);
    m.write = true;
    m.final = true;
    m.expected_bytes = m.data_bytes = sizeof(list);
    wire_peer_send_cmd(p, &m, list);
    expect_good(p, m.itt);
    expect_good(p, itt);
    wire_peer_close(p);
}

/* ---- the ways to end it ---- */

static void an_aborted_write_waits_no_longer(void **state)
{
    uint32_t itt;
    struct wire_peer *p = waiting(state, 2, &itt);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, itt), TMF_COMPLETE);
    await_waiters(*state, 1);
    expect_silence(p); /* neither is answered */
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    await_waiters(*state, 0);
    expect_silence(p);
    wire_peer_close(p);
}

static void a_reset_by_another_session_ends_it(void **state)
{
    uint32_t itt;
    struct wire_peer *a = waiting(state, 3, &itt);
    struct wire_peer *b = logged_in(state, KEYS(""));
    expect_tmf(b, send_tmf(b, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    await_waiters(*state, 0);
    (void)send_write(a, 3, 1);
    expect_sense(a, SENSE_LU_RESET);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void a_session_is_taken_over(void **state)
{
    uint32_t itt;
    struct wire_peer *old = waiting(state, 3, &itt);
    struct wire_peer *new = wire_peer_connect(*state);
    memcpy(new->isid, old->isid, ISID_BYTES);
    wire_peer_login(new, KEYS(""));
    wire_peer_expect_eof(old);
    await_waiters(*state, 0);
    wire_peer_ready(new);
    wire_peer_close(old);
    wire_peer_close(new);
}

static void a_lost_connection_ends_it(void **state)
{
    uint32_t itt;
    struct wire_peer *p = waiting(state, 3, &itt);
    wire_peer_close(p);
    await_waiters(*state, 0);
}

static void a_detached_unit_has_no_waiting_writes(void **state)
{
    uint32_t itt;
    struct wire_rig *r = *state;
    struct wire_peer *p = waiting(state, 1, &itt);
    r->answers = 1;
    mapping_delete(r->lunmgr, "v/h1", wire_rig_on_done, r);
    wire_rig_wait(r);
    await_waiters(r, 0);
    expect_sense(p, SENSE_NO_SPACE);
    wire_peer_close(p);
}

/* It may wait by way of another group: SPC-4, 5.15.2.4. */
static void a_closed_port_group_has_no_waiting_writes(void **state)
{
    uint32_t itt;
    struct err e = {0};
    struct wire_rig *r = *state;
    struct wire_peer *p = waiting(state, 1, &itt);
    const enum alua_state standby = ALUA_STANDBY;
    const struct target_group_change change = {.state = &standby, .force = true};
    r->answers = 1;
    assert_int_equal(target_group_change(r->target, 1, &change, wire_rig_on_done, r, &e),
                     0);
    wire_rig_wait(r);
    await_waiters(r, 0);
    expect_sense(p, SENSE_ACCESS_TRANSITION);
    wire_peer_close(p);
}

static struct wire_peer *kept;

/* The rig is taken down with both. */
static void the_target_stops(void **state)
{
    uint32_t itt;
    kept = waiting(state, 2, &itt);
}

static int teardown_kept(void **state)
{
    int rc = wire_rig_teardown(state);
    wire_peer_close(kept);
    return rc;
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, wire_rig_teardown)
    const struct CMUnitTest tests[] = {
        ON(overwrites_and_reads_are_answered),
        ON(a_waiting_write_is_answered_when_space_comes),
        ON(an_aborted_write_waits_no_longer),
        ON(a_reset_by_another_session_ends_it),
        ON(a_session_is_taken_over),
        ON(a_lost_connection_ends_it),
        ON(a_detached_unit_has_no_waiting_writes),
        ON(a_closed_port_group_has_no_waiting_writes),
        cmocka_unit_test_setup_teardown(the_target_stops, setup, teardown_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
