/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of most resources do (see cmd.h). Single thread. */
#include "web/cli/cmd.h"

#include "web/cli/body.h"
#include "web/cli/client.h"
#include "web/cli/human.h"
#include "web/cli/refusal.h"
#include "web/cli/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Paths ------------------------------------------------------------------------- */

/* RFC 3986, 2.3: what may stand unescaped. */
static void put_segment(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c) != NULL))
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

char *cmd_escape(const char *text)
{
    char *escaped = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&escaped, &bytes));
    put_segment(out, text, strlen(text));
    fclose(out);
    return must(escaped);
}

bool cmd_cut(const char *name, char **a, const char **b)
{
    const char *slash = strchr(name, '/');
    if (slash == NULL || slash == name || slash[1] == '\0')
        return false;
    *a = must(strndup(name, (size_t)(slash - name)));
    *b = slash + 1;
    return true;
}

/* The length of the segment of name that begins here, if a slash may end it. */
static size_t segment_length(const char *name, unsigned slashes_left)
{
    return slashes_left > 0 ? strcspn(name, "/") : strlen(name);
}

/* False: a segment is empty. */
static bool put_segments(FILE *out, const struct resource *resource, const char *name)
{
    unsigned left = resource->slashes_max;
    for (;;) {
        size_t length = segment_length(name, left);
        if (length == 0)
            return false;
        put_segment(out, name, length);
        if (name[length] == '\0')
            return true;
        fputc('/', out);
        name += length + 1;
        left--;
    }
}

char *cmd_path(const struct cmd *cmd, const char *name, const char *suffix)
{
    const struct resource *resource = cmd->args->resource;
    size_t bytes;
    char *path = NULL;
    FILE *out = must(open_memstream(&path, &bytes));
    fprintf(out, "%s/", resource->path);
    bool good = put_segments(out, resource, name);
    fputs(suffix, out);
    fclose(out);
    must(path);
    if (good)
        return path;
    free(path);
    say(OUTCOME_USAGE, "%s %s: %s is no name; accepted: %s%s", resource->name,
        cmd->args->verb->name, name, resource->key == NULL ? "a name" : resource->key,
        resource->key == NULL ? " or an id" : ", or an id");
    return NULL;
}

/* ---- Printing ---------------------------------------------------------------------- */

static void print_warnings(const char *kind, const json_t *object)
{
    const json_t *warnings = json_object_get(object, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const char *name = json_string_value(json_object_get(object, "name"));
        const char *text = json_string_value(json_array_get(warnings, i));
        say_warning("%s %s: %s", kind, name == NULL ? "" : name,
                    text == NULL ? "" : text);
    }
}

void cmd_print(const struct cmd *cmd, const json_t *object)
{
    if (args_has(cmd->args, "json"))
        return;
    json_t *shown = must(json_copy((json_t *)(uintptr_t)object));
    json_object_del(shown, "warnings");
    human_object(shown, stdout);
    json_decref(shown);
    print_warnings(cmd->args->resource->name, object);
}

void cmd_print_raw(const struct cmd *cmd, const struct reply *reply)
{
    if (!args_has(cmd->args, "json") || reply->text == NULL)
        return;
    fwrite(reply->text, 1, reply->length, stdout);
    fputc('\n', stdout);
}

/* path: "member", or "a/b": b of its object a. */
static const json_t *member_at(const json_t *object, const char *path)
{
    AUTO_FREE char *outer = NULL;
    const char *inner;
    if (!cmd_cut(path, &outer, &inner))
        return json_object_get(object, path);
    return json_object_get(json_object_get(object, outer), inner);
}

void cmd_print_table(const struct column *columns, size_t count, const json_t *items)
{
    struct table table;
    table_init(&table, count);
    for (size_t c = 0; c < count; c++) {
        table.right[c] =
            columns[c].kind == COLUMN_COUNT || columns[c].kind == COLUMN_BYTES;
        table_add(&table, columns[c].heading);
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        for (size_t c = 0; c < count; c++) {
            AUTO_FREE char *cell = human_value(
                member_at(json_array_get(items, i), columns[c].member), columns[c].kind);
            table_add(&table, cell);
        }
    }
    table_print(&table, stdout);
    table_fini(&table);
}

void cmd_print_rows(const struct cmd *cmd, const json_t *items)
{
    const struct resource *resource = cmd->args->resource;
    size_t columns = 0;
    while (resource->columns[columns].heading != NULL)
        columns++;
    cmd_print_table(resource->columns, columns, items);
    for (size_t i = 0; i < json_array_size(items); i++)
        print_warnings(resource->name, json_array_get(items, i));
}

/* ---- One request ------------------------------------------------------------------- */

bool cmd_is_good(const struct reply *reply)
{
    return reply->status >= 200 && reply->status < 300;
}

/* The good reply is the caller's. */
/* path, for a change that is not to be made if the command line says so. */
static char *path_of(const struct cmd *cmd, const char *method, const char *path)
{
    char *out = NULL;
    bool dry = args_has(cmd->args, "dry-run") && strcmp(method, "GET") != 0;
    if (asprintf(&out, "%s%s", path,
                 !dry                        ? ""
                 : strchr(path, '?') != NULL ? "&dry_run=1"
                                             : "?dry_run=1") < 0)
        out = must(NULL);
    return out;
}

static enum outcome request(const struct cmd *cmd, const char *method, const char *path,
                            const json_t *body, const char *const *names,
                            struct reply *reply)
{
    AUTO_FREE char *whole = path_of(cmd, method, path);
    enum outcome outcome = client_call(cmd->client, method, whole, body, reply);
    if (outcome == OUTCOME_DONE && !cmd_is_good(reply))
        outcome = refusal_say(cmd->args, names, reply);
    if (outcome != OUTCOME_DONE)
        reply_fini(reply);
    return outcome;
}

json_t *cmd_call(const struct cmd *cmd, const char *method, const char *path,
                 const json_t *body, const char *const *names, enum outcome *outcome)
{
    struct reply reply;
    *outcome = request(cmd, method, path, body, names, &reply);
    if (*outcome != OUTCOME_DONE)
        return NULL;
    cmd_print_raw(cmd, &reply);
    json_t *object = json_incref(reply.json);
    reply_fini(&reply);
    return object;
}

json_t *cmd_ask(const struct cmd *cmd, const char *method, const char *path,
                const json_t *body, const char *name, enum outcome *outcome)
{
    struct reply reply;
    *outcome = request(cmd, method, path, body, name == NULL ? NULL : &name, &reply);
    if (*outcome != OUTCOME_DONE)
        return NULL;
    json_t *object = json_incref(reply.json);
    reply_fini(&reply);
    return object;
}

json_t *cmd_fetch(const struct cmd *cmd, const char *method, const char *path,
                  const char *name, enum outcome *outcome)
{
    return cmd_call(cmd, method, path, NULL, name == NULL ? NULL : &name, outcome);
}

enum outcome cmd_send(const struct cmd *cmd, const char *method, const char *path,
                      const char *const *names)
{
    enum outcome outcome;
    json_t *body = body_make(cmd->args, names);
    if (body == NULL)
        return OUTCOME_USAGE;
    json_t *object = cmd_call(cmd, method, path, body, names, &outcome);
    if (object != NULL)
        cmd_print(cmd, object);
    json_decref(object);
    json_decref(body);
    return outcome;
}

enum outcome cmd_create_named(const struct cmd *cmd, const char *const *names)
{
    return cmd_send(cmd, "POST", cmd->args->resource->path, names);
}

enum outcome cmd_create(const struct cmd *cmd)
{
    return cmd_create_named(cmd, cmd->args->names);
}

enum outcome cmd_change(const struct cmd *cmd)
{
    AUTO_FREE char *path = cmd_path(cmd, cmd->args->names[0], "");
    return path == NULL ? OUTCOME_USAGE : cmd_send(cmd, "PATCH", path, cmd->args->names);
}

/* ---- Each name --------------------------------------------------------------------- */

/* Runs step for each name; a name that is refused does not hold up the next. */
static enum outcome each_name(const struct cmd *cmd,
                              enum outcome (*step)(const struct cmd *cmd,
                                                   const char *name, size_t index,
                                                   const void *arg),
                              const void *arg)
{
    enum outcome worst = OUTCOME_DONE;
    for (size_t i = 0; i < cmd->args->name_count; i++) {
        enum outcome outcome = step(cmd, cmd->args->names[i], i, arg);
        if (outcome > worst)
            worst = outcome;
        if (outcome == OUTCOME_UNREACHED)
            break;
    }
    return worst;
}

static enum outcome show_step(const struct cmd *cmd, const char *name, size_t index,
                              const void *arg)
{
    enum outcome outcome;
    (void)arg;
    AUTO_FREE char *path = cmd_path(cmd, name, "");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *object = cmd_fetch(cmd, "GET", path, name, &outcome);
    if (object != NULL && index > 0 && !args_has(cmd->args, "json"))
        putchar('\n');
    if (object != NULL)
        cmd_print(cmd, object);
    json_decref(object);
    return outcome;
}

enum outcome cmd_show(const struct cmd *cmd)
{
    return each_name(cmd, show_step, NULL);
}

struct deletion {
    const char *query, *done;
};

static enum outcome delete_step(const struct cmd *cmd, const char *name, size_t index,
                                const void *arg)
{
    const struct deletion *deletion = arg;
    struct reply reply;
    (void)index;
    AUTO_FREE char *path = cmd_path(cmd, name, deletion->query);
    if (path == NULL)
        return OUTCOME_USAGE;
    enum outcome outcome = request(cmd, "DELETE", path, NULL, &name, &reply);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (!args_has(cmd->args, "json")) {
        printf("%s ", cmd->args->resource->name);
        say_plain(stdout, name);
        printf(" %s%s\n", deletion->done,
               args_has(cmd->args, "dry-run") ? ", if it were no dry run" : "");
    }
    reply_fini(&reply);
    return outcome;
}

enum outcome cmd_delete_with(const struct cmd *cmd, const char *query, const char *done)
{
    const struct deletion deletion = {query, done};
    return each_name(cmd, delete_step, &deletion);
}

enum outcome cmd_delete(const struct cmd *cmd)
{
    return cmd_delete_with(cmd, "", "is deleted");
}
