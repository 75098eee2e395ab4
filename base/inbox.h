/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's letter box: any thread posts a note, the owner runs what came, in order of
 * posting by each poster. Lock-free, no allocation: a note is a member of what it is
 * about. No I/O here: how a sleeping owner is woken is a callback (an eventfd, a
 * condition). */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The poster's until posted, the inbox's until run() begins, then whoever's run() says.
 * One note is in one inbox at a time. */
struct note {
    struct note *next;
    void (*run)(struct note *note);
};

struct inbox {
    _Atomic(struct note *) head; /* newest first */
    void (*wake)(void *arg);     /* any thread; called when the box was empty */
    void *wake_arg;
    atomic_uint *posters; /* how many are in inbox_post(); may be NULL */
};

void inbox_init(struct inbox *box, void (*wake)(void *arg), void *wake_arg);
/* For a box whose owner frees what wake() uses when the last note has come: the poster of
 * that note may still be in wake(). The owner frees when *posters is 0. */
void inbox_count_posters(struct inbox *box, atomic_uint *posters);
/* Any thread. note->run is set. */
void inbox_post(struct inbox *box, struct note *note);
/* The owner's thread: runs what was there at the call, oldest first. True if there was
 * any. */
bool inbox_run(struct inbox *box);
bool inbox_is_empty(struct inbox *box);

#endif
