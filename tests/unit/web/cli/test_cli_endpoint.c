/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon is looked for where the manual says, and a token goes nowhere else. */
#include "web/cli/endpoint.h"

#include "cli_rig.h"

#define TOKEN "ashlar_0123456789012345678901234567890123456789012"

static int clear_environment(void **state)
{
    (void)state;
    return unsetenv("ASHLAR_URL") | unsetenv("ASHLAR_SOCKET") | unsetenv("ASHLAR_TOKEN") |
           unsetenv("ASHLAR_CACERT");
}

static enum outcome find(struct endpoint *endpoint, char *const *words)
{
    struct args args;
    assert_int_equal(rig_read(&args, words), OUTCOME_DONE);
    enum outcome outcome = endpoint_find(endpoint, &args);
    args_fini(&args);
    return outcome;
}

static void expect_refused(char *const *words, const char *part)
{
    struct endpoint endpoint;
    rig_catch();
    enum outcome outcome = find(&endpoint, words);
    AUTO_FREE char *text = rig_caught();
    endpoint_fini(&endpoint);
    assert_int_equal(outcome, OUTCOME_USAGE);
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in: %s", part, text);
    assert_null(strstr(text, TOKEN));
}

static void flags_go_before_the_environment_and_the_default(void **state)
{
    struct endpoint e;
    (void)state;
    assert_int_equal(find(&e, WORDS("status")), OUTCOME_DONE);
    assert_string_equal(e.socket, "/run/ashlar/api.sock");
    assert_int_equal(e.timeout_s, 300);
    endpoint_fini(&e);

    setenv("ASHLAR_SOCKET", "/s", 1);
    assert_int_equal(find(&e, WORDS("status")), OUTCOME_DONE);
    assert_string_equal(e.socket, "/s");
    endpoint_fini(&e);

    setenv("ASHLAR_URL", "http://127.0.0.1:8480/", 1);
    assert_int_equal(find(&e, WORDS("status")), OUTCOME_DONE);
    assert_null(e.socket);
    assert_string_equal(e.base, "http://127.0.0.1:8480");
    endpoint_fini(&e);

    assert_int_equal(find(&e, WORDS("status", "--socket", "/t", "--timeout", "7")),
                     OUTCOME_DONE);
    assert_string_equal(e.socket, "/t");
    assert_int_equal(e.timeout_s, 7);
    endpoint_fini(&e);

    assert_int_equal(find(&e, WORDS("status", "--url", "https://san:1")), OUTCOME_DONE);
    assert_string_equal(e.base, "https://san:1");
    endpoint_fini(&e);
}

static void a_token_is_for_urls_only(void **state)
{
    struct endpoint e;
    (void)state;
    setenv("ASHLAR_TOKEN", TOKEN, 1);
    assert_int_equal(find(&e, WORDS("status", "--socket", "/s")), OUTCOME_DONE);
    assert_string_equal(e.token, "");
    endpoint_fini(&e);
    assert_int_equal(find(&e, WORDS("status", "--url", "http://[::1]:1")), OUTCOME_DONE);
    assert_string_equal(e.token, TOKEN);
    endpoint_fini(&e);
    assert_string_equal(e.token, "");
    expect_refused(WORDS("status", "--socket", "/s", "--token-file", "/f"),
                   "--token-file");
}

static void a_token_crosses_no_plain_network(void **state)
{
    static const char *const near[] = {"http://127.0.0.1:1", "http://127.8.9.10",
                                       "http://localhost:1", "http://[::1]:1",
                                       "https://192.0.2.1"};
    static const char *const far[] = {"http://192.0.2.1:1", "http://127.example.org",
                                      "http://localhost.example.org", "http://san"};
    (void)state;
    setenv("ASHLAR_TOKEN", TOKEN, 1);
    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        struct endpoint e;
        assert_int_equal(find(&e, WORDS("status", "--url", (char *)(uintptr_t)near[i])),
                         OUTCOME_DONE);
        endpoint_fini(&e);
    }
    for (size_t i = 0; i < ARRAY_LEN(far); i++)
        expect_refused(WORDS("status", "--url", (char *)(uintptr_t)far[i]),
                       "is not sent over plain HTTP");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_token_file_holds_one_token(void **state)
{
    static const char *const good[] = {TOKEN, TOKEN "\n", "  " TOKEN " \r\n\n"};
    static const char *const bad[] = {
        "", "\n", TOKEN " x", TOKEN "\nx\n", TOKEN "\x7f", "ashlar_\xc3\xa4"};
    char path[] = "/tmp/ashlar-token.XXXXXX";
    (void)state;
    close(mkstemp(path));
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct endpoint e;
        write_file(path, good[i]);
        assert_int_equal(find(&e, WORDS("status", "--url", "http://127.0.0.1:1",
                                        "--token-file", path)),
                         OUTCOME_DONE);
        assert_string_equal(e.token, TOKEN);
        endpoint_fini(&e);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        write_file(path, bad[i]);
        expect_refused(
            WORDS("status", "--url", "http://127.0.0.1:1", "--token-file", path),
            "holds no token");
    }
    unlink(path);
    expect_refused(WORDS("status", "--url", "http://127.0.0.1:1", "--token-file", path),
                   "No such file");
}

static void a_certificate_is_for_https_only(void **state)
{
    struct endpoint e;
    char path[] = "/tmp/ashlar-cacert.XXXXXX";
    (void)state;
    close(mkstemp(path));
    assert_int_equal(find(&e, WORDS("status", "--url", "https://san:1")), OUTCOME_DONE);
    assert_null(e.cacert);
    endpoint_fini(&e);
    assert_int_equal(
        find(&e, WORDS("status", "--url", "https://san:1", "--cacert", path)),
        OUTCOME_DONE);
    assert_string_equal(e.cacert, path);
    endpoint_fini(&e);
    setenv("ASHLAR_CACERT", path, 1);
    assert_int_equal(find(&e, WORDS("status", "--url", "https://san:1")), OUTCOME_DONE);
    assert_string_equal(e.cacert, path);
    endpoint_fini(&e);
    assert_int_equal(find(&e, WORDS("status", "--url", "http://127.0.0.1:1")),
                     OUTCOME_DONE);
    assert_null(e.cacert);
    endpoint_fini(&e);
    expect_refused(WORDS("status", "--socket", "/s", "--cacert", path), "https://");
    expect_refused(WORDS("status", "--url", "http://127.0.0.1:1", "--cacert", path),
                   "https://");
    unlink(path);
    expect_refused(WORDS("status", "--url", "https://san:1"), "ASHLAR_CACERT /tmp");
    expect_refused(WORDS("status", "--url", "https://san:1", "--cacert", "/no/such"),
                   "--cacert /no/such: No such file");
}

static void what_is_no_place_of_a_daemon_is_refused(void **state)
{
    char path[200] = {0};
    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    expect_refused(WORDS("status", "--url", "ftp://127.0.0.1"), "is no URL");
    expect_refused(WORDS("status", "--url", "127.0.0.1:1"), "is no URL");
    expect_refused(WORDS("status", "--url="), "is no URL");
    expect_refused(WORDS("status", "--url", "http://u:p@127.0.0.1"), "no user");
    expect_refused(WORDS("status", "--url", "http://127.0.0.1/?a=b"), "no user, query");
    expect_refused(WORDS("status", "--socket", path), "accepted: 1 to 107");
    expect_refused(WORDS("status", "--socket="), "accepted: 1 to 107");
    expect_refused(WORDS("status", "--socket", "/s", "--url", "http://127.0.0.1"),
                   "--socket and --url");
    expect_refused(WORDS("status", "--timeout", "0"), "1 to 86400");
    expect_refused(WORDS("status", "--timeout", "1x"), "1 to 86400");
    expect_refused(WORDS("status", "--timeout", "99999"), "1 to 86400");
    expect_refused(WORDS("status", "--timeout="), "1 to 86400");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(flags_go_before_the_environment_and_the_default,
                               clear_environment),
        cmocka_unit_test_setup(a_token_is_for_urls_only, clear_environment),
        cmocka_unit_test_setup(a_token_crosses_no_plain_network, clear_environment),
        cmocka_unit_test_setup(a_token_file_holds_one_token, clear_environment),
        cmocka_unit_test_setup(a_certificate_is_for_https_only, clear_environment),
        cmocka_unit_test_setup(what_is_no_place_of_a_daemon_is_refused,
                               clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
