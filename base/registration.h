/* SPDX-License-Identifier: Apache-2.0 */
/* Persistent reservations (SPC-4, 5.13) as plain values: an I_T nexus by its names, who
 * is registered with a logical unit, what is reserved. proto/pr.h has their bytes,
 * target/reservation.h what may be done with them, the catalog keeps them (APTPL). */
#ifndef BASE_REGISTRATION_H
#define BASE_REGISTRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRATION_NAME_MAX   224  /* with NUL: RFC 7143, 4.2.7.1 */
#define REGISTRATION_ISID_BYTES 6    /* RFC 7143, 11.12.5 */
#define REGISTRATION_COUNT_MAX  1024 /* with one logical unit */

/* Numbers are those of the commands: SPC-4, table 61. */
enum reservation_type {
    RESERVATION_NONE = 0,
    RESERVATION_WRITE_EXCLUSIVE = 1,
    RESERVATION_EXCLUSIVE_ACCESS = 3,
    RESERVATION_WRITE_REGISTRANTS = 5,  /* write exclusive, registrants only */
    RESERVATION_ACCESS_REGISTRANTS = 6, /* exclusive access, registrants only */
    RESERVATION_WRITE_ALL = 7,          /* write exclusive, all registrants hold it */
    RESERVATION_ACCESS_ALL = 8,
};

static inline bool reservation_type_exists(unsigned type)
{
    return type == RESERVATION_WRITE_EXCLUSIVE || type == RESERVATION_EXCLUSIVE_ACCESS ||
           (type >= RESERVATION_WRITE_REGISTRANTS && type <= RESERVATION_ACCESS_ALL);
}

/* Every registered nexus holds it: SPC-4, 5.13.10. */
static inline bool reservation_type_is_all(unsigned type)
{
    return type == RESERVATION_WRITE_ALL || type == RESERVATION_ACCESS_ALL;
}

/* SPC-4, table 57 and SBC-4, table 13: what becomes of a command of a nexus that does not
 * hold the reservation. A column each: a reservation by RESERVE (SPC-2) that another
 * nexus has made; write exclusive and exclusive access of another nexus; the same of
 * registrants or all registrants, the nexus not registered; the same, registered.
 * A: allowed. C: RESERVATION CONFLICT.
 *            SPC-2 WE  EA  WE-R EA-R registered
 *   FREE       A   A   A   A    A    A
 *   STATUS     C   A   A   A    A    A
 *   READ       C   A   C   A    C    A
 *   WRITE      C   C   C   C    C    A
 *   PR         C of any nexus's, its own too; else A, and it has rules of its own
 *   RESERVE    A: it has rules of its own */
enum reservation_class {
    RESERVATION_CLASS_FREE,
    RESERVATION_CLASS_STATUS,
    RESERVATION_CLASS_READ,
    RESERVATION_CLASS_WRITE,
    RESERVATION_CLASS_PR,
    RESERVATION_CLASS_RESERVE,
    RESERVATION_CLASS_COUNT,
};

/* An I_T nexus: initiator port (name and ISID) and target port (name and portal group
 * tag, which is its relative port identifier too). Names are in lower case, as
 * key_node_name() makes them. */
struct nexus_name {
    char initiator[REGISTRATION_NAME_MAX];
    char target[REGISTRATION_NAME_MAX];
    uint8_t isid[REGISTRATION_ISID_BYTES];
    uint16_t portal_group_tag;
};

struct registration {
    struct nexus_name nexus;
    uint64_t key; /* not 0 */
};

/* What a logical unit keeps over a loss of power: SPC-4, 5.13.5. Never without a
 * registration. The generation (PRGENERATION) is not kept: it begins with 0. */
struct kept_reservation {
    enum reservation_type type; /* RESERVATION_NONE: there are registrations alone */
    uint32_t holder; /* index into list; 0 if type is none or all registrants' */
    uint32_t count;  /* 1 to REGISTRATION_COUNT_MAX */
    struct registration list[]; /* in the order in which they came */
};

#endif
