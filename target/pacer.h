/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that wait until the limits of their volume and of their host let them begin
 * (lunmgr/throttle.h). Those of one session to one logical unit wait in a row; the rows
 * of a reactor are served in turn, the longest waiting first, so a deep queue takes
 * nothing from a shallow one. The first of a row pays at each of its limits as soon as
 * that has room for it, and begins when it has paid at all of them: none keeps a place
 * at a limit while it waits for another. Commands that are no I/O, and all where nothing
 * is limited, do not come here. The reactor's thread. */
#ifndef TARGET_PACER_H
#define TARGET_PACER_H

#include "base/err.h"

#include <stdbool.h>

struct event;
struct flow;
struct reactor;
struct task;

/* A reactor's. */
struct pacer {
    struct event *timer;
    struct flow *first, *last; /* rows with a command that waits */
    struct flow *spare;
    bool wanted; /* to be looked at, in this turn */
};

int pacer_init(struct pacer *p, struct reactor *r, struct err *e) MUST_CHECK;
/* Nothing waits. */
void pacer_fini(struct pacer *p);

/* t, whose LU is limited, may be executed but for that. 0: for them too. -EAGAIN: it
 * waits, its state is TASK_THROTTLED, and task_execute() is called. -ENOMEM. */
int pacer_enter(struct task *t) MUST_CHECK;
/* It will not be executed: its state is TASK_DORMANT. */
void pacer_leave(struct task *t);
/* Limits may have changed. */
void pacer_wake(struct pacer *p);
/* Lets those begin whose time has come. True: there was one. */
bool pacer_turn(struct reactor *r);

#endif
