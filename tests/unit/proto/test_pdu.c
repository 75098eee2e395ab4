/* SPDX-License-Identifier: Apache-2.0 */
/* proto/pdu.h: what others send is read, what we send is what others send, and what the
 * RFC forbids is refused with its reason. */
#include "tests/unit/proto/unit.h"

#include "proto/lun.h"
#include "proto/pdu.h"
#include "tests/unit/proto/golden.h"

static union bhs bhs_of(const uint8_t *golden)
{
    union bhs b;
    memcpy(b.bytes, golden, BHS_BYTES);
    return b;
}

/* Encoded again and stamped as the golden PDU was. */
static void assert_same_answer(union bhs *got, const uint8_t *golden)
{
    union bhs want = bhs_of(golden);
    uint32_t stat_sn = be32_get(want.any.cmd_or_stat_sn);
    pdu_stamp(got, &stat_sn, be32_get(want.any.exp_sn), be32_get(want.any.max_cmd_sn));
    assert_memory_equal(got->bytes, golden, BHS_BYTES);
}

static struct cmd_req read_command(const uint8_t *golden)
{
    struct cmd_req m;
    union bhs b = bhs_of(golden);
    assert_int_equal(pdu_check_request(&b), REJECT_NONE);
    assert_int_equal(cmd_req_decode(&b.cmd_req, NULL, 0, &m), REJECT_NONE);
    union bhs again;
    cmd_req_encode(&m, &again.cmd_req);
    assert_memory_equal(again.bytes, golden, BHS_BYTES);
    return m;
}

static void commands_of_libiscsi_are_read(void **state)
{
    uint32_t lun;
    (void)state;
    struct cmd_req m = read_command(golden_tur);
    assert_true(m.final && !m.read && !m.write && !m.immediate);
    assert_int_equal(m.attr, TASK_SIMPLE);
    assert_int_equal(m.expected_bytes, 0);
    assert_int_equal(lun_decode(m.lun, &lun), 0);
    assert_int_equal(lun, 1);

    m = read_command(golden_read_16);
    assert_true(m.read && !m.write);
    assert_int_equal(m.expected_bytes, 4096);
    assert_int_equal(m.cdb[0], 0x88);
    assert_int_equal(m.cdb_bytes, 16);

    m = read_command(golden_unmap);
    assert_true(m.write && m.final);
    assert_int_equal(m.data_bytes, 40);
    assert_int_equal(m.expected_bytes, 40);
    assert_int_equal(m.cmd_sn, 0x45582110);
    assert_int_equal(m.exp_stat_sn, 4);
    assert_int_equal(m.itt, 0x003cddc3);
}

static void login_of_libiscsi_is_read(void **state)
{
    struct login_req m;
    union bhs again;
    (void)state;
    union bhs b = bhs_of(golden_login_security);
    assert_int_equal(login_req_decode(&b.login_req, &m), REJECT_NONE);
    assert_true(m.transit && !m.more);
    assert_int_equal(m.csg, LOGIN_SECURITY);
    assert_int_equal(m.nsg, LOGIN_OPERATIONAL);
    assert_int_equal(m.tsih, 0);
    assert_int_equal(m.data_bytes, 131);
    static const uint8_t isid[ISID_BYTES] = {0x80, 0x7b, 0x1a, 0x97, 0, 0};
    assert_memory_equal(m.isid, isid, ISID_BYTES);
    login_req_encode(&m, &again.login_req);
    assert_memory_equal(again.bytes, golden_login_security, BHS_BYTES);

    union bhs b2 = bhs_of(golden_login_operational);
    assert_int_equal(login_req_decode(&b2.login_req, &m), REJECT_NONE);
    assert_int_equal(m.csg, LOGIN_OPERATIONAL);
    assert_int_equal(m.nsg, LOGIN_FULL_FEATURE);
}

static void other_requests_of_libiscsi_are_read(void **state)
{
    union bhs again;
    (void)state;
    union bhs t = bhs_of(golden_text_req);
    struct text_req text;
    assert_int_equal(text_req_decode(&t.text_req, &text), REJECT_NONE);
    assert_true(text.final && !text.more && text.immediate);
    assert_int_equal(text.ttt, PDU_TAG_NONE);
    assert_int_equal(text.data_bytes, 16);
    text_req_encode(&text, &again.text_req);
    assert_memory_equal(again.bytes, golden_text_req, BHS_BYTES);

    union bhs o = bhs_of(golden_data_out);
    struct data_out out;
    assert_int_equal(data_out_decode(&o.data_out, &out), REJECT_NONE);
    assert_true(out.final);
    assert_int_equal(out.buffer_offset, 0x2000);
    assert_int_equal(out.data_bytes, 0x200);
    assert_int_equal(out.ttt, 0x50dd529b);
    data_out_encode(&out, &again.data_out);
    assert_memory_equal(again.bytes, golden_data_out, BHS_BYTES);

    union bhs f = bhs_of(golden_tmf_req);
    struct tmf_req tmf;
    assert_int_equal(tmf_req_decode(&f.tmf_req, &tmf), REJECT_NONE);
    assert_true(tmf.immediate);
    assert_int_equal(tmf.function, TMF_ABORT_TASK);
    assert_int_equal(tmf.ref_itt, 0x3fa98624);
    assert_int_equal(tmf.ref_cmd_sn, 0x366e7a6a);
    tmf_req_encode(&tmf, &again.tmf_req);
    assert_memory_equal(again.bytes, golden_tmf_req, BHS_BYTES);

    union bhs n = bhs_of(golden_nop_out);
    struct nop_out nop;
    assert_int_equal(nop_out_decode(&n.nop_out, &nop), REJECT_NONE);
    assert_int_equal(nop.itt, 0x003cddc2);
    assert_int_equal(nop.ttt, PDU_TAG_NONE);
    assert_int_equal(nop.data_bytes, 4);
    nop_out_encode(&nop, &again.nop_out);
    assert_memory_equal(again.bytes, golden_nop_out, BHS_BYTES);

    union bhs l = bhs_of(golden_logout_req);
    struct logout_req logout;
    assert_int_equal(logout_req_decode(&l.logout_req, &logout), REJECT_NONE);
    assert_true(logout.immediate);
    assert_int_equal(logout.reason, LOGOUT_SESSION);
    logout_req_encode(&logout, &again.logout_req);
    assert_memory_equal(again.bytes, golden_logout_req, BHS_BYTES);
}

static void answers_are_encoded_as_tgt_does(void **state)
{
    (void)state;
    union bhs b = {0};
    cmd_rsp_encode(&(struct cmd_rsp){.status = SAM_CHECK_CONDITION,
                                     .itt = 0x003cddc3,
                                     .residual = {RESIDUAL_UNDERFLOW, 40},
                                     .data_bytes = 20},
                   &b.cmd_rsp);
    assert_same_answer(&b, golden_cmd_rsp_sense);

    data_in_encode(&(struct data_in){.final = true,
                                     .has_status = true,
                                     .itt = 0x003cddca,
                                     .ttt = PDU_TAG_NONE,
                                     .residual = {RESIDUAL_UNDERFLOW, 0xdf},
                                     .data_bytes = 0x20},
                   &b.data_in);
    assert_same_answer(&b, golden_data_in);

    r2t_encode(&(struct r2t){.lun = lun_encode(1),
                             .itt = 0x16fd8821,
                             .ttt = 0x50dd529b,
                             .buffer_offset = 0x2000,
                             .desired_bytes = 0x200},
               &b.r2t);
    assert_same_answer(&b, golden_r2t);

    tmf_rsp_encode(&(struct tmf_rsp){.response = TMF_NO_TASK, .itt = 0x3fa98625},
                   &b.tmf_rsp);
    assert_same_answer(&b, golden_tmf_rsp);

    nop_in_encode(
        &(struct nop_in){.itt = 0x003cddc2, .ttt = PDU_TAG_NONE, .data_bytes = 4},
        &b.nop_in);
    assert_same_answer(&b, golden_nop_in);

    logout_rsp_encode(&(struct logout_rsp){.itt = 0x003cddce}, &b.logout_rsp);
    assert_same_answer(&b, golden_logout_rsp);

    text_rsp_encode(
        &(struct text_rsp){
            .final = true, .itt = 0x73bce165, .ttt = PDU_TAG_NONE, .data_bytes = 0x4d},
        &b.text_rsp);
    assert_same_answer(&b, golden_text_rsp);

    login_rsp_encode(&(struct login_rsp){.transit = true,
                                         .csg = LOGIN_OPERATIONAL,
                                         .nsg = LOGIN_FULL_FEATURE,
                                         .isid = {0x80, 0x7b, 0x1a, 0x97},
                                         .tsih = 0x1600,
                                         .itt = 0x552cb36b,
                                         .data_bytes = 0x115},
                     &b.login_rsp);
    assert_same_answer(&b, golden_login_rsp);
}

static void login_status_has_class_then_detail(void **state)
{
    union bhs b;
    struct login_rsp back;
    (void)state;
    login_rsp_encode(&(struct login_rsp){.status = LOGIN_NOT_FOUND}, &b.login_rsp);
    assert_int_equal(b.bytes[36], 0x02);
    assert_int_equal(b.bytes[37], 0x03);
    assert_int_equal(login_rsp_decode(&b.login_rsp, &back), 0);
    assert_int_equal(back.status, LOGIN_NOT_FOUND);
}

/* RFC 7143, 11.16, 11.9 and 11.17: no capture has these; the bytes are the RFC's tables.
 */
static void rare_pdus_lie_as_the_rfc_says(void **state)
{
    union bhs b, want = {.bytes = {0}};
    (void)state;
    struct reject rej = {.reason = REJECT_PROTOCOL_ERROR, .data_bytes = 48};
    reject_encode(&rej, &b.reject);
    want.bytes[0] = 0x3f;
    want.bytes[1] = 0x80;
    want.bytes[2] = 0x04;
    want.bytes[7] = 48;
    memset(want.bytes + 16, 0xff, 4);
    assert_memory_equal(b.bytes, want.bytes, BHS_BYTES);
    struct reject rej_back;
    assert_int_equal(reject_decode(&b.reject, &rej_back), 0);
    assert_int_equal(rej_back.reason, REJECT_PROTOCOL_ERROR);

    struct async_msg async = {.event = ASYNC_LOGOUT_REQUEST, .param3 = 10};
    async_msg_encode(&async, &b.async);
    memset(want.bytes, 0, BHS_BYTES);
    want.bytes[0] = 0x32;
    want.bytes[1] = 0x80;
    memset(want.bytes + 16, 0xff, 4);
    want.bytes[36] = 1;
    want.bytes[43] = 10;
    assert_memory_equal(b.bytes, want.bytes, BHS_BYTES);
    struct async_msg async_back;
    assert_int_equal(async_msg_decode(&b.async, &async_back), 0);
    assert_int_equal(async_back.param3, 10);

    struct snack_req snack = {.type = SNACK_STATUS,
                              .itt = PDU_TAG_NONE,
                              .ttt = PDU_TAG_NONE,
                              .exp_stat_sn = 7,
                              .beg_run = 7,
                              .run_length = 2};
    snack_req_encode(&snack, &b.snack_req);
    memset(want.bytes, 0, BHS_BYTES);
    want.bytes[0] = 0x10;
    want.bytes[1] = 0x81;
    memset(want.bytes + 16, 0xff, 8);
    want.bytes[31] = 7;
    want.bytes[43] = 7;
    want.bytes[47] = 2;
    assert_memory_equal(b.bytes, want.bytes, BHS_BYTES);
    struct snack_req snack_back;
    assert_int_equal(snack_req_decode(&b.snack_req, &snack_back), REJECT_NONE);
    assert_int_equal(snack_back.run_length, 2);
}

static void answers_read_back_as_sent(void **state)
{
    union bhs b;
    (void)state;
    struct data_in in = {.itt = 5, .ttt = 6, .lun = 7, .data_sn = 8, .buffer_offset = 9};
    struct data_in in_back;
    data_in_encode(&in, &b.data_in);
    assert_int_equal(data_in_decode(&b.data_in, &in_back), 0);
    assert_false(in_back.final || in_back.has_status);
    assert_int_equal(in_back.data_sn, 8);
    assert_int_equal(in_back.buffer_offset, 9);

    struct cmd_rsp rsp = {.status = SAM_GOOD,
                          .itt = 1,
                          .exp_data_sn = 3,
                          .residual = {RESIDUAL_OVERFLOW, 512}};
    struct cmd_rsp rsp_back;
    cmd_rsp_encode(&rsp, &b.cmd_rsp);
    assert_int_equal(b.cmd_rsp.flags, 0x84);
    assert_int_equal(cmd_rsp_decode(&b.cmd_rsp, &rsp_back), 0);
    assert_int_equal(rsp_back.residual.kind, RESIDUAL_OVERFLOW);
    assert_int_equal(rsp_back.residual.bytes, 512);
    b.cmd_rsp.flags = 0x86;
    assert_int_equal(cmd_rsp_decode(&b.cmd_rsp, &rsp_back), -EPROTO);

    struct r2t r2t_back;
    union bhs r = bhs_of(golden_r2t);
    assert_int_equal(r2t_decode(&r.r2t, &r2t_back), 0);
    assert_int_equal(r2t_back.desired_bytes, 0x200);
    struct nop_in nop_back;
    union bhs n = bhs_of(golden_nop_in);
    assert_int_equal(nop_in_decode(&n.nop_in, &nop_back), 0);
    assert_int_equal(nop_back.data_bytes, 4);
    struct logout_rsp logout_back;
    union bhs l = bhs_of(golden_logout_rsp);
    assert_int_equal(logout_rsp_decode(&l.logout_rsp, &logout_back), 0);
    struct text_rsp text_back;
    union bhs t = bhs_of(golden_text_rsp);
    assert_int_equal(text_rsp_decode(&t.text_rsp, &text_back), 0);
    struct tmf_rsp tmf_back;
    union bhs f = bhs_of(golden_tmf_rsp);
    assert_int_equal(tmf_rsp_decode(&f.tmf_rsp, &tmf_back), 0);
    assert_int_equal(tmf_back.response, TMF_NO_TASK);
}

static void stat_sn_is_used_up_only_by_what_carries_status(void **state)
{
    union bhs b;
    uint32_t sn = 0xffffffff;
    (void)state;
    data_in_encode(&(struct data_in){.itt = 1}, &b.data_in);
    pdu_stamp(&b, &sn, 2, 3);
    assert_int_equal(be32_get(b.data_in.stat_sn), 0);
    assert_int_equal(be32_get(b.data_in.exp_cmd_sn), 2);
    assert_int_equal(be32_get(b.data_in.max_cmd_sn), 3);
    r2t_encode(&(struct r2t){.itt = 1}, &b.r2t);
    pdu_stamp(&b, &sn, 2, 3);
    assert_int_equal(be32_get(b.r2t.stat_sn), 0xffffffff);
    nop_in_encode(&(struct nop_in){.itt = PDU_TAG_NONE, .ttt = 4}, &b.nop_in);
    pdu_stamp(&b, &sn, 2, 3);
    assert_int_equal(be32_get(b.nop_in.stat_sn), 0xffffffff);
    assert_int_equal(sn, 0xffffffff);
    nop_in_encode(&(struct nop_in){.itt = 9, .ttt = PDU_TAG_NONE}, &b.nop_in);
    pdu_stamp(&b, &sn, 2, 3);
    assert_int_equal(be32_get(b.nop_in.stat_sn), 0xffffffff);
    assert_int_equal(sn, 0);
    data_in_encode(&(struct data_in){.final = true, .has_status = true}, &b.data_in);
    pdu_stamp(&b, &sn, 2, 3);
    reject_encode(&(struct reject){.reason = REJECT_SNACK}, &b.reject);
    pdu_stamp(&b, &sn, 2, 3);
    assert_int_equal(be32_get(b.reject.stat_sn), 1);
    assert_int_equal(sn, 2);
}

static void serial_numbers_wrap(void **state)
{
    (void)state;
    assert_true(sn_before(1, 2));
    assert_false(sn_before(2, 2));
    assert_true(sn_before(0xffffffff, 0));
    assert_false(sn_before(0, 0xffffffff));
}

static void residual_is_the_difference(void **state)
{
    (void)state;
    assert_int_equal(residual_of(512, 512).kind, RESIDUAL_NONE);
    assert_int_equal(residual_of(512, 0).kind, RESIDUAL_UNDERFLOW);
    assert_int_equal(residual_of(512, 0).bytes, 512);
    assert_int_equal(residual_of(512, 1024).kind, RESIDUAL_OVERFLOW);
    assert_int_equal(residual_of(512, 1024).bytes, 512);
    assert_int_equal(residual_of(0, (uint64_t)1 << 40).bytes, UINT32_MAX);
}

/* One change to a good command, and what it is refused with. */
static void malformed_commands_are_refused(void **state)
{
    static const struct {
        const char *what;
        unsigned at;
        uint8_t value;
        enum reject_reason why;
    } cases[] = {
        {"another opcode", 0, OP_TEXT_REQ, REJECT_PROTOCOL_ERROR},
        {"no final, no write", 1, 0x01, REJECT_PROTOCOL_ERROR},
        {"expects data, no direction", 1, 0x81, REJECT_PROTOCOL_ERROR},
        {"both directions", 1, 0xe1, REJECT_NOT_SUPPORTED},
        {"reserved attribute", 1, 0xa5, REJECT_INVALID_FIELD},
        {"immediate data of a read", 1, 0xc1, REJECT_PROTOCOL_ERROR},
        {"more data than expected", 7, 41, REJECT_PROTOCOL_ERROR},
        {"an AHS that is not there", 4, 1, REJECT_INVALID_FIELD},
    };
    struct cmd_req m;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union bhs b = bhs_of(golden_unmap);
        b.bytes[cases[i].at] = cases[i].value;
        enum reject_reason why = cmd_req_decode(&b.cmd_req, NULL, 0, &m);
        if (why != cases[i].why)
            fail_msg("%s: reason %d", cases[i].what, (int)why);
    }
    union bhs b = bhs_of(golden_unmap);
    b.cmd_req.itt = be32_of(PDU_TAG_NONE);
    assert_int_equal(cmd_req_decode(&b.cmd_req, NULL, 0, &m), REJECT_INVALID_FIELD);
}

static void cdb_goes_on_in_an_ahs(void **state)
{
    /* length 17: a reserved byte and 16 more of the CDB; padded to 20 */
    uint8_t ahs[20] = {0, 17, 1, 0, 0xa0, 0xa1, [19] = 0xaf};
    struct cmd_req m;
    (void)state;
    union bhs b = bhs_of(golden_read_16);
    b.cmd_req.ahs_words = 5;
    assert_int_equal(cmd_req_decode(&b.cmd_req, ahs, sizeof(ahs), &m), REJECT_NONE);
    assert_int_equal(m.cdb_bytes, 32);
    assert_int_equal(m.cdb[16], 0xa0);
    assert_int_equal(m.cdb[31], 0xaf);
}

static void longer_cdb_is_told_but_cut(void **state)
{
    uint8_t ahs[64] = {0, 61, 1, 0, 0xa0};
    struct cmd_req m;
    (void)state;
    union bhs b = bhs_of(golden_read_16);
    b.cmd_req.ahs_words = 16;
    assert_int_equal(cmd_req_decode(&b.cmd_req, ahs, sizeof(ahs), &m), REJECT_NONE);
    assert_int_equal(m.cdb_bytes, 76);
}

static void bad_ahs_is_refused(void **state)
{
    static const struct {
        uint8_t ahs[8];
        enum reject_reason why;
    } cases[] = {
        {{0, 5, 2, 0, 0, 0, 2, 0}, REJECT_NOT_SUPPORTED}, /* bidirectional */
        {{0, 5, 3, 0, 0, 0, 0, 0}, REJECT_INVALID_FIELD}, /* unknown type */
        {{0, 6, 1, 0, 0, 0, 0, 0}, REJECT_INVALID_FIELD}, /* goes past the end */
        {{0, 1, 1, 0, 0, 2, 1, 0}, REJECT_INVALID_FIELD}, /* continues with nothing */
        {{0xff, 0xff, 1}, REJECT_INVALID_FIELD},
    };
    struct cmd_req m;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union bhs b = bhs_of(golden_read_16);
        b.cmd_req.ahs_words = 2;
        assert_int_equal(cmd_req_decode(&b.cmd_req, cases[i].ahs, 8, &m), cases[i].why);
    }
}

static void malformed_logins_are_refused(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } cases[] = {
        {0, 0x03}, /* not immediate */
        {1, 0x88}, /* CSG 2 */
        {1, 0x8c}, /* CSG 3 */
        {1, 0x82}, /* NSG 2 */
        {1, 0x80}, /* transit to the same stage */
        {1, 0x85}, /* transit from 1 to 1 */
        {1, 0xc1}, /* transit and continue */
        {4, 0x01}, /* AHS */
    };
    struct login_req m;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        union bhs b = bhs_of(golden_login_security);
        b.bytes[cases[i].at] = cases[i].value;
        assert_int_equal(login_req_decode(&b.login_req, &m), REJECT_PROTOCOL_ERROR);
    }
    union bhs b = bhs_of(golden_login_security);
    b.bytes[1] = 0x46; /* continues; NSG is reserved then */
    assert_int_equal(login_req_decode(&b.login_req, &m), REJECT_NONE);
    assert_true(m.more && !m.transit);
    assert_int_equal(m.csg, LOGIN_OPERATIONAL);
    assert_int_equal(m.nsg, LOGIN_OPERATIONAL);
}

static void malformed_other_requests_are_refused(void **state)
{
    (void)state;
    union bhs t = bhs_of(golden_text_req);
    struct text_req text;
    t.bytes[1] = 0xc0;
    assert_int_equal(text_req_decode(&t.text_req, &text), REJECT_PROTOCOL_ERROR);

    union bhs n = bhs_of(golden_nop_out);
    struct nop_out nop;
    n.nop_out.itt = be32_of(PDU_TAG_NONE);
    assert_int_equal(nop_out_decode(&n.nop_out, &nop), REJECT_PROTOCOL_ERROR);
    n.bytes[0] |= OPCODE_IMM_BIT;
    assert_int_equal(nop_out_decode(&n.nop_out, &nop), REJECT_NONE);

    union bhs l = bhs_of(golden_logout_req);
    struct logout_req logout;
    l.bytes[1] = 0x83;
    assert_int_equal(logout_req_decode(&l.logout_req, &logout), REJECT_INVALID_FIELD);

    union bhs f = bhs_of(golden_tmf_req);
    struct tmf_req tmf;
    f.bytes[7] = 4; /* data */
    assert_int_equal(tmf_req_decode(&f.tmf_req, &tmf), REJECT_PROTOCOL_ERROR);

    union bhs o = bhs_of(golden_data_out);
    struct data_out out;
    o.data_out.buffer_offset = be32_of(0xfffffe01);
    assert_int_equal(data_out_decode(&o.data_out, &out), REJECT_INVALID_FIELD);
    o.bytes[0] |= OPCODE_IMM_BIT;
    assert_int_equal(data_out_decode(&o.data_out, &out), REJECT_PROTOCOL_ERROR);
}

static void opcodes_that_are_no_request_are_refused(void **state)
{
    union bhs b = {.bytes = {0}};
    (void)state;
    for (unsigned op = 0; op <= OPCODE_MASK; op++) {
        bool request = op <= OP_LOGOUT_REQ || op == OP_SNACK_REQ;
        b.bytes[0] = (uint8_t)op;
        if (op == OP_LOGIN_REQ)
            b.bytes[0] |= OPCODE_IMM_BIT;
        assert_int_equal(pdu_check_request(&b),
                         request ? REJECT_NONE : REJECT_NOT_SUPPORTED);
        assert_int_equal(pdu_has_cmd_sn(&b), op <= OP_LOGOUT_REQ && op != OP_DATA_OUT);
    }
    assert_string_equal(pdu_opcode_name(OP_R2T), "R2T");
    assert_string_equal(pdu_opcode_name(0x1c), "unknown");
}

static void lun_of_each_form(void **state)
{
    uint32_t no = 99;
    (void)state;
    assert_true(lun_encode(0) == 0);
    assert_true(lun_encode(1) == 0x0001000000000000);
    assert_true(lun_encode(255) == 0x00ff000000000000);
    assert_true(lun_encode(256) == 0x4100000000000000);
    assert_true(lun_encode(LUN_NO_MAX) == 0x7fff000000000000);
    for (uint32_t i = 0; i <= LUN_NO_MAX; i += 51) {
        assert_int_equal(lun_decode(lun_encode(i), &no), 0);
        assert_int_equal(no, i);
    }
    assert_int_equal(lun_decode(0x4005000000000000, &no), 0); /* flat, below 256 */
    assert_int_equal(no, 5);
    assert_int_equal(lun_decode(0x0101000000000000, &no), -ENOENT); /* bus 1 */
    assert_int_equal(lun_decode(0x0001000100000000, &no), -ENOENT); /* second level */
    assert_int_equal(lun_decode(LUN_WIRE_REPORT_LUNS, &no), -ENOENT);
    assert_int_equal(no, 5);
}

/* Where RFC 7144 puts them, and both ways. */
static void level_2_adds_to_the_answers(void **state)
{
    union bhs b;
    struct tmf_rsp tmf;
    struct cmd_rsp cmd;
    (void)state;
    tmf_rsp_encode(&(struct tmf_rsp){.response = TMF_SUCCEEDED, .info = 0x162903},
                   &b.tmf_rsp);
    assert_int_equal(b.bytes[2], 7);
    assert_memory_equal(b.bytes + 8, "\x16\x29\x03\0\0\0\0\0", 8);
    assert_int_equal(tmf_rsp_decode(&b.tmf_rsp, &tmf), 0);
    assert_int_equal(tmf.response, TMF_SUCCEEDED);
    assert_int_equal(tmf.info, 0x162903);
    cmd_rsp_encode(&(struct cmd_rsp){.status = SAM_BUSY, .status_qualifier = 0x0102},
                   &b.cmd_rsp);
    assert_memory_equal(b.bytes + 8, "\x01\x02\0\0\0\0\0\0", 8);
    assert_int_equal(cmd_rsp_decode(&b.cmd_rsp, &cmd), 0);
    assert_int_equal(cmd.status_qualifier, 0x0102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_2_adds_to_the_answers),
        cmocka_unit_test(commands_of_libiscsi_are_read),
        cmocka_unit_test(login_of_libiscsi_is_read),
        cmocka_unit_test(other_requests_of_libiscsi_are_read),
        cmocka_unit_test(answers_are_encoded_as_tgt_does),
        cmocka_unit_test(login_status_has_class_then_detail),
        cmocka_unit_test(rare_pdus_lie_as_the_rfc_says),
        cmocka_unit_test(answers_read_back_as_sent),
        cmocka_unit_test(stat_sn_is_used_up_only_by_what_carries_status),
        cmocka_unit_test(serial_numbers_wrap),
        cmocka_unit_test(residual_is_the_difference),
        cmocka_unit_test(malformed_commands_are_refused),
        cmocka_unit_test(cdb_goes_on_in_an_ahs),
        cmocka_unit_test(longer_cdb_is_told_but_cut),
        cmocka_unit_test(bad_ahs_is_refused),
        cmocka_unit_test(malformed_logins_are_refused),
        cmocka_unit_test(malformed_other_requests_are_refused),
        cmocka_unit_test(opcodes_that_are_no_request_are_refused),
        cmocka_unit_test(lun_of_each_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
