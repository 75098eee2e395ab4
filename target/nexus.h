/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an I_T nexus, for exec_*.c alone: what the initiator sees, what waits to
 * be told to it, and the target port that it sees units through. The transport knows
 * exec.h's functions. Used by the session's reactor alone. */
#ifndef TARGET_NEXUS_H
#define TARGET_NEXUS_H

#include "lunmgr/host.h"
#include "target/copy_book.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reservation.h"
#include "target/ua.h"

struct nexus {
    char initiator[HOST_INITIATOR_MAX];
    uint8_t isid[ISID_BYTES];
    struct reservation_nexus id;
    const char *target_name;
    uint16_t portal_group_tag;
    uint16_t tmfs;             /* as in nexus_spec */
    const uint16_t *port_tags; /* the same */
    size_t port_count;
    const struct alua *alua;       /* the same */
    const struct port_group *path; /* of it: how units are accessed now */
    const struct view *view;       /* NULL: nothing is seen */
    struct ua ua;
    unsigned reactor; /* the session's */
    struct copy_book copies;
};

#endif
