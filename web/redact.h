/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says, without its secrets: for the audit, which everyone with the admin
 * scope may read and which lasts. Pure; any thread. */
#ifndef WEB_REDACT_H
#define WEB_REDACT_H

#include <jansson.h>
#include <stdbool.h>

/* Whether a member of this name holds a secret, wherever it stands. */
bool member_is_secret(const char *name);
/* A copy of value, each secret in it replaced. NULL: out of memory. */
json_t *redacted(const json_t *value);
/* body as compact JSON, each secret in it replaced; purge: said too, as a member. NULL:
 * there is nothing to say, or no memory. The caller frees it. */
char *redacted_text(const json_t *body, bool purge);

#endif
