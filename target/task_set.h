/* SPDX-License-Identifier: Apache-2.0 */
/* Which commands may run now, by their task attributes (SAM-5, 8): a task set is the
 * commands of one nexus to one logical unit (TST 001b in the control mode page). A
 * session without an ORDERED or HEAD OF QUEUE command pays one comparison a command. The
 * session's reactor alone. */
#ifndef TARGET_TASK_SET_H
#define TARGET_TASK_SET_H

#include "base/auto.h"

#include <stdbool.h>

struct session;
struct task;

/* t has come, and is in its session's list. */
void task_set_enter(struct session *s, const struct task *t);
/* It is answered, or gone without an answer. */
void task_set_leave(struct session *s, const struct task *t);
/* Whether t may run. If not, task_set_run() asks again when another one has left. */
bool task_set_enables(const struct session *s, const struct task *t) MUST_CHECK;
/* Whether t may take buffer memory: not before an older one of its session that waits for
 * some, or that one would wait for t, dormant with what it needs. */
bool task_set_may_reserve(const struct session *s, const struct task *t) MUST_CHECK;
/* Runs the dormant ones that may run now. True: there was one. */
bool task_set_run(struct session *s);

#endif
