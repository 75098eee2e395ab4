/* SPDX-License-Identifier: Apache-2.0 */
/* Events: a page of those that are kept, or, where the client accepts server-sent events,
 * a stream of them as they happen. Control thread. */
#include "web/api.h"
#include "web/events.h"
#include "web/watch.h"

#include <event2/http.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LAST_EVENT_ID "Last-Event-ID"

static const char *header_of(const struct exchange *x, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(x->req), name);
}

/* Whether the media type is among those of an Accept header (NULL: none). */
static bool accepts(const char *accept, const char *type)
{
    size_t length = strlen(type);
    for (const char *at = accept; at != NULL && *at != '\0'; at += *at == ',') {
        at += strspn(at, " \t");
        if (strncasecmp(at, type, length) == 0 && strchr(";, \t", at[length]) != NULL)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

/* name: the header or parameter that the text is of. */
static bool read_id(struct exchange *x, const char *name, const char *text,
                    struct event_id *out)
{
    if (events_id_read(text, out))
        return true;
    problem_set(&x->problem, PROBLEM_BAD_PARAMETER, "%s is not the id of an event", name);
    snprintf(x->problem.parameter, sizeof(x->problem.parameter), "%s", name);
    problem_accepts(&x->problem, "an id as events have it, such as 12-345");
    reply_problem(x);
    return false;
}

/* ---- The stream -------------------------------------------------------------------- */

/* A browser that comes back repeats the first request's query: the header is newer. */
static void begin_stream(struct exchange *x)
{
    struct event_id after;
    const char *last = header_of(x, LAST_EVENT_ID);
    if (last != NULL) {
        if (read_id(x, LAST_EVENT_ID, last, &after))
            watch_begin(x, &after);
    } else if (x->query.after[0] != '\0') {
        if (read_id(x, "after", x->query.after, &after))
            watch_begin(x, &after);
    } else {
        watch_begin(x, NULL);
    }
}

/* ---- The list ---------------------------------------------------------------------- */

/* The events from `number` on; *number is then the first that is not in the page. */
static void put_items(FILE *out, const struct exchange *x, uint64_t *number)
{
    const struct events *events = x->web->events;
    unsigned count = 0;
    for (; *number <= events_last(events); (*number)++) {
        const struct events_entry *event = events_at(events, *number);
        if (!events_entry_is_of(event, x->query.type))
            continue;
        if (count == x->query.limit)
            return;
        fprintf(out, "%s%s", count++ == 0 ? "" : ",", event->text);
    }
}

static void put_page(FILE *out, const struct exchange *x, const struct event_id *after)
{
    char id[EVENT_ID_MAX], gap_text[EVENT_GAP_MAX] = "null";
    const struct events *events = x->web->events;
    uint64_t number = events_first(events);
    bool gap = false;
    if (after != NULL)
        number = events_after(events, after, &gap);
    if (gap)
        events_gap_text(events, after, number, gap_text);
    fputs("{\"items\":[", out);
    put_items(out, x, &number);
    fputs("],\"next\":", out);
    if (number <= events_last(events))
        fprintf(out, "\"%s\"", events_id_text(events, number - 1, id));
    else
        fputs("null", out);
    fprintf(out, ",\"last\":\"%s\",\"gap\":%s}",
            events_id_text(events, events_last(events), id), gap_text);
}

static void list(struct exchange *x)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    struct event_id after;
    bool has_after = x->query.after[0] != '\0';
    if (has_after && !read_id(x, "after", x->query.after, &after))
        return;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        reply_json(x, 200, NULL);
        return;
    }
    put_page(out, x, has_after ? &after : NULL);
    if (fclose(out) != 0)
        reply_json(x, 200, NULL);
    else
        reply_text(x, "application/json", text, length);
}

void api_event_list(struct exchange *x)
{
    if (accepts(header_of(x, "Accept"), "text/event-stream"))
        begin_stream(x);
    else
        list(x);
}
