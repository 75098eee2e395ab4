/* SPDX-License-Identifier: Apache-2.0 */
/* A session: an initiator port, what it negotiated, its commands. It has one connection
 * (MaxConnections is 1) and lives as long as that. Its reactor's thread alone. */
#ifndef TARGET_SESSION_H
#define TARGET_SESSION_H

#include "proto/chap_text.h"
#include "proto/negotiate.h"
#include "proto/pdu.h"
#include "target/limits.h"
#include "target/target.h"
#include "target/window.h"

#include <stdbool.h>
#include <stdint.h>

struct access;
struct access_swap;
struct conn;
struct flow;
struct held;
struct nexus;
struct registry_ticket;
struct task;
struct view;

#define SESSION_HASH 64

struct session {
    struct conn *conn;
    struct registry_ticket *ticket; /* once granted */
    uint8_t isid[ISID_BYTES];
    int64_t since_s;
    struct params_offer offer;
    struct negotiation negotiation; /* the parameters in effect, the names */
    struct nexus *nexus;            /* of a normal session */
    char host_name[64];
    enum chap_algorithm algorithm; /* by which the initiator proved itself */
    bool mutual;                   /* and we to it */
    struct window window;

    struct task *first, *last;
    struct task *by_itt[SESSION_HASH];
    uint32_t task_count, task_most;
    uint32_t immediate_count;
    uint32_t next_ttt;
    uint32_t abandoned[SESSION_ABANDONED_MAX]; /* a ring of ITTs */
    uint32_t abandoned_count;
    size_t buffer_bytes; /* reserved by tasks */
    struct held *held;   /* requests before their turn, in order of CmdSN */
    size_t held_bytes;
    unsigned tmf_count;
    struct flow *flows;      /* of tasks that wait for limits: pacer.h */
    uint32_t ordering_count; /* ORDERED and HEAD OF QUEUE tasks in its task sets */
    bool set_changed;        /* one has left: dormant ones may run */

    uint64_t figures[FIGURE_COUNT];
    struct target_latency latency[LATENCY_KINDS];
};

int session_create(struct conn *c, struct session **out) MUST_CHECK;
/* No task is left. NULL is allowed. */
void session_destroy(struct session *s);

/* The registry granted the ticket: the session is open. 0, or -ENOMEM. */
int session_open(struct session *s, struct registry_ticket *ticket,
                 const struct view *view) MUST_CHECK;
/* What its initiator sees now through its target. A normal session's, or a login's that
 * has told its names. NULL: nothing. */
const struct view *session_view(const struct session *s);

struct task *session_find_task(struct session *s, uint32_t itt);
void session_add_task(struct session *s, struct task *t);
void session_remove_task(struct session *s, struct task *t);
/* It is answered and goes on: none that its initiator knows. */
void session_detach_task(struct session *s, struct task *t);
/* Ends every task that exec does not have, or that is detached. */
void session_drop_tasks(struct session *s);
/* Marks those that it has: no answer. */
void session_abort_tasks(struct session *s);

/* A write is dropped while its data may be on its way: that is thrown away when it comes.
 */
void session_abandon(struct session *s, uint32_t itt);
bool session_has_abandoned(const struct session *s, uint32_t itt);

static inline const struct params *session_params(const struct session *s)
{
    return &s->negotiation.params;
}

/* A ticket's answer is free of a session's number: not yet used, never unused. */
uint32_t session_new_ttt(struct session *s);

/* The session takes the new access: the nexus is told, tasks are pointed at it, those of
 * a LU that is gone are ended or, if exec has them, left to the swap to wait for. */
void session_swap_access(struct session *s, struct access_swap *swap);

/* Also of its reactor's. */
void session_count(struct session *s, enum target_figure figure, uint64_t n);
/* A command is answered that came at came_us (clock_us()). How long ago: microseconds. */
uint64_t session_time(struct session *s, enum latency_kind kind, int64_t came_us);

/* Its commands have ended, and it ends: what its nexus has reserved by RESERVE is
 * released. True: that is under way, and the connection pinned. */
bool session_leave(struct session *s);

void session_describe(const struct session *s, struct target_session_info *out);

#endif
