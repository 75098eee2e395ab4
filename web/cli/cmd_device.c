/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl device. A device's name is POOL/SLOT, or POOL/ID. Single thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "/v1/pools/POOL/devices" and, if the name has a device, "/DEVICE", then suffix. NULL:
 * it has none where one is wanted, which has been said. */
static char *device_path(const char *name, bool wants_device, const char *suffix)
{
    const char *device = NULL;
    AUTO_FREE char *pool = NULL;
    char *path = NULL;
    if (wants_device && !cmd_cut(name, &pool, &device)) {
        say(OUTCOME_USAGE, "%s names no device; accepted: POOL/SLOT or POOL/ID", name);
        return NULL;
    }
    AUTO_FREE char *first = cmd_escape(wants_device ? pool : name);
    AUTO_FREE char *second = cmd_escape(wants_device ? device : "");
    if (asprintf(&path, "/v1/pools/%s/devices%s%s%s", first, wants_device ? "/" : "",
                 second, suffix) < 0)
        path = NULL;
    return path;
}

static enum outcome device_add(const struct cmd *cmd)
{
    AUTO_FREE char *path = device_path(cmd->args->names[0], false, "");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "POST", path, NULL);
}

static enum outcome device_grow(const struct cmd *cmd)
{
    AUTO_FREE char *path = device_path(cmd->args->names[0], true, "");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "PATCH", path, NULL);
}

static enum outcome device_show(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    AUTO_FREE char *path = device_path(name, true, "");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *device = cmd_fetch(cmd, "GET", path, name, &outcome);
    if (device != NULL)
        cmd_print(cmd, device);
    json_decref(device);
    return outcome;
}

static enum outcome device_evacuate(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    bool waits = !args_has(cmd->args, "no-wait");
    AUTO_FREE char *path = device_path(name, true, "/evacuate");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *job = job_begin(cmd, path, NULL, waits, &outcome);
    if (job != NULL) {
        cmd_print(cmd, job);
        outcome = job_judge(job, waits, "the evacuation of", name, outcome);
    }
    json_decref(job);
    return outcome;
}

static enum outcome device_remove(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    AUTO_FREE char *path = device_path(name, true, "");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_decref(cmd_call(cmd, "DELETE", path, NULL, NULL, &outcome));
    return outcome;
}

const struct resource resource_device = {
    .name = "device",
    .summary = "Devices of pools: block devices and files",
    .path = "/v1/devices",
    .key = "POOL/DEVICE",
    .slashes_max = 1,
    .verbs =
        {
            {.name = "add",
             .summary = "Add a device to a pool that serves",
             .names_usage = "POOL",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "path",
                        .member = "path",
                        .value = "PATH",
                        .help = "absolute path of a block device or a file",
                        .required = true},
                       {.name = "size",
                        .member = "size",
                        .kind = FLAG_SIZE,
                        .value = "SIZE",
                        .help = "of a file that is made"},
                       {.name = "force",
                        .member = "force",
                        .kind = FLAG_YES,
                        .help = "overwrite what it carries; never what is in use"}},
             .run = device_add},
            {.name = "list",
             .summary = "Devices, by pool and slot",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about a device",
             .names_usage = "POOL/DEVICE",
             .names_min = 1,
             .names_max = 1,
             .run = device_show},
            {.name = "grow",
             .summary = "Make a file larger, or use all that a block device has now",
             .names_usage = "POOL/DEVICE",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "size",
                        .member = "size",
                        .kind = FLAG_SIZE,
                        .value = "SIZE",
                        .help = "of the file"}},
             .run = device_grow},
            {.name = "evacuate",
             .summary = "Move all that is on a device to the others",
             .names_usage = "POOL/DEVICE",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "no-wait",
                        .kind = FLAG_YES,
                        .help = "do not wait for the end; print the job"}},
             .run = device_evacuate},
            {.name = "remove",
             .summary = "Remove a device that was evacuated",
             .names_usage = "POOL/DEVICE",
             .names_min = 1,
             .names_max = 1,
             .run = device_remove},
        },
    .columns = {{"POOL", "pool", COLUMN_TEXT},
                {"SLOT", "slot", COLUMN_COUNT},
                {"STATE", "state", COLUMN_TEXT},
                {"SIZE", "size", COLUMN_BYTES},
                {"USED", "used", COLUMN_BYTES},
                {"FREE", "free", COLUMN_BYTES},
                {"PATH", "path", COLUMN_TEXT}},
};
