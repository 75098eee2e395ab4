/* SPDX-License-Identifier: Apache-2.0 */
/* EXTENDED COPY over a whole target and a pool: what was copied is read back by sessions
 * of either reactor; a copy that goes on behind its answer (IMMED) is no task to task
 * management, and ends with resets, with its unit's mapping and with its session. */
#include "tests/unit/target/wire_talk.h"

#include "base/be.h"
#include "proto/lun.h"
#include "tests/lib/copy_list.h"

#include <stdlib.h>
#include <string.h>

#define TARGET_LUN   4
#define COPY_BLOCKS  2048U /* 1 MiB */
#define FIRST_BLOCK  3U    /* of the target: nothing lies as in the source */
#define IDENTIFIER   7U
#define PIECE_BLOCKS 256U

static struct copy_list list;

static int setup(void **state)
{
    if (wire_rig_setup(state) != 0)
        return -1;
    struct volume_spec w = {.name = "w", .pool = "p", .size_bytes = RIG_BLOCKS * 512ULL};
    wire_rig_make(*state, &w);
    struct mapping_spec m = {.volume = "w", .host = "h1", .lun = TARGET_LUN};
    wire_rig_map(*state, &m);
    fill_pattern(1);
    return 0;
}
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, wire_rig_teardown)

/* ---- What is said --------------------------------------------------------------------
 */

static void ready(struct wire_peer *p, uint32_t lun)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    do {
        wire_peer_cmd(p, &m);
        m.lun = lun_encode(lun);
        wire_peer_send_cmd(p, &m, NULL);
    } while (wire_peer_status(p, &rsp) != SAM_GOOD);
}

static struct wire_peer *both_ready(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("ImmediateData=Yes\0InitialR2T=No\0"
                              "iSCSIProtocolLevel=2\0FirstBurstLength=262144\0"));
    ready(p, TARGET_LUN);
    return p;
}

static void put_source(struct wire_peer *p)
{
    for (uint32_t at = 0; at < COPY_BLOCKS; at += 16) {
        struct cmd_req m;
        struct cmd_rsp rsp;
        wire_peer_rw(p, &m, true, at, 16);
        m.data_bytes = 16 * 512;
        wire_peer_send_cmd(p, &m, pattern + (size_t)at * 512);
        assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
    }
}

static void name_units(struct wire_rig *r)
{
    copy_list_unit(&list, volume_naa(volume_find(r->lunmgr, "v")), 512);
    copy_list_unit(&list, volume_naa(volume_find(r->lunmgr, "w")), 512);
}

/* The whole of it, in two segments. */
static void make_list(struct wire_rig *r, bool immed)
{
    copy_list_begin_lid4(&list, IDENTIFIER, 0, immed);
    name_units(r);
    copy_list_segment(&list, 0, 1, COPY_BLOCKS / 2, 0, FIRST_BLOCK);
    copy_list_segment(&list, 0, 1, COPY_BLOCKS / 2, COPY_BLOCKS / 2,
                      FIRST_BLOCK + COPY_BLOCKS / 2);
}

static uint32_t send_copy(struct wire_peer *p)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.write = true;
    m.expected_bytes = m.data_bytes = list.at;
    m.cdb[0] = 0x83;
    m.cdb[1] = list.lid4;
    be32_store(m.cdb + 10, list.at);
    wire_peer_send_cmd(p, &m, list.bytes);
    return m.itt;
}

/* COPY OPERATION STATUS; 0: it is not known. */
static unsigned ask_status(struct wire_peer *p)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    wire_peer_cmd(p, &m);
    m.read = true;
    m.expected_bytes = 512;
    m.cdb[0] = 0x84;
    m.cdb[1] = 5;
    be32_store(m.cdb + 2, IDENTIFIER);
    be32_store(m.cdb + 10, 512);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_recv(p);
    if ((p->bhs.bytes[0] & 0x3f) == OP_DATA_IN)
        return p->data[5];
    assert_int_equal(cmd_rsp_decode(&p->bhs.cmd_rsp, &rsp), 0);
    assert_int_equal(rsp.status, SAM_CHECK_CONDITION);
    return 0;
}

static unsigned final_status(struct wire_peer *p)
{
    unsigned status = ask_status(p);
    while (status == 0x11 || status == 0x12)
        status = ask_status(p);
    return status;
}

/* How many blocks of the range the target has, from its begin; the rest are zeros. */
static uint32_t copied_blocks(struct wire_peer *p)
{
    static const uint8_t zeros[512];
    uint32_t count = 0;
    for (uint32_t at = 0; at < COPY_BLOCKS; at += PIECE_BLOCKS) {
        struct cmd_req m;
        wire_peer_rw(p, &m, false, FIRST_BLOCK + at, PIECE_BLOCKS);
        m.lun = lun_encode(TARGET_LUN);
        wire_peer_send_cmd(p, &m, NULL);
        for (uint32_t b = 0; b < PIECE_BLOCKS;) {
            wire_peer_expect(p, OP_DATA_IN);
            for (size_t i = 0; i < p->data_bytes; i += 512, b++) {
                bool is = count == at + b &&
                          memcmp(p->data + i, pattern + (size_t)count * 512, 512) == 0;
                count += is;
                assert_true(is || memcmp(p->data + i, zeros, 512) == 0);
            }
        }
    }
    return count;
}

static void unmap(struct wire_rig *r, const char *pair)
{
    r->answers++;
    mapping_delete(r->lunmgr, pair, wire_rig_on_done, r);
}

/* Some turns: what is not waited for would come meanwhile. */
static void let_pass(struct wire_rig *r)
{
    for (int i = 0; i < 50; i++) {
        loop_run_once(r->control, false);
        struct timespec ms = {.tv_nsec = 1000000};
        nanosleep(&ms, NULL);
    }
}

/* The source is held back, and its copy has been answered. */
static struct wire_peer *with_one_behind(void **state, struct disk_hold *hold)
{
    struct wire_peer *p = both_ready(state);
    put_source(p);
    make_list(*state, true);
    hold_disk(*state, hold);
    expect_good(p, send_copy(p));
    assert_int_equal(ask_status(p), 0x12);
    return p;
}

/* ---- The claims ----------------------------------------------------------------------
 */

static void what_was_copied_is_read_by_all(void **state)
{
    struct wire_peer *a = both_ready(state);
    struct wire_peer *b = both_ready(state); /* of the other reactor */
    put_source(a);
    make_list(*state, false);
    expect_good(b, send_copy(b));
    assert_int_equal(copied_blocks(a), COPY_BLOCKS);
    assert_int_equal(ask_status(a), 0); /* it was another nexus's */
    assert_int_equal(ask_status(b), 0x01);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void one_behind_its_answer_is_no_task(void **state)
{
    struct disk_hold hold;
    struct wire_peer *p = with_one_behind(state, &hold);
    struct tmf_req query = {.function = TMF_QUERY_TASK_SET,
                            .lun = lun_encode(RIG_LUN),
                            .ref_itt = PDU_TAG_NONE};
    expect_tmf(p, send_tmf_req(p, &query), TMF_COMPLETE);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK, RIG_LUN, p->itt - 2), TMF_NO_TASK);
    expect_tmf(p, send_tmf(p, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    uint32_t itt = send_ready(p, TASK_ORDERED);
    expect_good(p, itt);
    p->itt = itt - 1; /* numbers that it has had are free */
    expect_good(p, send_ready(p, TASK_SIMPLE));
    p->itt = itt + 1;
    release_disk(&hold);
    assert_int_equal(final_status(p), 0x01);
    assert_int_equal(copied_blocks(p), COPY_BLOCKS);
    wire_peer_close(p);
}

static void a_reset_waits_for_the_end_of_one_behind(void **state)
{
    static const enum tmf_function functions[] = {TMF_LU_RESET, TMF_TARGET_WARM_RESET,
                                                  TMF_I_T_NEXUS_RESET};
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        struct disk_hold hold;
        struct wire_peer *p = with_one_behind(state, &hold);
        uint32_t itt = send_tmf(p, functions[i], RIG_LUN, PDU_TAG_NONE);
        expect_silence(p);
        release_disk(&hold);
        expect_tmf(p, itt, TMF_COMPLETE);
        wire_peer_ready(p);
        ready(p, TARGET_LUN);
        assert_int_equal(ask_status(p), 0);
        assert_in_range(copied_blocks(p), 0, COPY_BLOCKS / 2);
        wire_peer_close(p);
    }
}

static void an_operation_is_aborted(void **state)
{
    struct disk_hold hold;
    struct cmd_req m;
    struct wire_peer *p = with_one_behind(state, &hold);
    wire_peer_cmd(p, &m);
    m.cdb[0] = 0x83;
    m.cdb[1] = 0x1c;
    be32_store(m.cdb + 2, IDENTIFIER);
    wire_peer_send_cmd(p, &m, NULL);
    expect_good(p, m.itt);
    release_disk(&hold);
    assert_int_equal(final_status(p), 0x60);
    assert_in_range(copied_blocks(p), 0, COPY_BLOCKS / 2);
    wire_peer_close(p);
}

static void a_mapping_goes_when_the_copy_has_ended(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *p = with_one_behind(state, &hold);
    unmap(r, "w/h1");
    let_pass(r);
    assert_int_equal(r->answers, 1);
    release_disk(&hold);
    wire_rig_wait(r);
    wire_peer_ready(p);
    assert_int_equal(final_status(p), 0x60);
    wire_peer_close(p);
}

static void a_copy_whose_unit_goes_fails(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct wire_peer *p = both_ready(state);
    put_source(p);
    make_list(r, false);
    hold_disk(r, &hold);
    (void)send_copy(p);
    expect_silence(p);
    unmap(r, "w/h1");
    let_pass(r);
    assert_int_equal(r->answers, 1);
    release_disk(&hold);
    wire_rig_wait(r);
    expect_sense(p, SENSE_COPY_NOT_REACHABLE);
    wire_peer_close(p);
}

/* What stays as it is does not end it, and is followed to the new view. */
static void other_mappings_come_and_go(void **state)
{
    struct wire_rig *r = *state;
    struct disk_hold hold;
    struct volume_spec x = {.name = "x", .pool = "p", .size_bytes = 1 << 20};
    struct mapping_spec m = {.volume = "x", .host = "h1", .lun = TARGET_LUN + 1};
    wire_rig_make(r, &x);
    struct wire_peer *p = with_one_behind(state, &hold);
    wire_rig_map(r, &m);
    unmap(r, "x/h1");
    wire_rig_wait(r);
    release_disk(&hold);
    wire_peer_ready(p);
    ready(p, TARGET_LUN);
    assert_int_equal(final_status(p), 0x01);
    assert_int_equal(copied_blocks(p), COPY_BLOCKS);
    wire_peer_close(p);
}

static void a_session_ends_its_copies(void **state)
{
    struct wire_rig *r = *state;
    for (int logs_out = 0; logs_out < 2; logs_out++) {
        struct disk_hold hold;
        struct wire_sessions sessions;
        struct wire_peer *p = with_one_behind(state, &hold);
        if (logs_out) {
            union bhs bhs;
            struct logout_req out = {.immediate = true,
                                     .reason = LOGOUT_SESSION,
                                     .itt = p->itt++,
                                     .cmd_sn = p->cmd_sn,
                                     .exp_stat_sn = p->exp_stat_sn};
            logout_req_encode(&out, &bhs.logout_req);
            wire_peer_send(p, &bhs, NULL, 0);
            let_pass(r);
            release_disk(&hold);
            wire_peer_expect(p, OP_LOGOUT_RSP);
            wire_peer_close(p);
        } else {
            wire_peer_close(p);
            let_pass(r);
            release_disk(&hold);
        }
        do
            wire_rig_sessions(r, &sessions);
        while (sessions.count > 0);
        struct wire_peer *q = both_ready(state);
        assert_int_equal(ask_status(q), 0);
        assert_in_range(copied_blocks(q), 0, COPY_BLOCKS / 2);
        wire_peer_close(q);
    }
}

static void a_stop_ends_copies(void **state)
{
    struct wire_peer *p = both_ready(state);
    put_source(p);
    make_list(*state, true);
    expect_good(p, send_copy(p));
    wire_peer_close(p); /* the rest is the teardown's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(what_was_copied_is_read_by_all),
        CLAIM(one_behind_its_answer_is_no_task),
        CLAIM(a_reset_waits_for_the_end_of_one_behind),
        CLAIM(an_operation_is_aborted),
        CLAIM(a_mapping_goes_when_the_copy_has_ended),
        CLAIM(a_copy_whose_unit_goes_fails),
        CLAIM(other_mappings_come_and_go),
        CLAIM(a_session_ends_its_copies),
        CLAIM(a_stop_ends_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
