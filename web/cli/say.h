/* SPDX-License-Identifier: Apache-2.0 */
/* What ashlarctl says when it cannot do what it was asked: one line on stderr, and the
 * exit status that goes with it. Single thread. */
#ifndef WEB_CLI_SAY_H
#define WEB_CLI_SAY_H

#include "base/auto.h"

#include <stdio.h>

/* The exit status. What calls the daemon or reads the command line answers one of these.
 */
enum outcome {
    OUTCOME_DONE = 0,
    OUTCOME_REFUSED = 1,   /* by the daemon */
    OUTCOME_USAGE = 2,     /* the command line is wrong */
    OUTCOME_UNREACHED = 3, /* the daemon is not there, or it is no Ashlar daemon */
};

/* Prints "ashlarctl: ..." and returns outcome, so that `return say(...)` reads straight.
 */
enum outcome say(enum outcome outcome, const char *fmt, ...) PRINTF_LIKE(2, 3);
void say_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Writes text to out with what could move a terminal's cursor shown as '?': it may come
 * from elsewhere. */
void say_plain(FILE *out, const char *text);

/* p, which is not NULL: there is nothing sane to do without a few bytes. */
void *must(void *p);

#endif
