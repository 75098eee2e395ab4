/* SPDX-License-Identifier: Apache-2.0 */
/* A change is a note that goes to the control thread, into its unit's row, round all
 * reactors and back. */
#include "target/reserve.h"

#include "base/log.h"
#include "lunmgr/volume.h"
#include "target/conn.h"
#include "target/exec.h"
#include "target/reactor.h"
#include "target/task.h"
#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- the answer ---- */

static void change_on_return(struct note *note)
{
    struct reserve_change *c = container_of(note, struct reserve_change, note);
    if (c->task != NULL) {
        c->task->exec.change = NULL;
        c->done(c->task, c->status, &c->sense);
    } else {
        c->told(c->arg);
    }
    free(c);
}

static void change_answer(struct reserve_change *c)
{
    reservation_outcome_fini(&c->outcome);
    unit_put(c->unit);
    c->note.run = change_on_return;
    loop_post(c->asker, &c->note);
}

static void change_set_sense(struct reserve_change *c, enum sense_code code)
{
    c->status = SAM_CHECK_CONDITION;
    sense_set(&c->sense, code);
}

/* ---- on the control thread ---- */

static void changes_run(struct unit *u);

static void change_end(struct reserve_change *c)
{
    struct unit *u = c->unit;
    assert(u->changes == c);
    u->changes = c->next;
    unit_get(u); /* while the next ones may be answered */
    change_answer(c);
    changes_run(u);
    unit_put(u);
}

static void change_on_published(struct fanout *fanout)
{
    change_end(container_of(fanout, struct reserve_change, fanout));
}

static void change_publish(struct reserve_change *c)
{
    const struct reservation *was = c->unit->reservation;
    c->unit->reservation = reservation_get(c->outcome.after);
    reservation_put(was);
    c->fanout.asker = c->target->control;
    c->fanout.run = reserve_leg_run;
    c->fanout.done = change_on_published;
    for (unsigned i = 0; i < c->target->reactor_count; i++)
        c->fanout.legs[i].state = &c->legs[i];
    fanout_start(&c->fanout, c->target);
}

static void change_on_kept(void *arg, const struct err *e)
{
    struct reserve_change *c = arg;
    char reason[ERR_TEXT_MAX];
    if (e == NULL) {
        change_publish(c);
        return;
    }
    log_error("a persistent reservation could not be kept", "volume=%s reason=%s",
              volume_id(c->unit->volume), log_quote(reason, sizeof(reason), e->text));
    change_set_sense(c, SENSE_INTERNAL_FAILURE);
    change_end(c);
}

/* It would end a reservation that came after what it is about. */
static bool change_is_late(const struct reserve_change *c)
{
    const struct unit *u = c->unit;
    return c->task == NULL &&
           u->reserver_serial >= c->moment.before_serials[u->reserver_reactor];
}

static void change_note_origin(const struct reserve_change *c)
{
    if (c->request.change != RESERVATION_RESERVE || c->status != SAM_GOOD)
        return;
    c->unit->reserver_reactor = c->reactor;
    c->unit->reserver_serial = c->serial;
}

/* True: it goes on when the state is durable. */
static bool change_keep(struct reserve_change *c)
{
    struct kept_reservation *kept;
    if (reservation_keep(c->outcome.after, &kept) != 0) {
        c->status = SAM_BUSY;
        return false;
    }
    volume_keep_reservation(c->unit->volume, kept, change_on_kept, c);
    return true;
}

/* True: it goes on later. */
static bool change_begin(struct reserve_change *c)
{
    if (atomic_load(&c->dropped)) {
        change_set_sense(c, SENSE_LUN_NOT_SUPPORTED);
        return false;
    }
    c->status = SAM_GOOD;
    if (change_is_late(c))
        return false;
    if (reservation_apply(c->unit->reservation, &c->request, &c->who, &c->outcome) != 0) {
        if (c->task == NULL)
            log_fatal("out of memory");
        c->status = SAM_BUSY;
        return false;
    }
    c->status = c->outcome.status;
    c->sense = c->outcome.sense;
    change_note_origin(c);
    if (c->outcome.after == NULL)
        return false;
    if (c->outcome.is_kept)
        return change_keep(c);
    change_publish(c);
    return true;
}

static void changes_run(struct unit *u)
{
    while (u->changes != NULL && !u->changes->begun) {
        struct reserve_change *c = u->changes;
        c->begun = true;
        if (change_begin(c))
            return;
        u->changes = c->next;
        change_answer(c);
    }
}

static void change_on_ask(struct note *note)
{
    struct reserve_change *c = container_of(note, struct reserve_change, note);
    struct unit *u = unit_get(c->unit);
    struct reserve_change **at = &u->changes;
    while (*at != NULL)
        at = &(*at)->next;
    *at = c;
    changes_run(u);
    unit_put(u);
}

/* ---- on a reactor ---- */

static struct reserve_change *change_new(struct reactor *r, struct unit *unit,
                                         enum reservation_change kind)
{
    struct reserve_change *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->note.run = change_on_ask;
    c->target = r->target;
    c->unit = unit_get(unit);
    c->asker = r->loop;
    c->request.change = kind;
    c->reactor = r->index;
    return c;
}

static void change_ask(struct reserve_change *c)
{
    loop_post(c->target->control, &c->note);
}

int reserve_start(struct task *t, const struct reservation_request *request,
                  reserve_fn done)
{
    struct reactor *r = t->conn->reactor;
    struct reserve_change *c = change_new(r, t->lu->unit, request->change);
    if (c == NULL)
        return -ENOMEM;
    c->task = t;
    c->request = *request;
    if (request->change == RESERVATION_PR_OUT) {
        c->cdb = *request->cdb;
        c->list = *request->list;
        c->request.cdb = &c->cdb;
        c->request.list = &c->list;
    }
    c->who = *nexus_id(t->nexus);
    c->serial = t->serial;
    c->done = done;
    t->exec.change = c;
    change_ask(c);
    return 0;
}

void reserve_drop(struct reserve_change *change)
{
    atomic_store(&change->dropped, true);
}

bool reserve_is_held(const struct reactor *r, const struct unit *unit,
                     const struct nexus *by)
{
    const struct reservation *now = unit_reservation(unit, r->index);
    return now != NULL && now->is_reserved &&
           (by == NULL || reservation_nexus_equals(&now->reserver, nexus_id(by)));
}

/* What happens to a nexus and to a unit cannot be refused: out of memory for so small a
 * thing ends the process, which no such reservation outlives. */
void reserve_end(struct reactor *r, struct unit *unit, const struct nexus *by,
                 const struct reserve_moment *moment, void (*done)(void *arg), void *arg)
{
    struct reserve_change *c =
        change_new(r, unit, by == NULL ? RESERVATION_RESET : RESERVATION_NEXUS_END);
    if (c == NULL)
        log_fatal("out of memory");
    if (by != NULL)
        c->who = *nexus_id(by);
    c->moment = *moment;
    c->told = done;
    c->arg = arg;
    change_ask(c);
}
