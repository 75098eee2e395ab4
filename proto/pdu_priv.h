/* SPDX-License-Identifier: Apache-2.0 */
/* What the pdu_*.c files share: flag bits, and the checks that open every decode.
 * Private to proto/. Pure; any thread. */
#ifndef PROTO_PDU_PRIV_H
#define PROTO_PDU_PRIV_H

#include "proto/pdu.h"

#define FLAG_FINAL  0x80 /* also the login's transit, and the 1 where it is fixed */
#define FLAG_MORE   0x40 /* the C bit of login and text */
#define FLAG_READ   0x40
#define FLAG_WRITE  0x20
#define FLAG_OVER   0x04
#define FLAG_UNDER  0x02
#define FLAG_STATUS 0x01

/* w: a BHS. That it is this request and nothing in pdu_check_request() forbids it. */
enum reject_reason pdu_expect_request(const void *w, enum opcode opcode) MUST_CHECK;
/* w: a BHS. That it is this answer, without AHS. 0, or -EPROTO. */
int pdu_expect_answer(const void *w, enum opcode opcode) MUST_CHECK;

static inline uint8_t pdu_opcode_of(enum opcode opcode, bool immediate)
{
    return (uint8_t)((unsigned)opcode | (immediate ? OPCODE_IMM_BIT : 0u));
}

static inline bool pdu_wire_immediate(uint8_t opcode)
{
    return (opcode & OPCODE_IMM_BIT) != 0;
}

uint8_t residual_flags(const struct residual *r);
/* 0, or -EPROTO for both flags or a residual without one. */
int residual_decode(uint8_t flags, uint32_t bytes, struct residual *r) MUST_CHECK;

#endif
