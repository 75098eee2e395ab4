/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that several tests of the full feature phase send, and the answers that they
 * expect: over wire_rig.h. */
#ifndef TESTS_WIRE_TALK_H
#define TESTS_WIRE_TALK_H

#include "lunmgr/fence.h"
#include "proto/sense.h"
#include "tests/unit/target/wire_rig.h"

/* The data of writes: Data-Out for offset n is sent from pattern + n. */
extern uint8_t pattern[2 << 20];
void fill_pattern(uint8_t seed);

/* state: the rig. Logged in with more keys, and the unit is ready. */
struct wire_peer *logged_in(void **state, const char *keys, size_t bytes);

/* The next PDU is a SCSI Response with that. */
void expect_sense(struct wire_peer *p, enum sense_code code);
void expect_good(struct wire_peer *p, uint32_t itt);

void expect_r2t(struct wire_peer *p, struct r2t *r);
/* WRITE(10) without immediate data: the target asks for all or some of it. */
void begin_write(struct wire_peer *p, struct cmd_req *m, uint32_t lba, uint16_t blocks,
                 struct r2t *r);
void send_out(struct wire_peer *p, uint32_t itt, uint32_t ttt, uint32_t sn,
              uint32_t offset, uint32_t bytes, bool final);
/* Answers an R2T in PDUs of `piece` bytes. */
void answer_r2t(struct wire_peer *p, const struct r2t *r, uint32_t piece);

void send_ping(struct wire_peer *p, uint32_t itt, uint32_t cmd_sn, bool immediate);
void expect_pong(struct wire_peer *p, uint32_t itt);
/* A ping and its answer, with nothing before it: what was sent has come and is not
 * answered yet. */
void expect_silence(struct wire_peer *p);

/* TEST UNIT READY with that attribute; returns its ITT. */
uint32_t send_ready(struct wire_peer *p, enum task_attr attr);

/* Immediate, with the peer's numbers; returns its ITT. */
uint32_t send_tmf_req(struct wire_peer *p, const struct tmf_req *m);
uint32_t send_tmf(struct wire_peer *p, enum tmf_function function, uint32_t lun,
                  uint32_t ref_itt);
void expect_tmf(struct wire_peer *p, uint32_t itt, enum tmf_response response);

/* From when it returns until release_disk(), no command gets through to the disk. */
struct disk_hold {
    struct fence_wait wait;
    struct wire_rig *rig;
    struct volume *volume;
};
void hold_disk(struct wire_rig *r, struct disk_hold *h);
void release_disk(struct disk_hold *h);

#endif
