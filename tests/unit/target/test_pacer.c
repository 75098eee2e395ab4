/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that wait for a limit: what they keep waiting and what not, and each way for
 * them to end. A limit is used up for two minutes by one command (a WRITE SAME of 8 MiB
 * at 64 KiB a second), so what comes behind it waits until the test ends that. */
#include "tests/unit/target/wire_talk.h"

#include <string.h>

#define LIMIT_BYTES (64U << 10)
#define PLUG_BLOCKS 16384

static const struct qos unlimited, limited = {{[QOS_BYTES] = LIMIT_BYTES}};

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    (void)volume;
    wire_rig_on_done(arg, e);
}

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)host;
    wire_rig_on_done(arg, e);
}

static void on_mapping(void *arg, struct mapping *mapping, const struct err *e)
{
    (void)mapping;
    wire_rig_on_done(arg, e);
}

static void limit_volume(struct wire_rig *r, struct qos to)
{
    struct qos_change qos = {.named = (1U << QOS_MEMBERS) - 1, .to = to};
    struct volume_change change = {.qos = &qos};
    r->answers = 1;
    volume_change(r->lunmgr, "v", &change, on_volume, r);
    wire_rig_wait(r);
}

static void limit_host(struct wire_rig *r, struct qos to)
{
    struct qos_change qos = {.named = (1U << QOS_MEMBERS) - 1, .to = to};
    struct host_change change = {.qos = &qos};
    r->answers = 1;
    host_change(r->lunmgr, "h1", &change, on_host, r);
    wire_rig_wait(r);
}

/* Uses the limit up. */
static void plug(struct wire_peer *p)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, true, 0, 1);
    m.data_bytes = 512;
    m.cdb[0] = 0x41;
    m.cdb[7] = PLUG_BLOCKS >> 8;
    wire_peer_send_cmd(p, &m, pattern);
    expect_good(p, m.itt);
}

static struct wire_peer *plugged(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    fill_pattern(1);
    limit_volume(*state, limited);
    plug(p);
    return p;
}

static uint32_t send_read_as(struct wire_peer *p, enum task_attr attr)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, 0, 8);
    m.attr = attr;
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

static uint32_t send_read(struct wire_peer *p)
{
    return send_read_as(p, TASK_SIMPLE);
}

/* Whose data and status come next. */
static uint32_t next_data(struct wire_peer *p)
{
    struct data_in in;
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(data_in_decode(&p->bhs.data_in, &in), 0);
    assert_true(in.has_status);
    return in.itt;
}

static void expect_data(struct wire_peer *p, uint32_t itt)
{
    assert_int_equal(next_data(p), itt);
}

/* They begin together: the disk says which ends first. */
static void expect_both(struct wire_peer *p, uint32_t a, uint32_t b)
{
    uint32_t first = next_data(p);
    assert_true(first == a || first == b);
    expect_data(p, first == a ? b : a);
}

static uint64_t throttled(struct wire_rig *r)
{
    struct target_throttled t;
    struct volume_info info;
    volume_describe(volume_find(r->lunmgr, "v"), &info);
    assert_true(target_volume_throttled(r->target, info.id, &t));
    return t.commands;
}

static void what_is_no_io_does_not_wait(void **state)
{
    struct wire_peer *p = plugged(state);
    uint32_t read = send_read(p);
    expect_good(p, send_ready(p, TASK_SIMPLE));
    expect_silence(p);
    limit_volume(*state, unlimited);
    expect_data(p, read);
    wire_peer_close(p);
}

static void another_limit_is_in_force_at_once(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = plugged(state);
    uint32_t first = send_read(p), second = send_read(p);
    expect_silence(p);
    assert_int_equal(throttled(r), 0); /* they are counted when they have waited */
    limit_volume(r, (struct qos){{[QOS_IOPS] = 1000000}});
    expect_both(p, first, second);
    assert_int_equal(throttled(r), 0); /* it was not this limit that held them back */
    limit_volume(r, unlimited);
    wire_peer_close(p);
}

/* What changes something else leaves the limit as it is: used up. */
static void another_change_does_not_renew_the_limit(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = plugged(state);
    uint32_t read = send_read(p);
    limit_host(r, (struct qos){{[QOS_IOPS] = 1000000}});
    limit_host(r, unlimited);
    expect_silence(p);
    limit_volume(r, unlimited);
    expect_data(p, read);
    wire_peer_close(p);
}

static void the_timer_lets_them_begin(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    uint32_t reads[3];
    limit_volume(*state, (struct qos){{[QOS_IOPS] = 1}});
    for (size_t i = 0; i < ARRAY_LEN(reads); i++)
        reads[i] = send_read(p);
    for (size_t i = 0; i < ARRAY_LEN(reads); i++)
        expect_data(p, reads[i]);
    limit_volume(*state, unlimited);
    wire_peer_close(p);
}

static void an_abort_ends_one(void **state)
{
    struct wire_peer *p = plugged(state);
    uint32_t first = send_read(p), second = send_read(p), third = send_read(p);
    expect_silence(p);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, second), TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, first), TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, second), TMF_NO_TASK);
    expect_silence(p);
    limit_volume(*state, unlimited);
    expect_data(p, third);
    expect_silence(p);
    wire_peer_close(p);
}

static void a_reset_ends_those_of_all_sessions(void **state)
{
    struct wire_peer *a = plugged(state);
    struct wire_peer *b = logged_in(state, KEYS(""));
    (void)send_read(a);
    (void)send_read(b);
    expect_silence(a);
    expect_silence(b);
    expect_tmf(b, send_tmf(b, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    limit_volume(*state, unlimited);
    expect_silence(a);
    expect_silence(b);
    wire_peer_ready(a); /* past the unit attention */
    wire_peer_ready(b);
    expect_data(a, send_read(a));
    wire_peer_close(a);
    wire_peer_close(b);
}

static void a_lost_session_takes_its_own_along(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *a = plugged(state);
    struct wire_peer *b = logged_in(state, KEYS(""));
    (void)send_read(a);
    uint32_t read = send_read(b);
    expect_silence(a);
    wire_peer_close(a);
    struct wire_sessions now;
    do
        wire_rig_sessions(r, &now);
    while (now.count > 1);
    expect_silence(b);
    limit_volume(r, unlimited);
    expect_data(b, read);
    wire_peer_close(b);
}

static void a_detach_does_not_wait_for_them(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = plugged(state);
    (void)send_read(p);
    expect_silence(p);
    r->answers = 1;
    mapping_delete(r->lunmgr, "v/h1", wire_rig_on_done, r);
    wire_rig_wait(r);
    expect_sense(p, SENSE_LUN_NOT_SUPPORTED);
    struct mapping_spec mapping = {.volume = "v", .host = "h1", .lun = RIG_LUN};
    r->answers = 1;
    mapping_create(r->lunmgr, &mapping, on_mapping, r);
    wire_rig_wait(r);
    limit_volume(r, unlimited);
    wire_peer_close(p);
}

static void an_ordered_command_waits_for_them(void **state)
{
    struct wire_peer *p = plugged(state);
    uint32_t read = send_read(p);
    uint32_t ordered = send_ready(p, TASK_ORDERED);
    uint32_t after = send_ready(p, TASK_SIMPLE);
    expect_silence(p);
    limit_volume(*state, unlimited);
    expect_data(p, read);
    expect_good(p, ordered);
    expect_good(p, after);
    wire_peer_close(p);
}

static void a_head_of_queue_command_is_the_first_of_them(void **state)
{
    struct wire_peer *p = plugged(state);
    uint32_t read = send_read(p);
    uint32_t head = send_read_as(p, TASK_HEAD_OF_QUEUE);
    expect_silence(p);
    limit_volume(*state, (struct qos){{[QOS_IOPS] = 1}}); /* one after the other */
    expect_data(p, head);
    expect_data(p, read);
    limit_volume(*state, unlimited);
    wire_peer_close(p);
}

static void a_host_has_a_limit_of_its_own(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = logged_in(state, KEYS(""));
    limit_host(r, limited);
    limit_volume(r, (struct qos){{[QOS_IOPS] = 1000000}});
    plug(p);
    uint32_t read = send_read(p);
    limit_volume(r, unlimited);
    expect_silence(p);
    limit_host(r, unlimited);
    expect_data(p, read);
    wire_peer_close(p);
}

static void both_limits_must_let_it(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *p = plugged(state);
    limit_host(r, limited);
    uint32_t read = send_read(p), next = send_read(p);
    limit_host(r, unlimited);
    expect_silence(p);
    limit_host(r, (struct qos){{[QOS_IOPS] = 20}});
    limit_volume(r, unlimited);
    expect_both(p, read, next);
    limit_host(r, unlimited);
    wire_peer_close(p);
}

int main(void)
{
#define WITH_RIG(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, wire_rig_setup, wire_rig_teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(what_is_no_io_does_not_wait),
        WITH_RIG(another_limit_is_in_force_at_once),
        WITH_RIG(another_change_does_not_renew_the_limit),
        WITH_RIG(the_timer_lets_them_begin),
        WITH_RIG(an_abort_ends_one),
        WITH_RIG(a_reset_ends_those_of_all_sessions),
        WITH_RIG(a_lost_session_takes_its_own_along),
        WITH_RIG(a_detach_does_not_wait_for_them),
        WITH_RIG(an_ordered_command_waits_for_them),
        WITH_RIG(a_head_of_queue_command_is_the_first_of_them),
        WITH_RIG(a_host_has_a_limit_of_its_own),
        WITH_RIG(both_limits_must_let_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
