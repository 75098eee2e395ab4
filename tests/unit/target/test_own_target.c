/* SPDX-License-Identifier: Apache-2.0 */
/* A volume that is a target of its own to a host, beside the shared one: names, sessions,
 * what each tells, and what becomes of it when the mapping goes. */
#include "tests/unit/target/wire_rig.h"

#include "base/be.h"
#include "proto/lun.h"
#include "proto/sense.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct login_req to_full = {
    .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};

/* ---- management ---- */

static char own_name[TARGET_NAME_MAX];

static void map_own(struct wire_rig *r, const char *volume)
{
    struct mapping_spec spec = {
        .volume = volume, .host = "h1", .lun = LUN_ANY, .own_target = true};
    target_name_of(r->target, wire_rig_map(r, &spec), own_name);
}

static void unmap(struct wire_rig *r, const char *pair)
{
    r->answers = 1;
    mapping_delete(r->lunmgr, pair, wire_rig_on_done, r);
    wire_rig_wait(r);
}

static int setup(void **state)
{
    if (wire_rig_setup(state) != 0)
        return -1;
    struct wire_rig *r = *state;
    struct volume_spec w = {.name = "w", .pool = "p", .size_bytes = 8 << 20};
    wire_rig_make(r, &w);
    return 0;
}

/* ---- the initiator ---- */

static enum login_status login_to(struct wire_peer *p, const char *target)
{
    char keys[600];
    int bytes = snprintf(keys, sizeof(keys), "InitiatorName=%s%cTargetName=%s%c",
                         RIG_INITIATOR, 0, target, 0);
    return wire_peer_login_step(p, &to_full, keys, (size_t)bytes);
}

static struct wire_peer *logged_in_to(struct wire_rig *r, const char *target)
{
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(login_to(p, target), LOGIN_SUCCESS);
    return p;
}

static void expect_refused(struct wire_rig *r, const char *target)
{
    struct wire_peer *p = wire_peer_connect(r);
    assert_int_equal(login_to(p, target), LOGIN_NOT_FOUND);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

/* TEST UNIT READY; its status. */
static uint8_t ready_status(struct wire_peer *p, uint32_t lun)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    wire_peer_cmd(p, &m);
    m.lun = lun_encode(lun);
    wire_peer_send_cmd(p, &m, NULL);
    return wire_peer_status(p, &rsp);
}

static void hear_attentions(struct wire_peer *p, uint32_t lun)
{
    for (int i = 0; i < 8; i++) {
        if (ready_status(p, lun) == SAM_GOOD)
            return;
    }
    fail_msg("LUN %u does not get ready", lun);
}

static void ask(struct wire_peer *p, uint32_t lun, const uint8_t cdb[12])
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.lun = lun_encode(lun);
    m.read = true;
    m.expected_bytes = 1024;
    memcpy(m.cdb, cdb, 12);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
}

static bool page_has(const struct wire_peer *p, const char *text)
{
    return memmem(p->data, p->data_bytes, text, strlen(text) + 1) != NULL;
}

/* ---- tests ---- */

static void it_is_there_when_the_mapping_is(void **state)
{
    struct wire_rig *r = *state;
    char name[TARGET_NAME_MAX];
    map_own(r, "w");
    snprintf(name, sizeof(name), RIG_TARGET ":%s",
             volume_serial(volume_find(r->lunmgr, "w")));
    assert_string_equal(own_name, name);
    struct wire_peer *p = logged_in_to(r, name);
    assert_true(wire_peer_said(p, "TargetPortalGroupTag", "1"));
    hear_attentions(p, 0);
    assert_int_equal(ready_status(p, RIG_LUN), SAM_CHECK_CONDITION);
    unmap(r, "w/h1");
    wire_peer_expect_drop(p, ASYNC_DROP_SESSION);
    wire_peer_close(p);
    expect_refused(r, name);
}

static void a_name_that_is_not_shown_is_none(void **state)
{
    struct wire_rig *r = *state;
    char name[TARGET_NAME_MAX + 8];
    snprintf(name, sizeof(name), RIG_TARGET ":%s",
             volume_serial(volume_find(r->lunmgr, "v"))); /* a LUN of the shared one */
    expect_refused(r, name);
    map_own(r, "w");
    snprintf(name, sizeof(name), "%s0", own_name);
    expect_refused(r, name);
    snprintf(name, sizeof(name), "%.*s", (int)strlen(own_name) - 1, own_name);
    expect_refused(r, name);
    unmap(r, "w/h1");
}

/* REPORT LUNS and the names of VPD page 83h are those of the target logged in to, the
 * identifiers those of the volume. */
static void each_target_tells_its_own(void **state)
{
    static const uint8_t report_luns[12] = {0xa0, [8] = 4};
    static const uint8_t page_83[12] = {0x12, 1, 0x83, 4};
    struct wire_rig *r = *state;
    char port[300];
    struct volume_info info;
    map_own(r, "w");
    volume_describe(volume_find(r->lunmgr, "w"), &info);
    struct wire_peer *p = logged_in_to(r, own_name);
    hear_attentions(p, 0);
    ask(p, 0, report_luns);
    assert_int_equal(be32_load(p->data), 8);
    assert_int_equal(be32_load(p->data + 8), 0);
    ask(p, 0, page_83);
    snprintf(port, sizeof(port), "%s,t,0x0001", own_name);
    assert_true(page_has(p, port));
    assert_true(page_has(p, own_name));
    assert_false(page_has(p, RIG_TARGET));
    assert_non_null(memmem(p->data, p->data_bytes, info.serial, strlen(info.serial)));
    wire_peer_close(p);

    p = logged_in_to(r, RIG_TARGET);
    hear_attentions(p, RIG_LUN);
    ask(p, RIG_LUN, report_luns);
    assert_int_equal(be32_load(p->data), 8);
    assert_int_equal(p->data[9], RIG_LUN);
    ask(p, RIG_LUN, page_83);
    assert_true(page_has(p, RIG_TARGET));
    assert_true(page_has(p, RIG_TARGET ",t,0x0001"));
    wire_peer_close(p);
    unmap(r, "w/h1");
}

/* An initiator port may have a session with each target under one ISID. */
static void one_isid_is_a_session_with_each_target(void **state)
{
    struct wire_rig *r = *state;
    map_own(r, "w");
    struct wire_peer *shared = logged_in_to(r, RIG_TARGET);
    struct wire_peer *own = wire_peer_connect(r);
    memcpy(own->isid, shared->isid, ISID_BYTES);
    assert_int_equal(login_to(own, own_name), LOGIN_SUCCESS);
    assert_int_not_equal(own->tsih, shared->tsih);
    hear_attentions(shared, RIG_LUN);
    hear_attentions(own, 0);

    struct wire_peer *again = wire_peer_connect(r);
    memcpy(again->isid, shared->isid, ISID_BYTES);
    assert_int_equal(login_to(again, own_name), LOGIN_SUCCESS);
    wire_peer_expect_eof(own);
    hear_attentions(again, 0);
    assert_int_equal(ready_status(shared, RIG_LUN), SAM_GOOD);

    struct wire_peer *joins = wire_peer_connect(r);
    struct login_req join = to_full;
    char keys[600];
    join.tsih = shared->tsih; /* the number of a session, but with another target */
    join.cid = 1;
    memcpy(joins->isid, shared->isid, ISID_BYTES);
    int bytes = snprintf(keys, sizeof(keys), "InitiatorName=%s%cTargetName=%s%c",
                         RIG_INITIATOR, 0, own_name, 0);
    assert_int_equal(wire_peer_login_step(joins, &join, keys, (size_t)bytes),
                     LOGIN_NO_SUCH_SESSION);
    wire_peer_close(joins);
    wire_peer_close(shared);
    wire_peer_close(own);
    wire_peer_close(again);
    unmap(r, "w/h1");
}

/* What comes and goes at one target is not told at another. */
static void other_sessions_hear_nothing_of_it(void **state)
{
    struct wire_rig *r = *state;
    struct wire_peer *shared = logged_in_to(r, RIG_TARGET);
    hear_attentions(shared, RIG_LUN);
    map_own(r, "w");
    assert_int_equal(ready_status(shared, RIG_LUN), SAM_GOOD);
    struct wire_peer *own = logged_in_to(r, own_name);
    hear_attentions(own, 0);
    unmap(r, "v/h1");
    assert_int_equal(ready_status(own, 0), SAM_GOOD);
    struct mapping_spec spec = {.volume = "v", .host = "h1", .lun = RIG_LUN};
    wire_rig_map(r, &spec);
    assert_int_equal(ready_status(own, 0), SAM_GOOD);
    unmap(r, "w/h1");
    wire_peer_expect_drop(own, ASYNC_DROP_SESSION);
    hear_attentions(shared, RIG_LUN);
    wire_peer_close(own);
    wire_peer_close(shared);
}

/* A cold reset ends the sessions that share a unit with its asker: none of another
 * target's. */
static void a_reset_of_one_target_is_not_of_the_other(void **state)
{
    struct wire_rig *r = *state;
    map_own(r, "w");
    struct wire_peer *shared = logged_in_to(r, RIG_TARGET);
    struct wire_peer *own = logged_in_to(r, own_name);
    hear_attentions(shared, RIG_LUN);
    hear_attentions(own, 0);
    struct tmf_req m = {.immediate = true,
                        .function = TMF_TARGET_COLD_RESET,
                        .itt = own->itt++,
                        .ref_itt = PDU_TAG_NONE,
                        .cmd_sn = own->cmd_sn,
                        .exp_stat_sn = own->exp_stat_sn};
    union bhs bhs;
    tmf_req_encode(&m, &bhs.tmf_req);
    wire_peer_send(own, &bhs, NULL, 0);
    wire_peer_expect(own, OP_TMF_RSP);
    wire_peer_expect_drop(own, ASYNC_DROP_SESSION);
    assert_int_equal(ready_status(shared, RIG_LUN), SAM_GOOD);
    wire_peer_close(own);
    wire_peer_close(shared);
    unmap(r, "w/h1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_when_the_mapping_is),
        cmocka_unit_test(a_name_that_is_not_shown_is_none),
        cmocka_unit_test(each_target_tells_its_own),
        cmocka_unit_test(one_isid_is_a_session_with_each_target),
        cmocka_unit_test(other_sessions_hear_nothing_of_it),
        cmocka_unit_test(a_reset_of_one_target_is_not_of_the_other),
    };
    return cmocka_run_group_tests(tests, setup, wire_rig_teardown);
}
