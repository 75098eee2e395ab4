/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl token. A new token is printed once, by create, and never again. Single
 * thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

static enum outcome token_create(const struct cmd *cmd)
{
    enum outcome outcome = cmd_create(cmd);
    if (outcome == OUTCOME_DONE && !args_has(cmd->args, "json") &&
        !args_has(cmd->args, "dry-run"))
        fprintf(stderr, "Keep the token: it is shown this once.\n");
    return outcome;
}

const struct resource resource_token = {
    .name = "token",
    .summary = "Tokens: what programs authenticate with on TCP",
    .path = "/v1/tokens",
    .verbs =
        {
            {.name = "create",
             .summary = "Make a token; it is shown this once",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .names = {{"NAME", "name"}},
             .flags = {{.name = "scope",
                        .member = "scope",
                        .value = "read|provision|admin|attach",
                        .help = "what it is good for (default admin)"},
                       {.name = "host",
                        .member = "host",
                        .value = "HOST",
                        .help = "of the scope attach: the host that it is for"},
                       {.name = "expires",
                        .member = "expires",
                        .value = "TIME",
                        .help = "2030-12-31T00:00:00Z, or from now on such as 30d"}},
             .run = token_create},
            {.name = "list",
             .summary = "Tokens, by name",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about tokens, without what they are",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "delete",
             .summary = "Revoke tokens",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
        },
    .columns = {{"NAME", "name", COLUMN_TEXT},
                {"SCOPE", "scope", COLUMN_TEXT},
                {"HOST", "host", COLUMN_TEXT},
                {"CREATED", "created", COLUMN_TEXT},
                {"EXPIRES", "expires", COLUMN_TEXT},
                {"ID", "id", COLUMN_TEXT}},
};
