/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl trash. Single thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

static enum outcome trash_restore(const struct cmd *cmd)
{
    AUTO_FREE char *path = cmd_path(cmd, cmd->args->names[0], "/restore");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "POST", path, cmd->args->names);
}

static enum outcome trash_purge(const struct cmd *cmd)
{
    return cmd_delete_with(cmd, "", "is purged");
}

const struct resource resource_trash = {
    .name = "trash",
    .summary = "The trash: deleted volumes that can be restored",
    .path = "/v1/trash",
    .verbs =
        {
            {.name = "list",
             .summary = "Deleted volumes",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about deleted volumes",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "restore",
             .summary = "Bring a deleted volume back, with its snapshots",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "name",
                        .member = "name",
                        .value = "NAME",
                        .help = "another name than it had"}},
             .run = trash_restore},
            {.name = "purge",
             .summary = "Let deleted volumes go for good",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = trash_purge},
        },
    .columns = {{"NAME", "name", COLUMN_TEXT},
                {"POOL", "pool", COLUMN_TEXT},
                {"SIZE", "size", COLUMN_BYTES},
                {"ALLOCATED", "allocated", COLUMN_BYTES},
                {"SNAPSHOTS", "snapshot_count", COLUMN_COUNT},
                {"DELETED", "trashed", COLUMN_TEXT},
                {"PURGE", "purge", COLUMN_TEXT},
                {"ID", "id", COLUMN_TEXT}},
};
