/* SPDX-License-Identifier: Apache-2.0 */
/* One reactor's change from one access snapshot to the next: done when no command of a
 * LU that is gone is with exec any more. The reactor's thread. */
#ifndef TARGET_ACCESS_SWAP_H
#define TARGET_ACCESS_SWAP_H

#include "target/fanout.h"

struct access;
struct task;

struct access_swap {
    struct fanout_leg *leg;
    struct access *from, *to; /* a reference each */
    unsigned pending;
};

/* A leg's run: the reactor and its sessions take swap->to. leg->state is the swap. */
void access_swap_run(struct fanout_leg *leg);
/* The task's end is waited for. */
void access_swap_await(struct access_swap *swap, struct task *t);
/* It has ended, or never was waited for. */
void access_swap_on_task_end(struct task *t);

#endif
