/* SPDX-License-Identifier: Apache-2.0 */
/* All normal and discovery sessions, by number, and the one place that says who may be
 * one: an initiator port has one session with a target's portal group, and a new one ends
 * the old one first (RFC 7143, 6.3.5). Control thread; reactors talk to it by tickets,
 * which are also its entries. */
#ifndef TARGET_REGISTRY_H
#define TARGET_REGISTRY_H

#include "base/cidr.h"
#include "base/inbox.h"
#include "proto/negotiate.h"
#include "proto/pdu.h"
#include "target/target.h"

#include <stdbool.h>
#include <stdint.h>

struct access;
struct conn;
struct loop;
struct reactor;
struct registry_kick;
struct volume;

struct registry_ticket {
    struct note note; /* ask, answer, gone: one after the other */
    struct target *target;
    struct reactor *reactor;
    /* On the reactor's thread only; NULL once the session is gone. */
    struct conn *conn;
    /* The question. tsih: 0, or that of the session that the login wants to join. */
    char initiator[NODE_NAME_MAX + 1];
    char target_name[NODE_NAME_MAX + 1]; /* "" for discovery */
    uint16_t portal_group_tag;
    uint8_t isid[ISID_BYTES];
    uint16_t tsih;
    uint8_t local_ip[IP_BYTES]; /* where it came to */
    uint16_t local_port;
    bool discovery;
    /* The answer: LOGIN_SUCCESS with id and tsih, or why not. */
    enum login_status status;
    uint64_t id;
    /* Written by the reactor as the session opens and as it ends. */
    char host[64], address[TARGET_ADDRESS_MAX];
    const char *why; /* it ended: static */
    /* On the reactor's thread: the answer; conn is as it was asked with. */
    void (*answered)(struct registry_ticket *ticket);
    /* The registry's own. */
    struct registry_ticket *next;
    struct registry_ticket *waiters; /* logins that wait for its end */
    struct registry_kick *kicks;
    struct note end_note;
    bool end_told;      /* the initiator is told: it is not its own login that ends it */
    bool end_asked;     /* once is enough */
    bool end_in_flight; /* end_note is on its way there or back */
    bool is_gone;
    bool is_told; /* that it is open */
};

struct registry {
    struct registry_ticket *first; /* sessions in order of id */
    uint64_t last_id;
    uint16_t last_tsih;
};

/* Reactor. The ticket is the registry's until answered(). */
void registry_ask(struct registry_ticket *ticket);
/* Reactor: the session that the ticket was granted for, or would have been, is over; or
 * the answer was a refusal. The registry frees the ticket. */
void registry_gone(struct registry_ticket *ticket);

/* Control thread: the login that the ticket was granted for is answered. */
void registry_opened(struct target *t, uint64_t id);

/* Control thread: how many normal sessions are with targets through which access shows
 * the volume to their initiators. */
unsigned registry_count_seeing(const struct registry *reg, const struct access *access,
                               const struct volume *volume);

/* Control thread. done: later, when the session is gone; false: there is none. */
void registry_kick(struct target *t, uint64_t id, void (*done)(void *arg, bool found),
                   void *arg);

#endif
