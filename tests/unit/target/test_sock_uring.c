/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets read and sent to together: each operation has the answer that it would have by
 * itself, by the ring and without it. Skipped by the ring where there is no io_uring. */
#include "target/sock_uring.h"

#include "lunmgr/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PAIRS SOCK_BATCH_MAX

struct rig {
    struct sock_uring *sockets;
    int ours[PAIRS], theirs[PAIRS]; /* -1: closed */
    char in[PAIRS][64];
    struct iovec iov[PAIRS][2];
    struct sock_op ops[PAIRS];
};

static struct rig rig;

static int rig_setup(bool ring)
{
    memset(&rig, 0, sizeof(rig));
    rig.sockets = sock_uring_create(ring);
    if (rig.sockets == NULL)
        return -1;
    for (int i = 0; i < PAIRS; i++) {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
            return -1;
        rig.ours[i] = fds[0];
        rig.theirs[i] = fds[1];
    }
    return 0;
}

static int setup_ring(void **state)
{
    (void)state;
    return rig_setup(true);
}

static int setup_alone(void **state)
{
    (void)state;
    return rig_setup(false);
}

static int rig_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        close(rig.ours[i]);
        if (rig.theirs[i] >= 0)
            close(rig.theirs[i]);
    }
    sock_uring_destroy(rig.sockets);
    return 0;
}

static void peer_closes(int i)
{
    close(rig.theirs[i]);
    rig.theirs[i] = -1;
}

/* Two parts: the first has room for 4 bytes. */
static void ask_read(int i)
{
    rig.iov[i][0] = (struct iovec){.iov_base = rig.in[i], .iov_len = 4};
    rig.iov[i][1] = (struct iovec){.iov_base = rig.in[i] + 32, .iov_len = 16};
    rig.ops[i] = (struct sock_op){
        .fd = rig.ours[i], .iov = rig.iov[i], .iov_count = i % 2 == 0 ? 2 : 1};
}

static void ask_send(int i, const char *text)
{
    rig.iov[i][0] = (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = 3};
    rig.iov[i][1] =
        (struct iovec){.iov_base = (void *)(uintptr_t)(text + 3), .iov_len = 5};
    rig.ops[i] = (struct sock_op){.fd = rig.ours[i],
                                  .sends = true,
                                  .iov = rig.iov[i],
                                  .iov_count = i % 2 == 0 ? 2 : 1};
}

static void each_reads_what_came_for_it(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%02d______", i);
        assert_int_equal(write(rig.theirs[i], text, 8), 8);
        ask_read(i);
    }
    sock_run(rig.sockets, rig.ops, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%02d__", i);
        assert_int_equal(rig.ops[i].res, i % 2 == 0 ? 8 : 4);
        assert_memory_equal(rig.in[i], text, 4);
        assert_memory_equal(rig.in[i] + 32, i % 2 == 0 ? "____" : "\0\0\0\0", 4);
    }
}

static void each_sends_its_own(void **state)
{
    char texts[PAIRS][16];
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%02d abcde", i);
        ask_send(i, texts[i]);
    }
    sock_run(rig.sockets, rig.ops, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        char got[16];
        ssize_t bytes = i % 2 == 0 ? 8 : 3;
        assert_int_equal(rig.ops[i].res, bytes);
        assert_int_equal(read(rig.theirs[i], got, sizeof(got)), bytes);
        assert_memory_equal(got, texts[i], (size_t)bytes);
    }
}

/* None of them waits, and none keeps another from its answer. */
static void those_that_cannot_say_so(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++)
        ask_read(i);
    assert_int_equal(write(rig.theirs[5], "here", 4), 4);
    peer_closes(6); /* 7 has nothing yet */
    peer_closes(8);
    ask_send(8, "nobody..");
    ask_send(9, "somebody");
    int was = rig.ops[10].fd;
    rig.ops[10].fd = 1 << 20;
    sock_run(rig.sockets, rig.ops, PAIRS);
    assert_int_equal(rig.ops[5].res, 4);
    assert_int_equal(rig.ops[6].res, 0);
    assert_int_equal(rig.ops[7].res, -EAGAIN);
    assert_int_equal(rig.ops[8].res, -EPIPE); /* and no signal */
    assert_int_equal(rig.ops[9].res, 3);
    assert_int_equal(rig.ops[10].res, -EBADF);
    for (int i = 11; i < PAIRS; i++)
        assert_int_equal(rig.ops[i].res, -EAGAIN);
    /* What came is the next one's. */
    assert_int_equal(write(rig.theirs[7], "later", 5), 5);
    ask_read(6);
    ask_read(7);
    rig.ops[10].fd = was;
    sock_run(rig.sockets, rig.ops + 6, 2);
    assert_int_equal(rig.ops[6].res, 0);
    assert_int_equal(rig.ops[7].res, 4);
}

static void a_full_socket_takes_a_part(void **state)
{
    static char much[4U << 20];
    (void)state;
    for (int i = 0; i < 2; i++) {
        rig.iov[i][0] = (struct iovec){.iov_base = much, .iov_len = sizeof(much)};
        rig.ops[i] = (struct sock_op){
            .fd = rig.ours[i], .sends = true, .iov = rig.iov[i], .iov_count = 1};
    }
    sock_run(rig.sockets, rig.ops, 2);
    for (int i = 0; i < 2; i++)
        assert_in_range(rig.ops[i].res, 1, sizeof(much) - 1);
    sock_run(rig.sockets, rig.ops, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(rig.ops[i].res, -EAGAIN);
}

static void it_has_a_ring_where_it_may(void **state)
{
    (void)state;
    assert_true(sock_uring_has_ring(rig.sockets));
}

static void it_has_none_where_it_may_not(void **state)
{
    (void)state;
    assert_false(sock_uring_has_ring(rig.sockets));
    sock_run(rig.sockets, rig.ops, 0);
}

#define RING(test)  cmocka_unit_test_setup_teardown(test, setup_ring, rig_teardown)
#define ALONE(test) cmocka_unit_test_setup_teardown(test, setup_alone, rig_teardown)

int main(void)
{
    const struct CMUnitTest alone[] = {
        ALONE(each_reads_what_came_for_it),  ALONE(each_sends_its_own),
        ALONE(those_that_cannot_say_so),     ALONE(a_full_socket_takes_a_part),
        ALONE(it_has_none_where_it_may_not),
    };
    const struct CMUnitTest ring[] = {
        RING(each_reads_what_came_for_it), RING(each_sends_its_own),
        RING(those_that_cannot_say_so),    RING(a_full_socket_takes_a_part),
        RING(it_has_a_ring_where_it_may),
    };
    struct err e = {.code = 0};
    int failed = cmocka_run_group_tests(alone, NULL, NULL);
    if (engine_probe_uring(&e) != 0)
        printf("without io_uring: %s\n", e.text);
    else
        failed += cmocka_run_group_tests(ring, NULL, NULL);
    return failed;
}
