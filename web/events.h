/* SPDX-License-Identifier: Apache-2.0 */
/* What happened, the last WEB_EVENTS_MAX of it, in memory: a ring of events with an id
 * each, "GENERATION-NUMBER". The generation is that of the box's start, so ids grow over
 * restarts, and whoever comes back with an older one can be told that there is a gap.
 * Control thread. */
#ifndef WEB_EVENTS_H
#define WEB_EVENTS_H

#include "base/err.h"
#include "web/limits.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_TYPE_MAX 48 /* with its NUL */
#define EVENT_ID_MAX   44 /* the same */
#define EVENT_GAP_MAX  (2 * EVENT_ID_MAX + 32)

struct events;
struct web;

/* Strings are borrowed and may be anything; data is taken. */
struct event_note {
    const char *kind;    /* of the subject: "volume", "session", ... */
    const char *verb;    /* "created": the type is volume.created */
    const char *id;      /* of the subject; NULL: it has none */
    const char *name;    /* the same */
    const char *who;     /* "local", "token NAME"; NULL: "ashlard", by itself */
    struct json_t *data; /* an object; NULL: none */
};

/* Writes it down and has those who watch told, in a later turn of the loop. One that
 * there is no memory for makes a gap. */
void events_publish(struct web *web, const struct event_note *note);

struct event_id {
    uint64_t generation, number;
};

struct events_entry {
    char type[EVENT_TYPE_MAX];
    char *text; /* as JSON, on one line */
    size_t bytes;
    uint64_t at; /* the bytes of all events before it */
};

/* generation: lunmgr_generation(). */
int events_create(uint64_t generation, struct events **out, struct err *e) MUST_CHECK;
/* NULL is allowed. */
void events_destroy(struct events *events);

/* Numbers, from 1: those that are there are events_first to events_last. last is first
 * - 1 if there is none, and 0 before the very first. */
uint64_t events_first(const struct events *events);
uint64_t events_last(const struct events *events);
/* Of one that is there; borrowed until control returns to the loop. */
const struct events_entry *events_at(const struct events *events, uint64_t number);
/* The bytes of all that there ever was. */
uint64_t events_bytes(const struct events *events);

/* Where to go on after id: the number of the next event, and whether there is a gap
 * between the two: the ring does not reach back so far, or it was another start's. */
uint64_t events_after(const struct events *events, const struct event_id *id, bool *gap);

const char *events_id_text(const struct events *events, uint64_t number,
                           char out[EVENT_ID_MAX]);
/* What is between the two is lost, as an object; the event `before` may still be to come.
 */
const char *events_gap_text(const struct events *events, const struct event_id *after,
                            uint64_t before, char out[EVENT_GAP_MAX]);
/* False: text is no id. */
bool events_id_read(const char *text, struct event_id *out);
/* Of the type that begins so; "": all. */
bool events_entry_is_of(const struct events_entry *event, const char *type);

#endif
