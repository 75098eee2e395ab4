/* SPDX-License-Identifier: Apache-2.0 */
/* What reservation.c and reservation_change.c share: how a state is made. */
#ifndef TARGET_RESERVATION_PRIV_H
#define TARGET_RESERVATION_PRIV_H

#include "target/reservation.h"

#define RESERVATION_NOBODY UINT32_MAX

/* Zeroed, one reference, room for so many members, without hashes until they are sealed.
 * NULL: no memory. */
struct reservation *reservation_new(size_t room);
/* The members are complete: nothing of it changes any more. room: as it was made with. */
void reservation_seal(struct reservation *r, size_t room);
/* The name is complete. */
void reservation_nexus_seal(struct reservation_nexus *nexus);
/* Index of its member, in a sealed state or NULL; or RESERVATION_NOBODY. */
uint32_t reservation_find(const struct reservation *r,
                          const struct reservation_nexus *nexus);

/* Registrants only, or all registrants: whoever is registered may do all. */
static inline bool reservation_type_is_shared(unsigned type)
{
    return type >= RESERVATION_WRITE_REGISTRANTS;
}
/* It keeps others from reading, too. */
static inline bool reservation_type_excludes(unsigned type)
{
    return type == RESERVATION_EXCLUSIVE_ACCESS ||
           type == RESERVATION_ACCESS_REGISTRANTS || type == RESERVATION_ACCESS_ALL;
}

#endif
