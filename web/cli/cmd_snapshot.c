/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl snapshot. A snapshot's name is VOLUME/NAME. Single thread. */
#include "web/cli/args.h"
#include "web/cli/blocks.h"
#include "web/cli/body.h"
#include "web/cli/cmd_flags.h"

#include <stdlib.h>

static void put_text(json_t *body, const char *member, const char *text)
{
    if (json_object_set_new(body, member, must(json_string(text))) != 0)
        must(NULL);
}

static enum outcome send(const struct cmd *cmd, const char *path, const json_t *body)
{
    enum outcome outcome;
    json_t *made = cmd_call(cmd, "POST", path, body, NULL, &outcome);
    const json_t *group = json_object_get(made, "snapshots");
    if (made != NULL && group != NULL)
        cmd_print_rows(cmd, group);
    else if (made != NULL)
        cmd_print(cmd, made);
    json_decref(made);
    return outcome;
}

static bool names_are_text(const struct args *args)
{
    for (size_t i = 0; i < args->name_count; i++) {
        json_t *text = json_string(args->names[i]);
        if (text == NULL) {
            say(OUTCOME_USAGE, "VOLUME is not UTF-8 text");
            return false;
        }
        json_decref(text);
    }
    return true;
}

/* VOLUME/NAME, or VOLUME... and --name. */
static enum outcome create_one(const struct cmd *cmd, json_t *body)
{
    const struct args *args = cmd->args;
    const char *name = args_value(args, "name");
    AUTO_FREE char *volume = NULL;
    if (name == NULL) {
        if (!cmd_cut(args->names[0], &volume, &name))
            return say(OUTCOME_USAGE,
                       "snapshot create: %s names no volume and snapshot; accepted: "
                       "VOLUME/NAME, or VOLUME... --name NAME",
                       args->names[0]);
        put_text(body, "name", name);
    }
    put_text(body, "volume", volume != NULL ? volume : args->names[0]);
    return send(cmd, cmd->args->resource->path, body);
}

static enum outcome create_group(const struct cmd *cmd, json_t *body)
{
    const struct args *args = cmd->args;
    if (args_value(args, "name") == NULL)
        return say(OUTCOME_USAGE, "snapshot create: --name is missing; several volumes' "
                                  "snapshots have one name");
    json_t *volumes = must(json_array());
    for (size_t i = 0; i < args->name_count; i++) {
        if (json_array_append_new(volumes, must(json_string(args->names[i]))) != 0)
            must(NULL);
    }
    if (json_object_set_new(body, "volumes", volumes) != 0)
        must(NULL);
    return send(cmd, "/v1/snapshot-groups", body);
}

static enum outcome snapshot_create(const struct cmd *cmd)
{
    if (!names_are_text(cmd->args))
        return OUTCOME_USAGE;
    json_t *body = body_make(cmd->args, NULL);
    if (body == NULL)
        return OUTCOME_USAGE;
    enum outcome outcome =
        cmd->args->name_count == 1 ? create_one(cmd, body) : create_group(cmd, body);
    json_decref(body);
    return outcome;
}

static enum outcome snapshot_list(const struct cmd *cmd)
{
    const char *volume = args_value(cmd->args, "volume");
    AUTO_FREE char *query = NULL;
    if (volume == NULL)
        return cmd_list(cmd);
    AUTO_FREE char *escaped = cmd_escape(volume);
    if (asprintf(&query, "&volume=%s", escaped) < 0)
        query = must(NULL);
    return cmd_list_of(cmd, query);
}

const struct resource resource_snapshot = {
    .name = "snapshot",
    .summary = "Snapshots: what volumes held at an instant",
    .path = "/v1/snapshots",
    .key = "VOLUME/NAME",
    .slashes_max = 1,
    .verbs =
        {
            {.name = "create",
             .summary = "Keep what a volume holds now, or several at one instant",
             .names_usage = "VOLUME/NAME | VOLUME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .flags = {{.name = "name",
                        .member = "name",
                        .value = "NAME",
                        .help = "of each volume's snapshot"},
                       FLAG_OF_LABELS},
             .run = snapshot_create},
            {.name = "list",
             .summary = "Snapshots, by volume and name",
             .flags = {{.name = "volume",
                        .value = "VOLUME",
                        .help = "only those of this volume"},
                       FLAGS_OF_LIST},
             .run = snapshot_list},
            {.name = "show",
             .summary = "All about snapshots",
             .names_usage = "VOLUME/NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "change",
             .summary = "Change a snapshot's name, protection or labels",
             .names_usage = "VOLUME/NAME",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "name",
                        .member = "name",
                        .value = "NAME",
                        .help = "its new name, without its volume's"},
                       FLAG_OF_PROTECTION,
                       FLAG_OF_LABELS},
             .run = cmd_change},
            VERBS_OF_BLOCKS("VOLUME/NAME"),
            {.name = "delete",
             .summary = "Delete snapshots that are neither mapped nor protected",
             .names_usage = "VOLUME/NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
        },
    .columns = {{"VOLUME", "volume", COLUMN_TEXT},
                {"NAME", "name", COLUMN_TEXT},
                {"SIZE", "size", COLUMN_BYTES},
                {"ALLOCATED", "allocated", COLUMN_BYTES},
                {"MAPPINGS", "mapping_count", COLUMN_COUNT},
                {"CLONES", "clone_count", COLUMN_COUNT},
                {"PROTECTED", "protected", COLUMN_TEXT},
                {"CREATED", "created", COLUMN_TEXT}},
};
