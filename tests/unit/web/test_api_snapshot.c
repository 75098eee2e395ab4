/* SPDX-License-Identifier: Apache-2.0 */
/* What volumes, snapshots and the trash take, refuse and tell beyond create and show. */
#include "cm.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct refusal {
    const char *body, *pointer;
};

/* Each is answered 422 with the pointer and something that says what is accepted. */
static void refuses(struct rig *r, const char *method, const char *path,
                    const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = rig_call(r, method, path, cases[i].body);
        if (status != 422 || strcmp(rig_text(r, "pointer"), cases[i].pointer) != 0)
            fail_msg("%s: %d %s", cases[i].body, status, r->answer.body);
        assert_string_not_equal(rig_text(r, "detail"), "");
    }
}

static void snapshot(struct rig *r, const char *volume, const char *name)
{
    char body[160];
    snprintf(body, sizeof(body), "{\"volume\":\"%s\",\"name\":\"%s\"}", volume, name);
    assert_int_equal(rig_call(r, "POST", "/v1/snapshots", body), 201);
}

static void volume(struct rig *r, const char *name)
{
    char body[160];
    snprintf(body, sizeof(body), "{\"name\":\"%s\",\"pool\":\"p\",\"size\":4096}", name);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes", body), 201);
}

/* ---- Volumes ----------------------------------------------------------------------- */

/* What a request leaves out is not whatever lay on the stack. */
static void a_plain_volume_has_nothing_that_was_not_asked_for(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    for (int i = 0; i < 3; i++) {
        char body[96];
        snprintf(body, sizeof(body), "{\"name\":\"w%d\",\"pool\":\"p\",\"size\":4096}",
                 i);
        assert_int_equal(rig_call(r, "POST", "/v1/volumes", body), 201);
        assert_true(json_is_null(rig_get(r, "clone_of")));
        assert_true(json_is_false(rig_get(r, "protected")));
        assert_true(json_is_false(rig_get(r, "zero_detect")));
        assert_int_equal(json_object_size(rig_get(r, "labels")), 0);
        assert_int_equal(rig_number(r, "block_size"), 512);
        assert_int_equal(rig_number(r, "snapshot_count"), 0);
    }
}

static void a_volume_has_what_was_asked_for(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(
        rig_call(r, "POST", "/v1/volumes",
                 "{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"protected\":true,"
                 "\"zero_detect\":true,\"labels\":{\"owner\":\"\xc3\xa4\",\"e\":\"\"}}"),
        201);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/w", NULL), 200);
    assert_true(json_is_true(rig_get(r, "protected")));
    assert_true(json_is_true(rig_get(r, "zero_detect")));
    assert_string_equal(rig_text(r, "labels/owner"), "\xc3\xa4");
    assert_int_equal(json_object_size(rig_get(r, "labels")), 2);
}

static void a_clone_needs_no_pool_and_no_size(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    snapshot(r, "v", "s");
    char id[64];
    snprintf(id, sizeof(id), "%s", rig_text(r, "id"));
    assert_int_equal(
        rig_call(r, "POST", "/v1/volumes", "{\"name\":\"c\",\"snapshot\":\"v/s\"}"), 201);
    assert_string_equal(rig_text(r, "clone_of"), id);
    assert_string_equal(rig_text(r, "pool"), "p");
    assert_int_equal(rig_number(r, "size"), 1099511627776);
}

static void a_change_names_what_changes(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/volumes/v",
                              "{\"name\":\"w\",\"size\":\"2TiB\",\"protected\":true,"
                              "\"labels\":{\"a\":\"1\"}}"),
                     200);
    assert_string_equal(rig_text(r, "name"), "w");
    assert_int_equal(rig_call(r, "PATCH", "/v1/volumes/w", "{}"), 200);
    assert_int_equal(rig_number(r, "size"), 2199023255552);
    assert_true(json_is_true(rig_get(r, "protected")));
    assert_false(json_is_true(rig_get(r, "zero_detect")));
    assert_string_equal(rig_text(r, "labels/a"), "1");
    assert_int_equal(rig_call(r, "PATCH", "/v1/volumes/w",
                              "{\"protected\":false,\"zero_detect\":true,\"labels\":{}}"),
                     200);
    assert_true(json_is_false(rig_get(r, "protected")));
    assert_true(json_is_true(rig_get(r, "zero_detect")));
    assert_int_equal(json_object_size(rig_get(r, "labels")), 0);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v", NULL), 404);
}

static void volume_changes_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"name\":\"a b\"}", "/name"},
        {"{\"name\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"}", "/name"},
        {"{\"size\":0}", "/size"},
        {"{\"size\":4097}", "/size"},
        {"{\"size\":\"1GiB\"}", "/size"},
        {"{\"size\":\"1GiB\",\"allow_data_loss\":1}", "/allow_data_loss"},
        {"{\"protected\":\"yes\"}", "/protected"},
        {"{\"zero_detect\":null}", "/zero_detect"},
        {"{\"labels\":{\"a\":null}}", "/labels/a"},
        {"{\"pool\":\"p\"}", "/pool"},
        {"{\"block_size\":512}", "/block_size"},
    };
    struct rig *r = *state;
    rig_provision(r);
    refuses(r, "PATCH", "/v1/volumes/v", cases, ARRAY_LEN(cases));
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v", NULL), 200);
    assert_int_equal(rig_number(r, "size"), 1099511627776);
}

static void more_labels_than_32_are_refused(void **state)
{
    struct rig *r = *state;
    char body[1024] = "{\"labels\":{\"a\":\"\"";
    rig_provision(r);
    for (int i = 0; i < 32; i++)
        snprintf(body + strlen(body), sizeof(body) - strlen(body), ",\"k%d\":\"\"", i);
    snprintf(body + strlen(body), sizeof(body) - strlen(body), "}}");
    assert_int_equal(rig_call(r, "PATCH", "/v1/volumes/v", body), 422);
    assert_string_equal(rig_text(r, "pointer"), "/labels");
    assert_string_equal(rig_text(r, "accepted"), "at most 32 labels");
}

/* 404, not 422: what is not there is named by the path and not by a member. */
static void what_the_path_names_in_vain_is_404(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } cases[] = {
        {"PATCH", "/v1/volumes/none", "{\"size\":4096}"},
        {"POST", "/v1/volumes/none/rollback", "{\"snapshot\":\"s\"}"},
        {"PATCH", "/v1/snapshots/v/none", "{\"name\":\"x\"}"},
        {"PATCH", "/v1/snapshots/none", "{\"name\":\"x\"}"},
        {"POST", "/v1/trash/none/restore", "{}"},
        {"POST", "/v1/trash/v/restore", "{}"},
        {"DELETE", "/v1/trash/v", NULL},
        {"GET", "/v1/trash/v", NULL},
        {"GET", "/v1/snapshots?volume=none", NULL},
        {"GET", "/v1/snapshot-groups/none", NULL},
    };
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = rig_call(r, cases[i].method, cases[i].path, cases[i].body);
        if (status != 404 || strcmp(rig_text(r, "type"), "/problems/not-found") != 0)
            fail_msg("%s %s: %d %s", cases[i].method, cases[i].path, status,
                     r->answer.body);
        assert_string_equal(rig_text(r, "pointer"), "");
    }
}

static void a_rollback_is_refused_by_the_member_that_may_force_it(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    snapshot(r, "v", "s");
    assert_int_equal(
        rig_call(r, "POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}"), 201);
    assert_int_equal(
        rig_call(r, "POST", "/v1/volumes/v/rollback", "{\"snapshot\":\"s\"}"), 409);
    assert_string_equal(rig_text(r, "pointer"), "/fence");
    assert_int_equal(rig_call(r, "POST", "/v1/volumes/v/rollback",
                              "{\"snapshot\":\"none\",\"fence\":true}"),
                     422);
    assert_string_equal(rig_text(r, "pointer"), "/snapshot");
    assert_int_equal(
        rig_call(r, "POST", "/v1/volumes/v/rollback",
                 "{\"snapshot\":\"v/s\",\"fence\":true,\"keep_name\":\"before\"}"),
        200);
    assert_int_equal(rig_number(r, "snapshot_count"), 2);
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/before", NULL), 200);
}

/* ---- Snapshots --------------------------------------------------------------------- */

static void snapshot_requests_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"name\":\"s\"}", "/volume"},
        {"{\"volume\":\"v\"}", "/name"},
        {"{\"volume\":\"none\",\"name\":\"s\"}", "/volume"},
        {"{\"volume\":\"v/t\",\"name\":\"s\"}", "/volume"},
        {"{\"volume\":\"v\",\"name\":\"v/s\"}", "/name"},
        {"{\"volume\":\"v\",\"name\":\"s\",\"labels\":7}", "/labels"},
        {"{\"volume\":\"v\",\"name\":\"s\",\"protected\":true}", "/protected"},
    };
    static const struct refusal groups[] = {
        {"{\"name\":\"s\"}", "/volumes"},
        {"{\"volumes\":[],\"name\":\"s\"}", "/volumes"},
        {"{\"volumes\":\"v\",\"name\":\"s\"}", "/volumes"},
        {"{\"volumes\":[\"v\"]}", "/name"},
        {"{\"volumes\":[\"v\",7],\"name\":\"s\"}", "/volumes/1"},
        {"{\"volumes\":[\"v\",\"none\"],\"name\":\"s\"}", "/volumes/1"},
        {"{\"volumes\":[\"v\",\"v\"],\"name\":\"s\"}", "/volumes/1"},
    };
    struct rig *r = *state;
    rig_provision(r);
    refuses(r, "POST", "/v1/snapshots", cases, ARRAY_LEN(cases));
    refuses(r, "POST", "/v1/snapshot-groups", groups, ARRAY_LEN(groups));
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 0);
}

static void a_snapshot_is_addressed_by_id_and_by_volume(void **state)
{
    struct rig *r = *state;
    char id[64], path[160];
    rig_provision(r);
    snapshot(r, "v", "s");
    snprintf(id, sizeof(id), "%s", rig_text(r, "id"));
    assert_true(json_is_null(rig_get(r, "group")));
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/s", NULL), 200);
    assert_string_equal(rig_text(r, "id"), id);
    snprintf(path, sizeof(path), "/v1/snapshots/%s", id);
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_string_equal(rig_text(r, "volume"), "v");
    snprintf(path, sizeof(path), "/v1/snapshots/%s/s", rig_text(r, "volume_id"));
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_string_equal(rig_text(r, "id"), id);
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/t", NULL), 404);
    assert_int_equal(rig_call(r, "PATCH", "/v1/snapshots/v/s",
                              "{\"name\":\"t\",\"labels\":{\"a\":\"b\"}}"),
                     200);
    assert_string_equal(rig_text(r, "labels/a"), "b");
    assert_int_equal(rig_call(r, "DELETE", "/v1/snapshots/v/t", NULL), 204);
    assert_int_equal(rig_call(r, "GET", path, NULL), 404);
}

static void a_group_shows_its_snapshots_in_the_order_asked_for(void **state)
{
    struct rig *r = *state;
    char id[64], path[160];
    rig_provision(r);
    volume(r, "a");
    assert_int_equal(
        rig_call(r, "POST", "/v1/snapshot-groups",
                 "{\"volumes\":[\"v\",\"a\"],\"name\":\"m\",\"labels\":{\"k\":\"1\"}}"),
        201);
    snprintf(id, sizeof(id), "%s", rig_text(r, "id"));
    assert_string_equal(rig_text(r, "snapshots/0/volume"), "v");
    assert_string_equal(rig_text(r, "snapshots/1/volume"), "a");
    assert_string_equal(rig_text(r, "snapshots/1/labels/k"), "1");
    assert_string_equal(rig_text(r, "snapshots/1/group"), id);
    snapshot(r, "v", "alone");
    snprintf(path, sizeof(path), "/v1/snapshot-groups/%s", id);
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "snapshots")), 2);
}

static void snapshots_are_listed_by_volume_in_pages(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    volume(r, "a");
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof(name), "s%d", i);
        snapshot(r, "v", name);
        snapshot(r, "a", name);
    }
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 6);
    assert_string_equal(rig_text(r, "items/0/volume"), "a");
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots?volume=v&limit=2", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "items/0/volume"), "v");
    char path[160];
    snprintf(path, sizeof(path), "/v1/snapshots?volume=v&limit=2&after=%s",
             rig_text(r, "next"));
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
    assert_string_equal(rig_text(r, "items/0/name"), "s2");
    assert_true(json_is_null(rig_get(r, "next")));
}

static void a_mapped_snapshot_is_read_only_and_says_whose_it_is(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    snapshot(r, "v", "s");
    assert_int_equal(
        rig_call(r, "POST", "/v1/mappings", "{\"snapshot\":\"v/s\",\"host\":\"h\"}"),
        201);
    assert_string_equal(rig_text(r, "volume"), "v");
    assert_string_equal(rig_text(r, "snapshot"), "s");
    assert_true(json_is_true(rig_get(r, "read_only")));
    assert_non_null(strstr(rig_text(r, "qemu/0"), "readonly=on"));
    assert_int_equal(rig_call(r, "GET", "/v1/mappings/v/s/h", NULL), 200);
    assert_int_equal(rig_call(r, "GET", "/v1/mappings/v/h", NULL), 404);
    assert_int_equal(rig_call(r, "DELETE", "/v1/snapshots/v/s", NULL), 409);
    assert_int_equal(rig_call(r, "DELETE", "/v1/mappings/v/s/h", NULL), 204);
    assert_int_equal(
        rig_call(r, "POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}"), 201);
    assert_true(json_is_null(rig_get(r, "snapshot")));
    assert_true(json_is_false(rig_get(r, "read_only")));
}

/* ---- The trash --------------------------------------------------------------------- */

static void what_is_deleted_waits_in_the_trash(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    snapshot(r, "v", "s");
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/v", NULL), 204);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v", NULL), 404);
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/s", NULL), 404);
    assert_int_equal(rig_call(r, "GET", "/v1/trash", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/name"), "v");
    assert_string_equal(rig_text(r, "items/0/trashed"), "2024-05-01T12:00:00Z");
    assert_string_equal(rig_text(r, "items/0/purge"), "2024-05-01T13:00:00Z");
    volume(r, "v");
    assert_int_equal(rig_call(r, "POST", "/v1/trash/v/restore", "{}"), 409);
    assert_string_equal(rig_text(r, "pointer"), "/name");
    assert_int_equal(rig_call(r, "POST", "/v1/trash/v/restore", "{\"name\":\"a b\"}"),
                     422);
    assert_int_equal(rig_call(r, "POST", "/v1/trash/v/restore", "{\"name\":\"w\"}"), 200);
    assert_string_equal(rig_text(r, "name"), "w");
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/w/s", NULL), 200);
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/w", NULL), 204);
    assert_int_equal(rig_call(r, "DELETE", "/v1/trash/w", NULL), 204);
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/v?purge=1", NULL), 204);
    assert_int_equal(rig_call(r, "GET", "/v1/trash", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 0);
}

static void counts_are_in_the_metrics(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    snapshot(r, "v", "s");
    volume(r, "w");
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/w", NULL), 204);
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(r->answer.body, "\nashlar_snapshots 1\n"));
    assert_non_null(strstr(r->answer.body, "\nashlar_trash_volumes 1\n"));
    assert_non_null(strstr(r->answer.body, "\nashlar_leaf_cache_bytes 4096\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_plain_volume_has_nothing_that_was_not_asked_for),
        WITH_RIG(a_volume_has_what_was_asked_for),
        WITH_RIG(a_clone_needs_no_pool_and_no_size),
        WITH_RIG(a_change_names_what_changes),
        WITH_RIG(volume_changes_are_read_strictly),
        WITH_RIG(more_labels_than_32_are_refused),
        WITH_RIG(what_the_path_names_in_vain_is_404),
        WITH_RIG(a_rollback_is_refused_by_the_member_that_may_force_it),
        WITH_RIG(snapshot_requests_are_read_strictly),
        WITH_RIG(a_snapshot_is_addressed_by_id_and_by_volume),
        WITH_RIG(a_group_shows_its_snapshots_in_the_order_asked_for),
        WITH_RIG(snapshots_are_listed_by_volume_in_pages),
        WITH_RIG(a_mapped_snapshot_is_read_only_and_says_whose_it_is),
        WITH_RIG(what_is_deleted_waits_in_the_trash),
        WITH_RIG(counts_are_in_the_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
