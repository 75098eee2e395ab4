/* SPDX-License-Identifier: Apache-2.0 */
/* The full feature phase, as an initiator meets it: data both ways, order,
 * what is against the rules. */
#include "tests/unit/target/wire_talk.h"

#include "proto/lun.h"
#include "proto/sense.h"

#include <string.h>

#define KIB 1024U

/* Reads and compares with the pattern; counts PDUs and sequences. */
static void read_back(struct wire_peer *p, uint32_t lba, uint16_t blocks, unsigned *pdus,
                      unsigned *sequences)
{
    struct cmd_req m;
    struct data_in in = {0};
    uint32_t at = 0;
    *pdus = *sequences = 0;
    wire_peer_rw(p, &m, false, lba, blocks);
    wire_peer_send_cmd(p, &m, NULL);
    while (!in.has_status) {
        wire_peer_expect(p, OP_DATA_IN);
        assert_int_equal(data_in_decode(&p->bhs.data_in, &in), 0);
        assert_int_equal(in.itt, m.itt);
        assert_int_equal(in.data_sn, (*pdus)++);
        assert_int_equal(in.buffer_offset, at);
        assert_memory_equal(p->data, pattern + at, p->data_bytes);
        at += (uint32_t)p->data_bytes;
        *sequences += in.final;
    }
    assert_int_equal(at, blocks * 512U);
    assert_int_equal(in.status, SAM_GOOD);
    assert_int_equal(in.residual.kind, RESIDUAL_NONE);
}

static void all_data_may_be_asked_for(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=16384\0"
                              "MaxOutstandingR2T=2\0"));
    struct cmd_req m;
    struct r2t first, second, third;
    unsigned pdus, sequences;
    fill_pattern(1);
    begin_write(p, &m, 3, 96, &first);
    expect_r2t(p, &second);
    assert_int_equal(first.desired_bytes, 16 * KIB);
    assert_int_equal(second.buffer_offset, 16 * KIB);
    answer_r2t(p, &first, 5000);
    expect_r2t(p, &third); /* only now: two may be outstanding */
    assert_int_equal(third.r2t_sn, 2);
    assert_int_equal(third.desired_bytes, 16 * KIB);
    answer_r2t(p, &second, 16 * KIB);
    answer_r2t(p, &third, 512);
    expect_good(p, m.itt);
    read_back(p, 3, 96, &pdus, &sequences);
    assert_int_equal(pdus, 6); /* of 8 KiB, the default */
    assert_int_equal(sequences, 3);
    wire_peer_close(p);
}

static void immediate_unsolicited_and_solicited_data_join(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=8192\0"
                              "MaxBurstLength=65536\0MaxRecvDataSegmentLength=65536\0"
                              "HeaderDigest=CRC32C\0DataDigest=CRC32C\0"));
    struct cmd_req m;
    struct r2t r;
    unsigned pdus, sequences;
    assert_true(p->header_digest && p->data_digest);
    fill_pattern(2);
    wire_peer_rw(p, &m, true, 1001, 128);
    m.final = false;
    m.data_bytes = 1001; /* not whole words: padded */
    wire_peer_send_cmd(p, &m, pattern);
    send_out(p, m.itt, PDU_TAG_NONE, 0, 1001, 3000, false);
    send_out(p, m.itt, PDU_TAG_NONE, 1, 4001, 4191, true);
    expect_r2t(p, &r);
    assert_int_equal(r.buffer_offset, 8192);
    assert_int_equal(r.desired_bytes, 64 * KIB - 8192);
    answer_r2t(p, &r, 20 * KIB);
    expect_good(p, m.itt);
    read_back(p, 1001, 128, &pdus, &sequences);
    assert_int_equal(pdus, 1);
    wire_peer_close(p);
}

static void a_read_of_many_bursts_is_whole(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("MaxBurstLength=65536\0MaxRecvDataSegmentLength=32768\0"
                              "FirstBurstLength=65536\0ImmediateData=Yes\0"));
    struct cmd_req m;
    struct r2t r;
    unsigned pdus, sequences;
    fill_pattern(3);
    wire_peer_rw(p, &m, true, 4096, 1024);
    m.data_bytes = 64 * KIB;
    wire_peer_send_cmd(p, &m, pattern);
    for (unsigned i = 1; i < 8; i++) {
        expect_r2t(p, &r);
        answer_r2t(p, &r, 64 * KIB);
    }
    expect_good(p, m.itt);
    read_back(p, 4096, 1024, &pdus, &sequences);
    assert_int_equal(pdus, 16);
    assert_int_equal(sequences, 8);
    wire_peer_close(p);
}

static void what_was_expected_too_little_or_too_much_is_told(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct cmd_req m;
    struct data_in in;
    wire_peer_rw(p, &m, false, 0, 2);
    m.expected_bytes = 512;
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(data_in_decode(&p->bhs.data_in, &in), 0);
    assert_int_equal(p->data_bytes, 512);
    assert_int_equal(in.residual.kind, RESIDUAL_OVERFLOW);
    assert_int_equal(in.residual.bytes, 512);
    wire_peer_rw(p, &m, false, 0, 2);
    m.expected_bytes = 4096;
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(data_in_decode(&p->bhs.data_in, &in), 0);
    assert_int_equal(p->data_bytes, 1024);
    assert_int_equal(in.residual.kind, RESIDUAL_UNDERFLOW);
    assert_int_equal(in.residual.bytes, 3072);
    wire_peer_close(p);
}

static void a_refused_write_takes_its_data_first(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=No\0FirstBurstLength=8192\0"));
    struct cmd_req m;
    wire_peer_rw(p, &m, true, RIG_BLOCKS, 16); /* beyond the end */
    m.final = false;
    m.data_bytes = 4096;
    wire_peer_send_cmd(p, &m, pattern);
    send_out(p, m.itt, PDU_TAG_NONE, 0, 4096, 4096, true);
    expect_sense(p, SENSE_LBA_RANGE);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void unexpected_data_is_an_error_of_the_command(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("ImmediateData=No\0"));
    struct cmd_req m;
    wire_peer_rw(p, &m, true, 0, 1);
    m.data_bytes = 512;
    wire_peer_send_cmd(p, &m, pattern);
    expect_sense(p, SENSE_UNEXPECTED_UNSOLICITED);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void requests_wait_for_their_turn(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct cmd_req m;
    uint32_t first = p->cmd_sn;
    fill_pattern(4);
    p->cmd_sn++; /* the first is missing */
    wire_peer_rw(p, &m, true, 9, 1);
    m.data_bytes = 512;
    wire_peer_send_cmd(p, &m, pattern);
    send_ping(p, 901, first + 2, false);
    send_ping(p, 902, first + 2, true); /* immediate: overtakes */
    expect_pong(p, 902);
    send_ping(p, 900, first, false);
    expect_pong(p, 900);
    wire_peer_recv(p); /* the write and the ping behind it, whichever is ready first */
    bool ping_first = pdu_opcode(&p->bhs) == OP_NOP_IN;
    wire_peer_expect(p, ping_first ? OP_CMD_RSP : OP_NOP_IN);
    assert_int_equal(be32_get(p->bhs.any.itt), ping_first ? m.itt : 901);
    p->cmd_sn = first + 3;
    unsigned pdus, sequences;
    read_back(p, 9, 1, &pdus, &sequences);
    wire_peer_close(p);
}

static void requests_outside_the_window_are_not_heard(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    send_ping(p, 900, p->cmd_sn - 1, false);
    send_ping(p, 901, p->cmd_sn + 5000, false);
    send_ping(p, 902, p->cmd_sn, false);
    expect_pong(p, 902);
    wire_peer_close(p);
}

static void expect_reject(struct wire_peer *p, enum reject_reason reason)
{
    struct reject m;
    wire_peer_expect(p, OP_REJECT);
    assert_int_equal(reject_decode(&p->bhs.reject, &m), 0);
    assert_int_equal(m.reason, reason);
    assert_int_equal(p->data_bytes, BHS_BYTES);
}

static void data_of_no_command_is_rejected(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    send_out(p, 4711, 1, 0, 0, 512, true);
    expect_reject(p, REJECT_INVALID_FIELD);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void data_out_of_order_ends_the_connection(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    begin_write(p, &m, 0, 8, &r);
    send_out(p, m.itt, r.ttt, 0, 512, 512, false);
    expect_reject(p, REJECT_INVALID_FIELD);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

static void a_tag_in_use_is_rejected(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m, twin;
    struct r2t r;
    begin_write(p, &m, 0, 8, &r);
    wire_peer_cmd(p, &twin);
    twin.itt = m.itt;
    wire_peer_send_cmd(p, &twin, NULL);
    expect_reject(p, REJECT_TASK_IN_PROGRESS);
    answer_r2t(p, &r, 4096);
    expect_good(p, m.itt);
    wire_peer_close(p);
}

/* Of all sessions so far. */
static uint64_t figure(const struct wire_peer *p, enum target_figure f)
{
    struct target_counters c;
    target_counters(p->rig->target, &c);
    return c.figures[f];
}

static void a_bad_header_digest_ends_the_connection(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("HeaderDigest=CRC32C\0"));
    struct cmd_req m;
    union bhs bhs;
    uint8_t wrong[4] = {1, 2, 3, 4};
    uint64_t before = figure(p, FIGURE_HEADER_DIGEST_ERRORS);
    wire_peer_cmd(p, &m);
    cmd_req_encode(&m, &bhs.cmd_req);
    wire_peer_send_raw(p, &bhs, BHS_BYTES);
    wire_peer_send_raw(p, wrong, sizeof(wrong));
    wire_peer_expect_eof(p);
    assert_int_equal(figure(p, FIGURE_HEADER_DIGEST_ERRORS), before + 1);
    wire_peer_close(p);
}

static void bad_data_fails_its_command_alone(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0DataDigest=CRC32C\0"));
    struct cmd_req m;
    struct r2t r;
    uint8_t wrong[4] = {1, 2, 3, 4};
    uint64_t errors = figure(p, FIGURE_DATA_DIGEST_ERRORS);
    uint64_t rejects = figure(p, FIGURE_REJECTS);
    begin_write(p, &m, 0, 8, &r);
    union bhs bhs;
    struct data_out out = {.final = true,
                           .lun = lun_encode(RIG_LUN),
                           .itt = m.itt,
                           .ttt = r.ttt,
                           .exp_stat_sn = p->exp_stat_sn,
                           .data_bytes = 4096};
    data_out_encode(&out, &bhs.data_out);
    wire_peer_send_raw(p, &bhs, BHS_BYTES);
    wire_peer_send_raw(p, pattern, 4096);
    wire_peer_send_raw(p, wrong, sizeof(wrong));
    expect_reject(p, REJECT_DATA_DIGEST);
    expect_sense(p, SENSE_DATA_CRC);
    assert_int_equal(figure(p, FIGURE_DATA_DIGEST_ERRORS), errors + 1);
    assert_int_equal(figure(p, FIGURE_REJECTS), rejects + 1);
    wire_peer_ready(p);
    wire_peer_close(p);
}

/* Its bytes are in order, its number says that some were lost: RFC 7143, 7.9. */
static void a_wrong_data_number_fails_its_command_alone(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    begin_write(p, &m, 0, 8, &r);
    send_out(p, m.itt, r.ttt, 0, 0, 1024, false);
    send_out(p, m.itt, r.ttt, 0, 1024, 1024, false);
    send_out(p, m.itt, r.ttt, 2, 2048, 2048, true);
    expect_sense(p, SENSE_DATA_CRC);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_bad_ping_digest_ends_the_connection(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("DataDigest=CRC32C\0"));
    union bhs bhs;
    struct nop_out m = {
        .itt = 5, .ttt = PDU_TAG_NONE, .cmd_sn = p->cmd_sn, .data_bytes = 4};
    nop_out_encode(&m, &bhs.nop_out);
    wire_peer_send_raw(p, &bhs, BHS_BYTES);
    wire_peer_send_raw(p, "pingxxxx", 8);
    expect_reject(p, REJECT_DATA_DIGEST);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

static void logout_is_answered_after_what_ran(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    struct cmd_req read;
    struct logout_req m = {.reason = LOGOUT_SESSION, .cid = 0};
    struct logout_rsp rsp;
    union bhs bhs;
    wire_peer_rw(p, &read, false, 0, 8);
    wire_peer_send_cmd(p, &read, NULL);
    m.itt = p->itt++;
    m.cmd_sn = p->cmd_sn++;
    m.exp_stat_sn = p->exp_stat_sn;
    logout_req_encode(&m, &bhs.logout_req);
    wire_peer_send(p, &bhs, NULL, 0);
    wire_peer_expect(p, OP_DATA_IN);
    wire_peer_expect(p, OP_LOGOUT_RSP);
    assert_int_equal(logout_rsp_decode(&p->bhs.logout_rsp, &rsp), 0);
    assert_int_equal(rsp.response, LOGOUT_CLOSED);
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

/* Eight reads of 1 MiB and nobody who takes them, while others are served. */
static void a_slow_reader_is_not_in_the_way(void **state)
{
    struct wire_peer *slow = logged_in(state, KEYS("MaxRecvDataSegmentLength=262144\0"));
    struct cmd_req m;
    for (int i = 0; i < 100; i++) {
        wire_peer_rw(slow, &m, false, 0, 2048);
        wire_peer_send_cmd(slow, &m, NULL);
    }
    for (int i = 0; i < 4; i++) {
        struct wire_peer *p = logged_in(state, KEYS(""));
        wire_peer_close(p);
    }
    struct data_in in;
    for (int done = 0; done < 100;) {
        wire_peer_expect(slow, OP_DATA_IN);
        assert_int_equal(data_in_decode(&slow->bhs.data_in, &in), 0);
        done += in.has_status;
    }
    wire_peer_ready(slow);
    wire_peer_close(slow);
}

/* More buffers than a session may have: the writes that must wait are asked for later. */
static void writes_wait_for_memory(void **state)
{
    enum { WRITES = 96 };
    struct wire_peer *p = logged_in(
        state, KEYS("InitialR2T=Yes\0ImmediateData=No\0MaxBurstLength=1048576\0"));
    struct cmd_req m[WRITES];
    struct r2t r;
    fill_pattern(5);
    for (int i = 0; i < WRITES; i++) {
        wire_peer_rw(p, &m[i], true, 2048U * (unsigned)(i % 8), 2048);
        wire_peer_send_cmd(p, &m[i], NULL);
    }
    int done = 0, asked = 0;
    while (done < WRITES) {
        wire_peer_recv(p);
        if (pdu_opcode(&p->bhs) == OP_CMD_RSP) {
            done++;
            continue;
        }
        assert_int_equal(pdu_opcode(&p->bhs), OP_R2T);
        assert_int_equal(r2t_decode(&p->bhs.r2t, &r), 0);
        asked++;
        answer_r2t(p, &r, 256 * KIB);
    }
    assert_int_equal(asked, WRITES);
    unsigned pdus, sequences;
    read_back(p, 2048, 1024, &pdus, &sequences);
    wire_peer_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_data_may_be_asked_for),
        cmocka_unit_test(immediate_unsolicited_and_solicited_data_join),
        cmocka_unit_test(a_read_of_many_bursts_is_whole),
        cmocka_unit_test(what_was_expected_too_little_or_too_much_is_told),
        cmocka_unit_test(a_refused_write_takes_its_data_first),
        cmocka_unit_test(unexpected_data_is_an_error_of_the_command),
        cmocka_unit_test(requests_wait_for_their_turn),
        cmocka_unit_test(requests_outside_the_window_are_not_heard),
        cmocka_unit_test(data_of_no_command_is_rejected),
        cmocka_unit_test(data_out_of_order_ends_the_connection),
        cmocka_unit_test(a_tag_in_use_is_rejected),
        cmocka_unit_test(a_bad_header_digest_ends_the_connection),
        cmocka_unit_test(bad_data_fails_its_command_alone),
        cmocka_unit_test(a_wrong_data_number_fails_its_command_alone),
        cmocka_unit_test(a_bad_ping_digest_ends_the_connection),
        cmocka_unit_test(logout_is_answered_after_what_ran),
        cmocka_unit_test(a_slow_reader_is_not_in_the_way),
        cmocka_unit_test(writes_wait_for_memory),
    };
    return cmocka_run_group_tests(tests, wire_rig_setup, wire_rig_teardown);
}
