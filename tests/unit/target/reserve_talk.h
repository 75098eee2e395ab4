/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of reservations say and expect, over wire_talk.h. */
#ifndef TESTS_RESERVE_TALK_H
#define TESTS_RESERVE_TALK_H

#include "proto/pr.h"
#include "tests/unit/target/wire_talk.h"

/* PERSISTENT RESERVE OUT with its list as immediate data; returns its ITT. */
struct pr_ask {
    enum pr_out_action action;
    enum reservation_type type;
    uint64_t key, action_key;
    bool aptpl;
};
uint32_t send_pr_out(struct wire_peer *p, const struct pr_ask *ask);
#define PR_OUT(p, ...) send_pr_out((p), &(struct pr_ask){__VA_ARGS__})
/* The same, and it is GOOD. */
#define PR_GOOD(p, ...) expect_good((p), PR_OUT((p), __VA_ARGS__))

/* RESERVE(6), RELEASE(6). */
uint32_t send_reserve(struct wire_peer *p);
uint32_t send_release(struct wire_peer *p);
/* READ and WRITE of 8 blocks at 8 times n, with immediate data. */
uint32_t send_read(struct wire_peer *p, uint32_t n);
uint32_t send_write(struct wire_peer *p, uint32_t n);
/* The data comes, then GOOD. */
void expect_data(struct wire_peer *p, uint32_t itt);
/* The next PDU is a SCSI Response with RESERVATION CONFLICT. */
void expect_conflict(struct wire_peer *p, uint32_t itt);
/* The keys in order, by READ KEYS. */
struct pr_keys {
    uint32_t generation;
    unsigned count;
    uint64_t keys[16];
};
void read_keys(struct wire_peer *p, struct pr_keys *out);
/* READ RESERVATION: RESERVATION_NONE, or its type and the holder's key. */
enum reservation_type read_reservation(struct wire_peer *p, uint64_t *key);
void log_out(struct wire_peer *p);

#endif
