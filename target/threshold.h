/* SPDX-License-Identifier: Apache-2.0 */
/* Soft thresholds of thin provisioning (SBC-4, 4.7.3.7): a timer of the control thread
 * looks ten times a second, hardly ever while no host asks anything and lunmgr rests, at
 * what the pools have left and the volumes own, at no more than THRESHOLD_LOOK_UNITS
 * units at a time, and tells each threshold once when it is reached: the nexuses that see
 * the unit by a unit attention, and who listens to the target. It is armed again when the
 * space has come back by THRESHOLD_BACK_PERCENT of the pool beyond it. No lock that I/O
 * takes is taken.
 */
#ifndef TARGET_THRESHOLD_H
#define TARGET_THRESHOLD_H

#include "base/err.h"
#include "base/modes.h"

#include <stdbool.h>
#include <stdint.h>

struct target;
struct thresholds;

#define THRESHOLD_LOOK_MS      100
#define THRESHOLD_REST_MS      60000
#define THRESHOLD_QUIET_LOOKS  50   /* without a command: it rests */
#define THRESHOLD_LOOK_UNITS   2000 /* 10,000 of them in half a second */
#define THRESHOLD_BACK_PERCENT 1

/* Of one unit: its thresholds as they were looked at, and which have been reached and not
 * been armed again. A new one is armed. Control thread. */
struct threshold_watch {
    struct threshold seen[THRESHOLD_MAX];
    bool reached[THRESHOLD_MAX];
};

struct threshold_space {
    uint64_t pool_extents, free_extents, used_extents;
};

/* True: the threshold is reached now and was armed. Pure. */
bool threshold_watch_look(struct threshold_watch *watch, unsigned index,
                          const struct threshold *threshold,
                          const struct threshold_space *space);

/* Control thread, as all below: the timer runs. */
int thresholds_create(struct target *t, struct thresholds **out,
                      struct err *e) MUST_CHECK;
/* lunmgr rests no more. */
void thresholds_on_stirred(struct thresholds *thresholds);
/* NULL is allowed. */
void thresholds_destroy(struct thresholds *thresholds);

#endif
