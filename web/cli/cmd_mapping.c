/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl mapping. A mapping's name is VOLUME/HOST, or VOLUME/SNAPSHOT/HOST. Single
 * thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

#include <string.h>

/* VOLUME HOST, VOLUME/HOST, VOLUME/SNAPSHOT HOST or VOLUME/SNAPSHOT/HOST. */
static enum outcome mapping_create(const struct cmd *cmd)
{
    const struct args *args = cmd->args;
    if (args->name_count == 2)
        return cmd_create(cmd);
    const char *slash = strrchr(args->names[0], '/');
    if (slash == NULL || slash == args->names[0] || slash[1] == '\0')
        return say(OUTCOME_USAGE,
                   "mapping create: %s names no volume and host; accepted: VOLUME HOST, "
                   "VOLUME/HOST, VOLUME/SNAPSHOT HOST, or VOLUME/SNAPSHOT/HOST",
                   args->names[0]);
    AUTO_FREE char *shown =
        must(strndup(args->names[0], (size_t)(slash - args->names[0])));
    return cmd_create_named(cmd, (const char *const[]){shown, slash + 1});
}

const struct resource resource_mapping = {
    .name = "mapping",
    .summary = "Mappings: which volume or snapshot a host sees under which LUN",
    .path = "/v1/mappings",
    .key = "VOLUME/HOST, VOLUME/SNAPSHOT/HOST",
    .slashes_max = 2,
    .verbs =
        {
            {.name = "create",
             .summary = "Show a volume, or a snapshot to be read only, to a host",
             .names_usage = "VOLUME[/SNAPSHOT] HOST",
             .names_min = 1,
             .names_max = 2,
             .names = {{"VOLUME", "volume", "snapshot"}, {"HOST", "host"}},
             .flags = {{.name = "lun",
                        .member = "lun",
                        .kind = FLAG_INT,
                        .value = "0..16383",
                        .help = "default: the lowest that the host has free, or 0"},
                       {.name = "read-only",
                        .member = "read_only",
                        .kind = FLAG_YES,
                        .help = "the host cannot write"},
                       {.name = "export",
                        .member = "export",
                        .kind = FLAG_TEXT,
                        .value = "shared|own",
                        .help = "own: as LUN 0 of a target of the volume's own; "
                                "default: shared"}},
             .run = mapping_create},
            {.name = "list",
             .summary = "Mappings, by host and LUN",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about mappings, with what attaches them to a guest",
             .names_usage = "VOLUME[/SNAPSHOT]/HOST...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "delete",
             .summary = "Hide volumes from their hosts",
             .names_usage = "VOLUME[/SNAPSHOT]/HOST...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
        },
    .columns = {{"VOLUME", "volume", COLUMN_TEXT},
                {"SNAPSHOT", "snapshot", COLUMN_TEXT},
                {"HOST", "host", COLUMN_TEXT},
                {"LUN", "lun", COLUMN_COUNT},
                {"READ-ONLY", "read_only", COLUMN_TEXT},
                {"URI", "uris", COLUMN_FIRST}},
};
