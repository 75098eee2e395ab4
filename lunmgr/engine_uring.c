/* SPDX-License-Identifier: Apache-2.0 */
/* The disk engine on io_uring, the only file that knows it. I/Os queue up during a turn;
 * the loop's hook hands them to the kernel with one call and collects answers. Answers
 * that come while the loop sleeps raise an eventfd on its libevent base. What is in
 * memory is moved here, without the ring.
 *
 * The best mode lets the kernel finish I/Os only while this thread is in it for that
 * (DEFER_TASKRUN): the eventfd then says that there is something to fetch, not that it is
 * in the ring, and TASKRUN_FLAG in the ring says the same to liburing, whose peek enters
 * the kernel when it is up. Such a ring belongs to the thread that enables it: it is made
 * disabled, and enabled at the first submission, on the loop's thread. */
#include "base/log.h"
#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define SQ_ENTRIES       256  /* handed over by one system call */
#define CQ_ENTRIES       2048 /* in flight in the kernel; more wait here */
#define REAP_BATCH       64
#define CALL_BYTES_MAX   (1U << 30) /* of one call; the rest is continued */
#define PROBE_TIMEOUT_MS 2000
#define PROBE_WAKES_MAX  8

/* Best first. All of them need what Linux 5.10 has. */
static const struct mode {
    const char *name;
    unsigned flags;
} modes[] = {
    /* Linux 6.1 */
    {"defer_taskrun", IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                          IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                          IORING_SETUP_TASKRUN_FLAG},
    /* Linux 5.19 */
    {"coop_taskrun",
     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG},
    {"plain", 0},
};

/* The probe's finding; written under its caller's pthread_once. */
static const struct mode *best_mode;

struct uring_engine {
    struct engine engine;
    struct loop *loop;
    struct loop_hook hook;
    struct io_uring ring;
    bool has_ring;
    bool enabled;
    int event_fd;
    struct event *event;
    struct engine_queue pending; /* to be submitted */
    struct engine_queue at_hand; /* in memory: to be done here */
    unsigned at_hand_count;
    unsigned in_flight; /* in the ring or the kernel */
    unsigned given_up;  /* in the kernel too; the ring has no bound for them */
};

static struct uring_engine *uring_of(struct engine *engine)
{
    return container_of(engine, struct uring_engine, engine);
}

/* Makes a disabled ring that tells event_fd of answers. On failure *what says which step
 * refused. */
static int ring_open(struct io_uring *ring, const struct mode *mode, int event_fd,
                     const char **what)
{
    struct io_uring_params params = {
        .flags = mode->flags | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
        .cq_entries = CQ_ENTRIES,
    };
    *what = "io_uring_setup";
    int rc = io_uring_queue_init_params(SQ_ENTRIES, ring, &params);
    if (rc != 0)
        return rc;
    *what = "io_uring_register";
    rc = io_uring_register_eventfd(ring, event_fd);
    if (rc != 0)
        io_uring_queue_exit(ring);
    return rc;
}

/* io_uring_enable_rings() is in liburing's header, but Debian 12's library (2.3) does not
 * export it. */
static int ring_enable(struct io_uring *ring)
{
    long rc = syscall(__NR_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS,
                      NULL, 0);
    return rc < 0 ? -errno : 0;
}

/* ---- the probe ------------------------------------------------------------------- */

static int wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, PROBE_TIMEOUT_MS);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == 1 ? 0 : -ETIMEDOUT;
}

/* The answer to the only entry. The eventfd also tells of steps on the way: a kernel
 * without IOCB_NOWAIT on pipes (6.1) first finds the pipe readable and then has a worker
 * read it. */
static int probe_answer(struct io_uring *ring, int event_fd, struct io_uring_cqe **cqe)
{
    int rc = -EAGAIN;
    for (int wakes = 0; rc == -EAGAIN && wakes < PROBE_WAKES_MAX; wakes++) {
        eventfd_t told;
        rc = wait_readable(event_fd);
        if (rc != 0)
            return rc;
        if (eventfd_read(event_fd, &told) != 0)
            return -errno;
        rc = io_uring_peek_cqe(ring, cqe);
    }
    return rc;
}

/* A read that has to wait, so that its answer takes the way of a disk's. */
static int probe_read(struct io_uring *ring, int event_fd, const int pipe_fds[2],
                      const char **what)
{
    *what = "io_uring_enter";
    int rc = ring_enable(ring);
    if (rc != 0)
        return rc;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    assert(sqe != NULL);
    char byte = 0;
    io_uring_prep_read(sqe, pipe_fds[0], &byte, 1, 0);
    rc = io_uring_submit_and_get_events(ring);
    if (rc < 0)
        return rc;
    *what = "a read";
    if (write(pipe_fds[1], "x", 1) != 1)
        return -errno;
    struct io_uring_cqe *cqe;
    rc = probe_answer(ring, event_fd, &cqe);
    if (rc != 0)
        return rc;
    int res = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    if (res < 0)
        return res;
    return res == 1 && byte == 'x' ? 0 : -EIO;
}

static int probe_mode(const struct mode *mode, const char **what)
{
    *what = "eventfd";
    AUTO_CLOSE int event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event_fd < 0)
        return -errno;
    *what = "pipe";
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return -errno;
    struct io_uring ring;
    int rc = ring_open(&ring, mode, event_fd, what);
    if (rc == 0) {
        rc = probe_read(&ring, event_fd, pipe_fds, what);
        io_uring_queue_exit(&ring);
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return rc;
}

/* kernel.io_uring_disabled (Linux 6.6): 0 where it does not exist. */
static int sysctl_disabled(void)
{
    AUTO_CLOSE int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);
    char digit = '0';
    if (fd < 0 || read(fd, &digit, 1) != 1 || digit < '0' || digit > '9')
        return 0;
    return digit - '0';
}

static int probe_refused(int rc, const char *what, struct err *e)
{
    int disabled = sysctl_disabled();
    if (rc == -EPERM && disabled != 0)
        return err_set(e, rc, NULL,
                       "%s: refused by the setting kernel.io_uring_disabled=%d", what,
                       disabled);
    if (rc == -EPERM || rc == -EACCES)
        return err_set(e, rc, NULL,
                       "%s: refused by a security policy (a seccomp filter, a container)",
                       what);
    if (rc == -ENOSYS)
        return err_set(e, rc, NULL,
                       "%s: this kernel does not have it, or a filter hides it", what);
    if (rc == -ENOMEM)
        return err_set(e, rc, NULL,
                       "%s: out of memory, or the limit of locked memory is too low",
                       what);
    return err_set(e, rc, NULL, "%s: %s", what, strerror(-rc));
}

int engine_uring_probe(struct err *e)
{
    int rc = 0;
    const char *what = "";
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        rc = probe_mode(&modes[i], &what);
        if (rc == 0) {
            best_mode = &modes[i];
            return 0;
        }
    }
    return probe_refused(rc, what, e);
}

int engine_uring_mode_count(void)
{
    return (int)ARRAY_LEN(modes);
}

/* ---- the engine ------------------------------------------------------------------ */

static void uring_submit(struct engine *engine, struct engine_io *io)
{
    struct uring_engine *u = uring_of(engine);
    assert(loop_is_mine(u->loop));
    engine_io_begin(engine, io);
    atomic_store_explicit(&io->queued, true, memory_order_relaxed);
    engine_queue_push(io->in_memory ? &u->at_hand : &u->pending, io);
    u->at_hand_count += io->in_memory;
}

/* What the kernel has beyond CQ_ENTRIES finds its place (IORING_FEAT_NODROP, 5.5). */
static bool uring_give_up(struct engine *engine, struct engine_io *io)
{
    struct uring_engine *u = uring_of(engine);
    if (engine_queue_remove(io->in_memory ? &u->at_hand : &u->pending, io)) {
        u->at_hand_count -= io->in_memory;
        return false;
    }
    assert(!io->in_memory);
    io->given_up = true;
    u->in_flight--;
    u->given_up++;
    return true;
}

static void prep_transfer(struct io_uring_sqe *sqe, struct engine_io *io)
{
    int count;
    struct iovec *iov = engine_io_rest(io, &count);
    unsigned op = io->op == ENGINE_READ ? IORING_OP_READV : IORING_OP_WRITEV;
    const void *address = iov;
    unsigned length = (unsigned)count;
    if (count == 1) { /* spares the kernel the copy of the entries */
        op = io->op == ENGINE_READ ? IORING_OP_READ : IORING_OP_WRITE;
        address = iov->iov_base;
        length = iov->iov_len < CALL_BYTES_MAX ? (unsigned)iov->iov_len : CALL_BYTES_MAX;
    }
    io_uring_prep_rw((int)op, sqe, io->fd, address, length,
                     (__u64)engine_io_position(io));
}

static void prep(struct io_uring_sqe *sqe, struct engine_io *io)
{
    switch (io->op) {
    case ENGINE_READ:
    case ENGINE_WRITE:
        prep_transfer(sqe, io);
        break;
    case ENGINE_SYNC:
        io_uring_prep_fsync(sqe, io->fd, IORING_FSYNC_DATASYNC);
        break;
    case ENGINE_PUNCH:
        io_uring_prep_fallocate(sqe, io->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                (off_t)io->offset_bytes, (off_t)io->length_bytes);
        break;
    }
    io_uring_sqe_set_data(sqe, io);
}

/* Hands the filled entries over. What the kernel cannot take now (out of memory, a
 * signal) stays in the ring for the next round. */
static void uring_enter(struct uring_engine *u)
{
    int rc = io_uring_submit_and_get_events(&u->ring);
    assert(rc >= 0 || rc == -EAGAIN || rc == -EBUSY || rc == -EINTR || rc == -ENOMEM);
}

static void uring_enable(struct uring_engine *u)
{
    if (u->enabled)
        return;
    int rc = ring_enable(&u->ring);
    assert(rc == 0);
    u->enabled = true;
}

/* True if it entered the kernel. */
static bool uring_send(struct uring_engine *u)
{
    while (u->pending.first != NULL && u->in_flight < CQ_ENTRIES) {
        uring_enable(u);
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        if (sqe == NULL) {
            uring_enter(u);
            sqe = io_uring_get_sqe(&u->ring);
        }
        if (sqe == NULL)
            break;
        struct engine_io *io = engine_queue_pop(&u->pending);
        assert(io != NULL);
        atomic_store_explicit(&io->queued, false, memory_order_relaxed);
        prep(sqe, io);
        u->in_flight++;
    }
    if (io_uring_sq_ready(&u->ring) == 0)
        return false;
    uring_enter(u);
    return true;
}

static void uring_answer(struct uring_engine *u, struct engine_io *io, int res)
{
    if (io->given_up) {
        u->given_up--;
        io->done(io, -ECANCELED);
        return;
    }
    u->in_flight--;
    if (engine_io_step(io, res))
        io->done(io, io->rc);
    else
        engine_queue_push(&u->pending, io);
}

/* At most REAP_BATCH answers; how many. */
static unsigned uring_reap(struct uring_engine *u)
{
    struct io_uring_cqe *cqes[REAP_BATCH];
    struct engine_io *ios[REAP_BATCH];
    int results[REAP_BATCH];
    if (u->in_flight + u->given_up == 0)
        return 0;
    unsigned count = io_uring_peek_batch_cqe(&u->ring, cqes, REAP_BATCH);
    for (unsigned i = 0; i < count; i++) {
        ios[i] = io_uring_cqe_get_data(cqes[i]);
        results[i] = cqes[i]->res;
    }
    io_uring_cq_advance(&u->ring, count);
    for (unsigned i = 0; i < count; i++)
        uring_answer(u, ios[i], results[i]);
    return count;
}

/* What was asked for before this turn, so that answers that ask for more do not keep the
 * loop. A ring would have a worker of the kernel's read a file of tmpfs, which is not
 * trusted to answer at once. True if there was any. */
static bool uring_move(struct uring_engine *u)
{
    bool any = u->at_hand_count > 0;
    for (unsigned left = u->at_hand_count; left > 0 && u->at_hand_count > 0; left--) {
        struct engine_io *io = engine_queue_pop(&u->at_hand);
        u->at_hand_count--;
        atomic_store_explicit(&io->queued, false, memory_order_relaxed);
        while (!engine_io_step(io, engine_io_call(io)))
            ;
        io->done(io, io->rc);
    }
    return any;
}

static bool uring_turn(struct loop_hook *hook)
{
    struct uring_engine *u = container_of(hook, struct uring_engine, hook);
    bool worked = uring_send(u);
    worked |= uring_move(u);
    for (unsigned answers = 0; answers < CQ_ENTRIES; answers += REAP_BATCH) {
        unsigned count = uring_reap(u);
        worked |= count > 0;
        if (count < REAP_BATCH)
            break;
    }
    return worked;
}

/* Only wakes the loop: the hook collects the answers. The event is edge-triggered, so the
 * eventfd's count need not be taken back. */
static void uring_on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

/* The kernel keeps what was given up, without the ring. */
static void uring_destroy(struct engine *engine)
{
    struct uring_engine *u = uring_of(engine);
    assert(u->pending.first == NULL && u->at_hand.first == NULL);
    assert(u->in_flight == 0);
    loop_remove_hook(u->loop, &u->hook);
    if (u->event != NULL)
        event_free(u->event);
    if (u->has_ring)
        io_uring_queue_exit(&u->ring);
    if (u->event_fd >= 0)
        close(u->event_fd);
    free(u);
}

static int uring_init(struct uring_engine *u, const struct mode *mode, struct err *e)
{
    u->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (u->event_fd < 0)
        return err_set(e, -errno, NULL, "eventfd: %s", strerror(errno));
    u->event = event_new(loop_base(u->loop), u->event_fd, EV_READ | EV_ET | EV_PERSIST,
                         uring_on_event, NULL);
    if (u->event == NULL || event_add(u->event, NULL) != 0)
        return err_oom(e);
    const char *what;
    int rc = ring_open(&u->ring, mode, u->event_fd, &what);
    if (rc != 0)
        return probe_refused(rc, what, e);
    u->has_ring = true;
    return 0;
}

int engine_uring_create(int mode, struct loop *loop, struct engine **out, struct err *e)
{
    static const struct engine_ops ops = {
        .name = "uring",
        .submit = uring_submit,
        .give_up = uring_give_up,
        .destroy = uring_destroy,
    };
    const struct mode *chosen = mode == ENGINE_URING_BEST ? best_mode : &modes[mode];
    struct uring_engine *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return err_oom(e);
    u->engine.ops = &ops;
    u->loop = loop;
    u->event_fd = -1;
    u->hook.turn = uring_turn;
    loop_add_hook(loop, &u->hook);
    int rc = uring_init(u, chosen, e);
    if (rc != 0) {
        uring_destroy(&u->engine);
        return rc;
    }
    struct utsname kernel;
    log_info("disk engine", "loop=%s engine=uring mode=%s kernel=%s", loop_name(loop),
             chosen->name, uname(&kernel) == 0 ? kernel.release : "unknown");
    *out = &u->engine;
    return 0;
}
