/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read against the tables of cmd.h: RESOURCE VERB [NAME...] and flags,
 * in any order after the verb; global flags anywhere. Borrows argv. Single thread. */
#ifndef WEB_CLI_ARGS_H
#define WEB_CLI_ARGS_H

#include "web/cli/cmd.h"

struct given {
    const struct flag *flag;
    const char *value; /* of a flag that takes none: "true" or "false" */
};

struct args {
    const struct resource *resource; /* NULL: --help or --version alone */
    const struct verb *verb;         /* NULL: --help of a resource */
    const char **names;
    size_t name_count;
    struct given *given;
    size_t given_count;
};

/* OUTCOME_USAGE: said what is wrong. args_fini in either case. */
enum outcome args_read(struct args *args, int argc, char *const *argv);
void args_fini(struct args *args);

bool flag_is_repeatable(const struct flag *flag);
/* The value of a flag that is given at most once; NULL: not given. */
const char *args_value(const struct args *args, const char *flag);
bool args_has(const struct args *args, const char *flag);
/* The nth value of a repeatable flag that fills member; NULL: there is none. */
const struct given *args_nth(const struct args *args, const char *member, size_t n);

#endif
