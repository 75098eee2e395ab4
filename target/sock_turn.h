/* SPDX-License-Identifier: Apache-2.0 */
/* What the connections of a reactor read and send in a turn: those that have something
 * do so together, by one system call where the kernel lets them (sock_uring.h), since
 * with many of them each call would move one PDU. Its reactor's thread. */
#ifndef TARGET_SOCK_TURN_H
#define TARGET_SOCK_TURN_H

#include "target/limits.h"
#include "target/sock_uring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct event;
struct event_base;

struct sock_turn {
    struct event *reader; /* runs when all sockets of a turn have been looked at */
    struct sock_uring *uring;
    struct conn *readable; /* through readable_next, the first that came first */
    struct conn **readable_end;
    uint64_t begun_bytes; /* buffers of the commands that have come, ever */
    size_t brought_bytes; /* of them, by one connection that is read: a mean */
    /* Headers and small data are read into these, many PDUs at once. A page that nothing
     * came to takes no memory. */
    uint8_t stages[SOCK_BATCH_MAX][SOCK_STAGE_BYTES];
    struct iovec iov[SOCK_BATCH_MAX][CONN_TX_IOV_MAX]; /* what is sent */
};

/* Any thread, while base is nobody's. -ENOMEM, and sock_turn_fini() is called all the
 * same. may_ring: see sock_uring_create(). */
int sock_turn_init(struct sock_turn *t, struct event_base *base, bool may_ring);
/* No connection is left. */
void sock_turn_fini(struct sock_turn *t);

/* Something has come for it: it is read, and taken, when the other sockets have been
 * looked at. */
void sock_turn_on_readable(struct sock_turn *t, struct conn *c);
/* It is not to be read. */
void sock_turn_forget(struct sock_turn *t, struct conn *c);
/* A command that was read has a buffer of so many bytes. */
void sock_turn_on_begun(struct sock_turn *t, size_t bytes);
/* Some of those that can be read are, in the order in which they could, until what they
 * brought is enough for a turn: what comes next goes through the same memory once that
 * has left. True: there were any. */
bool sock_turn_read(struct sock_turn *t);
/* What these have to send, at most SOCK_BATCH_MAX of them, is handed to their sockets
 * once; conn_tx_flush() goes on. True: something was sent. */
bool sock_turn_send(struct sock_turn *t, struct conn *const *conns, size_t count);

#endif
