/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: what is refused before a handler, limits, clients that go away, the stop.
 */
#include "cm.h"
#include "rig.h"
#include "web/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct client other;

/* Sends bytes on a connection of its own; the status of the answer, 0 for none. */
static int raw(struct rig *r, const char *bytes, size_t length)
{
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    client_send(&other, bytes, length);
    client_receive(&other, false, &r->answer);
    return r->answer.status;
}

static int raw_text(struct rig *r, const char *text)
{
    return raw(r, text, strlen(text));
}

static void tcp_wants_a_token_save_for_health(void **state)
{
    struct rig *r = *state;
    char header[64];
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    assert_int_equal(rig_call_on(r, &other, "GET", "/healthz", NULL), 200);
    assert_int_equal(rig_call_on(r, &other, "GET", "/readyz", NULL), 200);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1/openapi.json", NULL), 200);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 401);
    assert_string_equal(rig_text(r, "type"), "/problems/unauthorized");
    answer_header(&r->answer, "WWW-Authenticate", header, sizeof(header));
    assert_string_equal(header, "Bearer realm=\"ashlar\"");
    assert_int_equal(rig_call_on(r, &other, "GET", "/metrics", NULL), 401);
    assert_int_equal(rig_call_on(r, &other, "GET", "/nowhere", NULL), 401);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    client_close(&other);
}

static void token_opens_tcp_until_it_is_deleted(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    snprintf(other.token, sizeof(other.token), "%s", rig_text(r, "token"));
    assert_int_equal(strlen(other.token), 50);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 200);
    assert_int_equal(rig_call(r, "GET", "/v1/tokens", NULL), 200);
    assert_null(rig_get(r, "items/0/token"));
    assert_int_equal(rig_call(r, "DELETE", "/v1/tokens/t", NULL), 204);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 401);
    client_close(&other);
}

static void near_tokens_are_refused(void **state)
{
    struct rig *r = *state;
    char good[64];
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    snprintf(good, sizeof(good), "%s", rig_text(r, "token"));
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    for (size_t i = 0; i < 3; i++) {
        snprintf(other.token, sizeof(other.token), "%s%s", good, i == 0 ? "A" : "");
        if (i == 1)
            other.token[49] = '\0';
        if (i == 2)
            other.token[20] ^= 1;
        assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 401);
        assert_string_equal(rig_text(r, "detail"),
                            "the token is not known here, or has expired");
        assert_null(strstr(r->answer.body, good));
    }
    client_close(&other);
}

static void one_connection_serves_many_requests(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
        assert_int_equal(rig_call(r, "GET", "/v1/pools/none", NULL), 404);
        assert_int_equal(rig_call(r, "DELETE", "/v1/pools/none", NULL), 404);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"),
                     200);
    assert_true(client_receive(&other, false, &r->answer));
    assert_int_equal(r->answer.status, 404);
    client_close(&other);
}

static void head_is_get_without_the_body(void **state)
{
    struct rig *r = *state;
    char get[32], head[32];
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    answer_header(&r->answer, "Content-Length", get, sizeof(get));
    assert_int_equal(rig_call(r, "HEAD", "/v1", NULL), 200);
    answer_header(&r->answer, "Content-Length", head, sizeof(head));
    assert_string_equal(get, head);
    assert_int_equal(rig_call(r, "GET", "/healthz", NULL), 200); /* in step */
    assert_int_equal(rig_call(r, "HEAD", "/v1/pools/none", NULL), 404);
    assert_int_equal(rig_call(r, "GET", "/healthz", NULL), 200);
}

static void wrong_method_is_405_with_allow(void **state)
{
    struct rig *r = *state;
    char allow[64];
    static const char *const methods[] = {"PUT", "PATCH", "OPTIONS", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        assert_int_equal(rig_call(r, methods[i], "/v1/pools", NULL), 405);
        answer_header(&r->answer, "Allow", allow, sizeof(allow));
        assert_string_equal(allow, "GET, HEAD, POST");
    }
    assert_int_equal(rig_call(r, "POST", "/v1/pools/p", "{}"), 405);
    answer_header(&r->answer, "Allow", allow, sizeof(allow));
    assert_string_equal(allow, "GET, HEAD, PUT, PATCH, DELETE");
}

static void unknown_method_is_evhttps_own_501(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "BREW /v1 HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
    client_close(&other);
    assert_int_equal(raw_text(r, "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"), 501);
    client_close(&other);
}

/* Each is answered 400, by evhttp or by us, and the connection ends. */
static void doubtful_framing_ends_the_connection(void **state)
{
    static const char *const heads[] = {
        "GET /v1 HTTP/1.1\r\n\r\n",
        "GET /v1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST /v1/pools HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        ("POST /v1/pools HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
         "Content-Length: 5\r\n\r\n0\r\n\r\n"),
        ("POST /v1/pools HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
         "Content-Length: 2\r\n\r\n{}"),
        "POST /v1/pools HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        "POST /v1/pools HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n",
        "HEAD /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n",
        "GET /v1 HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n",
        ("POST /v1/pools HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
         "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"),
        "GET /v1 x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1\t HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1#x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET //x/v1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET v1 HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    struct rig *r = *state;
    char value[64];
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        bool head = heads[i][0] == 'H';
        assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
        assert_true(client_send(&other, heads[i], strlen(heads[i])));
        assert_true(client_receive(&other, head, &r->answer));
        if (r->answer.status != 400)
            fail_msg("%d: %s", r->answer.status, heads[i]);
        answer_header(&r->answer, "Connection", value, sizeof(value));
        assert_string_equal(value, "close");
        assert_true(client_sees_end(&other));
        client_close(&other);
    }
}

static void target_with_scheme_and_host_is_taken(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "GET http://x:80/healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
                     200);
    client_close(&other);
}

static void old_http_needs_no_host(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "GET /healthz HTTP/1.0\r\n\r\n"), 200);
    client_close(&other);
}

static void chunked_body_is_taken(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "POST /v1/tokens HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Type: application/json; charset=utf-8\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "4\r\n{\"na\r\n8\r\nme\":\"t\"}\r\n0\r\n\r\n"),
                     201);
    client_close(&other);
}

static void body_must_be_json_and_wanted(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "POST /v1/pools HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Type: text/plain\r\n"
                                 "Content-Length: 2\r\n\r\n{}"),
                     415);
    client_close(&other);
    assert_int_equal(raw_text(r, "POST /v1/pools HTTP/1.1\r\nHost: x\r\n"
                                 "Content-Length: 2\r\n\r\n{}"),
                     415);
    client_close(&other);
    assert_int_equal(rig_call(r, "POST", "/v1/pools/p/check", "{}"), 400);
    assert_int_equal(rig_call(r, "GET", "/v1/pools", "{}"), 400);
    assert_int_equal(rig_call(r, "POST", "/v1/pools", ""), 400);
}

static void body_over_the_limit_is_413(void **state)
{
    struct rig *r = *state;
    char *bytes = calloc(1, WEB_BODY_BYTES_MAX + 4096);
    assert_non_null(bytes);
    int head = snprintf(bytes, 512,
                        "POST /v1/pools HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                        WEB_BODY_BYTES_MAX + 1);
    memset(bytes + head, ' ', WEB_BODY_BYTES_MAX + 1);
    /* Refused by its length alone: the body need not be sent. */
    assert_int_equal(raw(r, bytes, (size_t)head), 413);
    client_close(&other);
    head = snprintf(bytes, 512,
                    "POST /v1/tokens HTTP/1.1\r\nHost: x\r\n"
                    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                    WEB_BODY_BYTES_MAX);
    memset(bytes + head, ' ', WEB_BODY_BYTES_MAX);
    int name = snprintf(bytes + head, 64, "{\"name\":\"t\"}");
    bytes[head + name] = ' ';
    assert_int_equal(raw(r, bytes, (size_t)head + WEB_BODY_BYTES_MAX), 201);
    client_close(&other);
    free(bytes);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
}

static void headers_over_the_limit_are_refused(void **state)
{
    struct rig *r = *state;
    static char bytes[4 * WEB_HEADERS_BYTES_MAX];
    int head = snprintf(bytes, 512, "GET /v1 HTTP/1.1\r\nHost: x\r\nX: ");
    memset(bytes + head, 'x', sizeof(bytes) - (size_t)head);
    int status = raw(r, bytes, sizeof(bytes));
    assert_true(status == 400 || status == 413 || status == 0);
    assert_true(client_sees_end(&other));
    client_close(&other);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
}

static void garbage_is_refused_and_the_next_served(void **state)
{
    static const char *const cases[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02",
        "GET /v1 HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1 HTTP/1.1\r\nno colon\r\n\r\n",
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
        client_send(&other, cases[i], strlen(cases[i]));
        rig_pump(r);
        client_close(&other);
        rig_pump(r);
        assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    }
}

static const char make_token[] =
    "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    "Content-Length: 12\r\n\r\n{\"name\":\"t\"}";

static void client_that_left_is_not_answered_but_its_change_stands(void **state)
{
    struct rig *r = *state;
    fake_hold(r->m);
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    assert_true(client_send(&other, make_token, strlen(make_token)));
    rig_wait_held(r, 1);
    client_close(&other);
    rig_pump(r);
    fake_release(r->m);
    rig_settle(r);
    assert_int_equal(rig_call(r, "GET", "/v1/tokens", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/name"), "t");
}

static void other_requests_pass_one_that_waits(void **state)
{
    struct rig *r = *state;
    fake_hold(r->m);
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    assert_true(client_send(&other, make_token, strlen(make_token)));
    rig_wait_held(r, 1);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    fake_release(r->m);
    assert_true(client_receive(&other, false, &r->answer));
    assert_int_equal(r->answer.status, 201);
    client_close(&other);
}

static void stop_ends_connections_and_drops_late_answers(void **state)
{
    struct rig *r = *state;
    fake_hold(r->m);
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    assert_true(client_send(&other, make_token, strlen(make_token)));
    rig_wait_held(r, 1);
    web_stop(TAKE(r->web));
    other.pump = NULL; /* not called: the end is there already */
    char byte;
    assert_int_equal(read(other.fd, &byte, 1), 0);
    assert_int_equal(access(r->socket, F_OK), -1);
    fake_release(r->m);
    loop_run_once(r->loop, false);
    client_close(&other);
}

static void connections_over_the_limit_are_closed(void **state)
{
    struct rig *r = *state;
    static int fds[WEB_CONNECTIONS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
        fds[i] = other.fd;
        rig_pump(r);
    }
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
    assert_true(client_sees_end(&other));
    client_close(&other);
    close(fds[0]);
    rig_settle(r);
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(r->answer.body, "\nashlar_api_connections_refused_total 1\n"));
    for (size_t i = 1; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void one_address_has_its_share_of_connections(void **state)
{
    struct rig *r = *state;
    static int fds[WEB_ADDRESS_CONNECTIONS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r),
                         0);
        fds[i] = other.fd;
        rig_pump(r);
    }
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    assert_true(client_sees_end(&other));
    client_close(&other);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    close(fds[0]);
    rig_settle(r);
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    assert_int_equal(rig_call_on(r, &other, "GET", "/healthz", NULL), 200);
    client_close(&other);
    for (size_t i = 1; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

/* In the lock a good token is no better than a bad one: nothing tells the two. */
static void guessing_locks_the_address_out(void **state)
{
    struct rig *r = *state;
    static struct answer bad;
    char good[64], after[16];
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    snprintf(good, sizeof(good), "%s", rig_text(r, "token"));
    assert_int_equal(client_open_tcp(&other, web_tcp_address(r->web), rig_pump, r), 0);
    for (int i = 0; i < 2 * WEB_AUTH_FAILURES_MAX; i++) /* no token is no guess */
        assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 401);
    snprintf(other.token, sizeof(other.token), "ashlar_guess");
    for (int i = 0; i < WEB_AUTH_FAILURES_MAX; i++)
        assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 401);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 429);
    bad = r->answer;
    snprintf(other.token, sizeof(other.token), "%s", good);
    assert_int_equal(rig_call_on(r, &other, "GET", "/v1", NULL), 429);
    assert_string_equal(rig_text(r, "type"), "/problems/too-many-failures");
    assert_int_equal(r->answer.body_bytes, bad.body_bytes);
    answer_header(&r->answer, "Retry-After", after, sizeof(after));
    assert_in_range(strtol(after, NULL, 10), 1, WEB_AUTH_LOCK_S);
    assert_int_equal(rig_call_on(r, &other, "GET", "/nowhere", NULL), 429);
    assert_int_equal(rig_call_on(r, &other, "GET", "/healthz", NULL), 200);
    client_close(&other);
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(r->answer.body, "\nashlar_api_auth_failures_total 10\n"));
    assert_non_null(strstr(r->answer.body, "\nashlar_api_auth_locked_total 3\n"));
}

static void draining_refuses_changes_and_answers_reads(void **state)
{
    struct rig *r = *state;
    char after[16];
    web_drain(r->web);
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 503);
    answer_header(&r->answer, "Retry-After", after, sizeof(after));
    assert_true(strtol(after, NULL, 10) > 0);
    assert_int_equal(rig_call(r, "DELETE", "/v1/tokens/t", NULL), 503);
    assert_int_equal(rig_call(r, "GET", "/readyz", NULL), 503);
    assert_int_equal(rig_call(r, "GET", "/healthz", NULL), 200);
    assert_int_equal(rig_call(r, "GET", "/v1/tokens", NULL), 200);
}

static void second_daemon_is_refused_the_socket(void **state)
{
    struct rig *r = *state;
    struct web *second = NULL;
    struct err e = {0};
    const struct web_options options = {.lunmgr = r->m,
                                        .target = r->target,
                                        .control = r->loop,
                                        .engine = "threads",
                                        .socket_path = r->socket};
    assert_true(web_start(&options, &second, &e) < 0);
    assert_null(second);
    assert_string_equal(e.field, "socket_path");
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(tcp_wants_a_token_save_for_health),
        WITH_RIG(token_opens_tcp_until_it_is_deleted),
        WITH_RIG(near_tokens_are_refused),
        WITH_RIG(one_connection_serves_many_requests),
        WITH_RIG(pipelined_requests_are_answered_in_order),
        WITH_RIG(head_is_get_without_the_body),
        WITH_RIG(wrong_method_is_405_with_allow),
        WITH_RIG(unknown_method_is_evhttps_own_501),
        WITH_RIG(doubtful_framing_ends_the_connection),
        WITH_RIG(target_with_scheme_and_host_is_taken),
        WITH_RIG(old_http_needs_no_host),
        WITH_RIG(chunked_body_is_taken),
        WITH_RIG(body_must_be_json_and_wanted),
        WITH_RIG(body_over_the_limit_is_413),
        WITH_RIG(headers_over_the_limit_are_refused),
        WITH_RIG(garbage_is_refused_and_the_next_served),
        WITH_RIG(client_that_left_is_not_answered_but_its_change_stands),
        WITH_RIG(other_requests_pass_one_that_waits),
        WITH_RIG(stop_ends_connections_and_drops_late_answers),
        WITH_RIG(connections_over_the_limit_are_closed),
        WITH_RIG(one_address_has_its_share_of_connections),
        WITH_RIG(guessing_locks_the_address_out),
        WITH_RIG(draining_refuses_changes_and_answers_reads),
        WITH_RIG(second_daemon_is_refused_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
