/* SPDX-License-Identifier: Apache-2.0 */
/* What the ring is given ends while it is given: the kernel tries each operation at once,
 * and MSG_DONTWAIT has it answer EAGAIN where it would wait. */
#include "target/sock_uring.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct sock_uring {
    bool has_ring;
    struct io_uring ring;
    struct msghdr msgs[SOCK_BATCH_MAX];
};

/* Flags for work that ends later have nothing to do here. */
static void ring_make(struct sock_uring *u)
{
    int rc = io_uring_queue_init(SOCK_BATCH_MAX, &u->ring, IORING_SETUP_SUBMIT_ALL);
    if (rc == -EINVAL) /* before Linux 5.18 */
        rc = io_uring_queue_init(SOCK_BATCH_MAX, &u->ring, 0);
    u->has_ring = rc == 0;
    if (rc != 0)
        log_info("sockets are read and sent to one by one", "reason=\"io_uring: %s\"",
                 strerror(-rc));
}

struct sock_uring *sock_uring_create(bool may_ring)
{
    struct sock_uring *u = calloc(1, sizeof(*u));
    if (u != NULL && may_ring)
        ring_make(u);
    return u;
}

void sock_uring_destroy(struct sock_uring *u)
{
    if (u != NULL && u->has_ring)
        io_uring_queue_exit(&u->ring);
    free(u);
}

bool sock_uring_has_ring(const struct sock_uring *u)
{
    return u->has_ring;
}

/* ---- one by one ---- */

/* readv() spares the kernel a message header; the socket does not block. */
static void run_one(struct sock_op *op)
{
    struct msghdr msg = {.msg_iov = op->iov, .msg_iovlen = op->iov_count};
    op->res = op->sends ? sendmsg(op->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT)
                        : readv(op->fd, op->iov, (int)op->iov_count);
    if (op->res < 0)
        op->res = -errno;
}

/* ---- by the ring ---- */

static void prep(struct io_uring_sqe *sqe, struct sock_op *op, struct msghdr *msg)
{
    struct iovec *iov = op->iov;
    *msg = (struct msghdr){.msg_iov = iov, .msg_iovlen = op->iov_count};
    if (op->sends && op->iov_count == 1)
        io_uring_prep_send(sqe, op->fd, iov->iov_base, iov->iov_len,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
    else if (op->sends)
        io_uring_prep_sendmsg(sqe, op->fd, msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    else if (op->iov_count == 1)
        io_uring_prep_recv(sqe, op->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT);
    else
        io_uring_prep_recvmsg(sqe, op->fd, msg, MSG_DONTWAIT);
    io_uring_sqe_set_data(sqe, op);
}

/* How many have ended. */
static size_t ring_reap(struct sock_uring *u)
{
    struct io_uring_cqe *cqes[SOCK_BATCH_MAX];
    unsigned count = io_uring_peek_batch_cqe(&u->ring, cqes, SOCK_BATCH_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct sock_op *op = io_uring_cqe_get_data(cqes[i]);
        op->res = cqes[i]->res;
    }
    io_uring_cq_advance(&u->ring, count);
    return count;
}

/* A kernel short of memory, or one older than 5.18 whose operation was refused, takes the
 * rest when asked again. */
static void run_by_ring(struct sock_uring *u, struct sock_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        assert(sqe != NULL);
        prep(sqe, &ops[i], &u->msgs[i]);
    }
    for (size_t ended = 0; ended < count; ended += ring_reap(u)) {
        int rc = io_uring_submit_and_wait(&u->ring, 1);
        assert(rc >= 0 || rc == -EAGAIN || rc == -EBUSY || rc == -EINTR || rc == -ENOMEM);
    }
}

void sock_run(struct sock_uring *u, struct sock_op *ops, size_t count)
{
    assert(count <= SOCK_BATCH_MAX);
    if (count > 1 && u->has_ring) {
        run_by_ring(u, ops, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        run_one(&ops[i]);
}
