/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of writers in flight, two-phase. All atomics here are sequentially consistent:
 * the writer's "count, then read the word" and the holder's "set the bit, then read the
 * count" must not pass one another. */
#include "lunmgr/stripe.h"

#include "lunmgr/word.h"

#include <assert.h>

void stripe_init(struct stripe *s)
{
    *s = (struct stripe){.drain = NULL};
    pthread_mutex_init(&s->lock, NULL);
}

void stripe_fini(struct stripe *s)
{
    assert(s->count[0] == 0 && s->count[1] == 0);
    assert(s->drain == NULL && s->later == NULL && s->parked == NULL);
    pthread_mutex_destroy(&s->lock);
}

uint32_t stripe_enter(struct stripe *s)
{
    for (;;) {
        uint32_t phase = atomic_load(&s->phase);
        atomic_fetch_add(&s->count[phase], 1);
        /* A flip between the two would count us where no drain looks any more. */
        if (atomic_load(&s->phase) == phase)
            return phase;
        stripe_leave(s, phase);
    }
}

static void wake_all(struct stripe_wait *w)
{
    while (w != NULL) {
        struct stripe_wait *next = w->next;
        inbox_post(w->inbox, &w->note);
        w = next;
    }
}

/* Under the lock, with no drain under way: starts one for all that wait. Returns those to
 * wake because there is nobody to wait for. */
static struct stripe_wait *drain_begin(struct stripe *s)
{
    struct stripe_wait *waiting = s->later;
    s->later = NULL;
    if (waiting == NULL)
        return NULL;
    uint32_t old = atomic_load(&s->phase);
    atomic_store(&s->draining, true);
    atomic_store(&s->phase, 1 - old);
    if (atomic_load(&s->count[old]) > 0) {
        s->drain = waiting;
        return NULL;
    }
    atomic_store(&s->draining, false);
    return waiting;
}

/* The count that a drain awaits may have come to nothing. */
static void drain_check(struct stripe *s)
{
    struct stripe_wait *ended = NULL, *at_once = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->drain != NULL && atomic_load(&s->count[1 - atomic_load(&s->phase)]) == 0) {
        ended = s->drain;
        s->drain = NULL;
        atomic_store(&s->draining, false);
        at_once = drain_begin(s);
    }
    pthread_mutex_unlock(&s->lock);
    wake_all(ended);
    wake_all(at_once);
}

void stripe_leave(struct stripe *s, uint32_t phase)
{
    uint32_t before = atomic_fetch_sub(&s->count[phase], 1);
    assert(before > 0);
    if (before == 1 && atomic_load(&s->draining))
        drain_check(s);
}

/* Nobody is counted who may have read a word before the caller held it: who was, in
 * whichever phase, had left when we looked at it. */
static bool stripe_is_empty(struct stripe *s)
{
    return atomic_load(&s->count[0]) == 0 && atomic_load(&s->count[1]) == 0;
}

bool stripe_drain(struct stripe *s, struct stripe_wait *w)
{
    struct stripe_wait *at_once = NULL;
    if (stripe_is_empty(s))
        return true;
    pthread_mutex_lock(&s->lock);
    w->next = s->later;
    s->later = w;
    if (s->drain == NULL)
        at_once = drain_begin(s);
    pthread_mutex_unlock(&s->lock);
    /* later was empty before, or a drain would be under way: at_once is w alone. */
    assert(at_once == NULL || (at_once == w && w->next == NULL));
    return at_once != NULL;
}

bool stripe_park(struct stripe *s, _Atomic uint64_t *cell, struct stripe_wait *w)
{
    pthread_mutex_lock(&s->lock);
    w->cell = cell;
    w->next = atomic_load(&s->parked);
    /* Parked, then the look: a release clears the bit, then looks who is parked. */
    atomic_store(&s->parked, w);
    bool held = (atomic_load(cell) & WORD_HELD) != 0;
    if (!held)
        atomic_store(&s->parked, w->next);
    pthread_mutex_unlock(&s->lock);
    return held;
}

/* Under the lock: who parked on the cell, in a list; the others stay. */
static struct stripe_wait *parked_take(struct stripe *s, const void *cell)
{
    struct stripe_wait *taken = NULL, *kept = NULL;
    for (struct stripe_wait *w = atomic_load(&s->parked), *next; w != NULL; w = next) {
        struct stripe_wait **to = w->cell == cell ? &taken : &kept;
        next = w->next;
        w->next = *to;
        *to = w;
    }
    atomic_store(&s->parked, kept);
    return taken;
}

void stripe_release(struct stripe *s, _Atomic uint64_t *cell)
{
    uint64_t before = atomic_fetch_and(cell, ~WORD_HELD);
    assert((before & WORD_HELD) != 0);
    if (atomic_load(&s->parked) == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    struct stripe_wait *woken = parked_take(s, cell);
    pthread_mutex_unlock(&s->lock);
    wake_all(woken);
}
