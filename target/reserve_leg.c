/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that exec does not have yet are checked against the new state when it gets
 * them (exec.c). Those that wait for a change of this very unit come after this one and
 * are not waited for: they are judged by the new state. */
#include "target/reserve_leg.h"

#include "target/conn.h"
#include "target/copy_run.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/reserve.h"
#include "target/session.h"
#include "target/task_flow.h"
#include "target/unit.h"

#include <assert.h>

static void leg_unpin(struct reserve_leg *l)
{
    if (--l->pending == 0)
        fanout_leg_done(l->leg);
}

void reserve_leg_on_task_end(struct task *t)
{
    for (size_t i = 0; i < TASK_UNITS; i++) {
        struct reserve_leg *l = TAKE(t->drains[i]);
        if (l != NULL)
            leg_unpin(l);
    }
}

static void leg_await(struct reserve_leg *l, struct task *t)
{
    size_t i = 0;
    while (t->drains[i] != NULL) {
        i++;
        assert(i < TASK_UNITS); /* changes of a unit come one after the other */
    }
    t->drains[i] = l;
    l->pending++;
}

static enum nexus_event event_of(enum sense_code code)
{
    switch (code) {
    case SENSE_RESERVATIONS_PREEMPTED:
        return NEXUS_RESERVATIONS_PREEMPTED;
    case SENSE_REGISTRATIONS_PREEMPTED:
        return NEXUS_REGISTRATIONS_PREEMPTED;
    default:
        assert(code == SENSE_RESERVATIONS_RELEASED);
        return NEXUS_RESERVATIONS_RELEASED;
    }
}

static void leg_abort(struct reserve_leg *l, struct task *t)
{
    if (t->state == TASK_EXECUTING && t->exec.change == NULL)
        leg_await(l, t);
    task_abort(t);
}

static bool is_of(const struct reserve_change *c, const struct task *t)
{
    return t->lu != NULL && t->lu->unit == c->unit;
}

/* The new state has it in conflict: it began, and ends, before the change is answered. */
static bool leg_has_overtaken(const struct reserve_change *c, const struct task *t)
{
    const struct reservation *after = c->outcome.after;
    if (!c->outcome.takes_away || t->state != TASK_EXECUTING || t->exec.change != NULL)
        return false;
    if (t->exec.copy != NULL && copy_run_loses(t->exec.copy, c->unit, after))
        return true;
    return is_of(c, t) && reservation_conflicts(after, nexus_id(t->nexus),
                                                cdb_class_of(t->cdb, t->exec.op));
}

/* True: one was aborted. */
static bool leg_end_tasks(struct reserve_leg *l, const struct reserve_change *c,
                          struct session *s, bool aborts)
{
    bool aborted = false;
    struct task *next;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        if (t == c->task)
            continue;
        if (aborts && is_of(c, t) && t->state != TASK_ANSWERING) {
            aborted = true;
            leg_abort(l, t);
        } else if (leg_has_overtaken(c, t)) {
            leg_await(l, t);
            exec_hurry(t);
        }
    }
    return aborted;
}

static void leg_take_session(struct reserve_leg *l, const struct reserve_change *c,
                             struct session *s)
{
    const struct reservation_told *told =
        reservation_told_of(&c->outcome, nexus_id(s->nexus));
    struct volume *volume = c->unit->volume;
    bool aborted = leg_end_tasks(l, c, s, told != NULL && told->aborts);
    if (aborted) /* TAS is 0: SAM-5, 5.8 */
        nexus_notice(s->nexus, volume, NEXUS_TASKS_CLEARED);
    if (told != NULL && told->code != SENSE_NONE)
        nexus_notice(s->nexus, volume, event_of(told->code));
}

void reserve_leg_run(struct fanout_leg *leg)
{
    const struct reserve_change *c =
        container_of(leg->fanout, struct reserve_change, fanout);
    struct reserve_leg *l = leg->state;
    struct reactor *r = leg->reactor;
    l->leg = leg;
    l->pending = 1;
    unit_take_reservation(c->unit, r->index, c->outcome.after);
    for (struct conn *k = r->conns; k != NULL; k = k->next) {
        if (k->session->nexus != NULL)
            leg_take_session(l, c, k->session);
    }
    leg_unpin(l);
}
