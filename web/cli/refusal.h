/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon refused, as one line in the words of the command line. Single thread.
 */
#ifndef WEB_CLI_REFUSAL_H
#define WEB_CLI_REFUSAL_H

#include "web/cli/args.h"
#include "web/cli/client.h"

/* names: those that filled the request's members or its path; NULL: it had none. */
enum outcome refusal_say(const struct args *args, const char *const *names,
                         const struct reply *reply);

#endif
