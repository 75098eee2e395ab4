/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl apply: a desired state from a file. Single thread. */
#include "web/cli/args.h"

#include <string.h>

/* NULL: said why. */
static json_t *document_read(const char *path)
{
    json_error_t error;
    bool is_input = strcmp(path, "-") == 0;
    json_t *document = is_input ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
                                : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL)
        say(OUTCOME_USAGE, "apply: %s: line %d column %d: %s",
            is_input ? "standard input" : path, error.line, error.column, error.text);
    return document;
}

static enum outcome apply(const struct cmd *cmd)
{
    enum outcome outcome = OUTCOME_USAGE;
    json_t *document = document_read(cmd->args->names[0]);
    if (document == NULL)
        return outcome;
    json_t *made = cmd_call(cmd, "POST", "/v1/apply", document, NULL, &outcome);
    if (made != NULL && !args_has(cmd->args, "json")) {
        cmd_print_rows(cmd, json_object_get(made, "changes"));
        printf("%zu %s, %lld are so already\n",
               json_array_size(json_object_get(made, "changes")),
               json_is_true(json_object_get(made, "dry_run")) ? "would change"
                                                              : "changed",
               json_integer_value(json_object_get(made, "unchanged")));
    }
    json_decref(made);
    json_decref(document);
    return outcome;
}

const struct resource resource_apply = {
    .name = "apply",
    .summary = "Make things be as a document says",
    .path = "/v1/apply",
    .verbs = {{.name = "",
               .summary =
                   "Make what a JSON document says and is not so; --dry-run: only tell",
               .names_usage = "FILE",
               .names_min = 1,
               .names_max = 1,
               .names = {{"FILE", NULL}},
               .run = apply}},
    .columns = {{"ACTION", "action", COLUMN_TEXT},
                {"KIND", "kind", COLUMN_TEXT},
                {"NAME", "name", COLUMN_TEXT}},
};
