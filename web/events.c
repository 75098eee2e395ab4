/* SPDX-License-Identifier: Apache-2.0 */
/* The ring. An event is kept as the text that lists and streams send, so that to send it
 * many times is to copy it. */
#include "web/events.h"

#include "base/auto.h"
#include "base/log.h"
#include "web/json_out.h"
#include "web/path.h"
#include "web/server.h"
#include "web/watch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct events {
    uint64_t generation;
    uint64_t first, next; /* numbers: there are those from first to next - 1 */
    uint64_t bytes;
    struct events_entry ring[WEB_EVENTS_MAX];
};

int events_create(uint64_t generation, struct events **out, struct err *e)
{
    struct events *events = calloc(1, sizeof(*events));
    if (events == NULL)
        return err_oom(e);
    events->generation = generation;
    events->first = events->next = 1;
    *out = events;
    return 0;
}

void events_destroy(struct events *events)
{
    if (events == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(events->ring); i++)
        free(events->ring[i].text);
    free(events);
}

/* ---- Publishing -------------------------------------------------------------------- */

static const char *time_ms_text(char out[TIME_TEXT_MAX])
{
    struct timespec now;
    char seconds[TIME_TEXT_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    time_text(seconds, now.tv_sec);
    snprintf(out, TIME_TEXT_MAX, "%.19s.%03uZ", seconds,
             (unsigned)(now.tv_nsec / 1000000));
    return out;
}

static json_t *text_json(const char *text)
{
    return text == NULL ? json_null() : json_of_foreign_text(text);
}

/* One line; NULL: out of memory. */
static char *event_text(const struct events *events, const struct event_note *note,
                        const char *type, json_t *data)
{
    char id[EVENT_ID_MAX], when[TIME_TEXT_MAX];
    json_t *event =
        json_pack("{s:s, s:s, s:s, s:{s:s, s:o, s:o}, s:o, s:O?}", "id",
                  events_id_text(events, events->next, id), "time", time_ms_text(when),
                  "type", type, "subject", "kind", note->kind, "id", text_json(note->id),
                  "name", text_json(note->name), "who",
                  text_json(note->who == NULL ? "ashlard" : note->who), "data", data);
    char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);
    json_decref(event);
    return text;
}

/* The number is taken, so whoever has the one before it is told of a gap. */
static void events_lose(struct events *events)
{
    log_warning("an event is lost", "reason=\"out of memory\"");
    events->next++;
    events->first = events->next;
}

static void events_add(struct events *events, const char *type, char *text)
{
    struct events_entry *event = &events->ring[events->next % WEB_EVENTS_MAX];
    free(event->text);
    *event =
        (struct events_entry){.text = text, .bytes = strlen(text), .at = events->bytes};
    snprintf(event->type, sizeof(event->type), "%s", type);
    events->bytes += event->bytes;
    events->next++;
    if (events->next - events->first > WEB_EVENTS_MAX)
        events->first = events->next - WEB_EVENTS_MAX;
}

void events_publish(struct web *web, const struct event_note *note)
{
    struct events *events = web->events;
    char type[EVENT_TYPE_MAX];
    size_t length = (size_t)snprintf(type, sizeof(type), "%s.%s", note->kind, note->verb);
    assert(length < sizeof(type));
    char *text = event_text(events, note, type, note->data);
    if (text != NULL && strlen(text) > WEB_EVENT_BYTES_MAX) {
        free(text);
        text = event_text(events, note, type, NULL);
    }
    json_decref(note->data);
    if (text == NULL)
        events_lose(events);
    else
        events_add(events, type, text);
    watches_wake(web->watches);
}

/* ---- Reading ----------------------------------------------------------------------- */

uint64_t events_first(const struct events *events)
{
    return events->first;
}

uint64_t events_last(const struct events *events)
{
    return events->next - 1;
}

const struct events_entry *events_at(const struct events *events, uint64_t number)
{
    assert(number >= events->first && number < events->next);
    return &events->ring[number % WEB_EVENTS_MAX];
}

uint64_t events_bytes(const struct events *events)
{
    return events->bytes;
}

uint64_t events_after(const struct events *events, const struct event_id *id, bool *gap)
{
    bool known = id->generation == events->generation &&
                 id->number + 1 >= events->first && id->number < events->next;
    *gap = !known;
    return known ? id->number + 1 : events->first;
}

bool events_entry_is_of(const struct events_entry *event, const char *type)
{
    return strncmp(event->type, type, strlen(type)) == 0;
}

/* ---- Ids --------------------------------------------------------------------------- */

const char *events_id_text(const struct events *events, uint64_t number,
                           char out[EVENT_ID_MAX])
{
    snprintf(out, EVENT_ID_MAX, "%" PRIu64 "-%" PRIu64, events->generation, number);
    return out;
}

const char *events_gap_text(const struct events *events, const struct event_id *after,
                            uint64_t before, char out[EVENT_GAP_MAX])
{
    char to[EVENT_ID_MAX];
    snprintf(out, EVENT_GAP_MAX,
             "{\"after\":\"%" PRIu64 "-%" PRIu64 "\",\"before\":\"%s\"}",
             after->generation, after->number, events_id_text(events, before, to));
    return out;
}

bool events_id_read(const char *text, struct event_id *out)
{
    char generation[24];
    size_t length = strcspn(text, "-");
    if (text[length] != '-' || length >= sizeof(generation))
        return false;
    snprintf(generation, sizeof(generation), "%.*s", (int)length, text);
    return path_number(generation, &out->generation) &&
           path_number(text + length + 1, &out->number);
}
