/* SPDX-License-Identifier: Apache-2.0 */
/* A few hosts whose flushes were answered together ask again one after the other. Without
 * a moment for all of them to come back, the first would have a round of its own and the
 * others wait for that one too. So where rounds take long the next one waits a part of
 * that time for as many as were there at the last one's end. Home loop. */
#ifndef LUNMGR_ROUND_CROWD_H
#define LUNMGR_ROUND_CROWD_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

#define CROWD_LONG_US 2000 /* shorter rounds are not worth a timer, which has 1 ms */
#define CROWD_MAX     16   /* who are more fall into two groups by themselves */

struct round_crowd {
    struct event *timer;
    void (*on_over)(void *arg);
    void *arg;
    bool is_wanted;    /* else nobody is ever waited for */
    unsigned waiting;  /* for the next round */
    unsigned answered; /* by the one under way, or the last */
    unsigned expected; /* for the next; 0: nobody is waited for */
    bool was_awaited;  /* by the next */
    unsigned in_vain;  /* rounds to do without after the last vain wait */
    unsigned to_pass;  /* what is left of them */
    int64_t began_us;  /* the round under way, or the last */
    int64_t over_us;   /* until then the next one may wait */
};

/* on_over, with arg: nobody is awaited any longer. The caller may set is_wanted. 0 or
 * -ENOMEM. */
int crowd_init(struct round_crowd *c, struct event_base *base, void (*on_over)(void *arg),
               void *arg, struct err *e) MUST_CHECK;
void crowd_fini(struct round_crowd *c);

/* One more waits for the next round; it begins; it ends. */
void crowd_on_come(struct round_crowd *c);
void crowd_on_begin(struct round_crowd *c);
void crowd_on_end(struct round_crowd *c);
/* True: the round may wait; on_over comes, if not all of them do before. */
bool crowd_is_awaited(struct round_crowd *c);

#endif
