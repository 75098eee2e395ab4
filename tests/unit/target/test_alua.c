/* SPDX-License-Identifier: Apache-2.0 */
/* A port group's state changes under commands: what is under way through it has ended
 * when the change is answered, what is not refused, who is told, and what is not done
 * without force. */
#include "tests/unit/target/wire_talk.h"

#include "base/be.h"
#include "lunmgr/port_group.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FIRST  1 /* the group of the first portal */
#define SECOND 7
#define BLOCKS 8

static int setup(void **state)
{
    struct wire_rig_options options = {.second_portal = "127.0.0.1:0,7"};
    return wire_rig_setup_with(state, &options);
}

#define WITH_RIG(name) cmocka_unit_test_setup_teardown(name, setup, wire_rig_teardown)

/* Logged in by a portal, and the unit is ready. Sessions alternate between reactors. */
static struct wire_peer *come_by(struct wire_rig *r, size_t portal, const char *keys,
                                 size_t bytes)
{
    struct wire_peer *p = wire_peer_connect_to(r, portal);
    wire_peer_login(p, keys, bytes);
    wire_peer_ready(p);
    return p;
}

/* Asks for a change; it is answered when r->answers is 0. */
static int change(struct wire_rig *r, uint16_t tag, enum alua_state to, bool force,
                  struct err *e)
{
    const struct target_group_change change = {.state = &to, .force = force};
    r->answers = 1;
    int rc = target_group_change(r->target, tag, &change, wire_rig_on_done, r, e);
    if (rc != 0)
        r->answers = 0;
    return rc;
}

static void change_and_wait(struct wire_rig *r, uint16_t tag, enum alua_state to)
{
    struct err e = {0};
    assert_int_equal(change(r, tag, to, true, &e), 0);
    wire_rig_wait(r);
    assert_false(r->failed);
}

static void expect_refusal(struct wire_rig *r, uint16_t tag, int rc, const char *says)
{
    struct err e = {0};
    assert_int_equal(change(r, tag, ALUA_STANDBY, false, &e), rc);
    assert_non_null(strstr(e.text, says));
    assert_true(port_group_access(r->lunmgr, tag).state == ALUA_OPTIMIZED);
}

/* TEST UNIT READY; SENSE_NONE: it is. */
static void expect_ready(struct wire_peer *p, enum sense_code code)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    wire_peer_cmd(p, &m);
    wire_peer_send_cmd(p, &m, NULL);
    if (code != SENSE_NONE)
        expect_sense(p, code);
    else
        assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
}

static uint32_t send_write(struct wire_peer *p)
{
    struct cmd_req m;
    fill_pattern(3);
    wire_peer_rw(p, &m, true, 0, BLOCKS);
    m.data_bytes = BLOCKS * 512U;
    wire_peer_send_cmd(p, &m, pattern);
    return m.itt;
}

/* The state of the first group, as REPORT TARGET PORT GROUPS tells it. */
static uint8_t first_state(struct wire_peer *p)
{
    static const uint8_t cdb[] = {0xa3, 0x0a, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0};
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.read = true;
    m.expected_bytes = 64;
    memcpy(m.cdb, cdb, sizeof(cdb));
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(be32_load(p->data), 24);
    assert_int_equal(be16_load(p->data + 6), FIRST);
    return p->data[4] & 0x0f;
}

/* Until p's reactor has heard of the change of the first group. */
static void await_transition(struct wire_rig *r, struct wire_peer *p)
{
    while (first_state(p) != ALUA_TRANSITIONING) {
        loop_run_once(r->control, false);
        usleep(1000);
    }
}

static void turn(struct wire_rig *r)
{
    for (int i = 0; i < 20; i++) {
        loop_run_once(r->control, false);
        usleep(1000);
    }
}

/* A session by each portal, of which a has a write that the disk holds. */
struct held {
    struct wire_peer *a, *b;
    struct disk_hold hold;
    uint32_t itt;
};

static void hold_a_write(struct wire_rig *r, struct held *h)
{
    h->a = come_by(r, 0, KEYS("ImmediateData=Yes\0"));
    h->b = come_by(r, 1, KEYS("ImmediateData=Yes\0"));
    hold_disk(r, &h->hold);
    h->itt = send_write(h->a);
    expect_silence(h->a);
}

static void a_change_waits_for_what_is_under_way(void **state)
{
    struct wire_rig *r = *state;
    struct err e = {0};
    struct held h;
    hold_a_write(r, &h);
    assert_int_equal(change(r, FIRST, ALUA_STANDBY, false, &e), 0);
    await_transition(r, h.a);
    await_transition(r, h.b);
    expect_ready(h.a, SENSE_ACCESS_TRANSITION);
    expect_ready(h.b, SENSE_NONE); /* and nobody is told yet */
    turn(r);
    assert_int_equal(r->answers, 1);

    release_disk(&h.hold);
    expect_good(h.a, h.itt);
    wire_rig_wait(r);
    expect_ready(h.a, SENSE_ACCESS_CHANGED);
    expect_ready(h.a, SENSE_PORT_IN_STANDBY);
    expect_ready(h.b, SENSE_ACCESS_CHANGED);
    expect_ready(h.b, SENSE_NONE);
    assert_int_equal(first_state(h.b), ALUA_STANDBY);
    wire_peer_close(h.a);
    wire_peer_close(h.b);
}

static void what_has_not_begun_is_refused(void **state)
{
    struct wire_rig *r = *state;
    struct cmd_req m;
    struct r2t r2t;
    struct wire_peer *a = come_by(r, 0, KEYS("ImmediateData=No\0InitialR2T=Yes\0"));
    begin_write(a, &m, 0, BLOCKS, &r2t);
    change_and_wait(r, FIRST, ALUA_STANDBY);
    answer_r2t(a, &r2t, BLOCKS * 512U);
    expect_sense(a, SENSE_ACCESS_TRANSITION);
    wire_peer_close(a);
}

/* Nobody waits for an answer that nobody gets. */
/* Its answer cannot leave, since the initiator takes nothing; then the rest comes. */
static void a_write_refused_amid_its_data_is_answered_once(void **state)
{
    static uint8_t data[64U << 10];
    struct wire_rig *r = *state;
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct cmd_req m;
    union bhs bhs;
    for (unsigned i = 0; i < 4; i++) {
        wire_peer_rw(p, &m, false, 0, 2048);
        wire_peer_send_cmd(p, &m, NULL);
    }
    wire_peer_rw(p, &m, true, 0, sizeof(data) / 512);
    cmd_req_encode(&m, &bhs.cmd_req);
    bhs.any.data_bytes = be24_of(sizeof(data));
    wire_peer_send_raw(p, &bhs, BHS_BYTES);
    wire_peer_send_raw(p, data, 4096);
    change_and_wait(r, FIRST, ALUA_STANDBY);
    wire_peer_send_raw(p, data + 4096, sizeof(data) - 4096);
    send_ping(p, 77, p->cmd_sn, true);
    unsigned answers = 0;
    do {
        wire_peer_recv(p);
        if (pdu_opcode(&p->bhs) == OP_CMD_RSP)
            answers += be32_get(p->bhs.cmd_rsp.itt) == m.itt;
    } while (pdu_opcode(&p->bhs) != OP_NOP_IN);
    assert_int_equal(answers, 1);
    wire_peer_close(p);
}

static void a_change_outlives_the_session_that_it_waits_for(void **state)
{
    struct wire_rig *r = *state;
    struct err e = {0};
    struct held h;
    hold_a_write(r, &h);
    assert_int_equal(change(r, FIRST, ALUA_UNAVAILABLE, false, &e), 0);
    await_transition(r, h.b);
    wire_peer_close(h.a);
    turn(r);
    assert_int_equal(r->answers, 1);
    release_disk(&h.hold);
    wire_rig_wait(r);
    expect_ready(h.b, SENSE_ACCESS_CHANGED);
    assert_int_equal(first_state(h.b), ALUA_UNAVAILABLE);
    wire_peer_close(h.b);
}

static void more_is_taken_at_once(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *a = come_by(r, 0, KEYS("ImmediateData=Yes\0"));
    hold_disk(r, &hold);
    uint32_t itt = send_write(a);
    change_and_wait(r, FIRST, ALUA_NON_OPTIMIZED); /* the write goes on */
    expect_ready(a, SENSE_ACCESS_CHANGED);
    expect_ready(a, SENSE_NONE);
    change_and_wait(r, FIRST, ALUA_OPTIMIZED);
    release_disk(&hold);
    expect_good(a, itt);
    wire_peer_close(a);
}

static void who_comes_later_finds_the_state(void **state)
{
    struct wire_rig *r = *state;
    change_and_wait(r, FIRST, ALUA_UNAVAILABLE);
    struct wire_peer *a = wire_peer_connect_to(r, 0);
    wire_peer_login(a, KEYS(""));
    expect_ready(a, SENSE_POWER_ON);
    expect_ready(a, SENSE_PORT_UNAVAILABLE);
    assert_int_equal(first_state(a), ALUA_UNAVAILABLE);
    change_and_wait(r, FIRST, ALUA_OPTIMIZED);
    expect_ready(a, SENSE_ACCESS_CHANGED);
    expect_ready(a, SENSE_NONE);
    wire_peer_close(a);
}

static void the_same_again_is_told_to_nobody(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *a = come_by(r, 0, KEYS(""));
    change_and_wait(r, FIRST, ALUA_OPTIMIZED);
    expect_ready(a, SENSE_NONE);
    wire_peer_close(a);
}

static void nobody_loses_the_last_way_unasked(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *a = come_by(r, 0, KEYS(""));
    expect_refusal(r, FIRST, -EBUSY, RIG_INITIATOR);
    struct wire_peer *b = come_by(r, 1, KEYS(""));
    struct err e = {0};
    assert_int_equal(change(r, FIRST, ALUA_STANDBY, false, &e), 0);
    wire_rig_wait(r);
    expect_refusal(r, SECOND, -EBUSY, "the last portal group");
    wire_peer_close(a);
    wire_peer_close(b);
}

static void a_group_without_portals_is_none(void **state)
{
    expect_refusal(*state, 2, -ENOENT, "no portal has the tag 2");
}

static void one_change_of_a_group_at_a_time(void **state)
{
    struct wire_rig *r = *state;
    struct err e = {0};
    struct held h;
    enum alua_state to = ALUA_UNAVAILABLE;
    const struct target_group_change other = {.state = &to, .force = true};
    hold_a_write(r, &h);
    assert_int_equal(change(r, FIRST, ALUA_STANDBY, false, &e), 0);
    await_transition(r, h.b);
    assert_int_equal(target_group_change(r->target, FIRST, &other, NULL, NULL, &e),
                     -EBUSY);
    release_disk(&h.hold);
    expect_good(h.a, h.itt);
    wire_rig_wait(r);
    wire_peer_close(h.a);
    wire_peer_close(h.b);
}

static void groups_are_told_with_what_they_have(void **state)
{
    struct wire_rig *r = *state;
    struct target_group_info info;
    struct wire_peer *b = come_by(r, 1, KEYS(""));
    assert_true(target_group_next(r->target, 0, &info));
    assert_int_equal(info.tag, FIRST);
    assert_int_equal(info.sessions, 0);
    assert_true(target_group_next(r->target, FIRST, &info));
    assert_int_equal(info.tag, SECOND);
    assert_int_equal(info.sessions, 1);
    assert_int_equal(info.portal_count, 1);
    assert_string_equal(info.portals[0], target_portal(r->target, 1));
    assert_int_equal(info.advertised_count, 2); /* which name no tag */
    assert_false(target_group_next(r->target, SECOND, &info));
    wire_peer_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_change_waits_for_what_is_under_way),
        WITH_RIG(what_has_not_begun_is_refused),
        WITH_RIG(a_write_refused_amid_its_data_is_answered_once),
        WITH_RIG(a_change_outlives_the_session_that_it_waits_for),
        WITH_RIG(more_is_taken_at_once),
        WITH_RIG(who_comes_later_finds_the_state),
        WITH_RIG(the_same_again_is_told_to_nobody),
        WITH_RIG(nobody_loses_the_last_way_unasked),
        WITH_RIG(a_group_without_portals_is_none),
        WITH_RIG(one_change_of_a_group_at_a_time),
        WITH_RIG(groups_are_told_with_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
