/* SPDX-License-Identifier: Apache-2.0 */
/* See reserve_talk.h. */
#include "tests/unit/target/reserve_talk.h"

#include "base/be.h"

#include <string.h>

#define BLOCKS 8

uint32_t send_pr_out(struct wire_peer *p, const struct pr_ask *ask)
{
    uint8_t list[PR_LIST_BYTES] = {0};
    struct cmd_req m;
    be64_store(list, ask->key);
    be64_store(list + 8, ask->action_key);
    list[20] = ask->aptpl ? 1 : 0;
    wire_peer_cmd(p, &m);
    m.write = true;
    m.expected_bytes = m.data_bytes = sizeof(list);
    m.cdb[0] = 0x5f;
    m.cdb[1] = (uint8_t)ask->action;
    m.cdb[2] = (uint8_t)ask->type;
    be32_store(m.cdb + 5, sizeof(list));
    wire_peer_send_cmd(p, &m, list);
    return m.itt;
}

static uint32_t send_opcode(struct wire_peer *p, uint8_t opcode)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.cdb[0] = opcode;
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

uint32_t send_reserve(struct wire_peer *p)
{
    return send_opcode(p, 0x16);
}

uint32_t send_release(struct wire_peer *p)
{
    return send_opcode(p, 0x17);
}

uint32_t send_read(struct wire_peer *p, uint32_t n)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, n * BLOCKS, BLOCKS);
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

uint32_t send_write(struct wire_peer *p, uint32_t n)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, true, n * BLOCKS, BLOCKS);
    m.data_bytes = BLOCKS * 512U;
    wire_peer_send_cmd(p, &m, pattern);
    return m.itt;
}

void expect_data(struct wire_peer *p, uint32_t itt)
{
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(be32_get(p->bhs.any.itt), itt);
}

void expect_conflict(struct wire_peer *p, uint32_t itt)
{
    struct cmd_rsp rsp;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_RESERVATION_CONFLICT);
    assert_int_equal(rsp.itt, itt);
}

static void pr_in(struct wire_peer *p, enum pr_in_action action)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.read = true;
    m.expected_bytes = 256;
    m.cdb[0] = 0x5e;
    m.cdb[1] = (uint8_t)action;
    be16_store(m.cdb + 7, 256);
    wire_peer_send_cmd(p, &m, NULL);
    expect_data(p, m.itt);
}

void read_keys(struct wire_peer *p, struct pr_keys *out)
{
    pr_in(p, PR_READ_KEYS);
    out->generation = be32_load(p->data);
    out->count = be32_load(p->data + 4) / 8;
    assert_in_range(out->count, 0, 16);
    for (unsigned i = 0; i < out->count; i++)
        out->keys[i] = be64_load(p->data + 8 + 8 * i);
}

enum reservation_type read_reservation(struct wire_peer *p, uint64_t *key)
{
    pr_in(p, PR_READ_RESERVATION);
    if (be32_load(p->data + 4) == 0)
        return RESERVATION_NONE;
    *key = be64_load(p->data + 8);
    return (enum reservation_type)(p->data[21] & 0xf);
}

void log_out(struct wire_peer *p)
{
    union bhs bhs;
    struct logout_req m = {
        .reason = LOGOUT_SESSION, .itt = p->itt++, .cmd_sn = p->cmd_sn};
    logout_req_encode(&m, &bhs.logout_req);
    wire_peer_send(p, &bhs, NULL, 0);
    wire_peer_expect(p, OP_LOGOUT_RSP);
}
