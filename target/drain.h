/* SPDX-License-Identifier: Apache-2.0 */
/* Portals and hosts that are being drained: their sessions were asked to log out, and
 * their logins are turned away. What web does with them is target.h's. The list is under
 * a lock, since the control thread writes it and logins read it; sessions are asked by
 * their reactors, each time that the list has changed. */
#ifndef TARGET_DRAIN_H
#define TARGET_DRAIN_H

#include "target/target.h"

#include <pthread.h>
#include <stdbool.h>

struct conn;
struct drain;

struct drain_list {
    pthread_mutex_t lock;
    struct drain *first; /* in order of id */
    unsigned count;
    uint64_t last_id;
};

void drain_list_init(struct drain_list *list);
void drain_list_fini(struct drain_list *list);

/* The connection's reactor, its initiator's name known: whether its login is turned away.
 * redirect: where to; "": nowhere. */
bool drain_turns_away(const struct conn *c, char redirect[TARGET_REDIRECT_MAX]);
/* The connection's reactor: it did not log out in time. */
void drain_on_dropped(const struct conn *c);

#endif
