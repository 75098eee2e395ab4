/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of members against the OpenAPI document, both ways, and entity tags. */
#include "web/resource.h"

#include "cm.h"
#include "document.h"
#include "operations.h"
#include "own_document.h"
#include "rig.h"
#include "web/api.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

/* ---- Tables ------------------------------------------------------------------------ */

/* The schema of what a 200 or 201 of the operation shows; of a list, of its items. */
static const json_t *shown_schema(const struct route *route)
{
    static const char *const statuses[] = {"201", "202", "200"};
    const json_t *responses = json_object_get(
        document_operation(document, route->path, router_method_name(route->method)),
        "responses");
    const json_t *schema = NULL;
    for (size_t i = 0; schema == NULL && i < ARRAY_LEN(statuses); i++) {
        const json_t *content = json_object_get(
            document_resolve(document, json_object_get(responses, statuses[i])),
            "content");
        schema = json_object_get(json_object_get(content, "application/json"), "schema");
    }
    schema = schema_first(document, schema);
    if (route->handler != api_list)
        return schema;
    const json_t *items = json_object_get(json_object_get(schema, "properties"), "items");
    return document_resolve(document, json_object_get(items, "items"));
}

static bool has_type(const json_t *schema, const char *want)
{
    const json_t *types = json_object_get(schema, "type");
    for (size_t i = 0; i < json_array_size(types); i++) {
        if (strcmp(json_string_value(json_array_get(types, i)), want) == 0)
            return true;
    }
    return json_is_string(types) && strcmp(json_string_value(types), want) == 0;
}

/* Whether it is the component of that name. */
static bool is_component(const json_t *schema, const char *name)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    return ref != NULL && strcmp(strrchr(ref, '/') + 1, name) == 0;
}

static bool kind_fits(const struct column *c, const json_t *property)
{
    const json_t *schema = document_resolve(document, property);
    switch (c->kind) {
    case COLUMN_TEXT:
        return has_type(schema, "string") && !is_component(property, "Time");
    case COLUMN_ID:
        return has_type(schema, "string");
    case COLUMN_UINT:
        return has_type(schema, "integer") && !is_component(property, "Bytes");
    case COLUMN_BYTES:
        return is_component(property, "Bytes");
    case COLUMN_BOOL:
        return has_type(schema, "boolean");
    case COLUMN_TIME:
        return is_component(property, c->nullable ? "TimeOrNull" : "Time");
    case COLUMN_LABELS:
        return is_component(property, "Labels");
    default:
        return has_type(schema, "object") || has_type(schema, "array") ||
               json_object_get(schema, "anyOf") != NULL;
    }
}

static bool names(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
            return true;
    }
    return false;
}

static void check_table(const struct resource *r, const json_t *schema)
{
    const json_t *properties = json_object_get(schema, "properties");
    size_t shown = 0;
    for (const struct column *c = r->columns; c->name != NULL; c++) {
        const json_t *property = json_object_get(properties, c->name);
        if (c->hidden) {
            assert_null(property);
            continue;
        }
        shown++;
        if (property == NULL || !kind_fits(c, property) ||
            (c->kind != COLUMN_JSON &&
             c->nullable != has_type(document_resolve(document, property), "null")) ||
            !names(json_object_get(schema, "required"), c->name))
            fail_msg("%s %s is not as it is documented", r->kind, c->name);
    }
    /* A token that is made shows one member more. */
    if (json_object_get(properties, "token") == NULL)
        assert_int_equal(json_object_size(properties), shown);
}

static void members_are_those_of_the_document(void **state)
{
    size_t count, checked = 0;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct resource *r =
            table[i].shows != NULL ? table[i].shows : table[i].resource;
        if (r == NULL || table[i].status == 204 || table[i].handler == api_diff)
            continue; /* its lines are no resource */
        const json_t *schema = shown_schema(&table[i]);
        assert_non_null(schema);
        check_table(r, schema);
        checked++;
    }
    assert_true(checked > 20);
}

static void what_lists_and_shows_has_a_resource(void **state)
{
    size_t count;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct resource *r = table[i].resource;
        if (table[i].handler != api_list && table[i].handler != api_show)
            continue;
        assert_non_null(r);
        assert_true(r->info_bytes <= RESOURCE_INFO_MAX);
        if (r->whole == NULL)
            assert_int_equal(strncmp(table[i].path, r->collection, strlen(r->collection)),
                             0);
    }
}

/* ---- Entity tags ------------------------------------------------------------------- */

/* The tag of what is at path; it must have one. */
static void tag_of(struct rig *r, const char *path, char out[ETAG_MAX])
{
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    answer_header(&r->answer, "ETag", out, ETAG_MAX);
    assert_int_equal(strlen(out), 34);
    assert_int_equal(out[0], '"');
    assert_int_equal(out[33], '"');
}

static void a_tag_changes_with_what_a_client_sets_and_no_more(void **state)
{
    static const char *const changes[] = {
        "{\"name\":\"w\"}",       "{\"size\":\"2TiB\"}",        "{\"protected\":true}",
        "{\"zero_detect\":true}", "{\"labels\":{\"a\":\"b\"}}",
    };
    struct rig *r = *state;
    char before[ETAG_MAX], path[64], after[ETAG_MAX];
    rig_provision(r);
    tag_of(r, "/v1/volumes/v", before);
    snprintf(path, sizeof(path), "/v1/volumes/%s", rig_text(r, "id"));
    assert_int_equal(
        rig_call(r, "POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}"), 201);
    tag_of(r, path, after);
    assert_string_equal(after, before);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_int_equal(rig_call(r, "PATCH", path, changes[i]), 200);
        answer_header(&r->answer, "ETag", after, sizeof(after));
        assert_string_not_equal(after, before);
        tag_of(r, path, before);
        assert_string_equal(after, before);
    }
}

static void a_tag_changes_with_a_secret_that_is_not_shown(void **state)
{
    static const char first[] = "{\"auth\":{\"method\":\"chap\",\"user\":\"h\","
                                "\"secret\":\"the first secret\"}}";
    struct rig *r = *state;
    char before[ETAG_MAX], after[ETAG_MAX];
    rig_provision(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h", first), 200);
    tag_of(r, "/v1/hosts/h", before);
    json_t *shown = json_incref(r->json);
    assert_int_equal(
        rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":{\"secret\":\"another secret\"}}"),
        200);
    assert_true(json_equal(shown, r->json));
    json_decref(shown);
    tag_of(r, "/v1/hosts/h", after);
    assert_string_not_equal(after, before);
}

static void twins_have_different_tags(void **state)
{
    struct rig *r = *state;
    char one[ETAG_MAX], other[ETAG_MAX];
    rig_provision(r);
    tag_of(r, "/v1/volumes/v", one);
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/v?purge=1", NULL), 204);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes",
                              "{\"name\":\"v\",\"pool\":\"p\",\"size\":\"1TiB\"}"),
                     201);
    answer_header(&r->answer, "ETag", other, sizeof(other));
    assert_string_not_equal(one, other);
}

static void a_head_request_tells_the_tag(void **state)
{
    struct rig *r = *state;
    char tag[ETAG_MAX], got[ETAG_MAX];
    rig_provision(r);
    tag_of(r, "/v1/volumes/v", tag);
    assert_int_equal(rig_call(r, "HEAD", "/v1/volumes/v", NULL), 200);
    assert_string_equal(answer_header(&r->answer, "ETag", got, sizeof(got)), tag);
}

static void lists_of_tags_are_read(void **state)
{
    static const struct {
        const char *header;
        bool strong, weak;
    } cases[] = {
        {"\"a\"", true, true},
        {"*", true, true},
        {" \"b\" , \"a\"", true, true},
        {"W/\"a\"", false, true},
        {"\"b\",W/\"a\"", false, true},
        {"\"b\"", false, false},
        {"", false, false},
        {",,", false, false},
        {"\"x,\\\"a\\\"\"", false, false},
        {"a", false, false},
        {"\"a", false, false},
        {"W/", false, false},
        {"\"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(etag_is_named(cases[i].header, "\"a\"", false), cases[i].strong);
        assert_int_equal(etag_is_named(cases[i].header, "\"a\"", true), cases[i].weak);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_those_of_the_document),
        cmocka_unit_test(what_lists_and_shows_has_a_resource),
        WITH_RIG(a_tag_changes_with_what_a_client_sets_and_no_more),
        WITH_RIG(a_tag_changes_with_a_secret_that_is_not_shown),
        WITH_RIG(twins_have_different_tags),
        WITH_RIG(a_head_request_tells_the_tag),
        cmocka_unit_test(lists_of_tags_are_read),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
