/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP credentials in requests and answers. Secrets come in and never go out. Control
 * thread. */
#ifndef WEB_AUTH_IN_H
#define WEB_AUTH_IN_H

#include "lunmgr/auth.h"
#include "web/json_in.h"

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
/* For an entity tag (resource.h): as long as the daemon runs, other secrets are something
 * else. NULL: out of memory. */
json_t *auth_secrets_json(const struct web *web, const struct auth *auth);

#endif
