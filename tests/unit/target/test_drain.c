/* SPDX-License-Identifier: Apache-2.0 */
/* Drains: whom they mean, that none slips through, and what is refused. What initiators
 * are told byte by byte is tests/protocol/async.c's. */
#include "tests/unit/target/wire_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void on_drain(void *arg, uint64_t id)
{
    struct wire_rig *r = arg;
    assert_true(id > 0);
    r->answers--;
}

static uint64_t last_id(struct wire_rig *r)
{
    struct target_drain_info d = {.id = 0};
    while (target_drain_next(r->target, d.id, &d))
        ;
    return d.id;
}

static uint64_t drain(struct wire_rig *r, const char *portal, const char *host,
                      const char *redirect)
{
    struct err e = {0};
    struct target_drain_spec spec = {
        .portal = portal, .host = host, .redirect = redirect, .logout_timeout_s = 600};
    r->answers = 1;
    assert_int_equal(target_drain(r->target, &spec, on_drain, r, &e), 0);
    wire_rig_wait(r);
    return last_id(r);
}

static void undrain(struct wire_rig *r, uint64_t id)
{
    r->answers = 1;
    assert_int_equal(target_undrain(r->target, id, on_drain, r), 0);
    wire_rig_wait(r);
}

static void describe(struct wire_rig *r, uint64_t id, struct target_drain_info *out)
{
    assert_true(target_drain_next(r->target, id - 1, out));
    assert_int_equal(out->id, id);
}

/* What the login of a new connection ends with. */
static enum login_status log_in(struct wire_rig *r)
{
    static const char keys[] =
        "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET "\0SessionType=Normal";
    struct login_req m = {
        .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
    struct wire_peer *p = wire_peer_connect(r);
    p->isid[5] = 0x77;
    enum login_status status = wire_peer_login_step(p, &m, keys, sizeof(keys));
    wire_peer_close(p);
    return status;
}

static void expect_logout_request(struct wire_peer *p)
{
    struct async_msg m;
    wire_peer_expect(p, OP_ASYNC);
    assert_int_equal(async_msg_decode(&p->bhs.async, &m), 0);
    assert_int_equal(m.event, ASYNC_LOGOUT_REQUEST);
    assert_int_equal(m.param3, 600);
}

static void it_covers_what_it_names_and_no_more(void **state)
{
    struct wire_rig *r = *state;
    const char *portal = target_portal(r->target, 0);
    struct target_drain_info d;
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    uint64_t elsewhere = drain(r, NULL, "h2", NULL);
    describe(r, elsewhere, &d);
    assert_int_equal(d.sessions, 0);
    assert_int_equal(d.asked, 0);
    assert_string_equal(d.host_name, "h2");
    assert_int_equal(log_in(r), LOGIN_SUCCESS);
    uint64_t here = drain(r, portal, "h1", NULL);
    expect_logout_request(p);
    describe(r, here, &d);
    assert_string_equal(d.portal, portal);
    assert_in_range(d.sessions, 1, 2); /* the one that has just left may be there still */
    assert_in_range(d.asked, 1, 2);
    assert_int_equal(log_in(r), LOGIN_UNAVAILABLE);
    describe(r, here, &d);
    assert_int_equal(d.turned_away, 1);
    undrain(r, elsewhere);
    assert_int_equal(log_in(r), LOGIN_UNAVAILABLE);
    undrain(r, here);
    assert_int_equal(log_in(r), LOGIN_SUCCESS);
    wire_peer_close(p);
}

/* The second drain is still there when the first one ends: nothing is asked twice, and
 * nobody may stay. */
static void two_that_overlap_end_one_by_one(void **state)
{
    struct wire_rig *r = *state;
    struct target_drain_info d;
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    uint64_t one = drain(r, NULL, NULL, NULL);
    expect_logout_request(p);
    uint64_t two = drain(r, NULL, "h1", "192.0.2.1:3260");
    describe(r, two, &d);
    assert_int_equal(d.asked, 0);
    assert_int_equal(log_in(r), LOGIN_MOVED_TEMPORARILY);
    undrain(r, two);
    assert_int_equal(log_in(r), LOGIN_UNAVAILABLE);
    undrain(r, one);
    wire_peer_ready(p); /* no message came in between */
    wire_peer_close(p);
}

/* The login is past its first step when the drain begins. */
static void a_login_under_way_is_turned_away(void **state)
{
    struct wire_rig *r = *state;
    static const char names[] = "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET
                                "\0SessionType=Normal\0AuthMethod=None";
    struct login_req m = {
        .transit = true, .csg = LOGIN_SECURITY, .nsg = LOGIN_OPERATIONAL};
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(wire_peer_login_step(p, &m, names, sizeof(names)), LOGIN_SUCCESS);
    uint64_t id = drain(r, NULL, NULL, "san.example.org:3261");
    m.csg = LOGIN_OPERATIONAL;
    m.nsg = LOGIN_FULL_FEATURE;
    assert_int_equal(wire_peer_login_step(p, &m, KEYS("")), LOGIN_MOVED_TEMPORARILY);
    assert_true(wire_peer_said(p, "TargetAddress", "san.example.org:3261"));
    wire_peer_expect_eof(p);
    wire_peer_close(p);
    undrain(r, id);
}

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)host;
    wire_rig_on_done(arg, e);
}

static void a_host_with_another_name_is_drained_still(void **state)
{
    struct wire_rig *r = *state;
    struct target_drain_info d;
    uint64_t id = drain(r, NULL, "h1", NULL);
    for (int i = 0; i < 2; i++) {
        struct host_change change = {.name = i == 0 ? "renamed" : "h1"};
        r->answers = 1;
        host_change(r->lunmgr, i == 0 ? "h1" : "renamed", &change, on_host, r);
        wire_rig_wait(r);
        describe(r, id, &d);
        assert_string_equal(d.host_name, change.name);
        assert_int_equal(log_in(r), LOGIN_UNAVAILABLE);
    }
    undrain(r, id);
}

static void give_credentials(struct wire_rig *r, bool chap)
{
    struct auth_change auth = {.chap = &chap};
    struct host_change change = {.auth = &auth};
    if (chap) {
        auth.user = "hv1";
        auth.secret = "initiator-secret";
    }
    r->answers = 1;
    host_change(r->lunmgr, "h1", &change, on_host, r);
    wire_rig_wait(r);
}

/* Who has to prove something is asked for the proof first. */
static void a_stranger_is_not_told_where_to_go(void **state)
{
    struct wire_rig *r = *state;
    static const char names[] = "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET
                                "\0SessionType=Normal\0AuthMethod=CHAP";
    struct login_req m = {.csg = LOGIN_SECURITY};
    give_credentials(r, true);
    uint64_t id = drain(r, NULL, NULL, "192.0.2.1:3260");
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(wire_peer_login_step(p, &m, names, sizeof(names)), LOGIN_SUCCESS);
    assert_true(wire_peer_said(p, "AuthMethod", "CHAP"));
    wire_peer_close(p);
    undrain(r, id);
    give_credentials(r, false);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct wire_rig *r = *state;
    const char *portal = target_portal(r->target, 0);
    const struct {
        struct target_drain_spec spec;
        int code;
        const char *field;
    } cases[] = {
        {{.portal = "nonsense"}, -EINVAL, "portal"},
        {{.portal = "127.0.0.1:1"}, -EINVAL, "portal"},
        {{.portal = "0.0.0.0:3260"}, -EINVAL, "portal"},
        {{.host = "nobody"}, -ENOENT, "host"},
        {{.redirect = "no address"}, -EINVAL, "redirect"},
        {{.redirect = portal}, -EINVAL, "redirect"},
        {{.portal = portal, .redirect = portal}, -EINVAL, "redirect"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        int rc = target_drain(r->target, &cases[i].spec, on_drain, r, &e);
        assert_int_equal(rc, cases[i].code);
        assert_string_equal(e.field, cases[i].field);
    }
    assert_int_equal(target_undrain(r->target, 1 << 20, on_drain, r), -ENOENT);
    assert_int_equal(last_id(r), 0);
}

static void there_is_a_most(void **state)
{
    struct wire_rig *r = *state;
    struct target_drain_spec spec = {.host = "h2", .logout_timeout_s = 1};
    struct err e = {0};
    int rc = 0;
    unsigned count = 0;
    for (; rc == 0 && count < 1000; count++) {
        r->answers = 1;
        rc = target_drain(r->target, &spec, on_drain, r, &e);
        if (rc == 0)
            wire_rig_wait(r);
    }
    assert_int_equal(rc, -EBUSY);
    assert_in_range(count, 16, 999);
    for (uint64_t id = last_id(r); id > 0; id = last_id(r))
        undrain(r, id);
}

static void on_stopped(void *arg)
{
    wire_rig_on_done(arg, NULL);
}

/* Any address and port where sessions may come is drained by itself. */
static void one_address_of_a_portal_on_all_is_drained(void **state)
{
    struct wire_rig *r = *state;
    struct target *before = r->target;
    const char *portals[] = {"0.0.0.0:0", "0.0.0.0:0"};
    struct target_limits limits;
    target_limits_preset(&limits);
    struct target_options options = {
        .lunmgr = r->lunmgr,
        .control = r->control,
        .name = RIG_TARGET,
        .reactor_count = 1,
        .engine = ENGINE_THREADS,
        .portals = portals,
        .portal_count = ARRAY_LEN(portals),
        .limits = &limits,
    };
    struct err e = {0};
    assert_int_equal(target_start(&options, &r->target, &e), 0);
    const char *port = strchr(target_portal(r->target, 0), ':');
    const struct {
        const char *host;
        enum login_status status;
    } cases[] = {{"127.0.0.1", LOGIN_UNAVAILABLE},
                 {"127.0.0.2", LOGIN_SUCCESS},
                 {"0.0.0.0", LOGIN_UNAVAILABLE}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char address[TARGET_ADDRESS_MAX];
        snprintf(address, sizeof(address), "%s%s", cases[i].host, port);
        uint64_t id = drain(r, address, NULL, "127.0.0.9:3260");
        undrain(r, id);
        id = drain(r, address, NULL, NULL);
        assert_int_equal(log_in(r), cases[i].status);
        undrain(r, id);
    }
    uint64_t id = drain(r, target_portal(r->target, 1), NULL, NULL);
    assert_int_equal(log_in(r), LOGIN_SUCCESS);
    undrain(r, id);
    r->answers = 1;
    target_stop(r->target, 8000, on_stopped, r);
    wire_rig_wait(r);
    target_destroy(r->target);
    r->target = before;
}

static int setup(void **state)
{
    static const char *const names[] = {RIG_STRANGER};
    struct host_spec host = {.name = "h2", .initiators = names, .initiator_count = 1};
    if (wire_rig_setup(state) != 0)
        return -1;
    struct wire_rig *r = *state;
    r->answers = 1;
    host_create(r->lunmgr, &host, on_host, r);
    wire_rig_wait(r);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_covers_what_it_names_and_no_more),
        cmocka_unit_test(two_that_overlap_end_one_by_one),
        cmocka_unit_test(a_login_under_way_is_turned_away),
        cmocka_unit_test(a_host_with_another_name_is_drained_still),
        cmocka_unit_test(a_stranger_is_not_told_where_to_go),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(there_is_a_most),
        /* the last: it takes the target's place at lunmgr */
        cmocka_unit_test(one_address_of_a_portal_on_all_is_drained),
    };
    return cmocka_run_group_tests(tests, setup, wire_rig_teardown);
}
