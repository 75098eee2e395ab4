/* SPDX-License-Identifier: Apache-2.0 */
/* The target's public face: what it lists and counts, what it ends, and that a change of
 * mappings reaches the sessions. */
#include "tests/unit/target/wire_talk.h"

#include "proto/sense.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void list_until(struct wire_rig *r, struct wire_sessions *l, size_t count)
{
    for (int i = 0; i < 20000; i++) {
        wire_rig_sessions(r, l);
        if (l->count == count)
            return;
    }
    fail_msg("%zu sessions, not %zu", l->count, count);
}

static void sessions_are_listed_as_negotiated(void **state)
{
    struct wire_rig *r = *state;
    struct wire_sessions l;
    struct wire_peer *a = wire_peer_connect(r);
    struct wire_peer *b = wire_peer_connect(r);
    wire_peer_login(a, KEYS("InitiatorAlias=Box\0TaskReporting=ResponseFence\0"
                            "HeaderDigest=CRC32C\0MaxRecvDataSegmentLength=65536\0"
                            "MaxBurstLength=131072\0FirstBurstLength=65536\0"));
    wire_peer_login(b, KEYS(""));
    wire_peer_ready(b);
    wire_rig_sessions(r, &l);
    assert_int_equal(l.count, 2);
    const struct target_session_info *s = &l.sessions[0];
    assert_string_equal(s->initiator, RIG_INITIATOR);
    assert_string_equal(s->host_name, "h1");
    assert_string_equal(s->alias, "Box");
    assert_string_equal(s->task_reporting, "ResponseFence");
    assert_string_equal(s->portal, target_portal(r->target, 0));
    assert_int_equal(s->tsih, a->tsih);
    assert_false(s->discovery);
    assert_true(s->header_digest);
    assert_int_equal(s->max_recv_initiator_bytes, 65536);
    assert_int_equal(s->max_burst_bytes, 131072);
    assert_int_equal(s->first_burst_bytes, 65536);
    assert_true(l.sessions[1].id > s->id);
    assert_int_not_equal(l.sessions[1].reactor, s->reactor);
    assert_in_range(l.sessions[1].figures[FIGURE_COMMANDS], 1, 8);
    wire_peer_close(a);
    wire_peer_close(b);
    list_until(r, &l, 0);
}

static void counters_count(void **state)
{
    struct wire_rig *r = *state;
    struct target_counters before, after;
    struct cmd_req m;
    target_counters(r->target, &before);
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    wire_peer_ready(p);
    wire_peer_rw(p, &m, false, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    target_counters(r->target, &after);
    assert_int_equal(after.figures[FIGURE_READ_BYTES] - before.figures[FIGURE_READ_BYTES],
                     4096);
    assert_int_equal(after.logins - before.logins, 1);
    assert_true(after.figures[FIGURE_COMMANDS] > before.figures[FIGURE_COMMANDS]);
    assert_true(after.sessions > 0);
    wire_peer_close(p);
}

static void on_kicked(void *arg, bool found)
{
    struct wire_rig *r = arg;
    r->failed = !found;
    r->answers--;
}

static void a_kicked_session_ends(void **state)
{
    struct wire_rig *r = *state;
    struct wire_sessions l;
    struct wire_peer *p = wire_peer_connect(r);
    list_until(r, &l, 0);
    wire_peer_login(p, KEYS(""));
    wire_rig_sessions(r, &l);
    assert_int_equal(l.count, 1);
    r->answers = 1;
    target_kick_session(r->target, l.sessions[0].id, on_kicked, r);
    wire_rig_wait(r);
    wire_peer_expect_drop(p, ASYNC_DROP_SESSION);
    wire_peer_close(p);
    wire_rig_sessions(r, &l);
    assert_int_equal(l.count, 0);
}

/* What was told last, and how often. */
struct told {
    unsigned opened, closed, refused;
    uint64_t id;
    char initiator[TARGET_NAME_MAX], host[64], reason[128];
};

static void note_session(struct told *told, const struct target_session_news *s)
{
    told->id = s->id;
    snprintf(told->initiator, sizeof(told->initiator), "%s", s->initiator);
    snprintf(told->host, sizeof(told->host), "%s", s->host);
    snprintf(told->reason, sizeof(told->reason), "%s",
             s->reason == NULL ? "" : s->reason);
    assert_memory_equal(s->address, "127.0.0.1:", 10);
}

static void on_opened(void *arg, const struct target_session_news *s)
{
    struct told *told = arg;
    told->opened++;
    note_session(told, s);
}

static void on_closed(void *arg, const struct target_session_news *s)
{
    struct told *told = arg;
    told->closed++;
    note_session(told, s);
}

static void on_refused(void *arg, const struct target_seen *seen)
{
    struct told *told = arg;
    told->refused++;
    snprintf(told->initiator, sizeof(told->initiator), "%s", seen->initiator);
    snprintf(told->reason, sizeof(told->reason), "%s", seen->reason);
}

static void until(struct wire_rig *r, const unsigned *count, unsigned reached)
{
    for (int i = 0; i < 20000 && *count < reached; i++)
        loop_run_once(r->control, true);
    assert_int_equal(*count, reached);
}

static void sessions_are_told_as_they_begin_and_end(void **state)
{
    struct wire_rig *r = *state;
    struct told told = {0};
    const struct target_events events = {.arg = &told,
                                         .session_opened = on_opened,
                                         .session_closed = on_closed,
                                         .login_refused = on_refused};
    struct wire_sessions l;
    list_until(r, &l, 0);
    target_set_events(r->target, &events);
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    until(r, &told.opened, 1);
    assert_string_equal(told.initiator, RIG_INITIATOR);
    assert_string_equal(told.host, "h1");
    assert_string_equal(told.reason, "");
    uint64_t id = told.id;
    wire_peer_close(p);
    until(r, &told.closed, 1);
    assert_int_equal(told.id, id);
    assert_string_equal(told.reason, "closed by the initiator");

    p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    until(r, &told.opened, 2);
    r->answers = 1;
    target_kick_session(r->target, told.id, on_kicked, r);
    wire_rig_wait(r);
    assert_int_equal(told.closed, 2);
    assert_string_equal(told.reason, "session ended by an admin");
    wire_peer_expect_drop(p, ASYNC_DROP_SESSION);
    wire_peer_close(p);
    assert_int_equal(told.refused, 0);
    target_set_events(r->target, NULL);
}

/* Nor is a login that is refused a session that ends, nor discovery one that begins. */
static void refused_logins_are_told_with_the_reason(void **state)
{
    static const char keys[] =
        "InitiatorName=" RIG_STRANGER "\0TargetName=" RIG_TARGET "\0";
    static const char discovery[] =
        "InitiatorName=" RIG_STRANGER "\0SessionType=Discovery\0";
    static const struct login_req to_full = {
        .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
    struct wire_rig *r = *state;
    struct told told = {0};
    const struct target_events events = {.arg = &told,
                                         .session_opened = on_opened,
                                         .session_closed = on_closed,
                                         .login_refused = on_refused};
    target_set_events(r->target, &events);
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(wire_peer_login_step(p, &to_full, discovery, sizeof(discovery) - 1),
                     LOGIN_SUCCESS);
    wire_peer_close(p);
    p = wire_peer_connect(r);
    assert_int_not_equal(wire_peer_login_step(p, &to_full, keys, sizeof(keys) - 1),
                         LOGIN_SUCCESS);
    wire_peer_close(p);
    until(r, &told.refused, 1);
    struct wire_sessions l;
    list_until(r, &l, 0);
    assert_string_equal(told.initiator, RIG_STRANGER);
    assert_string_not_equal(told.reason, "");
    assert_int_equal(told.opened + told.closed, 0);
    target_set_events(r->target, NULL);
}

static void kicking_nobody_says_so(void **state)
{
    struct wire_rig *r = *state;
    r->answers = 1;
    target_kick_session(r->target, 1ULL << 60, on_kicked, r);
    while (r->answers > 0)
        loop_run_once(r->control, false);
    assert_true(r->failed);
    r->failed = false;
}

/* Among the unit attentions that wait. */
static void expect_attention(struct wire_peer *p, enum sense_code code)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    struct sense sense = {.code = SENSE_NONE};
    for (int i = 0; i < 4 && sense.code != code; i++) {
        wire_peer_cmd(p, &m);
        wire_peer_send_cmd(p, &m, NULL);
        assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
        assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    }
    assert_string_equal(sense_name(sense.code), sense_name(code));
}

/* The removal is answered while a write of that LUN waits for its data: it is refused,
 * and does not hold anything up. */
static void a_removed_mapping_is_gone_at_once(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = wire_peer_connect(r);
    struct cmd_req m;
    struct r2t r2t;
    wire_peer_login(p, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    wire_peer_ready(p);
    begin_write(p, &m, 0, 8, &r2t);
    r->answers = 1;
    mapping_delete(r->lunmgr, "v/h1", wire_rig_on_done, r);
    wire_rig_wait(r);
    answer_r2t(p, &r2t, 4096);
    expect_sense(p, SENSE_LUN_NOT_SUPPORTED);
    wire_peer_cmd(p, &m);
    wire_peer_send_cmd(p, &m, NULL);
    expect_sense(p, SENSE_LUN_NOT_SUPPORTED);
    struct mapping_spec mapping = {.volume = "v", .host = "h1", .lun = RIG_LUN};
    wire_rig_map(r, &mapping);
    expect_attention(p, SENSE_LUNS_CHANGED);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_bad_portal_is_named(void **state)
{
    struct wire_rig *r = *state;
    struct target_limits limits;
    target_limits_preset(&limits);
    struct target_options options = {
        .lunmgr = r->lunmgr,
        .control = r->control,
        .name = "iqn.2026-11.org.ashlar:second",
        .reactor_count = 1,
        .engine = ENGINE_THREADS,
        .portal_count = 1,
        .limits = &limits,
    };
    const char *taken = target_portal(r->target, 0);
    const char *const bad[] = {taken, "192.0.2.77:3260", "nonsense", "127.0.0.1:0,0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct target *t = NULL;
        struct err e = {0};
        options.portals = &bad[i];
        assert_int_not_equal(target_start(&options, &t, &e), 0);
        assert_null(t);
        assert_string_equal(e.field, "portal");
        assert_non_null(strstr(e.text, bad[i]));
    }
}

/* The target's end of the peer's connection, which is in this process too. */
static int other_end(const struct wire_peer *p)
{
    struct sockaddr_in own = {0}, peer = {0};
    for (int fd = 0; fd < 1024; fd++) {
        socklen_t own_bytes = sizeof(own), peer_bytes = sizeof(peer);
        if (getsockname(p->fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
            getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
            peer.sin_family == AF_INET && peer.sin_port == own.sin_port)
            return fd;
    }
    fail_msg("the other end is not there");
    return -1;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t bytes = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &bytes), 0);
    return value;
}

static void tcp_watches_the_connection_as_configured(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = wire_peer_connect(r);
    wire_peer_login(p, KEYS(""));
    int fd = other_end(p);
    assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 70);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 80000);
    wire_peer_close(p);
}

/* Names of own targets are made of it. */
static void a_name_without_room_for_a_suffix_is_refused(void **state)
{
    struct wire_rig *r = *state;
    char name[TARGET_NAME_MAX] = "iqn.2026-11.org.ashlar:";
    const char *const portal = "127.0.0.1:0";
    struct target_limits limits;
    target_limits_preset(&limits);
    struct target_options options = {
        .lunmgr = r->lunmgr,
        .control = r->control,
        .name = name,
        .reactor_count = 1,
        .engine = ENGINE_THREADS,
        .portals = &portal,
        .portal_count = 1,
        .limits = &limits,
    };
    struct target *t = NULL;
    struct err e = {0};
    memset(name + strlen(name), 'a', 207 - strlen(name));
    assert_int_equal(target_start(&options, &t, &e), -EINVAL);
    assert_string_equal(e.field, "target-name");
    name[206] = '\0';
    assert_int_equal(target_start(&options, &t, &e), 0);
    target_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_listed_as_negotiated),
        cmocka_unit_test(counters_count),
        cmocka_unit_test(a_kicked_session_ends),
        cmocka_unit_test(kicking_nobody_says_so),
        cmocka_unit_test(sessions_are_told_as_they_begin_and_end),
        cmocka_unit_test(refused_logins_are_told_with_the_reason),
        cmocka_unit_test(a_removed_mapping_is_gone_at_once),
        cmocka_unit_test(tcp_watches_the_connection_as_configured),
        /* the last: they take the target's place at lunmgr */
        cmocka_unit_test(a_bad_portal_is_named),
        cmocka_unit_test(a_name_without_room_for_a_suffix_is_refused),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
