/* SPDX-License-Identifier: Apache-2.0 */
/* One reactor's change from one state of a unit's reservations to the next: its nexuses
 * are told, commands of those that were preempted with abort end, and it is done when
 * exec has no command any more that the new state would not let begin. The reactor's
 * thread. */
#ifndef TARGET_RESERVE_LEG_H
#define TARGET_RESERVE_LEG_H

#include "target/fanout.h"

struct task;

struct reserve_leg {
    struct fanout_leg *leg;
    unsigned pending;
};

/* A leg's run. leg->state is the reserve_leg, its fanout a struct reserve_change's. */
void reserve_leg_run(struct fanout_leg *leg);
/* It has ended, or never was waited for. */
void reserve_leg_on_task_end(struct task *t);

#endif
