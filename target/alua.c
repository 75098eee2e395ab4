/* SPDX-License-Identifier: Apache-2.0 */
/* A change of a group's state. To one that takes fewer commands it goes in two steps, so
 * that nobody is told of the new state while a command of the old one is under way: on
 * all reactors the group is transitioning, what exec does not have is refused, and what
 * it has is waited for; then, on all of them, the new state and the unit attentions. */
#include "target/alua.h"

#include "base/log.h"
#include "lunmgr/port_group.h"
#include "target/conn.h"
#include "target/exec.h"
#include "target/fanout.h"
#include "target/reactor.h"
#include "target/session.h"
#include "target/task_flow.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* One reactor's first step. */
struct alua_wait {
    struct fanout_leg *leg;
    unsigned pending;
};

struct alua_change {
    struct alua_change *next; /* in the target's list */
    struct fanout fanout;
    struct target *target; /* NULL: it is gone */
    struct lunmgr *lunmgr;
    uint64_t ticket;
    struct port_group to;
    bool tells; /* it is another state than before */
    struct alua_wait waits[TARGET_REACTOR_MAX];
};

/* Of a tag that there is. */
static struct port_group *group_of(struct alua *alua, uint16_t tag)
{
    const struct port_group *group = alua_group(alua, tag);
    assert(group != NULL);
    return &alua->groups[group - alua->groups];
}

void alua_init(struct target *t)
{
    t->alua.count = t->group_count;
    for (size_t i = 0; i < t->group_count; i++) {
        struct port_group *group = &t->alua.groups[i];
        group->tag = t->group_tags[i];
        group->access = port_group_access(t->lunmgr, group->tag);
        group->altered = !alua_is_default(&group->access);
    }
}

void alua_fini(struct target *t)
{
    for (struct alua_change *c = t->alua_changes; c != NULL; c = c->next)
        c->target = NULL;
    t->alua_changes = NULL;
}

bool alua_is_changing(const struct target *t, uint16_t tag)
{
    const struct alua_change *change = t->alua_changes;
    while (change != NULL && change->to.tag != tag)
        change = change->next;
    return change != NULL;
}

/* ---- the first step ---- */

static void wait_unpin(struct alua_wait *wait)
{
    if (--wait->pending == 0)
        fanout_leg_done(wait->leg);
}

void alua_await(struct alua_wait *wait, struct task *t)
{
    assert(t->leaving == NULL); /* a group has one change at a time */
    t->leaving = wait;
    wait->pending++;
}

void alua_on_task_end(struct task *t)
{
    struct alua_wait *wait = TAKE(t->leaving);
    if (wait != NULL)
        wait_unpin(wait);
}

static void session_lose_access(struct session *s, enum alua_state to,
                                struct alua_wait *wait)
{
    struct task *next;
    for (struct task *t = s->first; t != NULL; t = next) {
        next = t->next;
        if (t->state == TASK_EXECUTING || !exec_is_taken(t, to))
            task_lose_access(t, wait);
    }
}

static void alua_run_first(struct fanout_leg *leg)
{
    const struct alua_change *change =
        container_of(leg->fanout, struct alua_change, fanout);
    struct reactor *r = leg->reactor;
    struct alua_wait *wait = leg->state;
    wait->leg = leg;
    wait->pending = 1;
    group_of(&r->alua, change->to.tag)->access.state = ALUA_TRANSITIONING;
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        if (c->portal_group_tag == change->to.tag)
            session_lose_access(c->session, change->to.access.state, wait);
    }
    wait_unpin(wait);
}

/* ---- the second ---- */

static void alua_run_second(struct fanout_leg *leg)
{
    const struct alua_change *change =
        container_of(leg->fanout, struct alua_change, fanout);
    struct reactor *r = leg->reactor;
    *group_of(&r->alua, change->to.tag) = change->to;
    for (struct conn *c = r->conns; c != NULL && change->tells; c = c->next) {
        if (c->session->nexus != NULL) /* whatever its group: SPC-4, 5.15.2.5 */
            nexus_notice(c->session->nexus, NULL, NEXUS_ACCESS_CHANGED);
    }
    fanout_leg_done(leg);
}

static void change_leave(struct alua_change *change)
{
    struct alua_change **at = &change->target->alua_changes;
    while (*at != change)
        at = &(*at)->next;
    *at = change->next;
}

static void change_end(struct alua_change *change)
{
    if (change->target != NULL)
        change_leave(change);
    lunmgr_settled(change->lunmgr, change->ticket);
    free(change);
}

static void alua_on_second(struct fanout *fanout)
{
    struct alua_change *change = container_of(fanout, struct alua_change, fanout);
    if (change->target != NULL) {
        *group_of(&change->target->alua, change->to.tag) = change->to;
        log_info("portal group", "tag=%u state=%s preferred=%d", change->to.tag,
                 alua_state_name(change->to.access.state), change->to.access.preferred);
    }
    change_end(change);
}

static void change_start_second(struct alua_change *change)
{
    change->fanout.run = alua_run_second;
    change->fanout.done = alua_on_second;
    fanout_start(&change->fanout, change->target);
}

static void alua_on_first(struct fanout *fanout)
{
    struct alua_change *change = container_of(fanout, struct alua_change, fanout);
    if (change->target == NULL)
        change_end(change);
    else
        change_start_second(change);
}

static void change_start_first(struct alua_change *change)
{
    for (size_t i = 0; i < TARGET_REACTOR_MAX; i++)
        change->fanout.legs[i].state = &change->waits[i];
    change->fanout.run = alua_run_first;
    change->fanout.done = alua_on_first;
    fanout_start(&change->fanout, change->target);
}

/* ---- the whole ---- */

/* Standby takes less than the active states, and unavailable less than that. */
static bool takes_less(enum alua_state to, enum alua_state from)
{
    return !alua_is_active(to) && to > from;
}

/* What is durable must come into force: out of memory for so small a thing ends the
 * process, which the catalog survives. */
void alua_on_changed(void *target, uint16_t tag, const struct alua_access *access,
                     uint64_t ticket)
{
    struct target *t = target;
    struct port_group *group = group_of(&t->alua, tag);
    struct alua_change *change = calloc(1, sizeof(*change));
    if (change == NULL)
        log_fatal("out of memory");
    *change = (struct alua_change){
        .next = t->alua_changes,
        .target = t,
        .lunmgr = t->lunmgr,
        .ticket = ticket,
        .to = {.tag = tag, .access = *access, .altered = true},
        .tells = access->state != group->access.state ||
                 access->preferred != group->access.preferred,
        .fanout.asker = t->control,
    };
    t->alua_changes = change;
    bool less = takes_less(access->state, group->access.state);
    if (less)
        group->access.state = ALUA_TRANSITIONING;
    if (less)
        change_start_first(change);
    else
        change_start_second(change);
}
