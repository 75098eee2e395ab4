/* SPDX-License-Identifier: Apache-2.0 */
/* How errors of the floors below become statuses and pointers. */
#include "web/problem.h"

#include "cm.h"

#include <errno.h>
#include <string.h>

static void errno_becomes_a_status(void **state)
{
    static const struct {
        int code;
        const char *field;
        bool names_member;
        int status;
        const char *pointer;
    } cases[] = {
        {-EEXIST, "name", true, 409, "/name"},
        {-EBUSY, "", false, 409, ""},
        {-ENOSPC, "devices/0/path", true, 409, "/devices/0/path"},
        {-ENOENT, "pool", true, 422, "/pool"},
        {-ENOENT, "", false, 404, ""},
        {-ENOENT, "pool", false, 404, ""},
        {-EINVAL, "size", true, 422, "/size"},
        {-EACCES, "devices/0/path", true, 422, "/devices/0/path"},
        {-EIO, "", false, 500, ""},
        {-ENOMEM, "", false, 503, ""},
        {-ESHUTDOWN, "", false, 503, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem p = {0};
        struct err e = {0};
        err_set(&e, cases[i].code, cases[i].field, "why");
        problem_of_err(&p, &e, cases[i].names_member);
        assert_int_equal(problem_status(p.kind), cases[i].status);
        assert_string_equal(p.pointer, cases[i].pointer);
        assert_string_equal(p.detail, "why");
    }
}

static void every_type_is_its_own(void **state)
{
    (void)state;
    for (int a = PROBLEM_NONE; a < PROBLEM_KINDS; a++) {
        assert_non_null(problem_type((enum problem_kind)a));
        for (int b = a + 1; b < PROBLEM_KINDS; b++)
            assert_string_not_equal(problem_type((enum problem_kind)a),
                                    problem_type((enum problem_kind)b));
    }
}

static void json_has_what_is_known_and_no_more(void **state)
{
    struct problem p = {0};
    (void)state;
    problem_set(&p, PROBLEM_VALUE, "size is %s", "odd");
    json_t *bare = problem_json(&p);
    assert_int_equal(json_object_size(bare), 4);
    assert_string_equal(json_string_value(json_object_get(bare, "detail")),
                        "size is odd");
    json_decref(bare);
    snprintf(p.pointer, sizeof(p.pointer), "/size");
    problem_accepts(&p, "even ones");
    json_t *full = problem_json(&p);
    assert_string_equal(json_string_value(json_object_get(full, "pointer")), "/size");
    assert_string_equal(json_string_value(json_object_get(full, "accepted")),
                        "even ones");
    json_decref(full);
}

static void text_that_is_not_utf8_still_answers(void **state)
{
    struct problem p = {0};
    (void)state;
    problem_set(&p, PROBLEM_VALUE, "\xff\xfe");
    json_t *out = problem_json(&p);
    assert_non_null(out);
    json_decref(out);
}

static void text_that_was_cut_ends_with_a_whole_character(void **state)
{
    static const struct {
        const char *pointer, *shown;
    } cases[] = {
        {"/x\xc3", "/x"},
        {"/x\xe2\x82", "/x"},
        {"/x\xf0\x9f\x98", "/x"},
        {"/\xc3\xa4", "/\xc3\xa4"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problem p = {0};
        problem_set(&p, PROBLEM_UNKNOWN_MEMBER, "why");
        snprintf(p.pointer, sizeof(p.pointer), "%s", cases[i].pointer);
        json_t *out = problem_json(&p);
        assert_string_equal(json_string_value(json_object_get(out, "pointer")),
                            cases[i].shown);
        json_decref(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errno_becomes_a_status),
        cmocka_unit_test(every_type_is_its_own),
        cmocka_unit_test(json_has_what_is_known_and_no_more),
        cmocka_unit_test(text_that_is_not_utf8_still_answers),
        cmocka_unit_test(text_that_was_cut_ends_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
