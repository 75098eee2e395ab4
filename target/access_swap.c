/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions are told one by one; tasks of LUs that stay are pointed at the new snapshot,
 * the others keep the old one until exec has ended them. */
#include "target/access_swap.h"

#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"
#include "target/task.h"

static void access_swap_unpin(struct access_swap *swap)
{
    if (--swap->pending > 0)
        return;
    access_put(swap->from);
    fanout_leg_done(swap->leg);
}

void access_swap_run(struct fanout_leg *leg)
{
    struct access_swap *swap = leg->state;
    struct reactor *r = leg->reactor;
    swap->leg = leg;
    swap->from = r->access;
    swap->pending = 1;
    r->access = swap->to;
    for (struct conn *c = r->conns; c != NULL; c = c->next)
        session_swap_access(c->session, swap);
    pacer_wake(&r->pacer);
    access_swap_unpin(swap);
}

void access_swap_await(struct access_swap *swap, struct task *t)
{
    if (t->swap !=
        NULL) /* an earlier one waits for it already, and this one comes after */
        return;
    t->swap = swap;
    swap->pending++;
}

void access_swap_on_task_end(struct task *t)
{
    struct access_swap *swap = TAKE(t->swap);
    if (swap != NULL)
        access_swap_unpin(swap);
}
