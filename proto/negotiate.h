/* SPDX-License-Identifier: Apache-2.0 */
/* Login and text negotiation (RFC 7143, 6 and 13): the keys as a table, what an initiator
 * offers against what we take, and the answer. It holds what was agreed; it decides no
 * access: names and CHAP values are kept as text for login to judge.
 * A value owned by one connection's login; its thread only. No allocation, no I/O.
 *
 *   negotiation_init(&n, &ours, true);
 *   for each login request, its text joined:
 *     rc = negotiate_text(&n, NEGOTIATE_LOGIN_..., text, bytes, &out);
 *     n.said.* and n.said.chap.* are then there to judge; login answers AuthMethod and
 * CHAP_* itself with key_put(). in the operational stage: negotiate_declare(&n, &out);
 *   n.params is in effect from the full feature phase on. */
#ifndef PROTO_NEGOTIATE_H
#define PROTO_NEGOTIATE_H

#include "base/auto.h"
#include "proto/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_NONE   1u
#define DIGEST_CRC32C 2u

#define MAX_RECV_BYTES_DEFAULT 8192u /* 13.12 */
#define PROTOCOL_LEVEL_RFC7144 2
#define CHAP_TEXT_MAX          (2 + 2 * KEY_BINARY_MAX)

/* What we take and declare: the target's side, from its configuration. */
struct params_offer {
    unsigned header_digests, data_digests; /* sets of DIGEST_*; never empty */
    uint32_t max_recv_bytes;               /* 512..2^24-1, declared */
    uint32_t max_burst_bytes;              /* 512..2^24-1, at least first_burst_bytes */
    uint32_t first_burst_bytes;            /* 512..2^24-1 */
    uint32_t max_outstanding_r2t;          /* 1..65535 */
    uint32_t time2wait_s, time2retain_s;   /* 0..3600 */
    bool initial_r2t;                      /* true: insist on it */
    bool immediate_data;                   /* true: take it */
};

/* What is good for a start: digests both ways, 256 KiB, immediate and unsolicited data.
 */
extern const struct params_offer params_offer_default;

/* What is agreed. negotiation_init() fills in the RFC's defaults. */
struct params {
    bool header_digest, data_digest; /* CRC32C */
    uint32_t max_recv_bytes; /* a data segment that comes to us; ours if declared */
    uint32_t max_send_bytes; /* a data segment that we send */
    uint32_t max_burst_bytes, first_burst_bytes;
    uint32_t max_outstanding_r2t;
    uint32_t max_connections;            /* 1 */
    uint32_t error_recovery_level;       /* 0 */
    uint32_t protocol_level;             /* 0 to PROTOCOL_LEVEL_RFC7144 */
    uint32_t time2wait_s, time2retain_s; /* 0..3600 */
    bool initial_r2t, immediate_data;
    bool data_pdu_in_order, data_sequence_in_order; /* both true */
    const char *task_reporting;                     /* static */
};

/* The CHAP keys as they came; chap_text.h reads them. */
struct chap_said {
    char a[KEY_SIMPLE_MAX + 1], n[KEY_SIMPLE_MAX + 1], i[KEY_SIMPLE_MAX + 1];
    char c[CHAP_TEXT_MAX + 1], r[CHAP_TEXT_MAX + 1];
};

/* What the initiator said of itself; "" if nothing. */
struct declared {
    char initiator_name[NODE_NAME_MAX + 1]; /* in lower case */
    char initiator_alias[KEY_SIMPLE_MAX + 1];
    char target_name[NODE_NAME_MAX + 1]; /* in lower case */
    bool session_type;                   /* told; else Normal */
    bool discovery;
    char auth_method[KEY_SIMPLE_MAX + 1]; /* the offered list */
    char send_targets[NODE_NAME_MAX + 1]; /* "All", a name, or "" for the session's own */
    bool send_targets_asked;              /* in this text request */
    struct chap_said chap;
};

enum negotiate_phase { /* the first two are the CSG */
                       NEGOTIATE_LOGIN_SECURITY = 0,
                       NEGOTIATE_LOGIN_OPERATIONAL = 1,
                       NEGOTIATE_FULL_FEATURE = 3,
};

struct negotiation {
    const struct params_offer *ours; /* outlives it */
    struct params params;
    struct declared said;
    bool leading;  /* the session's first connection */
    uint64_t seen; /* keys offered in this negotiation, by index into the table */
    bool declared_max_recv;
};

void negotiation_init(struct negotiation *n, const struct params_offer *ours,
                      bool leading);
/* Before a text request of the full feature phase that begins a new negotiation: keys may
 * be sent again. */
void negotiation_restart(struct negotiation *n);

/* Takes one pair and appends its answer, if it has one, to out. Answers Reject to a value
 * that may not be (the old value stays), Irrelevant to what a discovery session has no
 * use for, NotUnderstood to a key that we do not know. 0; -EPROTO: the initiator broke
 * the rules: a key twice, a declaration that is no valid value, a key in a phase where it
 * may not be. Login ends with LOGIN_INITIATOR_ERROR, a text request with a Reject. */
int negotiate_offer(struct negotiation *n, enum negotiate_phase phase, const char *key,
                    const char *value, struct wire *out) MUST_CHECK;
/* All pairs of one request's text, session type first (what is irrelevant hangs on it).
 * 0; -EPROTO as above or not key=value text; -ENOSPC: the answers do not fit. */
int negotiate_text(struct negotiation *n, enum negotiate_phase phase, const void *text,
                   size_t bytes, struct wire *out) MUST_CHECK;

/* Declares our MaxRecvDataSegmentLength, once; after that call it is in params. For the
 * operational stage. */
void negotiate_declare(struct negotiation *n, struct wire *out);
/* For the first login response of a normal session's leading connection (13.9); alias may
 * be NULL. */
void negotiate_put_target(uint16_t portal_group_tag, const char *alias, struct wire *out);

#endif
