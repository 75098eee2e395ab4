/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a list line by line (see blocks.h). A list without its last line is not whole,
 * however it ended. */
#include "web/cli/blocks.h"

#include "web/cli/args.h"
#include "web/cli/client.h"
#include "web/cli/refusal.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 4096
#define SILENCE_S      600 /* a large map may take its time between two changes */

struct blocks {
    const struct cmd *cmd;
    json_t *last; /* the line that ends the list; NULL: it has not come */
    bool is_odd;  /* a line is none of a list */
    char line[LINE_BYTES_MAX];
    size_t length;
};

static void print_range(const json_t *range, const char *state)
{
    printf("%" JSON_INTEGER_FORMAT " %" JSON_INTEGER_FORMAT " ",
           json_integer_value(json_object_get(range, "offset")),
           json_integer_value(json_object_get(range, "length")));
    say_plain(stdout, state);
    putchar('\n');
}

/* False: no more is to come. */
static bool end_line(struct blocks *b)
{
    json_t *value = json_loadb(b->line, b->length, 0, NULL);
    const char *state = json_string_value(json_object_get(value, "state"));
    bool raw = args_has(b->cmd->args, "json");
    if (raw && value != NULL)
        printf("%.*s\n", (int)b->length, b->line);
    b->length = 0;
    if (state != NULL && !raw)
        print_range(value, state);
    if (state == NULL && value != NULL)
        b->last = json_incref(value);
    b->is_odd = value == NULL;
    json_decref(value);
    return state != NULL;
}

static bool blocks_take(void *arg, const char *bytes, size_t length)
{
    struct blocks *b = arg;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            if (!end_line(b))
                return false;
        } else if (b->length < sizeof(b->line)) {
            b->line[b->length++] = bytes[i];
        }
    }
    return true;
}

static bool blocks_go_on(void *arg)
{
    (void)arg;
    return true;
}

/* Of a list that has begun. */
static enum outcome outcome_of_last(const struct blocks *b)
{
    json_t *error = json_object_get(b->last, "error");
    const struct reply reply = {
        .status = (long)json_integer_value(json_object_get(error, "status")),
        .json = error};
    if (error != NULL)
        return refusal_say(b->cmd->args, b->cmd->args->names, &reply);
    if (json_is_true(json_object_get(b->last, "end")))
        return OUTCOME_DONE;
    return say(OUTCOME_UNREACHED, "%s %s: the list %s", b->cmd->args->resource->name,
               b->cmd->args->verb->name,
               b->is_odd ? "has a line that is none" : "was cut off before its end");
}

static enum outcome blocks_outcome(const struct blocks *b, enum stream_end end,
                                   const struct reply *reply)
{
    switch (end) {
    case STREAM_ENOUGH:
    case STREAM_LOST:
        return outcome_of_last(b);
    case STREAM_REFUSED:
        return refusal_say(b->cmd->args, b->cmd->args->names, reply);
    case STREAM_UNREACHED:
        return client_say_unreached(b->cmd->client);
    case STREAM_NONE:
        break;
    }
    return OUTCOME_UNREACHED;
}

/* ---- Asking ------------------------------------------------------------------------ */

/* "?from=...&offset=...": of the flags that are given. Freed by the caller. */
static char *query_of(const struct args *args)
{
    static const char *const names[] = {"from", "offset", "length"};
    char *query = NULL;
    size_t bytes;
    const char *mark = "?";
    FILE *out = must(open_memstream(&query, &bytes));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = args_value(args, names[i]);
        AUTO_FREE char *escaped = cmd_escape(value == NULL ? "" : value);
        if (value == NULL)
            continue;
        fprintf(out, "%s%s=%s", mark, names[i], escaped);
        mark = "&";
    }
    if (args_has(args, "zeros"))
        fprintf(out, "%szeros=1", mark);
    fclose(out);
    return must(query);
}

static enum outcome blocks_run(const struct cmd *cmd, const char *list)
{
    AUTO_FREE char *query = query_of(cmd->args), *suffix = NULL;
    if (asprintf(&suffix, "/%s%s", list, query) < 0)
        suffix = must(NULL);
    AUTO_FREE char *path = cmd_path(cmd, cmd->args->names[0], suffix);
    if (path == NULL)
        return OUTCOME_USAGE;
    struct blocks *b = must(calloc(1, sizeof(*b)));
    b->cmd = cmd;
    struct reply reply;
    const struct client_stream stream = {.accept = "application/x-ndjson",
                                         .arg = b,
                                         .take = blocks_take,
                                         .goes_on = blocks_go_on,
                                         .stop_fd = -1,
                                         .silence_s = SILENCE_S};
    enum stream_end end = client_watch(cmd->client, path, NULL, &stream, &reply);
    enum outcome outcome = blocks_outcome(b, end, &reply);
    reply_fini(&reply);
    json_decref(b->last);
    free(b);
    return outcome;
}

enum outcome blocks_extents(const struct cmd *cmd)
{
    return blocks_run(cmd, "extents");
}

enum outcome blocks_diff(const struct cmd *cmd)
{
    return blocks_run(cmd, "diff");
}
