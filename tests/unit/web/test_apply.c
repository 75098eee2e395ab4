/* SPDX-License-Identifier: Apache-2.0 */
/* A desired state as a document, and one thing by its name: what is made, changed,
 * refused, and left when something goes wrong in the middle. */
#include "cm.h"
#include "fake_priv.h"
#include "lunmgr/loop.h"
#include "rig.h"
#include "web/exchange.h"

#include <errno.h>

#define SECRET "initiator-secret"
#define CHAP   "{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"" SECRET "\"}"
#define HOST   "{\"name\":\"h2\",\"initiators\":[\"iqn.2024-01.com.example:h2\"]"

static const char whole[] =
    "{\"mappings\":[{\"volume\":\"v2\",\"host\":\"h2\",\"lun\":3}],"
    "\"volumes\":[{\"name\":\"v2\",\"pool\":\"p2\",\"size\":\"1MiB\"}],"
    "\"hosts\":[" HOST ",\"auth\":" CHAP "}],"
    "\"pools\":[{\"name\":\"p2\",\"devices\":[{\"path\":\"/srv/p2.img\",\"size\":"
    "\"1GiB\"}]}]}";

static void expect(struct rig *r, const char *method, const char *path, const char *body,
                   int status)
{
    if (rig_call(r, method, path, body) != status)
        fail_msg("%s %s %s: %d %s", method, path, body == NULL ? "" : body,
                 r->answer.status, r->answer.body);
}

static size_t count_of(struct rig *r, const char *collection)
{
    expect(r, "GET", collection, NULL, 200);
    return json_array_size(rig_get(r, "items"));
}

/* Nothing of `whole` is there. */
static void assert_nothing(struct rig *r)
{
    assert_int_equal(count_of(r, "/v1/pools"), 0);
    assert_int_equal(count_of(r, "/v1/hosts"), 0);
    assert_int_equal(count_of(r, "/v1/volumes"), 0);
    assert_int_equal(count_of(r, "/v1/mappings"), 0);
    assert_int_equal(r->m->audit_count, 0);
}

static void assert_change(struct rig *r, size_t i, const char *action, const char *kind,
                          const char *name)
{
    char path[64];
    snprintf(path, sizeof(path), "changes/%zu/action", i);
    assert_string_equal(rig_text(r, path), action);
    snprintf(path, sizeof(path), "changes/%zu/kind", i);
    assert_string_equal(rig_text(r, path), kind);
    snprintf(path, sizeof(path), "changes/%zu/name", i);
    assert_string_equal(rig_text(r, path), name);
}

static void assert_made_in_order(struct rig *r)
{
    assert_int_equal(json_array_size(rig_get(r, "changes")), 4);
    assert_change(r, 0, "create", "pool", "p2");
    assert_change(r, 1, "create", "host", "h2");
    assert_change(r, 2, "create", "volume", "v2");
    assert_change(r, 3, "create", "mapping", "v2/h2");
    assert_null(strstr(r->answer.body, SECRET));
}

/* ---- Apply ------------------------------------------------------------------------- */

static void document_is_made_in_order_of_need(void **state)
{
    struct rig *r = *state;
    expect(r, "POST", "/v1/apply?dry_run=1", whole, 200);
    assert_made_in_order(r);
    assert_true(json_is_true(rig_get(r, "dry_run")));
    assert_nothing(r);
    expect(r, "POST", "/v1/apply", whole, 200);
    assert_made_in_order(r);
    assert_true(json_is_false(rig_get(r, "dry_run")));
    assert_int_equal(r->m->audit_count, 5); /* each, and the whole */
    expect(r, "GET", "/v1/mappings/v2/h2", NULL, 200);
    assert_int_equal(rig_number(r, "lun"), 3);
    const struct auth *auth = &host_find(r->m, "h2")->auth;
    assert_int_equal(auth->secret.bytes, strlen(SECRET));
    assert_memory_equal(auth->secret.value, SECRET, strlen(SECRET));
    expect(r, "POST", "/v1/apply", whole, 200);
    assert_int_equal(json_array_size(rig_get(r, "changes")), 0);
    assert_int_equal(rig_number(r, "unchanged"), 4);
}

static void what_differs_is_changed(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/apply",
           "{\"volumes\":[{\"name\":\"v\",\"size\":\"2TiB\",\"labels\":{\"a\":\"b\"}}],"
           "\"hosts\":[{\"name\":\"h\",\"auth\":" CHAP "}]}",
           200);
    assert_int_equal(json_array_size(rig_get(r, "changes")), 2);
    assert_change(r, 0, "change", "host", "h");
    assert_change(r, 1, "change", "volume", "v");
    assert_string_equal(rig_text(r, "changes/1/differences/0/pointer"), "/size");
    assert_int_equal(rig_number(r, "changes/1/differences/0/to"), 1LL << 41);
    assert_null(strstr(r->answer.body, SECRET));
    const struct auth *auth = &host_find(r->m, "h")->auth;
    assert_memory_equal(auth->secret.value, SECRET, strlen(SECRET));
    expect(r, "GET", "/v1/volumes/v", NULL, 200);
    assert_int_equal(rig_number(r, "size"), 1LL << 41);
    assert_string_equal(rig_text(r, "labels/a"), "b");
}

static void what_is_to_be_absent_goes_first(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}", 201);
    static const char document[] =
        "{\"pools\":[{\"name\":\"p2\",\"devices\":[{\"path\":\"/srv/p2.img\","
        "\"size\":\"1GiB\"}]}],"
        "\"volumes\":[{\"name\":\"v\",\"absent\":true}],"
        "\"hosts\":[{\"name\":\"h\",\"absent\":true},{\"name\":\"k\",\"absent\":true}],"
        "\"mappings\":[{\"volume\":\"v\",\"host\":\"h\",\"absent\":true}]}";
    for (int dry = 1; dry >= 0; dry--) {
        expect(r, "POST", dry == 1 ? "/v1/apply?dry_run=1" : "/v1/apply", document, 200);
        assert_change(r, 0, "delete", "mapping", "v/h");
        assert_change(r, 1, "delete", "volume", "v");
        assert_change(r, 2, "delete", "host", "h");
        assert_change(r, 3, "create", "pool", "p2");
        assert_int_equal(rig_number(r, "unchanged"), 1);
    }
    assert_int_equal(count_of(r, "/v1/hosts"), 0);
    assert_int_equal(count_of(r, "/v1/volumes"), 0);
}

/* A try does not delete the mappings either: what they hold is free only without all. */
static void what_other_mappings_hold_is_in_use(void **state)
{
    static const char document[] =
        "{\"hosts\":[{\"name\":\"h\",\"absent\":true}],"
        "\"mappings\":[{\"volume\":\"v\",\"host\":\"h\",\"absent\":true}]}";
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", "{\"name\":\"w\",\"pool\":\"p\",\"size\":4096}",
           201);
    expect(r, "POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}", 201);
    expect(r, "POST", "/v1/mappings", "{\"volume\":\"w\",\"host\":\"h\",\"lun\":1}", 201);
    expect(r, "POST", "/v1/apply", document, 409);
    assert_string_equal(rig_text(r, "pointer"), "/hosts/0");
    assert_int_equal(count_of(r, "/v1/mappings"), 2);
}

static void refusal_names_the_item_and_does_nothing(void **state)
{
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        {"{\"hosts\":[" HOST "}],\"volumes\":[7]}", "/volumes/0"},
        {"{\"hosts\":[" HOST "}],\"volumes\":[{}]}", "/volumes/0/name"},
        {"{\"hosts\":[" HOST "}],\"volumes\":[{\"name\":\"a b\"}]}", "/volumes/0/name"},
        {"{\"hosts\":[" HOST "}],\"volumes\":[{\"name\":\"a\",\"absent\":1}]}",
         "/volumes/0/absent"},
        {"{\"hosts\":[" HOST "}],\"volumes\":7}", "/volumes"},
        {"{\"hosts\":[" HOST "}],\"jobs\":[]}", "/jobs"},
        {"{\"hosts\":[" HOST "}," HOST "}]}", "/hosts/1"},
        {"{\"hosts\":[" HOST "},{\"name\":\"k\",\"initiators\":[\"x\"]}]}",
         "/hosts/1/initiators/0"},
        {"{\"hosts\":[" HOST "}],\"volumes\":[{\"name\":\"v2\",\"pool\":\"nothing\","
         "\"size\":4096}]}",
         "/volumes/0/pool"},
        {"{\"hosts\":[" HOST
         "}],\"mappings\":[{\"volume\":\"nothing\",\"host\":\"h2\"}]}",
         "/mappings/0/volume"},
        {"{\"hosts\":[" HOST "}],\"mappings\":[{\"volume\":\"v2\"}]}",
         "/mappings/0/host"},
        {"{\"hosts\":[" HOST ",\"auth\":{\"method\":\"chap\",\"secret\":\"short\"}}]}",
         "/hosts/0/auth/secret"},
        {"{\"hosts\":[" HOST ",\"nonsense\":1}]}", "/hosts/0/nonsense"},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = rig_call(r, "POST", "/v1/apply", cases[i].body);
        if (status != 422 || strcmp(rig_text(r, "pointer"), cases[i].pointer) != 0)
            fail_msg("%s: %d %s", cases[i].body, status, r->answer.body);
        assert_nothing(r);
    }
}

static void what_cannot_be_changed_is_refused(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    size_t audited = r->m->audit_count;
    expect(r, "POST", "/v1/apply",
           "{\"hosts\":[" HOST "}],\"volumes\":[{\"name\":\"v\",\"block_size\":4096}]}",
           422);
    assert_string_equal(rig_text(r, "pointer"), "/volumes/0/block_size");
    expect(r, "POST", "/v1/apply",
           "{\"hosts\":[" HOST "}],\"pools\":[{\"name\":\"p\",\"absent\":true}]}", 409);
    assert_string_equal(rig_text(r, "pointer"), "/pools/0");
    expect(r, "POST", "/v1/apply",
           "{\"hosts\":[" HOST "}],\"volumes\":[{\"name\":\"v\",\"size\":4096}]}", 422);
    assert_string_equal(rig_text(r, "pointer"), "/volumes/0/size");
    assert_int_equal(count_of(r, "/v1/hosts"), 1);
    assert_int_equal(r->m->audit_count, audited);
}

static void document_has_a_bound(void **state)
{
    struct rig *r = *state;
    for (int count = 1000; count <= 1001; count++) {
        AUTO_FREE char *body = NULL;
        size_t bytes;
        FILE *out = open_memstream(&body, &bytes);
        fputs("{\"hosts\":[", out);
        for (int i = 0; i < count; i++)
            fprintf(out, "%s{\"name\":\"h%d\",\"absent\":true}", i == 0 ? "" : ",", i);
        fputs("]}", out);
        fclose(out);
        expect(r, "POST", "/v1/apply?dry_run=1", body, count == 1000 ? 200 : 422);
    }
    assert_string_equal(rig_text(r, "accepted"), "at most 1000 resources");
}

/* The scope of each step counts, not that of the whole alone. */
static void document_gives_nobody_more_than_its_scope(void **state)
{
    struct rig *r = *state;
    expect(r, "POST", "/v1/tokens", "{\"name\":\"t\",\"scope\":\"provision\"}", 201);
    struct client *c = rig_client_open(r, rig_text(r, "token"));
    assert_int_equal(rig_call_on(r, c, "POST", "/v1/apply", whole), 403);
    assert_string_equal(rig_text(r, "pointer"), "/pools/0");
    assert_int_equal(count_of(r, "/v1/pools"), 0);
    assert_int_equal(rig_call_on(r, c, "POST", "/v1/apply", "{\"hosts\":[" HOST "}]}"),
                     200);
    rig_client_close(c);
}

/* Holds the document's way before its step-th call: four are tried, four are done. */
static void go_until(struct rig *r, struct client *c, int step)
{
    fake_hold(r->m);
    rig_send(r, c, "POST", "/v1/apply", "", whole);
    for (int i = 0; i < step; i++) {
        rig_wait_held(r, 1);
        fake_release(r->m);
        fake_hold(r->m);
    }
    rig_wait_held(r, 1);
}

static void failure_in_the_middle_says_how_far_it_went(void **state)
{
    struct rig *r = *state;
    struct client *c = rig_client_open(r, NULL);
    go_until(r, c, 5); /* the second that is done waits */
    fake_fail_next(r->m, -EIO, NULL, "the disk is gone");
    fake_release(r->m);
    assert_int_equal(rig_receive(r, c), 500);
    assert_string_equal(rig_text(r, "pointer"), "/volumes/0");
    assert_non_null(strstr(rig_text(r, "detail"), "2 of 4 changes were made"));
    assert_non_null(strstr(rig_text(r, "detail"), "the disk is gone"));
    assert_int_equal(r->m->audit_count, 2);
    assert_int_equal(count_of(r, "/v1/hosts"), 1);
    assert_int_equal(count_of(r, "/v1/volumes"), 0);
    expect(r, "POST", "/v1/apply", whole, 200);
    assert_int_equal(json_array_size(rig_get(r, "changes")), 2);
    assert_int_equal(rig_number(r, "unchanged"), 2);
    rig_client_close(c);
}

static void client_that_left_gets_it_done(void **state)
{
    struct rig *r = *state;
    struct client *c = rig_client_open(r, NULL);
    go_until(r, c, 5);
    rig_client_close(c);
    fake_release(r->m);
    rig_settle(r);
    assert_null(r->web->exchanges);
    assert_int_equal(count_of(r, "/v1/mappings"), 1);
    assert_int_equal(r->m->audit_count, 5);
}

static void stop_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    for (int step = 0; step < 9; step++) {
        void *rig;
        assert_int_equal(rig_setup(&rig), 0);
        struct rig *r = rig;
        struct client *c = rig_client_open(r, NULL);
        go_until(r, c, step);
        web_stop(TAKE(r->web));
        rig_client_close(c);
        assert_int_equal(rig_teardown(&rig), 0);
    }
}

static void stop_while_a_step_waits_leaves_nothing(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct client *one = rig_client_open(r, NULL), *two = rig_client_open(r, NULL);
    fake_hold(r->m);
    rig_send(r, one, "PATCH", "/v1/volumes/v", "", "{}");
    rig_wait_held(r, 1);
    rig_send(r, two, "POST", "/v1/apply", "",
             "{\"volumes\":[{\"name\":\"v\",\"labels\":{\"a\":\"b\"}}]}");
    rig_pump(r);
    rig_wait_held(r, 1);
    web_stop(TAKE(r->web));
    rig_client_close(one);
    rig_client_close(two);
}

#define ONE_HOST "{\"hosts\":[" HOST "}]}"
#define KEY      "Idempotency-Key: a\r\n"

static void repetition_is_not_done_again(void **state)
{
    struct rig *r = *state;
    struct client *c = rig_client_open(r, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_call_with(r, c, "POST", "/v1/apply", KEY, ONE_HOST), 200);
        assert_string_equal(rig_header(r, "Idempotency-Replayed"), i == 0 ? "" : "true");
        assert_change(r, 0, "create", "host", "h2");
    }
    assert_int_equal(r->m->audit_count, 2);
    rig_client_close(c);
}

/* What it did was not kept: it is done again, which changes nothing. */
static void repetition_whose_answer_was_lost_goes_through_again(void **state)
{
    struct rig *r = *state;
    struct client *c = rig_client_open(r, NULL);
    r->m->forgets_answers = true;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rig_call_with(r, c, "POST", "/v1/apply", KEY, ONE_HOST), 200);
        assert_int_equal(json_array_size(rig_get(r, "changes")), 1 - i);
        assert_int_equal(rig_number(r, "unchanged"), i);
    }
    assert_int_equal(r->m->replay_count, 1);
    rig_client_close(c);
}

/* ---- PUT --------------------------------------------------------------------------- */

#define H2 "\"initiators\":[\"iqn.2024-01.com.example:h2\"]"

static void put_agrees_or_differs(void **state)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *pointer;
    } steps[] = {
        {"/v1/hosts/h2",
         "{\"initiators\":[\"iqn.2024-01.com.example:h2\"],\"auth\":" CHAP "}", 201, ""},
        {"/v1/hosts/h2", "{" H2 ",\"auth\":" CHAP "}", 200, ""},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"another-"
         "secret-1\"}}",
         409, "/auth"},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h3\",\"secret\":\"" SECRET
         "\"}}",
         409, "/auth"},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"" SECRET
         "\",\"mutual_user\":\"box\",\"mutual_secret\":\"another-secret-1\"}}",
         409, "/auth"},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"" SECRET
         "\",\"forbid_md5\":false}}",
         200, ""},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"" SECRET
         "\",\"forbid_md5\":true}}",
         409, "/auth"},
        {"/v1/hosts/h2",
         "{" H2 ",\"auth\":{\"method\":\"chap\",\"user\":\"h2\",\"secret\":\"short\"}}",
         422, "/auth/secret"},
        {"/v1/hosts/h2", "{" H2 ",\"auth\":7}", 422, "/auth"},
        {"/v1/hosts/h2", "{" H2 "}", 200, ""},
        {"/v1/hosts/h2", "{}", 422, "/initiators"},
        {"/v1/hosts/h2", "{\"initiators\":[\"iqn.2024-01.com.example:x\"]}", 409,
         "/initiators"},
        {"/v1/hosts/h2", "{" H2 ",\"nonsense\":1}", 422, "/nonsense"},
        {"/v1/volumes/v", "{\"pool\":\"p\",\"size\":\"1TiB\"}", 200, ""},
        {"/v1/volumes/v", "{\"pool\":\"p\",\"size\":\"2TiB\"}", 409, "/size"},
        {"/v1/volumes/v", "{\"pool\":\"p\",\"size\":\"1TiB\",\"labels\":{}}", 200, ""},
        {"/v1/volumes/v", "{\"pool\":\"p\",\"size\":\"1TiB\",\"labels\":{\"a\":\"b\"}}",
         409, "/labels"},
        {"/v1/volumes/w", "{\"pool\":\"p\"}", 422, "/size"},
    };
    struct rig *r = *state;
    rig_provision(r);
    size_t audited = r->m->audit_count;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        expect(r, "PUT", steps[i].path, steps[i].body, steps[i].status);
        assert_string_equal(rig_text(r, "pointer"), steps[i].pointer);
        assert_null(strstr(r->answer.body, SECRET));
    }
    assert_int_equal(r->m->audit_count, audited + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(document_is_made_in_order_of_need),
        WITH_RIG(what_differs_is_changed),
        WITH_RIG(what_is_to_be_absent_goes_first),
        WITH_RIG(what_other_mappings_hold_is_in_use),
        WITH_RIG(refusal_names_the_item_and_does_nothing),
        WITH_RIG(what_cannot_be_changed_is_refused),
        WITH_RIG(document_has_a_bound),
        WITH_RIG(document_gives_nobody_more_than_its_scope),
        WITH_RIG(failure_in_the_middle_says_how_far_it_went),
        WITH_RIG(client_that_left_gets_it_done),
        cmocka_unit_test(stop_in_the_middle_leaves_nothing),
        WITH_RIG(stop_while_a_step_waits_leaves_nothing),
        WITH_RIG(repetition_is_not_done_again),
        WITH_RIG(repetition_whose_answer_was_lost_goes_through_again),
        WITH_RIG(put_agrees_or_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
