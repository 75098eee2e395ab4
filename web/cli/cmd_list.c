/* SPDX-License-Identifier: Apache-2.0 */
/* What every list verb does: pages that are shown as one list, as its flags say. Single
 * thread. */
#include "web/cli/args.h"
#include "web/cli/client.h"
#include "web/cli/cmd.h"
#include "web/cli/refusal.h"
#include "web/cli/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LIST_LIMIT     1000
#define LIST_PAGES_MAX 10000

struct list {
    const char *query;                      /* "", or "&name=..." */
    size_t left;                            /* items that are still wanted */
    struct column shown[TABLE_COLUMNS_MAX]; /* by --fields; none: the resource's */
    size_t shown_count;
    char *names; /* what their texts stand in */
    json_t *items;
    size_t pages;
    struct reply first;
};

static void put_parameter(FILE *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    AUTO_FREE char *escaped = cmd_escape(value);
    fprintf(out, "&%s=%s", name, escaped);
}

/* after: of the page before; "": the first. */
static char *list_path(const struct cmd *cmd, const struct list *list, const char *after)
{
    static const char *const flags[] = {"filter", "sort", "fields"};
    char *path = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&path, &bytes));
    fprintf(out, "%s?limit=%zu%s", cmd->args->resource->path,
            list->left < LIST_LIMIT ? list->left : LIST_LIMIT, list->query);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        put_parameter(out, flags[i], args_value(cmd->args, flags[i]));
    put_parameter(out, "after", after);
    fclose(out);
    return must(path);
}

/* The column of a member: the resource's own, or one with the member's name. */
static struct column list_column(const struct resource *resource, const char *member)
{
    for (const struct column *c = resource->columns; c->heading != NULL; c++) {
        if (strcmp(c->member, member) == 0)
            return *c;
    }
    return (struct column){.heading = member, .member = member, .kind = COLUMN_LIST};
}

static enum outcome read_fields(const struct cmd *cmd, struct list *list)
{
    const char *fields = args_value(cmd->args, "fields");
    list->names = must(strdup(fields == NULL ? "" : fields));
    for (char *at = list->names, *name; (name = strsep(&at, ",")) != NULL;) {
        if (name[0] == '\0' || args_has(cmd->args, "json"))
            continue;
        if (list->shown_count == TABLE_COLUMNS_MAX)
            return say(OUTCOME_USAGE,
                       "%s list: --fields names too many for a table; accepted: at most "
                       "%d, or --json",
                       cmd->args->resource->name, TABLE_COLUMNS_MAX);
        list->shown[list->shown_count++] = list_column(cmd->args->resource, name);
    }
    return OUTCOME_DONE;
}

static enum outcome read_limit(const struct cmd *cmd, struct list *list)
{
    const char *text = args_value(cmd->args, "limit");
    char *end = NULL;
    list->left = (size_t)LIST_LIMIT * LIST_PAGES_MAX;
    if (text == NULL)
        return OUTCOME_DONE;
    unsigned long limit = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || limit == 0)
        return say(OUTCOME_USAGE, "%s list: --limit %s is refused; accepted: 1 and more",
                   cmd->args->resource->name, text);
    if (limit < list->left)
        list->left = limit;
    return OUTCOME_DONE;
}

/* Pages that are one list: a single page as it came. */
static void list_print(const struct cmd *cmd, const struct list *list)
{
    if (!args_has(cmd->args, "json")) {
        if (list->shown_count > 0)
            cmd_print_table(list->shown, list->shown_count, list->items);
        else
            cmd_print_rows(cmd, list->items);
    } else if (list->pages == 1) {
        cmd_print_raw(cmd, &list->first);
    } else {
        json_t *all = must(json_pack("{s:O, s:n}", "items", list->items, "next"));
        json_dumpf(all, stdout, JSON_COMPACT);
        fputc('\n', stdout);
        json_decref(all);
    }
}

/* The page's items; what leads to the next page, or NULL. */
static char *list_take(struct list *list, const struct reply *reply)
{
    const char *next = json_string_value(json_object_get(reply->json, "next"));
    const json_t *items = json_object_get(reply->json, "items");
    size_t count = json_array_size(items);
    json_array_extend(list->items, (json_t *)(uintptr_t)items);
    list->left -= count < list->left ? count : list->left;
    return next == NULL || list->left == 0 ? NULL : must(strdup(next));
}

static enum outcome list_page(const struct cmd *cmd, struct list *list, char **after)
{
    struct reply reply;
    AUTO_FREE char *path = list_path(cmd, list, *after);
    enum outcome outcome = client_call(cmd->client, "GET", path, NULL, &reply);
    if (outcome == OUTCOME_DONE && !cmd_is_good(&reply))
        outcome = refusal_say(cmd->args, NULL, &reply);
    free(TAKE(*after));
    if (outcome == OUTCOME_DONE)
        *after = list_take(list, &reply);
    if (list->pages++ == 0)
        list->first = reply;
    else
        reply_fini(&reply);
    return outcome;
}

enum outcome cmd_list_of(const struct cmd *cmd, const char *query)
{
    struct list list = {.query = query, .items = must(json_array())};
    AUTO_FREE char *after = must(strdup(""));
    enum outcome outcome = read_limit(cmd, &list);
    if (outcome == OUTCOME_DONE)
        outcome = read_fields(cmd, &list);
    while (outcome == OUTCOME_DONE && after != NULL && list.pages < LIST_PAGES_MAX)
        outcome = list_page(cmd, &list, &after);
    if (outcome == OUTCOME_DONE)
        list_print(cmd, &list);
    reply_fini(&list.first);
    json_decref(list.items);
    free(list.names);
    return outcome;
}

enum outcome cmd_list(const struct cmd *cmd)
{
    return cmd_list_of(cmd, "");
}
