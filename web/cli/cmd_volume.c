/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl volume. Single thread. */
#include "web/cli/args.h"
#include "web/cli/blocks.h"
#include "web/cli/body.h"
#include "web/cli/cmd_flags.h"

#include <stdlib.h>

/* VOLUME SNAPSHOT, or VOLUME/SNAPSHOT. */
static enum outcome volume_rollback(const struct cmd *cmd)
{
    const struct args *args = cmd->args;
    const char *names[] = {args->names[0], args->name_count > 1 ? args->names[1] : NULL};
    AUTO_FREE char *volume = NULL;
    if (args->name_count == 1) {
        if (!cmd_cut(args->names[0], &volume, &names[1]))
            return say(OUTCOME_USAGE,
                       "volume rollback: %s names no volume and snapshot; accepted: "
                       "VOLUME SNAPSHOT, or VOLUME/SNAPSHOT",
                       args->names[0]);
        names[0] = volume;
    }
    AUTO_FREE char *path = cmd_path(cmd, names[0], "/rollback");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "POST", path, names);
}

static enum outcome volume_copy(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *name = cmd->args->names[0];
    bool waits = !args_has(cmd->args, "no-wait");
    AUTO_FREE char *path = cmd_path(cmd, name, "/copy");
    json_t *body = path == NULL ? NULL : body_make(cmd->args, &name);
    if (body == NULL)
        return OUTCOME_USAGE;
    json_t *job = job_begin(cmd, path, body, waits, &outcome);
    if (job != NULL) {
        cmd_print(cmd, job);
        outcome = job_judge(job, waits, "the copy of", name, outcome);
    }
    json_decref(job);
    json_decref(body);
    return outcome;
}

static enum outcome volume_delete(const struct cmd *cmd)
{
    return args_has(cmd->args, "purge") ? cmd_delete_with(cmd, "?purge=1", "is purged")
                                        : cmd_delete(cmd);
}

#define FLAG_OF_SIZE(help_text, is_required)                                             \
    {                                                                                    \
        .name = "size", .member = "size", .kind = FLAG_SIZE, .value = "SIZE",            \
        .help = (help_text), .required = (is_required)                                   \
    }

#define FLAG_OF_GUARANTEE                                                                \
    {                                                                                    \
        .name = "guaranteed", .member = "guaranteed", .kind = FLAG_SIZE,                 \
        .value = "SIZE", .help = "of the pool's space, whatever others take; 0: none"    \
    }

const struct resource resource_volume =
    {
        .name = "volume",
        .summary = "Volumes: thin virtual disks",
        .path = "/v1/volumes",
        .verbs =
            {
                {.name = "create",
                 .summary = "Make a thin volume",
                 .names_usage = "NAME",
                 .names_min = 1,
                 .names_max = 1,
                 .names = {{"NAME", "name"}},
                 .flags =
                     {{.name = "pool",
                       .member = "pool",
                       .value = "POOL",
                       .help = "name or id",
                       .required = true},
                      FLAG_OF_SIZE("bytes, or such as 100GiB; a multiple of 4096 bytes",
                                   true),
                      {.name = "block-size",
                       .member = "block_size",
                       .kind = FLAG_INT,
                       .value = "512|4096",
                       .help = "logical block in bytes (default 512)"},
                      {.name = "physical-block-size",
                       .member = "physical_block_size",
                       .kind = FLAG_INT,
                       .value = "512|4096",
                       .help = "told to hosts (default 4096); 512 if they refuse 512e"},
                      FLAG_OF_PROTECTION,
                      FLAG_OF_ZERO_DETECT,
                      FLAG_OF_GUARANTEE,
                      FLAGS_OF_QOS,
                      FLAG_OF_LABELS},
                 .run = cmd_create},
                {.name = "clone",
                 .summary = "Make a volume that begins with what a snapshot holds",
                 .names_usage = "VOLUME/SNAPSHOT NAME",
                 .names_min = 2,
                 .names_max = 2,
                 .names = {{"VOLUME/SNAPSHOT", "snapshot"}, {"NAME", "name"}},
                 .flags = {FLAG_OF_SIZE("a larger size than the snapshot's", false),
                           FLAG_OF_PROTECTION, FLAG_OF_ZERO_DETECT, FLAG_OF_GUARANTEE,
                           FLAGS_OF_QOS, FLAG_OF_LABELS},
                 .run = cmd_create},
                {.name = "list",
                 .summary = "Volumes, by name",
                 .flags = {FLAGS_OF_LIST},
                 .run = cmd_list},
                {.name = "show",
                 .summary = "All about volumes",
                 .names_usage = "NAME...",
                 .names_min = 1,
                 .names_max = NAMES_MANY,
                 .run = cmd_show},
                {.name = "change",
                 .summary = "Change a volume's name, size, flags, limits or labels",
                 .names_usage = "NAME",
                 .names_min = 1,
                 .names_max = 1,
                 .flags = {{.name = "name",
                            .member = "name",
                            .value = "NAME",
                            .help = "its new name"},
                           FLAG_OF_SIZE("its new size", false),
                           {.name = "allow-data-loss",
                            .member = "allow_data_loss",
                            .kind = FLAG_YES,
                            .help =
                                "the size may be smaller; what lies beyond it is lost"},
                           FLAG_OF_PROTECTION,
                           FLAG_OF_ZERO_DETECT,
                           FLAG_OF_GUARANTEE,
                           FLAGS_OF_QOS,
                           FLAG_OF_LABELS},
                 .run = cmd_change},
                {.name = "copy",
                 .summary = "Copy a volume, a snapshot of it or a range",
                 .names_usage = "VOLUME",
                 .names_min = 1,
                 .names_max = 1,
                 .names = {{"VOLUME", NULL}},
                 .flags = {{.name = "name",
                            .member = "name",
                            .value = "NAME",
                            .help = "of a new volume with all of it"},
                           {.name = "pool",
                            .member = "pool",
                            .value = "POOL",
                            .help =
                                "where the new volume is made; the volume's if absent"},
                           {.name = "to",
                            .member = "to",
                            .value = "VOLUME",
                            .help = "a volume that is overwritten"},
                           {.name = "snapshot",
                            .member = "snapshot",
                            .value = "SNAPSHOT",
                            .help = "what is copied; what the volume holds if absent"},
                           {.name = "offset",
                            .member = "offset",
                            .kind = FLAG_SIZE,
                            .value = "SIZE",
                            .help = "where a range begins"},
                           {.name = "length",
                            .member = "length",
                            .kind = FLAG_SIZE,
                            .value = "SIZE",
                            .help = "of the range"},
                           {.name = "to-offset",
                            .member = "to_offset",
                            .kind = FLAG_SIZE,
                            .value = "SIZE",
                            .help = "where it is written"},
                           {.name = "force",
                            .member = "force",
                            .kind = FLAG_YES,
                            .help = "also over a volume that sessions see"},
                           {.name = "no-wait",
                            .kind = FLAG_YES,
                            .help = "do not wait for the end; print the job"}},
                 .run = volume_copy},
                {.name = "rollback",
                 .summary =
                     "Bring a volume back to a snapshot; what it held is kept as another",
                 .names_usage = "VOLUME SNAPSHOT",
                 .names_min = 1,
                 .names_max = 2,
                 .names = {{"VOLUME", NULL}, {"SNAPSHOT", "snapshot"}},
                 .flags =
                     {
                         {.name = "keep-name",
                          .member = "keep_name",
                          .value = "NAME",
                          .help = "of the snapshot that keeps what it held"},
                         {.name = "fence",
                          .member = "fence",
                          .kind = FLAG_YES,
                          .help = "also while sessions see it; its guests lose what they "
                                  "have not flushed"}},
                 .run = volume_rollback},
                VERBS_OF_BLOCKS("NAME"),
                {.name = "delete",
                 .summary = "Delete volumes that are not mapped, and their snapshots",
                 .names_usage = "NAME...",
                 .names_min = 1,
                 .names_max = NAMES_MANY,
                 .flags = {{.name = "purge",
                            .kind = FLAG_YES,
                            .help = "past the trash, for good"}},
                 .run = volume_delete},
            },
        .columns = {{"NAME", "name", COLUMN_TEXT},
                    {"POOL", "pool", COLUMN_TEXT},
                    {"SIZE", "size", COLUMN_BYTES},
                    {"ALLOCATED", "allocated", COLUMN_BYTES},
                    {"BLOCK", "block_size", COLUMN_COUNT},
                    {"MAPPINGS", "mapping_count", COLUMN_COUNT},
                    {"SNAPSHOTS", "snapshot_count", COLUMN_COUNT},
                    {"PROTECTED", "protected", COLUMN_TEXT},
                    {"NAA", "naa", COLUMN_TEXT}},
};
