/* SPDX-License-Identifier: Apache-2.0 */
/* What HTTP itself may be asked wrongly or slowly, over real sockets: each is answered
 * with its status or not at all, the connection ends, and the next one is served. */
#include "cm.h"
#include "literal.h"
#include "rig.h"
#include "web/limits.h"

#include <stdio.h>
#include <string.h>

static struct client other;

#define POOLS   "POST /v1/pools HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
#define CHUNKED POOLS "Transfer-Encoding: chunked\r\n\r\n"

static void open_other(struct rig *r)
{
    assert_int_equal(client_open_unix(&other, r->socket, rig_pump, r), 0);
}

/* The next connection is served. */
static void expect_served(struct rig *r)
{
    client_close(&r->client);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
}

static void close_other(struct rig *r)
{
    assert_true(client_sees_end(&other));
    client_close(&other);
    expect_served(r);
}

static void expect_refused(struct rig *r, const struct text *t, int status)
{
    open_other(r);
    assert_true(client_send(&other, t->bytes, t->count));
    if (!client_receive(&other, false, &r->answer))
        fail_msg("no answer to %s", t->bytes);
    if (r->answer.status != status)
        fail_msg("%d: %s", r->answer.status, t->bytes);
    close_other(r);
}

static void what_two_readers_might_not_agree_on_is_400(void **state)
{
    static const struct text cases[] = {
        TEXT("GET /v1 HTTP/1.1\nHost: x\n\n"),
        TEXT("GET /v1 HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"),
        TEXT("GET /v1\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        TEXT("GET /v1 HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"),
        TEXT("GET /v1 HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n"),
        TEXT("GET /v1 HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n"),
        TEXT(POOLS "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        TEXT(POOLS "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        TEXT(POOLS "Transfer-Encoding: identity\r\n\r\n"),
        TEXT(POOLS "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "0\r\n\r\n"),
        TEXT(POOLS "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"),
        TEXT("POST /v1/pools HTTP/1.0\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        TEXT(POOLS "Content-Length: 2\0\r\n\r\n{}"),
        TEXT(POOLS "Content-Length: 2, 2\r\n\r\n{}"),
        TEXT(POOLS "Content-Length: 0x2\r\n\r\n{}"),
        TEXT(POOLS "Content-Length: -2\r\n\r\n{}"),
        TEXT(CHUNKED "0x2\r\n{}\r\n0\r\n\r\n"),
        TEXT(CHUNKED "+2\r\n{}\r\n0\r\n\r\n"),
        TEXT(CHUNKED "2 x\r\n{}\r\n0\r\n\r\n"),
        TEXT(CHUNKED "2\r\n{}0\r\n\r\n"),
        TEXT(CHUNKED "2\r\n{}\r\n0\r\nHost: y\r\n\r\n"),
        TEXT(CHUNKED "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n"),
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(r, &cases[i], 400);
}

/* evhttp says 413 of every chunk that it cannot read. */
static void sizes_that_are_none_or_too_large_are_413(void **state)
{
    static const struct text cases[] = {
        TEXT(POOLS "Content-Length: 99999999999999999999\r\n\r\n{}"),
        TEXT(CHUNKED "zz\r\n"),
        TEXT(CHUNKED "-1\r\n"),
        TEXT(CHUNKED "2;name=value\r\n{}\r\n0\r\n\r\n"),
        TEXT(CHUNKED "ffffffffffffffff\r\n"),
        TEXT(CHUNKED "7fffffffffffffff\r\n"),
        TEXT(CHUNKED "100001\r\n"),
        TEXT(CHUNKED "2\r\n{}\r\n100000\r\n"),
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(r, &cases[i], 413);
}

static void a_request_line_without_end_is_400(void **state)
{
    struct rig *r = *state;
    static char bytes[WEB_HEADERS_BYTES_MAX + 1];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t i = 0; i < 5; i++)
        bytes[i] = "GET /"[i];
    expect_refused(r, &(struct text){bytes, sizeof(bytes)}, 400);
}

static void an_absolute_form_is_the_path_in_it(void **state)
{
    static const char text[] =
        "GET http://example.org/healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    struct rig *r = *state;
    open_other(r);
    assert_true(client_send(&other, text, strlen(text)));
    assert_true(client_receive(&other, false, &r->answer));
    assert_int_equal(r->answer.status, 200);
    client_close(&other);
}

static void who_expects_100_gets_it_and_nobody_gets_more(void **state)
{
    static const char head[] = "POST /v1/tokens HTTP/1.1\r\nHost: x\r\n"
                               "Content-Type: application/json\r\n"
                               "Expect: 100-continue\r\nContent-Length: 12\r\n\r\n";
    static const char body[] = "{\"name\":\"t\"}";
    static const struct text more =
        TEXT(POOLS "Expect: tea\r\nContent-Length: 2\r\n\r\n{}");
    struct rig *r = *state;
    open_other(r);
    assert_true(client_send(&other, head, strlen(head)));
    assert_true(client_receive(&other, false, &r->answer));
    assert_int_equal(r->answer.status, 100);
    assert_true(client_send(&other, body, strlen(body)));
    assert_true(client_receive(&other, false, &r->answer));
    assert_int_equal(r->answer.status, 201);
    client_close(&other);
    expect_refused(r, &more, 417);
}

static void a_fault_is_told_of_its_own_request(void **state)
{
    static const struct text three =
        TEXT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
             "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\n"
             "c\r\n{\"name\":\"t\"}\r\n0\r\n\r\n"
             "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n");
    static const int statuses[] = {200, 201, 400};
    struct rig *r = *state;
    open_other(r);
    assert_true(client_send(&other, three.bytes, three.count));
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        assert_true(client_receive(&other, false, &r->answer));
        assert_int_equal(r->answer.status, statuses[i]);
    }
    assert_non_null(strstr(r->answer.body, "folded"));
    close_other(r);
}

/* ---- Slowly ------------------------------------------------------------------------ */

/* Sends the head, then more and more of the piece until the connection is closed. */
static void expect_closed_while_sending(struct rig *r, const char *head,
                                        const char *piece)
{
    open_other(r);
    assert_true(client_send(&other, head, strlen(head)));
    while (client_send(&other, piece, strlen(piece)))
        continue;
    client_close(&other);
    expect_served(r);
}

static void who_is_slow_is_closed(void **state)
{
    struct rig *r = *state;
    expect_closed_while_sending(r, "", "X");
    expect_closed_while_sending(r, "GET /v1 HTTP/1.1\r\nHost: x\r\nX: ", "x");
    expect_closed_while_sending(r, "GET /v1 HTTP/1.1\r\nHost: x\r\n", "X: y\r\n");
    expect_closed_while_sending(r, POOLS "Content-Length: 1000000\r\n\r\n", " ");
    expect_closed_while_sending(r, CHUNKED, "1\r\n \r\n");
}

/* More of a chunk's line than fits is read no more; then its time is over. */
static void a_chunk_line_without_end_is_closed(void **state)
{
    struct rig *r = *state;
    static char piece[64 * 1024];
    memset(piece, 'x', sizeof(piece) - 1);
    expect_closed_while_sending(r, CHUNKED "2 ", piece);
}

static void who_says_nothing_is_closed(void **state)
{
    struct rig *r = *state;
    open_other(r);
    close_other(r);
    open_other(r);
    assert_true(client_send(&other, "GET", 3));
    close_other(r);
    open_other(r);
    assert_true(client_send(&other, CHUNKED, strlen(CHUNKED)));
    close_other(r);
}

int main(void)
{
#define WITH_HASTE(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, rig_setup_hasty, rig_teardown)
    const struct CMUnitTest tests[] = {
        WITH_RIG(what_two_readers_might_not_agree_on_is_400),
        WITH_RIG(sizes_that_are_none_or_too_large_are_413),
        WITH_RIG(a_request_line_without_end_is_400),
        WITH_RIG(an_absolute_form_is_the_path_in_it),
        WITH_RIG(who_expects_100_gets_it_and_nobody_gets_more),
        WITH_RIG(a_fault_is_told_of_its_own_request),
        WITH_HASTE(who_is_slow_is_closed),
        WITH_HASTE(a_chunk_line_without_end_is_closed),
        WITH_HASTE(who_says_nothing_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
