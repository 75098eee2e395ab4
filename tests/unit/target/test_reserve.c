/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations across sessions and reactors: a change is seen by all before it is
 * answered, and commands of who has lost a right end before that; what befalls sessions,
 * tasks and mappings meanwhile. The disk keeps what the test wants kept; the clock
 * stands. */
#include "tests/unit/target/reserve_talk.h"

#include "base/auto.h"
#include "base/err.h"
#include "proto/lun.h"
#include "target/target_private.h"
#include "tests/lib/hand_clock.h"
#include "tests/lib/random.h"
#include "tests/lib/stuck_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASKED KEYS("InitialR2T=Yes\0ImmediateData=No\0")

#define A 0xaaaa
#define B 0xbbbb

static struct stuck_disk *disk;

static bool stopped;

static void stop_disk(void)
{
    stuck_disk_stop(disk);
    stopped = true;
}

static void go_on(void)
{
    stopped = false;
    stuck_disk_go_on(disk);
}

static int setup(void **state)
{
    hand_clock_set(1);
    disk = stuck_disk_create();
    struct wire_rig_options options = {.make_engine = stuck_disk_engine,
                                       .make_engine_arg = disk};
    return wire_rig_setup_with(state, &options);
}

static int teardown(void **state)
{
    hand_clock_set(0);
    if (stopped) /* the test has failed */
        go_on();
    int rc = wire_rig_teardown(state);
    stuck_disk_destroy(disk);
    return rc;
}

static void until_stuck(struct wire_rig *r, unsigned count)
{
    while (stuck_disk_count(disk) < count) {
        loop_run_once(r->control, false);
        usleep(1000);
    }
}

/* Two sessions, on different reactors; both registered, the first may write alone. */
struct pair {
    struct wire_peer *a, *b;
};

static struct pair registered(void **state, enum reservation_type type)
{
    struct pair p = {logged_in(state, KEYS("")), logged_in(state, KEYS(""))};
    PR_GOOD(p.a, .action = PR_REGISTER, .action_key = A);
    PR_GOOD(p.b, .action = PR_REGISTER, .action_key = B);
    if (type != RESERVATION_NONE)
        PR_GOOD(p.a, .action = PR_RESERVE, .key = A, .type = type);
    return p;
}

static void pair_close(struct pair *p)
{
    wire_peer_close(p->a);
    wire_peer_close(p->b);
}

static void expect_attention(struct wire_peer *p, enum sense_code code)
{
    (void)send_ready(p, TASK_SIMPLE);
    expect_sense(p, code);
}

/* Its reactor has the new state: the first attention has come. */
static void until_attention(struct wire_peer *p, enum sense_code code)
{
    struct cmd_rsp rsp;
    struct sense sense;
    do {
        (void)send_ready(p, TASK_SIMPLE);
    } while (wire_peer_status(p, &rsp) == SAM_GOOD);
    assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    assert_string_equal(sense_name(sense.code), sense_name(code));
}

/* Nothing comes, however often the control thread and the reactor turn. */
static void expect_long_silence(struct wire_peer *p)
{
    for (int i = 0; i < 20; i++)
        expect_silence(p);
}

/* ---- every reactor ---- */

static void a_reservation_holds_on_every_reactor_when_it_is_answered(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    uint64_t key;
    for (int i = 0; i < 50; i++) {
        PR_GOOD(p.a, .action = PR_RESERVE, .key = A, .type = RESERVATION_WRITE_EXCLUSIVE);
        expect_conflict(p.b, send_write(p.b, 0));
        assert_int_equal(read_reservation(p.b, &key), RESERVATION_WRITE_EXCLUSIVE);
        assert_int_equal(key, A);
        expect_good(p.a, send_reserve(p.a)); /* it holds more: nothing changes */
        PR_GOOD(p.a, .action = PR_RELEASE, .key = A, .type = RESERVATION_WRITE_EXCLUSIVE);
        assert_int_equal(read_reservation(p.b, &key), RESERVATION_NONE);
        expect_good(p.b, send_write(p.b, 0));
    }
    pair_close(&p);
}

static void changes_of_one_session_are_made_in_order(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct pr_keys keys;
    uint32_t itts[40];
    for (uint32_t i = 0; i < ARRAY_LEN(itts); i++)
        itts[i] = PR_OUT(p, .action = PR_REGISTER, .key = i, .action_key = i + 1);
    for (uint32_t i = 0; i < ARRAY_LEN(itts); i++)
        expect_good(p, itts[i]);
    read_keys(p, &keys);
    assert_int_equal(keys.count, 1);
    assert_int_equal(keys.keys[0], ARRAY_LEN(itts));
    assert_int_equal(keys.generation, ARRAY_LEN(itts));
    wire_peer_close(p);
}

/* ---- what is in flight ---- */

static void preempt_waits_for_the_writes_of_the_preempted(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    PR_GOOD(p.b, .action = PR_RESERVE, .key = B, .type = RESERVATION_WRITE_EXCLUSIVE);
    stop_disk();
    uint32_t write = send_write(p.b, 0);
    until_stuck(*state, 1);
    uint32_t preempt = PR_OUT(p.a, .action = PR_PREEMPT, .key = A, .action_key = B,
                              .type = RESERVATION_WRITE_EXCLUSIVE);
    until_attention(p.b, SENSE_REGISTRATIONS_PREEMPTED);
    expect_long_silence(p.a);
    expect_conflict(p.b, send_write(p.b, 1));
    go_on();
    expect_good(p.a, preempt);
    expect_good(p.b, write);
    pair_close(&p);
}

static void reserve_waits_for_the_writes_of_others(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    stop_disk();
    uint32_t write = send_write(p.b, 0);
    until_stuck(*state, 1);
    uint32_t reserve =
        PR_OUT(p.a, .action = PR_RESERVE, .key = A, .type = RESERVATION_EXCLUSIVE_ACCESS);
    expect_long_silence(p.a);
    go_on();
    expect_good(p.b, write);
    expect_good(p.a, reserve);
    pair_close(&p);
}

/* Reads go on under write exclusive: nobody waits for them. */
static void what_it_may_still_do_is_not_waited_for(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    expect_good(p.b, send_write(p.b, 0));
    stop_disk();
    uint32_t read = send_read(p.b, 0);
    until_stuck(*state, 1);
    PR_GOOD(p.a, .action = PR_RESERVE, .key = A, .type = RESERVATION_WRITE_EXCLUSIVE);
    go_on();
    expect_data(p.b, read);
    pair_close(&p);
}

static void a_write_that_waits_for_its_data_is_in_conflict_then(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct wire_peer *b = logged_in(state, ASKED);
    struct cmd_req m;
    struct r2t r;
    begin_write(b, &m, 0, 8, &r);
    PR_GOOD(a, .action = PR_REGISTER, .action_key = A);
    PR_GOOD(a, .action = PR_RESERVE, .key = A, .type = RESERVATION_WRITE_EXCLUSIVE);
    answer_r2t(b, &r, 4096);
    expect_conflict(b, m.itt);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void preempt_and_abort_leaves_no_task(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct wire_peer *b = logged_in(state, KEYS("InitialR2T=Yes\0"));
    struct cmd_req m;
    struct r2t r;
    PR_GOOD(a, .action = PR_REGISTER, .action_key = A);
    PR_GOOD(b, .action = PR_REGISTER, .action_key = B);
    begin_write(b, &m, 64, 8, &r); /* without its data */
    stop_disk();
    (void)send_write(b, 0); /* at the disk */
    until_stuck(*state, 1);
    (void)send_ready(b, TASK_ORDERED); /* dormant */
    uint32_t preempt = PR_OUT(a, .action = PR_PREEMPT_AND_ABORT, .key = A,
                              .action_key = B, .type = RESERVATION_WRITE_EXCLUSIVE);
    expect_long_silence(a);
    go_on();
    expect_good(a, preempt);
    expect_silence(b); /* none of them is answered */
    expect_attention(b, SENSE_TASKS_CLEARED);
    expect_attention(b, SENSE_REGISTRATIONS_PREEMPTED);
    wire_peer_ready(b);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void who_had_no_task_is_not_told_of_any(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    PR_GOOD(p.a, .action = PR_PREEMPT_AND_ABORT, .key = A, .action_key = B,
            .type = RESERVATION_WRITE_EXCLUSIVE);
    expect_attention(p.b, SENSE_REGISTRATIONS_PREEMPTED);
    wire_peer_ready(p.b);
    pair_close(&p);
}

/* Its own change waits behind the one that preempts it: neither waits for the other, and
 * what was aborted is not done. */
static void a_preempted_one_that_waits_for_its_turn_is_dropped(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    struct pr_keys keys;
    stop_disk();
    uint32_t write = send_write(p.b, 0);
    until_stuck(*state, 1);
    uint32_t reserve =
        PR_OUT(p.a, .action = PR_RESERVE, .key = A, .type = RESERVATION_EXCLUSIVE_ACCESS);
    uint32_t preempt = PR_OUT(p.a, .action = PR_PREEMPT_AND_ABORT, .key = A,
                              .action_key = B, .type = RESERVATION_EXCLUSIVE_ACCESS);
    expect_silence(p.a);
    (void)PR_OUT(p.b, .action = PR_REGISTER_AND_IGNORE, .action_key = B + 1);
    expect_silence(p.b);
    go_on();
    expect_good(p.a, reserve);
    expect_good(p.a, preempt);
    expect_good(p.b, write);
    expect_silence(p.b);
    expect_attention(p.b, SENSE_TASKS_CLEARED);
    expect_attention(p.b, SENSE_REGISTRATIONS_PREEMPTED);
    read_keys(p.a, &keys);
    assert_int_equal(keys.count, 1);
    assert_int_equal(keys.keys[0], A);
    pair_close(&p);
}

static void an_asker_may_go_before_its_answer(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    struct wire_peer *c = logged_in(state, KEYS(""));
    struct pr_keys keys;
    stop_disk();
    uint32_t write = send_write(p.b, 0);
    until_stuck(*state, 1);
    (void)PR_OUT(p.a, .action = PR_PREEMPT, .key = A, .action_key = B,
                 .type = RESERVATION_WRITE_EXCLUSIVE);
    (void)PR_OUT(p.a, .action = PR_RESERVE, .key = A,
                 .type = RESERVATION_EXCLUSIVE_ACCESS);
    until_attention(p.b, SENSE_REGISTRATIONS_PREEMPTED);
    wire_peer_close(p.a);
    go_on();
    expect_good(p.b, write);
    do {
        read_keys(c, &keys);
    } while (keys.count != 1);
    assert_int_equal(keys.keys[0], A);
    wire_peer_close(p.b);
    wire_peer_close(c);
}

/* ---- the catalog ---- */

/* While it is slow, what it was asked to keep waits here. */
static struct {
    bool slow;
    struct kept_reservation *kept;
    done_fn done;
    void *arg;
} catalog;

void __real_volume_keep_reservation(struct volume *volume, struct kept_reservation *kept,
                                    done_fn done, void *arg);
void __wrap_volume_keep_reservation(struct volume *volume, struct kept_reservation *kept,
                                    done_fn done, void *arg);

void __wrap_volume_keep_reservation(struct volume *volume, struct kept_reservation *kept,
                                    done_fn done, void *arg)
{
    if (!catalog.slow) {
        __real_volume_keep_reservation(volume, kept, done, arg);
        return;
    }
    assert_null(catalog.done);
    catalog.kept = kept;
    catalog.done = done;
    catalog.arg = arg;
}

static void until_asked(struct wire_rig *r)
{
    while (catalog.done == NULL) {
        loop_run_once(r->control, false);
        usleep(1000);
    }
}

static void catalog_fails(void)
{
    struct err e;
    done_fn done = catalog.done;
    (void)err_set(&e, -EIO, "catalog", "the disk is full");
    free(catalog.kept);
    catalog.slow = false;
    catalog.done = NULL;
    done(catalog.arg, &e);
}

static void what_is_not_kept_does_not_happen(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    struct pr_keys keys;
    catalog.slow = true;
    uint32_t first =
        PR_OUT(p.a, .action = PR_REGISTER, .key = A, .action_key = A + 1, .aptpl = true);
    until_asked(*state);
    uint32_t second = PR_OUT(p.b, .action = PR_REGISTER, .key = B, .action_key = B + 1);
    expect_long_silence(p.a);
    read_keys(p.b, &keys); /* nobody knows of it yet */
    assert_int_equal(keys.keys[0], A);
    catalog_fails();
    expect_sense(p.a, SENSE_INTERNAL_FAILURE);
    assert_int_equal(be32_get(p.a->bhs.any.itt), first);
    expect_good(p.b, second);
    read_keys(p.a, &keys);
    assert_int_equal(keys.count, 2);
    assert_int_equal(keys.keys[0], A);
    assert_int_equal(keys.keys[1], B + 1);
    PR_GOOD(p.a, .action = PR_REGISTER, .key = A, .action_key = A + 1, .aptpl = true);
    pair_close(&p);
}

/* ---- what is told ---- */

static void others_are_told_what_they_have_lost(void **state)
{
    struct pair p = registered(state, RESERVATION_WRITE_REGISTRANTS);
    PR_GOOD(p.a, .action = PR_RELEASE, .key = A, .type = RESERVATION_WRITE_REGISTRANTS);
    expect_attention(p.b, SENSE_RESERVATIONS_RELEASED);
    PR_GOOD(p.b, .action = PR_CLEAR, .key = B);
    expect_attention(p.a, SENSE_RESERVATIONS_PREEMPTED);
    wire_peer_ready(p.a);
    wire_peer_ready(p.b);
    pair_close(&p);
}

/* ---- sessions come and go ---- */

static void a_registration_outlives_its_session(void **state)
{
    struct pair p = registered(state, RESERVATION_WRITE_EXCLUSIVE);
    struct wire_peer *again = wire_peer_connect(*state);
    memcpy(again->isid, p.a->isid, ISID_BYTES);
    log_out(p.a);
    expect_conflict(p.b, send_write(p.b, 0));
    wire_peer_login(again, KEYS(""));
    wire_peer_ready(again);
    expect_good(again, send_write(again, 0));
    expect_conflict(p.b, send_write(p.b, 0));
    wire_peer_close(again);
    pair_close(&p);
}

static void reserve_ends_with_its_session(void **state)
{
    struct wire_peer *b = logged_in(state, KEYS(""));
    for (int i = 0; i < 20; i++) {
        struct wire_peer *a = logged_in(state, KEYS(""));
        expect_good(a, send_reserve(a));
        expect_conflict(b, send_write(b, 0));
        log_out(a); /* answered when it has gone */
        expect_good(b, send_write(b, 0));
        wire_peer_close(a);
    }
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct cmd_rsp rsp;
    expect_good(a, send_reserve(a));
    wire_peer_close(a); /* cut: it goes when the target notices */
    do {
        (void)send_write(b, 0);
    } while (wire_peer_status(b, &rsp) == SAM_RESERVATION_CONFLICT);
    assert_int_equal(rsp.status, SAM_GOOD);
    wire_peer_close(b);
}

static void reserve_ends_with_a_reset(void **state)
{
    static const enum tmf_function functions[] = {TMF_LU_RESET, TMF_TARGET_WARM_RESET,
                                                  TMF_I_T_NEXUS_RESET};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        bool own = functions[i] == TMF_I_T_NEXUS_RESET;
        struct wire_peer *a = logged_in(state, KEYS("iSCSIProtocolLevel=2\0"));
        struct wire_peer *b = logged_in(state, KEYS("iSCSIProtocolLevel=2\0"));
        struct wire_peer *asker = own ? a : b;
        expect_good(a, send_reserve(a));
        expect_tmf(asker, send_tmf(asker, functions[i], RIG_LUN, PDU_TAG_NONE),
                   TMF_COMPLETE);
        wire_peer_ready(b);
        expect_good(b, send_write(b, 0));
        wire_peer_ready(a);
        expect_good(a, send_reserve(a));
        expect_conflict(b, send_write(b, 0));
        wire_peer_close(b);
        log_out(a);
        wire_peer_close(a);
    }
}

/* Nobody else's goes, and no persistent one. */
static void other_reservations_outlive_a_reset(void **state)
{
    struct pair p = registered(state, RESERVATION_WRITE_EXCLUSIVE);
    struct pr_keys keys;
    expect_tmf(p.b, send_tmf(p.b, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    wire_peer_ready(p.a);
    wire_peer_ready(p.b);
    read_keys(p.b, &keys);
    assert_int_equal(keys.count, 2);
    expect_conflict(p.b, send_write(p.b, 0));
    pair_close(&p);
}

/* ---- units come and go ---- */

static void unmap_from(struct wire_rig *r, const char *pair)
{
    r->answers = 1;
    mapping_delete(r->lunmgr, pair, wire_rig_on_done, r);
    wire_rig_wait(r);
}

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)host;
    wire_rig_on_done(arg, e);
}

static struct wire_peer *of_another_host(void **state)
{
    static const char names[] =
        "InitiatorName=" RIG_STRANGER "\0TargetName=" RIG_TARGET "\0";
    const char *initiator = RIG_STRANGER;
    struct host_spec host = {
        .name = "h2", .initiators = &initiator, .initiator_count = 1};
    struct mapping_spec mapping = {.volume = "v", .host = "h2", .lun = RIG_LUN};
    struct login_req m = {
        .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
    struct wire_rig *r = *state;
    r->answers = 1;
    host_create(r->lunmgr, &host, on_host, r);
    wire_rig_wait(r);
    wire_rig_map(r, &mapping);
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(wire_peer_login_step(p, &m, KEYS(names)), LOGIN_SUCCESS);
    wire_peer_ready(p);
    return p;
}

static void what_a_host_had_reserved_goes_with_its_mapping(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct wire_peer *b = of_another_host(state);
    struct cmd_rsp rsp;
    expect_good(a, send_reserve(a));
    expect_conflict(b, send_write(b, 0));
    unmap_from(*state, "v/h1");
    do {
        (void)send_write(b, 0);
    } while (wire_peer_status(b, &rsp) == SAM_RESERVATION_CONFLICT);
    assert_int_equal(rsp.status, SAM_GOOD);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void its_registration_stays(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct wire_peer *b = of_another_host(state);
    struct pr_keys keys;
    PR_GOOD(a, .action = PR_REGISTER, .action_key = A);
    PR_GOOD(a, .action = PR_RESERVE, .key = A, .type = RESERVATION_WRITE_EXCLUSIVE);
    unmap_from(*state, "v/h1");
    expect_conflict(b, send_write(b, 0));
    PR_GOOD(b, .action = PR_REGISTER, .action_key = B);
    PR_GOOD(b, .action = PR_PREEMPT, .key = B, .action_key = A,
            .type = RESERVATION_WRITE_EXCLUSIVE);
    read_keys(b, &keys);
    assert_int_equal(keys.count, 1);
    expect_good(b, send_write(b, 0));
    wire_peer_close(a);
    wire_peer_close(b);
}

/* The unit goes under a change that waits for the disk. */
static void a_mapping_may_go_under_a_change(void **state)
{
    struct pair p = registered(state, RESERVATION_NONE);
    struct wire_rig *r = *state;
    stop_disk();
    (void)send_write(p.b, 0);
    until_stuck(r, 1);
    (void)PR_OUT(p.a, .action = PR_PREEMPT_AND_ABORT, .key = A, .action_key = B,
                 .type = RESERVATION_WRITE_EXCLUSIVE);
    until_attention(p.b, SENSE_TASKS_CLEARED);
    uint32_t behind = PR_OUT(p.a, .action = PR_REGISTER, .key = A, .action_key = A + 1);
    expect_silence(p.a);
    r->answers = 1;
    const struct access *before = r->target->access;
    mapping_delete(r->lunmgr, "v/h1", wire_rig_on_done, r);
    while (r->target->access == before) /* it is not committed yet */
        expect_silence(p.b);
    expect_silence(p.a); /* its reactor has it too */
    go_on();
    wire_rig_wait(r);
    struct cmd_rsp rsp;
    (void)wire_peer_status(p.a, &rsp); /* of the first */
    expect_sense(p.a, SENSE_LUN_NOT_SUPPORTED);
    assert_int_equal(be32_get(p.a->bhs.any.itt), behind);
    pair_close(&p);
}

/* ---- all at once ---- */

#define PEERS  4
#define ROUNDS 100

static uint32_t send_any(uint64_t *seed, struct wire_peer *p, uint64_t key)
{
    static const enum reservation_type types[] = {1, 3, 5, 6, 7, 8};
    enum reservation_type type = types[draw(seed, ARRAY_LEN(types))];
    uint64_t other = 1 + draw(seed, PEERS);
    switch (draw(seed, 12)) {
    case 0:
    case 1:
        return PR_OUT(p, .action = PR_REGISTER_AND_IGNORE, .action_key = key);
    case 2:
        return PR_OUT(p, .action = PR_RESERVE, .key = key, .type = type);
    case 3:
        return PR_OUT(p, .action = PR_RELEASE, .key = key, .type = type);
    case 4:
        return PR_OUT(p, .action = PR_CLEAR, .key = key);
    case 5:
        return PR_OUT(p, .action = PR_PREEMPT, .key = key, .action_key = other,
                      .type = type);
    case 6:
        return send_reserve(p);
    case 7:
        return send_release(p);
    case 8:
        return send_ready(p, TASK_ORDERED);
    default:
        return send_write(p, (uint32_t)draw(seed, 64));
    }
}

/* No command is aborted here, so each is answered; bursts of all sessions are under way
 * at a time. */
static void many_sessions_at_once_are_all_answered(void **state)
{
    uint64_t seed = 1;
    struct wire_peer *peers[PEERS];
    for (size_t i = 0; i < PEERS; i++)
        peers[i] = logged_in(state, KEYS(""));
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t sent[PEERS];
        for (size_t i = 0; i < PEERS; i++) {
            sent[i] = 1 + draw(&seed, 8);
            for (size_t n = 0; n < sent[i]; n++)
                (void)send_any(&seed, peers[i], i + 1);
        }
        for (size_t i = 0; i < PEERS; i++) {
            struct cmd_rsp rsp;
            for (size_t n = 0; n < sent[i]; n++)
                assert_int_not_equal(wire_peer_status(peers[i], &rsp), SAM_BUSY);
        }
    }
    for (size_t i = 0; i < PEERS; i++)
        wire_peer_close(peers[i]);
}

/* With aborts nobody knows which are answered; none may stay. */
static void preempting_each_other_leaves_nothing(void **state)
{
    struct wire_peer *peers[PEERS];
    for (unsigned round = 0; round < ROUNDS / 8; round++) {
        for (size_t i = 0; i < PEERS; i++) {
            peers[i] = logged_in(state, KEYS(""));
            (void)PR_OUT(peers[i], .action = PR_REGISTER_AND_IGNORE, .action_key = i + 1);
        }
        for (unsigned n = 0; n < 6; n++) {
            for (size_t i = 0; i < PEERS; i++) {
                (void)send_write(peers[i], (uint32_t)i);
                (void)PR_OUT(peers[i], .action = PR_PREEMPT_AND_ABORT, .key = i + 1,
                             .action_key = 1 + (i + 1 + n) % PEERS,
                             .type = RESERVATION_WRITE_REGISTRANTS);
                (void)PR_OUT(peers[i], .action = PR_REGISTER_AND_IGNORE,
                             .action_key = i + 1);
            }
        }
        for (size_t i = 0; i < PEERS; i++)
            wire_peer_close(peers[i]);
    }
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON(a_reservation_holds_on_every_reactor_when_it_is_answered),
        ON(changes_of_one_session_are_made_in_order),
        ON(preempt_waits_for_the_writes_of_the_preempted),
        ON(reserve_waits_for_the_writes_of_others),
        ON(what_it_may_still_do_is_not_waited_for),
        ON(a_write_that_waits_for_its_data_is_in_conflict_then),
        ON(preempt_and_abort_leaves_no_task),
        ON(who_had_no_task_is_not_told_of_any),
        ON(a_preempted_one_that_waits_for_its_turn_is_dropped),
        ON(an_asker_may_go_before_its_answer),
        ON(what_is_not_kept_does_not_happen),
        ON(others_are_told_what_they_have_lost),
        ON(a_registration_outlives_its_session),
        ON(reserve_ends_with_its_session),
        ON(reserve_ends_with_a_reset),
        ON(other_reservations_outlive_a_reset),
        ON(what_a_host_had_reserved_goes_with_its_mapping),
        ON(its_registration_stays),
        ON(a_mapping_may_go_under_a_change),
        ON(many_sessions_at_once_are_all_answered),
        ON(preempting_each_other_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
