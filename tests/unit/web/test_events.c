/* SPDX-License-Identifier: Apache-2.0 */
/* Events as a list and as streams: the ring and its gaps, resuming, slow clients, what is
 * told how often, and the end. */
#include "cm.h"
#include "rig.h"
#include "web/damper.h"
#include "web/events.h"
#include "web/limits.h"
#include "web/server.h"
#include "web/watch.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOKS_MAX 100000

/* A client that watches: its stream as lines. */
struct watching {
    struct client client;
    char last_id[EVENT_ID_MAX];
    char type[EVENT_TYPE_MAX], data[WEB_EVENT_BYTES_MAX]; /* of the last block */
};

static struct watching one, two;

static void publish(struct rig *r, const char *kind, const char *name)
{
    const struct event_note note = {
        .kind = kind, .verb = "changed", .name = name, .who = "local"};
    events_publish(r->web, &note);
}

/* Numbers as names, so that a reader can tell what is missing. */
static void publish_many(struct rig *r, unsigned from, unsigned to)
{
    char name[16];
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof(name), "%u", i);
        publish(r, "volume", name);
    }
}

static uint64_t published(const struct rig *r)
{
    return events_last(r->web->events);
}

static uint64_t since_start(const struct rig *r)
{
    return published(r) - 1; /* daemon.started */
}

/* ---- A client ---------------------------------------------------------------------- */

static void watch_with(struct rig *r, struct watching *w, const char *query,
                       const char *headers)
{
    char text[512];
    int length = snprintf(text, sizeof(text),
                          "GET /v1/events%s HTTP/1.0\r\n"
                          "Accept: text/event-stream\r\n%s\r\n",
                          query, headers);
    w->last_id[0] = w->type[0] = w->data[0] = '\0';
    assert_int_equal(client_open_unix(&w->client, r->socket, rig_pump, r), 0);
    assert_true(client_send(&w->client, text, (size_t)length));
}

static void read_more(struct client *c)
{
    ssize_t n = recv(c->fd, c->input + c->held, sizeof(c->input) - c->held, MSG_DONTWAIT);
    if (n > 0)
        c->held += (size_t)n;
    c->pump(c->pump_arg);
}

/* The next block, up to its empty line, which is taken; NULL: none comes. */
static const char *next_block(struct client *c)
{
    static char block[2 * WEB_EVENT_BYTES_MAX];
    for (int i = 0; i < LOOKS_MAX; i++) {
        char *end = memmem(c->input, c->held, "\n\n", 2);
        if (end != NULL) {
            size_t length = (size_t)(end - c->input) + 2;
            assert_true(length < sizeof(block));
            memcpy(block, c->input, length);
            block[length] = '\0';
            c->held -= length;
            memmove(c->input, c->input + length, c->held);
            return block;
        }
        read_more(c);
    }
    return NULL;
}

/* The field's value in out, which stays as it is if there is none. */
static void field_of(const char *block, const char *name, char *out, size_t room)
{
    for (const char *line = block; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        size_t length = strcspn(line, ":\n");
        if (length != strlen(name) || strncmp(line, name, length) != 0)
            continue;
        line += length + strlen(": ");
        snprintf(out, room, "%.*s", (int)strcspn(line, "\n"), line);
        return;
    }
}

/* Ends with the answer's head, then the words of greeting. */
static void read_head(struct watching *w)
{
    char *end = NULL;
    for (int i = 0; i < LOOKS_MAX && end == NULL; i++) {
        read_more(&w->client);
        end = memmem(w->client.input, w->client.held, "\r\n\r\n", 4);
    }
    assert_non_null(end);
    assert_memory_equal(w->client.input + 9, "200", 3);
    size_t length = (size_t)(end - w->client.input) + 4;
    w->client.held -= length;
    memmove(w->client.input, w->client.input + length, w->client.held);
}

/* The next event's type, "gap" included; "": none comes. */
static const char *next_event(struct watching *w)
{
    const char *block;
    w->type[0] = w->data[0] = '\0';
    do {
        block = next_block(&w->client);
        if (block == NULL)
            return "";
        field_of(block, "id", w->last_id, sizeof(w->last_id));
        field_of(block, "event", w->type, sizeof(w->type));
        field_of(block, "data", w->data, sizeof(w->data));
    } while (w->data[0] == '\0');
    return w->type;
}

static json_t *data_of(const struct watching *w)
{
    json_t *data = json_loads(w->data, 0, NULL);
    assert_non_null(data);
    return data;
}

static unsigned next_name(struct watching *w)
{
    assert_string_equal(next_event(w), "volume.changed");
    json_t *data = data_of(w);
    unsigned name = (unsigned)strtoul(
        json_string_value(json_object_get(json_object_get(data, "subject"), "name")),
        NULL, 10);
    json_decref(data);
    return name;
}

static void watch(struct rig *r, struct watching *w, const char *query,
                  const char *headers)
{
    watch_with(r, w, query, headers);
    read_head(w);
    const char *greeting = next_block(&w->client);
    assert_non_null(greeting);
    assert_memory_equal(greeting, "retry: ", 7);
    field_of(greeting, "id", w->last_id, sizeof(w->last_id));
    field_of(greeting, "event", w->type, sizeof(w->type));
    field_of(greeting, "data", w->data, sizeof(w->data));
}

static void come_back(struct rig *r, struct watching *w)
{
    char header[96];
    snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", w->last_id);
    watch(r, w, "", header);
}

static void settle(struct rig *r)
{
    for (int i = 0; i < 20; i++)
        rig_pump(r);
}

static long long metric(struct rig *r, const char *name)
{
    char line[96];
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(r->answer.body, line);
    assert_non_null(at);
    return strtoll(at + strlen(line), NULL, 10);
}

static void wait_streams(struct rig *r, long long count)
{
    for (int i = 0; i < 1000 && metric(r, "ashlar_event_streams") != count; i++)
        rig_pump(r);
    assert_int_equal(metric(r, "ashlar_event_streams"), count);
}

/* ---- The list ---------------------------------------------------------------------- */

static void list_is_paged_and_told_from_after_an_id(void **state)
{
    struct rig *r = *state;
    char path[96];
    publish_many(r, 0, 5);
    assert_int_equal(rig_call(r, "GET", "/v1/events?limit=4", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/type"), "daemon.started");
    assert_string_equal(rig_text(r, "items/1/subject/name"), "0");
    assert_string_equal(rig_text(r, "items/1/who"), "local");
    assert_string_equal(rig_text(r, "next"), "7-4");
    assert_string_equal(rig_text(r, "last"), "7-6");
    assert_true(json_is_null(rig_get(r, "gap")));
    snprintf(path, sizeof(path), "/v1/events?after=%s", rig_text(r, "next"));
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "items/0/id"), "7-5");
    assert_true(json_is_null(rig_get(r, "next")));
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-6", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 0);
}

static void type_chooses_by_its_beginning(void **state)
{
    struct rig *r = *state;
    publish(r, "pool", "p");
    publish_many(r, 0, 3);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=volume.&limit=2", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "next"), "7-4");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=pool.changed", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
    assert_true(json_is_null(rig_get(r, "next")));
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=Pool", NULL), 400);
}

static void what_is_no_id_is_refused_by_name(void **state)
{
    static const char *const none[] = {
        "x",   "7",    "7-",  "-7",   "7-1-2",
        "7-x", "7--1", "%20", "7-+1", "99999999999999999999-1"};
    struct rig *r = *state;
    char path[96];
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        snprintf(path, sizeof(path), "/v1/events?after=%s", none[i]);
        assert_int_equal(rig_call(r, "GET", path, NULL), 400);
        assert_string_equal(rig_text(r, "parameter"), "after");
    }
}

static void lost_events_are_a_gap_in_the_list(void **state)
{
    static const char *const older[] = {"6-3", "7-0", "8-1", "7-99999"};
    struct rig *r = *state;
    char path[96];
    publish_many(r, 0, WEB_EVENTS_MAX);
    assert_int_equal(published(r), WEB_EVENTS_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(older); i++) {
        snprintf(path, sizeof(path), "/v1/events?limit=1&after=%s", older[i]);
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        assert_string_equal(rig_text(r, "gap/after"), older[i]);
        assert_string_equal(rig_text(r, "gap/before"), "7-2");
        assert_string_equal(rig_text(r, "items/0/id"), "7-2");
    }
    assert_int_equal(rig_call(r, "GET", "/v1/events?limit=1&after=7-1", NULL), 200);
    assert_true(json_is_null(rig_get(r, "gap")));
    assert_string_equal(rig_text(r, "items/0/id"), "7-2");
}

static void foreign_text_is_told_as_text(void **state)
{
    struct rig *r = *state;
    publish(r, "initiator", "\xff\"\\\n{");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=initiator.", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/subject/name"), "?\"\\?{");
}

static void too_much_data_is_left_out(void **state)
{
    struct rig *r = *state;
    static char text[WEB_EVENT_BYTES_MAX];
    memset(text, 'x', sizeof(text) - 1);
    const struct event_note note = {
        .kind = "volume", .verb = "changed", .data = json_pack("{s:s}", "text", text)};
    events_publish(r->web, &note);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=volume.", NULL), 200);
    assert_true(json_is_null(rig_get(r, "items/0/data")));
}

/* ---- Streams ----------------------------------------------------------------------- */

static void stream_begins_now_and_tells_what_comes(void **state)
{
    struct rig *r = *state;
    publish_many(r, 0, 3);
    watch(r, &one, "", "");
    assert_string_equal(one.last_id, "7-4");
    publish_many(r, 3, 5);
    assert_int_equal(next_name(&one), 3);
    assert_int_equal(next_name(&one), 4);
    assert_string_equal(one.last_id, "7-6");
    assert_int_equal(metric(r, "ashlar_events_total"), 6);
    client_close(&one.client);
    wait_streams(r, 0);
}

static void stream_is_chunked_for_http_1_1_and_takes_no_more_requests(void **state)
{
    static const char ask[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n"
                              "Accept: application/json;q=0.1, text/event-stream\r\n\r\n"
                              "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct rig *r = *state;
    struct client *c = &one.client;
    assert_int_equal(client_open_unix(c, r->socket, rig_pump, r), 0);
    assert_true(client_send(c, ask, strlen(ask)));
    publish(r, "volume", "v");
    for (int i = 0; i < LOOKS_MAX && memmem(c->input, c->held, "event: ", 7) == NULL; i++)
        read_more(c);
    assert_non_null(memmem(c->input, c->held, "Transfer-Encoding: chunked\r\n", 28));
    assert_non_null(memmem(c->input, c->held, "Connection: close\r\n", 19));
    assert_non_null(memmem(c->input, c->held, "Content-Type: text/event-stream\r\n", 33));
    web_drain(r->web);
    assert_true(client_sees_end(c));
    assert_null(memmem(c->input, c->held, "alive", 5));
    client_close(c);
}

static void head_of_a_stream_is_an_answer_without_one(void **state)
{
    static const char ask[] = "HEAD /v1/events HTTP/1.1\r\nHost: x\r\n"
                              "Accept: text/event-stream\r\n\r\n";
    struct rig *r = *state;
    char type[64];
    assert_int_equal(client_open_unix(&one.client, r->socket, rig_pump, r), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(client_send(&one.client, ask, strlen(ask)));
        assert_true(client_receive(&one.client, true, &r->answer));
        assert_int_equal(r->answer.status, 200);
        answer_header(&r->answer, "Content-Type", type, sizeof(type));
        assert_string_equal(type, "text/event-stream");
    }
    assert_int_equal(rig_call_on(r, &one.client, "GET", "/healthz", NULL), 200);
    client_close(&one.client);
}

static void old_client_that_keeps_connections_gets_its_stream(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "", "Connection: keep-alive\r\n");
    publish_many(r, 0, 1);
    assert_int_equal(next_name(&one), 0);
    web_drain(r->web);
    assert_string_equal(next_event(&one), "daemon.stopping");
    assert_true(client_sees_end(&one.client));
    client_close(&one.client);
}

/* However the ring wraps meanwhile, each event comes once. */
static void who_comes_back_has_each_event_once(void **state)
{
    struct rig *r = *state;
    unsigned next = 0, expected = 0;
    watch(r, &one, "", "");
    for (unsigned round = 0; round < 40; round++) {
        unsigned count = 1 + round * 37 % 500;
        publish_many(r, next, next + count);
        next += count;
        for (unsigned i = 0; i < count / 2; i++)
            assert_int_equal(next_name(&one), expected++);
        client_close(&one.client);
        come_back(r, &one);
        assert_string_equal(one.type, "");
        while (expected < next)
            assert_int_equal(next_name(&one), expected++);
    }
    assert_true(next > 2 * WEB_EVENTS_MAX);
    client_close(&one.client);
}

static void after_in_the_query_is_older_than_the_header(void **state)
{
    struct rig *r = *state;
    publish_many(r, 0, 5);
    watch(r, &one, "?after=7-3", "");
    assert_int_equal(next_name(&one), 2);
    client_close(&one.client);
    watch(r, &one, "?after=7-3", "Last-Event-ID: 7-5\r\n");
    assert_int_equal(next_name(&one), 4);
    client_close(&one.client);
}

static void gap_comes_first_and_says_what_is_lost(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "", "Last-Event-ID: 6-1234\r\n");
    assert_string_equal(one.type, "gap");
    json_t *gap = data_of(&one);
    assert_string_equal(json_string_value(json_object_get(gap, "after")), "6-1234");
    assert_string_equal(json_string_value(json_object_get(gap, "before")), "7-1");
    json_decref(gap);
    assert_string_equal(one.last_id, "7-0");
    assert_string_equal(next_event(&one), "daemon.started");
    client_close(&one.client);
    publish_many(r, 0, WEB_EVENTS_MAX + 9);
    come_back(r, &one);
    assert_string_equal(one.type, "gap");
    assert_int_equal(next_name(&one), 9);
    client_close(&one.client);
}

static void stream_with_a_type_skips_others_without_a_gap(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "?type=pool.", "");
    publish_many(r, 0, 100);
    publish(r, "pool", "p");
    assert_string_equal(next_event(&one), "pool.changed");
    assert_string_equal(one.last_id, "7-102");
    client_close(&one.client);
}

static void wrong_last_event_id_is_refused_by_name(void **state)
{
    static const char ask[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n"
                              "Accept: text/event-stream\r\nLast-Event-ID: x\r\n\r\n";
    struct rig *r = *state;
    assert_int_equal(client_open_unix(&one.client, r->socket, rig_pump, r), 0);
    assert_true(client_send(&one.client, ask, strlen(ask)));
    assert_true(client_receive(&one.client, false, &r->answer));
    assert_int_equal(r->answer.status, 400);
    assert_non_null(strstr(r->answer.body, "\"parameter\":\"Last-Event-ID\""));
    assert_int_equal(rig_call_on(r, &one.client, "GET", "/healthz", NULL), 200);
    client_close(&one.client);
}

static void streams_over_the_limit_are_told_to_come_later(void **state)
{
    struct rig *r = *state;
    static int fds[WEB_STREAMS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        watch(r, &one, "", "");
        fds[i] = one.client.fd;
    }
    watch_with(r, &two, "", "");
    assert_true(client_receive(&two.client, false, &r->answer));
    assert_int_equal(r->answer.status, 503);
    client_close(&two.client);
    close(fds[0]);
    wait_streams(r, WEB_STREAMS_MAX - 1);
    watch(r, &two, "", "");
    for (size_t i = 1; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    client_close(&two.client);
    wait_streams(r, 0);
}

/* One that never reads, while far more is published than it may have unsent. */
static void slow_client_is_dropped_and_others_miss_nothing(void **state)
{
    struct rig *r = *state;
    unsigned next = 0;
    watch(r, &one, "", "");
    watch(r, &two, "", "");
    for (; next < 60000 && r->web->counters.streams_dropped == 0; next += 100) {
        publish_many(r, next, next + 100);
        for (unsigned i = 0; i < 100; i++)
            assert_int_equal(next_name(&two), next + i);
    }
    assert_int_equal(metric(r, "ashlar_event_streams_dropped_total"), 1);
    assert_int_equal(metric(r, "ashlar_event_streams"), 1);
    client_close(&two.client);
    /* It comes back and goes on where it was, or is told of the gap. */
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(next_name(&one), i);
    client_close(&one.client);
    come_back(r, &one);
    if (strcmp(one.type, "gap") != 0)
        assert_int_equal(next_name(&one), 50);
    client_close(&one.client);
}

/* What was there before it began is no fault of its own, however much that is. */
static void long_way_to_catch_up_is_not_slow(void **state)
{
    struct rig *r = *state;
    static char text[1024];
    memset(text, 'x', sizeof(text) - 1);
    for (unsigned i = 0; i < 3000; i++) {
        const struct event_note note = {.kind = "volume",
                                        .verb = "changed",
                                        .name = "0",
                                        .data = json_pack("{s:s}", "text", text)};
        events_publish(r->web, &note);
    }
    assert_true(events_bytes(r->web->events) > WEB_STREAM_UNSENT_MAX);
    watch(r, &one, "?after=7-1", "");
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(next_name(&one), 0);
    assert_int_equal(metric(r, "ashlar_event_streams_dropped_total"), 0);
    client_close(&one.client);
}

/* A sign of life moves its place, too, so that it does not fall out of the ring. */
static void quiet_stream_shows_life_and_its_place(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "?type=pool.", "");
    publish_many(r, 0, WEB_EVENTS_MAX);
    settle(r);
    watches_beat(r->web->watches);
    const char *beat = next_block(&one.client);
    assert_non_null(beat);
    assert_memory_equal(beat, ": keepalive\n", 12);
    field_of(beat, "id", one.last_id, sizeof(one.last_id));
    assert_string_equal(one.last_id, "7-4097");
    client_close(&one.client);
    publish(r, "pool", "p");
    come_back(r, &one);
    assert_string_equal(one.type, "");
    assert_int_equal(metric(r, "ashlar_event_streams_dropped_total"), 0);
    client_close(&one.client);
}

static void stream_ends_when_its_token_is_revoked(void **state)
{
    struct rig *r = *state;
    char ask[256];
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    snprintf(ask, sizeof(ask),
             "GET /v1/events HTTP/1.0\r\nAccept: text/event-stream\r\n"
             "Authorization: Bearer %s\r\n\r\n",
             rig_text(r, "token"));
    assert_int_equal(client_open_tcp(&one.client, web_tcp_address(r->web), rig_pump, r),
                     0);
    assert_true(client_send(&one.client, ask, strlen(ask)));
    read_head(&one);
    watches_beat(r->web->watches);
    settle(r);
    assert_int_equal(metric(r, "ashlar_event_streams"), 1);
    assert_int_equal(rig_call(r, "DELETE", "/v1/tokens/t", NULL), 204);
    watches_beat(r->web->watches);
    assert_true(client_sees_end(&one.client));
    client_close(&one.client);
    wait_streams(r, 0);
}

/* What a client says on a stream is thrown away, and does not pile up. */
static void client_may_talk_to_its_stream(void **state)
{
    struct rig *r = *state;
    static char text[8 * WEB_STREAM_INPUT_MAX];
    memset(text, 'x', sizeof(text));
    watch(r, &one, "", "");
    for (int i = 0; i < 10; i++) {
        for (size_t at = 0; at < sizeof(text); at += WEB_STREAM_INPUT_MAX) {
            assert_true(client_send(&one.client, text + at, WEB_STREAM_INPUT_MAX));
            watches_beat(r->web->watches);
        }
    }
    publish_many(r, 0, 1);
    assert_int_equal(next_name(&one), 0);
    client_close(&one.client);
    watches_beat(r->web->watches);
    wait_streams(r, 0);
}

static void client_that_leaves_frees_its_stream(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "", "");
    wait_streams(r, 1);
    client_close(&one.client);
    wait_streams(r, 0);
    assert_int_equal(metric(r, "ashlar_api_clients_gone_total"), 0);
    publish_many(r, 0, 3);
    settle(r);
}

static void drain_ends_streams_in_order(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "", "");
    publish_many(r, 0, 2);
    web_drain(r->web);
    assert_int_equal(next_name(&one), 0);
    assert_int_equal(next_name(&one), 1);
    assert_string_equal(next_event(&one), "daemon.stopping");
    assert_true(client_sees_end(&one.client));
    client_close(&one.client);
    watch_with(r, &two, "", "");
    assert_true(client_receive(&two.client, false, &r->answer));
    assert_int_equal(r->answer.status, 503);
    client_close(&two.client);
}

static void stop_ends_streams_whatever_they_hold(void **state)
{
    struct rig *r = *state;
    watch(r, &one, "", "");
    watch(r, &two, "", "");
    publish_many(r, 0, 3000);
    rig_pump(r);
    web_stop(TAKE(r->web));
    client_close(&one.client);
    client_close(&two.client);
}

/* ---- What comes by itself ---------------------------------------------------------- */

static void refuse(struct rig *r, const char *initiator, const char *address)
{
    const struct target_events *events = fake_target_events(r->target);
    struct target_seen seen = {.status = 0x202, .reason = "no host has this name"};
    snprintf(seen.initiator, sizeof(seen.initiator), "%s", initiator);
    snprintf(seen.address, sizeof(seen.address), "%s", address);
    events->login_refused(events->arg, &seen);
}

static void flood_of_refusals_leaves_the_ring_to_others(void **state)
{
    struct rig *r = *state;
    char name[64];
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "iqn.2024-01.com.example:%u", i % 2 == 0 ? 0 : i);
        refuse(r, name, "192.0.2.7");
    }
    assert_in_range(since_start(r), 1, 64);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=initiator.refused", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/subject/name"), "iqn.2024-01.com.example:0");
    assert_string_equal(rig_text(r, "items/0/data/status"), "0202");
    assert_string_equal(rig_text(r, "items/0/data/address"), "192.0.2.7");
    web_drain(r->web); /* says what is untold */
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=initiator.refused", NULL), 200);
    size_t count = json_array_size(rig_get(r, "items"));
    long long more = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "items/%zu/data/more", i);
        more += rig_number(r, name) > 0 ? rig_number(r, name) - 1 : 0;
    }
    assert_int_equal(more + (long long)count, 20000);
}

static void while_ends(struct rig *r, struct damper *d)
{
    event_active(&d->timer, EV_TIMEOUT, 0);
    settle(r);
}

/* Of one that goes on and on an event a while; after a while of rest it is new. */
static void causer_that_goes_on_is_told_of_once_a_while(void **state)
{
    static const struct damper_rule rule = {"login", "refused", 2, 2};
    static struct damper d;
    static const struct damper_key a = {"a", ""}, b = {"b", ""}, c = {"c", ""};
    struct rig *r = *state;
    damper_init(&d, r->web, loop_base(r->loop), &rule);
    for (int i = 0; i < 10; i++)
        damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 2);
    damper_publish(&d, &b, NULL, NULL);
    damper_publish(&d, &c, NULL, NULL); /* one too many to be told apart */
    assert_int_equal(since_start(r), 3);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 5); /* 8 more of a, 1 of others */
    damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 5);
    damper_publish(&d, &b, NULL, NULL);
    assert_int_equal(since_start(r), 6);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 7);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 7);
    damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 8);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(rig_number(r, "items/3/data/more"), 8);
    assert_string_equal(rig_text(r, "items/3/subject/name"), "a");
    assert_int_equal(rig_number(r, "items/4/data/more"), 1);
    assert_true(json_is_null(rig_get(r, "items/4/subject/name")));
    damper_fini(&d);
}

static void sessions_are_told_with_the_reason_of_their_end(void **state)
{
    struct rig *r = *state;
    const struct target_events *events = fake_target_events(r->target);
    struct target_session_news s = {.id = 7,
                                    .initiator = "iqn.2024-01.com.example:h",
                                    .host = "h",
                                    .target = "iqn.2024-01.com.example:ashlar",
                                    .address = "192.0.2.7:1"};
    events->session_opened(events->arg, &s);
    s.reason = "logout";
    events->session_closed(events->arg, &s);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=session.", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/type"), "session.opened");
    assert_string_equal(rig_text(r, "items/0/subject/id"), "7");
    assert_string_equal(rig_text(r, "items/0/subject/name"), "h");
    assert_true(json_is_null(rig_get(r, "items/0/data/reason")));
    assert_string_equal(rig_text(r, "items/1/type"), "session.closed");
    assert_string_equal(rig_text(r, "items/1/data/reason"), "logout");
}

static void thresholds_are_told_of_their_pool_or_volume(void **state)
{
    struct rig *r = *state;
    const struct target_events *events = fake_target_events(r->target);
    struct target_threshold_news t = {.pool_id = "p1",
                                      .pool = "p",
                                      .threshold_bytes = 100,
                                      .free_bytes = 90,
                                      .used_bytes = 310,
                                      .volume_count = 3};
    events->threshold_reached(events->arg, &t);
    t.volume_id = "v1";
    t.volume = "v";
    t.used_bytes = 200;
    t.volume_count = 1;
    events->threshold_reached(events->arg, &t);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "items/0/type"), "pool.threshold_reached");
    assert_string_equal(rig_text(r, "items/0/subject/id"), "p1");
    assert_string_equal(rig_text(r, "items/0/subject/name"), "p");
    assert_int_equal(rig_number(r, "items/0/data/threshold"), 100);
    assert_int_equal(rig_number(r, "items/0/data/free"), 90);
    assert_int_equal(rig_number(r, "items/0/data/used"), 310);
    assert_int_equal(rig_number(r, "items/0/data/volumes"), 3);
    assert_string_equal(rig_text(r, "items/1/type"), "volume.threshold_reached");
    assert_string_equal(rig_text(r, "items/1/subject/id"), "v1");
    assert_string_equal(rig_text(r, "items/1/subject/name"), "v");
    assert_string_equal(rig_text(r, "items/1/data/pool"), "p");
}

static void news_from_below_are_events(void **state)
{
    struct rig *r = *state;
    const struct lunmgr_news *news = fake_news(r->m);
    news->device_failed(news->arg, "d1", "/dev/sdx", "p", "fdatasync", EIO);
    news->space_refused(news->arg, "p1", "p", 5);
    news->space_refused(news->arg, "p1", "p", 6);
    news->volume_purged(news->arg, "v1", "v");
    news->job_ended(news->arg, &(struct job_info){.id = "j1",
                                                  .kind = "pool-check",
                                                  .state = "failed",
                                                  .subject = "p",
                                                  .error = "the disk is gone"});
    news->volume_sanitizing(news->arg, "v2", "w");
    news->volume_sanitized(news->arg, "v2", "w", false);
    news->volume_sanitized(news->arg, "v2", "w", true);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 7);
    assert_string_equal(rig_text(r, "items/0/type"), "device.failed");
    assert_string_equal(rig_text(r, "items/0/data/error"), "EIO");
    assert_string_equal(rig_text(r, "items/1/type"), "pool.full");
    assert_int_equal(rig_number(r, "items/1/data/writes"), 5);
    assert_string_equal(rig_text(r, "items/2/type"), "volume.purged");
    assert_string_equal(rig_text(r, "items/2/who"), "ashlard");
    assert_string_equal(rig_text(r, "items/3/type"), "job.failed");
    assert_string_equal(rig_text(r, "items/3/subject/id"), "j1");
    assert_string_equal(rig_text(r, "items/3/data/kind"), "pool-check");
    assert_string_equal(rig_text(r, "items/3/data/error"), "the disk is gone");
    assert_string_equal(rig_text(r, "items/4/type"), "volume.sanitizing");
    assert_string_equal(rig_text(r, "items/5/type"), "volume.sanitize_failed");
    assert_string_equal(rig_text(r, "items/6/type"), "volume.sanitized");
}

static void a_mirror_that_fails_is_an_event(void **state)
{
    struct rig *r = *state;
    const struct lunmgr_news *news = fake_news(r->m);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    assert_string_equal(rig_text(r, "catalog_mirror"), "off");
    fake_mirror(r->m, "failed", "it is full");
    news->mirror_changed(news->arg);
    fake_mirror(r->m, "current", "");
    news->mirror_changed(news->arg);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    assert_string_equal(rig_text(r, "catalog_mirror"), "current");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=catalog.mirror_failed", NULL),
                     200);
    assert_string_equal(rig_text(r, "items/0/data/reason"), "it is full");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=catalog.mirror_current", NULL),
                     200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
}

static void who_has_no_token_is_told_of_once(void **state)
{
    struct rig *r = *state;
    assert_int_equal(client_open_tcp(&one.client, web_tcp_address(r->web), rig_pump, r),
                     0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rig_call_on(r, &one.client, "GET", "/v1", NULL), 401);
    client_close(&one.client);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=client.refused", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
    assert_string_equal(rig_text(r, "items/0/subject/name"), "127.0.0.1");
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(list_is_paged_and_told_from_after_an_id),
        WITH_RIG(type_chooses_by_its_beginning),
        WITH_RIG(what_is_no_id_is_refused_by_name),
        WITH_RIG(lost_events_are_a_gap_in_the_list),
        WITH_RIG(foreign_text_is_told_as_text),
        WITH_RIG(too_much_data_is_left_out),
        WITH_RIG(thresholds_are_told_of_their_pool_or_volume),
        WITH_RIG(stream_begins_now_and_tells_what_comes),
        WITH_RIG(stream_is_chunked_for_http_1_1_and_takes_no_more_requests),
        WITH_RIG(head_of_a_stream_is_an_answer_without_one),
        WITH_RIG(old_client_that_keeps_connections_gets_its_stream),
        WITH_RIG(who_comes_back_has_each_event_once),
        WITH_RIG(after_in_the_query_is_older_than_the_header),
        WITH_RIG(gap_comes_first_and_says_what_is_lost),
        WITH_RIG(stream_with_a_type_skips_others_without_a_gap),
        WITH_RIG(wrong_last_event_id_is_refused_by_name),
        WITH_RIG(streams_over_the_limit_are_told_to_come_later),
        WITH_RIG(slow_client_is_dropped_and_others_miss_nothing),
        WITH_RIG(long_way_to_catch_up_is_not_slow),
        WITH_RIG(quiet_stream_shows_life_and_its_place),
        WITH_RIG(stream_ends_when_its_token_is_revoked),
        WITH_RIG(client_may_talk_to_its_stream),
        WITH_RIG(client_that_leaves_frees_its_stream),
        WITH_RIG(drain_ends_streams_in_order),
        WITH_RIG(stop_ends_streams_whatever_they_hold),
        WITH_RIG(flood_of_refusals_leaves_the_ring_to_others),
        WITH_RIG(causer_that_goes_on_is_told_of_once_a_while),
        WITH_RIG(sessions_are_told_with_the_reason_of_their_end),
        WITH_RIG(news_from_below_are_events),
        WITH_RIG(a_mirror_that_fails_is_an_event),
        WITH_RIG(who_has_no_token_is_told_of_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
