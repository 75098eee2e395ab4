/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: for each block the versions written since the last sync, oldest first. An
 * I/O waits in its engine's queue until the loop's hook picks it; its descriptor says
 * which disk's it is. The mains' lock guards all. What a cut leaves is chosen at its
 * moment, kept aside block by block, and written by cut_disk_restore. The file itself is
 * reached by the calls with vectors: those without may lead here (cut_calls.c). */
#include "tests/lib/cut_disk.h"

#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK        4096U
#define SUPER_BLOCKS 2 /* written around the engines, perhaps unseen */

struct version {
    struct version *next; /* newer */
    uint64_t seq;         /* of its write's end */
    uint8_t data[BLOCK];
};

struct waiting {
    struct engine_io *io;
    struct cut_disk *disk;
    uint64_t seq; /* of the disk, at its submission */
    bool held;    /* see cut_disks_hold() */
};

struct cut_engine {
    struct engine engine;
    struct power *power;
    struct cut_engine *next;
    struct loop *loop;
    struct loop_hook hook;
    struct waiting *queue; /* oldest first */
    unsigned count, capacity, held;
};

struct cut_disk {
    struct power *power;
    struct power_user user;
    struct cut_disk *next;
    char path[300];
    unsigned atom_bytes;
    bool lazy;
    uint64_t block_count;
    struct version **blocks;
    struct version **left; /* by the cut; NULL: what is in the file */
    uint64_t seq;
    uint64_t fail_sync; /* SYNCs until the one that fails; 0: none */
    /* The file's length, while a change of it is not synced. */
    bool length_unsynced, length_left;
    uint64_t old_bytes, left_bytes;
};

static struct cut_disk *disks; /* of the mains that there are: one at a time */
static struct cut_engine *engines;
static bool holds; /* writes that are asked for */

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

/* Zeros where it has ended. */
static void file_read(int fd, uint64_t block, uint8_t *data)
{
    static _Alignas(BLOCK) uint8_t bounce[BLOCK];
    const struct iovec iov = {.iov_base = bounce, .iov_len = BLOCK};
    ssize_t n = preadv(fd, &iov, 1, (off_t)(block * BLOCK));
    assert(n == (ssize_t)BLOCK || n == 0);
    if (n == 0)
        memset(bounce, 0, BLOCK);
    memcpy(data, bounce, BLOCK);
}

static void file_write(int fd, uint64_t block, const uint8_t *data)
{
    /* The descriptor may be direct: an aligned copy. */
    static _Alignas(BLOCK) uint8_t bounce[BLOCK];
    memcpy(bounce, data, BLOCK);
    const struct iovec iov = {.iov_base = bounce, .iov_len = BLOCK};
    ssize_t n = pwritev(fd, &iov, 1, (off_t)(block * BLOCK));
    assert(n == (ssize_t)BLOCK);
}

/* A piece of one write. */
static void write_blocks(struct cut_disk *disk, uint64_t block, const uint8_t *data,
                         size_t bytes)
{
    assert(bytes % BLOCK == 0 && block + bytes / BLOCK <= disk->block_count);
    for (size_t at = 0; at < bytes; at += BLOCK, block++)
        *newest_link(disk, block) = version_of(data + at, disk->seq);
}

static void do_write(struct cut_disk *disk, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    power_pass(disk->power, POWER_DISK_WRITE);
    disk->seq++;
    for (int i = 0; i < io->iov_count; i++) {
        write_blocks(disk, block, io->iov[i].iov_base, io->iov[i].iov_len);
        block += io->iov[i].iov_len / BLOCK;
    }
}

/* What was written since the sync, over what the file has. */
static void overlay(const struct cut_disk *disk, uint64_t block, uint8_t *data,
                    size_t bytes)
{
    for (size_t at = 0; at < bytes && block < disk->block_count; at += BLOCK, block++)
        for (const struct version *v = disk->blocks[block]; v != NULL; v = v->next)
            memcpy(data + at, v->data, bytes - at < BLOCK ? bytes - at : BLOCK);
}

static int do_read(struct cut_disk *disk, const struct engine_io *io)
{
    uint64_t block = io->offset_bytes / BLOCK;
    ssize_t want = 0;
    for (int i = 0; i < io->iov_count; i++)
        want += (ssize_t)io->iov[i].iov_len;
    if (preadv(io->fd, io->iov, io->iov_count, (off_t)io->offset_bytes) != want)
        return -EIO;
    for (int i = 0; i < io->iov_count; i++) {
        overlay(disk, block, io->iov[i].iov_base, io->iov[i].iov_len);
        block += io->iov[i].iov_len / BLOCK;
    }
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
static int do_sync(struct cut_disk *disk, int fd, uint64_t seq, enum power_point asked,
                   enum power_point done)
{
    power_pass(disk->power, asked);
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
    disk->length_unsynced = false;
    power_pass(disk->power, done);
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
    power_lock(ce->power);
    struct cut_disk *disk = cut_disk_find(io->fd);
    assert(disk != NULL);
    if (ce->count == ce->capacity) {
        ce->capacity = ce->capacity == 0 ? 64 : ce->capacity * 2;
        ce->queue = realloc(ce->queue, ce->capacity * sizeof(ce->queue[0]));
        assert(ce->queue != NULL);
    }
    bool held = holds && io->op == ENGINE_WRITE;
    ce->queue[ce->count++] =
        (struct waiting){.io = io, .disk = disk, .seq = disk->seq, .held = held};
    ce->held += held;
    power_unlock(ce->power);
}

static void waiting_do(const struct waiting *w)
{
    struct engine_io *io = w->io;
    if (io->op == ENGINE_WRITE)
        do_write(w->disk, io);
    else if (io->op == ENGINE_READ)
        io->rc = do_read(w->disk, io);
    else if (io->op == ENGINE_SYNC)
        io->rc = do_sync(w->disk, io->fd, w->seq, POWER_DISK_SYNC, POWER_DISK_SYNCED);
    else
        do_punch(w->disk, io);
}

/* Where the nth of the queue is that is not held, from 0. */
static unsigned nth_free(const struct cut_engine *ce, uint64_t nth)
{
    unsigned i = 0;
    while (ce->queue[i].held || nth-- > 0)
        i++;
    return i;
}

/* Does one of the queue, any; NULL: there is none. */
static struct engine_io *cut_pick(struct cut_engine *ce)
{
    power_lock(ce->power);
    struct engine_io *io = NULL;
    if (ce->count > ce->held) {
        unsigned i = nth_free(ce, power_draw(ce->power, ce->count - ce->held));
        struct waiting picked = ce->queue[i];
        io = picked.io;
        ce->count--;
        memmove(&ce->queue[i], &ce->queue[i + 1], (ce->count - i) * sizeof(picked));
        waiting_do(&picked);
    }
    power_unlock(ce->power);
    return io;
}

/* Answers some of what waits, at least one unless the disk is lazy. */
static bool cut_turn(struct loop_hook *hook)
{
    struct cut_engine *ce = container_of(hook, struct cut_engine, hook);
    bool lazy = false;
    uint64_t answers = 0;
    power_lock(ce->power);
    unsigned free_count = ce->count - ce->held;
    if (free_count > 0) {
        lazy = ce->queue[0].disk->lazy;
        answers = power_draw(ce->power, free_count + lazy) + !lazy;
    }
    power_unlock(ce->power);
    if (free_count == 0)
        return false;
    struct engine_io *io;
    for (; answers > 0 && (io = cut_pick(ce)) != NULL; answers--)
        io->done(io, io->rc);
    return !lazy;
}

static void cut_engine_destroy(struct engine *engine)
{
    struct cut_engine *ce = cut_of(engine);
    assert(ce->count == 0);
    power_lock(ce->power);
    struct cut_engine **link = &engines;
    while (*link != ce)
        link = &(*link)->next;
    *link = ce->next;
    power_unlock(ce->power);
    loop_remove_hook(ce->loop, &ce->hook);
    free(ce->queue);
    free(ce);
}

int cut_disk_engine(struct power *power, struct loop *loop, struct engine **out,
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
    ce->power = power;
    ce->loop = loop;
    ce->hook.turn = cut_turn;
    loop_add_hook(loop, &ce->hook);
    power_lock(power);
    ce->next = engines;
    engines = ce;
    power_unlock(power);
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
    lock(disk);
    assert(disks == NULL || disks->power == power);
    disk->next = disks;
    disks = disk;
    unlock(disk);
    return disk;
}

struct cut_disk *cut_disk_find(int fd)
{
    struct stat mine, its;
    if (fstat(fd, &mine) != 0)
        return NULL;
    for (struct cut_disk *disk = disks; disk != NULL; disk = disk->next)
        if (stat(disk->path, &its) == 0 && mine.st_dev == its.st_dev &&
            mine.st_ino == its.st_ino)
            return disk;
    return NULL;
}

static void disk_forget(struct cut_disk *disk)
{
    for (uint64_t b = 0; b < disk->block_count; b++) {
        free(take_covered(disk, b, UINT64_MAX));
        free(disk->left[b]);
        disk->left[b] = NULL;
    }
    disk->length_unsynced = disk->length_left = false;
}

void cut_disk_lose(struct cut_disk *disk)
{
    lock(disk);
    assert(engines == NULL);
    if (!power_has_fallen(disk->power))
        disk_forget(disk);
    unlock(disk);
}

void cut_disk_destroy(struct cut_disk *disk)
{
    if (disk == NULL)
        return;
    assert(engines == NULL);
    struct cut_disk **link = &disks;
    while (*link != disk)
        link = &(*link)->next;
    *link = disk->next;
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

void cut_disks_hold(struct power *power)
{
    power_lock(power);
    holds = true;
    power_unlock(power);
}

unsigned cut_disks_keep(struct power *power)
{
    unsigned held = 0;
    power_lock(power);
    holds = false;
    for (const struct cut_engine *ce = engines; ce != NULL; ce = ce->next)
        held += ce->held;
    power_unlock(power);
    return held;
}

void cut_disks_release(struct power *power)
{
    power_lock(power);
    holds = false;
    for (struct cut_engine *ce = engines; ce != NULL; ce = ce->next) {
        for (unsigned i = 0; i < ce->count; i++)
            ce->queue[i].held = false;
        ce->held = 0;
    }
    power_unlock(power);
}

/* ---- Calls around the engines -------------------------------------------------------
 */

void cut_disk_write(struct cut_disk *disk, const void *data, size_t bytes, uint64_t at)
{
    lock(disk);
    power_pass(disk->power, POWER_SUPER_WRITE);
    disk->seq++;
    write_blocks(disk, at / BLOCK, data, bytes);
    unlock(disk);
}

ssize_t cut_disk_read(struct cut_disk *disk, int fd, void *data, size_t bytes, off_t at)
{
    const struct iovec iov = {.iov_base = data, .iov_len = bytes};
    assert((uint64_t)at % BLOCK == 0);
    lock(disk);
    ssize_t n = preadv(fd, &iov, 1, at);
    if (n > 0)
        overlay(disk, (uint64_t)at / BLOCK, data, (size_t)n);
    unlock(disk);
    return n;
}

int cut_disk_sync(struct cut_disk *disk, int fd)
{
    lock(disk);
    int rc = do_sync(disk, fd, disk->seq, POWER_SUPER_SYNC, POWER_SUPER_SYNCED);
    unlock(disk);
    return rc;
}

void cut_disk_resizes(struct cut_disk *disk, int fd)
{
    struct stat st;
    lock(disk);
    power_pass(disk->power, POWER_SUPER_WRITE);
    int rc = fstat(fd, &st);
    assert(rc == 0);
    if (!disk->length_unsynced)
        disk->old_bytes = (uint64_t)st.st_size;
    disk->length_unsynced = true;
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

static void leave_length(struct cut_disk *disk, int fd)
{
    struct stat st;
    disk->length_left = true;
    if (disk->length_unsynced && draw(disk, 2) == 0)
        disk->left_bytes = disk->old_bytes;
    else if (fstat(fd, &st) == 0)
        disk->left_bytes = (uint64_t)st.st_size;
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
    for (const struct cut_engine *ce = engines; ce != NULL; ce = ce->next)
        for (unsigned i = 0; keeps == KEEPS_SOME && i < ce->count; i++)
            if (ce->queue[i].disk == disk && ce->queue[i].io->op == ENGINE_WRITE)
                leave_in_flight(disk, fd, ce->queue[i].io);
    leave_length(disk, fd);
    close(fd);
}

void cut_disk_restore(struct cut_disk *disk)
{
    lock(disk);
    assert(power_has_fallen(disk->power) && engines == NULL);
    int fd = open(disk->path, O_WRONLY | O_CLOEXEC);
    if (disk->length_left && truncate(disk->path, (off_t)disk->left_bytes) != 0)
        abort();
    for (uint64_t b = 0; disk->length_left && b < disk->left_bytes / BLOCK; b++)
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
    for (const struct cut_engine *ce = engines; ce != NULL; ce = ce->next)
        for (unsigned i = 0; i < ce->count; i++)
            if (ce->queue[i].disk == disk && ce->queue[i].io->op == ENGINE_WRITE)
                cut_in_flight(disk, fd, ce->queue[i].io);
    close(fd);
    unlock(disk);
}
