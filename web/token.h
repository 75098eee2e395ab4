/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: how they are made, hashed and checked. The catalog keeps the hash alone
 * (lunmgr/token.h); the token itself is shown once, in the answer that made it. Control
 * thread. */
#ifndef WEB_TOKEN_H
#define WEB_TOKEN_H

#include "base/err.h"
#include "base/log.h"
#include "lunmgr/token.h"
#include "web/permit.h"

#include <stdbool.h>

#define BEARER_PREFIX "ashlar_"
#define BEARER_BYTES  50 /* the prefix and 32 random bytes in base64url */

/* A new token as text in out->value, NUL-terminated, and its hash. -EIO: no randomness.
 */
int bearer_make(struct secret *out, uint8_t hash[TOKEN_HASH_BYTES],
                struct err *e) MUST_CHECK;
/* Says in who whose token an Authorization header (NULL: none) carries: one that lunmgr
 * knows and that has not expired, or nobody's. */
void bearer_identify(struct lunmgr *m, const char *authorization, struct principal *who);

/* "read", "provision", "admin", "attach". */
const char *token_scope_text(enum token_scope scope);
/* False: there is no such scope. */
bool token_scope_parse(const char *text, enum token_scope *out);

#endif
