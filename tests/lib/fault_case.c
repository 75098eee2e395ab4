/* SPDX-License-Identifier: Apache-2.0 */
/* The operations, and how each is judged. */
#include "tests/lib/fault_case.h"

#include "lunmgr/diff.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VOLUME_BYTES MIB
#define IO_BYTES_MAX (512U << 10)
#define NTH_MAX      400
#define STACK_DEPTH  5
#define UNSYNCED_AT  8192 /* a block that the top has */

struct pool_rig fault_rig;

/* ---- Steps ------------------------------------------------------------------------- */

static _Alignas(BUF_ALIGN) uint8_t io_data[IO_BYTES_MAX + 2 * BLOCK_BYTES];

/* An I/O that allocates nothing here, so that an armed allocator is the daemon's. */
static int io_go_as(const char *volume, enum vio_op op, bool atomic, uint64_t at,
                    uint64_t bytes)
{
    static struct rig_io io;
    rig_io_init(&io, &fault_rig, 0, volume_find(fault_rig.manager, volume), VIO_FLUSH, at,
                bytes);
    io.vio.op = op;
    io.vio.atomic = atomic;
    io.vio.data = io_data;
    rig_io_start(&io);
    return rig_io_wait(&io);
}

static int io_go(const char *volume, enum vio_op op, uint64_t at, uint64_t bytes)
{
    return io_go_as(volume, op, false, at, bytes);
}

static int io_run(const char *volume, enum vio_op op, uint64_t at, uint64_t bytes,
                  uint8_t fill)
{
    memset(io_data, fill, sizeof(io_data));
    return io_go(volume, op, at, bytes);
}

static int io_and_flush(enum vio_op op, uint64_t at, uint64_t bytes, uint8_t fill)
{
    int rc = io_run("v", op, at, bytes, fill);
    int flushed = io_run("v", VIO_FLUSH, 0, 0, 0);
    return rc != 0 ? rc : flushed;
}

static void must(int rc)
{
    assert_int_equal(rc, 0);
}

static void write_to(const char *volume, uint64_t at, uint64_t bytes, uint8_t fill)
{
    must(io_run(volume, VIO_WRITE, at, bytes, fill));
}

static void snap(const char *name)
{
    must(rig_snapshot(&fault_rig, "v", name, NULL, NULL));
}

static void make(const char *name, uint8_t fill)
{
    pool_rig_volume(&fault_rig, name, VOLUME_BYTES, 512);
    write_to(name, 0, VOLUME_BYTES / 2, fill);
}

static void flush(void)
{
    must(rig_round(&fault_rig)); /* of all volumes */
}

/* ---- Before ------------------------------------------------------------------------ */

static void prepare_one(void)
{
    make("v", 1);
}

static void prepare_three(void)
{
    make("a", 1);
    make("v", 2);
    make("c", 3);
}

static void prepare_snapshot(void)
{
    make("v", 1);
    snap("s");
    write_to("v", 8192, 3 * EXTENT_BYTES, 2);
}

static void prepare_grown(void)
{
    struct volume_change grow = {.size_bytes = 2 * VOLUME_BYTES};
    prepare_snapshot();
    must(rig_change(&fault_rig, "v", &grow, NULL));
    write_to("v", VOLUME_BYTES + 4096, 8192, 3);
}

static void prepare_trash(void)
{
    prepare_snapshot();
    flush();
    must(rig_trash(&fault_rig, "v", NULL));
}

/* The layer of "s" goes into the top: words that move, words that meet. */
static void prepare_merge_up(void)
{
    make("v", 1);
    snap("s");
    write_to("v", 4096, 8192, 2);
    write_to("v", EXTENT_BYTES, EXTENT_BYTES, 3);
    write_to("v", 3 * EXTENT_BYTES + 4096, EXTENT_BYTES, 4);
    write_to("v", 10 * EXTENT_BYTES, 8192, 5);
}

/* The layer of "t" has less than that of "s". */
static void prepare_merge_down(void)
{
    prepare_merge_up();
    snap("t");
    write_to("v", 2 * EXTENT_BYTES, 4096, 6);
}

static void prepare_stack(void)
{
    make("v", 1);
    for (unsigned i = 0; i < STACK_DEPTH; i++) {
        char name[8];
        snprintf(name, sizeof(name), "s%u", i);
        snap(name);
        write_to("v", i * 4096, 2 * 4096, (uint8_t)(10 + i));
        write_to("v", (i + 1) * EXTENT_BYTES, EXTENT_BYTES, (uint8_t)(20 + i));
    }
    snap("last");
}

/* ---- The operations ---------------------------------------------------------------- */

static int run_snapshot(struct err *e)
{
    return rig_snapshot(&fault_rig, "v", "new", NULL, e);
}

static int run_snapshots(struct err *e)
{
    static const char *const names[] = {"a", "v", "c"};
    return rig_snapshot_all(&fault_rig, names, 3, "new", NULL, e);
}

static int run_clone(struct err *e)
{
    return rig_clone(&fault_rig, "v/s", "c", 0, NULL, e);
}

static int run_clone_grown(struct err *e)
{
    return rig_clone(&fault_rig, "v/s", "c", 2 * VOLUME_BYTES, NULL, e);
}

static int run_rollback(struct err *e)
{
    return rig_rollback(&fault_rig, "v", "s", "kept", e);
}

static int run_grow(struct err *e)
{
    struct volume_change grow = {.size_bytes = 3 * VOLUME_BYTES};
    return rig_change(&fault_rig, "v", &grow, e);
}

static int run_shrink(struct err *e)
{
    struct volume_change shrink = {.size_bytes = 2 * EXTENT_BYTES + 4096,
                                   .allow_data_loss = true};
    return rig_change(&fault_rig, "v", &shrink, e);
}

static int run_rename(struct err *e)
{
    static const struct label labels[] = {{"tier", "gold"}, {"app", "web"}};
    static const struct label_list list = {labels, 2};
    static const bool yes = true;
    struct volume_change all = {.name = "w", .labels = &list, .is_protected = &yes};
    return rig_change(&fault_rig, "v", &all, e);
}

static int run_trash(struct err *e)
{
    return rig_trash(&fault_rig, "v", e);
}

static int run_restore(struct err *e)
{
    return rig_restore(&fault_rig, "v", "old", e);
}

static void settle(void);

static int run_purge(struct err *e)
{
    int rc = rig_purge(&fault_rig, "v", e);
    settle();
    return rc;
}

static int run_delete(struct err *e)
{
    int rc = pool_rig_delete_volume(&fault_rig, "v", e);
    settle();
    return rc;
}

static int run_snapshot_delete(struct err *e)
{
    int rc = rig_snapshot_delete(&fault_rig, "v/s", e);
    settle();
    return rc;
}

static int run_first_write(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_WRITE, 4096, 2 * EXTENT_BYTES, 9);
}

static int run_part_block(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_WRITE, 2 * 4096 + 1024, 6 * 4096, 9);
}

static int run_or_first(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_OR, 4096, 2 * EXTENT_BYTES, 9);
}

static int run_or_part_block(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_OR, 2 * 4096 + 1024, 6 * 4096, 9);
}

static int run_atomic(struct err *e)
{
    (void)e;
    memset(io_data, 9, sizeof(io_data));
    int rc = io_go_as("v", VIO_WRITE, true, 2 * 4096, 2 * EXTENT_BYTES);
    int flushed = io_run("v", VIO_FLUSH, 0, 0, 0);
    return rc != 0 ? rc : flushed;
}

static uint8_t halves[2 * IO_BYTES_MAX];

static int compare_write(uint64_t at, uint64_t bytes)
{
    static struct rig_io io;
    memset(halves + bytes, 9, bytes);
    rig_io_init(&io, &fault_rig, 0, volume_find(fault_rig.manager, "v"), VIO_FLUSH, at,
                bytes);
    io.vio.op = VIO_COMPARE_WRITE;
    io.vio.data = io_data;
    io.vio.halves = halves;
    rig_io_start(&io);
    return rig_io_wait(&io);
}

/* Over what prepare_snapshot has left: 1s, 2s from two blocks on; or, if only the flush
 * failed before, over all that it wrote then. */
static int caw_and_flush(uint64_t at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        halves[i] = at + i < 8192 ? 1 : 2;
    int rc = compare_write(at, bytes);
    if (rc == -EILSEQ) {
        memset(halves, 9, bytes);
        rc = compare_write(at, bytes);
    }
    int flushed = io_run("v", VIO_FLUSH, 0, 0, 0);
    return rc != 0 ? rc : flushed;
}

static int run_caw_block(struct err *e)
{
    (void)e;
    return caw_and_flush(4096 + 1024, 512);
}

static int run_caw_blocks(struct err *e)
{
    (void)e;
    return caw_and_flush(4096 + 1024, 2 * EXTENT_BYTES + 512);
}

static int run_unmap_part(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_UNMAP, 4096, 8192, 0);
}

static int run_unmap_whole(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_UNMAP, EXTENT_BYTES, 3 * EXTENT_BYTES, 0);
}

static int run_zero_part(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_ZERO, 4096 + 512, 4 * 4096, 0);
}

static int run_zero_whole(struct err *e)
{
    (void)e;
    return io_and_flush(VIO_ZERO, EXTENT_BYTES - 1024, 3 * EXTENT_BYTES, 0);
}

static int run_read(struct err *e)
{
    (void)e;
    return io_run("v", VIO_READ, 512, IO_BYTES_MAX, 0);
}

/* A list of what differs: nothing of it is changed, and no slice is half told. */
struct listing {
    bool came, is_last;
    struct err err;
};

static void on_slice(void *arg, const struct diff_slice *slice, const struct err *e)
{
    struct listing *l = arg;
    l->came = true;
    l->is_last = slice == NULL || slice->is_last;
    if (e != NULL)
        l->err = *e;
}

static bool slice_came(void *arg)
{
    return ((struct listing *)arg)->came;
}

static int run_list(struct err *e)
{
    const struct diff_spec spec = {.from = "s0", .length_bytes = DIFF_LENGTH_ALL};
    struct listing l = {.err = {.code = 0}};
    struct diff *diff = NULL;
    int rc = diff_create(fault_rig.manager, volume_find(fault_rig.manager, "v"), &spec,
                         on_slice, &l, &diff, &l.err);
    while (rc == 0 && !l.is_last) {
        l.came = false;
        diff_next(diff);
        pool_rig_until(&fault_rig, slice_came, &l);
    }
    diff_destroy(diff);
    if (e != NULL)
        *e = l.err;
    return l.err.code;
}

const struct fault_case fault_cases[] = {
    {.name = "snapshot",
     .prepare = prepare_one,
     .run = run_snapshot,
     .is_unsynced = true},
    {.name = "three snapshots",
     .prepare = prepare_three,
     .run = run_snapshots,
     .is_unsynced = true},
    {.name = "clone", .prepare = prepare_snapshot, .run = run_clone},
    {.name = "grown clone", .prepare = prepare_snapshot, .run = run_clone_grown},
    {.name = "rollback",
     .prepare = prepare_grown,
     .run = run_rollback,
     .is_unsynced = true},
    {.name = "grow", .prepare = prepare_snapshot, .run = run_grow},
    {.name = "shrink",
     .prepare = prepare_snapshot,
     .run = run_shrink,
     .may_be_half = true,
     .is_unsynced = true},
    {.name = "rename", .prepare = prepare_snapshot, .run = run_rename},
    {.name = "trash", .prepare = prepare_snapshot, .run = run_trash},
    {.name = "restore", .prepare = prepare_trash, .run = run_restore},
    {.name = "purge", .prepare = prepare_trash, .run = run_purge},
    {.name = "delete", .prepare = prepare_merge_down, .run = run_delete},
    {.name = "merge up",
     .prepare = prepare_merge_up,
     .run = run_snapshot_delete,
     .is_unsynced = true},
    {.name = "merge down", .prepare = prepare_merge_down, .run = run_snapshot_delete},
    {.name = "first write after a snapshot",
     .prepare = prepare_snapshot,
     .run = run_first_write,
     .is_io = true},
    {.name = "write of a part of a block through a stack",
     .prepare = prepare_stack,
     .run = run_part_block,
     .is_io = true,
     .is_cold = true},
    {.name = "or after a snapshot",
     .prepare = prepare_snapshot,
     .run = run_or_first,
     .is_io = true},
    {.name = "or into a part of a block through a stack",
     .prepare = prepare_stack,
     .run = run_or_part_block,
     .is_io = true,
     .is_cold = true},
    {.name = "atomic write",
     .prepare = prepare_snapshot,
     .run = run_atomic,
     .is_io = true,
     .is_cold = true},
    {.name = "compare and write of a block",
     .prepare = prepare_snapshot,
     .run = run_caw_block,
     .is_io = true,
     .is_cold = true},
    {.name = "compare and write of several blocks",
     .prepare = prepare_snapshot,
     .run = run_caw_blocks,
     .is_io = true,
     .is_cold = true},
    {.name = "unmap of a part",
     .prepare = prepare_snapshot,
     .run = run_unmap_part,
     .is_io = true},
    {.name = "unmap of wholes",
     .prepare = prepare_snapshot,
     .run = run_unmap_whole,
     .is_io = true},
    {.name = "zeros to a part",
     .prepare = prepare_snapshot,
     .run = run_zero_part,
     .is_io = true},
    {.name = "zeros to wholes",
     .prepare = prepare_snapshot,
     .run = run_zero_whole,
     .is_io = true},
    {.name = "list of blocks", .prepare = prepare_stack, .run = run_list},
    {.name = "read through a stack",
     .prepare = prepare_stack,
     .run = run_read,
     .is_io = true,
     .is_cold = true},
};
const size_t fault_case_count = ARRAY_LEN(fault_cases);

/* ---- Judging ----------------------------------------------------------------------- */

static void restart(void)
{
    pool_rig_reopen(&fault_rig);
}

static void home_look(struct pool_rig *r, void *arg)
{
    *(bool *)arg = r->pool->abandoned == NULL && r->pool->shape_first == NULL &&
                   r->pool->round.boarding == NULL;
}

static bool is_settled(void *arg)
{
    struct pool_rig *r = arg;
    bool rests = false;
    pool_rig_at_home(r, home_look, &rests); /* first: what rests begins no merge */
    bool busy = atomic_load(&r->pool->background_count) > 0;
    if (pool_is_failed(r->pool))
        return !busy;                      /* nothing is freed any more */
    busy |= r->manager->ops_under_way > 0; /* a wipe that goes on after a restart */
    if (rests && !busy && limbo_count(r->pool) == 0)
        return true;
    round_want(r->pool);
    return false;
}

/* No snapshot is abandoned, nothing is merged or dropped, what was freed is free. */
static void settle(void)
{
    pool_rig_until(&fault_rig, is_settled, &fault_rig);
}

static void assert_check(bool may_leak)
{
    struct pool_check_report report;
    pool_rig_await_checks(&fault_rig);
    settle();
    must(pool_rig_check(&fault_rig, &report, NULL));
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
    if (!may_leak)
        assert_int_equal(report.leaked_extents, 0);
}

static void begin(const struct fault_case *c)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .tick_ms = 5};
    pool_rig_create(&fault_rig, &options);
    c->prepare();
    flush();
    if (c->is_unsynced) {
        must(io_go("v", VIO_READ, UNSYNCED_AT, BLOCK_BYTES));
        must(io_go("v", VIO_WRITE, UNSYNCED_AT, BLOCK_BYTES));
    }
    if (c->is_cold)
        restart();
    settle();
}

/* As it is without a fault. */
static void take_after(const struct fault_case *c, struct world *after)
{
    begin(c);
    must(c->run(NULL));
    settle();
    world_take(after, &fault_rig);
    pool_rig_destroy(&fault_rig);
}

static bool is_half(const struct fault_case *c, const struct world *after)
{
    struct volume *v = volume_find(fault_rig.manager, "v");
    return c->may_be_half && volume_size_bytes(v) == after->volumes[0].size_bytes;
}

/* Failed: nothing has changed. Only what is committed counts where the pool's device has
 * failed: that is seen after a restart. */
static void judge_failure(const struct fault_case *c, const struct fault *fault,
                          const struct world *before, const struct world *after)
{
    struct world now;
    if (pool_is_failed(fault_rig.pool))
        restart();
    settle();
    world_take(&now, &fault_rig);
    if (c->is_io) {
        assert_true(world_between(&now, before, after));
    } else if (is_half(c, after)) {
        assert_true(world_equal(&now, after, WORLD_SHOWN, "half"));
    } else {
        assert_true(world_equal(&now, before,
                                fault->may_wait_for_restart ? WORLD_SHOWN : WORLD_WHOLE,
                                "failed"));
    }
    world_free(&now);
    assert_check(c->is_io || fault->may_wait_for_restart);
    must(c->run(NULL));
}

/* False: no fault has struck. */
static bool run_once(const struct fault_case *c, const struct fault *fault,
                     const struct world *before, const struct world *after, unsigned nth)
{
    struct err e = {.code = 0};
    struct world now;
    begin(c);
    fault->arm(nth);
    int rc = c->run(&e);
    bool struck = fault->disarm();
    if (rc != 0) {
        assert_true(struck);
        assert_true(c->is_io || (e.code == rc && e.text[0] != '\0'));
        judge_failure(c, fault, before, after);
    }
    if (pool_is_failed(fault_rig.pool))
        restart();
    settle();
    world_take(&now, &fault_rig);
    assert_true(world_equal(&now, after,
                            fault->may_wait_for_restart ? WORLD_SHOWN : WORLD_WHOLE,
                            "succeeded"));
    world_free(&now);
    assert_check(fault->may_wait_for_restart || c->is_io);
    restart();
    assert_check(false);
    world_take(&now, &fault_rig);
    assert_true(world_equal(&now, after, WORLD_WHOLE, "restarted"));
    world_free(&now);
    pool_rig_destroy(&fault_rig);
    return struck;
}

unsigned fault_case_run(const struct fault_case *c, const struct fault *fault)
{
    struct world before, after;
    unsigned nth = 1;
    take_after(c, &after);
    begin(c);
    world_take(&before, &fault_rig);
    pool_rig_destroy(&fault_rig);
    while (run_once(c, fault, &before, &after, nth))
        assert_in_range(++nth, 1, NTH_MAX);
    world_free(&before);
    world_free(&after);
    return nth;
}
