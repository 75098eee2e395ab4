/* SPDX-License-Identifier: Apache-2.0 */
/* The way of saved mode parameters from a command on a reactor to the catalog and back: a
 * note to the control thread, which has the volume save them, and a note with what came
 * of it. Nobody waits meanwhile but the command. */
#ifndef TARGET_MODE_SAVE_H
#define TARGET_MODE_SAVE_H

#include "base/auto.h"
#include "base/modes.h"

struct task;

/* rc: 0, they are durable; else a negative errno. The modes are borrowed for the call. */
typedef void (*mode_save_fn)(struct task *task, const struct modes *modes, int rc);

/* On the reactor of the task, which exec has: its unit stays until done. 0, and done is
 * called on the reactor, later; or -ENOMEM, and it is not. */
int mode_save_start(struct task *task, const struct modes *modes,
                    mode_save_fn done) MUST_CHECK;

#endif
