/* SPDX-License-Identifier: Apache-2.0 */
/* A reactor: a thread with its loop, its lane to the disks and its connections. Sessions
 * never move to another. Everything here is for the reactor's thread, unless said
 * otherwise. */
#ifndef TARGET_REACTOR_H
#define TARGET_REACTOR_H

#include "base/clock.h"
#include "base/err.h"
#include "lunmgr/lane.h"
#include "lunmgr/loop.h"
#include "target/alua.h"
#include "target/counter.h"
#include "target/fanout.h"
#include "target/limits.h"
#include "target/pacer.h"
#include "target/sock_turn.h"
#include "target/target_private.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct access;
struct conn;
struct event;
struct sweep;
struct task;
struct tx_pdu;

/* Written by the reactor, read by any thread; relaxed: each is right by itself. */
struct reactor_counters {
    atomic_uint_fast64_t figures[FIGURE_COUNT];
    atomic_uint_fast64_t latency[LATENCY_KINDS][LATENCY_BUCKETS];
    atomic_uint_fast64_t latency_us[LATENCY_KINDS];
    atomic_uint_fast64_t logins, login_failures, keepalive_timeouts;
    atomic_uint_fast64_t buffer_bytes; /* reserved by tasks */
    atomic_uint sessions, connections;
};

struct reactor {
    struct target *target;
    unsigned index;
    struct loop *loop;
    struct lane *lane;
    struct event *tick;
    int64_t tick_ms; /* when it comes; NEVER_MS: nothing waits for a time */
    struct loop_hook hook;
    struct access *access; /* the current snapshot */
    struct alua alua;      /* the port groups as they are now */

    struct conn *conns;      /* all of them */
    struct conn *dirty;      /* those with something to do at the end of the turn */
    bool stopping;           /* takes no more */
    struct fanout_leg *stop; /* target_stop waits for the last of them */

    struct task *free_tasks;
    unsigned free_task_count;
    struct tx_pdu *free_pdus;
    unsigned free_pdu_count;

    struct task *waiting; /* for buffer bytes, first come first served */
    bool buffers_freed;

    struct pacer pacer; /* tasks that wait for limits */

    uint64_t task_serial; /* counts tasks; a sweep takes those before it */
    struct sweep *sweeps; /* that wait for tasks to end */

    struct reactor_counters counters;
    struct sock_turn sockets;
};

/* Control thread: makes it, with its thread not yet running. */
int reactor_create(struct target *t, unsigned index, enum engine_kind engine,
                   struct reactor **out, struct err *e) MUST_CHECK;
int reactor_start(struct reactor *r, struct err *e) MUST_CHECK;
/* Control thread: stops and joins the thread; no connection is left. NULL is allowed. */
void reactor_destroy(struct reactor *r);

/* Control thread: the reactor takes a connected socket of a portal of that group, which
 * the admission has let in; closes it if it cannot. */
void reactor_hand(struct reactor *r, int fd, const uint8_t ip[IP_BYTES],
                  uint16_t portal_group_tag);
/* Control thread, see target_stop(): no new connections; those there are asked to log
 * out, and dropped if they do not. leg is done when none is left. */
void reactor_stop(struct fanout_leg *leg);
/* What is still there is cut off; tasks whose disk I/O runs keep their connection. */
void reactor_cut(struct fanout_leg *leg);

/* The connection's turn hook runs at the end of this turn. */
void reactor_touch(struct reactor *r, struct conn *c);
/* conn_tick runs by then, or up to a tick later. */
void reactor_wake_by(struct reactor *r, int64_t due_ms);
/* A connection was freed. */
void reactor_on_conn_gone(struct reactor *r);

/* Buffer memory. False: the session or the reactor has had its share for now. */
bool reactor_reserve(struct reactor *r, struct task *t) MUST_CHECK;
void reactor_unreserve(struct reactor *r, struct task *t);
void reactor_wait_for_buffers(struct reactor *r, struct task *t);
void reactor_stop_waiting(struct reactor *r, struct task *t);

#define NEVER_MS INT64_MAX

#endif
