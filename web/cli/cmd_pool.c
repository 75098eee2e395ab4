/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl pool. Single thread. */
#include "web/cli/args.h"
#include "web/cli/cmd_flags.h"

static const char *member_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

/* The report of a check that has ended; with --json as the job has it. */
static enum outcome pool_report(const struct cmd *cmd, const json_t *job)
{
    const char *name = cmd->args->names[0], *error = member_text(job, "error");
    const json_t *report = json_object_get(job, "outcome");
    if (!json_is_object(report))
        return say(OUTCOME_REFUSED, "the check of pool %s has %s%s%s", name,
                   member_text(job, "state"), error[0] == '\0' ? "" : ": ", error);
    if (args_has(cmd->args, "json")) {
        json_dumpf(report, stdout, JSON_COMPACT);
        fputc('\n', stdout);
    }
    cmd_print(cmd, report);
    if (!json_is_true(json_object_get(report, "clean")))
        return say(OUTCOME_REFUSED, "pool %s is not clean", name);
    return OUTCOME_DONE;
}

static enum outcome pool_check(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    bool waits = !args_has(cmd->args, "no-wait");
    AUTO_FREE char *path = cmd_path(cmd, name, "/check");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *job = job_begin(cmd, path, NULL, waits, &outcome);
    if (job != NULL && waits)
        outcome = pool_report(cmd, job);
    else if (job != NULL)
        cmd_print(cmd, job);
    json_decref(job);
    return outcome;
}

#define FLAG_OF_CAP                                                                      \
    {                                                                                    \
        .name = "overcommit-cap-percent", .member = "overcommit_cap_percent",            \
        .kind = FLAG_INT, .value = "PERCENT",                                            \
        .help = "what volumes may be provisioned to, of the pool's size; 0: no cap"      \
    }

#define FLAG_OF_THRESHOLD                                                                \
    {                                                                                    \
        .name = "usage-threshold", .member = "usage_thresholds", .kind = FLAG_NUMBERS,   \
        .value = "PERCENT",                                                              \
        .help = "told of when so much of the pool is used; at most 4, rising; or none"   \
    }

#define FLAG_OF_PAGE_CACHE                                                               \
    {                                                                                    \
        .name = "page-cache", .member = "page_cache", .kind = FLAG_YES,                  \
        .help = "devices are read and written through the page cache, not past it"       \
    }

static enum outcome pool_export(const struct cmd *cmd)
{
    AUTO_FREE char *path = cmd_path(cmd, cmd->args->names[0], "/export");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "POST", path, cmd->args->names);
}

static enum outcome pool_import(const struct cmd *cmd)
{
    return cmd_send(cmd, "POST", "/v1/pools/import", NULL);
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
                        .required = true},
                       FLAG_OF_CAP,
                       FLAG_OF_THRESHOLD,
                       FLAG_OF_PAGE_CACHE},
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
            {.name = "change",
             .summary = "Change what may be promised of a pool, when to tell of it, and "
                        "its page "
                        "cache",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .flags = {FLAG_OF_CAP, FLAG_OF_THRESHOLD, FLAG_OF_PAGE_CACHE},
             .run = cmd_change},
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
             .flags = {{.name = "no-wait",
                        .kind = FLAG_YES,
                        .help = "do not wait for the end; print the job"}},
             .run = pool_check},
            {.name = "export",
             .summary =
                 "Give a pool away with a file of its volumes, to be imported elsewhere",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "path",
                        .member = "path",
                        .value = "PATH",
                        .help = "absolute; of the file, which is not there yet",
                        .required = true}},
             .run = pool_export},
            {.name = "import",
             .summary = "Take a pool that another box has exported",
             .flags = {{.name = "path",
                        .member = "path",
                        .value = "PATH",
                        .help = "absolute; of the file",
                        .required = true},
                       {.name = "device",
                        .member = "devices",
                        .kind = FLAG_LIST,
                        .value = "PATH",
                        .help = "where its devices are now (default: where they were)"},
                       {.name = "name",
                        .member = "name",
                        .value = "NAME",
                        .help = "another name than it had"}},
             .run = pool_import},
        },
    .columns = {{"NAME", "name", COLUMN_TEXT},
                {"STATE", "state", COLUMN_TEXT},
                {"SIZE", "size", COLUMN_BYTES},
                {"USED", "used", COLUMN_BYTES},
                {"FREE", "free", COLUMN_BYTES},
                {"PROVISIONED", "provisioned", COLUMN_BYTES},
                {"VOLUMES", "volume_count", COLUMN_COUNT}},
};
