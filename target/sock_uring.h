/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and sends of many sockets by one system call: by io_uring where the kernel lets
 * us, else one by one. An operation never waits (MSG_DONTWAIT) and is over when
 * sock_run returns: nothing is under way between two calls, and memory stays the
 * caller's. One thread at a time runs it. */
#ifndef TARGET_SOCK_URING_H
#define TARGET_SOCK_URING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#define SOCK_BATCH_MAX 32

struct sock_op {
    int fd;
    bool sends; /* else it reads */
    struct iovec *iov;
    size_t iov_count;
    ssize_t res; /* bytes (of a read 0: the end of the stream), or -errno */
};

struct sock_uring;

/* may_ring: false: io_uring is not to be used. NULL: no memory. */
struct sock_uring *sock_uring_create(bool may_ring);
/* NULL is allowed. */
void sock_uring_destroy(struct sock_uring *u);

/* Does them all, at most SOCK_BATCH_MAX, of sockets that differ. */
void sock_run(struct sock_uring *u, struct sock_op *ops, size_t count);
bool sock_uring_has_ring(const struct sock_uring *u);

#endif
