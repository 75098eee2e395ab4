/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and what that one may. A token has one scope; the Unix socket is for the
 * box's own admins. Control thread. */
#ifndef WEB_PERMIT_H
#define WEB_PERMIT_H

#include "lunmgr/token.h"

#include <stdbool.h>

struct exchange;

/* What a route asks of the one who asks for it. */
enum permit {
    PERMIT_ANYONE,    /* even on TCP without a token: says nothing of the box */
    PERMIT_READ,      /* shows */
    PERMIT_ATTACH,    /* the same, also with a token for the host that it concerns */
    PERMIT_PROVISION, /* makes and changes what guests use */
    PERMIT_MAP,       /* the same, also with a token for the host that it concerns */
    PERMIT_ADMIN,     /* pools, credentials of the box, tokens, the audit */
};

struct principal {
    bool is_known; /* false: no token, or none that is good */
    bool is_local; /* on the Unix socket: may everything */
    enum token_scope scope;
    char host_id[VOLUME_ID_MAX]; /* of TOKEN_ATTACH */
    char address[64];            /* "": the Unix socket */
    char name[64 + 8];           /* as the audit has it: "local uid 0", "token NAME" */
    char id[VOLUME_ID_MAX + 8];  /* whose idempotency keys they are */
};

/* Whether who may ask for what needs permit at all. One whose token is for a host also
 * has to ask for that host (permit_concerns). */
bool permit_allows(enum permit permit, const struct principal *who);
/* Whether who's token is good for one host alone: who->host_id. */
bool permit_is_for_host(const struct principal *who);
/* For PERMIT_ATTACH and PERMIT_MAP: whether what x asks for is of the host that its token
 * is for; true for every other principal. What does not exist concerns nobody. */
bool permit_concerns(const struct exchange *x);
/* The scopes that permit needs, as an answer names them: "provision or admin". */
const char *permit_scopes(enum permit permit);

#endif
