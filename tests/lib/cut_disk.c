/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: for each block the versions written since the last sync, oldest first. An
 * I/O waits in its engine's queue until the loop's hook picks it. One mutex guards all.
 */
#include "tests/lib/cut_disk.h"

#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096U

struct version {
    struct version *next; /* newer */
    uint64_t seq;         /* of its write's end */
    uint8_t data[BLOCK];
};

struct cut_engine {
    struct engine engine;
    struct cut_disk *disk;
    struct cut_engine *next;
    struct loop *loop;
    struct loop_hook hook;
    struct engine_io **queue; /* oldest first */
    uint64_t *seqs;           /* of each, at its submission */
    unsigned count, capacity;
};

struct cut_disk {
    pthread_mutex_t lock;
    uint64_t block_count;
    struct version **blocks;
    struct cut_engine *engines;
    uint64_t seq;
    uint64_t syncs;
    uint64_t random;
};

/* ---- Helpers, under the lock --------------------------------------------------------
 */

static uint64_t draw(struct cut_disk *disk, uint64_t below)
{
    disk->random ^= disk->random << 13;
    disk->random ^= disk->random >> 7;
    disk->random ^= disk->random << 17;
    return disk->random % below;
}

static struct version *version_of(const uint8_t *data, uint64_t seq)
{
    struct version *v = malloc(sizeof(*v));
    assert(v != NULL);
    v->next = NULL;
    v->seq = seq;
    memcpy(v->data, data, BLOCK);
    return v;
}

static struct version **newest_link(struct cut_disk *disk, uint64_t block)
{
    struct version **link = &disk->blocks[block];
    while (*link != NULL)
        link = &(*link)->next;
    return link;
}

static void file_write(int fd, uint64_t block, const uint8_t *data)
{
    /* The descriptor may be direct: an aligned copy. */
    static _Alignas(BLOCK) uint8_t bounce[BLOCK];
    memcpy(bounce, data, BLOCK);
    ssize_t n = pwrite(fd, bounce, BLOCK, (off_t)(block * BLOCK));
    assert(n == (ssize_t)BLOCK);
}

static void do_write(struct cut_disk *disk, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    disk->seq++;
    for (int i = 0; i < io->iov_count; i++)
        for (size_t at = 0; at < io->iov[i].iov_len; at += BLOCK, block++) {
            assert(block < disk->block_count);
            *newest_link(disk, block) =
                version_of((const uint8_t *)io->iov[i].iov_base + at, disk->seq);
        }
}

static void do_punch(struct cut_disk *disk, const struct engine_io *io)
{
    static const uint8_t zeros[BLOCK];
    uint64_t block = io->offset_bytes / BLOCK;
    disk->seq++;
    for (uint64_t at = 0; at < io->length_bytes; at += BLOCK, block++) {
        assert(block < disk->block_count);
        *newest_link(disk, block) = version_of(zeros, disk->seq);
    }
}

static int do_read(struct cut_disk *disk, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    ssize_t want = 0;
    for (int i = 0; i < io->iov_count; i++)
        want += (ssize_t)io->iov[i].iov_len;
    if (preadv(io->fd, io->iov, io->iov_count, (off_t)io->offset_bytes) != want)
        return -EIO;
    for (int i = 0; i < io->iov_count; i++)
        for (size_t at = 0; at < io->iov[i].iov_len; at += BLOCK, block++)
            for (const struct version *v = disk->blocks[block]; v != NULL; v = v->next)
                memcpy((uint8_t *)io->iov[i].iov_base + at, v->data, BLOCK);
    return 0;
}

/* Covers the writes that ended before seq. */
static void do_sync(struct cut_disk *disk, int fd, uint64_t seq)
{
    disk->syncs++;
    for (uint64_t b = 0; b < disk->block_count; b++) {
        struct version *last = NULL, *v;
        while ((v = disk->blocks[b]) != NULL && v->seq <= seq) {
            disk->blocks[b] = v->next;
            free(last);
            last = v;
        }
        if (last != NULL)
            file_write(fd, b, last->data);
        free(last);
    }
}

/* ---- The engine ---------------------------------------------------------------------
 */

static struct cut_engine *cut_of(struct engine *engine)
{
    return container_of(engine, struct cut_engine, engine);
}

static void cut_submit(struct engine *engine, struct engine_io *io)
{
    struct cut_engine *ce = cut_of(engine);
    assert(loop_is_mine(ce->loop));
    engine_io_begin(engine, io);
    pthread_mutex_lock(&ce->disk->lock);
    if (ce->count == ce->capacity) {
        ce->capacity = ce->capacity == 0 ? 64 : ce->capacity * 2;
        ce->queue = realloc(ce->queue, ce->capacity * sizeof(struct engine_io *));
        ce->seqs = realloc(ce->seqs, ce->capacity * sizeof(ce->seqs[0]));
        assert(ce->queue != NULL && ce->seqs != NULL);
    }
    ce->queue[ce->count] = io;
    ce->seqs[ce->count++] = ce->disk->seq;
    pthread_mutex_unlock(&ce->disk->lock);
}

/* Does one of the queue, any; NULL: there is none. */
static struct engine_io *cut_pick(struct cut_engine *ce)
{
    struct cut_disk *disk = ce->disk;
    pthread_mutex_lock(&disk->lock);
    struct engine_io *io = NULL;
    if (ce->count > 0) {
        unsigned i = (unsigned)draw(disk, ce->count);
        uint64_t seq = ce->seqs[i];
        io = ce->queue[i];
        ce->count--;
        memmove(&ce->queue[i], &ce->queue[i + 1],
                (ce->count - i) * sizeof(struct engine_io *));
        memmove(&ce->seqs[i], &ce->seqs[i + 1], (ce->count - i) * sizeof(ce->seqs[0]));
        if (io->op == ENGINE_WRITE)
            do_write(disk, io);
        else if (io->op == ENGINE_READ)
            io->rc = do_read(disk, io);
        else if (io->op == ENGINE_SYNC)
            do_sync(disk, io->fd, seq);
        else
            do_punch(disk, io);
    }
    pthread_mutex_unlock(&disk->lock);
    return io;
}

/* Answers some of what waits, at least one. */
static bool cut_turn(struct loop_hook *hook)
{
    struct cut_engine *ce = container_of(hook, struct cut_engine, hook);
    if (ce->count == 0)
        return false;
    pthread_mutex_lock(&ce->disk->lock);
    uint64_t answers = draw(ce->disk, ce->count) + 1;
    pthread_mutex_unlock(&ce->disk->lock);
    struct engine_io *io;
    for (; answers > 0 && (io = cut_pick(ce)) != NULL; answers--)
        io->done(io, io->rc);
    return true;
}

static void cut_engine_destroy(struct engine *engine)
{
    struct cut_engine *ce = cut_of(engine);
    assert(ce->count == 0);
    pthread_mutex_lock(&ce->disk->lock);
    struct cut_engine **link = &ce->disk->engines;
    while (*link != ce)
        link = &(*link)->next;
    *link = ce->next;
    pthread_mutex_unlock(&ce->disk->lock);
    loop_remove_hook(ce->loop, &ce->hook);
    free(ce->queue);
    free(ce->seqs);
    free(ce);
}

int cut_disk_engine(struct cut_disk *disk, struct loop *loop, struct engine **out,
                    struct err *e)
{
    static const struct engine_ops ops = {
        .name = "cut",
        .submit = cut_submit,
        .destroy = cut_engine_destroy,
    };
    struct cut_engine *ce = calloc(1, sizeof(*ce));
    if (ce == NULL)
        return err_oom(e);
    ce->engine.ops = &ops;
    ce->disk = disk;
    ce->loop = loop;
    ce->hook.turn = cut_turn;
    loop_add_hook(loop, &ce->hook);
    pthread_mutex_lock(&disk->lock);
    ce->next = disk->engines;
    disk->engines = ce;
    pthread_mutex_unlock(&disk->lock);
    *out = &ce->engine;
    return 0;
}

/* ---- The disk -----------------------------------------------------------------------
 */

struct cut_disk *cut_disk_create(uint64_t disk_bytes, uint64_t seed)
{
    assert(seed != 0);
    struct cut_disk *disk = calloc(1, sizeof(*disk));
    assert(disk != NULL);
    pthread_mutex_init(&disk->lock, NULL);
    disk->block_count = disk_bytes / BLOCK;
    disk->blocks = calloc((size_t)disk->block_count, sizeof(struct version *));
    assert(disk->blocks != NULL);
    disk->random = seed;
    return disk;
}

void cut_disk_destroy(struct cut_disk *disk)
{
    if (disk == NULL)
        return;
    assert(disk->engines == NULL);
    for (uint64_t b = 0; b < disk->block_count; b++) {
        struct version *next;
        for (struct version *v = disk->blocks[b]; v != NULL; v = next) {
            next = v->next;
            free(v);
        }
    }
    free(disk->blocks);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

/* Any version of a block, or none: what is in the file. */
static void cut_block(struct cut_disk *disk, int fd, uint64_t block)
{
    uint64_t count = 0;
    for (const struct version *v = disk->blocks[block]; v != NULL; v = v->next)
        count++;
    uint64_t chosen = draw(disk, count + 1);
    if (chosen == count)
        return;
    const struct version *v = disk->blocks[block];
    for (; chosen > 0; chosen--)
        v = v->next;
    file_write(fd, block, v->data);
}

/* A write in flight may have come through in part. */
static void cut_in_flight(struct cut_disk *disk, int fd, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    for (int i = 0; i < io->iov_count; i++)
        for (size_t at = 0; at < io->iov[i].iov_len; at += BLOCK, block++)
            if (draw(disk, 2) == 0)
                file_write(fd, block, (const uint8_t *)io->iov[i].iov_base + at);
}

void cut_disk_cut(struct cut_disk *disk, const char *path, void (*copy)(void *arg),
                  void *arg)
{
    pthread_mutex_lock(&disk->lock);
    copy(arg);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert(fd >= 0);
    for (uint64_t b = 0; b < disk->block_count; b++)
        if (disk->blocks[b] != NULL)
            cut_block(disk, fd, b);
    for (const struct cut_engine *ce = disk->engines; ce != NULL; ce = ce->next)
        for (unsigned i = 0; i < ce->count; i++)
            if (ce->queue[i]->op == ENGINE_WRITE)
                cut_in_flight(disk, fd, ce->queue[i]);
    close(fd);
    pthread_mutex_unlock(&disk->lock);
}

uint64_t cut_disk_syncs(struct cut_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    uint64_t n = disk->syncs;
    pthread_mutex_unlock(&disk->lock);
    return n;
}
