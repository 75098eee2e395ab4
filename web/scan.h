/* SPDX-License-Identifier: Apache-2.0 */
/* A look at all rows of a resource for those that a list shows, in slices: after some
 * milliseconds it lets the loop have a turn and goes on behind the row where it was. Rows
 * come and go meanwhile; one that stays, and is not changed in what it is sorted by, is
 * seen once. Control thread. */
#ifndef WEB_SCAN_H
#define WEB_SCAN_H

#include "web/filter.h"
#include "web/order.h"
#include "web/pick.h"

#include <event2/event_struct.h>

struct scan {
    /* Set by who makes it. */
    struct exchange *x;
    const struct resource *resource;
    struct filter filter;
    struct order order;
    uint64_t fields;
    size_t limit;
    struct place after;         /* rows behind it alone */
    char prefix[WEB_AFTER_MAX]; /* those alone whose key begins so */
    /* Answers x. Not called if the client is gone. */
    void (*done)(struct scan *s);
    /* What was found. */
    struct json_text items; /* "{...},{...}", behind what done needs before it */
    size_t count;
    bool more;         /* there are some behind last */
    struct place last; /* of items */
    bool out_of_memory;
    /* Its own. */
    struct web *web;
    struct scan *next, **link;
    struct event timer;
    char key[WEB_AFTER_MAX]; /* behind what the walk goes on */
    struct row_walk walk;
    void *rows; /* copies, of a resource that is asked for; else NULL */
    size_t row_count, row_at;
    struct pick pick; /* of a sorted list */
    size_t shown;     /* of them */
    bool walked;      /* all rows; what was picked is shown now */
};

/* For x, of every row and member. NULL: out of memory. */
struct scan *scan_create(struct exchange *x, const struct resource *r,
                         void (*done)(struct scan *s));
/* Of a resource that is asked for: its rows, copied. -ENOMEM. */
int scan_take_rows(struct scan *s, const void *infos, size_t count) MUST_CHECK;
/* Ends with done, in this call or in a later turn, and frees the scan. */
void scan_start(struct scan *s);
/* Of one that was not started. */
void scan_free(struct scan *s);
/* web stops, and has abandoned its exchanges. */
void scan_end_all(struct web *web);

#endif
