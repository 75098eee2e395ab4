/* SPDX-License-Identifier: Apache-2.0 */
/* Any 48 bytes, and what follows them, as each PDU: a request that is accepted encodes to
 * one that reads the same; an answer and sense data are read without harm. */
#include "proto/lun.h"
#include "proto/pdu.h"
#include "proto/sense.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void command(const union bhs *b, const uint8_t *ahs, size_t ahs_bytes)
{
    struct cmd_req m, back;
    union bhs again;
    if (cmd_req_decode(&b->cmd_req, ahs, ahs_bytes, &m) != REJECT_NONE)
        return;
    assert(m.cdb_bytes >= CMD_CDB_BYTES);
    assert(m.data_bytes <= m.expected_bytes && !(m.read && m.write));
    if (m.cdb_bytes > CMD_CDB_BYTES)
        return;
    cmd_req_encode(&m, &again.cmd_req);
    assert(cmd_req_decode(&again.cmd_req, NULL, 0, &back) == REJECT_NONE);
    assert(back.lun == m.lun && back.expected_bytes == m.expected_bytes);
    assert(memcmp(back.cdb, m.cdb, sizeof(m.cdb)) == 0);
    uint32_t no;
    if (lun_decode(m.lun, &no) == 0)
        assert(no <= LUN_NO_MAX);
}

static void login(const union bhs *b)
{
    struct login_req m, back;
    union bhs again;
    if (login_req_decode(&b->login_req, &m) != REJECT_NONE)
        return;
    assert(m.nsg >= m.csg && !(m.transit && m.more));
    login_req_encode(&m, &again.login_req);
    assert(login_req_decode(&again.login_req, &back) == REJECT_NONE);
    assert(back.csg == m.csg && back.nsg == m.nsg && back.tsih == m.tsih);
}

static void data_out(const union bhs *b)
{
    struct data_out m;
    if (data_out_decode(&b->data_out, &m) == REJECT_NONE)
        assert(m.buffer_offset + m.data_bytes >= m.buffer_offset);
}

static void other_requests(const union bhs *b)
{
    struct tmf_req tmf;
    struct text_req text;
    struct logout_req logout;
    struct snack_req snack;
    struct nop_out nop;
    if (tmf_req_decode(&b->tmf_req, &tmf) == REJECT_NONE)
        assert(tmf.itt != PDU_TAG_NONE);
    if (text_req_decode(&b->text_req, &text) == REJECT_NONE)
        assert(!(text.final && text.more));
    if (logout_req_decode(&b->logout_req, &logout) == REJECT_NONE)
        assert(logout.reason <= LOGOUT_RECOVERY);
    if (snack_req_decode(&b->snack_req, &snack) == REJECT_NONE)
        assert(snack.type <= SNACK_R_DATA);
    if (nop_out_decode(&b->nop_out, &nop) == REJECT_NONE)
        assert(nop.immediate || nop.itt != PDU_TAG_NONE);
}

static void answers(const union bhs *b)
{
    union {
        struct cmd_rsp cmd;
        struct tmf_rsp tmf;
        struct data_in data;
        struct r2t r2t;
        struct login_rsp login;
        struct text_rsp text;
        struct logout_rsp logout;
        struct nop_in nop;
        struct async_msg async;
        struct reject reject;
    } m;
    int good = 0;
    good += cmd_rsp_decode(&b->cmd_rsp, &m.cmd) == 0;
    good += tmf_rsp_decode(&b->tmf_rsp, &m.tmf) == 0;
    good += data_in_decode(&b->data_in, &m.data) == 0;
    good += r2t_decode(&b->r2t, &m.r2t) == 0;
    good += login_rsp_decode(&b->login_rsp, &m.login) == 0;
    good += text_rsp_decode(&b->text_rsp, &m.text) == 0;
    good += logout_rsp_decode(&b->logout_rsp, &m.logout) == 0;
    good += nop_in_decode(&b->nop_in, &m.nop) == 0;
    good += async_msg_decode(&b->async, &m.async) == 0;
    good += reject_decode(&b->reject, &m.reject) == 0;
    assert(good <= 1); /* a BHS is at most one of them */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    union bhs b;
    struct sense sense;
    if (bytes < BHS_BYTES)
        return sense_decode(data, bytes, &sense) == 1;
    memcpy(b.bytes, data, BHS_BYTES);
    size_t rest = bytes - BHS_BYTES;
    const uint8_t *after = data + BHS_BYTES;
    size_t ahs_bytes = pdu_ahs_bytes(&b) < rest ? pdu_ahs_bytes(&b) : rest;
    command(&b, after, ahs_bytes);
    login(&b);
    data_out(&b);
    other_requests(&b);
    answers(&b);
    uint32_t stat_sn = 0;
    pdu_stamp(&b, &stat_sn, 1, 2);
    if (sense_segment_decode(after, rest, &sense) == 0)
        assert(sense.code <= 0xfffff);
    return 0;
}
