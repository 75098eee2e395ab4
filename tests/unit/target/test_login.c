/* SPDX-License-Identifier: Apache-2.0 */
/* The login phase, as an initiator meets it. */
#include "tests/unit/target/wire_rig.h"

#include <stdio.h>
#include <string.h>

#define NAMES    "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET "\0"
#define STRANGER "InitiatorName=" RIG_STRANGER "\0TargetName=" RIG_TARGET "\0"

static const struct login_req to_full = {
    .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
static const struct login_req security_to_operational = {
    .transit = true, .csg = LOGIN_SECURITY, .nsg = LOGIN_OPERATIONAL};
static const struct login_req in_security = {.csg = LOGIN_SECURITY,
                                             .nsg = LOGIN_SECURITY};
static const struct login_req in_operational = {.csg = LOGIN_OPERATIONAL,
                                                .nsg = LOGIN_OPERATIONAL};

static void stages_are_passed_in_order(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    assert_int_equal(wire_peer_login_step(p, &security_to_operational,
                                          KEYS(NAMES "AuthMethod=CHAP,None\0")),
                     LOGIN_SUCCESS);
    assert_true(wire_peer_said(p, "AuthMethod", "None"));
    assert_true(wire_peer_said(p, "TargetPortalGroupTag", "1"));
    assert_int_equal(p->tsih, 0);
    assert_int_equal(
        wire_peer_login_step(p, &in_operational, KEYS("HeaderDigest=CRC32C,None\0")),
        LOGIN_SUCCESS);
    assert_true(wire_peer_said(p, "HeaderDigest", "CRC32C"));
    assert_int_equal(wire_peer_login_step(p, &to_full, KEYS("")), LOGIN_SUCCESS);
    assert_int_not_equal(p->tsih, 0);
    p->header_digest = true;
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void security_may_go_straight_to_full_feature(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    struct login_req m = {
        .transit = true, .csg = LOGIN_SECURITY, .nsg = LOGIN_FULL_FEATURE};
    assert_int_equal(wire_peer_login_step(p, &m, KEYS(NAMES "AuthMethod=None\0")),
                     LOGIN_SUCCESS);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void text_is_joined_over_requests(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    struct login_req more = in_operational;
    more.more = true;
    assert_int_equal(
        wire_peer_login_step(p, &more, KEYS("InitiatorName=iqn.2026-01.test.ash")),
        LOGIN_SUCCESS);
    assert_int_equal(p->data_bytes, 0);
    assert_int_equal(
        wire_peer_login_step(p, &to_full, KEYS("lar:one\0TargetName=" RIG_TARGET "\0")),
        LOGIN_SUCCESS);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void refusals_say_why(void **state)
{
    struct login_req future = to_full, joins = to_full;
    future.version_min = future.version_max = 1;
    joins.tsih = 0x7777;
    const struct {
        const struct login_req *m;
        const char *keys;
        size_t bytes;
        enum login_status status;
    } cases[] = {
        {&to_full, KEYS("TargetName=" RIG_TARGET "\0"), LOGIN_MISSING_PARAMETER},
        {&to_full, KEYS("InitiatorName=" RIG_INITIATOR "\0"), LOGIN_MISSING_PARAMETER},
        {&to_full, KEYS("InitiatorName=" RIG_INITIATOR "\0TargetName=iqn.2026-01.x:y\0"),
         LOGIN_NOT_FOUND},
        {&to_full, KEYS(STRANGER), LOGIN_FORBIDDEN},
        {&in_security, KEYS(NAMES "AuthMethod=CHAP\0"), LOGIN_AUTH_FAILED},
        {&future, KEYS(NAMES), LOGIN_UNSUPPORTED_VERSION},
        {&joins, KEYS(NAMES), LOGIN_NO_SUCH_SESSION},
        {&to_full, KEYS("InitiatorName=no name at all\0"), LOGIN_INITIATOR_ERROR},
        {&to_full, KEYS(NAMES "HeaderDigest=None\0HeaderDigest=None\0"),
         LOGIN_INITIATOR_ERROR},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_peer *p = wire_peer_connect(*state);
        assert_int_equal(
            wire_peer_login_step(p, cases[i].m, cases[i].keys, cases[i].bytes),
            cases[i].status);
        wire_peer_expect_eof(p);
        wire_peer_close(p);
    }
}

static void a_stage_does_not_come_back(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    assert_int_equal(wire_peer_login_step(p, &in_operational, KEYS(NAMES)),
                     LOGIN_SUCCESS);
    assert_int_equal(wire_peer_login_step(p, &in_security, KEYS("")),
                     LOGIN_INITIATOR_ERROR);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

static void a_command_is_no_login(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    struct login_rsp rsp;
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_LOGIN_RSP);
    assert_int_equal(login_rsp_decode(&p->bhs.login_rsp, &rsp), 0);
    assert_int_equal(rsp.status, LOGIN_INVALID_REQUEST);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

/* Connections go to the reactors in turn, so the second is on another one. */
static void a_new_session_of_a_port_ends_the_old_one(void **state)
{
    struct wire_peer *first = wire_peer_connect(*state);
    struct wire_peer *second = wire_peer_connect(*state);
    wire_peer_login(first, KEYS(""));
    wire_peer_ready(first);
    memcpy(second->isid, first->isid, ISID_BYTES);
    wire_peer_login(second, KEYS(""));
    assert_int_not_equal(first->tsih, second->tsih);
    wire_peer_expect_eof(first);
    wire_peer_ready(second);
    wire_peer_close(first);
    wire_peer_close(second);
}

static void a_second_connection_is_one_too_many(void **state)
{
    struct wire_peer *first = wire_peer_connect(*state);
    struct wire_peer *second = wire_peer_connect(*state);
    struct login_req joins = to_full;
    wire_peer_login(first, KEYS(""));
    memcpy(second->isid, first->isid, ISID_BYTES);
    joins.tsih = first->tsih;
    joins.cid = 1;
    assert_int_equal(wire_peer_login_step(second, &joins, KEYS(NAMES)),
                     LOGIN_TOO_MANY_CONNECTIONS);
    wire_peer_ready(first);
    wire_peer_close(first);
    wire_peer_close(second);
}

/* Nothing is read while the registry is asked; what one send brought behind the request
 * that asks, and many bytes with it, waits in memory of the connection's. */
static void what_comes_behind_the_last_request_is_not_lost(void **state)
{
    static const char names[] = NAMES;
    enum { PINGS = 20, TEXT = (sizeof(names) - 1 + 3) / 4 * 4 };
    uint8_t sent[sizeof(union bhs) + TEXT + PINGS * sizeof(union bhs)] = {0};
    struct wire_peer *p = wire_peer_connect(*state);
    struct login_req m = to_full;
    union bhs bhs;
    memcpy(m.isid, p->isid, ISID_BYTES);
    m.itt = p->itt++;
    m.cmd_sn = p->cmd_sn;
    login_req_encode(&m, &bhs.login_req);
    bhs.any.data_bytes = be24_of(sizeof(names) - 1);
    memcpy(sent, &bhs, sizeof(bhs));
    memcpy(sent + sizeof(bhs), names, sizeof(names) - 1);
    for (uint32_t i = 0; i < PINGS; i++) {
        struct nop_out ping = {.immediate = true,
                               .itt = 1000 + i,
                               .ttt = PDU_TAG_NONE,
                               .cmd_sn = p->cmd_sn,
                               .exp_stat_sn = p->exp_stat_sn};
        nop_out_encode(&ping, &bhs.nop_out);
        memcpy(sent + sizeof(bhs) + TEXT + i * sizeof(bhs), &bhs, sizeof(bhs));
    }
    wire_peer_send_raw(p, sent, sizeof(sent));
    wire_peer_expect(p, OP_LOGIN_RSP);
    for (uint32_t i = 0; i < PINGS; i++) {
        struct nop_in pong;
        wire_peer_expect(p, OP_NOP_IN);
        assert_int_equal(nop_in_decode(&p->bhs.nop_in, &pong), 0);
        assert_int_equal(pong.itt, 1000 + i);
    }
    wire_peer_close(p);
}

static void send_text(struct wire_peer *p, const char *text, size_t bytes, uint32_t ttt)
{
    struct text_req m = {.final = true,
                         .itt = p->itt,
                         .ttt = ttt,
                         .cmd_sn = p->cmd_sn++,
                         .exp_stat_sn = p->exp_stat_sn};
    union bhs bhs;
    text_req_encode(&m, &bhs.text_req);
    wire_peer_send(p, &bhs, text, bytes);
    wire_peer_expect(p, OP_TEXT_RSP);
}

static void discover(struct wire_peer *p, const char *initiator)
{
    char text[256];
    size_t n = (size_t)snprintf(text, sizeof(text), "InitiatorName=%s", initiator) + 1;
    static const char type[] = "SessionType=Discovery";
    memcpy(text + n, type, sizeof(type));
    assert_int_equal(wire_peer_login_step(p, &to_full, text, n + sizeof(type)),
                     LOGIN_SUCCESS);
}

static void discovery_tells_the_address_that_it_was_asked_at(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = wire_peer_connect(r);
    char address[TARGET_ADDRESS_MAX + 2], named[64];
    const char *port = strchr(target_portal(r->target, 0), ':');
    snprintf(address, sizeof(address), "%s,1", target_portal(r->target, 0));
    snprintf(named, sizeof(named), "san.example.org%s,1", port);
    discover(p, RIG_INITIATOR);
    send_text(p, KEYS("SendTargets=All\0"), PDU_TAG_NONE);
    assert_true(wire_peer_said(p, "TargetName", RIG_TARGET));
    assert_true(wire_peer_said(p, "TargetAddress", address));
    assert_true(wire_peer_said(p, "TargetAddress", named));
    assert_true(wire_peer_said(p, "TargetAddress", "[2001:db8::1]:3261,1"));
    send_text(p, KEYS("SendTargets=" RIG_TARGET "\0"), PDU_TAG_NONE);
    assert_true(wire_peer_said(p, "TargetName", RIG_TARGET));
    send_text(p, KEYS("SendTargets=iqn.2026-01.x:other\0"), PDU_TAG_NONE);
    assert_int_equal(p->data_bytes, 0);
    wire_peer_close(p);
}

static void discovery_tells_strangers_nothing(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    discover(p, RIG_STRANGER);
    send_text(p, KEYS("SendTargets=All\0"), PDU_TAG_NONE);
    assert_int_equal(p->data_bytes, 0);
    wire_peer_close(p);
}

static void a_session_may_ask_for_its_own_target(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    wire_peer_login(p, KEYS(""));
    send_text(p, KEYS("SendTargets=\0"), PDU_TAG_NONE);
    assert_true(wire_peer_said(p, "TargetName", RIG_TARGET));
    send_text(p, KEYS("SendTargets=" RIG_TARGET "\0"), PDU_TAG_NONE);
    assert_true(wire_peer_said(p, "TargetName", RIG_TARGET));
    wire_peer_close(p);
}

/* RFC 7143, appendix C: All is for discovery; discovery has no target of its own. */
static void a_session_asks_for_nothing_else(void **state)
{
    struct wire_peer *p = wire_peer_connect(*state);
    wire_peer_login(p, KEYS(""));
    send_text(p, KEYS("SendTargets=All\0"), PDU_TAG_NONE);
    assert_int_equal(p->data_bytes, sizeof("SendTargets=Reject"));
    assert_true(wire_peer_said(p, "SendTargets", "Reject"));
    send_text(p, KEYS("SendTargets=iqn.2026-01.x:other\0"), PDU_TAG_NONE);
    assert_int_equal(p->data_bytes, 0);
    wire_peer_close(p);
    p = wire_peer_connect(*state);
    discover(p, RIG_INITIATOR);
    send_text(p, KEYS("SendTargets=\0"), PDU_TAG_NONE);
    assert_int_equal(p->data_bytes, 0);
    wire_peer_close(p);
}

static void a_long_answer_comes_in_pieces(void **state)
{
    struct wire_rig *r = *state;
    char longest[224] = "", other[224] = "";
    memset(longest, 'a', sizeof(longest) - 1);
    memset(other, 'z', sizeof(other) - 1);
    const char *many[] = {
        longest,           "b.example.org:1", "c.example.org:1", "d.example.org:1",
        "e.example.org:1", "f.example.org:1", "g.example.org:1", other};
    struct err e;
    assert_int_equal(target_set_advertise(r->target, many, ARRAY_LEN(many), &e), 0);
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS("MaxRecvDataSegmentLength=512\0"));
    char whole[4096];
    size_t bytes = 0;
    int pieces = 0;
    struct text_rsp rsp = {.ttt = PDU_TAG_NONE};
    do {
        send_text(p, pieces == 0 ? "SendTargets=" : NULL, pieces == 0 ? 13 : 0, rsp.ttt);
        assert_int_equal(text_rsp_decode(&p->bhs.text_rsp, &rsp), 0);
        assert_in_range(p->data_bytes, 1, 512);
        memcpy(whole + bytes, p->data, p->data_bytes);
        bytes += p->data_bytes;
        assert_in_range(++pieces, 1, 5);
    } while (!rsp.final);
    assert_in_range(pieces, 2, 5);
    memcpy(p->data, whole, bytes);
    p->data_bytes = bytes;
    assert_true(wire_peer_said(p, "TargetAddress", "g.example.org:1,1"));
    wire_peer_close(p);
}

/* A login of that name, which is refused: no target has the other name. */
static void be_refused(struct wire_rig *r, const char *initiator)
{
    struct wire_peer *p = wire_peer_connect(r);
    char keys[400];
    int bytes = snprintf(keys, sizeof(keys), "InitiatorName=%s%cTargetName=iqn.x:y%c",
                         initiator, 0, 0);
    assert_int_equal(wire_peer_login_step(p, &to_full, keys, (size_t)bytes),
                     LOGIN_NOT_FOUND);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

static const struct target_seen *find_seen(const struct wire_rig *r,
                                           const char *initiator)
{
    const struct target_seen *seen = target_seen_next(r->target, NULL);
    while (seen != NULL && strcmp(seen->initiator, initiator) != 0)
        seen = target_seen_next(r->target, seen);
    return seen;
}

static size_t count_seen(const struct wire_rig *r)
{
    size_t count = 0;
    uint64_t last = 0;
    for (const struct target_seen *seen = target_seen_next(r->target, NULL); seen != NULL;
         seen = target_seen_next(r->target, seen)) {
        assert_true(seen->id > last);
        last = seen->id;
        count++;
    }
    return count;
}

static void strangers_push_out_strangers_alone(void **state)
{
    struct wire_rig *r = *state;
    char name[64];
    be_refused(r, RIG_INITIATOR);
    for (unsigned i = 0; i < SEEN_MAX + 10; i++) {
        snprintf(name, sizeof(name), "iqn.2026-01.test.stranger:%u", i);
        be_refused(r, name);
    }
    be_refused(r, name);
    const struct target_seen *seen = find_seen(r, RIG_INITIATOR);
    assert_int_equal(count_seen(r), SEEN_MAX);
    assert_non_null(seen);
    assert_string_equal(target_seen_host(r->target, seen), "h1");
    assert_string_equal(seen->address, "127.0.0.1");
    assert_string_equal(seen->reason, "no such target");
    assert_int_equal(seen->status, LOGIN_NOT_FOUND);
    assert_null(find_seen(r, "iqn.2026-01.test.stranger:0"));
    seen = find_seen(r, name);
    assert_non_null(seen);
    assert_null(target_seen_host(r->target, seen));
    assert_in_range(seen->refusals, 1, 2); /* the last may still be on its way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_are_passed_in_order),
        cmocka_unit_test(security_may_go_straight_to_full_feature),
        cmocka_unit_test(text_is_joined_over_requests),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(a_stage_does_not_come_back),
        cmocka_unit_test(a_command_is_no_login),
        cmocka_unit_test(a_new_session_of_a_port_ends_the_old_one),
        cmocka_unit_test(a_second_connection_is_one_too_many),
        cmocka_unit_test(what_comes_behind_the_last_request_is_not_lost),
        cmocka_unit_test(discovery_tells_the_address_that_it_was_asked_at),
        cmocka_unit_test(discovery_tells_strangers_nothing),
        cmocka_unit_test(a_session_may_ask_for_its_own_target),
        cmocka_unit_test(a_session_asks_for_nothing_else),
        cmocka_unit_test(a_long_answer_comes_in_pieces),
        cmocka_unit_test(strangers_push_out_strangers_alone),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
