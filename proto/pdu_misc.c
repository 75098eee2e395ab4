/* SPDX-License-Identifier: Apache-2.0 */
/* NOP-Out and NOP-In, Logout, SNACK, Asynchronous Message and Reject: RFC 7143, 11.9 and
 * 11.14 to 11.19. Pure; any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>

#define REASON_MASK 0x7f
#define SNACK_MASK  0x0f

enum reject_reason nop_out_decode(const struct nop_out_wire *w, struct nop_out *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_NOP_OUT);
    if (why != REJECT_NONE)
        return why;
    *m = (struct nop_out){
        .immediate = pdu_wire_immediate(w->opcode),
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .data_bytes = be24_get(w->data_bytes),
    };
    if ((w->flags & FLAG_FINAL) == 0)
        return REJECT_INVALID_FIELD;
    /* 11.18.1: one that wants no answer takes no place in the command window. */
    if (m->itt == PDU_TAG_NONE && !m->immediate)
        return REJECT_PROTOCOL_ERROR;
    return REJECT_NONE;
}

void nop_out_encode(const struct nop_out *m, struct nop_out_wire *w)
{
    *w = (struct nop_out_wire){
        .opcode = pdu_opcode_of(OP_NOP_OUT, m->immediate),
        .flags = FLAG_FINAL,
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
    };
}

void nop_in_encode(const struct nop_in *m, struct nop_in_wire *w)
{
    *w = (struct nop_in_wire){
        .opcode = OP_NOP_IN,
        .flags = FLAG_FINAL,
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
    };
}

int nop_in_decode(const struct nop_in_wire *w, struct nop_in *m)
{
    if (pdu_expect_answer(w, OP_NOP_IN) != 0 || (w->flags & FLAG_FINAL) == 0)
        return -EPROTO;
    *m = (struct nop_in){
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .data_bytes = be24_get(w->data_bytes),
    };
    return 0;
}

enum reject_reason logout_req_decode(const struct logout_req_wire *w,
                                     struct logout_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_LOGOUT_REQ);
    if (why != REJECT_NONE)
        return why;
    *m = (struct logout_req){
        .immediate = pdu_wire_immediate(w->opcode),
        .reason = (enum logout_reason)(w->reason & REASON_MASK),
        .cid = be16_get(w->cid),
        .itt = be32_get(w->itt),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
    };
    bool good = m->itt != PDU_TAG_NONE && (w->reason & FLAG_FINAL) != 0 &&
                m->reason <= LOGOUT_RECOVERY;
    return good ? REJECT_NONE : REJECT_INVALID_FIELD;
}

void logout_req_encode(const struct logout_req *m, struct logout_req_wire *w)
{
    *w = (struct logout_req_wire){
        .opcode = pdu_opcode_of(OP_LOGOUT_REQ, m->immediate),
        .reason = (uint8_t)(FLAG_FINAL | (int)m->reason),
        .itt = be32_of(m->itt),
        .cid = be16_of(m->cid),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
    };
}

void logout_rsp_encode(const struct logout_rsp *m, struct logout_rsp_wire *w)
{
    *w = (struct logout_rsp_wire){
        .opcode = OP_LOGOUT_RSP,
        .flags = FLAG_FINAL,
        .response = (uint8_t)m->response,
        .itt = be32_of(m->itt),
        .time2wait_s = be16_of(m->time2wait_s),
        .time2retain_s = be16_of(m->time2retain_s),
    };
}

int logout_rsp_decode(const struct logout_rsp_wire *w, struct logout_rsp *m)
{
    *m = (struct logout_rsp){
        .response = (enum logout_response)w->response,
        .itt = be32_get(w->itt),
        .time2wait_s = be16_get(w->time2wait_s),
        .time2retain_s = be16_get(w->time2retain_s),
    };
    bool good = pdu_expect_answer(w, OP_LOGOUT_RSP) == 0 && w->flags == FLAG_FINAL &&
                m->response <= LOGOUT_CLEANUP_FAILED;
    return good ? 0 : -EPROTO;
}

enum reject_reason snack_req_decode(const struct snack_req_wire *w, struct snack_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_SNACK_REQ);
    if (why != REJECT_NONE)
        return why;
    *m = (struct snack_req){
        .type = (enum snack_type)(w->type & SNACK_MASK),
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .beg_run = be32_get(w->beg_run),
        .run_length = be32_get(w->run_length),
    };
    bool good = (w->type & FLAG_FINAL) != 0 && m->type <= SNACK_R_DATA;
    return good ? REJECT_NONE : REJECT_INVALID_FIELD;
}

void snack_req_encode(const struct snack_req *m, struct snack_req_wire *w)
{
    *w = (struct snack_req_wire){
        .opcode = OP_SNACK_REQ,
        .type = (uint8_t)(FLAG_FINAL | (int)m->type),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
        .beg_run = be32_of(m->beg_run),
        .run_length = be32_of(m->run_length),
    };
}

void async_msg_encode(const struct async_msg *m, struct async_wire *w)
{
    *w = (struct async_wire){
        .opcode = OP_ASYNC,
        .flags = FLAG_FINAL,
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .tag_none = be32_of(PDU_TAG_NONE),
        .event = (uint8_t)m->event,
        .vcode = m->vcode,
        .param1 = be16_of(m->param1),
        .param2 = be16_of(m->param2),
        .param3 = be16_of(m->param3),
    };
}

int async_msg_decode(const struct async_wire *w, struct async_msg *m)
{
    *m = (struct async_msg){
        .event = (enum async_event)w->event,
        .vcode = w->vcode,
        .param1 = be16_get(w->param1),
        .param2 = be16_get(w->param2),
        .param3 = be16_get(w->param3),
        .lun = be64_get(w->lun),
        .data_bytes = be24_get(w->data_bytes),
    };
    bool good = pdu_expect_answer(w, OP_ASYNC) == 0 && w->flags == FLAG_FINAL &&
                be32_get(w->tag_none) == PDU_TAG_NONE;
    return good ? 0 : -EPROTO;
}

void reject_encode(const struct reject *m, struct reject_wire *w)
{
    *w = (struct reject_wire){
        .opcode = OP_REJECT,
        .flags = FLAG_FINAL,
        .reason = (uint8_t)m->reason,
        .data_bytes = be24_of(m->data_bytes),
        .tag_none = be32_of(PDU_TAG_NONE),
        .data_sn = be32_of(m->data_sn),
    };
}

int reject_decode(const struct reject_wire *w, struct reject *m)
{
    *m = (struct reject){
        .reason = (enum reject_reason)w->reason,
        .data_sn = be32_get(w->data_sn),
        .data_bytes = be24_get(w->data_bytes),
    };
    bool good = pdu_expect_answer(w, OP_REJECT) == 0 && w->flags == FLAG_FINAL &&
                be32_get(w->tag_none) == PDU_TAG_NONE;
    return good ? 0 : -EPROTO;
}
