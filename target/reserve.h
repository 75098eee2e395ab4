/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of what is reserved of a logical unit (reservation.h says what that is and what
 * becomes of it). Commands, the end of a nexus and resets ask for them on a reactor; the
 * control thread decides them, one at a time a unit: what has to outlive a loss of power
 * is durable first, then every reactor takes the new state (reserve_leg.h), then it is
 * answered. No reactor waits meanwhile, only the command. A change that has begun is done
 * whatever becomes of who asked. */
#ifndef TARGET_RESERVE_H
#define TARGET_RESERVE_H

#include "target/fanout.h"
#include "target/reservation.h"
#include "target/reserve_leg.h"
#include "target/target.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct nexus;
struct reactor;
struct reserve_change;
struct task;
struct unit;

/* On the reactor of the task. sense: of CHECK CONDITION. */
typedef void (*reserve_fn)(struct task *task, enum sam_status status,
                           const struct sense *sense);

/* For a command of t->nexus to t->lu, which exec has: both stay until done. The request's
 * cdb and list are copied; what the list points at is the task's buffer. Sets
 * t->exec.change. 0, and done is called on the reactor, later; or -ENOMEM, and it is not.
 */
int reserve_start(struct task *t, const struct reservation_request *request,
                  reserve_fn done) MUST_CHECK;
/* The task's reactor: a change that has not begun will not, and is answered LOGICAL UNIT
 * NOT SUPPORTED: nobody listens, or the unit is gone from the asker's view. */
void reserve_drop(struct reserve_change *change);

/* Which reservations by RESERVE (SPC-2) were there before something befell: those whose
 * command had come to its reactor before the serial of it, as in sweep.h. */
struct reserve_moment {
    uint64_t before_serials[TARGET_REACTOR_MAX];
};

/* Whether the unit is reserved by RESERVE: by that nexus, by any (NULL). The reactor's
 * thread. */
bool reserve_is_held(const struct reactor *r, const struct unit *unit,
                     const struct nexus *by);
/* It is released, if it was there at that moment: the nexus is lost, or (NULL) the unit
 * was reset. done: on this reactor, later, when all of them know. */
void reserve_end(struct reactor *r, struct unit *unit, const struct nexus *by,
                 const struct reserve_moment *moment, void (*done)(void *arg), void *arg);

/* Reserve.c's and reserve_leg.c's. */
struct reserve_change {
    struct note note;
    struct reserve_change *next; /* of its unit */
    struct target *target;
    struct unit *unit;  /* a reference */
    struct loop *asker; /* where the answer goes */
    struct task *task;  /* of a command */
    struct reservation_request request;
    struct cdb_pr_out cdb;
    struct pr_list list;
    struct reservation_nexus who;
    unsigned reactor;             /* where it was asked */
    uint64_t serial;              /* of the task */
    struct reserve_moment moment; /* of what is no command */
    atomic_bool dropped;
    bool begun;
    /* One of the two, on the asker: of a command, or of what is none. */
    reserve_fn done;
    void (*told)(void *arg);
    void *arg;
    enum sam_status status;
    struct sense sense;
    struct reservation_outcome outcome;
    struct fanout fanout;
    struct reserve_leg legs[TARGET_REACTOR_MAX];
};

#endif
