/* SPDX-License-Identifier: Apache-2.0 */
/* Text Request and Text Response: RFC 7143, 11.10 and 11.11. Pure; any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>

static uint8_t text_flags(bool final, bool more)
{
    return (uint8_t)((final ? FLAG_FINAL : 0) | (more ? FLAG_MORE : 0));
}

enum reject_reason text_req_decode(const struct text_req_wire *w, struct text_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_TEXT_REQ);
    if (why != REJECT_NONE)
        return why;
    *m = (struct text_req){
        .immediate = pdu_wire_immediate(w->opcode),
        .final = (w->flags & FLAG_FINAL) != 0,
        .more = (w->flags & FLAG_MORE) != 0,
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .data_bytes = be24_get(w->data_bytes),
    };
    if (m->itt == PDU_TAG_NONE)
        return REJECT_INVALID_FIELD;
    return m->final && m->more ? REJECT_PROTOCOL_ERROR : REJECT_NONE;
}

void text_req_encode(const struct text_req *m, struct text_req_wire *w)
{
    *w = (struct text_req_wire){
        .opcode = pdu_opcode_of(OP_TEXT_REQ, m->immediate),
        .flags = text_flags(m->final, m->more),
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
    };
}

void text_rsp_encode(const struct text_rsp *m, struct text_rsp_wire *w)
{
    *w = (struct text_rsp_wire){
        .opcode = OP_TEXT_RSP,
        .flags = text_flags(m->final, m->more),
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
    };
}

int text_rsp_decode(const struct text_rsp_wire *w, struct text_rsp *m)
{
    if (pdu_expect_answer(w, OP_TEXT_RSP) != 0)
        return -EPROTO;
    *m = (struct text_rsp){
        .final = (w->flags & FLAG_FINAL) != 0,
        .more = (w->flags & FLAG_MORE) != 0,
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .data_bytes = be24_get(w->data_bytes),
    };
    return m->final && m->more ? -EPROTO : 0;
}
