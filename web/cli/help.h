/* SPDX-License-Identifier: Apache-2.0 */
/* --help at each level, from the tables of cmd.h. Single thread. */
#ifndef WEB_CLI_HELP_H
#define WEB_CLI_HELP_H

#include "web/cli/args.h"

void help_print(const struct args *args);

#endif
