/* SPDX-License-Identifier: Apache-2.0 */
/* The hold's waiting rooms. Writers of an extent are counted in its stripe from before
 * they read the word until their I/O has ended. Who has set the held bit of a word drains
 * the stripe: waits for those that came before. Two counts, one for newcomers, so that
 * they cannot starve a drain. Who finds a word held parks here until it is released. Any
 * thread; writers use atomics alone, and so do holders of what nobody writes or waits
 * for; parking and waiting for a drain take the stripe's lock. */
#ifndef LUNMGR_STRIPE_H
#define LUNMGR_STRIPE_H

#include "base/inbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One waiter: woken by its note in its inbox. */
struct stripe_wait {
    struct note note;
    struct inbox *inbox;
    struct stripe_wait *next;
    const void *cell; /* the word parked on */
};

struct stripe {
    _Atomic uint32_t count[2];
    _Atomic uint32_t phase; /* the count that newcomers join */
    atomic_bool draining;   /* the other count is awaited */
    pthread_mutex_t lock;
    struct stripe_wait *drain;            /* wait for the drain under way */
    struct stripe_wait *later;            /* came after it began: wait for the next */
    _Atomic(struct stripe_wait *) parked; /* changed under the lock */
} __attribute__((aligned(64)));

void stripe_init(struct stripe *s);
void stripe_fini(struct stripe *s);

/* Before the word is read. Returns the phase to leave with. */
uint32_t stripe_enter(struct stripe *s);
void stripe_leave(struct stripe *s, uint32_t phase);

/* The caller has just set the held bit and is not counted in here. True: drained already;
 * false: the note of w comes when it is. */
bool stripe_drain(struct stripe *s, struct stripe_wait *w);
/* The caller found cell's word held, and has left. False: it no longer is, go again. */
bool stripe_park(struct stripe *s, _Atomic uint64_t *cell, struct stripe_wait *w);
/* Clears the held bit and wakes who parked on that word. */
void stripe_release(struct stripe *s, _Atomic uint64_t *cell);

#endif
