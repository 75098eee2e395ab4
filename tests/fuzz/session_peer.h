/* SPDX-License-Identifier: Apache-2.0 */
/* The initiator's end of a fuzzed connection: it sends what it is told, and holds what
 * comes back against what every answer must be: known, whole, with right digests, counted
 * by StatSN, in an orderly window. It remembers what a next request needs. */
#ifndef TESTS_FUZZ_SESSION_PEER_H
#define TESTS_FUZZ_SESSION_PEER_H

#include "proto/pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_R2T_MAX   16
#define PEER_DATA_MAX  (1U << 20)
#define PEER_STAGE_MAX (2U << 20)
#define PEER_SEND_MAX  (256U << 10)

struct session_peer {
    int fd;    /* -1: none */
    bool over; /* nothing more comes */
    bool open; /* in full feature phase: digests are in effect */
    bool header_digest, data_digest;
    uint32_t cmd_sn, itt, command_itt; /* the last command's */
    bool has_stat_sn;
    uint32_t stat_sn; /* the next */
    uint32_t text_itt, text_ttt;
    struct r2t r2ts[PEER_R2T_MAX]; /* not yet answered, oldest first */
    unsigned r2t_count;
    size_t frame_bytes; /* of the last PDU, not sent yet */
    size_t stage_bytes;
    uint8_t frame[PEER_SEND_MAX + 64];
    uint8_t stage[PEER_STAGE_MAX];
};

/* A new connection, with its first CmdSN. */
void session_peer_connect(struct session_peer *p);
void session_peer_close(struct session_peer *p);

struct peer_send {
    union bhs *bhs;
    const uint8_t *data;
    size_t bytes;    /* that come after the header, whatever it says */
    bool in_two;     /* the second half goes before the next one */
    bool bad_digest; /* of the last part that has one */
};
void session_peer_send(struct session_peer *p, const struct peer_send *s);
/* Takes what has come. */
void session_peer_read(struct session_peer *p);
/* What was asked for first: true and *out, which is not asked for any more. */
bool session_peer_take_r2t(struct session_peer *p, struct r2t *out);

#endif
