/* SPDX-License-Identifier: Apache-2.0 */
/* A request from a stranger: its body read by every typed read, its path and query
 * decoded. Holds: a refusal always has a problem of status 4xx that can be told as JSON,
 * and what is taken is within its bounds. */
#include "web/json_in.h"
#include "web/path.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct schema outer = {"Outer",
                                    {"name", "pool", "size", "lun", "flag", "list"}};
static const struct schema inner = {"Inner", {"path", "size"}};

static void check_problem(const struct problem *p)
{
    json_t *told = problem_json(p);
    assert(told != NULL);
    assert(problem_status(p->kind) >= 400 && problem_status(p->kind) < 500);
    assert(p->pointer[0] == '\0' || p->pointer[0] == '/');
    json_decref(told);
}

static void read_inner(const json_t *list, struct problem *problem)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct input in;
        input_begin(&in, json_array_get(list, i), "/list/0", &inner, problem);
        const char *path = input_string(&in, "path", INPUT_REQUIRED, 100);
        assert(path == NULL || (path[0] != '\0' && strlen(path) <= 100));
        uint64_t size = input_bytes(&in, "size", INPUT_OPTIONAL, 4096, 1 << 30, 4096);
        assert(size >= 4096 && size <= 1 << 30);
    }
}

static void read_body(const char *text, size_t length)
{
    struct problem problem = {0};
    struct input in;
    json_t *body = input_parse(text, length, &problem);
    assert((body == NULL) == (problem.kind != PROBLEM_NONE));
    if (body != NULL) {
        input_begin(&in, body, "", &outer, &problem);
        const char *name = input_name(&in, "name", INPUT_REQUIRED);
        const char *pool = input_reference(&in, "pool", INPUT_REQUIRED);
        assert(name == NULL || (name_is_valid(name) && !text_is_uuid(name)));
        assert(pool == NULL || name_is_valid(pool));
        (void)input_bytes(&in, "size", INPUT_REQUIRED, 0, UINT64_MAX, 0);
        assert(input_uint(&in, "lun", INPUT_OPTIONAL, 0, 16383, 0) <= 16383);
        (void)input_bool(&in, "flag", false);
        const json_t *list = input_array(&in, "list", 0, 4);
        assert(json_array_size(list) <= 4);
        read_inner(list, &problem);
    }
    if (problem.kind != PROBLEM_NONE)
        check_problem(&problem);
    json_decref(body);
}

static void read_path(const char *text)
{
    static const char *const patterns[] = {"/v1/{a}", "/v1/{a}/{b}", "/v1/{a}/check"};
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        char params[WEB_PARAMS_MAX][WEB_PARAM_MAX];
        struct problem problem = {0};
        if (!path_matches(patterns[i], text))
            continue;
        if (path_params(patterns[i], text, params, &problem))
            assert(strlen(params[0]) < WEB_PARAM_MAX && strchr(params[0], '/') == NULL);
        else
            check_problem(&problem);
    }
}

static void read_query(const char *text)
{
    struct query query;
    struct problem problem = {0};
    if (query_read(text, QUERY_LIST | QUERY_VOLUME | QUERY_PURGE, &query, &problem))
        assert(query.limit >= 1 && query.limit <= WEB_LIST_LIMIT_MAX);
    else
        check_problem(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (size > 0 && text[0] == '/')
        read_path(text);
    else if (size > 0 && text[0] == '?')
        read_query(text + 1);
    else
        read_body(text, size);
    free(text);
    return 0;
}
