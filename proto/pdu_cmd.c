/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI Command with its additional header segments, and SCSI Response: RFC 7143, 11.2.2,
 * 11.3 and 11.4. Pure; any thread. */
#include "proto/pdu_priv.h"

#include "base/wire.h"

#include <errno.h>
#include <string.h>

#define AHS_EXTENDED_CDB 1
#define AHS_BIDI_LENGTH  2
#define AHS_TYPE_MASK    0x3f
#define ATTR_MASK        0x07

/* The bytes after the reserved one continue the CDB. */
static enum reject_reason extend_cdb(struct cmd_req *m, const uint8_t *part, size_t bytes)
{
    if (bytes < 2 || m->cdb_bytes != CMD_CDB_BYTES)
        return REJECT_INVALID_FIELD;
    size_t more = bytes - 1;
    size_t room = CMD_CDB_BYTES_MAX - CMD_CDB_BYTES;
    memcpy(m->cdb + CMD_CDB_BYTES, part + 1, more < room ? more : room);
    m->cdb_bytes = (uint16_t)(CMD_CDB_BYTES + more);
    return REJECT_NONE;
}

/* 11.2.2: each is a length, a type, that many bytes, and padding to a word. */
static enum reject_reason ahs_decode(const uint8_t *ahs, size_t ahs_bytes,
                                     struct cmd_req *m)
{
    struct wire_in r;
    wire_in_init(&r, ahs, ahs_bytes);
    while (wire_in_left(&r) > 0) {
        size_t bytes = wire_take_be16(&r);
        uint8_t type = wire_take_u8(&r) & AHS_TYPE_MASK;
        const uint8_t *part = wire_take_bytes(&r, bytes);
        wire_skip(&r, pdu_padded(3 + bytes) - (3 + bytes));
        if (wire_in_rc(&r) != 0)
            return REJECT_INVALID_FIELD;
        if (type == AHS_BIDI_LENGTH)
            return REJECT_NOT_SUPPORTED;
        if (type != AHS_EXTENDED_CDB)
            return REJECT_INVALID_FIELD;
        enum reject_reason why = extend_cdb(m, part, bytes);
        if (why != REJECT_NONE)
            return why;
    }
    return REJECT_NONE;
}

/* 11.3.1 and 11.3.4: what the flags, the lengths and the data must have in common. */
static enum reject_reason cmd_req_check(const struct cmd_req *m)
{
    if (m->itt == PDU_TAG_NONE || m->attr > TASK_ACA)
        return REJECT_INVALID_FIELD;
    if (m->read && m->write)
        return REJECT_NOT_SUPPORTED;
    if (!m->final && !m->write)
        return REJECT_PROTOCOL_ERROR;
    if (m->expected_bytes != 0 && !m->read && !m->write)
        return REJECT_PROTOCOL_ERROR;
    if (m->data_bytes > (m->write ? m->expected_bytes : 0))
        return REJECT_PROTOCOL_ERROR;
    return REJECT_NONE;
}

enum reject_reason cmd_req_decode(const struct cmd_req_wire *w, const uint8_t *ahs,
                                  size_t ahs_bytes, struct cmd_req *m)
{
    enum reject_reason why = pdu_expect_request(w, OP_CMD_REQ);
    if (why != REJECT_NONE)
        return why;
    *m = (struct cmd_req){
        .immediate = pdu_wire_immediate(w->opcode),
        .final = (w->flags & FLAG_FINAL) != 0,
        .read = (w->flags & FLAG_READ) != 0,
        .write = (w->flags & FLAG_WRITE) != 0,
        .attr = (enum task_attr)(w->flags & ATTR_MASK),
        .lun = be64_get(w->lun),
        .itt = be32_get(w->itt),
        .expected_bytes = be32_get(w->expected_bytes),
        .cmd_sn = be32_get(w->cmd_sn),
        .exp_stat_sn = be32_get(w->exp_stat_sn),
        .data_bytes = be24_get(w->data_bytes),
        .cdb_bytes = CMD_CDB_BYTES,
    };
    memcpy(m->cdb, w->cdb, sizeof(w->cdb));
    if (ahs_bytes != (size_t)w->ahs_words * 4)
        return REJECT_INVALID_FIELD;
    why = cmd_req_check(m);
    return why != REJECT_NONE ? why : ahs_decode(ahs, ahs_bytes, m);
}

void cmd_req_encode(const struct cmd_req *m, struct cmd_req_wire *w)
{
    assert(m->cdb_bytes <= CMD_CDB_BYTES);
    *w = (struct cmd_req_wire){
        .opcode = pdu_opcode_of(OP_CMD_REQ, m->immediate),
        .flags = (uint8_t)((m->final ? FLAG_FINAL : 0) | (m->read ? FLAG_READ : 0) |
                           (m->write ? FLAG_WRITE : 0) | (int)m->attr),
        .data_bytes = be24_of(m->data_bytes),
        .lun = be64_of(m->lun),
        .itt = be32_of(m->itt),
        .expected_bytes = be32_of(m->expected_bytes),
        .cmd_sn = be32_of(m->cmd_sn),
        .exp_stat_sn = be32_of(m->exp_stat_sn),
    };
    memcpy(w->cdb, m->cdb, sizeof(w->cdb));
}

void cmd_rsp_encode(const struct cmd_rsp *m, struct cmd_rsp_wire *w)
{
    *w = (struct cmd_rsp_wire){
        .opcode = OP_CMD_RSP,
        .flags = FLAG_FINAL | residual_flags(&m->residual),
        .response = (uint8_t)m->response,
        .status = m->response == CMD_COMPLETED ? m->status : 0,
        .status_qualifier = be16_of(m->status_qualifier),
        .data_bytes = be24_of(m->data_bytes),
        .itt = be32_of(m->itt),
        .exp_data_sn = be32_of(m->exp_data_sn),
        .residual = be32_of(m->residual.bytes),
    };
}

int cmd_rsp_decode(const struct cmd_rsp_wire *w, struct cmd_rsp *m)
{
    if (pdu_expect_answer(w, OP_CMD_RSP) != 0 || (w->flags & FLAG_FINAL) == 0)
        return -EPROTO;
    *m = (struct cmd_rsp){
        .response = (enum cmd_response)w->response,
        .status = w->status,
        .status_qualifier = be16_get(w->status_qualifier),
        .itt = be32_get(w->itt),
        .exp_data_sn = be32_get(w->exp_data_sn),
        .data_bytes = be24_get(w->data_bytes),
    };
    return residual_decode(w->flags, be32_get(w->residual), &m->residual);
}
