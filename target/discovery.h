/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to SendTargets (RFC 7143, appendix C). A value of one text exchange; its
 * connection's thread, within one turn. */
#ifndef TARGET_DISCOVERY_H
#define TARGET_DISCOVERY_H

#include "base/wire.h"
#include "target/address.h"
#include "target/target.h"

struct access_host;
struct conn;
struct view;

/* The one that was asked, all portals, advertised ones. */
#define DISCOVERY_ADDRESS_MAX (1 + TARGET_PORTAL_MAX + TARGET_ADVERTISE_MAX)

struct discovery {
    const struct access_host *host; /* NULL: nothing is told */
    const struct view *one;         /* NULL: all that the host is shown */
    bool refused;                   /* this session may not ask for that */
    size_t address_count;
    char addresses[DISCOVERY_ADDRESS_MAX][ADDRESS_TEXT_MAX + sizeof(",65535")];
};

/* What is told of SendTargets=asked ("All", a name, "": the session's own target) to this
 * initiator at this portal. */
void discovery_init(struct discovery *d, const struct conn *c, const char *asked);
/* Appends it; the same each time. */
void discovery_put(const struct discovery *d, struct wire *out);

#endif
