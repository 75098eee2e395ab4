/* SPDX-License-Identifier: Apache-2.0 */
/* What every host's view of one volume shares: the logical unit itself, with the mode
 * parameters that a MODE SELECT may change for all of them, and counts of what was done
 * with it. It lives as long as any access shows the volume. Any thread. */
#ifndef TARGET_UNIT_H
#define TARGET_UNIT_H

#include "base/auto.h"
#include "lunmgr/volume.h"
#include "target/target.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* READ and WRITE of 6, 10, 12 and 16 bytes. */
struct unit_work {
    uint64_t commands; /* answered, whatever their status */
    uint64_t bytes;    /* of data-in or data-out */
    uint64_t us;       /* from when they came to when their answer was ready */
};

/* What one reactor did. It alone adds, any thread reads: relaxed, each is right by
 * itself. A cache line of its own, so that reactors do not wait for each other's. */
struct unit_lane {
    _Alignas(64) atomic_uint_fast64_t commands[2];
    atomic_uint_fast64_t bytes[2], us[2];
};

struct unit {
    atomic_uint refs;
    atomic_uint modes;     /* UNIT_* bits, and above them a count of the changes */
    struct volume *volume; /* the unit has a reference */
    struct unit_lane lanes[TARGET_REACTOR_MAX];
};

#define UNIT_DESCRIPTOR_SENSE 0x1U /* D_SENSE of the control mode page */
#define UNIT_WRITE_PROTECT    0x2U /* SWP of the same */
#define UNIT_MODE_BITS        0x3U

/* NULL: no memory. One reference, the caller's. */
struct unit *unit_create(struct volume *volume);
struct unit *unit_get(struct unit *unit);
void unit_put(struct unit *unit);

/* Adds it to what that reactor did; the reactor's thread. */
void unit_count(struct unit *unit, unsigned reactor, bool write,
                const struct unit_work *work);
/* What all of them did since the unit is there. */
struct unit_work unit_work(const struct unit *unit, bool write);

/* The bits and the count: two values differ if a mode was changed between them. */
static inline unsigned unit_modes(const struct unit *unit)
{
    return atomic_load_explicit(&unit->modes, memory_order_acquire);
}
/* Changes the bits, if they are not so already. Returns what unit_modes() is then. */
unsigned unit_set_modes(struct unit *unit, unsigned bits);

#endif
