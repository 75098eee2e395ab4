/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are applied: what is tried first is what is done then. */
#include "cm.h"
#include "rig.h"

#include <string.h>

static void map(struct rig *r, const char *host)
{
    char body[96];
    snprintf(body, sizeof(body), "{\"volume\":\"v\",\"host\":\"%s\"}", host);
    assert_int_equal(rig_call(r, "POST", "/v1/mappings", body), 201);
}

/* A step is tried before those that it needs are done: that must not stop it. */
static void one_document_unmaps_and_deletes(void **state)
{
    struct rig *r = *state;
    static const char body[] =
        "{\"volumes\":[{\"name\":\"v\",\"absent\":true}],"
        "\"hosts\":[{\"name\":\"h\",\"absent\":true}],"
        "\"mappings\":[{\"volume\":\"v\",\"host\":\"h\",\"absent\":true}]}";
    rig_provision(r);
    map(r, "h");
    assert_int_equal(rig_call(r, "POST", "/v1/apply?dry_run=1", body), 200);
    assert_int_equal(json_array_size(rig_get(r, "changes")), 3);
    assert_int_equal(rig_call(r, "GET", "/v1/mappings/v/h", NULL), 200);
    assert_int_equal(rig_call(r, "POST", "/v1/apply", body), 200);
    assert_string_equal(rig_text(r, "changes/0/kind"), "mapping");
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v", NULL), 404);
    assert_int_equal(rig_call(r, "GET", "/v1/hosts/h", NULL), 404);
    assert_int_equal(rig_call(r, "POST", "/v1/apply", body), 200);
    assert_int_equal(json_array_size(rig_get(r, "changes")), 0);
}

static void what_stays_mapped_stops_all_of_it(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(
        rig_call(r, "POST", "/v1/hosts",
                 "{\"name\":\"hv\",\"initiators\":[\"iqn.2024-01.com.example:hv\"]}"),
        201);
    map(r, "h");
    map(r, "hv"); /* a host whose name only begins with another's */
    assert_int_equal(
        rig_call(r, "POST", "/v1/apply",
                 "{\"volumes\":[{\"name\":\"v\",\"absent\":true}],"
                 "\"mappings\":[{\"volume\":\"v\",\"host\":\"h\",\"absent\":true}]}"),
        409);
    assert_string_equal(rig_text(r, "pointer"), "/volumes/0");
    assert_int_equal(
        rig_call(r, "POST", "/v1/apply",
                 "{\"hosts\":[{\"name\":\"h\",\"absent\":true}],"
                 "\"mappings\":[{\"volume\":\"v\",\"host\":\"hv\",\"absent\":true}]}"),
        409);
    assert_int_equal(rig_call(r, "GET", "/v1/mappings/v/h", NULL), 200);
    assert_int_equal(rig_call(r, "GET", "/v1/mappings/v/hv", NULL), 200);
}

/* The try must not use up what the change needs. */
static void a_document_may_have_secrets(void **state)
{
    struct rig *r = *state;
    static const char body[] =
        "{\"hosts\":[{\"name\":\"h\",\"auth\":{\"method\":\"chap\",\"user\":\"u\","
        "\"secret\":\"twelve bytes at least\"}},{\"name\":\"hs\",\"initiators\":["
        "\"iqn.2024-01.com.example:hs\"],\"auth\":{\"method\":\"chap\",\"user\":\"u\","
        "\"secret\":\"fourteen bytes at least\"}}]}";
    rig_provision(r);
    assert_int_equal(rig_call(r, "POST", "/v1/apply", body), 200);
    assert_int_equal(rig_call(r, "GET", "/v1/hosts/hs", NULL), 200);
    assert_true(json_is_true(rig_get(r, "auth/has_secret")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(one_document_unmaps_and_deletes),
        WITH_RIG(what_stays_mapped_stops_all_of_it),
        WITH_RIG(a_document_may_have_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
