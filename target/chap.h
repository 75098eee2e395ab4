/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of CHAP (RFC 1994, 4; RFC 7143, 12.1.3): random challenges, responses
 * over them, and comparing without telling by time. The one place of the target that
 * knows OpenSSL. Any thread. */
#ifndef TARGET_CHAP_H
#define TARGET_CHAP_H

#include "base/log.h"
#include "proto/chap_text.h"

#define CHAP_DIGEST_MAX 32

size_t chap_digest_bytes(enum chap_algorithm algorithm);
/* 0, or -EIO: no random bytes. */
int chap_random(uint8_t *out, size_t bytes) MUST_CHECK;
/* The digest of id, secret and challenge, chap_digest_bytes() long. 0, or -EIO: OpenSSL
 * refuses, as one without MD5 does. */
int chap_respond(enum chap_algorithm algorithm, uint8_t id, const struct secret *secret,
                 const uint8_t *challenge, size_t challenge_bytes,
                 uint8_t out[CHAP_DIGEST_MAX]) MUST_CHECK;
/* In a time that depends on nothing but bytes. */
bool chap_equal(const uint8_t *a, const uint8_t *b, size_t bytes);

#endif
