/* SPDX-License-Identifier: Apache-2.0 */
/* Extents that were freed and may not be used again yet. A free notes the round number
 * and the epoch after its word was swapped; the extent is free for use when the round
 * after that one is committed, every I/O in flight at the free has ended and its space
 * was given back below (discard.h). Who needs space meanwhile parks here. Any thread, its
 * own lock; releasing is the home loop's. */
#ifndef LUNMGR_LIMBO_H
#define LUNMGR_LIMBO_H

#include "base/inbox.h"
#include "lunmgr/word.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct device;
struct pool;

struct space_wait {
    struct note note;
    struct inbox *inbox;
    struct space_wait *next;
};

struct limbo_entry {
    place place;
    uint64_t round;
    uint64_t epoch;
};

/* A ring of entries, in order of round and of epoch. */
struct limbo {
    pthread_mutex_t lock;
    struct limbo_entry *entries;
    size_t capacity, first, count;
    size_t unkept;     /* of the first, how many a round's bitmaps show free already */
    size_t discarding; /* have left the ring: discard.c has them */
    struct space_wait *waits;
};

void limbo_init(struct limbo *l);
void limbo_fini(struct limbo *l);

/* Under the gate, after the word that named it was swapped. Out of memory: the extent
 * leaks until the next start's check for leaks, said in the log. */
void limbo_add(struct pool *pool, place p);
/* In round `no`'s copy phase, before the bitmaps: its copy shows free what was freed in
 * rounds before it. */
void limbo_unkeep(struct pool *pool, uint64_t no);
/* In a copy phase, before the bitmaps: what was unkept, and is not committed, is kept
 * again, and what waits for space is told so at the next release: nothing of the pool
 * ages any more (round->has_lost). */
void limbo_keep_again(struct pool *pool);
/* Home loop: what has aged goes back to the allocator by way of discard.c, or at once
 * where someone waits for space; wakes who waits if anything changed for them. */
void limbo_release(struct pool *pool);
/* Any thread: space has come from elsewhere; who waits for some tries again. */
void limbo_space_came(struct pool *pool);
/* Home loop: discard.c has released so many. */
void limbo_discarded(struct pool *pool, size_t count);
/* False: nothing that ages is waited for here, the pool is full. Else the note comes when
 * to try again: at once, if extents became free since the caller found none. */
bool limbo_park(struct pool *pool, struct space_wait *wait);
/* Who finds no space is to try again: some is free, or is on its way. */
bool limbo_may_give(struct pool *pool);
bool limbo_has_waiters(struct pool *pool);
/* Freed and not free yet: those that age, those that discard.c has. */
size_t limbo_count(struct pool *pool);
size_t limbo_discarding(struct pool *pool);
/* Some are of that device. */
bool limbo_has_device(struct pool *pool, const struct device *device);
/* Some wait for a round or for I/O in flight. */
bool limbo_has_aging(struct pool *pool);
/* The oldest entry waits for a round that has not been committed. */
bool limbo_wants_round(struct pool *pool);

#endif
