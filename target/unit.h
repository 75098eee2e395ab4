/* SPDX-License-Identifier: Apache-2.0 */
/* What every host's view of one volume shares: the logical unit itself, with the mode
 * parameters that a MODE SELECT may change for all of them, counts of what was done with
 * it, and the thresholds that its space has reached. It lives as long as any access shows
 * the volume. Any thread. */
#ifndef TARGET_UNIT_H
#define TARGET_UNIT_H

#include "base/auto.h"
#include "lunmgr/volume.h"
#include "proto/mode.h"
#include "target/reservation.h"
#include "target/target.h"
#include "target/threshold.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* READ and WRITE of 6, 10, 12 and 16 bytes; COMPARE AND WRITE and WRITE ATOMIC(16) are
 * writes. */
struct unit_work {
    uint64_t commands; /* answered, whatever their status */
    uint64_t bytes;    /* of data-in or data-out */
    uint64_t us;       /* from when they came to when their answer was ready */
};

/* One reactor's. What it did: it alone adds, any thread reads, relaxed, each is right by
 * itself. What is reserved: its own. A cache line, so that reactors do not wait for each
 * other's. */
struct unit_lane {
    _Alignas(64) atomic_uint_fast64_t commands[2];
    atomic_uint_fast64_t bytes[2], us[2];
    const struct reservation *reservation; /* with a reference */
    unsigned reservations;                 /* how often it has changed */
};

struct unit {
    atomic_uint refs;
    /* For the data path: UNIT_* bits of the current values, and above them a count of the
     * changes. Written under the lock. */
    atomic_uint modes;
    /* The last threshold reached: its number, and above it a count of them. */
    atomic_uint reached;
    atomic_uint reached_taken; /* with UNIT_TELLS_ONE: what some nexus was told of */
    atomic_bool selecting;     /* a MODE SELECT is under way */
    pthread_mutex_t lock;
    struct mode_values values; /* under the lock */
    struct volume *volume;     /* the unit has a reference */
    struct threshold_watch watch;
    /* What the control thread has decided last, and who waits for a change of it:
     * reserve.h. */
    const struct reservation *reservation; /* with a reference */
    struct reserve_change *changes;
    unsigned reserver_reactor; /* where the last RESERVE came from, */
    uint64_t reserver_serial;  /* and its task's number there */
    struct unit_lane lanes[TARGET_REACTOR_MAX];
};

#define UNIT_DESCRIPTOR_SENSE 0x1U /* D_SENSE of the control mode page */
#define UNIT_WRITE_PROTECT    0x2U /* SWP of the same */
#define UNIT_WRITE_THROUGH    0x4U /* WCE of the caching mode page is 0 */
#define UNIT_TELLS_ONE        0x8U /* SITUA of the logical block provisioning mode page */
#define UNIT_MODE_BITS        0xfU

#define UNIT_REACHED_INDEX 0xffU /* which threshold; above it the count */

/* Control thread: it begins with the values saved with the volume, else the defaults of
 * its pool, and with the reservation kept with it. NULL: no memory. One reference, the
 * caller's. */
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

/* As that reactor knows it; NULL: nothing is reserved and nobody is registered. Its
 * thread, and borrowed for as long as it turns to nothing else. */
static inline const struct reservation *unit_reservation(const struct unit *unit,
                                                         unsigned reactor)
{
    return unit->lanes[reactor].reservation;
}
/* How many changes it has seen. */
static inline unsigned unit_reservations(const struct unit *unit, unsigned reactor)
{
    return unit->lanes[reactor].reservations;
}
/* Its thread: it knows this one from now on. */
void unit_take_reservation(struct unit *unit, unsigned reactor,
                           const struct reservation *reservation);

/* Not on the data path: takes the lock. */
void unit_values(struct unit *unit, struct mode_values *out);

/* One MODE SELECT at a time works on what it has read. False: another one does. */
bool unit_select_begin(struct unit *unit) MUST_CHECK;
void unit_select_end(struct unit *unit);
/* The current values are these; saved: and they are what a reset returns to. Returns what
 * unit_modes() is then, another one if anything has changed. */
unsigned unit_set_modes(struct unit *unit, const struct modes *modes, bool saved);
/* A logical unit reset: the saved values again. SPC-5, 6.12. */
unsigned unit_reset_modes(struct unit *unit);

static inline unsigned unit_reached(const struct unit *unit)
{
    return atomic_load_explicit(&unit->reached, memory_order_acquire);
}
/* The threshold has been reached: each nexus that sees the unit is to be told of it, or
 * with UNIT_TELLS_ONE the first that takes it. Control thread. */
void unit_reach(struct unit *unit, unsigned index);
/* Whether a nexus that has found unit_reached() to be this is one to be told. */
bool unit_tells_reached(struct unit *unit, unsigned reached);

#endif
