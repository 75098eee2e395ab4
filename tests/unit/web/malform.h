/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed requests, made for each operation from what the document says of it: its
 * parameters, its body's schema, its methods. Whoever breaks a request knows what is
 * broken, so that the status, the problem's type and what it points at are known too.
 * Each is sent to a server that has the world of the examples, where the request would
 * work if it were not for the one mistake; what the lists of the API tell is the same
 * afterwards, byte for byte. Over the fake manager and over a running daemon. */
#ifndef TESTS_UNIT_WEB_MALFORM_H
#define TESTS_UNIT_WEB_MALFORM_H

#include "world.h"

#include <stdio.h>

/* At least so many for an operation with a body, and for one without. */
#define MALFORM_BODY_FLOOR 200
#define MALFORM_BARE_FLOOR 50

struct malform {
    struct world world; /* document, client and dir are set */
    struct client *tcp; /* closed; for requests without a valid token */
    const char *only;   /* the one operation that has a turn, by its id; NULL: all */
    FILE *report;       /* of counts and faults */
    /* Opens a connection: to the Unix socket, or to the TCP address. 0 or -errno. */
    int (*open)(void *arg, struct client *c, bool tcp);
    void *arg;
    /* own */
    const struct operation *op; /* whose turn it is */
    char path[WORLD_PATH_MAX];  /* that leads to something */
    char *body;                 /* that would work; NULL: it takes none */
    char *state;                /* what the lists told before */
    size_t unchecked;           /* requests since they were asked */
    size_t count;               /* requests for op */
    size_t total, faults;
};

/* Reports for each operation how many requests it had, and each fault.
 * True: there was none, and every operation had enough. */
bool malform_run(struct malform *m);

#endif
