/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' disk engine. An I/O waits in a list from its submission; the loop's hook
 * picks, performs and answers. Nothing here depends on time or on another thread. */
#include "tests/lib/fake_engine.h"

#include "lunmgr/engine_kinds.h"
#include "tests/lib/random.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 65536
#define OP_COUNT    4
#define TEAR_BYTES  4096

struct waiting_io {
    struct engine_io *io;
    bool let_go;
    bool given_up;
};

struct fake_engine {
    struct engine engine;
    struct loop *loop;
    struct loop_hook hook;
    uint8_t *disk;
    size_t disk_bytes;
    struct waiting_io *waiting; /* oldest first */
    unsigned waiting_count;
    unsigned held_ops;
    unsigned fail_ops;
    unsigned fail_nth; /* 0: not armed */
    int fail_rc;
    bool fail_sticky;
    bool failed;
    uint64_t random; /* 0: no shuffling */
    uint64_t answered[OP_COUNT];
    uint64_t in_memory;
};

static struct fake_engine *fake_of(struct engine *engine)
{
    return container_of(engine, struct fake_engine, engine);
}

static bool op_matches(const struct engine_io *io, unsigned ops)
{
    return (ops & (1U << io->op)) != 0;
}

/* ---- doing an I/O ---- */

static long memory_move(struct fake_engine *fake, struct engine_io *io)
{
    int count;
    struct iovec *iov = engine_io_rest(io, &count);
    uint64_t at = (uint64_t)engine_io_position(io);
    if (at >= fake->disk_bytes)
        return 0;
    size_t bytes = fake->disk_bytes - at;
    if (bytes > iov->iov_len)
        bytes = iov->iov_len;
    if (io->op == ENGINE_READ)
        memcpy(iov->iov_base, fake->disk + at, bytes);
    else
        memcpy(fake->disk + at, iov->iov_base, bytes);
    return (long)bytes;
}

static long memory_call(struct fake_engine *fake, struct engine_io *io)
{
    switch (io->op) {
    case ENGINE_READ:
    case ENGINE_WRITE:
        return memory_move(fake, io);
    case ENGINE_SYNC:
        return 0;
    case ENGINE_PUNCH:
        break;
    }
    if (io->offset_bytes > fake->disk_bytes ||
        io->length_bytes > fake->disk_bytes - io->offset_bytes)
        return -EINVAL;
    memset(fake->disk + io->offset_bytes, 0, io->length_bytes);
    return 0;
}

static long file_move(struct engine_io *io)
{
    int count;
    struct iovec *iov = engine_io_rest(io, &count);
    off_t at = engine_io_position(io);
    return io->op == ENGINE_READ ? preadv(io->fd, iov, count, at)
                                 : pwritev(io->fd, iov, count, at);
}

static long file_call(struct engine_io *io)
{
    long res;
    if (io->op == ENGINE_READ || io->op == ENGINE_WRITE)
        res = file_move(io);
    else if (io->op == ENGINE_SYNC)
        res = fdatasync(io->fd);
    else
        res = fallocate(io->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t)io->offset_bytes, (off_t)io->length_bytes);
    return res < 0 ? -errno : res;
}

static void fake_perform(struct fake_engine *fake, struct engine_io *io)
{
    long res;
    do {
        res = fake->disk_bytes > 0 ? memory_call(fake, io) : file_call(io);
    } while (!engine_io_step(io, res));
}

/* Leaves the write with the first half of its blocks. */
static void halve(struct engine_io *io)
{
    size_t total = 0;
    for (int i = 0; i < io->iov_count; i++)
        total += io->iov[i].iov_len;
    size_t left = total / TEAR_BYTES / 2 * TEAR_BYTES;
    for (int i = 0; i < io->iov_count; i++) {
        struct iovec *v = &io->iov[i];
        v->iov_len = v->iov_len < left ? v->iov_len : left;
        left -= v->iov_len;
    }
}

static bool fake_strikes(struct fake_engine *fake, const struct engine_io *io)
{
    if (fake->fail_nth == 0 || !op_matches(io, fake->fail_ops))
        return false;
    if (fake->fail_nth > 1) {
        fake->fail_nth--;
        return false;
    }
    if (!fake->fail_sticky)
        fake->fail_nth = 0;
    fake->failed = true;
    return true;
}

static void fake_answer(struct fake_engine *fake, struct engine_io *io)
{
    fake->answered[io->op]++;
    if (!fake_strikes(fake, io)) {
        fake_perform(fake, io);
        io->done(io, io->rc);
        return;
    }
    if (io->op == ENGINE_WRITE) {
        halve(io);
        int count;
        engine_io_rest(io, &count);
        if (count > 0)
            fake_perform(fake, io);
    }
    io->rc = fake->fail_rc;
    io->done(io, io->rc);
}

/* ---- choosing ---- */

static struct engine_io *fake_take(struct fake_engine *fake, unsigned index)
{
    struct engine_io *io = fake->waiting[index].io;
    fake->waiting_count--;
    memmove(&fake->waiting[index], &fake->waiting[index + 1],
            (fake->waiting_count - index) * sizeof(fake->waiting[0]));
    return io;
}

static bool is_free(const struct fake_engine *fake, const struct waiting_io *w)
{
    return w->let_go || !op_matches(w->io, fake->held_ops);
}

/* The next to answer among the oldest `count`: the index, or -1. */
static int fake_choose(struct fake_engine *fake, unsigned count)
{
    unsigned free_count = 0;
    for (unsigned i = 0; i < count; i++)
        free_count += is_free(fake, &fake->waiting[i]) ? 1 : 0;
    if (free_count == 0)
        return -1;
    unsigned nth =
        fake->random == 0 ? 0 : (unsigned)(random_next(&fake->random) % free_count);
    for (unsigned i = 0;; i++) {
        assert(i < count);
        if (!is_free(fake, &fake->waiting[i]))
            continue;
        if (nth == 0)
            return (int)i;
        nth--;
    }
}

/* Answers what waits at the call; when shuffling at least one and at most all of it. */
static bool fake_turn(struct loop_hook *hook)
{
    struct fake_engine *fake = container_of(hook, struct fake_engine, hook);
    unsigned count = fake->waiting_count;
    if (count == 0)
        return false;
    unsigned answers =
        fake->random == 0 ? count : (unsigned)(random_next(&fake->random) % count) + 1;
    bool worked = false;
    for (; answers > 0; answers--) {
        int index = fake_choose(fake, count);
        if (index < 0)
            return worked;
        count--;
        fake_answer(fake, fake_take(fake, (unsigned)index));
        worked = true;
    }
    return worked;
}

/* ---- the engine ---- */

static void fake_submit(struct engine *engine, struct engine_io *io)
{
    struct fake_engine *fake = fake_of(engine);
    assert(loop_is_mine(fake->loop));
    assert(fake->waiting_count < WAITING_MAX);
    engine_io_begin(engine, io);
    fake->waiting[fake->waiting_count++] = (struct waiting_io){.io = io};
    fake->in_memory += io->in_memory;
}

static bool fake_give_up(struct engine *engine, struct engine_io *io)
{
    struct fake_engine *fake = fake_of(engine);
    unsigned i = 0;
    while (fake->waiting[i].io != io)
        assert(++i < fake->waiting_count);
    fake->waiting[i].given_up = true;
    return true;
}

static void fake_destroy(struct engine *engine)
{
    struct fake_engine *fake = fake_of(engine);
    for (unsigned i = 0; i < fake->waiting_count; i++)
        assert(fake->waiting[i].given_up);
    loop_remove_hook(fake->loop, &fake->hook);
    free(fake->waiting);
    free(fake->disk);
    free(fake);
}

struct fake_engine *fake_engine_create(struct loop *loop, size_t disk_bytes)
{
    static const struct engine_ops ops = {
        .name = "fake",
        .submit = fake_submit,
        .give_up = fake_give_up,
        .destroy = fake_destroy,
    };
    struct fake_engine *fake = calloc(1, sizeof(*fake));
    if (fake == NULL)
        return NULL;
    fake->waiting = calloc(WAITING_MAX, sizeof(fake->waiting[0]));
    fake->disk = disk_bytes > 0 ? calloc(1, disk_bytes) : NULL;
    if (fake->waiting == NULL || (disk_bytes > 0 && fake->disk == NULL)) {
        free(fake->waiting);
        free(fake->disk);
        free(fake);
        return NULL;
    }
    fake->disk_bytes = disk_bytes;
    fake->engine.ops = &ops;
    fake->loop = loop;
    fake->hook.turn = fake_turn;
    loop_add_hook(loop, &fake->hook);
    return fake;
}

struct engine *fake_engine_engine(struct fake_engine *fake)
{
    return &fake->engine;
}

uint8_t *fake_engine_disk(struct fake_engine *fake)
{
    return fake->disk;
}

void fake_engine_fail(struct fake_engine *fake, unsigned ops, unsigned nth, int rc,
                      bool sticky)
{
    assert(nth == 0 || rc < 0);
    fake->fail_ops = ops;
    fake->fail_nth = nth;
    fake->fail_rc = rc;
    fake->fail_sticky = sticky;
    fake->failed = false;
}

bool fake_engine_failed(const struct fake_engine *fake)
{
    return fake->failed;
}

void fake_engine_hold(struct fake_engine *fake, unsigned ops)
{
    fake->held_ops = ops;
}

unsigned fake_engine_waiting(const struct fake_engine *fake, unsigned ops)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fake->waiting_count; i++)
        count += op_matches(fake->waiting[i].io, ops) ? 1 : 0;
    return count;
}

bool fake_engine_let_go(struct fake_engine *fake, unsigned ops, unsigned index)
{
    for (unsigned i = 0; i < fake->waiting_count; i++) {
        if (!op_matches(fake->waiting[i].io, ops))
            continue;
        if (index == 0) {
            fake->waiting[i].let_go = true;
            return true;
        }
        index--;
    }
    return false;
}

void fake_engine_shuffle(struct fake_engine *fake, uint64_t seed)
{
    fake->random = seed;
}

uint64_t fake_engine_in_memory(const struct fake_engine *fake)
{
    return fake->in_memory;
}

uint64_t fake_engine_count(const struct fake_engine *fake, unsigned ops)
{
    uint64_t count = 0;
    for (unsigned op = 0; op < OP_COUNT; op++)
        count += (ops & (1U << op)) != 0 ? fake->answered[op] : 0;
    return count;
}
