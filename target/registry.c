/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets in a list. A ticket that was granted is an entry until its session is gone;
 * one that must wait hangs at the entry that is in its way. */
#include "target/registry.h"

#include "lunmgr/loop.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct registry_kick {
    struct registry_kick *next;
    struct note note;
    bool found;
    void (*done)(void *arg, bool found);
    void *arg;
};

static void kick_on_note(struct note *note)
{
    struct registry_kick *k = container_of(note, struct registry_kick, note);
    k->done(k->arg, k->found);
    free(k);
}

static void kick_answer(struct target *t, struct registry_kick *k, bool found)
{
    k->found = found;
    k->note.run = kick_on_note;
    loop_post(t->control, &k->note);
}

/* ---- ending a session that is on some reactor ---- */

static void ticket_release(struct registry_ticket *ticket)
{
    if (ticket->is_gone && !ticket->end_in_flight)
        free(ticket);
}

static void end_on_return(struct note *note)
{
    struct registry_ticket *ticket = container_of(note, struct registry_ticket, end_note);
    ticket->end_in_flight = false;
    ticket_release(ticket);
}

static void end_on_reactor(struct note *note)
{
    struct registry_ticket *ticket = container_of(note, struct registry_ticket, end_note);
    if (ticket->conn != NULL && ticket->end_told)
        conn_drop(ticket->conn, ASYNC_DROP_SESSION, "session ended by an admin");
    else if (ticket->conn != NULL)
        conn_cut(ticket->conn, "session ended by another login");
    ticket->end_note.run = end_on_return;
    loop_post(ticket->target->control, &ticket->end_note);
}

static void entry_end(struct registry_ticket *entry, bool told)
{
    if (entry->end_asked)
        return;
    entry->end_asked = true;
    entry->end_told = told;
    entry->end_in_flight = true;
    entry->end_note.run = end_on_reactor;
    loop_post(entry->reactor->loop, &entry->end_note);
}

/* ---- asking ---- */

static void ticket_on_answer(struct note *note)
{
    struct registry_ticket *ticket = container_of(note, struct registry_ticket, note);
    ticket->answered(ticket);
}

static void ticket_answer(struct registry_ticket *ticket, enum login_status status)
{
    ticket->status = status;
    ticket->note.run = ticket_on_answer;
    loop_post(ticket->reactor->loop, &ticket->note);
}

/* Initiator port and target port: RFC 7143, 4.4.2. */
static bool same_nexus(const struct registry_ticket *a, const struct registry_ticket *b)
{
    return strcmp(a->initiator, b->initiator) == 0 &&
           memcmp(a->isid, b->isid, ISID_BYTES) == 0 &&
           strcmp(a->target_name, b->target_name) == 0 &&
           a->portal_group_tag == b->portal_group_tag;
}

/* The session that a new one of this nexus ends. */
static struct registry_ticket *registry_find_nexus(struct registry *reg,
                                                   const struct registry_ticket *ticket)
{
    if (ticket->discovery)
        return NULL;
    for (struct registry_ticket *e = reg->first; e != NULL; e = e->next) {
        if (!e->discovery && same_nexus(e, ticket))
            return e;
    }
    return NULL;
}

static bool tsih_is_taken(const struct registry *reg, uint16_t tsih)
{
    for (const struct registry_ticket *e = reg->first; e != NULL; e = e->next) {
        if (e->tsih == tsih)
            return true;
    }
    return false;
}

/* There are fewer sessions (LIMIT_CONNECTIONS) than numbers. */
static uint16_t registry_new_tsih(struct registry *reg)
{
    do {
        reg->last_tsih++;
    } while (reg->last_tsih == 0 || tsih_is_taken(reg, reg->last_tsih));
    return reg->last_tsih;
}

static void registry_add(struct registry *reg, struct registry_ticket *ticket)
{
    struct registry_ticket **at = &reg->first;
    while (*at != NULL)
        at = &(*at)->next;
    ticket->next = NULL;
    ticket->id = ++reg->last_id;
    ticket->tsih = registry_new_tsih(reg);
    *at = ticket;
}

/* In the order of asking, so that of several the last one remains: the others may be
 * attempts that their initiator has given up. */
static void entry_await_end(struct registry_ticket *entry, struct registry_ticket *ticket)
{
    struct registry_ticket **at = &entry->waiters;
    while (*at != NULL)
        at = &(*at)->next;
    ticket->next = NULL;
    *at = ticket;
}

static void registry_decide(struct registry_ticket *ticket)
{
    struct registry *reg = &ticket->target->registry;
    struct registry_ticket *old = registry_find_nexus(reg, ticket);
    if (ticket->tsih != 0) { /* a second connection, or the first one again */
        bool exists = old != NULL && old->tsih == ticket->tsih;
        ticket_answer(ticket,
                      exists ? LOGIN_TOO_MANY_CONNECTIONS : LOGIN_NO_SUCH_SESSION);
        return;
    }
    if (old != NULL) {
        entry_await_end(old, ticket);
        entry_end(old, false);
        return;
    }
    registry_add(reg, ticket);
    ticket_answer(ticket, LOGIN_SUCCESS);
}

static void ticket_on_ask(struct note *note)
{
    registry_decide(container_of(note, struct registry_ticket, note));
}

void registry_ask(struct registry_ticket *ticket)
{
    ticket->note.run = ticket_on_ask;
    loop_post(ticket->target->control, &ticket->note);
}

/* ---- telling ---- */

static struct target_session_news ticket_news(const struct registry_ticket *ticket)
{
    return (struct target_session_news){
        .id = ticket->id,
        .initiator = ticket->initiator,
        .host = ticket->host,
        .target = ticket->target_name,
        .address = ticket->address,
    };
}

void registry_opened(struct target *t, uint64_t id)
{
    struct registry_ticket *ticket = t->registry.first;
    while (ticket != NULL && ticket->id != id)
        ticket = ticket->next;
    if (ticket == NULL || ticket->discovery)
        return;
    const struct target_session_news news = ticket_news(ticket);
    ticket->is_told = true;
    if (t->events.session_opened != NULL)
        t->events.session_opened(t->events.arg, &news);
}

static void ticket_tell_end(const struct registry_ticket *ticket)
{
    const struct target_events *events = &ticket->target->events;
    struct target_session_news news = ticket_news(ticket);
    news.reason = ticket->why == NULL ? "the connection ended" : ticket->why;
    if (ticket->is_told && events->session_closed != NULL)
        events->session_closed(events->arg, &news);
}

/* ---- the end ---- */

static void registry_remove(struct registry *reg, struct registry_ticket *ticket)
{
    for (struct registry_ticket **at = &reg->first; *at != NULL; at = &(*at)->next) {
        if (*at != ticket)
            continue;
        *at = ticket->next;
        return;
    }
}

static void ticket_on_gone(struct note *note)
{
    struct registry_ticket *ticket = container_of(note, struct registry_ticket, note);
    registry_remove(&ticket->target->registry, ticket);
    ticket_tell_end(ticket);
    struct registry_ticket *waiter = TAKE(ticket->waiters);
    while (waiter != NULL) {
        struct registry_ticket *next = waiter->next;
        registry_decide(waiter);
        waiter = next;
    }
    struct registry_kick *kick = TAKE(ticket->kicks);
    while (kick != NULL) {
        struct registry_kick *next = kick->next;
        kick_answer(ticket->target, kick, true);
        kick = next;
    }
    ticket->is_gone = true;
    ticket_release(ticket);
}

void registry_gone(struct registry_ticket *ticket)
{
    ticket->conn = NULL;
    ticket->note.run = ticket_on_gone;
    loop_post(ticket->target->control, &ticket->note);
}

unsigned registry_count_seeing(const struct registry *reg, const struct access *access,
                               const struct volume *volume)
{
    unsigned count = 0;
    for (const struct registry_ticket *e = reg->first; e != NULL; e = e->next)
        count += !e->discovery &&
                 view_shows(access_view(access, e->initiator, e->target_name), volume);
    return count;
}

void registry_kick(struct target *t, uint64_t id, void (*done)(void *arg, bool found),
                   void *arg)
{
    struct registry_kick *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        done(arg, false);
        return;
    }
    k->done = done;
    k->arg = arg;
    struct registry_ticket *e = t->registry.first;
    while (e != NULL && e->id != id)
        e = e->next;
    if (e == NULL) {
        kick_answer(t, k, false);
        return;
    }
    k->next = e->kicks;
    e->kicks = k;
    entry_end(e, true);
}
