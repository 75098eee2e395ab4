/* SPDX-License-Identifier: Apache-2.0 */
/* One question to all reactors: a leg runs on each of them, each says when it is done,
 * and the asker hears when all are. The asker is the control thread or a reactor. */
#ifndef TARGET_FANOUT_H
#define TARGET_FANOUT_H

#include "base/inbox.h"
#include "target/target.h"

struct fanout;
struct loop;
struct reactor;

struct fanout_leg {
    struct note note;
    struct fanout *fanout;
    struct reactor *reactor;
    void *state; /* run()'s own */
};

struct fanout {
    struct loop *asker;
    /* On the reactor. It calls fanout_leg_done(leg) once, then or later. */
    void (*run)(struct fanout_leg *leg);
    /* On the asker's thread, never inside fanout_start; may free the fanout. */
    void (*done)(struct fanout *fanout);
    unsigned pending;
    struct fanout_leg legs[TARGET_REACTOR_MAX];
};

/* run, done and asker are set; on the asker's thread. */
void fanout_start(struct fanout *f, struct target *t);
/* On the leg's reactor; the leg is the asker's again. */
void fanout_leg_done(struct fanout_leg *leg);

#endif
