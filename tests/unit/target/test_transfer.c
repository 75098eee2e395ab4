/* SPDX-License-Identifier: Apache-2.0 */
/* The full feature phase, as an initiator meets it: data both ways, order, task
 * management, what is against the rules. */
#include "tests/unit/target/wire_rig.h"

#include "proto/lun.h"
#include "proto/sense.h"

#include <string.h>

#define KIB 1024U

static uint8_t pattern[1 << 20];

static void fill_pattern(uint8_t seed)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

static struct wire_peer *logged_in(void **state, const char *keys, size_t bytes)
{
    struct wire_peer *p = wire_peer_connect(*state);
    wire_peer_login(p, keys, bytes);
    wire_peer_ready(p);
    return p;
}

static void expect_sense(struct wire_peer *p, enum sense_code code)
{
    struct cmd_rsp rsp;
    struct sense sense;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
    assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    assert_string_equal(sense_name(sense.code), sense_name(code));
}

static void expect_good(struct wire_peer *p, uint32_t itt)
{
    struct cmd_rsp rsp;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
    assert_int_equal(rsp.itt, itt);
    assert_int_equal(rsp.residual.kind, RESIDUAL_NONE);
}

static void send_out(struct wire_peer *p, uint32_t itt, uint32_t ttt, uint32_t sn,
                     uint32_t offset, uint32_t bytes, bool final)
{
    union bhs bhs;
    struct data_out m = {.final = final,
                         .lun = lun_encode(RIG_LUN),
                         .itt = itt,
                         .ttt = ttt,
                         .data_sn = sn,
                         .buffer_offset = offset,
                         .exp_stat_sn = p->exp_stat_sn,
                         .data_bytes = bytes};
    data_out_encode(&m, &bhs.data_out);
    wire_peer_send(p, &bhs, pattern + offset, bytes);
}

/* Answers an R2T in PDUs of `piece` bytes. */
static void answer_r2t(struct wire_peer *p, const struct r2t *r, uint32_t piece)
{
    uint32_t sn = 0;
    for (uint32_t at = 0; at < r->desired_bytes;) {
        uint32_t left = r->desired_bytes - at;
        uint32_t bytes = left < piece ? left : piece;
        send_out(p, r->itt, r->ttt, sn++, r->buffer_offset + at, bytes, bytes == left);
        at += bytes;
    }
}

static void expect_r2t(struct wire_peer *p, struct r2t *r)
{
    wire_peer_expect(p, OP_R2T);
    assert_int_equal(r2t_decode(&p->bhs.r2t, r), 0);
}

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
    wire_peer_rw(p, &m, true, 3, 96);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &first);
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

static void send_ping(struct wire_peer *p, uint32_t itt, uint32_t cmd_sn, bool immediate)
{
    union bhs bhs;
    struct nop_out m = {.immediate = immediate,
                        .itt = itt,
                        .ttt = PDU_TAG_NONE,
                        .cmd_sn = cmd_sn,
                        .exp_stat_sn = p->exp_stat_sn};
    nop_out_encode(&m, &bhs.nop_out);
    wire_peer_send(p, &bhs, "ping!", 5);
}

static void expect_pong(struct wire_peer *p, uint32_t itt)
{
    struct nop_in m;
    wire_peer_expect(p, OP_NOP_IN);
    assert_int_equal(nop_in_decode(&p->bhs.nop_in, &m), 0);
    assert_int_equal(m.itt, itt);
    assert_int_equal(p->data_bytes, 5);
    assert_memory_equal(p->data, "ping!", 5);
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

static void expect_tmf(struct wire_peer *p, uint32_t itt, enum tmf_response response)
{
    struct tmf_rsp rsp;
    wire_peer_expect(p, OP_TMF_RSP);
    assert_int_equal(tmf_rsp_decode(&p->bhs.tmf_rsp, &rsp), 0);
    assert_int_equal(rsp.itt, itt);
    assert_int_equal(rsp.response, response);
}

static uint32_t send_tmf(struct wire_peer *p, enum tmf_function function, uint32_t lun,
                         uint32_t ref_itt)
{
    union bhs bhs;
    struct tmf_req m = {.immediate = true,
                        .function = (uint8_t)function,
                        .lun = lun_encode(lun),
                        .itt = p->itt++,
                        .ref_itt = ref_itt,
                        .cmd_sn = p->cmd_sn,
                        .exp_stat_sn = p->exp_stat_sn};
    tmf_req_encode(&m, &bhs.tmf_req);
    wire_peer_send(p, &bhs, NULL, 0);
    return m.itt;
}

static void an_aborted_write_is_not_answered(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
    uint32_t itt = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, m.itt);
    expect_tmf(p, itt, TMF_COMPLETE);
    answer_r2t(p, &r, 4096); /* was on its way */
    itt = send_tmf(p, TMF_ABORT_TASK, RIG_LUN, m.itt);
    expect_tmf(p, itt, TMF_NO_TASK);
    wire_peer_ready(p);
    wire_peer_close(p);
}

static void a_task_set_is_aborted_for_its_own_session_alone(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct wire_peer *b = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req ma, mb;
    struct r2t ra, rb;
    wire_peer_rw(a, &ma, true, 0, 8);
    wire_peer_send_cmd(a, &ma, NULL);
    expect_r2t(a, &ra);
    wire_peer_rw(b, &mb, true, 8, 8);
    wire_peer_send_cmd(b, &mb, NULL);
    expect_r2t(b, &rb);
    expect_tmf(a, send_tmf(a, TMF_ABORT_TASK_SET, RIG_LUN, PDU_TAG_NONE), TMF_COMPLETE);
    answer_r2t(b, &rb, 4096);
    expect_good(b, mb.itt);
    wire_peer_ready(a);
    wire_peer_close(a);
    wire_peer_close(b);
}

/* The sessions are on different reactors. */
static void a_reset_ends_the_commands_of_all_sessions(void **state)
{
    static const struct {
        enum tmf_function function;
        enum sense_code other, own;
    } cases[] = {
        {TMF_CLEAR_TASK_SET, SENSE_TASKS_CLEARED, SENSE_NONE},
        {TMF_LU_RESET, SENSE_LU_RESET, SENSE_LU_RESET},
        {TMF_TARGET_WARM_RESET, SENSE_POWER_ON, SENSE_POWER_ON},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wire_peer *a = logged_in(state, KEYS(""));
        struct wire_peer *b =
            logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
        struct cmd_req m;
        struct r2t r;
        wire_peer_rw(b, &m, true, 8, 8);
        wire_peer_send_cmd(b, &m, NULL);
        expect_r2t(b, &r);
        expect_tmf(a, send_tmf(a, cases[i].function, RIG_LUN, PDU_TAG_NONE),
                   TMF_COMPLETE);
        answer_r2t(b, &r, 4096);
        wire_peer_cmd(b, &m);
        wire_peer_send_cmd(b, &m, NULL);
        expect_sense(b, cases[i].other);
        wire_peer_cmd(a, &m);
        wire_peer_send_cmd(a, &m, NULL);
        if (cases[i].own == SENSE_NONE)
            expect_good(a, m.itt);
        else
            expect_sense(a, cases[i].own);
        wire_peer_ready(a);
        wire_peer_ready(b);
        wire_peer_close(a);
        wire_peer_close(b);
    }
}

static void unknown_functions_and_units_are_said(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    expect_tmf(p, send_tmf(p, TMF_LU_RESET, 77, PDU_TAG_NONE), TMF_NO_LUN);
    expect_tmf(p, send_tmf(p, TMF_CLEAR_ACA, RIG_LUN, PDU_TAG_NONE), TMF_NOT_SUPPORTED);
    expect_tmf(p, send_tmf(p, TMF_TASK_REASSIGN, RIG_LUN, 1), TMF_NOT_SUPPORTED);
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
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
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
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
    wire_peer_cmd(p, &twin);
    twin.itt = m.itt;
    wire_peer_send_cmd(p, &twin, NULL);
    expect_reject(p, REJECT_TASK_IN_PROGRESS);
    answer_r2t(p, &r, 4096);
    expect_good(p, m.itt);
    wire_peer_close(p);
}

static void a_bad_header_digest_ends_the_connection(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("HeaderDigest=CRC32C\0"));
    struct cmd_req m;
    union bhs bhs;
    uint8_t wrong[4] = {1, 2, 3, 4};
    wire_peer_cmd(p, &m);
    cmd_req_encode(&m, &bhs.cmd_req);
    wire_peer_send_raw(p, &bhs, BHS_BYTES);
    wire_peer_send_raw(p, wrong, sizeof(wrong));
    wire_peer_expect_eof(p);
    wire_peer_close(p);
}

static void bad_data_fails_its_command_alone(void **state)
{
    struct wire_peer *p =
        logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0DataDigest=CRC32C\0"));
    struct cmd_req m;
    struct r2t r;
    uint8_t wrong[4] = {1, 2, 3, 4};
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
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
    wire_peer_ready(p);
    wire_peer_close(p);
}

/* Its bytes are in order, its number says that some were lost: RFC 7143, 7.9. */
static void a_wrong_data_number_fails_its_command_alone(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    struct cmd_req m;
    struct r2t r;
    wire_peer_rw(p, &m, true, 0, 8);
    wire_peer_send_cmd(p, &m, NULL);
    expect_r2t(p, &r);
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
        cmocka_unit_test(an_aborted_write_is_not_answered),
        cmocka_unit_test(a_task_set_is_aborted_for_its_own_session_alone),
        cmocka_unit_test(a_reset_ends_the_commands_of_all_sessions),
        cmocka_unit_test(unknown_functions_and_units_are_said),
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
