/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, escapes and queries from strangers. */
#include "web/path.h"

#include "cm.h"

#include <string.h>

static void templates_match_by_segments(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"/v1", "/v1", true},
        {"/v1", "/v1/", false},
        {"/v1", "/v", false},
        {"/v1", "/v11", false},
        {"/v1", "", false},
        {"/v1", "*", false},
        {"/v1/pools/{pool}", "/v1/pools/a", true},
        {"/v1/pools/{pool}", "/v1/pools/", false},
        {"/v1/pools/{pool}", "/v1/pools", false},
        {"/v1/pools/{pool}", "/v1/pools/a/b", false},
        {"/v1/pools/{pool}", "//v1/pools/a", false},
        {"/v1/pools/{pool}/check", "/v1/pools/a/check", true},
        {"/v1/pools/{pool}/check", "/v1/pools//check", false},
        {"/v1/mappings/{volume}/{host}", "/v1/mappings/v/h", true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(path_matches(cases[i].pattern, cases[i].path), cases[i].match);
}

static void params_are_decoded(void **state)
{
    char params[WEB_PARAMS_MAX][WEB_PARAM_MAX];
    struct problem p = {0};
    (void)state;
    assert_true(path_params("/m/{volume}/{host}", "/m/%77eb%2e1/h", params, &p));
    assert_string_equal(params[0], "web.1");
    assert_string_equal(params[1], "h");
}

static void numbers_are_ids(void **state)
{
    static const char *const bad[] = {"", "1x", "-1", " 1", "12345678901234567890"};
    uint64_t number = 7;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(path_number(bad[i], &number));
    assert_int_equal(number, 7);
    assert_true(path_number("9999999999999999999", &number));
    assert_int_equal(number, 9999999999999999999U);
}

static void bad_params_are_named(void **state)
{
    static const char *const cases[] = {
        "/m/v/%",
        "/m/v/%4",
        "/m/v/%4x",
        "/m/v/%00",
        "/m/v/a%2fb",
        "/m/v/a%0ab",
        "/m/v/\x80",
        "/m/v/%c3%a4",
        "/m/v/a%7f",
        "/m/v/0123456789012345678901234567890123456789012345678901234567890123",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char params[WEB_PARAMS_MAX][WEB_PARAM_MAX];
        struct problem p = {0};
        if (path_params("/m/{volume}/{host}", cases[i], params, &p))
            fail_msg("taken: %s", cases[i]);
        assert_string_equal(p.parameter, "host");
        assert_int_equal(problem_status(p.kind), 400);
    }
}

static void longest_param_fits(void **state)
{
    char path[WEB_PARAM_MAX + 8] = "/m/";
    char params[WEB_PARAMS_MAX][WEB_PARAM_MAX];
    struct problem p = {0};
    (void)state;
    memset(path + 3, 'a', WEB_PARAM_MAX - 1);
    assert_true(path_params("/m/{x}", path, params, &p));
    assert_int_equal(strlen(params[0]), WEB_PARAM_MAX - 1);
}

static void queries_are_read(void **state)
{
    struct query q;
    struct problem p = {0};
    (void)state;
    assert_true(query_read(NULL, QUERY_LIST, &q, &p));
    assert_int_equal(q.limit, WEB_LIST_LIMIT_DEFAULT);
    assert_string_equal(q.after, "");
    assert_true(query_read("", QUERY_NONE, &q, &p));
    assert_true(query_read("after=a%2cb&limit=7&", QUERY_LIST, &q, &p));
    assert_int_equal(q.limit, 7);
    assert_string_equal(q.after, "a,b");
    assert_true(query_read("limit=1000", QUERY_LIST, &q, &p));
    assert_true(query_read("volume=web%2e1&limit=2", QUERY_LIST | QUERY_VOLUME, &q, &p));
    assert_string_equal(q.volume, "web.1");
    assert_true(query_read("purge=1", QUERY_PURGE, &q, &p));
    assert_true(q.purge);
    assert_true(query_read("purge=0", QUERY_PURGE, &q, &p));
    assert_false(q.purge);
}

static void what_a_query_takes_is_told_by_name(void **state)
{
    char names[WEB_PROBLEM_ACCEPT_MAX];
    (void)state;
    query_names(QUERY_NONE, names, sizeof(names));
    assert_string_equal(names, "none");
    query_names(QUERY_LIST | QUERY_VOLUME, names, sizeof(names));
    assert_string_equal(names, "limit, after, filter, sort, fields, volume");
}

static void bad_queries_name_the_parameter(void **state)
{
    static const struct {
        const char *query, *parameter;
        enum query_take takes;
    } cases[] = {
        {"limit=0", "limit", QUERY_LIST},
        {"limit=1001", "limit", QUERY_LIST},
        {"limit=", "limit", QUERY_LIST},
        {"limit", "limit", QUERY_LIST},
        {"limit=-1", "limit", QUERY_LIST},
        {"limit=1x", "limit", QUERY_LIST},
        {"limit=99999999999999999999", "limit", QUERY_LIST},
        {"limit=1&limit=1", "limit", QUERY_LIST},
        {"after=a&after=a", "after", QUERY_LIST},
        {"after=%zz", "after", QUERY_LIST},
        {"nonsense=1", "nonsense", QUERY_LIST},
        {"limit=1", "limit", QUERY_NONE},
        {"%ff=1", "", QUERY_LIST},
        {"volume=v", "volume", QUERY_LIST},
        {"volume=", "volume", QUERY_VOLUME},
        {"volume=0123456789012345678901234567890123456789012345678901234567890123",
         "volume", QUERY_VOLUME},
        {"purge=1", "purge", QUERY_LIST},
        {"purge=yes", "purge", QUERY_PURGE},
        {"purge", "purge", QUERY_PURGE},
        {"purge=1&purge=1", "purge", QUERY_PURGE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q;
        struct problem p = {0};
        if (query_read(cases[i].query, cases[i].takes, &q, &p))
            fail_msg("taken: %s", cases[i].query);
        assert_string_equal(p.parameter, cases[i].parameter);
        assert_string_equal(problem_type(p.kind), "/problems/bad-parameter");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_match_by_segments),
        cmocka_unit_test(params_are_decoded),
        cmocka_unit_test(numbers_are_ids),
        cmocka_unit_test(bad_params_are_named),
        cmocka_unit_test(longest_param_fits),
        cmocka_unit_test(queries_are_read),
        cmocka_unit_test(what_a_query_takes_is_told_by_name),
        cmocka_unit_test(bad_queries_name_the_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
