/* SPDX-License-Identifier: Apache-2.0 */
/* The listening sockets: stale, live and foreign files; addresses and what they reach. */
#include "web/listen.h"

#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static char dir[64], path[96];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s", "/tmp/ashlar-listen-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/s", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void socket_is_for_owner_and_group(void **state)
{
    struct listen_path made = {0};
    struct err e = {0};
    struct stat st;
    (void)state;
    int fd = listen_unix(path, &made, &e);
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    listen_path_remove(&made);
    assert_int_equal(stat(path, &st), -1);
    close(fd);
}

static void live_socket_is_left_alone(void **state)
{
    struct listen_path made = {0}, second = {0};
    struct err e = {0};
    (void)state;
    int fd = listen_unix(path, &made, &e);
    assert_true(fd >= 0);
    assert_int_equal(listen_unix(path, &second, &e), -EADDRINUSE);
    assert_string_equal(e.field, "socket_path");
    assert_int_equal(access(path, F_OK), 0);
    listen_path_remove(&made);
    close(fd);
}

static void stale_socket_is_replaced(void **state)
{
    struct listen_path made = {0};
    struct err e = {0};
    (void)state;
    int fd = listen_unix(path, &made, &e);
    assert_true(fd >= 0);
    close(fd); /* as a killed daemon does: the file stays */
    fd = listen_unix(path, &made, &e);
    assert_true(fd >= 0);
    close(fd);
}

static void file_that_is_no_socket_is_left_alone(void **state)
{
    struct listen_path made = {0};
    struct err e = {0};
    (void)state;
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(listen_unix(path, &made, &e), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
}

static void only_our_own_file_is_removed(void **state)
{
    struct listen_path made = {0};
    struct err e = {0};
    (void)state;
    int fd = listen_unix(path, &made, &e);
    assert_true(fd >= 0);
    unlink(path);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    close(file);
    listen_path_remove(&made);
    assert_int_equal(access(path, F_OK), 0);
    close(fd);
}

static void bad_paths_are_refused(void **state)
{
    struct listen_path made = {0};
    struct err e = {0};
    char longest[200];
    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(listen_unix(longest, &made, &e), -EINVAL);
    assert_int_equal(listen_unix("", &made, &e), -EINVAL);
    assert_int_equal(listen_unix("/nonexistent-directory/s", &made, &e), -ENOENT);
    assert_string_equal(e.field, "socket_path");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const cases[] = {
        "127.0.0.1",
        "localhost:80",
        "127.0.0.1:x",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        ":80",
        "",
        "::1:80",
        "[::1]",
        "127.0.0.1:80x",
        "[127.0.0.1]:80",
        "127.0.0.1:",
        "[]:80",
        "[:80",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char real[LISTEN_ADDRESS_MAX];
        struct listen_tcp tcp;
        struct err e = {0};
        if (listen_tcp(cases[i], real, &e) != -EINVAL ||
            listen_tcp_parse(cases[i], &tcp, &e) != -EINVAL)
            fail_msg("not refused: %s (%s)", cases[i], e.text);
        assert_string_equal(e.field, "tcp_address");
    }
}

/* On what is not loopback no token may be sent in clear: a mistake here shows it. */
static void loopback_is_told_from_all_else(void **state)
{
    static const struct {
        const char *address, *ip;
        bool is_loopback, is_any;
    } cases[] = {
        {"127.0.0.1:0", "127.0.0.1", true, false},
        {"127.255.0.9:80", "127.255.0.9", true, false},
        {"[::1]:80", "::1", true, false},
        {"0.0.0.0:0", "0.0.0.0", false, true},
        {"[::]:80", "::", false, true},
        {"192.0.2.1:80", "192.0.2.1", false, false},
        {"128.0.0.1:80", "128.0.0.1", false, false},
        {"[2001:db8::1]:80", "2001:db8::1", false, false},
        {"[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", false, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listen_tcp tcp;
        struct err e = {0};
        assert_int_equal(listen_tcp_parse(cases[i].address, &tcp, &e), 0);
        assert_string_equal(tcp.ip, cases[i].ip);
        assert_int_equal(tcp.is_loopback, cases[i].is_loopback);
        assert_int_equal(tcp.is_any, cases[i].is_any);
    }
}

static void real_port_is_told_and_taken_one_refused(void **state)
{
    char real[LISTEN_ADDRESS_MAX], again[LISTEN_ADDRESS_MAX];
    struct err e = {0};
    (void)state;
    int fd = listen_tcp("127.0.0.1:0", real, &e);
    assert_true(fd >= 0);
    assert_int_equal(strncmp(real, "127.0.0.1:", 10), 0);
    assert_string_not_equal(real, "127.0.0.1:0");
    assert_int_equal(listen_tcp(real, again, &e), -EADDRINUSE);
    close(fd);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        WITH_DIR(socket_is_for_owner_and_group),
        WITH_DIR(live_socket_is_left_alone),
        WITH_DIR(stale_socket_is_replaced),
        WITH_DIR(file_that_is_no_socket_is_left_alone),
        WITH_DIR(only_our_own_file_is_removed),
        cmocka_unit_test(bad_paths_are_refused),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(loopback_is_told_from_all_else),
        cmocka_unit_test(real_port_is_told_and_taken_one_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
