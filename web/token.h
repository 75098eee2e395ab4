/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: how they are made, hashed and checked. The catalog keeps the hash alone
 * (lunmgr/token.h); the token itself is shown once, in the answer that made it. Control
 * thread. */
#ifndef WEB_TOKEN_H
#define WEB_TOKEN_H

#include "base/err.h"
#include "base/log.h"
#include "lunmgr/token.h"

#include <stdbool.h>

#define BEARER_PREFIX "ashlar_"
#define BEARER_BYTES  50 /* the prefix and 32 random bytes in base64url */

/* A new token as text in out->value, NUL-terminated, and its hash. -EIO: no randomness.
 */
int bearer_make(struct secret *out, uint8_t hash[TOKEN_HASH_BYTES],
                struct err *e) MUST_CHECK;
/* Whether an Authorization header (NULL: none) carries a token that lunmgr knows. */
bool bearer_is_known(struct lunmgr *m, const char *authorization);

#endif
