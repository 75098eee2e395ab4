/* SPDX-License-Identifier: Apache-2.0 */
/* What a change passes before its handler, in this order: its idempotency key (answered
 * from the record of an earlier one, if it is a repetition), its turn (changes of one
 * object go one after the other, so that a condition still holds when it is acted upon),
 * its condition (If-Match), its record (what lunmgr writes into the change's own
 * transaction). Control thread. */
#ifndef WEB_ADMIT_H
#define WEB_ADMIT_H

#include "base/inbox.h"
#include "lunmgr/record.h"

#include <stdbool.h>

struct exchange;
struct web;

/* A change's way, as its exchange keeps it. */
struct passage {
    struct note note;     /* posted when the turn has come */
    const void *object;   /* whose turn it has or waits for; NULL: of no object */
    bool is_waiting;      /* for its turn: nobody else will answer the exchange */
    bool is_called;       /* the note is posted */
    bool is_changing;     /* its handler was called */
    char *request;        /* the body without its secrets, as JSON; NULL: none */
    struct record record; /* key "": none was given */
};

/* Takes x over: calls its route's handler when all is passed, or answers why not. */
void admit_change(struct exchange *x);
/* x ends, or nobody waits for its answer any more: the next of its object has its turn.
 */
void admit_leave(struct exchange *x);
/* Writes x's record by itself, for what is no change of the catalog, with x->answer if
 * there is one already, and calls then(x) when it is durable; a dry run is answered
 * instead, a failure too. */
void admit_record(struct exchange *x, void (*then)(struct exchange *x));

#endif
