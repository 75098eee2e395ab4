/* SPDX-License-Identifier: Apache-2.0 */
/* The judge must be able to refuse: each keyword that it knows with a value that it
 * allows and one that it does not. */
#include "base/auto.h"
#include "cm.h"
#include "document.h"

#include <stdio.h>
#include <string.h>

static json_t *read_json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static bool allows(const char *schema_text, const char *value_text)
{
    char why[WHY_MAX];
    json_t *document = read_json("{\"s\":{\"type\":\"string\"}}");
    json_t *schema = read_json(schema_text), *value = read_json(value_text);
    bool allowed = document_allows(document, schema, value, why);
    json_decref(value);
    json_decref(schema);
    json_decref(document);
    return allowed;
}

static void each_keyword_allows_and_refuses(void **state)
{
    static const struct {
        const char *schema, *good, *bad;
    } cases[] = {
        {"{\"type\":\"integer\"}", "1", "1.5"},
        {"{\"type\":[\"string\",\"null\"]}", "null", "true"},
        {"{\"$ref\":\"#/s\"}", "\"x\"", "1"},
        {"{\"enum\":[\"a\",null]}", "null", "\"b\""},
        {"{\"pattern\":\"^a+$\"}", "\"aa\"", "\"ab\""},
        {"{\"required\":[\"a\"]}", "{\"a\":1}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"b\":1}", "{\"a\":1}"},
        {"{\"properties\":{},\"additionalProperties\":false}", "{}", "{\"a\":1}"},
        {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a\":null}", "{\"a\":1}"},
        {"{\"propertyNames\":{\"pattern\":\"^a\"}}", "{\"ab\":1}", "{\"b\":1}"},
        {"{\"maxProperties\":1}", "{\"a\":1}", "{\"a\":1,\"b\":1}"},
        {"{\"items\":{\"type\":\"null\"}}", "[null]", "[null,1]"},
        {"{\"minItems\":1}", "[1]", "[]"},
        {"{\"maxItems\":1}", "[1]", "[1,1]"},
        {"{\"uniqueItems\":true}", "[1,2]", "[1,2,1]"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":3,\"type\":\"integer\"}]}", "3",
         "2"},
        {"{\"minimum\":3}", "3", "2"},
        {"{\"maximum\":3}", "3", "4"},
        {"{\"minLength\":2}", "\"xy\"", "\"\u00e4\""},
        {"{\"maxLength\":2}", "\"\u00e4\u00e4\"", "\"xyz\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (!allows(cases[i].schema, cases[i].good))
            fail_msg("%s refuses %s", cases[i].schema, cases[i].good);
        if (allows(cases[i].schema, cases[i].bad))
            fail_msg("%s allows %s", cases[i].schema, cases[i].bad);
    }
}

/* JSON Schema: a bound says nothing of a value of another type. */
static void bounds_are_of_their_types(void **state)
{
    static const char *const schemas[] = {
        "{\"minimum\":9}",     "{\"maximum\":-9}",       "{\"minLength\":9}",
        "{\"maxLength\":0}",   "{\"minItems\":9}",       "{\"maxItems\":0}",
        "{\"pattern\":\"x\"}", "{\"required\":[\"x\"]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++)
        assert_true(allows(schemas[i], "true"));
}

static void unknown_keyword_is_not_passed_over(void **state)
{
    (void)state;
    assert_false(allows("{\"multipleOf\":2}", "2"));
}

static bool covers(const char *head, const char *body)
{
    static struct answer a;
    char why[WHY_MAX];
    json_t *document = json_object();
    json_t *operation = read_json(
        "{\"responses\":{\"201\":{"
        "\"headers\":{\"X-N\":{\"schema\":{\"type\":\"integer\",\"maximum\":5}}},"
        "\"content\":{\"application/json\":{\"schema\":{\"type\":\"array\"}}}}}}");
    a = (struct answer){.status = 201, .body_bytes = strlen(body)};
    snprintf(a.head, sizeof(a.head), "HTTP/1.1 201 Created\r\n%s\r\n", head);
    snprintf(a.body, sizeof(a.body), "%s", body);
    bool covered = document_covers(document, operation, &a, why);
    json_decref(operation);
    json_decref(document);
    return covered;
}

static void answers_are_judged_by_head_and_body(void **state)
{
#define JSON_TYPE "Content-Type: application/json\r\n"
    (void)state;
    assert_true(covers(JSON_TYPE "X-N: 5\r\n", "[]"));
    assert_false(covers(JSON_TYPE, "[]"));
    assert_false(covers(JSON_TYPE "X-N: 6\r\n", "[]"));
    assert_false(covers(JSON_TYPE "X-N: five\r\n", "[]"));
    assert_false(covers("Content-Type: text/plain\r\nX-N: 5\r\n", "[]"));
    assert_false(covers(JSON_TYPE "X-N: 5\r\n", "{}"));
    assert_false(covers(JSON_TYPE "X-N: 5\r\n", "["));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keyword_allows_and_refuses),
        cmocka_unit_test(bounds_are_of_their_types),
        cmocka_unit_test(unknown_keyword_is_not_passed_over),
        cmocka_unit_test(answers_are_judged_by_head_and_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
