/* SPDX-License-Identifier: Apache-2.0 */
/* The request body that names and flags make. Values are passed on as they were typed:
 * what may stand in them is the daemon's to judge. Single thread. */
#ifndef WEB_CLI_BODY_H
#define WEB_CLI_BODY_H

#include "web/cli/args.h"

/* names: one for each name of the verb. NULL: a value has no form in JSON, which has been
 * said. */
json_t *body_make(const struct args *args, const char *const *names);

#endif
