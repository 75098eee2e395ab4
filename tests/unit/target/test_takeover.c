/* SPDX-License-Identifier: Apache-2.0 */
/* A login with the ISID of a live session takes its place, whichever reactor each of them
 * is on: the old one's tasks end first, and of several logins the last remains. */
#include "tests/unit/target/wire_talk.h"

#include "tests/lib/hand_clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGINS 5

/* ---- sessions ---- */

/* What has come to a socket is read, what it asks of the registry asked: the first
 * listing's turn may have looked at the sockets before. */
static void settle(struct wire_rig *r)
{
    struct wire_sessions l;
    for (int i = 0; i < 3; i++)
        wire_rig_sessions(r, &l);
}

/* ---- logins ---- */

static struct wire_peer *connect_as(struct wire_rig *r, const struct wire_peer *old)
{
    struct wire_peer *p = wire_peer_connect(r);
    memcpy(p->isid, old->isid, ISID_BYTES);
    return p;
}

static void send_login(struct wire_peer *p)
{
    static const char names[] =
        "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET "\0";
    struct login_req m = {.transit = true,
                          .csg = LOGIN_OPERATIONAL,
                          .nsg = LOGIN_FULL_FEATURE,
                          .cmd_sn = p->cmd_sn,
                          .itt = p->itt++};
    union bhs bhs;
    memcpy(m.isid, p->isid, ISID_BYTES);
    login_req_encode(&m, &bhs.login_req);
    wire_peer_send(p, &bhs, names, sizeof(names) - 1);
}

/* 1: something came; 0: nothing; -1: the end of the stream. */
static int peek(const struct wire_peer *p)
{
    uint8_t byte;
    ssize_t n = recv(p->fd, &byte, 1, MSG_PEEK);
    if (n > 0)
        return 1;
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

static int wait_for(struct wire_peer *p)
{
    int what;
    while ((what = peek(p)) == 0) {
        loop_run_once(p->rig->control, false);
        usleep(200);
    }
    return what;
}

static void expect_login(struct wire_peer *p)
{
    struct login_rsp rsp;
    wire_peer_expect(p, OP_LOGIN_RSP);
    assert_int_equal(login_rsp_decode(&p->bhs.login_rsp, &rsp), 0);
    assert_int_equal(rsp.status, LOGIN_SUCCESS);
    assert_true(rsp.transit);
    p->tsih = rsp.tsih;
}

/* It was let in, for a moment at least, or it was not; it is out now. */
static void expect_taken_over(struct wire_peer *p)
{
    if (wait_for(p) == 1)
        expect_login(p);
    wire_peer_expect_eof(p);
}

/* ---- the claims ---- */

/* One at the disk, one without its data, one that waits for its turn. */
static void leave_tasks(struct wire_peer *p)
{
    struct cmd_req m;
    struct r2t r;
    wire_peer_rw(p, &m, false, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    begin_write(p, &m, 8, 8, &r);
    (void)send_ready(p, TASK_ORDERED);
    expect_silence(p);
}

static void the_old_tasks_end_first(void **state)
{
    struct wire_rig *r = *state;
    struct wire_sessions before, after;
    struct disk_hold hold;
    struct wire_peer *old = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    hold_disk(r, &hold);
    leave_tasks(old);
    wire_rig_sessions(r, &before);
    struct wire_peer *new = connect_as(r, old);
    send_login(new);
    settle(r);
    wire_peer_expect_eof(old);
    assert_int_equal(peek(new), 0);
    wire_rig_sessions(r, &after);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.sessions[0].id, before.sessions[0].id);
    assert_int_equal(after.sessions[0].outstanding_tasks, 1); /* at the disk */
    release_disk(&hold);
    expect_login(new);
    wire_rig_sessions(r, &after);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.sessions[0].tsih, new->tsih);
    assert_int_not_equal(after.sessions[0].reactor, before.sessions[0].reactor);
    wire_peer_ready(new);
    wire_peer_close(old);
    wire_peer_close(new);
}

/* They wait in the order of their coming, and each ends the one before. */
static void of_several_logins_the_last_remains(void **state)
{
    struct wire_rig *r = *state;
    struct wire_sessions l;
    struct disk_hold hold;
    struct wire_peer *old = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct wire_peer *new[LOGINS];
    hold_disk(r, &hold);
    leave_tasks(old);
    for (unsigned i = 0; i < LOGINS; i++) {
        new[i] = connect_as(r, old);
        send_login(new[i]);
        settle(r);
    }
    release_disk(&hold);
    wire_peer_expect_eof(old);
    for (unsigned i = 0; i + 1 < LOGINS; i++)
        expect_taken_over(new[i]);
    expect_login(new[LOGINS - 1]);
    wire_peer_ready(new[LOGINS - 1]);
    wire_rig_sessions(r, &l);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.sessions[0].tsih, new[LOGINS - 1]->tsih);
    wire_peer_close(old);
    for (unsigned i = 0; i < LOGINS; i++)
        wire_peer_close(new[i]);
}

/* Those that left while they waited are passed over. */
static void a_login_whose_initiator_has_gone_is_in_nobody_s_way(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *old = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct wire_peer *gone[LOGINS];
    hold_disk(r, &hold);
    leave_tasks(old);
    for (unsigned i = 0; i < LOGINS; i++) {
        gone[i] = connect_as(r, old);
        send_login(gone[i]);
        settle(r);
        wire_peer_close(gone[i]);
    }
    struct wire_peer *new = connect_as(r, old);
    send_login(new);
    settle(r);
    release_disk(&hold);
    expect_login(new);
    wire_peer_ready(new);
    wire_peer_close(old);
    wire_peer_close(new);
}

/* However long the old session's disk takes. */
static void a_login_that_waits_for_another_s_end_is_not_late(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *old = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    hold_disk(r, &hold);
    leave_tasks(old);
    struct wire_peer *new = connect_as(r, old);
    send_login(new);
    settle(r);
    for (int i = 0; i < 3; i++) { /* ticks of half a second see it pass */
        hand_clock_advance(20000000000ULL);
        usleep(600000);
        settle(r);
    }
    release_disk(&hold);
    expect_login(new);
    wire_peer_ready(new);
    wire_peer_close(old);
    wire_peer_close(new);
}

static int setup(void **state)
{
    hand_clock_set(1);
    return wire_rig_setup(state);
}

static int teardown(void **state)
{
    int rc = wire_rig_teardown(state);
    hand_clock_set(0);
    return rc;
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON(the_old_tasks_end_first),
        ON(of_several_logins_the_last_remains),
        ON(a_login_whose_initiator_has_gone_is_in_nobody_s_way),
        ON(a_login_that_waits_for_another_s_end_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
