/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP credentials in requests and answers. Secrets come in and never go out. Control
 * thread. */
#ifndef WEB_AUTH_IN_H
#define WEB_AUTH_IN_H

#include "lunmgr/auth.h"
#include "web/json_in.h"
#include "web/resource.h"

struct web;

/* A change with room for what it points to; its texts are the request's. */
struct auth_in {
    struct auth_change change;
    bool chap, forbid_md5;
};

/* Reads member of the body, an object of method, user, secret, mutual_user and
 * mutual_secret, as schema lists them. False if it is absent or refused. */
bool auth_read(struct input *in, const char *member, const struct schema *schema,
               struct auth_in *out);
/* After the last use of the request: overwrites the secrets in it. */
void auth_forget(const struct auth_in *in);
/* All but the secrets, of which it says whether there are any. NULL: out of memory. */
json_t *auth_json(const struct auth *auth);
/* Whether said, an object as auth_read() takes it, is so already; its secrets too. */
enum agreement auth_agrees(const struct auth *auth, const json_t *said);
/* The hidden column of every resource that has credentials (resource.h): other secrets
 * are another tag, and the tag tells nothing of them. auth: a struct auth. */
json_t *auth_revision_json(const struct web *web, const void *auth);

#endif
