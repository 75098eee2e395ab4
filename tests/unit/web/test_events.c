/* SPDX-License-Identifier: Apache-2.0 */
/* Events as a list: the ring, its pages and gaps. */
#include "cm.h"
#include "events_rig.h"
#include "rig.h"
#include "web/events.h"
#include "web/limits.h"
#include "web/server.h"

#include <stdio.h>
#include <string.h>

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
    assert_int_equal(events_last(r->web->events), WEB_EVENTS_MAX + 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(list_is_paged_and_told_from_after_an_id),
        WITH_RIG(type_chooses_by_its_beginning),
        WITH_RIG(what_is_no_id_is_refused_by_name),
        WITH_RIG(lost_events_are_a_gap_in_the_list),
        WITH_RIG(foreign_text_is_told_as_text),
        WITH_RIG(too_much_data_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
