/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the full feature phase say and expect, over and over. */
#include "tests/unit/target/wire_talk.h"

#include "lunmgr/pool_priv.h"
#include "proto/lun.h"

#include <string.h>

uint8_t pattern[2 << 20];

void fill_pattern(uint8_t seed)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

struct wire_peer *logged_in(void **state, const char *keys, size_t bytes)
{
    struct wire_peer *p = wire_peer_connect(*state);
    wire_peer_login(p, keys, bytes);
    wire_peer_ready(p);
    return p;
}

void expect_sense(struct wire_peer *p, enum sense_code code)
{
    struct cmd_rsp rsp;
    struct sense sense;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
    assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    assert_string_equal(sense_name(sense.code), sense_name(code));
}

void expect_good(struct wire_peer *p, uint32_t itt)
{
    struct cmd_rsp rsp;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
    assert_int_equal(rsp.itt, itt);
    assert_int_equal(rsp.residual.kind, RESIDUAL_NONE);
}

void begin_write(struct wire_peer *p, struct cmd_req *m, uint32_t lba, uint16_t blocks,
                 struct r2t *r)
{
    wire_peer_rw(p, m, true, lba, blocks);
    wire_peer_send_cmd(p, m, NULL);
    expect_r2t(p, r);
}

void send_out(struct wire_peer *p, uint32_t itt, uint32_t ttt, uint32_t sn,
              uint32_t offset, uint32_t bytes, bool final)
{
    union bhs bhs;
    struct data_out m = {.final = final,
                         .lun = lun_encode(RIG_LUN),
                         .itt = itt,
                         .ttt = ttt,
                         .data_sn = sn,
                         .buffer_offset = offset,
                         .exp_stat_sn = p->exp_stat_sn,
                         .data_bytes = bytes};
    data_out_encode(&m, &bhs.data_out);
    wire_peer_send(p, &bhs, pattern + offset, bytes);
}

/* Answers an R2T in PDUs of `piece` bytes. */
void answer_r2t(struct wire_peer *p, const struct r2t *r, uint32_t piece)
{
    uint32_t sn = 0;
    for (uint32_t at = 0; at < r->desired_bytes;) {
        uint32_t left = r->desired_bytes - at;
        uint32_t bytes = left < piece ? left : piece;
        send_out(p, r->itt, r->ttt, sn++, r->buffer_offset + at, bytes, bytes == left);
        at += bytes;
    }
}

void expect_r2t(struct wire_peer *p, struct r2t *r)
{
    wire_peer_expect(p, OP_R2T);
    assert_int_equal(r2t_decode(&p->bhs.r2t, r), 0);
}

void expect_tmf(struct wire_peer *p, uint32_t itt, enum tmf_response response)
{
    struct tmf_rsp rsp;
    wire_peer_expect(p, OP_TMF_RSP);
    assert_int_equal(tmf_rsp_decode(&p->bhs.tmf_rsp, &rsp), 0);
    assert_int_equal(rsp.itt, itt);
    assert_int_equal(rsp.response, response);
}

uint32_t send_tmf_req(struct wire_peer *p, const struct tmf_req *m)
{
    union bhs bhs;
    struct tmf_req req = *m;
    req.immediate = true;
    req.itt = p->itt++;
    req.cmd_sn = p->cmd_sn;
    req.exp_stat_sn = p->exp_stat_sn;
    tmf_req_encode(&req, &bhs.tmf_req);
    wire_peer_send(p, &bhs, NULL, 0);
    return req.itt;
}

uint32_t send_tmf(struct wire_peer *p, enum tmf_function function, uint32_t lun,
                  uint32_t ref_itt)
{
    return send_tmf_req(p, &(struct tmf_req){.function = (uint8_t)function,
                                             .lun = lun_encode(lun),
                                             .ref_itt = ref_itt});
}

void send_ping(struct wire_peer *p, uint32_t itt, uint32_t cmd_sn, bool immediate)
{
    union bhs bhs;
    struct nop_out m = {.immediate = immediate,
                        .itt = itt,
                        .ttt = PDU_TAG_NONE,
                        .cmd_sn = cmd_sn,
                        .exp_stat_sn = p->exp_stat_sn};
    nop_out_encode(&m, &bhs.nop_out);
    wire_peer_send(p, &bhs, "ping!", 5);
}

void expect_pong(struct wire_peer *p, uint32_t itt)
{
    struct nop_in m;
    wire_peer_expect(p, OP_NOP_IN);
    assert_int_equal(nop_in_decode(&p->bhs.nop_in, &m), 0);
    assert_int_equal(m.itt, itt);
    assert_int_equal(p->data_bytes, 5);
    assert_memory_equal(p->data, "ping!", 5);
}

void expect_silence(struct wire_peer *p)
{
    uint32_t itt = p->itt++;
    send_ping(p, itt, p->cmd_sn, true);
    expect_pong(p, itt);
}

uint32_t send_ready(struct wire_peer *p, enum task_attr attr)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.attr = attr;
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

/* ---- the disk ---- */

static void hold_on_raised(struct note *note)
{
    struct fence_wait *wait = container_of(note, struct fence_wait, note);
    container_of(wait, struct disk_hold, wait)->rig->answers--;
}

void hold_disk(struct wire_rig *r, struct disk_hold *h)
{
    *h = (struct disk_hold){.rig = r, .volume = volume_find(r->lunmgr, "v")};
    assert_non_null(h->volume);
    h->wait = (struct fence_wait){
        .note.run = hold_on_raised, .inbox = loop_inbox(r->control), .kind = FENCE_ALL};
    r->answers = 1;
    fence_raise(&h->volume->fence, &h->wait);
    wire_rig_wait(r);
}

void release_disk(struct disk_hold *h)
{
    fence_release(&h->volume->fence);
}
