/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a logical unit: its persistent reservation and the nexuses that
 * are registered with it (SPC-4, 5.13), or a reservation of RESERVE and RELEASE (SPC-2,
 * 5.5). A state never changes once it is made: whoever changes something makes the next
 * one, tells every reactor, and answers when all of them have it. Pure: no I/O, no
 * threads, no locks; any thread may look at a state that it has a reference to, and make
 * the next one of it (the caller sees to it that only one does at a time).
 *
 * NULL is a state too: nobody was registered since the unit was powered on.
 *
 *   PERSISTENT RESERVE OUT, RESERVE, RELEASE, the end of a nexus, a reset:
 *     rc = reservation_apply(before, &request, &who, &outcome);      -ENOMEM: BUSY
 *     outcome.after != NULL: first, if outcome.is_kept, reservation_keep(after) durable
 *     by volume_keep_reservation(); a failure of that is INTERNAL TARGET FAILURE, and
 *     `before` stays in force. Then every reactor takes `after` in place of `before`;
 *     each of them looks with reservation_told_of() which of its nexuses to tell, and
 *     whose tasks to abort; if outcome.takes_away, commands of before have ended (a
 *     fence); then it is answered with outcome.status.
 *     reservation_outcome_fini(&outcome).
 *   PERSISTENT RESERVE IN: reservation_read().
 *   Before every other command: reservation_conflicts().
 *   Start: reservation_load(volume_kept_reservation()). */
#ifndef TARGET_RESERVATION_H
#define TARGET_RESERVATION_H

#include "base/auto.h"
#include "base/registration.h"
#include "base/wire.h"
#include "proto/pdu.h"
#include "proto/pr.h"
#include "proto/sense.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Nexuses ---------------------------------------------------------------------- */

/* An I_T nexus as states know it; made once a session. */
struct reservation_nexus {
    struct nexus_name name;
    uint64_t hash; /* of the name */
};
/* initiator, target: at most 223 bytes, any case. */
void reservation_nexus_init(struct reservation_nexus *nexus, const char *initiator,
                            const uint8_t isid[REGISTRATION_ISID_BYTES],
                            const char *target, uint16_t portal_group_tag);
bool reservation_nexus_equals(const struct reservation_nexus *a,
                              const struct reservation_nexus *b);

/* ---- The state -------------------------------------------------------------------- */

struct reservation_member {
    struct reservation_nexus nexus;
    uint64_t key;
};

struct reservation {
    atomic_uint refs;
    uint32_t generation; /* PRGENERATION */
    bool aptpl;          /* the last one that a REGISTER brought */
    bool restricts;      /* type is not none, or is_reserved: for a quick look */
    bool is_reserved;    /* by RESERVE; nobody is registered then */
    enum reservation_type type;
    uint32_t holder;                   /* of a type that has one: index of a member */
    uint32_t count;                    /* of members, at most REGISTRATION_COUNT_MAX */
    struct reservation_nexus reserver; /* with is_reserved */
    /* With is_reserved: the state after it, made beforehand, so that its end cannot fail.
     */
    const struct reservation *without;
    const uint64_t *hashes;              /* of the members, for a quick scan */
    struct reservation_member members[]; /* in the order in which they registered */
};

/* NULL is allowed, and is NULL. */
const struct reservation *reservation_get(const struct reservation *r);
void reservation_put(const struct reservation *r);

/* The nexus's registration; NULL: it has none. */
const struct reservation_member *reservation_member_of(const struct reservation *r,
                                                       const struct reservation_nexus *n);
/* The nexus holds the persistent reservation. */
bool reservation_is_held_by(const struct reservation *r,
                            const struct reservation_nexus *n);

/* ---- Commands and reservations ---------------------------------------------------- */

/* Which command is of which class: proto/cdb_table.h. */

/* With a state that restricts. */
bool reservation_restricts_nexus(const struct reservation *r,
                                 const struct reservation_nexus *who,
                                 enum reservation_class class);

/* The nexus's command ends with RESERVATION CONFLICT. Allocates nothing; a short scan of
 * hashes where a reservation is in force. */
static inline bool reservation_conflicts(const struct reservation *r,
                                         const struct reservation_nexus *who,
                                         enum reservation_class class)
{
    return r != NULL && r->restricts && reservation_restricts_nexus(r, who, class);
}

/* ---- Changes ---------------------------------------------------------------------- */

enum reservation_change {
    RESERVATION_PR_OUT,    /* PERSISTENT RESERVE OUT: cdb and list */
    RESERVATION_RESERVE,   /* RESERVE 6, 10 */
    RESERVATION_RELEASE,   /* RELEASE 6, 10 */
    RESERVATION_NEXUS_END, /* logout, I_T nexus loss: who's SPC-2 reservation goes */
    RESERVATION_RESET,     /* logical unit reset, target reset: anybody's goes */
};
struct reservation_request {
    enum reservation_change change;
    const struct cdb_pr_out *cdb;
    const struct pr_list *list;
    /* Tags of all portal groups, who's among them: ALL_TG_PT registers with each,
     * REGISTER AND MOVE may name one. */
    const uint16_t *port_tags;
    size_t port_count;
};

/* What a registered nexus, other than the asker, has to learn. */
struct reservation_told {
    const struct reservation_nexus *nexus;
    /* SENSE_RESERVATIONS_PREEMPTED, _RESERVATIONS_RELEASED or _REGISTRATIONS_PREEMPTED as
     * a unit attention; SENSE_NONE: nothing is told. */
    enum sense_code code;
    /* PREEMPT AND ABORT: all of its commands to the unit end without an answer. Of the
     * asker too, if it has preempted itself, save this one. SPC-4, 5.13.11.5. */
    bool aborts;
};

struct reservation_outcome {
    enum sam_status status;           /* GOOD, RESERVATION CONFLICT, CHECK CONDITION */
    struct sense sense;               /* of CHECK CONDITION */
    const struct reservation *before; /* with a reference; may be NULL */
    const struct reservation *after;  /* with a reference; NULL: nothing changes */
    /* What is kept over a loss of power changes: durable before anybody takes `after`. */
    bool is_kept;
    /* Some nexus may not do what it might: its commands in flight end before the answer.
     */
    bool takes_away;
    bool aborts;                   /* some of told says so */
    struct reservation_told *told; /* names lie in before */
    size_t told_count;
};

/* Judges the request in the order of SPC-4: the SPC-2 reservation, the registration of
 * the asker, its key, the fields of CDB and list, then the action. 0 with *out, or
 * -ENOMEM with nothing in it to fini. RELEASE, RESERVATION_NEXUS_END and _RESET allocate
 * nothing and do not fail; the status of the last two is GOOD. A TransportID of REGISTER
 * (SPEC_I_PT) that names a registered nexus leaves that as it is. */
int reservation_apply(const struct reservation *before,
                      const struct reservation_request *request,
                      const struct reservation_nexus *who,
                      struct reservation_outcome *out) MUST_CHECK;
void reservation_outcome_fini(struct reservation_outcome *out);
/* What the nexus is to learn; NULL: nothing. */
const struct reservation_told *reservation_told_of(const struct reservation_outcome *out,
                                                   const struct reservation_nexus *n);

/* ---- PERSISTENT RESERVE IN -------------------------------------------------------- */

/* The reply: SPC-4, 6.15. r may be NULL. */
void reservation_read(const struct reservation *r, enum pr_in_action action,
                      struct wire *out);

/* ---- What outlives the daemon ----------------------------------------------------- */

/* 0 and *out, which is the caller's (free); NULL: nothing is kept (no APTPL, or nobody is
 * registered). Or -ENOMEM. r may be NULL. */
int reservation_keep(const struct reservation *r,
                     struct kept_reservation **out) MUST_CHECK;
/* The state that a unit begins with: APTPL, generation 0. kept NULL: *out is NULL. 0, or
 * -ENOMEM. */
int reservation_load(const struct kept_reservation *kept,
                     const struct reservation **out) MUST_CHECK;

#endif
