/* SPDX-License-Identifier: Apache-2.0 */
/* A session that the target ends: what runs is answered before the initiator is told,
 * and a disk that does not answer holds up neither. */
#include "tests/unit/target/wire_talk.h"

static uint64_t last_session;
static struct target_session_info listed;

static void on_sessions(void *arg, const struct target_session_info *sessions,
                        size_t count)
{
    struct wire_rig *r = arg;
    assert_true(count > 0);
    listed = sessions[count - 1];
    r->answers--;
}

static void on_kicked(void *arg, bool found)
{
    struct wire_rig *r = arg;
    assert_true(found);
    r->answers--;
}

/* The newest session; answered later. */
static void kick(struct wire_rig *r)
{
    r->answers = 1;
    target_list_sessions(r->target, on_sessions, r);
    wire_rig_wait(r);
    assert_true(listed.id > last_session);
    last_session = listed.id;
    r->answers = 1;
    target_kick_session(r->target, listed.id, on_kicked, r);
}

static uint32_t send_read(struct wire_peer *p)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

static void what_runs_is_answered_first(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct data_in in;
    struct wire_peer *p = logged_in(state, KEYS(""));
    hold_disk(r, &hold);
    uint32_t itt = send_read(p);
    expect_silence(p);
    kick(r);
    release_disk(&hold);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(data_in_decode(&p->bhs.data_in, &in), 0);
    assert_int_equal(in.itt, itt);
    assert_true(in.has_status);
    wire_peer_expect_drop(p, ASYNC_DROP_SESSION);
    wire_peer_close(p);
    wire_rig_wait(r);
}

/* It is told though the read has not come back, and the admin hears when it has. */
static void a_disk_that_does_not_answer_holds_nothing_up(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *p = logged_in(state, KEYS(""));
    hold_disk(r, &hold);
    (void)send_read(p);
    expect_silence(p);
    kick(r);
    wire_peer_expect_drop(p, ASYNC_DROP_SESSION);
    wire_peer_close(p);
    loop_run_once(r->control, false);
    assert_int_equal(r->answers, 1);
    release_disk(&hold);
    wire_rig_wait(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_is_answered_first),
        cmocka_unit_test(a_disk_that_does_not_answer_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
