/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reads: what is refused, and that the refusal names the member. */
#include "web/json_in.h"

#include "cm.h"

#include <string.h>

static const struct schema schema = {"Thing", {"name", "size", "flag", "list", "a/b~c"}};

struct thing {
    json_t *body;
    struct problem problem;
    struct input in;
};

static void begin(struct thing *t, const char *text)
{
    memset(t, 0, sizeof(*t));
    t->body = input_parse(text, strlen(text), &t->problem);
    assert_non_null(t->body);
    input_begin(&t->in, t->body, "", &schema, &t->problem);
}

static void end(struct thing *t)
{
    json_decref(t->body);
}

static void parse_refuses_what_is_no_object(void **state)
{
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "7",
        "null",
        "\"x\"",
        "{} x",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\xff\"}",
        "{'a':1}",
        "{\"a\":1e999}",
        "{\"a\":99999999999999999999}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem p = {0};
        json_t *got = input_parse(cases[i], strlen(cases[i]), &p);
        if (got != NULL)
            fail_msg("taken: %s", cases[i]);
        assert_int_equal(problem_status(p.kind), 400);
        assert_string_equal(problem_type(p.kind), "/problems/malformed");
    }
}

/* What is no JSON may have a secret in it all the same. */
static void a_refusal_does_not_repeat_the_body(void **state)
{
    static const char *const cases[] = {
        "{\"a\":\"planted",
        "{\"a\":\"planted\"",
        "{\"a\":planted}",
        "{\"a\":\"p\"} planted",
        "{\"a\":\"planted\xff\"}",
        "{\"a\":\"planted\\u12",
        "{\"planted\":1,\"planted\":2}",
        "{\"a\":\"planted\\u0000\"}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem p = {0};
        assert_null(input_parse(cases[i], strlen(cases[i]), &p));
        assert_non_null(strstr(p.detail, "not JSON: line 1 column "));
        assert_null(strstr(p.detail, "planted"));
    }
}

static void parse_bounds_the_depth(void **state)
{
    char text[2 * (WEB_JSON_DEPTH_MAX + 1) + 16];
    (void)state;
    for (int depth = WEB_JSON_DEPTH_MAX; depth <= WEB_JSON_DEPTH_MAX + 1; depth++) {
        struct problem p = {0};
        size_t at = 0;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "{\"a\":");
        for (int i = 1; i < depth; i++)
            text[at++] = '[';
        for (int i = 1; i < depth; i++)
            text[at++] = ']';
        text[at++] = '}';
        json_t *got = input_parse(text, at, &p);
        assert_int_equal(got != NULL, depth == WEB_JSON_DEPTH_MAX);
        json_decref(got);
    }
}

static void brackets_in_strings_are_not_depth(void **state)
{
    struct problem p = {0};
    const char *text = "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}";
    (void)state;
    json_t *got = input_parse(text, strlen(text), &p);
    assert_non_null(got);
    json_decref(got);
}

static void unknown_member_is_named_with_the_known_ones(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{\"name\":\"x\",\"seize\":1}");
    assert_false(input_good(&t.in));
    assert_string_equal(problem_type(t.problem.kind), "/problems/unknown-member");
    assert_string_equal(t.problem.pointer, "/seize");
    assert_string_equal(t.problem.accepted, "name, size, flag, list, a/b~c");
    end(&t);
}

static void pointer_escapes_slash_and_tilde(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{\"a/b~c\":7}");
    assert_null(input_string(&t.in, "a/b~c", INPUT_REQUIRED, 10));
    assert_string_equal(t.problem.pointer, "/a~1b~0c");
    end(&t);
}

static void first_problem_sticks_and_reads_go_on(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{\"flag\":7}");
    assert_false(input_bool(&t.in, "flag", false));
    assert_null(input_name(&t.in, "name", INPUT_REQUIRED));
    assert_int_equal(input_bytes(&t.in, "size", INPUT_REQUIRED, 0, 10, 3), 3);
    assert_string_equal(t.problem.pointer, "/flag");
    end(&t);
}

static void missing_member_is_named(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{}");
    assert_null(input_name(&t.in, "name", INPUT_REQUIRED));
    assert_string_equal(problem_type(t.problem.kind), "/problems/missing-member");
    assert_string_equal(t.problem.pointer, "/name");
    end(&t);
}

static void names_are_held_to_their_pattern(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"web01", true},
        {"A.b_c-9", true},
        {"", false},
        {"-a", false},
        {".a", false},
        {"a b", false},
        {"a/b", false},
        {"\xc3\xa4", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(name_is_valid(cases[i].text), cases[i].good);
}

static void name_in_the_form_of_an_id_is_only_a_reference(void **state)
{
    static const char text[] = "{\"name\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"}";
    struct thing t;
    (void)state;
    begin(&t, text);
    assert_non_null(input_reference(&t.in, "name", INPUT_REQUIRED));
    assert_null(input_name(&t.in, "name", INPUT_REQUIRED));
    assert_string_equal(t.problem.pointer, "/name");
    end(&t);
}

static void sizes_are_integers_or_carry_a_unit(void **state)
{
    static const struct {
        const char *json;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {"1", 1},
        {"4096", 4096},
        {"\"1B\"", 1},
        {"\"3KiB\"", 3072},
        {"\"3KB\"", 3000},
        {"\"2MiB\"", 2097152},
        {"\"2MB\"", 2000000},
        {"\"100GiB\"", 107374182400},
        {"\"1GB\"", 1000000000},
        {"\"16TiB\"", 17592186044416},
        {"\"1TB\"", 1000000000000},
        {"\"8388607TiB\"", 8388607ULL << 40},
        {"\"16777216TiB\"", 0}, /* 2^64 */
        {"\"99999999999999999999B\"", 0},
        {"-1", 0},
        {"1.5", 0},
        {"1e40", 0},
        {"true", 0},
        {"null", 0},
        {"\"\"", 0},
        {"\"GiB\"", 0},
        {"\"100\"", 0},
        {"\"100 GiB\"", 0},
        {"\"100gib\"", 0},
        {"\"1.5GiB\"", 0},
        {"\"-1GiB\"", 0},
        {"\"0x10B\"", 0},
        {"\"12 parsecs\"", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct thing t;
        char text[64];
        snprintf(text, sizeof(text), "{\"size\":%s}", cases[i].json);
        begin(&t, text);
        uint64_t got = input_bytes(&t.in, "size", INPUT_REQUIRED, 1, UINT64_MAX, 0);
        if (got != cases[i].bytes || input_good(&t.in) != (cases[i].bytes != 0))
            fail_msg("%s: %llu", cases[i].json, (unsigned long long)got);
        if (cases[i].bytes == 0)
            assert_string_equal(t.problem.pointer, "/size");
        end(&t);
    }
}

static void ranges_are_told(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{\"size\":11}");
    assert_int_equal(input_uint(&t.in, "size", INPUT_REQUIRED, 5, 10, 7), 7);
    assert_string_equal(t.problem.accepted, "an integer from 5 to 10");
    end(&t);
    begin(&t, "{\"size\":\"1KiB\"}");
    assert_int_equal(input_bytes(&t.in, "size", INPUT_REQUIRED, 5, 10, 7), 7);
    assert_string_equal(t.problem.accepted, "5 to 10 bytes");
    end(&t);
}

static void absent_optionals_are_their_fallbacks(void **state)
{
    struct thing t;
    (void)state;
    begin(&t, "{}");
    assert_int_equal(input_uint(&t.in, "size", INPUT_OPTIONAL, 5, 10, 7), 7);
    assert_int_equal(input_bytes(&t.in, "size", INPUT_OPTIONAL, 5, 10, 9), 9);
    assert_true(input_bool(&t.in, "flag", true));
    assert_null(input_string(&t.in, "name", INPUT_OPTIONAL, 9));
    assert_true(input_good(&t.in));
    end(&t);
}

static void strings_are_bounded_and_plain(void **state)
{
    static const char *const cases[] = {"{\"name\":\"\"}", "{\"name\":\"0123456789\"}",
                                        "{\"name\":\"a\\nb\"}", "{\"name\":\"\\u007f\"}",
                                        "{\"name\":[]}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct thing t;
        begin(&t, cases[i]);
        assert_null(input_string(&t.in, "name", INPUT_OPTIONAL, 9));
        assert_int_equal(problem_status(t.problem.kind), 422);
        end(&t);
    }
}

static void arrays_are_counted(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"{\"list\":[]}", false},
        {"{\"list\":[1]}", true},
        {"{\"list\":[1,2]}", true},
        {"{\"list\":[1,2,3]}", false},
        {"{\"list\":{}}", false},
        {"{\"list\":1}", false},
        {"{}", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct thing t;
        begin(&t, cases[i].text);
        assert_int_equal(input_array(&t.in, "list", 1, 2) != NULL, cases[i].good);
        assert_int_equal(input_good(&t.in), cases[i].good);
        end(&t);
    }
}

static void a_snapshot_is_named_with_its_volume_or_by_an_id(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"{\"name\":\"web01/monday\"}", true},
        {"{\"name\":\"monday\"}", true},
        {"{\"name\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"}", true},
        {"{\"name\":\"web01/\"}", false},
        {"{\"name\":\"/monday\"}", false},
        {"{\"name\":\"a/b/c\"}", false},
        {"{\"name\":\"a/-\"}", false},
        {"{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"
         "b\"}",
         false},
        {"{\"name\":7}", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct thing t;
        begin(&t, cases[i].text);
        assert_int_equal(input_snapshot(&t.in, "name", INPUT_REQUIRED) != NULL,
                         cases[i].good);
        assert_int_equal(input_good(&t.in), cases[i].good);
        end(&t);
    }
}

static void an_absent_flag_is_none_and_not_false(void **state)
{
    struct thing t;
    bool room = true;
    (void)state;
    begin(&t, "{}");
    assert_null(input_flag(&t.in, "flag", &room));
    assert_true(input_good(&t.in));
    end(&t);
    begin(&t, "{\"flag\":false}");
    assert_ptr_equal(input_flag(&t.in, "flag", &room), &room);
    assert_false(room);
    end(&t);
    begin(&t, "{\"flag\":0}");
    assert_null(input_flag(&t.in, "flag", &room));
    assert_string_equal(t.problem.pointer, "/flag");
    end(&t);
}

static void a_field_leads_into_a_member_or_not(void **state)
{
    (void)state;
    assert_true(schema_has_field(&schema, "name"));
    assert_true(schema_has_field(&schema, "list/3/name"));
    assert_false(schema_has_field(&schema, "na"));
    assert_false(schema_has_field(&schema, "names"));
    assert_false(schema_has_field(&schema, ""));
}

static void inner_objects_are_pointed_into(void **state)
{
    struct problem problem = {0};
    struct input in;
    json_t *value = json_loads("{\"name\":7}", 0, NULL);
    (void)state;
    input_begin(&in, value, "/list/3", &schema, &problem);
    assert_null(input_name(&in, "name", INPUT_REQUIRED));
    assert_string_equal(problem.pointer, "/list/3/name");
    json_decref(value);
    problem = (struct problem){0};
    value = json_integer(7);
    input_begin(&in, value, "/list/3", &schema, &problem);
    assert_false(input_good(&in));
    assert_string_equal(problem.pointer, "/list/3");
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_refuses_what_is_no_object),
        cmocka_unit_test(a_refusal_does_not_repeat_the_body),
        cmocka_unit_test(parse_bounds_the_depth),
        cmocka_unit_test(brackets_in_strings_are_not_depth),
        cmocka_unit_test(unknown_member_is_named_with_the_known_ones),
        cmocka_unit_test(pointer_escapes_slash_and_tilde),
        cmocka_unit_test(first_problem_sticks_and_reads_go_on),
        cmocka_unit_test(missing_member_is_named),
        cmocka_unit_test(names_are_held_to_their_pattern),
        cmocka_unit_test(name_in_the_form_of_an_id_is_only_a_reference),
        cmocka_unit_test(sizes_are_integers_or_carry_a_unit),
        cmocka_unit_test(ranges_are_told),
        cmocka_unit_test(absent_optionals_are_their_fallbacks),
        cmocka_unit_test(strings_are_bounded_and_plain),
        cmocka_unit_test(arrays_are_counted),
        cmocka_unit_test(a_snapshot_is_named_with_its_volume_or_by_an_id),
        cmocka_unit_test(an_absent_flag_is_none_and_not_false),
        cmocka_unit_test(a_field_leads_into_a_member_or_not),
        cmocka_unit_test(inner_objects_are_pointed_into),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
