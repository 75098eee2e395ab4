/* SPDX-License-Identifier: Apache-2.0 */
/* What the CHAP keys say (RFC 7143, 12.1.3): the list of algorithms, identifiers, binary
 * values. The digests themselves are target/chap.h's. Pure; any thread. */
#ifndef PROTO_CHAP_TEXT_H
#define PROTO_CHAP_TEXT_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of CHAP_A. A stronger one has a higher number. */
enum chap_algorithm {
    CHAP_NONE = 0,
    CHAP_MD5 = 5,
    CHAP_SHA1 = 6,
    CHAP_SHA256 = 7,
    CHAP_SHA3_256 = 8,
};

/* "md5", "sha1", "sha256", "sha3-256". */
const char *chap_algorithm_name(enum chap_algorithm algorithm);
/* The strongest of a CHAP_A list that we have. CHAP_NONE: there is none; md5 false: MD5
 * does not count. */
enum chap_algorithm chap_choose(const char *list, bool md5);

/* CHAP_I: one byte as a number. 0, or -EINVAL. */
int chap_identifier(const char *text, uint8_t *out) MUST_CHECK;
/* CHAP_C and CHAP_R: 0x hexadecimal or 0b base64, of 1 to limit bytes. 0 and the bytes;
 * -EINVAL: not one; -ENOSPC: longer. */
int chap_value(const char *text, uint8_t *out, size_t limit, size_t *bytes) MUST_CHECK;

#endif
