/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl catalog. Single thread. */
#include "web/cli/cmd_flags.h"

static enum outcome catalog_backup(const struct cmd *cmd)
{
    return cmd_send(cmd, "POST", "/v1/catalog/backup", NULL);
}

const struct resource resource_catalog = {
    .name = "catalog",
    .summary = "The catalog: everything that the box must remember but the blocks",
    .path = "/v1/catalog",
    .verbs = {{.name = "backup",
               .summary = "Copy it into a new file on the box, while it runs",
               .flags = {{.name = "path",
                          .member = "path",
                          .value = "PATH",
                          .help = "absolute; it is as secret as the catalog"}},
               .run = catalog_backup}},
};
