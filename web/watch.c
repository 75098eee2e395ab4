/* SPDX-License-Identifier: Apache-2.0 */
/* Watchers and their places in the ring. Nothing is sent from events_publish, which may
 * be deep in the answer to another client, but in the next turn of the loop. */
#include "web/watch.h"

#include "base/log.h"
#include "web/events.h"
#include "web/exchange.h"
#include "web/stream.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>

struct watches {
    struct web *web;
    struct watcher *first;
    unsigned count;
    struct event wake, beat;
    struct evbuffer *text; /* to be sent, empty between calls */
};

struct watcher {
    struct watcher *next, **link; /* link: what points here */
    struct watches *watches;
    struct stream *stream;
    bool ended;
    uint64_t place; /* the number of the event that is next */
    uint64_t told;  /* of the last id that its client has */
    /* The bytes of all events when it began: it is not late with those before. */
    uint64_t since;
    char type[WEB_PARAM_MAX]; /* how types begin that it wants; "": all */
};

static struct events *watcher_events(const struct watcher *w)
{
    return w->watches->web->events;
}

/* ---- Writing ----------------------------------------------------------------------- */

/* The client knows that it has all up to `number`, without an event. */
static void put_id(struct watcher *w, uint64_t number)
{
    char id[EVENT_ID_MAX];
    evbuffer_add_printf(w->watches->text, "id: %s\n",
                        events_id_text(watcher_events(w), number, id));
    w->told = number;
}

static void put_event(struct watcher *w, uint64_t number)
{
    struct evbuffer *text = w->watches->text;
    const struct events_entry *event = events_at(watcher_events(w), number);
    put_id(w, number);
    evbuffer_add_printf(text, "event: %s\ndata: ", event->type);
    evbuffer_add(text, event->text, event->bytes);
    evbuffer_add(text, "\n\n", 2);
}

static void put_gap(struct watcher *w, const struct event_id *after)
{
    char gap[EVENT_GAP_MAX];
    put_id(w, w->place - 1);
    evbuffer_add_printf(w->watches->text, "event: gap\ndata: %s\n\n",
                        events_gap_text(watcher_events(w), after, w->place, gap));
}

static void watcher_send(struct watcher *w)
{
    if (evbuffer_get_length(w->watches->text) > 0)
        stream_write(w->stream, w->watches->text);
}

/* What was published since it began and is not with its socket. */
static uint64_t watcher_unsent(const struct watcher *w)
{
    const struct events *events = watcher_events(w);
    uint64_t given = w->place > events_last(events) ? events_bytes(events)
                                                    : events_at(events, w->place)->at;
    if (given < w->since)
        given = w->since;
    return events_bytes(events) - given + stream_unsent(w->stream);
}

/* ---- One watcher ------------------------------------------------------------------- */

static void watcher_drop(struct watcher *w)
{
    struct web *web = w->watches->web;
    web->counters.streams_dropped++;
    log_warning("a stream of events is dropped", "reason=\"its client is too slow\"");
    stream_drop(w->stream);
}

/* Gives what fits. w may be gone when it returns. */
static void watcher_go_on(struct watcher *w)
{
    const struct events *events = watcher_events(w);
    size_t room = stream_unsent(w->stream);
    room = room < WEB_STREAM_FILL_BYTES ? WEB_STREAM_FILL_BYTES - room : 0;
    if (w->place < events_first(events)) {
        watcher_drop(w);
        return;
    }
    for (; w->place <= events_last(events); w->place++) {
        if (!events_entry_is_of(events_at(events, w->place), w->type))
            continue;
        if (evbuffer_get_length(w->watches->text) >= room)
            break;
        put_event(w, w->place);
    }
    watcher_send(w);
    if (watcher_unsent(w) > WEB_STREAM_UNSENT_MAX)
        watcher_drop(w);
}

static void watcher_on_drained(void *arg)
{
    struct watcher *w = arg;
    if (!w->ended)
        watcher_go_on(w);
}

static void watcher_on_gone(void *arg)
{
    struct watcher *w = arg;
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    w->watches->count--;
    free(w);
}

static void watcher_end(struct watcher *w)
{
    w->ended = true;
    stream_end(w->stream);
}

/* ---- All of them ------------------------------------------------------------------- */

static void watches_each(struct watches *watches, void (*step)(struct watcher *w))
{
    struct watcher *next;
    for (struct watcher *w = watches->first; w != NULL; w = next) {
        next = w->next;
        if (!w->ended)
            step(w);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    watches_each(arg, watcher_go_on);
}

/* A sign of life, and the id that spares a client whose type of events is rare a gap. */
static void watcher_beat(struct watcher *w)
{
    stream_ignore_input(w->stream);
    if (!stream_is_permitted(w->stream)) {
        watcher_end(w);
        return;
    }
    evbuffer_add_printf(w->watches->text, ": keepalive\n");
    if (w->place - 1 > w->told) {
        put_id(w, w->place - 1);
        evbuffer_add(w->watches->text, "\n", 1);
    }
    watcher_send(w);
}

void watches_beat(struct watches *watches)
{
    watches_each(watches, watcher_beat);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    watches_beat(arg);
}

int watches_create(struct web *web, struct event_base *base, struct watches **out,
                   struct err *e)
{
    static const struct timeval beat = {.tv_sec = WEB_STREAM_BEAT_S};
    struct watches *watches = calloc(1, sizeof(*watches));
    if (watches == NULL)
        return err_oom(e);
    watches->web = web;
    watches->text = evbuffer_new();
    event_assign(&watches->wake, base, -1, 0, on_wake, watches);
    event_assign(&watches->beat, base, -1, EV_PERSIST, on_beat, watches);
    if (watches->text == NULL || event_add(&watches->beat, &beat) != 0) {
        watches_destroy(watches);
        return err_oom(e);
    }
    *out = watches;
    return 0;
}

void watches_destroy(struct watches *watches)
{
    if (watches == NULL)
        return;
    event_del(&watches->wake);
    event_del(&watches->beat);
    if (watches->text != NULL)
        evbuffer_free(watches->text);
    free(watches);
}

void watches_wake(struct watches *watches)
{
    if (watches != NULL && watches->first != NULL)
        event_active(&watches->wake, EV_TIMEOUT, 0);
}

void watches_end(struct watches *watches)
{
    watches_each(watches, watcher_go_on);
    watches_each(watches, watcher_end);
}

unsigned watches_count(const struct watches *watches)
{
    return watches->count;
}

/* ---- A new one --------------------------------------------------------------------- */

static struct watcher *watcher_new(struct watches *watches, const struct exchange *x)
{
    struct watcher *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    w->watches = watches;
    w->since = events_bytes(watches->web->events);
    snprintf(w->type, sizeof(w->type), "%s", x->query.type);
    return w;
}

static void watches_add(struct watches *watches, struct watcher *w)
{
    w->next = watches->first;
    w->link = &watches->first;
    if (w->next != NULL)
        w->next->link = &w->next;
    watches->first = w;
    watches->count++;
}

/* The first words: where the client stands, so that it can come back even if it is cut
 * off before the first event. Of a gap it learns in the same breath, or not at all. */
static void watcher_greet(struct watcher *w, const struct event_id *after)
{
    const struct events *events = watcher_events(w);
    bool gap = false;
    w->place =
        after == NULL ? events_last(events) + 1 : events_after(events, after, &gap);
    evbuffer_add_printf(w->watches->text, "retry: %d\n", WEB_STREAM_RETRY_MS);
    if (gap) {
        put_gap(w, after);
    } else {
        put_id(w, w->place - 1);
        evbuffer_add(w->watches->text, "\n", 1);
    }
    watcher_go_on(w);
}

void watch_begin(struct exchange *x, const struct event_id *after)
{
    struct watches *watches = x->web->watches;
    if (x->web->draining || watches->count >= WEB_STREAMS_MAX) {
        problem_set(&x->problem, PROBLEM_STOPPING, "%s",
                    x->web->draining ? "the daemon is stopping"
                                     : "too many clients watch events");
        reply_problem(x);
        return;
    }
    struct watcher *w = watcher_new(watches, x);
    if (w == NULL) {
        reply_json(x, 200, NULL);
        return;
    }
    const struct stream_owner owner = {
        .arg = w, .drained = watcher_on_drained, .gone = watcher_on_gone};
    w->stream = stream_begin(x, "text/event-stream", &owner);
    if (w->stream == NULL) {
        free(w);
        return;
    }
    watches_add(watches, w);
    watcher_greet(w, after);
}
