/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl event. Single thread. */
#include "web/cli/args.h"
#include "web/cli/watch.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_DIGITS_MAX 9

/* "NAME=VALUE" as a part of a query with mark before it, or "". Freed by the caller. */
static char *type_query(const struct cmd *cmd, const char *mark)
{
    const char *type = args_value(cmd->args, "type");
    char *query = NULL;
    if (type == NULL)
        return must(strdup(""));
    AUTO_FREE char *escaped = cmd_escape(type);
    if (asprintf(&query, "%stype=%s", mark, escaped) < 0)
        query = must(NULL);
    return query;
}

static enum outcome event_list(const struct cmd *cmd)
{
    AUTO_FREE char *query = type_query(cmd, "&");
    return cmd_list_of(cmd, query);
}

/* False: said what is wrong. */
static bool read_count(const struct cmd *cmd, unsigned long *out)
{
    const char *text = args_value(cmd->args, "count");
    *out = 0;
    if (text == NULL)
        return true;
    if (strlen(text) <= COUNT_DIGITS_MAX && strspn(text, "0123456789") == strlen(text))
        *out = strtoul(text, NULL, 10);
    if (*out == 0)
        say(OUTCOME_USAGE,
            "event watch: --count %s is no such number; accepted: 1 to 999999999", text);
    return *out != 0;
}

static enum outcome event_watch(const struct cmd *cmd)
{
    struct watch_options options = {.after = args_value(cmd->args, "after")};
    AUTO_FREE char *query = type_query(cmd, "?");
    AUTO_FREE char *path = NULL;
    if (!read_count(cmd, &options.count))
        return OUTCOME_USAGE;
    if (options.after != NULL &&
        (strlen(options.after) > 40 ||
         strspn(options.after, "0123456789-") != strlen(options.after)))
        return say(OUTCOME_USAGE,
                   "event watch: --after %s is no event's id; accepted: an id as event "
                   "list shows it, such as 12-345",
                   options.after);
    if (asprintf(&path, "%s%s", cmd->args->resource->path, query) < 0)
        path = must(NULL);
    options.path = path;
    return watch_run(cmd, &options);
}

#define FLAG_OF_TYPE                                                                     \
    {                                                                                    \
        .name = "type", .value = "TYPE",                                                 \
        .help = "only those whose type begins so, such as session. or volume.created"    \
    }

const struct resource resource_event = {
    .name = "event",
    .summary = "Events: what happened, and what happens",
    .path = "/v1/events",
    .verbs = {{.name = "list",
               .summary = "The last that happened, oldest first",
               .flags = {FLAG_OF_TYPE},
               .run = event_list},
              {.name = "watch",
               .summary = "What happens, as it happens, until a signal ends it",
               .flags = {FLAG_OF_TYPE,
                         {.name = "after",
                          .value = "ID",
                          .help = "first those that came after this one"},
                         {.name = "count",
                          .value = "NUMBER",
                          .help = "end after so many events"}},
               .run = event_watch}},
    .columns = {{"ID", "id", COLUMN_TEXT},
                {"TIME", "time", COLUMN_TEXT},
                {"TYPE", "type", COLUMN_TEXT},
                {"NAME", "subject/name", COLUMN_TEXT},
                {"SUBJECT", "subject/id", COLUMN_TEXT},
                {"WHO", "who", COLUMN_TEXT}},
};
