/* SPDX-License-Identifier: Apache-2.0 */
/* The engine tests' rig: see engine_rig.h. */
#include "tests/unit/lunmgr/engine_rig.h"

#include "lunmgr/engine_kinds.h"

#include <errno.h>
#include <string.h>

const int rig_modes[5] = {0, 1, 2, MODE_THREADS, MODE_MEMORY};

static int rig_create_engine(struct rig *rig, int mode)
{
    if (mode == MODE_THREADS)
        return engine_threads_create(rig->loop, &rig->engine, NULL);
    rig->in_memory = mode == MODE_MEMORY;
    int rc = engine_probe_uring(NULL);
    if (rc == 0)
        rc = engine_uring_create(rig->in_memory ? ENGINE_URING_BEST : mode, rig->loop,
                                 &rig->engine, NULL);
    if (rc == 0)
        return 0;
    rig->missing = true;
    return rc == -EINVAL || rc == -EPERM || rc == -ENOSYS ? 0 : rc;
}

int rig_setup(void **state)
{
    static struct rig rig;
    int mode = *(const int *)*state;
    rig = (struct rig){.fd = -1};
    char path[] = "test_engine.XXXXXX";
    rig.fd = mkstemp(path);
    if (rig.fd < 0 || unlink(path) != 0 || ftruncate(rig.fd, FILE_BYTES) != 0)
        return -1;
    if (loop_create("engine", &rig.loop, NULL) != 0)
        return -1;
    *state = &rig;
    return rig_create_engine(&rig, mode);
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    engine_destroy(rig->engine);
    loop_destroy(rig->loop);
    close(rig->fd);
    return 0;
}

struct rig *rig_of(void **state)
{
    struct rig *rig = *state;
    if (rig->missing)
        skip();
    return rig;
}

void job_done(struct engine_io *io, int rc)
{
    struct job *job = container_of(io, struct job, io);
    assert_true(loop_is_mine(job->rig->loop));
    job->rc = rc;
    job->answer_count++;
}

void job_submit(struct rig *rig, struct job *job)
{
    job->rig = rig;
    job->answer_count = 0;
    job->io.in_memory = rig->in_memory;
    if (job->io.done == NULL)
        job->io.done = job_done;
    engine_submit(rig->engine, &job->io);
}

int job_wait(struct rig *rig, struct job *job)
{
    while (job->answer_count == 0)
        loop_run_once(rig->loop, true);
    assert_int_equal(job->answer_count, 1);
    return job->rc;
}

int job_run(struct rig *rig, struct job *job)
{
    job_submit(rig, job);
    return job_wait(rig, job);
}

int rig_transfer(struct rig *rig, enum engine_op op, void *data, size_t bytes,
                 uint64_t offset_bytes)
{
    struct iovec v = {.iov_base = data, .iov_len = bytes};
    struct job job = {.io = {.op = op,
                             .fd = rig->fd,
                             .offset_bytes = offset_bytes,
                             .iov = &v,
                             .iov_count = 1}};
    return job_run(rig, &job);
}

void rig_fill(uint8_t *data, size_t bytes, unsigned seed)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)((i * 131 + seed * 7 + (i >> 8)) & 0xff);
}
