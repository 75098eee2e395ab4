/* SPDX-License-Identifier: Apache-2.0 */
/* The document's examples: every body, of requests and of answers, has one; each is as
 * its schema says; each request works on a server, and its answer is as documented. */
#include "cm.h"
#include "own_document.h"
#include "rig.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct operation operations[OPERATIONS_MAX];
static size_t operation_count;

static int load(void **state)
{
    if (document_setup(state) != 0)
        return -1;
    operation_count = operations_list(document, operations);
    return 0;
}

/* ---- On paper ---------------------------------------------------------------------- */

static void check_media(const struct operation *op, const char *where,
                        const json_t *media)
{
    char why[WHY_MAX];
    const json_t *example;
    if (media_example(document, media, 0) == NULL)
        fail_msg("%s: %s has no example", op->id, where);
    for (size_t i = 0; (example = media_example(document, media, i)) != NULL; i++) {
        if (!document_allows(document, json_object_get(media, "schema"), example, why))
            fail_msg("%s: %s: example %zu: %s", op->id, where, i, why);
    }
}

static void check_content(const struct operation *op, const char *where,
                          const json_t *holder)
{
    const char *type;
    json_t *media;
    json_object_foreach(json_object_get(document_resolve(document, holder), "content"),
                        type, media)
    {
        check_media(op, where, media);
    }
}

static void every_body_has_an_example_that_is_as_its_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *op = &operations[i];
        const char *status;
        json_t *response, *body = json_object_get(op->json, "requestBody");
        if (body != NULL)
            check_content(op, "the request", body);
        json_object_foreach(json_object_get(op->json, "responses"), status, response)
        {
            check_content(op, status, response);
        }
    }
}

/* A problem's example says the status that it is shown for. */
static void examples_of_problems_have_their_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < operation_count; i++) {
        const char *status;
        json_t *response;
        json_object_foreach(json_object_get(operations[i].json, "responses"), status,
                            response)
        {
            const json_t *media = json_object_get(
                json_object_get(document_resolve(document, response), "content"),
                "application/problem+json");
            if (media != NULL)
                assert_int_equal(json_integer_value(json_object_get(
                                     media_example(document, media, 0), "status")),
                                 strtol(status, NULL, 10));
        }
    }
}

static void every_path_parameter_has_an_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < operation_count; i++) {
        const json_t *p;
        for (size_t n = 0; (p = operation_parameter(document, &operations[i], n)) != NULL;
             n++) {
            const json_t *example = json_object_get(p, "example");
            char why[WHY_MAX];
            if (strcmp(json_string_value(json_object_get(p, "in")), "path") != 0)
                continue;
            if (!json_is_string(example) ||
                !document_allows(document, json_object_get(p, "schema"), example, why))
                fail_msg("%s: %s", operations[i].id,
                         json_string_value(json_object_get(p, "name")));
        }
    }
}

/* ---- On a server ------------------------------------------------------------------- */

static void every_request_example_works(void **state)
{
    static struct client client;
    static struct world w;
    struct rig *r = *state;
    fake_target_add_session(r->target, 7, "iqn.2024-01.com.example:h", "h");
    assert_int_equal(client_open_unix(&client, r->socket, rig_pump, r), 0);
    w.document = document;
    w.client = &client;
    w.dir = "/srv/other";
    if (!world_open(&w) || !world_build(&w) || !world_show(&w) || !world_change(&w) ||
        !world_sent_all(&w))
        fail_msg("%s", w.why);
    world_close(&w);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_body_has_an_example_that_is_as_its_schema),
        cmocka_unit_test(examples_of_problems_have_their_status),
        cmocka_unit_test(every_path_parameter_has_an_example),
        WITH_RIG(every_request_example_works),
    };
    return cmocka_run_group_tests(tests, load, document_teardown);
}
