/* SPDX-License-Identifier: Apache-2.0 */
/* Data-Out, Data-In and R2T: RFC 7143, 11.7 and 11.8. Pure; any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>

enum reject_reason data_out_decode(const struct data_out_wire *w, struct data_out *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_DATA_OUT);
    if (why != REJECT_NONE)
        return why;
    *m = (struct data_out){
        .final = (w->flags & FLAG_FINAL) != 0,
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .data_sn = be32_get(w->data_sn),
        .buffer_offset = be32_get(w->buffer_offset),
        .data_bytes = be24_get(w->data_bytes),
    };
    if (m->itt == PDU_TAG_NONE || m->buffer_offset > UINT32_MAX - m->data_bytes)
        return REJECT_INVALID_FIELD;
    return REJECT_NONE;
}

void data_out_encode(const struct data_out *m, struct data_out_wire *w)
{
    *w = (struct data_out_wire){
        .opcode = OP_DATA_OUT,
        .flags = m->final ? FLAG_FINAL : 0,
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
        .data_sn = be32_of(m->data_sn),
        .buffer_offset = be32_of(m->buffer_offset),
    };
}

void data_in_encode(const struct data_in *m, struct data_in_wire *w)
{
    assert(!m->has_status || m->final);
    *w = (struct data_in_wire){
        .opcode = OP_DATA_IN,
        .flags = m->final ? FLAG_FINAL : 0,
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .data_sn = be32_of(m->data_sn),
        .buffer_offset = be32_of(m->buffer_offset),
    };
    if (!m->has_status)
        return;
    w->flags |= FLAG_STATUS | residual_flags(&m->residual);
    w->status = m->status;
    w->residual = be32_of(m->residual.bytes);
}

int data_in_decode(const struct data_in_wire *w, struct data_in *m)
{
    if (pdu_expect_answer(w, OP_DATA_IN) != 0)
        return -EPROTO;
    *m = (struct data_in){
        .final = (w->flags & FLAG_FINAL) != 0,
        .has_status = (w->flags & FLAG_STATUS) != 0,
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .data_sn = be32_get(w->data_sn),
        .buffer_offset = be32_get(w->buffer_offset),
        .data_bytes = be24_get(w->data_bytes),
    };
    if (!m->has_status)
        return 0;
    m->status = w->status;
    if (!m->final)
        return -EPROTO;
    return residual_decode(w->flags, be32_get(w->residual), &m->residual);
}

void r2t_encode(const struct r2t *m, struct r2t_wire *w)
{
    *w = (struct r2t_wire){
        .opcode = OP_R2T,
        .flags = FLAG_FINAL,
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .ttt = be32_of(m->ttt),
        .r2t_sn = be32_of(m->r2t_sn),
        .buffer_offset = be32_of(m->buffer_offset),
        .desired_bytes = be32_of(m->desired_bytes),
    };
}

int r2t_decode(const struct r2t_wire *w, struct r2t *m)
{
    if (pdu_expect_answer(w, OP_R2T) != 0)
        return -EPROTO;
    *m = (struct r2t){
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .ttt = be32_get(w->ttt),
        .r2t_sn = be32_get(w->r2t_sn),
        .buffer_offset = be32_get(w->buffer_offset),
        .desired_bytes = be32_get(w->desired_bytes),
    };
    bool good =
        m->desired_bytes != 0 && m->ttt != PDU_TAG_NONE && be24_get(w->data_bytes) == 0;
    return good ? 0 : -EPROTO;
}
