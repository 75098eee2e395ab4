/* SPDX-License-Identifier: Apache-2.0 */
/* A portal: an address that the target listens on. Accepted sockets go to the reactors in
 * turn. Control thread. */
#ifndef TARGET_PORTAL_H
#define TARGET_PORTAL_H

#include "base/cidr.h"
#include "base/err.h"
#include "target/target.h"

struct portal;

/* What discovery knows of a portal; it never changes. */
struct portal_face {
    char address[TARGET_ADDRESS_MAX]; /* really bound */
    uint8_t ip[IP_BYTES];
    uint16_t port;
    uint16_t tag; /* of its portal group */
};

/* Listens on "ADDRESS:PORT" or "ADDRESS:PORT,TAG". An unspecified IPv6 address takes IPv4
 * too, and is IPv4's where the system has no IPv6. Field "portal" names a bad or taken
 * address. */
int portal_create(struct target *t, const char *address, struct portal **out,
                  struct err *e) MUST_CHECK;
/* NULL is allowed. */
void portal_destroy(struct portal *p);
const struct portal_face *portal_face(const struct portal *p);

#endif
