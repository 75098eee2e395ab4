/* SPDX-License-Identifier: Apache-2.0 */
/* What a login must be: from where it comes, how the initiator proves who it is, and how
 * we prove it to the initiator. Of a host, or of discovery. A value; whoever drops one
 * wipes it. */
#ifndef BASE_AUTH_H
#define BASE_AUTH_H

#include "base/cidr.h"
#include "base/log.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define AUTH_USER_MAX         256 /* with NUL */
#define AUTH_SECRET_BYTES     12  /* the least: 96 bits, RFC 7143, 9.2.1 */
#define AUTH_SECRET_BYTES_MAX 255

struct auth {
    struct cidr_list addresses;      /* where it may come from; empty: from anywhere */
    bool forbid_md5;                 /* whatever the box allows */
    bool chap;                       /* the initiator must; else nothing below is set */
    char user[AUTH_USER_MAX];        /* CHAP_N that the initiator says, */
    struct secret secret;            /* and what it proves to know */
    char mutual_user[AUTH_USER_MAX]; /* CHAP_N that we say; "": we prove nothing */
    struct secret mutual_secret;
    uint64_t revision; /* rises with each change of the above */
};
static_assert(AUTH_SECRET_BYTES_MAX < SECRET_MAX, "room for a NUL");

static inline void auth_wipe(struct auth *auth)
{
    explicit_bzero(auth, sizeof(*auth));
}

#define AUTO_AUTH __attribute__((cleanup(auth_wipe)))

#endif
