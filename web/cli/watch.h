/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's events as they happen: comes back after a lost connection and goes on
 * where it was. Single thread. */
#ifndef WEB_CLI_WATCH_H
#define WEB_CLI_WATCH_H

#include "web/cli/cmd.h"

struct watch_options {
    const char *path;    /* with its query */
    const char *after;   /* the id of an event; NULL: from now on */
    unsigned long count; /* then it is enough; 0: never */
};

/* Prints until a signal asks it to end, nobody reads what it prints, or count is reached:
 * OUTCOME_DONE. */
enum outcome watch_run(const struct cmd *cmd, const struct watch_options *options);

#endif
