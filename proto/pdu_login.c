/* SPDX-License-Identifier: Apache-2.0 */
/* Login Request and Login Response: RFC 7143, 11.12 and 11.13. Pure; any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>
#include <string.h>

#define STAGE_MASK 0x03
#define CSG_SHIFT  2

static uint8_t stage_flags(bool transit, bool more, enum login_stage csg,
                           enum login_stage nsg)
{
    return (uint8_t)((transit ? FLAG_FINAL | (int)nsg : 0) | (more ? FLAG_MORE : 0) |
                     (int)csg << CSG_SHIFT);
}

/* 11.12.1 to 11.12.3. */
static bool stages_are_legal(const struct login_req *m)
{
    if (m->csg != LOGIN_SECURITY && m->csg != LOGIN_OPERATIONAL)
        return false;
    if (!m->transit)
        return true;
    bool exists = m->nsg == LOGIN_OPERATIONAL || m->nsg == LOGIN_FULL_FEATURE;
    return exists && m->nsg > m->csg && !m->more;
}

enum reject_reason login_req_decode(const struct login_req_wire *w, struct login_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_LOGIN_REQ);
    if (why != REJECT_NONE)
        return why;
    unsigned csg = w->flags >> CSG_SHIFT & STAGE_MASK;
    bool transit = (w->flags & FLAG_FINAL) != 0;
    *m = (struct login_req){
        .transit = transit,
        .more = (w->flags & FLAG_MORE) != 0,
        .csg = (enum login_stage)csg,
        .nsg = (enum login_stage)(transit ? w->flags & STAGE_MASK : csg),
        .version_max = w->version_max,
        .version_min = w->version_min,
        .tsih = be16_get(w->tsih),
        .cid = be16_get(w->cid),
        .itt = be32_get(w->itt),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .data_bytes = be24_get(w->data_bytes),
    };
    memcpy(m->isid, w->isid, ISID_BYTES);
    return stages_are_legal(m) ? REJECT_NONE : REJECT_PROTOCOL_ERROR;
}

void login_req_encode(const struct login_req *m, struct login_req_wire *w)
{
    *w = (struct login_req_wire){
        .opcode = pdu_opcode_of(OP_LOGIN_REQ, true),
        .flags = stage_flags(m->transit, m->more, m->csg, m->nsg),
        .version_max = m->version_max,
        .version_min = m->version_min,
        .data_bytes = be24_of(m->data_bytes),
        .tsih = be16_of(m->tsih),
        .itt = be32_of(m->itt),
        .cid = be16_of(m->cid),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
    };
    memcpy(w->isid, m->isid, ISID_BYTES);
}

void login_rsp_encode(const struct login_rsp *m, struct login_rsp_wire *w)
{
    *w = (struct login_rsp_wire){
        .opcode = OP_LOGIN_RSP,
        .flags = stage_flags(m->transit, m->more, m->csg, m->nsg),
        .version_max = m->version_max,
        .version_active = m->version_active,
        .data_bytes = be24_of(m->data_bytes),
        .tsih = be16_of(m->tsih),
        .itt = be32_of(m->itt),
        .status = be16_of((uint16_t)m->status),
    };
    memcpy(w->isid, m->isid, ISID_BYTES);
}

int login_rsp_decode(const struct login_rsp_wire *w, struct login_rsp *m)
{
    if (pdu_expect_answer(w, OP_LOGIN_RSP) != 0)
        return -EPROTO;
    unsigned csg = w->flags >> CSG_SHIFT & STAGE_MASK;
    bool transit = (w->flags & FLAG_FINAL) != 0;
    *m = (struct login_rsp){
        .transit = transit,
        .more = (w->flags & FLAG_MORE) != 0,
        .csg = (enum login_stage)csg,
        .nsg = (enum login_stage)(transit ? w->flags & STAGE_MASK : csg),
        .version_max = w->version_max,
        .version_active = w->version_active,
        .tsih = be16_get(w->tsih),
        .itt = be32_get(w->itt),
        .status = (enum login_status)be16_get(w->status),
        .data_bytes = be24_get(w->data_bytes),
    };
    memcpy(m->isid, w->isid, ISID_BYTES);
    return m->transit && m->more ? -EPROTO : 0;
}
