/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl auth. Single thread. */
#include "web/cli/cmd_flags.h"

static enum outcome auth_show(const struct cmd *cmd)
{
    enum outcome outcome;
    json_t *auth = cmd_fetch(cmd, "GET", resource_auth.path, NULL, &outcome);
    if (auth != NULL)
        cmd_print(cmd, auth);
    json_decref(auth);
    return outcome;
}

static enum outcome auth_change(const struct cmd *cmd)
{
    return cmd_send(cmd, "PATCH", resource_auth.path, NULL);
}

const struct resource resource_auth = {
    .name = "auth",
    .summary = "What the whole box asks of initiators: for discovery, and of digests",
    .path = "/v1/auth",
    .verbs = {{.name = "show", .summary = "All but the secrets", .run = auth_show},
              {.name = "change",
               .summary = "Change it; what is not named stays",
               .flags = {FLAGS_OF_AUTH("discovery"), FLAG_OF_MD5("forbid_md5")},
               .run = auth_change}},
};
