/* SPDX-License-Identifier: Apache-2.0 */
/* REPORT TARGET PORT GROUPS (SPC-4, 6.37): which target port groups there are and how
 * units are accessed through each. Output as in inquiry.h: a struct wire limited to the
 * allocation length. Pure; any thread. */
#ifndef PROTO_PORT_GROUPS_H
#define PROTO_PORT_GROUPS_H

#include "base/alua.h"
#include "base/wire.h"

/* A portal group is a target port (RFC 7143, 4.4.1), and a group of its own: its tag
 * numbers both. */
struct port_group {
    uint16_t tag;
    struct alua_access access; /* it may be transitioning */
    bool altered;              /* by an admin: "altered by implicit behaviour" */
};

/* transition_s: how long a change of state may take; told by the extended header. */
void port_groups_encode(const struct port_group *groups, size_t count, bool extended,
                        uint8_t transition_s, struct wire *out);

#endif
