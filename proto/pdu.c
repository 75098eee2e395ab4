/* SPDX-License-Identifier: Apache-2.0 */
/* What is common to all PDUs: which requests there are and what each may carry, the
 * sequence numbers as a PDU is sent, residual counts. Pure; any thread. */
#include "proto/pdu_priv.h"

#include <errno.h>

enum request_may {
    MAY_IMMEDIATE = 1,
    MUST_IMMEDIATE = 2,
    MAY_DATA = 4,
    MAY_AHS = 8,
    HAS_CMD_SN = 16,
    IS_REQUEST = 32,
};

struct opcode_rule {
    const char *name;
    unsigned may;
};

static const struct opcode_rule rules[OPCODE_MASK + 1] = {
    [OP_NOP_OUT] = {"NOP-Out", IS_REQUEST | HAS_CMD_SN | MAY_IMMEDIATE | MAY_DATA},
    [OP_CMD_REQ] = {"SCSI Command",
                    IS_REQUEST | HAS_CMD_SN | MAY_IMMEDIATE | MAY_DATA | MAY_AHS},
    [OP_TMF_REQ] = {"Task Management Request", IS_REQUEST | HAS_CMD_SN | MAY_IMMEDIATE},
    [OP_LOGIN_REQ] = {"Login Request",
                      IS_REQUEST | HAS_CMD_SN | MUST_IMMEDIATE | MAY_DATA},
    [OP_TEXT_REQ] = {"Text Request", IS_REQUEST | HAS_CMD_SN | MAY_IMMEDIATE | MAY_DATA},
    [OP_DATA_OUT] = {"Data-Out", IS_REQUEST | MAY_DATA},
    [OP_LOGOUT_REQ] = {"Logout Request", IS_REQUEST | HAS_CMD_SN | MAY_IMMEDIATE},
    [OP_SNACK_REQ] = {"SNACK Request", IS_REQUEST},
    [OP_NOP_IN] = {"NOP-In", 0},
    [OP_CMD_RSP] = {"SCSI Response", 0},
    [OP_TMF_RSP] = {"Task Management Response", 0},
    [OP_LOGIN_RSP] = {"Login Response", 0},
    [OP_TEXT_RSP] = {"Text Response", 0},
    [OP_DATA_IN] = {"Data-In", 0},
    [OP_LOGOUT_RSP] = {"Logout Response", 0},
    [OP_R2T] = {"R2T", 0},
    [OP_ASYNC] = {"Asynchronous Message", 0},
    [OP_REJECT] = {"Reject", 0},
};

const char *pdu_opcode_name(uint8_t opcode)
{
    const char *name = rules[opcode & OPCODE_MASK].name;
    return name == NULL ? "unknown" : name;
}

bool pdu_has_cmd_sn(const union bhs *b)
{
    return (rules[pdu_opcode(b)].may & HAS_CMD_SN) != 0;
}

uint32_t pdu_cmd_sn(const union bhs *b)
{
    return be32_get(b->any.cmd_or_stat_sn);
}

enum reject_reason pdu_check_request(const union bhs *b)
{
    unsigned may = rules[pdu_opcode(b)].may;
    if ((may & IS_REQUEST) == 0)
        return REJECT_NOT_SUPPORTED;
    if (pdu_is_immediate(b) && (may & (MAY_IMMEDIATE | MUST_IMMEDIATE)) == 0)
        return REJECT_PROTOCOL_ERROR;
    if (!pdu_is_immediate(b) && (may & MUST_IMMEDIATE) != 0)
        return REJECT_PROTOCOL_ERROR;
    if (b->any.ahs_words != 0 && (may & MAY_AHS) == 0)
        return REJECT_PROTOCOL_ERROR;
    if (pdu_data_bytes(b) != 0 && (may & MAY_DATA) == 0)
        return REJECT_PROTOCOL_ERROR;
    return REJECT_NONE;
}

enum reject_reason pdu_expect_request(const void *w, enum opcode opcode)
{
    const union bhs *b = w;
    return pdu_opcode(b) == opcode ? pdu_check_request(b) : REJECT_PROTOCOL_ERROR;
}

int pdu_expect_answer(const void *w, enum opcode opcode)
{
    const union bhs *b = w;
    return b->any.opcode == opcode && b->any.ahs_words == 0 ? 0 : -EPROTO;
}

/* RFC 7143, 11.7.4 (Data-In), 11.8.2 (R2T), 11.19.4 (NOP-In). */
void pdu_stamp(union bhs *b, uint32_t *stat_sn, uint32_t exp_cmd_sn, uint32_t max_cmd_sn)
{
    uint8_t opcode = pdu_opcode(b);
    bool absent = opcode == OP_DATA_IN && (b->data_in.flags & FLAG_STATUS) == 0;
    bool kept = opcode == OP_R2T ||
                (opcode == OP_NOP_IN && be32_get(b->nop_in.itt) == PDU_TAG_NONE);
    b->any.cmd_or_stat_sn = be32_of(absent ? 0 : *stat_sn);
    b->any.exp_sn = be32_of(exp_cmd_sn);
    b->any.max_cmd_sn = be32_of(max_cmd_sn);
    if (!absent && !kept)
        (*stat_sn)++;
}

struct residual residual_of(uint32_t expected_bytes, uint64_t wanted_bytes)
{
    if (wanted_bytes < expected_bytes)
        return (struct residual){
            .kind = RESIDUAL_UNDERFLOW,
            .bytes = (uint32_t)(expected_bytes - wanted_bytes),
        };
    uint64_t over = wanted_bytes - expected_bytes;
    if (over == 0)
        return (struct residual){.kind = RESIDUAL_NONE};
    return (struct residual){
        .kind = RESIDUAL_OVERFLOW,
        .bytes = over > UINT32_MAX ? UINT32_MAX : (uint32_t)over,
    };
}

uint8_t residual_flags(const struct residual *r)
{
    switch (r->kind) {
    case RESIDUAL_OVERFLOW:
        return FLAG_OVER;
    case RESIDUAL_UNDERFLOW:
        return FLAG_UNDER;
    case RESIDUAL_NONE:
        return 0;
    }
    return 0;
}

int residual_decode(uint8_t flags, uint32_t bytes, struct residual *r)
{
    static const enum residual_kind kinds[] = {RESIDUAL_NONE, RESIDUAL_UNDERFLOW,
                                               RESIDUAL_OVERFLOW};
    unsigned which = (unsigned)(flags & (FLAG_OVER | FLAG_UNDER)) >> 1;
    if (which >= ARRAY_LEN(kinds))
        return -EPROTO;
    r->kind = kinds[which];
    r->bytes = r->kind == RESIDUAL_NONE ? 0 : bytes;
    return 0;
}
