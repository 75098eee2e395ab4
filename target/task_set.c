/* SPDX-License-Identifier: Apache-2.0 */
/* The session's list has its commands in order of arrival, and there are at most a window
 * of them, so the rare session with an ordering walks it. */
#include "target/task_set.h"

#include "target/session.h"
#include "target/task_flow.h"

static bool task_orders(const struct task *t)
{
    return t->attribute == TASK_ORDERED || t->attribute == TASK_HEAD_OF_QUEUE;
}

void task_set_enter(struct session *s, const struct task *t)
{
    s->ordering_count += task_orders(t);
}

void task_set_leave(struct session *s, const struct task *t)
{
    if (s->ordering_count == 0)
        return;
    s->ordering_count -= task_orders(t);
    s->set_changed = true;
}

/* Whether t is held up by o: SAM-5, 8.6. A HEAD OF QUEUE command that has no memory yet
 * is not in the set yet, or those that hold the memory would wait for it. */
static bool task_waits_for(const struct task *t, const struct task *o)
{
    if (o == t || o->state == TASK_ANSWERING || o->detached || o->lun != t->lun)
        return false;
    if (o->attribute == TASK_HEAD_OF_QUEUE)
        return o->state != TASK_WAITING;
    bool older = o->serial < t->serial;
    return older && (o->attribute == TASK_ORDERED || t->attribute == TASK_ORDERED);
}

bool task_set_enables(const struct session *s, const struct task *t)
{
    if (s->ordering_count == 0 || t->attribute == TASK_HEAD_OF_QUEUE)
        return true;
    for (const struct task *o = s->first; o != NULL; o = o->next) {
        if (task_waits_for(t, o))
            return false;
    }
    return true;
}

bool task_set_may_reserve(const struct session *s, const struct task *t)
{
    if (s->ordering_count == 0 || t->attribute == TASK_HEAD_OF_QUEUE)
        return true;
    for (const struct task *o = s->first; o != NULL && o != t; o = o->next) {
        if (o->state == TASK_WAITING)
            return false;
    }
    return true;
}

bool task_set_run(struct session *s)
{
    bool any = false;
    struct task *next;
    if (!s->set_changed)
        return false;
    s->set_changed = false;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        if (t->state != TASK_DORMANT || !task_set_enables(s, t))
            continue;
        task_start(t);
        any = true;
    }
    return any;
}
