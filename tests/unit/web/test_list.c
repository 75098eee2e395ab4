/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over the fake manager: filters, orders, fields and cursors, also while rows come,
 * go and are renamed between the pages, and while a list is made in slices. */
#include "cm.h"
#include "rig.h"
#include "web/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOLUMES 30
#define ROUNDS  60

static void make_volume(struct rig *r, const char *name, unsigned mib)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"pool\":\"p\",\"size\":\"%uMiB\"}",
             name, mib);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes", body), 201);
}

/* A pool p, and volumes v00, v01, ...: sizes of 1 to 5 MiB in turn. */
static void make_volumes(struct rig *r, unsigned count)
{
    rig_provision(r);
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/v?purge=1", NULL), 204);
    for (unsigned i = 0; i < count; i++) {
        char name[8];
        snprintf(name, sizeof(name), "v%02u", i);
        make_volume(r, name, 1 + i % 5);
    }
}

static const char *name_at(struct rig *r, size_t i)
{
    char path[32];
    snprintf(path, sizeof(path), "items/%zu/name", i);
    return rig_text(r, path);
}

static size_t item_count(struct rig *r)
{
    return json_array_size(rig_get(r, "items"));
}

/* The names that a list shows, as "a b c". */
static void expect_names(struct rig *r, const char *path, const char *names)
{
    char got[1024] = "";
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    for (size_t i = 0; i < item_count(r); i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i == 0 ? "" : " ",
                 name_at(r, i));
    assert_string_equal(got, names);
}

static void expect_refused(struct rig *r, const char *path, const char *parameter)
{
    if (rig_call(r, "GET", path, NULL) != 400 ||
        strcmp(rig_text(r, "type"), "/problems/bad-parameter") != 0 ||
        strcmp(rig_text(r, "parameter"), parameter) != 0 ||
        rig_text(r, "accepted")[0] == '\0')
        fail_msg("%s: %s", path, r->answer.body);
}

/* ---- What is asked for ------------------------------------------------------------- */

static void filters_and_orders_choose_rows(void **state)
{
    struct rig *r = *state;
    make_volumes(r, 7);
    expect_names(r, "/v1/volumes", "v00 v01 v02 v03 v04 v05 v06");
    expect_names(r, "/v1/volumes?filter=size%3E%3D4MiB", "v03 v04");
    expect_names(r, "/v1/volumes?filter=name~v%2A1", "v01");
    expect_names(r, "/v1/volumes?sort=-name", "v06 v05 v04 v03 v02 v01 v00");
    expect_names(r, "/v1/volumes?sort=-size,name", "v04 v03 v02 v01 v06 v00 v05");
    expect_names(r, "/v1/volumes?sort=size,-name&limit=3", "v05 v00 v06");
    expect_names(r, "/v1/volumes?sort=size,-name&filter=size%3E1MiB&limit=2", "v06 v01");
    expect_names(r, "/v1/volumes?filter=name%3Dnone&sort=name", "");
    assert_true(json_is_null(rig_get(r, "next")));
}

static void fields_choose_members(void **state)
{
    struct rig *r = *state;
    make_volumes(r, 2);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes?fields=size,name", NULL), 200);
    assert_int_equal(json_object_size(rig_get(r, "items/1")), 2);
    assert_string_equal(name_at(r, 1), "v01");
    assert_int_equal(rig_number(r, "items/1/size"), 2 << 20);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v01?fields=id", NULL), 200);
    assert_int_equal(json_object_size(r->json), 1);
    assert_int_equal(rig_call(r, "GET", "/v1/auth?fields=forbid_md5", NULL), 200);
    assert_int_equal(json_object_size(r->json), 1);
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
    struct rig *r = *state;
    expect_refused(r, "/v1/volumes?filter=nothing%3D1", "filter");
    expect_refused(r, "/v1/volumes?sort=nothing", "sort");
    expect_refused(r, "/v1/volumes?sort=labels", "sort");
    expect_refused(r, "/v1/volumes?fields=nothing", "fields");
    expect_refused(r, "/v1/volumes?fields=name,,size", "fields");
    expect_refused(r, "/v1/hosts?fields=secrets", "fields");
    expect_refused(r, "/v1/volumes?after=x", "after");
    expect_refused(r, "/v1/sessions?filter=latency%3D1", "filter");
}

static void a_too_long_value_is_refused_by_its_own_bound(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } cases[] = {{"filter", WEB_FILTER_MAX},
                 {"sort", WEB_SORT_MAX},
                 {"fields", WEB_FIELDS_MAX},
                 {"after", WEB_CURSOR_MAX}};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[WEB_CURSOR_MAX + 64], value[WEB_CURSOR_MAX + 1] = "";
        memset(value, 'a', cases[i].bytes);
        snprintf(path, sizeof(path), "/v1/volumes?%s=%s", cases[i].name, value);
        expect_refused(r, path, cases[i].name);
    }
}

static void sessions_are_listed_the_same_way(void **state)
{
    struct rig *r = *state;
    char path[128];
    for (unsigned i = 0; i < 5; i++)
        fake_target_add_session(r->target, 8 + i, i % 2 ? "iqn.a:1" : "iqn.b:2", "h");
    assert_int_equal(rig_call(r, "GET", "/v1/sessions?limit=2&fields=id", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/id"), "8");
    snprintf(path, sizeof(path), "/v1/sessions?limit=9&after=%s", rig_text(r, "next"));
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(item_count(r), 3);
    assert_string_equal(rig_text(r, "items/0/id"), "10");
    assert_int_equal(
        rig_call(r, "GET", "/v1/sessions?sort=initiator,-id&filter=id%3E8", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/id"), "11");
    assert_string_equal(rig_text(r, "items/1/id"), "9");
    assert_string_equal(rig_text(r, "items/2/id"), "12");
    assert_int_equal(item_count(r), 4);
}

/* ---- Cursors ----------------------------------------------------------------------- */

static void a_cursor_is_of_one_list_filter_and_order(void **state)
{
    static const char *const others[] = {
        "/v1/volumes?limit=2&sort=size&after=%s",
        "/v1/volumes?limit=2&sort=name,size&after=%s",
        "/v1/volumes?limit=2&sort=name&filter=size%%3E0&after=%s",
        "/v1/volumes?limit=2&after=%s",
        "/v1/snapshots?limit=2&sort=name&after=%s",
    };
    struct rig *r = *state;
    char next[WEB_CURSOR_MAX], path[WEB_CURSOR_MAX + 64];
    make_volumes(r, 5);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes?limit=2&sort=name", NULL), 200);
    snprintf(next, sizeof(next), "%s", rig_text(r, "next"));
    snprintf(path, sizeof(path), "/v1/volumes?limit=9&fields=name&sort=name&after=%s",
             next);
    expect_names(r, path, "v02 v03 v04");
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        size_t mark = (size_t)(strstr(others[i], "%s") - others[i]);
        snprintf(path, sizeof(path), "%.*s%s", (int)mark, others[i], next);
        char *twice = strstr(path, "%%");
        if (twice != NULL)
            memmove(twice, twice + 1, strlen(twice));
        expect_refused(r, path, "after");
    }
}

/* ---- While rows change ------------------------------------------------------------- */

struct row {
    char id[40];
    unsigned seen;
    bool stays; /* and keeps what it is sorted by */
};

struct rows {
    struct row rows[256];
    size_t count;
    uint64_t seed;
    unsigned names;
    bool sorted_by_name;
};

static unsigned draw(struct rows *rows, unsigned below)
{
    rows->seed = rows->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(rows->seed >> 33) % below;
}

static struct row *row_of(struct rows *rows, const char *id)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(rows->rows[i].id, id) == 0)
            return &rows->rows[i];
    }
    assert_true(rows->count < ARRAY_LEN(rows->rows));
    struct row *row = &rows->rows[rows->count++];
    *row = (struct row){.stays = false};
    snprintf(row->id, sizeof(row->id), "%s", id);
    return row;
}

static void note_all(struct rig *r, struct rows *rows)
{
    rows->count = 0;
    assert_int_equal(rig_call(r, "GET", "/v1/volumes?limit=1000", NULL), 200);
    for (size_t i = 0; i < item_count(r); i++) {
        char path[32];
        snprintf(path, sizeof(path), "items/%zu/id", i);
        row_of(rows, rig_text(r, path))->stays = true;
    }
}

static struct row *any_row(struct rows *rows)
{
    return &rows->rows[draw(rows, (unsigned)rows->count)];
}

/* A name that none had, anywhere among the others. */
static void new_name(struct rows *rows, char name[32])
{
    snprintf(name, 32, "%c%02u-%u", 't' + (int)draw(rows, 5), draw(rows, 100),
             rows->names++);
}

static void insert(struct rig *r, struct rows *rows)
{
    char name[32];
    new_name(rows, name);
    make_volume(r, name, 1 + draw(rows, 5));
    (void)row_of(rows, rig_text(r, "id"));
}

/* One that is still there. */
static void remove_one(struct rig *r, struct rows *rows)
{
    char path[80];
    struct row *row;
    do {
        row = any_row(rows);
        snprintf(path, sizeof(path), "/v1/volumes/%s?purge=1", row->id);
    } while (rig_call(r, "DELETE", path, NULL) == 404);
    assert_int_equal(r->answer.status, 204);
    row->stays = false;
}

static void rename_one(struct rig *r, struct rows *rows)
{
    char path[80], name[32], body[64];
    struct row *row = any_row(rows);
    new_name(rows, name);
    snprintf(path, sizeof(path), "/v1/volumes/%s", row->id);
    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    (void)rig_call(r, "PATCH", path, body);
    row->stays &= !rows->sorted_by_name;
}

/* As many come as go. */
static void change_some(struct rig *r, struct rows *rows)
{
    for (unsigned i = draw(rows, 4); i > 0; i--) {
        insert(r, rows);
        remove_one(r, rows);
        rename_one(r, rows);
    }
}

static void note_page(struct rig *r, struct rows *rows)
{
    for (size_t i = 0; i < item_count(r); i++) {
        char path[32];
        snprintf(path, sizeof(path), "items/%zu/id", i);
        row_of(rows, rig_text(r, path))->seen++;
    }
}

static void walk_pages(struct rig *r, struct rows *rows, const char *query)
{
    char path[WEB_CURSOR_MAX + 128], next[WEB_CURSOR_MAX];
    snprintf(path, sizeof(path), "/v1/volumes?%s&limit=%u", query, 1 + draw(rows, 7));
    for (;;) {
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        note_page(r, rows);
        snprintf(next, sizeof(next), "%s", rig_text(r, "next"));
        if (next[0] == '\0')
            return;
        change_some(r, rows);
        snprintf(path, sizeof(path), "/v1/volumes?%s&limit=%u&after=%s", query,
                 1 + draw(rows, 7), next);
    }
}

static void who_stays_is_seen_once(void **state)
{
    static const struct {
        const char *query;
        bool by_name;
    } cases[] = {
        {"fields=id", true},           {"sort=size", false},
        {"sort=-created,size", false}, {"sort=size,-name", true},
        {"sort=-id", false},           {"filter=size%3E0&sort=protected", false},
        {"filter=size%3E0", true},
    };
    struct rig *r = *state;
    static struct rows rows;
    rows.seed = 20;
    r->web->slice_us = 0;
    make_volumes(r, VOLUMES);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t at = i % ARRAY_LEN(cases);
        note_all(r, &rows);
        rows.sorted_by_name = cases[at].by_name;
        walk_pages(r, &rows, cases[at].query);
        for (size_t j = 0; j < rows.count; j++) {
            if (rows.rows[j].stays && rows.rows[j].seen != 1)
                fail_msg("%s: seen %u times", cases[at].query, rows.rows[j].seen);
        }
    }
}

/* ---- Slices ------------------------------------------------------------------------ */

/* A list that is asked for, and under way when this returns. */
static void begin_slow_list(struct rig *r)
{
    static const char slow_list[] =
        "GET /v1/volumes?sort=-name HTTP/1.1\r\nHost: x\r\n\r\n";
    make_volumes(r, VOLUMES);
    r->web->slice_us = 0;
    assert_true(client_send(&r->client, slow_list, sizeof(slow_list) - 1));
    for (int i = 0; i < 1000 && r->web->scans == NULL; i++)
        loop_run_once(r->loop, false);
    assert_non_null(r->web->scans);
}

static void others_have_a_turn_between_slices(void **state)
{
    static struct client other;
    struct rig *r = *state;
    struct answer *answer = &r->answer;
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    begin_slow_list(r);
    assert_true(client_call(&other, "GET", "/healthz", NULL, answer));
    assert_int_equal(answer->status, 200);
    assert_true(client_receive(&r->client, false, answer));
    assert_int_equal(answer->status, 200);
    client_close(&other);
}

static void a_client_that_goes_away_ends_its_list(void **state)
{
    struct rig *r = *state;
    begin_slow_list(r);
    client_close(&r->client);
    for (int i = 0; i < 1000 && r->web->scans != NULL; i++)
        loop_run_once(r->loop, false);
    assert_null(r->web->scans);
}

/* The tear-down stops web; nothing may be left or used after. */
static void a_stop_ends_lists_under_way(void **state)
{
    struct rig *r = *state;
    begin_slow_list(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(filters_and_orders_choose_rows),
        WITH_RIG(fields_choose_members),
        WITH_RIG(what_cannot_be_asked_for_is_refused),
        WITH_RIG(a_too_long_value_is_refused_by_its_own_bound),
        WITH_RIG(sessions_are_listed_the_same_way),
        WITH_RIG(a_cursor_is_of_one_list_filter_and_order),
        WITH_RIG(who_stays_is_seen_once),
        WITH_RIG(others_have_a_turn_between_slices),
        WITH_RIG(a_client_that_goes_away_ends_its_list),
        WITH_RIG(a_stop_ends_lists_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
