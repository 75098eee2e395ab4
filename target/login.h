/* SPDX-License-Identifier: Apache-2.0 */
/* The login phase of a connection (RFC 7143, 6): stages, names, who may, and the way into
 * the full feature phase. Its connection's thread. */
#ifndef TARGET_LOGIN_H
#define TARGET_LOGIN_H

#include "target/conn.h"

struct login;

int login_create(struct login **out) MUST_CHECK;
/* NULL is allowed. */
void login_destroy(struct login *l);

/* As request_begin and request_end (request.h), while the connection is in its login. */
void login_begin(struct conn *c, struct request *req);
void login_end(struct conn *c, struct request *req);

#endif
