/* SPDX-License-Identifier: Apache-2.0 */
/* While the disk is stuck its engines put I/Os into queues of their own; each is told by
 * a note to hand them on. */
#include "tests/lib/stuck_disk.h"

#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct stuck_engine {
    struct engine engine;
    struct stuck_engine *next;
    struct stuck_disk *disk;
    struct engine *inner;
    struct loop *loop;
    struct engine_queue kept;
    unsigned waited_for; /* of those kept: not given up */
    struct note go_on;
};

struct stuck_disk {
    atomic_bool stuck;
    atomic_uint kept_count;
    pthread_mutex_t lock;
    struct stuck_engine *engines; /* under it */
};

static struct stuck_engine *stuck_of(struct engine *engine)
{
    return container_of(engine, struct stuck_engine, engine);
}

static void stuck_submit(struct engine *engine, struct engine_io *io)
{
    struct stuck_engine *s = stuck_of(engine);
    if (!atomic_load(&s->disk->stuck)) {
        engine_submit(s->inner, io);
        return;
    }
    engine_io_begin(engine, io);
    engine_queue_push(&s->kept, io);
    s->waited_for++;
    atomic_fetch_add(&s->disk->kept_count, 1);
}

static bool stuck_give_up(struct engine *engine, struct engine_io *io)
{
    struct stuck_engine *s = stuck_of(engine);
    if (io->owner != engine)
        return s->inner->ops->give_up(s->inner, io);
    s->waited_for--;
    io->given_up = true;
    return true;
}

/* Late, and for nobody. */
static void stuck_perform(struct engine_io *io)
{
    int count;
    struct iovec *iov = engine_io_rest(io, &count);
    ssize_t n = 0;
    if (io->op == ENGINE_READ)
        n = preadv(io->fd, iov, count, engine_io_position(io));
    else if (io->op == ENGINE_WRITE)
        n = pwritev(io->fd, iov, count, engine_io_position(io));
    assert(n >= 0);
    io->done(io, 0);
}

static void stuck_on_go_on(struct note *note)
{
    struct stuck_engine *s = container_of(note, struct stuck_engine, go_on);
    struct engine_io *io;
    while ((io = engine_queue_pop(&s->kept)) != NULL) {
        if (io->given_up)
            stuck_perform(io);
        else
            engine_submit(s->inner, io);
        atomic_fetch_sub(&s->disk->kept_count, 1);
    }
    s->waited_for = 0;
}

static void stuck_destroy(struct engine *engine)
{
    struct stuck_engine *s = stuck_of(engine);
    assert(s->waited_for == 0);
    pthread_mutex_lock(&s->disk->lock);
    struct stuck_engine **link = &s->disk->engines;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    pthread_mutex_unlock(&s->disk->lock);
    engine_destroy(s->inner);
    free(s);
}

int stuck_disk_engine(void *arg, struct loop *loop, struct engine **out, struct err *e)
{
    static const struct engine_ops ops = {
        .name = "stuck",
        .submit = stuck_submit,
        .give_up = stuck_give_up,
        .destroy = stuck_destroy,
    };
    struct stuck_disk *disk = arg;
    struct stuck_engine *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_oom(e);
    int rc = engine_create(ENGINE_THREADS, loop, &s->inner, e);
    if (rc != 0) {
        free(s);
        return rc;
    }
    s->engine.ops = &ops;
    s->disk = disk;
    s->loop = loop;
    s->go_on.run = stuck_on_go_on;
    pthread_mutex_lock(&disk->lock);
    s->next = disk->engines;
    disk->engines = s;
    pthread_mutex_unlock(&disk->lock);
    *out = &s->engine;
    return 0;
}

struct stuck_disk *stuck_disk_create(void)
{
    struct stuck_disk *disk = calloc(1, sizeof(*disk));
    assert(disk != NULL);
    pthread_mutex_init(&disk->lock, NULL);
    return disk;
}

void stuck_disk_destroy(struct stuck_disk *disk)
{
    if (disk == NULL)
        return;
    assert(disk->engines == NULL);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

void stuck_disk_stop(struct stuck_disk *disk)
{
    atomic_store(&disk->stuck, true);
}

void stuck_disk_go_on(struct stuck_disk *disk)
{
    atomic_store(&disk->stuck, false);
    pthread_mutex_lock(&disk->lock);
    for (struct stuck_engine *s = disk->engines; s != NULL; s = s->next)
        loop_post(s->loop, &s->go_on);
    pthread_mutex_unlock(&disk->lock);
}

unsigned stuck_disk_count(struct stuck_disk *disk)
{
    return atomic_load(&disk->kept_count);
}
