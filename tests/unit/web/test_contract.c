/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document against the server, both ways: routes, parameters, bodies,
 * security, and for every operation each documented status provoked and its answer held
 * against the schema. */
#include "cm.h"
#include "document.h"
#include "operations.h"
#include "own_document.h"
#include "rig.h"
#include "walk.h"
#include "web/api.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

/* ---- The document against the table ------------------------------------------------ */

static void every_route_is_documented_and_no_more(void **state)
{
    size_t count;
    const struct route *table = router_table(&count);
    static struct operation list[OPERATIONS_MAX];
    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (document_operation(document, table[i].path,
                               router_method_name(table[i].method)) == NULL)
            fail_msg("not documented: %s %s", router_method_name(table[i].method),
                     table[i].path);
    }
    assert_int_equal(operations_list(document, list), count);
}

static const char *schema_name(const json_t *content_holder)
{
    const json_t *schema = json_object_get(
        json_object_get(json_object_get(content_holder, "content"), "application/json"),
        "schema");
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    return ref == NULL ? "" : strrchr(ref, '/') + 1;
}

static void bodies_have_the_documented_members(void **state)
{
    static const struct schema *const inner[] = {&schema_device_create};
    size_t count;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count + ARRAY_LEN(inner); i++) {
        const struct schema *schema = i < count ? table[i].schema : inner[i - count];
        if (i < count) {
            const json_t *operation = document_operation(
                document, table[i].path, router_method_name(table[i].method));
            assert_string_equal(schema_name(json_object_get(operation, "requestBody")),
                                schema == NULL ? "" : schema->name);
        }
        if (schema == NULL)
            continue;
        const json_t *properties = json_object_get(
            json_object_get(
                json_object_get(json_object_get(document, "components"), "schemas"),
                schema->name),
            "properties");
        size_t members = 0;
        for (; schema->members[members] != NULL; members++)
            assert_non_null(json_object_get(properties, schema->members[members]));
        assert_int_equal(json_object_size(properties), members);
    }
}

/* The named parameters of the operation and its path, of one kind, as "a, b". */
static void list_parameters(const struct operation *op, const char *in, char *out,
                            size_t room)
{
    const json_t *p;
    out[0] = '\0';
    for (size_t i = 0; (p = operation_parameter(document, op, i)) != NULL; i++) {
        if (strcmp(json_string_value(json_object_get(p, "in")), in) == 0)
            snprintf(out + strlen(out), room - strlen(out), "%s%s",
                     out[0] == '\0' ? "" : ", ",
                     json_string_value(json_object_get(p, "name")));
    }
}

static void template_parameters(const char *path, char *out, size_t room)
{
    out[0] = '\0';
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at + 1, '{'))
        snprintf(out + strlen(out), room - strlen(out), "%s%.*s",
                 out[0] == '\0' ? "" : ", ", (int)(strchr(at, '}') - at) - 1, at + 1);
}

static void parameters_are_those_of_the_table(void **state)
{
    size_t count;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char got[128], want[128];
        const struct operation op = {
            .item = json_object_get(json_object_get(document, "paths"), table[i].path),
            .json = document_operation(document, table[i].path,
                                       router_method_name(table[i].method)),
        };
        list_parameters(&op, "query", got, sizeof(got));
        query_names(router_query(&table[i]), want, sizeof(want));
        assert_string_equal(got[0] == '\0' ? "none" : got, want);
        list_parameters(&op, "path", got, sizeof(got));
        template_parameters(table[i].path, want, sizeof(want));
        assert_string_equal(got, want);
    }
}

static void security_is_that_of_the_table(void **state)
{
    size_t count;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const json_t *operation = document_operation(document, table[i].path,
                                                     router_method_name(table[i].method));
        const json_t *security = json_object_get(operation, "security");
        const json_t *responses = json_object_get(operation, "responses");
        bool open = security != NULL && json_array_size(security) == 0;
        assert_int_equal(open, table[i].permit == PERMIT_ANYONE);
        assert_int_equal(open, json_object_get(responses, "401") == NULL);
        assert_int_equal(open, json_object_get(responses, "429") == NULL);
    }
}

static void operation_ids_are_unique(void **state)
{
    json_t *ids = json_object();
    size_t count;
    const struct route *table = router_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(
            json_object_get(document_operation(document, table[i].path,
                                               router_method_name(table[i].method)),
                            "operationId"));
        assert_non_null(id);
        assert_null(json_object_get(ids, id));
        json_object_set_new(ids, id, json_true());
    }
    json_decref(ids);
}

static void check_refs(const json_t *value)
{
    const char *key;
    size_t i;
    json_t *inner;
    assert_non_null(document_resolve(document, value));
    json_object_foreach((json_t *)(uintptr_t)value, key, inner) check_refs(inner);
    json_array_foreach(value, i, inner) check_refs(inner);
}

static void every_reference_leads_somewhere(void **state)
{
    (void)state;
    check_refs(document);
}

static void problem_types_are_all_documented(void **state)
{
    const json_t *types = json_object_get(
        json_object_get(
            json_object_get(
                json_object_get(json_object_get(document, "components"), "schemas"),
                "Problem"),
            "properties"),
        "type");
    const json_t *list = json_object_get(types, "enum");
    (void)state;
    assert_int_equal(json_array_size(list), PROBLEM_KINDS - 1);
    for (int kind = 1; kind < PROBLEM_KINDS; kind++) {
        bool found = false;
        for (size_t i = 0; i < json_array_size(list); i++)
            found |= strcmp(json_string_value(json_array_get(list, i)),
                            problem_type((enum problem_kind)kind)) == 0;
        assert_true(found);
    }
}

static void examples_are_as_their_schemas(void **state)
{
    const char *name;
    json_t *schema, *example;
    char why[WHY_MAX];
    size_t i, count = 0;
    (void)state;
    json_object_foreach(
        json_object_get(json_object_get(document, "components"), "schemas"), name, schema)
    {
        json_array_foreach(json_object_get(schema, "examples"), i, example)
        {
            if (!document_allows(document, schema, example, why))
                fail_msg("%s: %s", name, why);
            count++;
        }
    }
    assert_true(count > 0);
}

/* ---- Answers against the document -------------------------------------------------- */

static void fail_next(void *arg, int code)
{
    fake_fail_next(arg, code, "", "made to fail");
}

static void every_answer_is_documented_and_every_document_answered(void **state)
{
    static struct client local, tcp;
    static struct walk w;
    /* What goes past the manager cannot be made to fail; a request with a key that is
     * under way is test_admit's. */
    static const char *const save[] = {"DELETE /v1/sessions/{session} 409",
                                       "DELETE /v1/sessions/{session} 500", NULL};
    struct rig *r = *state;
    fake_target_add_session(r->target, 7, "iqn.2024-01.com.example:h", "h");
    fake_target_add_session(r->target, 8, "iqn.2024-01.com.example:\xff", "");
    assert_int_equal(client_open_unix(&local, r->socket, rig_pump, r), 0);
    assert_int_equal(client_open_tcp(&tcp, web_tcp_address(r->web), rig_pump, r), 0);
    w.document = document;
    w.local = &local;
    w.tcp = &tcp;
    w.dir = "/srv";
    w.session = "7";
    w.fail_next = fail_next;
    w.arg = r->m;
    bool good = walk_run(&w) && walk_guessing(&w);
    web_drain(r->web);
    if (!good || !walk_draining(&w) || !walk_saw_all(&w, save))
        fail_msg("%s", w.why);
    client_close(&local);
    client_close(&tcp);
}

static void location_leads_to_the_new_resource(void **state)
{
    static const char *const creates[][2] = {
        {"/v1/pools",
         "{\"name\":\"p\",\"devices\":[{\"path\":\"/x\",\"size\":1048576}]}"},
        {"/v1/volumes", "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}"},
        {"/v1/hosts", "{\"name\":\"h\",\"initiators\":[\"any\"]}"},
        {"/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}"},
        {"/v1/snapshots", "{\"volume\":\"v\",\"name\":\"s\"}"},
        {"/v1/snapshot-groups", "{\"volumes\":[\"v\"],\"name\":\"t\"}"},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(creates); i++) {
        char location[160];
        assert_int_equal(rig_call(r, "POST", creates[i][0], creates[i][1]), 201);
        answer_header(&r->answer, "Location", location, sizeof(location));
        json_t *made = json_incref(r->json);
        assert_int_equal(rig_call(r, "GET", location, NULL), 200);
        assert_string_equal(rig_text(r, "id"),
                            json_string_value(json_object_get(made, "id")));
        json_decref(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented_and_no_more),
        cmocka_unit_test(bodies_have_the_documented_members),
        cmocka_unit_test(parameters_are_those_of_the_table),
        cmocka_unit_test(security_is_that_of_the_table),
        cmocka_unit_test(operation_ids_are_unique),
        cmocka_unit_test(every_reference_leads_somewhere),
        cmocka_unit_test(problem_types_are_all_documented),
        cmocka_unit_test(examples_are_as_their_schemas),
        WITH_RIG(every_answer_is_documented_and_every_document_answered),
        WITH_RIG(location_leads_to_the_new_resource),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
