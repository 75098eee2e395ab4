/* SPDX-License-Identifier: Apache-2.0 */
/* The disk engines: every claim with every io_uring mode that this kernel has and with
 * threads, on a real file. What a kernel does not have is skipped. Refusal of io_uring is
 * tested in a process of its own, under a seccomp filter. */
#include "tests/unit/lunmgr/engine_rig.h"

#include "lunmgr/engine_kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- single I/Os ---- */

static void what_was_written_is_read(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t wrote[BLOCK], got[BLOCK];
    rig_fill(wrote, sizeof(wrote), 1);
    assert_int_equal(rig_transfer(rig, ENGINE_WRITE, wrote, BLOCK, 3 * BLOCK), 0);
    assert_int_equal(pread(rig->fd, got, BLOCK, 3 * BLOCK), BLOCK);
    assert_memory_equal(got, wrote, BLOCK);
    memset(got, 0, BLOCK);
    assert_int_equal(rig_transfer(rig, ENGINE_READ, got, BLOCK, 3 * BLOCK), 0);
    assert_memory_equal(got, wrote, BLOCK);
}

static void scattered_pieces_are_one_transfer(void **state)
{
    struct rig *rig = rig_of(state);
    static uint8_t wrote[ENGINE_IOV_MAX * 100], got[sizeof(wrote)];
    rig_fill(wrote, sizeof(wrote), 2);
    struct iovec iov[ENGINE_IOV_MAX];
    for (size_t i = 0; i < ENGINE_IOV_MAX; i++)
        iov[i] = (struct iovec){.iov_base = wrote + i * 100, .iov_len = 100};
    struct job job = {.io = {.op = ENGINE_WRITE,
                             .fd = rig->fd,
                             .offset_bytes = 50,
                             .iov = iov,
                             .iov_count = ENGINE_IOV_MAX}};
    assert_int_equal(job_run(rig, &job), 0);
    assert_int_equal(pread(rig->fd, got, sizeof(got), 50), sizeof(got));
    assert_memory_equal(got, wrote, sizeof(wrote));

    memset(got, 0, sizeof(got));
    for (size_t i = 0; i < ENGINE_IOV_MAX; i++)
        iov[i] = (struct iovec){.iov_base = got + i * 100, .iov_len = 100};
    job.io.op = ENGINE_READ;
    assert_int_equal(job_run(rig, &job), 0);
    assert_memory_equal(got, wrote, sizeof(wrote));
}

static void answer_never_comes_inside_submit(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t data[BLOCK];
    struct iovec v = {.iov_base = data, .iov_len = BLOCK};
    struct job job = {
        .io = {.op = ENGINE_READ, .fd = rig->fd, .iov = &v, .iov_count = 1}};
    job_submit(rig, &job);
    assert_int_equal(job.answer_count, 0);
    assert_int_equal(job_wait(rig, &job), 0);
}

static void read_past_the_end_is_eio(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t data[2 * BLOCK];
    assert_int_equal(rig_transfer(rig, ENGINE_READ, data, BLOCK, FILE_BYTES), -EIO);
    assert_int_equal(rig_transfer(rig, ENGINE_READ, data, 2 * BLOCK, FILE_BYTES - BLOCK),
                     -EIO);
    assert_int_equal(ftruncate(rig->fd, 5000), 0);
    assert_int_equal(rig_transfer(rig, ENGINE_READ, data, 2 * BLOCK, 0), -EIO);
}

static void kernel_s_refusal_is_the_answer(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t data[BLOCK] = {0};
    struct rig broken = *rig;
    broken.fd = -1;
    assert_int_equal(rig_transfer(&broken, ENGINE_READ, data, BLOCK, 0), -EBADF);
    broken.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(rig_transfer(&broken, ENGINE_WRITE, data, BLOCK, 0), -EBADF);
    close(broken.fd);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct job job = {.io = {.op = ENGINE_SYNC, .fd = fds[1]}};
    assert_int_equal(job_run(rig, &job), -EINVAL);
    job.io = (struct engine_io){.op = ENGINE_PUNCH, .fd = fds[1], .length_bytes = BLOCK};
    assert_true(job_run(rig, &job) < 0);
    close(fds[0]);
    close(fds[1]);
}

/* The file size limit cuts the write short; the rest of it is refused. */
static void short_write_is_continued(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t data[3 * BLOCK], got[BLOCK];
    rig_fill(data, sizeof(data), 3);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit low = before;
    low.rlim_cur = FILE_BYTES + BLOCK;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    int rc = rig_transfer(rig, ENGINE_WRITE, data, sizeof(data), FILE_BYTES);
    signal(SIGXFSZ, handler);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -EFBIG);
    assert_int_equal(pread(rig->fd, got, BLOCK, FILE_BYTES), BLOCK);
    assert_memory_equal(got, data, BLOCK);
}

static void sync_succeeds(void **state)
{
    struct rig *rig = rig_of(state);
    uint8_t data[BLOCK] = {1};
    assert_int_equal(rig_transfer(rig, ENGINE_WRITE, data, BLOCK, 0), 0);
    struct job job = {.io = {.op = ENGINE_SYNC, .fd = rig->fd}};
    assert_int_equal(job_run(rig, &job), 0);
}

static void punched_range_reads_as_zeros(void **state)
{
    struct rig *rig = rig_of(state);
    static uint8_t data[3 * BLOCK];
    static const uint8_t zeros[BLOCK];
    memset(data, 0xee, sizeof(data));
    assert_int_equal(rig_transfer(rig, ENGINE_WRITE, data, sizeof(data), 0), 0);
    struct job job = {.io = {.op = ENGINE_PUNCH,
                             .fd = rig->fd,
                             .offset_bytes = BLOCK,
                             .length_bytes = BLOCK}};
    int rc = job_run(rig, &job);
    if (rc == -EOPNOTSUPP)
        skip(); /* not on this file system */
    assert_int_equal(rc, 0);
    assert_int_equal(rig_transfer(rig, ENGINE_READ, data, sizeof(data), 0), 0);
    assert_int_equal(data[BLOCK - 1], 0xee);
    assert_memory_equal(data + BLOCK, zeros, BLOCK);
    assert_int_equal(data[2 * BLOCK], 0xee);
}

/* ---- many ---- */

#define MANY 5000 /* more than the rings have room for */

static void all_of_many_at_once_are_answered_once(void **state)
{
    struct rig *rig = rig_of(state);
    static struct job jobs[MANY];
    static struct iovec iov[MANY];
    static uint8_t data[MANY];
    memset(jobs, 0, sizeof(jobs));
    for (size_t i = 0; i < MANY; i++) {
        iov[i] = (struct iovec){.iov_base = &data[i], .iov_len = 1};
        jobs[i].io = (struct engine_io){.op = ENGINE_READ,
                                        .fd = rig->fd,
                                        .offset_bytes = i,
                                        .iov = &iov[i],
                                        .iov_count = 1};
        job_submit(rig, &jobs[i]);
    }
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(job_wait(rig, &jobs[i]), 0);
}

/* Reads one block after the other, each asked for by the answer to the one before. */
struct chain {
    struct job job;
    struct iovec v;
    uint8_t data[BLOCK];
    unsigned block;
    bool in_submit;
};

static void chain_next(struct chain *c)
{
    c->v = (struct iovec){.iov_base = c->data, .iov_len = BLOCK};
    c->job.io.offset_bytes = (uint64_t)c->block * BLOCK;
    c->job.io.in_memory = c->job.rig->in_memory;
    c->in_submit = true;
    engine_submit(c->job.rig->engine, &c->job.io);
    c->in_submit = false;
}

static void chain_done(struct engine_io *io, int rc)
{
    struct chain *c = container_of(io, struct chain, job.io);
    assert_false(c->in_submit);
    assert_int_equal(rc, 0);
    if (++c->block < BLOCK_COUNT)
        chain_next(c);
    else
        loop_stop(c->job.rig->loop);
}

static void answer_may_submit_the_next_on_the_loop_s_own_thread(void **state)
{
    struct rig *rig = rig_of(state);
    static struct chain chain;
    chain = (struct chain){.job.rig = rig};
    chain.job.io = (struct engine_io){.op = ENGINE_READ,
                                      .fd = rig->fd,
                                      .iov = &chain.v,
                                      .iov_count = 1,
                                      .done = chain_done};
    chain_next(&chain);
    assert_int_equal(loop_start(rig->loop, NULL), 0);
    loop_join(rig->loop);
    assert_int_equal(chain.block, BLOCK_COUNT);
}

/* ---- steps, kinds, refusal ---- */

static void step_continues_where_the_kernel_stopped(void **state)
{
    (void)state;
    uint8_t data[100];
    struct iovec iov[3] = {{data, 40}, {data + 40, 0}, {data + 40, 60}};
    struct job job = {.io = {.op = ENGINE_READ,
                             .offset_bytes = 1000,
                             .iov = iov,
                             .iov_count = 3,
                             .done = job_done}};
    int count;
    engine_io_begin(NULL, &job.io);
    assert_false(engine_io_step(&job.io, -EINTR));
    assert_false(engine_io_step(&job.io, -EAGAIN));
    assert_int_equal(engine_io_position(&job.io), 1000);
    assert_false(engine_io_step(&job.io, 39));
    assert_ptr_equal(engine_io_rest(&job.io, &count), &iov[0]);
    assert_int_equal(iov[0].iov_len, 1);
    assert_false(engine_io_step(&job.io, 11));
    assert_int_equal(engine_io_position(&job.io), 1050);
    assert_ptr_equal(engine_io_rest(&job.io, &count), &iov[2]);
    assert_int_equal(count, 1);
    assert_ptr_equal(iov[2].iov_base, data + 50);
    assert_true(engine_io_step(&job.io, 50));
    assert_int_equal(job.io.rc, 0);
}

static void kinds_are_parsed_by_name(void **state)
{
    (void)state;
    enum engine_kind kind = ENGINE_AUTO;
    assert_int_equal(engine_kind_parse("uring", &kind), 0);
    assert_int_equal(kind, ENGINE_URING);
    assert_int_equal(engine_kind_parse("threads", &kind), 0);
    assert_int_equal(kind, ENGINE_THREADS);
    assert_int_equal(engine_kind_parse("auto", &kind), 0);
    assert_int_equal(kind, ENGINE_AUTO);
    assert_int_equal(engine_kind_parse("", &kind), -EINVAL);
    assert_int_equal(engine_kind_parse("Threads", &kind), -EINVAL);
}

static void auto_takes_io_uring_where_the_probe_passes(void **state)
{
    (void)state;
    struct loop *loop = NULL;
    struct engine *engine = NULL;
    assert_int_equal(loop_create("auto", &loop, NULL), 0);
    assert_int_equal(engine_create(ENGINE_AUTO, loop, &engine, NULL), 0);
    assert_string_equal(engine_name(engine),
                        engine_probe_uring(NULL) == 0 ? "uring" : "threads");
    engine_destroy(engine);
    loop_destroy(loop);
}

/* Runs this program again with one argument; its exit status. */
static int run_self(const char *argument)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "test_engine", argument, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int refuse_io_uring(int error)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(rules), .filter = rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : -errno;
}

/* In a process of its own: 0 if all is as it should be, else the step that was not. */
static int under_refusal(int error, const char *reason)
{
    struct loop *loop = NULL;
    struct engine *engine = NULL;
    struct err e = {0};
    if (refuse_io_uring(error) != 0)
        return 1;
    if (engine_probe_uring(&e) != -error || strstr(e.text, reason) == NULL)
        return 2;
    if (loop_create("refused", &loop, NULL) != 0)
        return 3;
    if (engine_create(ENGINE_URING, loop, &engine, &e) != -error || engine != NULL)
        return 4;
    if (engine_create(ENGINE_AUTO, loop, &engine, &e) != 0)
        return 5;
    int rc = strcmp(engine_name(engine), "threads") == 0 ? 0 : 6;
    engine_destroy(engine);
    loop_destroy(loop);
    return rc;
}

static void threads_take_over_where_a_filter_refuses(void **state)
{
    (void)state;
    assert_int_equal(run_self("--refused-eperm"), 0);
}

static void threads_take_over_where_the_kernel_has_none(void **state)
{
    (void)state;
    assert_int_equal(run_self("--refused-enosys"), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--refused-eperm") == 0)
        return under_refusal(EPERM, "refused by");
    if (argc == 2 && strcmp(argv[1], "--refused-enosys") == 0)
        return under_refusal(ENOSYS, "does not have it");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_continues_where_the_kernel_stopped),
        cmocka_unit_test(kinds_are_parsed_by_name),
        cmocka_unit_test(auto_takes_io_uring_where_the_probe_passes),
        cmocka_unit_test(threads_take_over_where_a_filter_refuses),
        cmocka_unit_test(threads_take_over_where_the_kernel_has_none),
        ON_ALL(what_was_written_is_read),
        ON_ALL(scattered_pieces_are_one_transfer),
        ON_ALL(answer_never_comes_inside_submit),
        ON_ALL(read_past_the_end_is_eio),
        ON_ALL(kernel_s_refusal_is_the_answer),
        ON_ALL(short_write_is_continued),
        ON_ALL(sync_succeeds),
        ON_ALL(punched_range_reads_as_zeros),
        ON_ALL(all_of_many_at_once_are_answered_once),
        ON_ALL(answer_may_submit_the_next_on_the_loop_s_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
