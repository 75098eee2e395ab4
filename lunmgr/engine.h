/* SPDX-License-Identifier: Apache-2.0 */
/* Disk I/O behind one interface: io_uring, or a pool of threads where io_uring is
 * refused. One engine belongs to one loop; it is used, and answers, on that loop's thread
 * alone. An answer never comes inside engine_submit. Short transfers are continued
 * inside. */
#ifndef LUNMGR_ENGINE_H
#define LUNMGR_ENGINE_H

#include "base/err.h"
#include "base/inbox.h"
#include "lunmgr/loop.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum engine_kind { ENGINE_AUTO, ENGINE_URING, ENGINE_THREADS };

enum engine_op {
    ENGINE_READ,
    ENGINE_WRITE,
    ENGINE_SYNC,  /* fdatasync: covers the writes answered before it was submitted */
    ENGINE_PUNCH, /* give the range back to what lies below; reads as zeros or old data
                     after */
};

#define ENGINE_IOV_MAX 32

struct device;

struct engine_io {
    struct note note; /* the engine's */
    enum engine_op op;
    int fd;
    /* Whose fd it is: once it has failed, its I/O is refused (engine_watch.h). NULL:
     * nobody's. */
    struct device *device;
    /* What it moves is in memory on both sides: an engine may do it itself, on the loop's
     * thread, which costs less than to hand it over. */
    bool in_memory;
    uint64_t offset_bytes;
    uint64_t length_bytes; /* PUNCH only */
    /* Borrowed until done(); the engine may change the entries while it continues a short
     * one. */
    struct iovec *iov;
    int iov_count; /* 1 to ENGINE_IOV_MAX for READ and WRITE */
    /* rc: 0, all of it; or -errno. A read past the end of a file is -EIO. */
    void (*done)(struct engine_io *io, int rc);
    /* engine's own */
    struct engine *owner;
    uint64_t moved_bytes;
    int rc;
    atomic_bool queued; /* in the engine; the kernel does not have it yet */
    bool given_up;
};

struct engine;
struct engine_ops {
    const char *name; /* "uring", "threads" */
    void (*submit)(struct engine *engine, struct engine_io *io);
    /* Nobody waits for it any more. True: the kernel has it; done() comes if it ever
     * answers, and destroy does not wait for that. False: it was not begun, and is the
     * caller's. May be NULL where no watch has a time limit. */
    bool (*give_up)(struct engine *engine, struct engine_io *io);
    void (*destroy)(struct engine *engine);
};
/* Engines embed this first. Tests bring their own (fake) engine the same way. */
struct engine {
    const struct engine_ops *ops;
};

/* Whether io_uring can be used here, probed once by a real ring and a read; any thread.
 * 0, or -errno with e saying what refused. */
int engine_probe_uring(struct err *e) MUST_CHECK;

/* On the loop's thread or before it runs. ENGINE_AUTO takes io_uring where the probe
 * passes. */
int engine_create(enum engine_kind kind, struct loop *loop, struct engine **out,
                  struct err *e) MUST_CHECK;
/* No I/O may be in flight, but what was given up. NULL is allowed. */
void engine_destroy(struct engine *engine);

/* Queues it; the engine hands all of a turn's to the kernel at the end of the turn. */
static inline void engine_submit(struct engine *engine, struct engine_io *io)
{
    engine->ops->submit(engine, io);
}
static inline const char *engine_name(const struct engine *engine)
{
    return engine->ops->name;
}
/* "auto", "uring", "threads": 0, or -EINVAL. */
int engine_kind_parse(const char *name, enum engine_kind *out) MUST_CHECK;

#endif
