/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of what waits in a socket: over a short way, and only of what is TCP. */
#include "target/send_buffer.h"

#include "base/auto.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int send_buffer_of(int fd)
{
    int bytes = 0;
    socklen_t size = sizeof(bytes);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
    return bytes;
}

/* The accepted end of a connection over loopback; *other: its far end. */
static int connection(int *other)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0 && *other >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(connect(*other, (struct sockaddr *)&at, size), 0);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Once it is set Linux does not let it grow. A busy machine may take long to shake
 * hands, and the way is long then: others are tried. */
static void a_short_way_has_a_bound(void **state)
{
    bool bounded = false;
    (void)state;
    for (int i = 0; i < 100 && !bounded; i++) {
        int other, fd = connection(&other);
        int before = send_buffer_of(fd);
        send_buffer_bound(fd);
        bounded = send_buffer_of(fd) != before;
        assert_true(send_buffer_of(fd) <= 2 * (int)SEND_BUFFER_BYTES || !bounded);
        close(fd);
        close(other);
    }
    assert_true(bounded);
}

static void what_is_not_tcp_is_left_alone(void **state)
{
    int pair[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    int before = send_buffer_of(pair[0]);
    send_buffer_bound(pair[0]);
    send_buffer_bound(-1);
    assert_int_equal(send_buffer_of(pair[0]), before);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_way_has_a_bound),
        cmocka_unit_test(what_is_not_tcp_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
