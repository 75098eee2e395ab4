/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials and refused logins by the API: what is taken, what is refused and by which
 * pointer, and that no secret comes out again. */
#include "cm.h"
#include "rig.h"

#include <string.h>

#define SECRET "initiator-secret"
#define MUTUAL "target-secret-1"
#define CREDENTIALS                                                                      \
    "{\"method\":\"chap\",\"user\":\"hv1\",\"secret\":\"" SECRET "\","                   \
    "\"mutual_user\":\"box\",\"mutual_secret\":\"" MUTUAL "\"}"

static void assert_no_secret(const struct rig *r)
{
    assert_null(strstr(r->answer.body, SECRET));
    assert_null(strstr(r->answer.body, MUTUAL));
}

static void secrets_go_in_and_never_out(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":" CREDENTIALS "}"),
                     200);
    assert_no_secret(r);
    assert_string_equal(rig_text(r, "auth/user"), "hv1");
    assert_true(json_is_true(rig_get(r, "auth/has_secret")));
    assert_true(json_is_true(rig_get(r, "auth/has_mutual_secret")));
    assert_int_equal(rig_call(r, "GET", "/v1/hosts", NULL), 200);
    assert_no_secret(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/auth", "{\"discovery\":" CREDENTIALS "}"),
                     200);
    assert_no_secret(r);
    assert_int_equal(rig_call(r, "GET", "/v1/auth", NULL), 200);
    assert_no_secret(r);
    assert_string_equal(rig_text(r, "discovery/mutual_user"), "box");
}

/* It is overwritten where the body has it, and the body goes with the answer. */
static void secret_of_a_refused_change_is_forgotten_before_the_answer(void **state)
{
    static const char *const requests[][3] = {
        {"POST", "/v1/hosts",
         "{\"name\":\"x\",\"initiators\":[\"any\"],\"addresses\":7,"
         "\"auth\":" CREDENTIALS "}"},
        {"PATCH", "/v1/hosts/h", "{\"addresses\":7,\"auth\":" CREDENTIALS "}"},
        {"PATCH", "/v1/auth", "{\"forbid_md5\":7,\"discovery\":" CREDENTIALS "}"},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        assert_int_equal(rig_call(r, requests[i][0], requests[i][1], requests[i][2]),
                         422);
        assert_no_secret(r);
    }
}

static void what_is_not_named_stays(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":" CREDENTIALS "}");
    assert_int_equal(
        rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":{\"forbid_md5\":true}}"), 200);
    assert_string_equal(rig_text(r, "auth/method"), "chap");
    assert_true(json_is_true(rig_get(r, "auth/forbid_md5")));
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h", "{\"name\":\"g\"}"), 200);
    assert_string_equal(rig_text(r, "auth/user"), "hv1");
    assert_string_equal(rig_text(r, "initiators/0"), "iqn.2024-01.com.example:h");
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/g",
                              "{\"initiators\":[\"iqn.2024-01.com.example:g\"],"
                              "\"auth\":{\"method\":\"none\"}}"),
                     200);
    assert_string_equal(rig_text(r, "auth/method"), "none");
    assert_true(json_is_false(rig_get(r, "auth/has_secret")));
    assert_string_equal(rig_text(r, "initiators/0"), "iqn.2024-01.com.example:g");
}

static void changes_are_read_strictly(void **state)
{
    static const struct {
        const char *path, *body, *pointer;
    } cases[] = {
        {"/v1/hosts/h", "{\"auth\":[]}", "/auth"},
        {"/v1/hosts/h", "{\"auth\":{\"methods\":\"chap\"}}", "/auth/methods"},
        {"/v1/hosts/h", "{\"auth\":{\"method\":\"srp\"}}", "/auth/method"},
        {"/v1/hosts/h", "{\"auth\":{\"user\":\"hv1\"}}", "/auth/method"},
        {"/v1/hosts/h",
         "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":\"short\"}}",
         "/auth/secret"},
        {"/v1/hosts/h", "{\"auth\":{\"method\":\"chap\",\"user\":7}}", "/auth/user"},
        {"/v1/hosts/h", "{\"auth\":{\"forbid_md5\":1}}", "/auth/forbid_md5"},
        {"/v1/hosts/h", "{\"initiators\":[]}", "/initiators"},
        {"/v1/hosts/h", "{\"initiators\":[\"x\"]}", "/initiators/0"},
        {"/v1/hosts/h", "{\"name\":\"a b\"}", "/name"},
        {"/v1/hosts/h", "{\"addresses\":\"::1\"}", "/addresses"},
        {"/v1/hosts/h", "{\"addresses\":[\"::1\",\"10.0.0.1/8\"]}", "/addresses/1"},
        {"/v1/auth", "{\"auth\":{}}", "/auth"},
        {"/v1/auth", "{\"discovery\":{\"forbid_md5\":true}}", "/discovery/forbid_md5"},
        {"/v1/auth", "{\"discovery\":{\"method\":\"chap\"}}", "/discovery/user"},
        {"/v1/auth", "{\"forbid_md5\":\"yes\"}", "/forbid_md5"},
    };
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = rig_call(r, "PATCH", cases[i].path, cases[i].body);
        if (status != 422 || strcmp(rig_text(r, "pointer"), cases[i].pointer) != 0)
            fail_msg("%s: %d %s", cases[i].body, status, r->answer.body);
    }
    assert_int_equal(rig_call(r, "GET", "/v1/hosts/h", NULL), 200);
    assert_string_equal(rig_text(r, "auth/method"), "none");
}

static void addresses_are_ranges(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h",
                              "{\"addresses\":[\"192.0.2.7\",\"2001:DB8::/32\"]}"),
                     200);
    assert_string_equal(rig_text(r, "addresses/0"), "192.0.2.7/32");
    assert_string_equal(rig_text(r, "addresses/1"), "2001:db8::/32");
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h", "{\"addresses\":[]}"), 200);
    assert_int_equal(json_array_size(rig_get(r, "addresses")), 0);
}

static void refused_logins_are_told(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    fake_target_add_seen(r->target, "iqn.2024-01.com.example:stranger", 0, 3);
    fake_target_add_seen(r->target, "iqn.2024-01.com.example:h", 1714564860, 1);
    fake_target_add_seen(r->target, "iqn.2024-01.com.example:good", 1714564860, 0);
    assert_int_equal(rig_call(r, "GET", "/v1/initiators/seen", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "items/0/initiator"),
                        "iqn.2024-01.com.example:stranger");
    assert_true(json_is_null(rig_get(r, "items/0/host")));
    assert_int_equal(rig_number(r, "items/0/count"), 3);
    assert_string_equal(rig_text(r, "items/0/status"), "0201");
    assert_string_equal(rig_text(r, "items/1/host"), "h");
    assert_int_equal(rig_call(r, "GET", "/v1/hosts/h", NULL), 200);
    assert_string_equal(rig_text(r, "last_login/time"), "2024-05-01T12:01:00Z");
    assert_string_equal(rig_text(r, "last_refusal/time"), "2024-05-01T12:00:00Z");
    assert_string_equal(rig_text(r, "last_refusal/reason"),
                        "wrong CHAP name or response");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(secrets_go_in_and_never_out),
        WITH_RIG(secret_of_a_refused_change_is_forgotten_before_the_answer),
        WITH_RIG(what_is_not_named_stays),
        WITH_RIG(changes_are_read_strictly),
        WITH_RIG(addresses_are_ranges),
        WITH_RIG(refused_logins_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
