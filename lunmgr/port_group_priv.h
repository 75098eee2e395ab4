/* SPDX-License-Identifier: Apache-2.0 */
/* Port groups as the manager has them: those alone that are not as by default. Control
 * thread, and the start. */
#ifndef LUNMGR_PORT_GROUP_PRIV_H
#define LUNMGR_PORT_GROUP_PRIV_H

#include "lunmgr/port_group.h"

#include <stdbool.h>

struct port_group_entry;

struct port_groups {
    struct port_group_entry *first;
    bool changing; /* a change is being written */
};

/* What the catalog has of it. 0, or -ENOMEM. */
int port_groups_load(struct port_groups *groups, uint16_t tag,
                     const struct alua_access *access) MUST_CHECK;
void port_groups_fini(struct port_groups *groups);

#endif
