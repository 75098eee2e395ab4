/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of blocks as streams: their lines and their end, slow clients, those that go, and
 * what ends a list. */
#include "cm.h"
#include "rig.h"
#include "web/limits.h"
#include "web/server.h"

#include "lunmgr/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LOOKS_MAX   100000
#define LINES       "/v1/volumes/v/extents"
#define SLICES_LONG 2000 /* more than any socket takes */

static char text[4 << 20];
static size_t text_bytes;

/* ---- A client ---------------------------------------------------------------------- */

static void ask(struct rig *r, struct client *c, const char *path)
{
    char request[256];
    int length = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
    assert_int_equal(client_open_unix(c, r->socket, rig_pump, r), 0);
    assert_true(client_send(c, request, (size_t)length));
}

/* What has come; false: the end has. */
static bool read_some(struct client *c)
{
    assert_true(text_bytes < sizeof(text) - 1);
    ssize_t n =
        recv(c->fd, text + text_bytes, sizeof(text) - 1 - text_bytes, MSG_DONTWAIT);
    if (n > 0)
        text_bytes += (size_t)n;
    text[text_bytes] = '\0';
    c->pump(c->pump_arg);
    return n != 0;
}

/* The answer up to its end: its status. */
static int read_all(struct client *c)
{
    text_bytes = 0;
    for (int i = 0; i < LOOKS_MAX && read_some(c); i++)
        ;
    client_close(c);
    return (int)strtol(text + strlen("HTTP/1.x "), NULL, 10);
}

static json_t *line_at(const char *at)
{
    json_t *line = json_loadb(at, strcspn(at, "\n"), 0, NULL);
    assert_non_null(line);
    return line;
}

static long long number(const json_t *line, const char *member)
{
    return json_integer_value(json_object_get(line, member));
}

/* Of the answer that was read: ranges as the fake has them, then the last line, which the
 * caller frees. */
static json_t *assert_lines(unsigned ranges)
{
    const char *at = strstr(text, "\r\n\r\n");
    assert_non_null(at);
    at += 4;
    for (unsigned i = 0; i < ranges; i++) {
        json_t *line = line_at(at);
        assert_int_equal(number(line, "offset"), 2LL * i * 4096);
        assert_int_equal(number(line, "length"), 4096);
        assert_string_equal(json_string_value(json_object_get(line, "state")),
                            i % 2 != 0 ? "zero" : "data");
        json_decref(line);
        at = strchr(at, '\n') + 1;
    }
    json_t *last = line_at(at);
    assert_string_equal(strchr(at, '\n'), "\n"); /* nothing after it */
    return last;
}

static void assert_no_lists(struct rig *r)
{
    unsigned slices;
    rig_settle(r);
    assert_int_equal(fake_diffs(r->m, &slices), 0);
    assert_int_equal(r->web->feed_count, 0);
}

static void assert_ends_with(unsigned ranges, const char *type)
{
    json_t *last = assert_lines(ranges);
    const json_t *error = json_object_get(last, "error");
    assert_string_equal(json_string_value(json_object_get(error, "type")), type);
    json_decref(last);
}

/* ---- The tests --------------------------------------------------------------------- */

static void a_list_is_lines_and_says_that_it_was_all(void **state)
{
    struct rig *r = *state;
    struct client c;
    rig_provision(r);
    for (unsigned slices = 0; slices < 4; slices++) {
        unsigned ranges = (slices + 1) * DIFF_RANGES_MAX;
        fake_diff_slices(r->m, slices);
        ask(r, &c, LINES);
        assert_int_equal(read_all(&c), 200);
        assert_non_null(strstr(text, "Content-Type: application/x-ndjson\r\n"));
        json_t *last = assert_lines(ranges);
        assert_true(json_is_true(json_object_get(last, "end")));
        assert_int_equal(number(last, "ranges"), ranges);
        assert_int_equal(number(last, "bytes"), 4096LL * ranges);
        assert_true(number(last, "size") > 0);
        json_decref(last);
        assert_no_lists(r);
    }
}

static void head_has_no_lines(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "HEAD", LINES, NULL), 200);
    assert_int_equal(rig_call(r, "HEAD", "/v1/volumes/nix/extents", NULL), 404);
    assert_no_lists(r);
}

static void what_is_refused_at_first_is_a_problem(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v/diff?from=nix", NULL), 422);
    assert_string_equal(rig_text(r, "parameter"), "from");
    fake_fail_next(r->m, -EINVAL, "from", "nothing in common");
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v/diff?from=v", NULL), 422);
    assert_string_equal(rig_text(r, "detail"), "nothing in common");
    fake_fail_next(r->m, -EIO, "", "no");
    assert_int_equal(rig_call(r, "GET", LINES, NULL), 500);
    assert_int_equal(rig_call(r, "GET", LINES "?length=-1", NULL), 400);
    assert_string_equal(rig_text(r, "parameter"), "length");
    assert_int_equal(rig_call(r, "GET", LINES "?from=v", NULL), 400);
    assert_no_lists(r);
}

/* A name that is a list's is a snapshot's name all the same. */
static void a_snapshot_may_have_the_name_of_a_list(void **state)
{
    struct rig *r = *state;
    struct client c;
    rig_provision(r);
    assert_int_equal(rig_call(r, "PUT", "/v1/snapshots/v/diff", "{}"), 201);
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/diff", NULL), 200);
    assert_string_equal(rig_text(r, "name"), "diff");
    assert_int_equal(rig_call(r, "GET", "/v1/snapshots/v/extents", NULL), 404);
    fake_diff_slices(r->m, 0);
    ask(r, &c, "/v1/snapshots/v/diff/diff?from=diff");
    assert_int_equal(read_all(&c), 200);
    json_decref(assert_lines(DIFF_RANGES_MAX));
}

static void an_error_in_the_middle_is_the_last_line(void **state)
{
    struct rig *r = *state;
    struct client c;
    rig_provision(r);
    fake_diff_slices(r->m, 3);
    fake_hold(r->m);
    ask(r, &c, LINES);
    rig_wait_held(r, 1);
    fake_fail_next(r->m, -ENOENT, "", "it is gone");
    fake_release(r->m); /* the second is asked for from inside */
    assert_int_equal(read_all(&c), 200);
    assert_ends_with(DIFF_RANGES_MAX, "/problems/not-found");
    assert_no_lists(r);
}

/* It is given what its socket takes, and then no slice is asked for. */
static void a_slow_client_holds_up_its_list_alone(void **state)
{
    struct rig *r = *state;
    struct client c;
    unsigned before, after;
    rig_provision(r);
    fake_diff_slices(r->m, SLICES_LONG);
    ask(r, &c, LINES);
    rig_settle(r);
    rig_settle(r);
    fake_diffs(r->m, &before);
    rig_settle(r);
    assert_int_equal(fake_diffs(r->m, &after), 1);
    assert_int_equal(before, after);
    assert_in_range(after, 1, SLICES_LONG / 10);
    text_bytes = 0;
    for (int i = 0; i < 100; i++) {
        text_bytes = 0;
        (void)read_some(&c);
    }
    fake_diffs(r->m, &after);
    assert_true(after > before);
    client_close(&c); /* and it goes */
    assert_no_lists(r);
}

static void a_client_that_goes_before_the_first_slice_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct client c;
    rig_provision(r);
    fake_hold(r->m);
    ask(r, &c, LINES);
    rig_wait_held(r, 1);
    client_close(&c);
    rig_settle(r);
    fake_release(r->m);
    assert_no_lists(r);
}

static void no_more_than_so_many_lists(void **state)
{
    struct rig *r = *state;
    static struct client c[WEB_FEEDS_MAX];
    rig_provision(r);
    fake_diff_slices(r->m, SLICES_LONG);
    for (unsigned i = 0; i < WEB_FEEDS_MAX; i++)
        ask(r, &c[i], LINES);
    rig_settle(r);
    assert_int_equal(rig_call(r, "GET", LINES, NULL), 503);
    client_close(&c[0]);
    rig_settle(r);
    assert_int_equal(rig_call(r, "HEAD", LINES, NULL), 200);
    for (unsigned i = 1; i < WEB_FEEDS_MAX; i++)
        client_close(&c[i]);
    assert_no_lists(r);
}

static void a_daemon_that_stops_says_so(void **state)
{
    struct rig *r = *state;
    struct client c;
    rig_provision(r);
    fake_diff_slices(r->m, SLICES_LONG);
    ask(r, &c, LINES);
    rig_settle(r);
    web_drain(r->web);
    assert_int_equal(read_all(&c), 200);
    char *last = strstr(text, "{\"error\"");
    assert_non_null(last);
    assert_non_null(strstr(last, "the daemon is stopping"));
    assert_int_equal(rig_call(r, "GET", LINES, NULL), 503);
    assert_no_lists(r);
}

/* The rig's end: a list whose first slice has not come, and one that is being read. */
static void a_stop_in_the_middle_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct client c, d;
    rig_provision(r);
    fake_diff_slices(r->m, SLICES_LONG);
    ask(r, &c, LINES);
    rig_settle(r);
    fake_hold(r->m);
    ask(r, &d, LINES);
    rig_wait_held(r, 1);
    web_stop(TAKE(r->web));
    fake_release(r->m);
    for (int i = 0; i < 10; i++)
        rig_pump(r);
    unsigned slices;
    assert_int_equal(fake_diffs(r->m, &slices), 0);
    client_close(&c);
    client_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_list_is_lines_and_says_that_it_was_all),
        WITH_RIG(head_has_no_lines),
        WITH_RIG(what_is_refused_at_first_is_a_problem),
        WITH_RIG(a_snapshot_may_have_the_name_of_a_list),
        WITH_RIG(an_error_in_the_middle_is_the_last_line),
        WITH_RIG(a_slow_client_holds_up_its_list_alone),
        WITH_RIG(a_client_that_goes_before_the_first_slice_leaves_nothing),
        WITH_RIG(no_more_than_so_many_lists),
        WITH_RIG(a_daemon_that_stops_says_so),
        WITH_RIG(a_stop_in_the_middle_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
