/* SPDX-License-Identifier: Apache-2.0 */
/* The CHAP exchange of one login (RFC 7143, 12.1.3): the initiator proves its secret,
 * then we ours if it asks. Its connection's thread. */
#ifndef TARGET_LOGIN_CHAP_H
#define TARGET_LOGIN_CHAP_H

#include "base/auth.h"
#include "proto/negotiate.h"
#include "proto/pdu.h"
#include "target/chap.h"

enum login_chap_state {
    LOGIN_CHAP_UNUSED,    /* no exchange */
    LOGIN_CHAP_ALGORITHM, /* waits for CHAP_A */
    LOGIN_CHAP_RESPONSE,  /* for CHAP_N and CHAP_R, perhaps CHAP_I and CHAP_C */
    LOGIN_CHAP_PROVEN,
};

struct login_chap {
    enum login_chap_state state;
    struct auth auth; /* as it was when the exchange began */
    enum chap_algorithm algorithm;
    uint8_t id;
    uint8_t challenge[CHAP_DIGEST_MAX]; /* as long as the digest */
    bool mutual;                        /* we have proven ours */
};

/* AuthMethod=CHAP has been answered. */
void login_chap_begin(struct login_chap *x, const struct auth *auth);
/* Wipes it. */
void login_chap_fini(struct login_chap *x);
/* Takes the keys of one more request of the security stage, and answers them.
 * LOGIN_SUCCESS, or what the login ends with, and *why. */
enum login_status login_chap_take(struct login_chap *x, const struct chap_said *said,
                                  struct wire *answer, const char **why);
/* It has begun, and is not over. */
static inline bool login_chap_is_open(const struct login_chap *x)
{
    return x->state == LOGIN_CHAP_ALGORITHM || x->state == LOGIN_CHAP_RESPONSE;
}
/* The initiator has proven to know what auth asks for now. */
bool login_chap_proves(const struct login_chap *x, const struct auth *auth);

#endif
