/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl pool. Single thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

static enum outcome pool_check(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    AUTO_FREE char *path = cmd_path(cmd, name, "/check");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *report = cmd_fetch(cmd, "POST", path, name, &outcome);
    if (report != NULL) {
        cmd_print(cmd, report);
        if (!json_is_true(json_object_get(report, "clean")))
            outcome = say(OUTCOME_REFUSED, "pool %s is not clean", name);
    }
    json_decref(report);
    return outcome;
}

const struct resource resource_pool = {
    .name = "pool",
    .summary = "Pools: devices that share one space of extents",
    .path = "/v1/pools",
    .verbs =
        {
            {.name = "create",
             .summary = "Make a pool of a block device or a file",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .names = {{"NAME", "name"}},
             .flags = {{.name = "device",
                        .member = "devices",
                        .kind = FLAG_DEVICE,
                        .value = "PATH[,size=SIZE]",
                        .help = "absolute path; size: of a file that is made or grown",
                        .required = true}},
             .run = cmd_create},
            {.name = "list",
             .summary = "Pools, by name",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about pools",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "delete",
             .summary = "Delete pools without volumes; their files stay",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
            {.name = "check",
             .summary = "Compare a pool's map with its allocation; repairs nothing",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .run = pool_check},
        },
    .columns = {{"NAME", "name", COLUMN_TEXT},
                {"STATE", "state", COLUMN_TEXT},
                {"SIZE", "size", COLUMN_BYTES},
                {"USED", "used", COLUMN_BYTES},
                {"FREE", "free", COLUMN_BYTES},
                {"PROVISIONED", "provisioned", COLUMN_BYTES},
                {"VOLUMES", "volume_count", COLUMN_COUNT}},
};
