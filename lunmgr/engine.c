/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing a disk engine, and how every engine continues a short transfer. How the kernel
 * is asked is in engine_uring.c and engine_threads.c. */
#include "lunmgr/engine.h"

#include "base/log.h"
#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t probe_once = PTHREAD_ONCE_INIT;
static int probe_rc;
static struct err probe_err;

static void probe_uring(void)
{
    probe_rc = engine_uring_probe(&probe_err);
}

int engine_probe_uring(struct err *e)
{
    pthread_once(&probe_once, probe_uring);
    if (probe_rc != 0 && e != NULL)
        *e = probe_err;
    return probe_rc;
}

static int create_uring(struct loop *loop, struct engine **out, struct err *e)
{
    int rc = engine_probe_uring(e);
    if (rc != 0)
        return rc;
    return engine_uring_create(ENGINE_URING_BEST, loop, out, e);
}

static int create_auto(struct loop *loop, struct engine **out, struct err *e)
{
    struct err refusal = {0};
    if (create_uring(loop, out, &refusal) == 0)
        return 0;
    log_warning("no io_uring here, threads take its place", "loop=%s reason=\"%s\"",
                loop_name(loop), refusal.text);
    return engine_threads_create(loop, out, e);
}

int engine_create(enum engine_kind kind, struct loop *loop, struct engine **out,
                  struct err *e)
{
    assert(loop_is_mine(loop));
    switch (kind) {
    case ENGINE_URING:
        return create_uring(loop, out, e);
    case ENGINE_THREADS:
        return engine_threads_create(loop, out, e);
    case ENGINE_AUTO:
        break;
    }
    return create_auto(loop, out, e);
}

void engine_destroy(struct engine *engine)
{
    if (engine != NULL)
        engine->ops->destroy(engine);
}

int engine_kind_parse(const char *name, enum engine_kind *out)
{
    static const char *const names[] = {
        [ENGINE_AUTO] = "auto",
        [ENGINE_URING] = "uring",
        [ENGINE_THREADS] = "threads",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *out = (enum engine_kind)i;
        return 0;
    }
    return -EINVAL;
}

static bool moves_data(const struct engine_io *io)
{
    return io->op == ENGINE_READ || io->op == ENGINE_WRITE;
}

void engine_io_begin(struct engine *engine, struct engine_io *io)
{
    assert(io->done != NULL);
    io->owner = engine;
    io->moved_bytes = 0;
    io->rc = 0;
    io->given_up = false;
    atomic_store_explicit(&io->queued, false, memory_order_relaxed);
    if (!moves_data(io))
        return;
    assert(io->iov_count >= 1);
    assert(io->iov_count <= ENGINE_IOV_MAX);
    int rest_count;
    engine_io_rest(io, &rest_count);
    assert(rest_count > 0);
}

struct iovec *engine_io_rest(struct engine_io *io, int *count)
{
    int moved = 0;
    while (moved < io->iov_count && io->iov[moved].iov_len == 0)
        moved++;
    *count = io->iov_count - moved;
    return io->iov + moved;
}

/* Takes the moved bytes off the entries' front; those used up are left with length 0. */
static void iov_advance(struct engine_io *io, size_t bytes)
{
    io->moved_bytes += bytes;
    for (int i = 0; i < io->iov_count && bytes > 0; i++) {
        struct iovec *v = &io->iov[i];
        size_t part = bytes < v->iov_len ? bytes : v->iov_len;
        v->iov_base = (char *)v->iov_base + part;
        v->iov_len -= part;
        bytes -= part;
    }
    assert(bytes == 0);
}

long engine_io_call(struct engine_io *io)
{
    int count;
    struct iovec *iov;
    long res = -1;
    switch (io->op) {
    case ENGINE_READ:
        iov = engine_io_rest(io, &count);
        res = preadv(io->fd, iov, count, engine_io_position(io));
        break;
    case ENGINE_WRITE:
        iov = engine_io_rest(io, &count);
        res = pwritev(io->fd, iov, count, engine_io_position(io));
        break;
    case ENGINE_SYNC:
        res = fdatasync(io->fd);
        break;
    case ENGINE_PUNCH:
        res = fallocate(io->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)io->offset_bytes, (off_t)io->length_bytes);
        break;
    }
    return res < 0 ? -errno : res;
}

bool engine_io_step(struct engine_io *io, long res)
{
    if (res == -EINTR || res == -EAGAIN)
        return false;
    if (res < 0) {
        /* A direct transfer that stopped at an odd end of a file cannot be continued from
         * there: the alignment refuses what the end would refuse. */
        io->rc = res == -EINVAL && io->moved_bytes > 0 ? -EIO : (int)res;
        return true;
    }
    if (!moves_data(io))
        return true;
    if (res == 0) { /* the end of the file */
        io->rc = -EIO;
        return true;
    }
    iov_advance(io, (size_t)res);
    int rest_count;
    engine_io_rest(io, &rest_count);
    return rest_count == 0;
}
