/* SPDX-License-Identifier: Apache-2.0 */
/* What a change passes before its handler: its idempotency key, its turn, its condition.
 */
#include "cm.h"
#include "fake_priv.h"
#include "lunmgr/loop.h"
#include "rig.h"
#include "web/exchange.h"

#define KEY(key) "Idempotency-Key: " key "\r\n"
#define VOLUME_W "{\"name\":\"w\",\"pool\":\"p\",\"size\":4096}"

static int call(struct rig *r, const char *method, const char *path, const char *headers,
                const char *body)
{
    if (r->client.fd < 0)
        rig_call(r, "GET", "/v1", NULL);
    return rig_call_with(r, &r->client, method, path, headers, body);
}

static void expect(struct rig *r, const char *method, const char *path,
                   const char *headers, const char *body, int status)
{
    if (call(r, method, path, headers, body) != status)
        fail_msg("%s %s %s: %d %s", method, path, body == NULL ? "" : body,
                 r->answer.status, r->answer.body);
}

static void expect_problem(struct rig *r, const char *type)
{
    assert_string_equal(rig_text(r, "type"), type);
}

static size_t count_of(struct rig *r, const char *collection)
{
    assert_int_equal(rig_call(r, "GET", collection, NULL), 200);
    return json_array_size(rig_get(r, "items"));
}

static void make_token(struct rig *r, const char *body, char token[128])
{
    expect(r, "POST", "/v1/tokens", "", body, 201);
    snprintf(token, 128, "%s", rig_text(r, "token"));
}

/* ---- The key ----------------------------------------------------------------------- */

static void repetition_is_answered_the_same(void **state)
{
    struct rig *r = *state;
    char location[256];
    rig_provision(r);
    size_t audited = r->m->audit_count;
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
    snprintf(location, sizeof(location), "%s", rig_header(r, "Location"));
    AUTO_FREE char *first = strdup(r->answer.body);
    for (int i = 0; i < 3; i++) {
        expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
        assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
        assert_string_equal(rig_header(r, "Location"), location);
        assert_string_equal(r->answer.body, first);
    }
    assert_int_equal(count_of(r, "/v1/volumes"), 2);
    assert_int_equal(r->m->audit_count, audited + 1);
    expect(r, "DELETE", "/v1/volumes/w", KEY("b"), NULL, 204);
    expect(r, "DELETE", "/v1/volumes/w", KEY("b"), NULL, 204);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
    assert_int_equal(r->answer.body_bytes, 0);
    /* What it made is gone; what was said of it is not. */
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    assert_string_equal(r->answer.body, first);
    expect(r, "POST", "/v1/volumes", KEY("c"), VOLUME_W, 201);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
}

static void key_is_for_one_request(void **state)
{
    static const struct {
        const char *method, *path, *body;
    } others[] = {
        {"POST", "/v1/volumes", "{\"name\":\"x\",\"pool\":\"p\",\"size\":4096}"},
        {"POST", "/v1/volumes", VOLUME_W " "},
        {"POST", "/v1/snapshots", "{\"volume\":\"v\",\"name\":\"s\"}"},
        {"PATCH", "/v1/volumes/v", "{}"},
        {"DELETE", "/v1/volumes/v", NULL},
    };
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        expect(r, others[i].method, others[i].path, KEY("a"), others[i].body, 422);
        expect_problem(r, "/problems/key-reused");
        assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
    }
    assert_int_equal(count_of(r, "/v1/volumes"), 2);
    assert_int_equal(count_of(r, "/v1/snapshots"), 0);
    expect(r, "DELETE", "/v1/volumes/w", KEY("b"), NULL, 204);
    expect(r, "DELETE", "/v1/volumes/w?purge=1", KEY("b"), NULL, 422);
    expect_problem(r, "/problems/key-reused");
    assert_int_equal(count_of(r, "/v1/trash"), 1);
}

static void keys_are_each_ones_own(void **state)
{
    struct rig *r = *state;
    char one[128], two[128];
    rig_provision(r);
    make_token(r, "{\"name\":\"one\"}", one);
    make_token(r, "{\"name\":\"two\"}", two);
    struct client *first = rig_client_open(r, one), *second = rig_client_open(r, two);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    assert_int_equal(
        rig_call_with(r, first, "PATCH", "/v1/volumes/w", KEY("a"), "{\"size\":8192}"),
        200);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
    assert_int_equal(rig_call_with(r, second, "DELETE", "/v1/volumes/w", KEY("a"), NULL),
                     204);
    assert_int_equal(
        rig_call_with(r, first, "PATCH", "/v1/volumes/w", KEY("a"), "{\"size\":8192}"),
        200);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
    rig_client_close(first);
    rig_client_close(second);
}

static void request_under_way_is_not_begun_again(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct client *other = rig_client_open(r, NULL);
    fake_hold(r->m);
    rig_send(r, other, "POST", "/v1/volumes", KEY("a"), VOLUME_W);
    for (int step = 0; step < 2; step++) { /* the key is looked for, then it is done */
        rig_wait_held(r, 1);
        expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 409);
        expect_problem(r, "/problems/under-way");
        fake_release(r->m);
        if (step == 0)
            fake_hold(r->m);
    }
    assert_int_equal(rig_receive(r, other), 201);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
    rig_client_close(other);
}

static void refused_request_is_not_remembered(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", KEY("a"), "{\"name\":\"w\"}", 422);
    expect(r, "POST", "/v1/volumes", KEY("a"),
           "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}", 409);
    expect(r, "PATCH", "/v1/volumes/v", KEY("a") "If-Match: \"x\"\r\n", "{}", 412);
    expect(r, "PATCH", "/v1/volumes/nothing", KEY("a"), "{}", 404);
    assert_int_equal(r->m->replay_count, 0);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
}

static void keys_have_a_length(void **state)
{
    struct rig *r = *state;
    char header[300], key[257];
    rig_provision(r);
    memset(key, 'k', sizeof(key));
    for (int bytes = 255; bytes <= 256; bytes++) {
        snprintf(header, sizeof(header), "Idempotency-Key: %.*s\r\n", bytes, key);
        expect(r, "POST", "/v1/volumes", header, VOLUME_W, bytes == 255 ? 201 : 400);
    }
    expect_problem(r, "/problems/malformed");
    assert_string_equal(rig_text(r, "accepted"), "1 to 255 bytes");
    expect(r, "PATCH", "/v1/volumes/w", "Idempotency-Key: \r\n", "{}", 400);
    expect_problem(r, "/problems/malformed");
}

static void dry_run_neither_has_nor_uses_a_key(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/volumes?dry_run=1", KEY("a"), VOLUME_W, 200);
    assert_int_equal(r->m->replay_count, 0);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    expect(r, "PATCH", "/v1/volumes/w?dry_run=1", KEY("a"), "{\"size\":8192}", 200);
    assert_string_equal(rig_header(r, "Idempotency-Replayed"), "");
    assert_true(json_is_true(rig_get(r, "dry_run")));
}

/* ---- An answer that was not stored ------------------------------------------------- */

static const struct {
    const char *method, *path, *body;
    int status;
} changes[] = {
    {"POST", "/v1/pools",
     "{\"name\":\"q\",\"devices\":[{\"path\":\"/srv/q.img\",\"size\":\"1GiB\"}]}", 201},
    {"POST", "/v1/volumes", VOLUME_W, 201},
    {"PUT", "/v1/volumes/x", "{\"pool\":\"p\",\"size\":4096}", 201},
    {"PATCH", "/v1/volumes/x", "{\"name\":\"y\",\"size\":8192}", 200},
    {"POST", "/v1/snapshots", "{\"volume\":\"v\",\"name\":\"s\"}", 201},
    {"PUT", "/v1/snapshots/v/t", "{}", 201},
    {"PATCH", "/v1/snapshots/v/s", "{\"protected\":true}", 200},
    {"PATCH", "/v1/snapshots/v/t", "{\"name\":\"u\"}", 200},
    {"POST", "/v1/snapshot-groups", "{\"volumes\":[\"v\",\"y\"],\"name\":\"g\"}", 201},
    {"DELETE", "/v1/snapshots/v/u", NULL, 204},
    {"DELETE", "/v1/volumes/w", NULL, 204},
    {"POST", "/v1/trash/w/restore", "{\"name\":\"z\"}", 200},
    {"POST", "/v1/volumes/v/rollback", "{\"snapshot\":\"s\"}", 200},
    {"POST", "/v1/hosts",
     "{\"name\":\"g\",\"initiators\":[\"iqn.2024-01.com.example:g\"]}", 201},
    {"PATCH", "/v1/hosts/g", "{\"name\":\"k\"}", 200},
    {"PATCH", "/v1/auth", "{\"forbid_md5\":true}", 200},
    {"POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}", 201},
    {"PUT", "/v1/mappings/v/k", "{}", 201},
    {"DELETE", "/v1/mappings/v/k", NULL, 204},
    {"POST", "/v1/pools/p/check", NULL, 202},
    {"POST", "/v1/jobs/@/cancel", NULL, 202},
    {"DELETE", "/v1/hosts/k", NULL, 204},
    {"DELETE", "/v1/pools/q", NULL, 204},
};

static void lost_answer_is_made_again(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    r->m->forgets_answers = true;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        char key[64], path[128], job[64] = "";
        const char *mark = strchr(changes[i].path, '@');
        if (r->m->job_count > 0)
            snprintf(job, sizeof(job), "%s", r->m->jobs[0].info.id);
        snprintf(key, sizeof(key), "Idempotency-Key: %zu\r\n", i);
        snprintf(path, sizeof(path), "%.*s%s%s",
                 (int)(mark == NULL ? strlen(changes[i].path)
                                    : (size_t)(mark - changes[i].path)),
                 changes[i].path, mark == NULL ? "" : job, mark == NULL ? "" : mark + 1);
        expect(r, changes[i].method, path, key, changes[i].body, changes[i].status);
        json_t *first = json_incref(r->json);
        size_t audited = r->m->audit_count;
        char location[256];
        snprintf(location, sizeof(location), "%s", rig_header(r, "Location"));
        expect(r, changes[i].method, path, key, changes[i].body, changes[i].status);
        assert_string_equal(rig_header(r, "Idempotency-Replayed"), "true");
        assert_string_equal(rig_header(r, "Location"), location);
        if (first != NULL && !json_equal(first, r->json))
            fail_msg("%s %s: %s", changes[i].method, path, r->answer.body);
        assert_int_equal(r->m->audit_count, audited);
        json_decref(first);
    }
}

static void lost_answer_of_what_is_gone_says_so(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    r->m->forgets_answers = true;
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 201);
    expect(r, "DELETE", "/v1/volumes/w?purge=1", "", NULL, 204);
    expect(r, "POST", "/v1/volumes", KEY("a"), VOLUME_W, 404);
    assert_non_null(strstr(rig_text(r, "detail"), "gone since"));
    expect(r, "POST", "/v1/drains", KEY("d"), "{}", 201);
    expect(r, "POST", "/v1/drains", KEY("d"), "{}", 404);
}

static void token_is_told_once(void **state)
{
    struct rig *r = *state;
    char token[128];
    for (int lost = 0; lost < 2; lost++) {
        r->m->forgets_answers = lost == 1;
        const char *key = lost == 0 ? KEY("a") : KEY("b");
        const char *body = lost == 0 ? "{\"name\":\"a\"}" : "{\"name\":\"b\"}";
        expect(r, "POST", "/v1/tokens", key, body, 201);
        snprintf(token, sizeof(token), "%s", rig_text(r, "token"));
        expect(r, "POST", "/v1/tokens", key, body, 409);
        expect_problem(r, "/problems/told-once");
        assert_null(strstr(r->answer.body, token));
    }
    assert_int_equal(r->m->replay_count, 2);
    for (size_t i = 0; i < r->m->replay_count; i++)
        assert_string_equal(r->m->replays[i].body, "");
    assert_int_equal(count_of(r, "/v1/tokens"), 2);
}

static void lost_answer_is_looked_for_when_web_stops(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/snapshot-groups", KEY("g"),
           "{\"volumes\":[\"v\"],\"name\":\"g\"}", 201);
    for (int i = 0; i < 40; i++) { /* more than one look between two turns */
        char body[64];
        snprintf(body, sizeof(body), "{\"volume\":\"v\",\"name\":\"s%d\"}", i);
        expect(r, "POST", "/v1/snapshots", "", body, 201);
    }
    r->m->replays[0].was.status = 0;
    r->web->slice_us = 0;
    fake_hold(r->m);
    rig_send(r, &r->client, "POST", "/v1/snapshot-groups", KEY("g"),
             "{\"volumes\":[\"v\"],\"name\":\"g\"}");
    rig_wait_held(r, 1);
    fake_release(r->m);
    loop_run_once(r->loop, false);
    assert_non_null(r->web->scans);
    web_stop(TAKE(r->web));
}

/* ---- The condition ----------------------------------------------------------------- */

static void tag_of(struct rig *r, const char *path, char tag[64])
{
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    snprintf(tag, 64, "%s", rig_header(r, "ETag"));
}

static void condition(struct rig *r, const char *path, const char *format, int status)
{
    char tag[64], value[160], header[200];
    tag_of(r, path, tag);
    snprintf(value, sizeof(value), format, tag);
    snprintf(header, sizeof(header), "If-Match: %s\r\n", value);
    expect(r, "PATCH", path, header, "{}", status);
    if (status != 412)
        return;
    expect_problem(r, "/problems/changed");
    snprintf(value, sizeof(value), "If-Match: %s", tag);
    assert_string_equal(rig_text(r, "accepted"), value);
}

static void change_goes_by_its_tag(void **state)
{
    static const char *const paths[] = {"/v1/volumes/v", "/v1/hosts/h", "/v1/auth"};
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        condition(r, paths[i], "%s", 200);
        condition(r, paths[i], "\"x\", %s", 200);
        condition(r, paths[i], "\"x,y\",%s,\"z\"", 200);
        condition(r, paths[i], "*", 200);
        condition(r, paths[i], "\"x\"", 412);
        condition(r, paths[i], "\"x\", \"y\"", 412);
        condition(r, paths[i], "W/%s", 412);
    }
}

static void condition_needs_something_with_a_tag(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", "If-Match: *\r\n", VOLUME_W, 400);
    expect(r, "POST", "/v1/apply", "If-Match: *\r\n", "{}", 400);
    expect(r, "PATCH", "/v1/volumes/nothing", "If-Match: *\r\n", "{}", 404);
    expect(r, "DELETE", "/v1/volumes/nothing", "If-Match: \"x\"\r\n", NULL, 404);
    /* A PUT makes it, which whoever says If-Match does not want. */
    expect(r, "PUT", "/v1/volumes/w", "If-Match: *\r\n", "{\"pool\":\"p\",\"size\":4096}",
           412);
    expect(r, "PUT", "/v1/volumes/w", "If-Match: \"x\"\r\n",
           "{\"pool\":\"p\",\"size\":4096}", 412);
    assert_int_equal(count_of(r, "/v1/volumes"), 1);
    expect(r, "DELETE", "/v1/volumes/v", "If-Match: \"x\"\r\n", NULL, 412);
    char tag[64], header[100];
    tag_of(r, "/v1/volumes/v", tag);
    snprintf(header, sizeof(header), "If-Match: %s\r\n", tag);
    expect(r, "DELETE", "/v1/volumes/v", header, NULL, 204);
}

/* ---- The turn ---------------------------------------------------------------------- */

#define GROW(bytes) "{\"size\":" #bytes "}"

static void one_of_two_with_the_same_tag_wins(void **state)
{
    struct rig *r = *state;
    char tag[64], header[100];
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", "", VOLUME_W, 201);
    tag_of(r, "/v1/volumes/w", tag);
    snprintf(header, sizeof(header), "If-Match: %s\r\n", tag);
    struct client *one = rig_client_open(r, NULL), *two = rig_client_open(r, NULL);
    fake_hold(r->m);
    rig_send(r, one, "PATCH", "/v1/volumes/w", header, GROW(8192));
    rig_wait_held(r, 1);
    rig_send(r, two, "PATCH", "/v1/volumes/w", header, GROW(12288));
    rig_pump(r);
    rig_wait_held(r, 1); /* it waits */
    fake_release(r->m);
    assert_int_equal(rig_receive(r, one), 200);
    assert_int_equal(rig_receive(r, two), 412);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/w", NULL), 200);
    assert_int_equal(rig_number(r, "size"), 8192);
    rig_client_close(one);
    rig_client_close(two);
}

static void changes_of_others_do_not_wait(void **state)
{
    static const char *const requests[][3] = {
        {"PATCH", "/v1/volumes/v", "{\"zero_detect\":true}"},
        {"PATCH", "/v1/volumes/w", "{\"zero_detect\":true}"},
        {"PATCH", "/v1/hosts/h", "{}"},
        {"POST", "/v1/hosts",
         "{\"name\":\"g\",\"initiators\":[\"iqn.2024-01.com.example:g\"]}"},
        {"POST", "/v1/hosts",
         "{\"name\":\"k\",\"initiators\":[\"iqn.2024-01.com.example:k\"]}"},
    };
    struct rig *r = *state;
    struct client *clients[ARRAY_LEN(requests)];
    rig_provision(r);
    expect(r, "POST", "/v1/volumes", "", VOLUME_W, 201);
    fake_hold(r->m);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        clients[i] = rig_client_open(r, NULL);
        rig_send(r, clients[i], requests[i][0], requests[i][1], "", requests[i][2]);
    }
    rig_wait_held(r, ARRAY_LEN(requests));
    fake_release(r->m);
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        assert_true(rig_receive(r, clients[i]) < 300);
        rig_client_close(clients[i]);
    }
}

/* left: whose client goes away while the first is under way, as bits. */
static void leave_and_go_on(struct rig *r, unsigned left)
{
    static const char *const bodies[] = {GROW(8192), GROW(12288), GROW(16384)};
    struct client *clients[ARRAY_LEN(bodies)];
    fake_hold(r->m);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        clients[i] = rig_client_open(r, NULL);
        rig_send(r, clients[i], "PATCH", "/v1/volumes/w", "", bodies[i]);
        rig_pump(r);
    }
    rig_wait_held(r, 1);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if ((left >> i & 1) != 0)
            client_close(clients[i]);
    }
    rig_pump(r);
    fake_release(r->m);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if ((left >> i & 1) == 0)
            assert_int_equal(rig_receive(r, clients[i]), 200);
        rig_client_close(clients[i]);
    }
    rig_settle(r);
    assert_null(r->web->exchanges);
}

static void one_that_left_holds_nobody_up(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    for (unsigned left = 0; left < 8; left++) {
        expect(r, "POST", "/v1/volumes", "", VOLUME_W, 201);
        leave_and_go_on(r, left);
        assert_int_equal(rig_call(r, "GET", "/v1/volumes/w", NULL), 200);
        /* evhttp does not look at a connection while its request is under way: what has
         * come is done. */
        assert_int_equal(rig_number(r, "size"), 16384);
        expect(r, "DELETE", "/v1/volumes/w?purge=1", "", NULL, 204);
    }
}

static void stop_leaves_nothing_that_waits(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct client *one = rig_client_open(r, NULL), *two = rig_client_open(r, NULL);
    fake_hold(r->m);
    rig_send(r, one, "PATCH", "/v1/volumes/v", KEY("a"), "{}");
    rig_wait_held(r, 1);
    fake_release(r->m); /* the look for the key */
    fake_hold(r->m);
    rig_wait_held(r, 1);
    rig_send(r, two, "PATCH", "/v1/volumes/v", "", "{\"labels\":{\"a\":\"b\"}}");
    rig_pump(r);
    web_stop(TAKE(r->web));
    rig_client_close(one);
    rig_client_close(two);
}

static void stop_leaves_nothing_that_was_called(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct client *one = rig_client_open(r, NULL), *two = rig_client_open(r, NULL);
    fake_hold(r->m);
    rig_send(r, one, "PATCH", "/v1/volumes/v", "", "{}");
    rig_wait_held(r, 1);
    rig_send(r, two, "PATCH", "/v1/volumes/v", "", "{}");
    rig_pump(r);
    fake_release(r->m);
    fake_hold(r->m);
    const struct exchange *waits = r->web->exchanges->next;
    for (int i = 0; i < 100 && !waits->passage.is_called; i++)
        loop_run_once(r->loop, false);
    if (r->web->exchanges == waits && waits->passage.is_called)
        web_stop(TAKE(r->web));
    rig_client_close(one);
    rig_client_close(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(repetition_is_answered_the_same),
        WITH_RIG(key_is_for_one_request),
        WITH_RIG(keys_are_each_ones_own),
        WITH_RIG(request_under_way_is_not_begun_again),
        WITH_RIG(refused_request_is_not_remembered),
        WITH_RIG(keys_have_a_length),
        WITH_RIG(dry_run_neither_has_nor_uses_a_key),
        WITH_RIG(lost_answer_is_made_again),
        WITH_RIG(lost_answer_of_what_is_gone_says_so),
        WITH_RIG(token_is_told_once),
        WITH_RIG(lost_answer_is_looked_for_when_web_stops),
        WITH_RIG(change_goes_by_its_tag),
        WITH_RIG(condition_needs_something_with_a_tag),
        WITH_RIG(one_of_two_with_the_same_tag_wins),
        WITH_RIG(changes_of_others_do_not_wait),
        WITH_RIG(one_that_left_holds_nobody_up),
        WITH_RIG(stop_leaves_nothing_that_waits),
        WITH_RIG(stop_leaves_nothing_that_was_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
