/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file and the flags. */
#include "target/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config;

/* Loads with a file of this text, and up to two arguments. */
static int load(const char *text, const char *flag, const char *value, struct err *e)
{
    char path[] = "/tmp/ashlar-config.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    char *argv[6] = {(char *)(uintptr_t) "ashlard", (char *)(uintptr_t) "--config", path};
    int argc = 3;
    if (flag != NULL)
        argv[argc++] = (char *)(uintptr_t)flag;
    if (value != NULL)
        argv[argc++] = (char *)(uintptr_t)value;
    *e = (struct err){0};
    int rc = config_load(&config, argc, argv, e);
    unlink(path);
    return rc;
}

static void all_keys_are_read(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(load("# a comment\n"
                          "state-dir = /srv/ashlar\n"
                          "target-name = IQN.2026-01.org.example:Box\n"
                          "portal = 127.0.0.1:3261\n"
                          "portal = [::1]:3262\n"
                          "advertise = san.example.org\n"
                          "api-socket = none\n"
                          "api = 127.0.0.1:8080\n"
                          "api-tls = always\n"
                          "api-certificate = /etc/ashlar/api.pem\n"
                          "api-key = /etc/ashlar/api.key\n"
                          "reactors = 3\n"
                          "io-engine = threads\n"
                          "io-timeout = 2m\n"
                          "space-grace = 25s\n"
                          "log-level = debug\n"
                          "round-interval-ms = 500\n"
                          "leaf-cache = 64MiB\n"
                          "trash-retention = 12h\n"
                          "nop-interval = 0\n"
                          "nop-timeout = 2m\n"
                          "tcp-keepalive = 5m\n"
                          "tcp-user-timeout = 90\n",
                          NULL, NULL, &e),
                     0);
    assert_string_equal(config.state_dir, "/srv/ashlar");
    assert_string_equal(config.target_name, "iqn.2026-01.org.example:box");
    assert_int_equal(config.portals.count, 2);
    assert_string_equal(config.portals.pointers[1], "[::1]:3262");
    assert_int_equal(config.advertise.count, 1);
    assert_string_equal(config.api_socket, "");
    assert_string_equal(config.api, "127.0.0.1:8080");
    assert_true(config.api_tls_always);
    assert_string_equal(config.api_certificate, "/etc/ashlar/api.pem");
    assert_string_equal(config.api_key, "/etc/ashlar/api.key");
    assert_int_equal(config.reactors, 3);
    assert_int_equal(config.engine, ENGINE_THREADS);
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(config.space_grace_ms, 25000);
    assert_int_equal(config.round_interval_ms, 500);
    assert_int_equal(config.leaf_cache_bytes, 64 << 20);
    assert_int_equal(config.trash_retention_s, 12 * 3600);
    assert_int_equal(config.keepalive.nop_interval_s, 0);
    assert_int_equal(config.keepalive.nop_timeout_s, 120);
    assert_int_equal(config.keepalive.tcp_idle_s, 300);
    assert_int_equal(config.keepalive.tcp_unacked_s, 90);
}

static void flags_go_before_the_file(void **state)
{
    struct err e;
    static const char file[] =
        "portal = 127.0.0.1:1\nportal = 127.0.0.1:2\nreactors = 1\n";
    (void)state;
    assert_int_equal(load(file, "--portal", "127.0.0.1:3", &e), 0);
    assert_int_equal(config.portals.count, 1);
    assert_string_equal(config.portals.pointers[0], "127.0.0.1:3");
    assert_int_equal(load(file, "--reactors=2", NULL, &e), 0);
    assert_int_equal(config.reactors, 2);
    assert_int_equal(config.portals.count, 2);
}

static void nothing_said_is_enough(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(load("", NULL, NULL, &e), 0);
    assert_string_equal(config.portals.pointers[0], "[::]:3260");
    assert_in_range(config.reactors, 1, TARGET_REACTOR_MAX);
    assert_int_equal(config.leaf_cache_bytes, 256 << 20);
    assert_int_equal(config.trash_retention_s, 7 * 86400);
}

static void bounds_are_taken(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(load("leaf-cache = 8388608\ntrash-retention = 0\nspace-grace = 0\n",
                          NULL, NULL, &e),
                     0);
    assert_int_equal(config.space_grace_ms, 0);
    assert_int_equal(config.leaf_cache_bytes, 8388608);
    assert_int_equal(config.trash_retention_s, 0);
    assert_int_equal(load("leaf-cache = 1TiB\ntrash-retention = 3650d\n", NULL, NULL, &e),
                     0);
    assert_int_equal(config.trash_retention_s, 315360000);
}

static void the_example_is_accepted_with_every_key_set(void **state)
{
    struct err e;
    char text[8192] = "", line[512];
    FILE *f = fopen(ASHLAR_SOURCE_DIR "/packaging/ashlard.conf.example", "re");
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        /* A key with its default stands behind one #, without a blank. */
        const char *key =
            line[0] == '#' && line[1] >= 'a' && line[1] <= 'z' ? line + 1 : "";
        strncat(text, key, sizeof(text) - strlen(text) - 1);
    }
    fclose(f);
    assert_int_equal(load(text, NULL, NULL, &e), 0);
    struct config all = config;
    struct target_limits presets;
    target_limits_preset(&presets);
    assert_memory_equal(&all.limits, &presets, sizeof(presets));
    assert_int_equal(load("", NULL, NULL, &e), 0);
    char differs[256];
    config.reactors = all.reactors; /* as many as there are CPUs */
    config_compare(&all, &config, differs, sizeof(differs));
    assert_string_equal(differs, "target-name");
}

static int load_limit(enum target_limit limit, uint64_t value, struct err *e)
{
    char line[128];
    snprintf(line, sizeof(line), "%s = %llu\n", target_limit_rule(limit)->name,
             (unsigned long long)value);
    return load(line, NULL, NULL, e);
}

static void limits_are_taken_inside_their_range(void **state)
{
    struct err e;
    (void)state;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        enum target_limit limit = (enum target_limit)i;
        const struct target_limit_rule *rule = target_limit_rule(limit);
        assert_int_equal(load("", NULL, NULL, &e), 0);
        assert_int_equal(config.limits.values[i], rule->preset);
        assert_int_equal(load_limit(limit, rule->low, &e), 0);
        assert_int_equal(config.limits.values[i], rule->low);
        assert_int_equal(load_limit(limit, rule->high, &e), 0);
        assert_int_equal(config.limits.values[i], rule->high);
        assert_int_equal(load_limit(limit, rule->low - 1, &e), -EINVAL);
        assert_non_null(strstr(e.text, rule->name));
        assert_int_equal(load_limit(limit, rule->high + 1, &e), -EINVAL);
        assert_non_null(strstr(e.text, rule->name));
    }
}

/* The help has the presets in words. */
static void the_help_says_the_limits_that_are_kept(void **state)
{
    struct err e;
    char help[16384] = "", line[128];
    FILE *f = fmemopen(help, sizeof(help), "w");
    (void)state;
    assert_non_null(f);
    config_print_help(f);
    fclose(f);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct target_limit_rule *rule = target_limit_rule((enum target_limit)i);
        snprintf(line, sizeof(line), "--%s VALUE", rule->name);
        const char *at = strstr(help, line);
        assert_non_null(at);
        at = strstr(at, "(default: ");
        assert_non_null(at);
        at += strlen("(default: ");
        snprintf(line, sizeof(line), "%s = %.*s\n", rule->name, (int)strcspn(at, ")"),
                 at);
        assert_int_equal(load(line, NULL, NULL, &e), 0);
        assert_int_equal(config.limits.values[i], rule->preset);
    }
}

/* One line that names what is wrong and what is accepted. */
static void bad_input_is_named(void **state)
{
    static const struct {
        const char *text, *flag, *value;
        const char *says[3];
    } cases[] = {
        {"\nno-such-key = 1\n", NULL, NULL, {":2:", "no-such-key", "io-engine"}},
        {"[target]\nreactors = 1\n", NULL, NULL, {":2:", "target", "section"}},
        {"reactors = many\n", NULL, NULL, {":1: reactors", "many", "1 to 16"}},
        {"reactors = 0\n", NULL, NULL, {"reactors", "'0'", "1 to 16"}},
        {"reactors = 17\n", NULL, NULL, {"reactors", "'17'", "1 to 16"}},
        {"reactors = 0x2\n", NULL, NULL, {"reactors", "0x2", "1 to 16"}},
        {"reactors =\n", NULL, NULL, {":1: reactors", "''", "1 to 16"}},
        {"max-logins = 0\n", NULL, NULL, {"max-logins", "'0'", "1 to 4096"}},
        {"login-timeout = 6m\n", NULL, NULL, {"login-timeout", "6m", "1s to 300s"}},
        {"max-recv-segment = 2MiB\n",
         NULL,
         NULL,
         {"max-recv-segment", "2MiB", "512B to 1MiB"}},
        {"io-engine = magic\n", NULL, NULL, {"io-engine", "magic", "uring or threads"}},
        {"io-timeout = 4s\n", NULL, NULL, {"io-timeout", "'4s'", "from 5s to 1h"}},
        {"io-timeout = 61m\n", NULL, NULL, {"io-timeout", "61m", "from 5s to 1h"}},
        {"io-timeout = never\n", NULL, NULL, {"io-timeout", "never", "seconds"}},
        {"space-grace = 26s\n", NULL, NULL, {"space-grace", "26s", "at most 25s"}},
        {"space-grace = long\n", NULL, NULL, {"space-grace", "long", "seconds"}},
        {"log-level = loud\n", NULL, NULL, {"log-level", "loud", "debug"}},
        {"portal = nowhere\n", NULL, NULL, {"portal", "nowhere", "ADDRESS:PORT"}},
        {"advertise = a b\n", NULL, NULL, {"advertise", "a b", "NAME:PORT"}},
        {"target-name = box\n", NULL, NULL, {"target-name", "box", "iqn."}},
        {"state-dir = here\n", NULL, NULL, {"state-dir", "here", "absolute path"}},
        {"round-interval-ms = 99\n", NULL, NULL, {"round-interval-ms", "99", "60000"}},
        {"nop-interval = 61m\n", NULL, NULL, {"nop-interval", "61m", "1h"}},
        {"nop-timeout = 0\n", NULL, NULL, {"nop-timeout", "0", "1s"}},
        {"tcp-keepalive = 10h\n", NULL, NULL, {"tcp-keepalive", "10h", "9h"}},
        {"tcp-user-timeout = soon\n", NULL, NULL, {"tcp-user-timeout", "soon", "1h"}},
        {"leaf-cache = 8388607\n", NULL, NULL, {"leaf-cache", "8388607", "8MiB"}},
        {"leaf-cache = 2TiB\n", NULL, NULL, {"leaf-cache", "2TiB", "1TiB"}},
        {"leaf-cache = much\n", NULL, NULL, {"leaf-cache", "much", "256MiB"}},
        {"trash-retention = 7y\n", NULL, NULL, {"trash-retention", "7y", "7d"}},
        {"trash-retention = -1\n", NULL, NULL, {"trash-retention", "-1", "seconds"}},
        {"trash-retention = 3651d\n", NULL, NULL, {"trash-retention", "3651d", "3650d"}},
        {"api-tls = never\n", NULL, NULL, {"api-tls", "never", "auto or always"}},
        {"api-key = k.pem\n", NULL, NULL, {"api-key", "k.pem", "absolute path"}},
        {"api-key = /k.pem\n", NULL, NULL, {"api-key", "api-certificate", "both"}},
        {"", "--api-certificate", "/c.pem", {"api-certificate", "api-key", "both"}},
        {"\n\nwhat is this\n", NULL, NULL, {":3:", "key = value", ""}},
        {"", "--reactors", NULL, {"--reactors", "missing", ""}},
        {"", "--reactors", "x", {"--reactors", "'x'", "1 to 16"}},
        {"", "--what", NULL, {"--what", "--help", ""}},
        {"", "what", NULL, {"'what'", "--help", ""}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e;
        assert_int_not_equal(load(cases[i].text, cases[i].flag, cases[i].value, &e), 0);
        assert_null(strchr(e.text, '\n'));
        for (size_t k = 0; k < 3; k++) {
            if (strstr(e.text, cases[i].says[k]) == NULL)
                fail_msg("'%s' is not in: %s", cases[i].says[k], e.text);
        }
    }
}

static void too_long_and_too_many_are_refused(void **state)
{
    struct err e;
    char text[4096];
    (void)state;
    memset(text, 'x', 2000);
    memcpy(text, "api = ", 6);
    text[2000] = '\n';
    text[2001] = '\0';
    assert_int_not_equal(load(text, NULL, NULL, &e), 0);
    assert_non_null(strstr(e.text, ":1:"));
    text[0] = '\0';
    for (int i = 0; i < CONFIG_LIST_MAX + 1; i++)
        strncat(text, "portal = 127.0.0.1:1\n", sizeof(text) - strlen(text) - 1);
    assert_int_not_equal(load(text, NULL, NULL, &e), 0);
    assert_non_null(strstr(e.text, "at most 16"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct err e = {0};
    char *argv[] = {(char *)(uintptr_t) "ashlard",
                    (char *)(uintptr_t) "--config=/no/such"};
    (void)state;
    assert_int_not_equal(config_load(&config, 2, argv, &e), 0);
    assert_non_null(strstr(e.text, "/no/such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_are_read),
        cmocka_unit_test(flags_go_before_the_file),
        cmocka_unit_test(nothing_said_is_enough),
        cmocka_unit_test(bounds_are_taken),
        cmocka_unit_test(the_help_says_the_limits_that_are_kept),
        cmocka_unit_test(the_example_is_accepted_with_every_key_set),
        cmocka_unit_test(limits_are_taken_inside_their_range),
        cmocka_unit_test(bad_input_is_named),
        cmocka_unit_test(too_long_and_too_many_are_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
