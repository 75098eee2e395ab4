/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: for each block the versions written since the last sync, oldest first. An
 * I/O waits in its engine's queue until the loop's hook picks it. The mains' lock guards
 * all. What a cut leaves is chosen at its moment, kept aside block by block, and written
 * by cut_disk_restore. */
#include "tests/lib/cut_disk.h"

#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK        4096U
#define SUPER_BLOCKS 2 /* written around the engines */

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
    struct power *power;
    struct power_user user;
    char path[300];
    unsigned atom_bytes;
    bool lazy;
    uint64_t block_count;
    struct version **blocks;
    struct version **left; /* by the cut; NULL: what is in the file */
    struct cut_engine *engines;
    uint64_t seq;
    uint64_t fail_sync; /* SYNCs until the one that fails; 0: none */
};

/* ---- Helpers, under the lock --------------------------------------------------------
 */

static uint64_t draw(struct cut_disk *disk, uint64_t below)
{
    return power_draw(disk->power, below);
}

static void lock(struct cut_disk *disk)
{
    power_lock(disk->power);
}

static void unlock(struct cut_disk *disk)
{
    power_unlock(disk->power);
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

static void file_read(int fd, uint64_t block, uint8_t *data)
{
    static _Alignas(BLOCK) uint8_t bounce[BLOCK];
    ssize_t n = pread(fd, bounce, BLOCK, (off_t)(block * BLOCK));
    assert(n == (ssize_t)BLOCK);
    memcpy(data, bounce, BLOCK);
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
    power_pass(disk->power, POWER_DISK_WRITE);
    disk->seq++;
    for (int i = 0; i < io->iov_count; i++)
        for (size_t at = 0; at < io->iov[i].iov_len; at += BLOCK, block++) {
            assert(block < disk->block_count);
            *newest_link(disk, block) =
                version_of((const uint8_t *)io->iov[i].iov_base + at, disk->seq);
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

/* The newest version of a block that a sync after seq covers, taken out; NULL: none. */
static struct version *take_covered(struct cut_disk *disk, uint64_t block, uint64_t seq)
{
    struct version *last = NULL, *v;
    while ((v = disk->blocks[block]) != NULL && v->seq <= seq) {
        disk->blocks[block] = v->next;
        free(last);
        last = v;
    }
    return last;
}

/* Each part of data is in the file, or not. */
static void file_write_some(struct cut_disk *disk, int fd, uint64_t block,
                            const uint8_t *data)
{
    uint8_t mixed[BLOCK];
    file_read(fd, block, mixed);
    for (unsigned at = 0; at < BLOCK; at += disk->atom_bytes)
        if (draw(disk, 2) == 0)
            memcpy(mixed + at, data + at, disk->atom_bytes);
    file_write(fd, block, mixed);
}

/* Covers the writes that ended before seq. Without power nothing reaches the file. */
static int do_sync(struct cut_disk *disk, int fd, uint64_t seq)
{
    power_pass(disk->power, POWER_DISK_SYNC);
    if (power_has_fallen(disk->power))
        return 0;
    bool fails = disk->fail_sync > 0 && --disk->fail_sync == 0;
    for (uint64_t b = 0; b < disk->block_count; b++) {
        struct version *last = take_covered(disk, b, seq);
        if (last != NULL && fails)
            file_write_some(disk, fd, b, last->data);
        else if (last != NULL)
            file_write(fd, b, last->data);
        free(last);
    }
    power_pass(disk->power, POWER_DISK_SYNCED);
    return fails ? -EIO : 0;
}

static void do_punch(struct cut_disk *disk, const struct engine_io *io)
{
    static const uint8_t zeros[BLOCK];
    uint64_t first = io->offset_bytes / BLOCK, count = io->length_bytes / BLOCK;
    assert(first + count <= disk->block_count);
    disk->seq++;
    for (uint64_t b = first; b < first + count; b++)
        if (draw(disk, 2) == 0)
            *newest_link(disk, b) = version_of(zeros, disk->seq);
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
    lock(ce->disk);
    if (ce->count == ce->capacity) {
        ce->capacity = ce->capacity == 0 ? 64 : ce->capacity * 2;
        ce->queue = realloc(ce->queue, ce->capacity * sizeof(struct engine_io *));
        ce->seqs = realloc(ce->seqs, ce->capacity * sizeof(ce->seqs[0]));
        assert(ce->queue != NULL && ce->seqs != NULL);
    }
    ce->queue[ce->count] = io;
    ce->seqs[ce->count++] = ce->disk->seq;
    unlock(ce->disk);
}

/* Does one of the queue, any; NULL: there is none. */
static struct engine_io *cut_pick(struct cut_engine *ce)
{
    struct cut_disk *disk = ce->disk;
    lock(disk);
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
            io->rc = do_sync(disk, io->fd, seq);
        else
            do_punch(disk, io);
    }
    unlock(disk);
    return io;
}

/* Answers some of what waits, at least one unless the disk is lazy. */
static bool cut_turn(struct loop_hook *hook)
{
    struct cut_engine *ce = container_of(hook, struct cut_engine, hook);
    if (ce->count == 0)
        return false;
    lock(ce->disk);
    bool lazy = ce->disk->lazy;
    uint64_t answers = draw(ce->disk, ce->count + lazy) + !lazy;
    unlock(ce->disk);
    struct engine_io *io;
    for (; answers > 0 && (io = cut_pick(ce)) != NULL; answers--)
        io->done(io, io->rc);
    return !lazy;
}

static void cut_engine_destroy(struct engine *engine)
{
    struct cut_engine *ce = cut_of(engine);
    assert(ce->count == 0);
    lock(ce->disk);
    struct cut_engine **link = &ce->disk->engines;
    while (*link != ce)
        link = &(*link)->next;
    *link = ce->next;
    unlock(ce->disk);
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
    lock(disk);
    ce->next = disk->engines;
    disk->engines = ce;
    unlock(disk);
    *out = &ce->engine;
    return 0;
}

/* ---- The disk -----------------------------------------------------------------------
 */

static void disk_on_cut(struct power_user *user);

struct cut_disk *cut_disk_create(struct power *power, const char *path,
                                 uint64_t disk_bytes)
{
    struct cut_disk *disk = calloc(1, sizeof(*disk));
    assert(disk != NULL);
    disk->power = power;
    disk->atom_bytes = BLOCK;
    snprintf(disk->path, sizeof(disk->path), "%s", path);
    disk->block_count = disk_bytes / BLOCK;
    disk->blocks = calloc((size_t)disk->block_count, sizeof(struct version *));
    disk->left = calloc((size_t)disk->block_count, sizeof(struct version *));
    assert(disk->blocks != NULL && disk->left != NULL);
    disk->user.cut = disk_on_cut;
    power_attach(power, &disk->user);
    return disk;
}

static void disk_forget(struct cut_disk *disk)
{
    for (uint64_t b = 0; b < disk->block_count; b++) {
        free(take_covered(disk, b, UINT64_MAX));
        free(disk->left[b]);
        disk->left[b] = NULL;
    }
}

void cut_disk_lose(struct cut_disk *disk)
{
    lock(disk);
    assert(disk->engines == NULL);
    if (!power_has_fallen(disk->power))
        disk_forget(disk);
    unlock(disk);
}

void cut_disk_destroy(struct cut_disk *disk)
{
    if (disk == NULL)
        return;
    assert(disk->engines == NULL);
    power_detach(disk->power, &disk->user);
    disk_forget(disk);
    free(disk->blocks);
    free(disk->left);
    free(disk);
}

void cut_disk_set_atom(struct cut_disk *disk, unsigned atom_bytes)
{
    assert(atom_bytes == BLOCK || atom_bytes == 512);
    disk->atom_bytes = atom_bytes;
}

void cut_disk_set_lazy(struct cut_disk *disk)
{
    disk->lazy = true;
}

void cut_disk_fail_sync(struct cut_disk *disk, uint64_t nth)
{
    lock(disk);
    disk->fail_sync = nth;
    unlock(disk);
}

/* ---- The mains fall -----------------------------------------------------------------
 */

enum keeps { KEEPS_NOTHING, KEEPS_ALL, KEEPS_SOME };

/* Room for what is left of a block; at first what is in the file. */
static uint8_t *left_of(struct cut_disk *disk, int fd, uint64_t block)
{
    uint8_t data[BLOCK];
    if (disk->left[block] == NULL) {
        file_read(fd, block, data);
        disk->left[block] = version_of(data, 0);
    }
    return disk->left[block]->data;
}

static void leave_block(struct cut_disk *disk, int fd, uint64_t block, enum keeps keeps)
{
    uint64_t count = 0;
    uint8_t *out = left_of(disk, fd, block);
    for (const struct version *v = disk->blocks[block]; v != NULL; v = v->next)
        count++;
    for (unsigned at = 0; at < BLOCK; at += disk->atom_bytes) {
        uint64_t chosen = keeps == KEEPS_ALL ? count : draw(disk, count + 1);
        const struct version *v = disk->blocks[block];
        for (uint64_t i = 1; i < chosen && v != NULL; i++)
            v = v->next;
        if (chosen > 0 && v != NULL)
            memcpy(out + at, v->data + at, disk->atom_bytes);
    }
}

/* A write in flight may have come through in part. */
static void leave_in_flight(struct cut_disk *disk, int fd, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    for (int i = 0; i < io->iov_count; i++)
        for (size_t from = 0; from < io->iov[i].iov_len; from += BLOCK, block++) {
            uint8_t *out = left_of(disk, fd, block);
            const uint8_t *data = (const uint8_t *)io->iov[i].iov_base + from;
            for (unsigned at = 0; at < BLOCK; at += disk->atom_bytes)
                if (draw(disk, 2) == 0)
                    memcpy(out + at, data + at, disk->atom_bytes);
        }
}

static void disk_on_cut(struct power_user *user)
{
    struct cut_disk *disk = container_of(user, struct cut_disk, user);
    uint64_t chance = draw(disk, 6);
    enum keeps keeps = chance == 0 ? KEEPS_NOTHING : chance == 1 ? KEEPS_ALL : KEEPS_SOME;
    int fd = open(disk->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* there is no pool yet */
    for (uint64_t b = 0; b < SUPER_BLOCKS; b++)
        left_of(disk, fd, b); /* what is written to them later was not */
    for (uint64_t b = 0; keeps != KEEPS_NOTHING && b < disk->block_count; b++)
        if (disk->blocks[b] != NULL)
            leave_block(disk, fd, b, keeps);
    for (const struct cut_engine *ce = disk->engines; ce != NULL; ce = ce->next)
        for (unsigned i = 0; keeps == KEEPS_SOME && i < ce->count; i++)
            if (ce->queue[i]->op == ENGINE_WRITE)
                leave_in_flight(disk, fd, ce->queue[i]);
    close(fd);
}

void cut_disk_restore(struct cut_disk *disk)
{
    lock(disk);
    assert(power_has_fallen(disk->power) && disk->engines == NULL);
    int fd = open(disk->path, O_WRONLY | O_CLOEXEC);
    for (uint64_t b = 0; fd >= 0 && b < disk->block_count; b++)
        if (disk->left[b] != NULL)
            file_write(fd, b, disk->left[b]->data);
    if (fd >= 0)
        close(fd);
    disk_forget(disk);
    unlock(disk);
}

/* ---- A copy, while all goes on ------------------------------------------------------
 */

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
    for (; chosen > 0 && v != NULL; chosen--)
        v = v->next;
    if (v != NULL)
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
    lock(disk);
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
    unlock(disk);
}
