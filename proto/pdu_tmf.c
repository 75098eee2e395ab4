/* SPDX-License-Identifier: Apache-2.0 */
/* Task Management Function Request and Response: RFC 7143, 11.5 and 11.6, with what RFC
 * 7144 adds. A function that we do not know decodes: it is answered, not rejected. Pure;
 * any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>

#define FUNCTION_MASK 0x7f

enum reject_reason tmf_req_decode(const struct tmf_req_wire *w, struct tmf_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_TMF_REQ);
    if (why != REJECT_NONE)
        return why;
    *m = (struct tmf_req){
        .immediate = pdu_wire_immediate(w->opcode),
        .function = w->function & FUNCTION_MASK,
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ref_itt = be32_get(w->ref_itt),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .ref_cmd_sn = be32_get(w->ref_cmd_sn),
        .exp_data_sn = be32_get(w->exp_data_sn),
    };
    if (m->itt == PDU_TAG_NONE || (w->function & FLAG_FINAL) == 0)
        return REJECT_INVALID_FIELD;
    return REJECT_NONE;
}

void tmf_req_encode(const struct tmf_req *m, struct tmf_req_wire *w)
{
    *w = (struct tmf_req_wire){
        .opcode = pdu_opcode_of(OP_TMF_REQ, m->immediate),
        .function = FLAG_FINAL | m->function,
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ref_itt = be32_of(m->ref_itt),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
        .ref_cmd_sn = be32_of(m->ref_cmd_sn),
        .exp_data_sn = be32_of(m->exp_data_sn),
    };
}

void tmf_rsp_encode(const struct tmf_rsp *m, struct tmf_rsp_wire *w)
{
    *w = (struct tmf_rsp_wire){
        .opcode = OP_TMF_RSP,
        .flags = FLAG_FINAL,
        .response = (uint8_t)m->response,
        .info = be24_of(m->info),
        .itt = be32_of(m->itt),
    };
}

int tmf_rsp_decode(const struct tmf_rsp_wire *w, struct tmf_rsp *m)
{
    *m = (struct tmf_rsp){
        .response = (enum tmf_response)w->response,
        .itt = be32_get(w->itt),
        .info = be24_get(w->info),
    };
    if (pdu_expect_answer(w, OP_TMF_RSP) != 0 || w->flags != FLAG_FINAL)
        return -EPROTO;
    return be24_get(w->data_bytes) == 0 ? 0 : -EPROTO;
}
