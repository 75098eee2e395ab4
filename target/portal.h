/* SPDX-License-Identifier: Apache-2.0 */
/* A portal: an address that the target listens on. Accepted sockets go to the reactors in
 * turn. Control thread. */
#ifndef TARGET_PORTAL_H
#define TARGET_PORTAL_H

#include "base/err.h"

struct portal;
struct target;

/* Listens. An unspecified IPv6 address takes IPv4 too, and is IPv4's where the system has
 * no IPv6. Field "portal" names a bad or taken address. */
int portal_create(struct target *t, const char *address, struct portal **out,
                  struct err *e) MUST_CHECK;
/* NULL is allowed. */
void portal_destroy(struct portal *p);
/* The address really bound. */
const char *portal_address(const struct portal *p);

#endif
