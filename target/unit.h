/* SPDX-License-Identifier: Apache-2.0 */
/* What every host's view of one volume shares: the logical unit itself, with the mode
 * parameters that a MODE SELECT may change for all of them. It lives as long as any
 * access shows the volume. Any thread. */
#ifndef TARGET_UNIT_H
#define TARGET_UNIT_H

#include "base/auto.h"
#include "lunmgr/volume.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct unit {
    atomic_uint refs;
    atomic_uint modes;     /* UNIT_* bits, and above them a count of the changes */
    struct volume *volume; /* the unit has a reference */
};

#define UNIT_DESCRIPTOR_SENSE 0x1U /* D_SENSE of the control mode page */
#define UNIT_WRITE_PROTECT    0x2U /* SWP of the same */
#define UNIT_MODE_BITS        0x3U

/* NULL: no memory. One reference, the caller's. */
struct unit *unit_create(struct volume *volume);
struct unit *unit_get(struct unit *unit);
void unit_put(struct unit *unit);

/* The bits and the count: two values differ if a mode was changed between them. */
static inline unsigned unit_modes(const struct unit *unit)
{
    return atomic_load_explicit(&unit->modes, memory_order_acquire);
}
/* Changes the bits, if they are not so already. Returns what unit_modes() is then. */
unsigned unit_set_modes(struct unit *unit, unsigned bits);

#endif
