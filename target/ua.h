/* SPDX-License-Identifier: Apache-2.0 */
/* Unit attentions of one session (I_T nexus): what has happened to each of its logical
 * units that its initiator was not told yet. SAM-5, 5.14. A session's own, used on its
 * reactor's thread alone. */
#ifndef TARGET_UA_H
#define TARGET_UA_H

#include "base/auto.h"
#include "proto/sense.h"
#include "target/lu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are told: the more general first. */
enum ua_kind {
    UA_POWER_ON,   /* a new nexus: power on, reset, or bus device reset occurred */
    UA_LU_RESET,   /* a logical unit reset, by any nexus */
    UA_NEXUS_LOST, /* an I_T nexus reset, by its own initiator */
    UA_CLEARED,    /* its commands were cleared by another initiator */
    UA_RESERVATIONS_PREEMPTED, /* by another initiator, as those below */
    UA_REGISTRATIONS_PREEMPTED,
    UA_RESERVATIONS_RELEASED,
    UA_MEDIUM_CHANGED,   /* the volume was rolled back */
    UA_CAPACITY_CHANGED, /* the volume was grown or shrunk */
    UA_ACCESS_CHANGED,   /* the state of some target port group */
    UA_MODE_CHANGED,     /* mode parameters changed, by another nexus */
    UA_THRESHOLD,        /* a soft threshold of thin provisioning was reached */
    UA_LUNS_CHANGED,     /* reported LUNs data has changed */
    UA_KIND_COUNT,
};

struct ua_slot {
    uint16_t bits;    /* one for each kind that waits */
    unsigned modes;   /* unit_modes() as this nexus knows them */
    unsigned reached; /* unit_reached(), the same */
};

struct ua {
    const struct view *view; /* borrowed from the access that the reactor holds */
    struct ua_slot *slots;   /* one for each LU of view. NULL: there was no memory for
                                them, and all LUs share the one below */
    struct ua_slot shared;
};

/* Empty: no view, nothing pending. */
void ua_init(struct ua *ua);
void ua_fini(struct ua *ua);

/* The nexus now has this view, or none (the old one is still valid in the call). Units
 * that are new to it begin with UA_POWER_ON (SAM-5, 6.2: each nexus is told once that the
 * unit was powered on); those that were there before keep what is pending. If it had a
 * view before and the LUNs shown differ, every unit gets UA_LUNS_CHANGED. */
void ua_set_view(struct ua *ua, const struct view *view);

/* lu: of the view. */
void ua_raise(struct ua *ua, const struct lu *lu, enum ua_kind kind);
void ua_raise_all(struct ua *ua, enum ua_kind kind);

/* Those that are told even where a reservation is in the command's way: SAM-5, 5.3.3. */
static inline bool ua_is_of_reset(enum sense_code code)
{
    return code == SENSE_POWER_ON || code == SENSE_LU_RESET || code == SENSE_NEXUS_LOSS;
}

/* Tells the first that waits for this unit (of the view) and forgets it. False: none,
 * *code is untouched. */
bool ua_take(struct ua *ua, const struct lu *lu, enum sense_code *code) MUST_CHECK;
/* What ua_take() would tell, SENSE_NONE for nothing, and whether more wait behind it. */
enum sense_code ua_peek(struct ua *ua, const struct lu *lu, bool *more);
/* What is told with it: of UA_THRESHOLD, where the threshold's descriptor is in the
 * logical block provisioning mode page. SBC-4, 4.7.3.7. */
void ua_sense(const struct lu *lu, enum sense_code code, struct sense *sense);
/* This nexus itself has changed the unit's modes to these: nothing to tell it. */
void ua_saw_modes(struct ua *ua, const struct lu *lu, unsigned modes);
/* A REPORT LUNS has told what UA_LUNS_CHANGED would announce: of all units. SPC-4, 6.33.
 */
void ua_luns_were_reported(struct ua *ua);

#endif
