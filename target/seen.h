/* SPDX-License-Identifier: Apache-2.0 */
/* Initiators that tried to log in, by name and address: when they last could, when they
 * last could not and why. Bounded, in memory only. Written by notes from the reactors,
 * read on the control thread. */
#ifndef TARGET_SEEN_H
#define TARGET_SEEN_H

#include "proto/pdu.h"
#include "target/target.h"

struct conn;

struct seen {
    struct target_seen entries[SEEN_MAX]; /* in order of id */
    bool known[SEEN_MAX];                 /* a host has that name: strangers go first */
    size_t count;
    uint64_t last_id;
};

/* Reactor: the connection's login was accepted (reason NULL) or refused. Without memory
 * it is forgotten. */
void seen_tell(const struct conn *c, enum login_status status, const char *reason);

#endif
