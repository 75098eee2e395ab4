/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's event loop: a libevent base, an inbox that other threads post to, and hooks
 * that run at the end of each turn. A turn: wait, run every event that is ready, run the
 * inbox, run the hooks until none has work left. Disk submission and socket writes hang
 * on the hooks, so that one turn makes one system call of each. */
#ifndef LUNMGR_LOOP_H
#define LUNMGR_LOOP_H

#include "base/err.h"
#include "base/inbox.h"

#include <stdbool.h>

struct event_base;
struct loop;

struct loop_hook {
    struct loop_hook *next;
    bool (*turn)(struct loop_hook *hook); /* true: it did something, turn again */
};

/* Any thread; name (at most 15 bytes) becomes the thread's. */
int loop_create(const char *name, struct loop **out, struct err *e) MUST_CHECK;
/* After it has stopped. NULL is allowed. */
void loop_destroy(struct loop *loop);

/* Runs on a thread of its own until loop_stop; loop_join waits for its end. */
int loop_start(struct loop *loop, struct err *e) MUST_CHECK;
void loop_join(struct loop *loop);
/* Runs on the calling thread until loop_stop. */
void loop_run(struct loop *loop);
/* One turn on the calling thread: waits for an event if wait, else only looks. For tests.
 */
void loop_run_once(struct loop *loop, bool wait);
/* Any thread. The turn under way is finished. */
void loop_stop(struct loop *loop);

/* For the loop's own thread, or before it runs. */
struct event_base *loop_base(struct loop *loop);
/* Hooks run in the order of adding. A hook is the caller's and outlives the loop or is
 * removed. */
void loop_add_hook(struct loop *loop, struct loop_hook *hook);
void loop_remove_hook(struct loop *loop, struct loop_hook *hook);

/* Any thread. */
struct inbox *loop_inbox(struct loop *loop);
void loop_post(struct loop *loop, struct note *note);
/* True on the thread that runs it (and before it runs). For asserts. */
bool loop_is_mine(struct loop *loop);
const char *loop_name(const struct loop *loop);

#endif
