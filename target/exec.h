/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI execution: what a command needs, doing it, its status. No iSCSI here: the
 * transport moves the data. On the reactor's thread.
 *
 * A command: exec_prepare decodes and checks the CDB and says which buffer and how much
 * data-out it needs; the transport gets both; exec_start does it; task_done (task.h)
 * ends it. Several commands of a nexus run side by side; exec_prepare is called in order
 * of CmdSN. */
#ifndef TARGET_EXEC_H
#define TARGET_EXEC_H

#include "base/auto.h"
#include "target/alua.h"
#include "target/lu.h"
#include "target/task.h"

#include <stdbool.h>
#include <stdint.h>

enum exec_result {
    EXEC_DONE,    /* the answer is in the task; task_done is not called */
    EXEC_PENDING, /* prepare: go on to exec_start. start: task_done will be called */
};

/* Sets lu, data_out_bytes, buffer_bytes and data_offset; or answers at once (a bad CDB, a
 * unit attention, a LUN that is not there, a range beyond the end), with none of them
 * set but lu. Does no I/O, allocates nothing. */
enum exec_result exec_prepare(struct task *t) MUST_CHECK;
/* The buffer is there and the data-out has arrived. Not called when the LU has gone from
 * the view since exec_prepare: the transport answers LOGICAL UNIT NOT SUPPORTED itself,
 * as it answers data-out that broke iSCSI's rules. */
enum exec_result exec_start(struct task *t) MUST_CHECK;

/* Somebody waits for t's end, with no answer wanted or its LU going: it waits for space
 * no longer. */
void exec_hurry(struct task *t);

/* Whether t, prepared and not yet started, is taken through a port group in this state.
 */
bool exec_is_taken(const struct task *t, enum alua_state state);
/* What t's nexus sees is this from now on, t->lu in it. False: another unit that exec
 * works on for t is gone from it, and t's end is to be waited for with the old view. */
bool exec_follow(struct task *t, const struct view *view) MUST_CHECK;

/* Whether limits are for t, which exec_start could get now, and how many bytes it counts
 * for. */
bool exec_is_limited(const struct task *t, uint64_t *bytes);

/* ---- Nexus: the I_T nexus of one normal session -------------------------------------
 * What the session's initiator sees and the unit attentions that wait for it. Used by
 * its session's reactor alone. */
struct nexus;
struct reservation_nexus;

struct nexus_spec {
    const char *initiator;    /* iSCSI name; copied */
    uint8_t isid[ISID_BYTES]; /* with the name: the initiator port */
    const char *target_name;  /* borrowed: as long as the nexus lives */
    uint16_t portal_group_tag;
    uint16_t tmfs; /* the task management functions that it may ask: REPORT_TMF_* */
    /* The tags of all portal groups, in ascending order; borrowed as the name is. */
    const uint16_t *port_tags;
    size_t port_count;
    unsigned reactor;        /* the session's */
    const struct alua *alua; /* its reactor's; it has the tag's group */
};
/* view: of the access that the reactor holds. 0, or -ENOMEM. */
int nexus_create(const struct nexus_spec *spec, const struct view *view,
                 struct nexus **out) MUST_CHECK;
/* No task of it is left. NULL is allowed. */
void nexus_destroy(struct nexus *n);
/* As reservations know it. */
const struct reservation_nexus *nexus_id(const struct nexus *n);
const struct view *nexus_view(const struct nexus *n);
/* The reactor took a new access: `view` is what is seen from now on (NULL: the host is
 * gone, nothing is seen). Where it differs: unit attention REPORTED LUNS DATA HAS
 * CHANGED. The old view is still valid during the call. The transport then points the
 * lu of each task that view_keeps() at the new view. */
void nexus_set_view(struct nexus *n, const struct view *view);

/* What happened to a LU: by task management of an initiator, by an admin. */
enum nexus_event {
    NEXUS_LU_RESET,      /* BUS DEVICE RESET FUNCTION OCCURRED */
    NEXUS_TARGET_RESET,  /* POWER ON, RESET, OR BUS DEVICE RESET OCCURRED */
    NEXUS_TASKS_CLEARED, /* COMMANDS CLEARED BY ANOTHER INITIATOR */
    NEXUS_RESIZED,       /* CAPACITY DATA HAS CHANGED */
    NEXUS_REPLACED,      /* NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED */
    NEXUS_LOST,          /* I_T NEXUS LOSS OCCURRED */
    NEXUS_RESERVATIONS_PREEMPTED,
    NEXUS_REGISTRATIONS_PREEMPTED,
    NEXUS_RESERVATIONS_RELEASED,
    NEXUS_ACCESS_CHANGED, /* ASYMMETRIC ACCESS STATE CHANGED */
};
/* Raises its unit attention for the LU that shows `volume`; NULL: for every LU. */
void nexus_notice(struct nexus *n, const struct volume *volume, enum nexus_event event);
/* The unit attention that a command to lu (of the nexus's view) would be told now, and
 * whether more wait behind it. SENSE_NONE: none. */
enum sense_code nexus_attention(struct nexus *n, const struct lu *lu, bool *more);

#endif
