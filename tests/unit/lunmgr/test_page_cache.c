/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a pool's devices are read and written past the page cache or through it: as it
 * was made, changed under load, added to, and found by a start; and what was flushed
 * through it is there after a kill. On the disk that the test runs on. */
#include "lunmgr/device.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POOL_BYTES   (64 * MIB)
#define VOLUME_BYTES (8 * MIB)
#define LANES        2
#define CHANGES      40

static struct pool_rig rig;
static bool is_open;

static const bool on = true, off = false;

static int teardown(void **state)
{
    (void)state;
    fault_vfs_disarm();
    if (is_open)
        pool_rig_destroy(&rig);
    is_open = false;
    return 0;
}

static bool is_direct(const struct device *d)
{
    struct pool_device_info info;
    int flags = fcntl(d->fd, F_GETFL);
    assert_true(flags >= 0);
    pool_device_describe(d, &info);
    assert_int_equal(info.direct, (flags & O_DIRECT) != 0); /* what is told is true */
    return info.direct;
}

/* Both what is wanted and what is done. */
static void assert_page_cache(bool used)
{
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_int_equal(info.page_cache, used);
    for (struct device *d = NULL; (d = pool_next_device(rig.pool, d)) != NULL;)
        assert_int_equal(is_direct(d), !used);
}

static int change(const bool *page_cache)
{
    const struct pool_change wanted = {.page_cache = page_cache};
    return rig_pool_change(&rig, &wanted, NULL);
}

/* A pool on a file system that knows direct I/O, or the test is skipped. */
static void open_rig(enum rig_engine engine, bool threads, bool page_cache)
{
    struct pool_rig_options options = {.engine = engine,
                                       .lane_count = LANES,
                                       .threads = threads,
                                       .pool_bytes = POOL_BYTES,
                                       .tick_ms = threads ? 20 : 0};
    if (!pool_rig_has(engine))
        skip();
    pool_rig_create(&rig, &options);
    is_open = true;
    if (!is_direct(pool_slot(rig.pool, 1))) {
        print_message("no O_DIRECT on the file system of %s\n", rig.dir);
        skip();
    }
    if (!page_cache)
        return;
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    rig.options.page_cache = true;
    assert_int_equal(unlink(rig.pool_path), 0);
    assert_int_equal(
        pool_rig_make_pool(&rig, "p", rig.pool_path, POOL_BYTES, &rig.pool, NULL), 0);
}

/* ---- What is asked for is done ----------------------------------------------------- */

static void a_pool_is_direct_unless_it_is_asked_for(void **state)
{
    (void)state;
    open_rig(RIG_THREADS, false, false);
    assert_page_cache(false);
    pool_rig_reopen(&rig);
    assert_page_cache(false);
}

static void one_that_is_made_with_it_keeps_it_over_a_start(void **state)
{
    (void)state;
    open_rig(RIG_THREADS, false, true);
    assert_page_cache(true);
    pool_rig_reopen(&rig);
    assert_page_cache(true);
}

/* What was written one way is read the other, flushed in between or not. */
static void a_change_holds_at_once_and_over_a_start(void **state)
{
    (void)state;
    open_rig(RIG_THREADS, false, false);
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    for (uint8_t i = 1; i <= 6; i++) {
        bool used = i % 2 == 1;
        uint64_t at = (i - 1U) * 4096U;
        assert_int_equal(change(used ? &on : &off), 0);
        assert_page_cache(used);
        for (uint8_t k = 1; k < i; k++)
            assert_true(rig_reads(&rig, v, (k - 1U) * 4096U, 4096, k));
        assert_int_equal(rig_write(&rig, v, at, 4096, i), 0);
        if (i > 3)
            assert_int_equal(rig_flush(&rig, v), 0);
    }
    assert_int_equal(change(&on), 0);
    assert_int_equal(change(NULL), 0); /* as it is */
    assert_page_cache(true);
    pool_rig_reopen(&rig);
    assert_page_cache(true);
    v = volume_find(rig.manager, "v");
    for (uint8_t k = 1; k <= 6; k++)
        assert_true(rig_reads(&rig, v, (k - 1U) * 4096U, 4096, k));
}

static void a_change_that_is_not_durable_is_none(void **state)
{
    (void)state;
    open_rig(RIG_THREADS, false, false);
    for (int i = 0; i < 2; i++) {
        bool used = i == 1;
        assert_int_equal(change(used ? &on : &off), 0);
        fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
        assert_true(change(used ? &off : &on) < 0);
        fault_vfs_disarm();
        assert_page_cache(used);
        pool_rig_reopen(&rig);
        assert_page_cache(used);
    }
}

/* ---- Devices that come later ------------------------------------------------------- */

static void a_device_that_joins_follows_the_pool(void **state)
{
    char path[RIG_PATH_MAX];
    (void)state;
    open_rig(RIG_THREADS, false, true);
    const struct pool_device_spec spec = {.path = path, .size_bytes = POOL_BYTES};
    snprintf(path, sizeof(path), "%s/device1", rig.dir);
    assert_int_equal(rig_device_add(&rig, &spec, NULL), 0);
    assert_non_null(pool_slot(rig.pool, 2));
    assert_page_cache(true);
    assert_int_equal(change(&off), 0);
    assert_page_cache(false);
    pool_rig_reopen(&rig);
    assert_page_cache(false);
}

struct asked {
    bool joined, changed;
};

static void on_changed(void *arg, struct pool *pool, const struct err *e)
{
    (void)pool;
    assert_null(e);
    ((struct asked *)arg)->changed = true;
}

static void on_joined(void *arg, struct device *d, const struct err *e)
{
    (void)d;
    assert_null(e);
    ((struct asked *)arg)->joined = true;
}

static bool has_joined(void *arg)
{
    return ((struct asked *)arg)->joined;
}

static bool has_changed(void *arg)
{
    return ((struct asked *)arg)->changed;
}

/* The pools' loop, while it is not let go. */
struct hold {
    struct note note;
    atomic_bool over;
};

static void hold_run(struct note *note)
{
    struct hold *hold = container_of(note, struct hold, note);
    while (!atomic_load(&hold->over))
        usleep(100);
}

/* Its row is there and it is not yet the pool's, or whatever else it is by then. */
static void one_that_joins_during_a_change_follows_it(void **state)
{
    char path[RIG_PATH_MAX];
    (void)state;
    open_rig(RIG_THREADS, false, false);
    const struct pool_device_spec spec = {.path = path, .size_bytes = MIB};
    for (unsigned i = 0; i < 4; i++) {
        bool used = i % 2 == 0;
        struct asked asked = {.joined = false};
        struct hold hold = {.note.run = hold_run};
        const struct pool_change wanted = {.page_cache = &used};
        snprintf(path, sizeof(path), "%s/joins%u", rig.dir, i);
        loop_post(lunmgr_home(rig.manager), &hold.note);
        pool_device_add(rig.manager, "p", &spec, on_joined, &asked);
        for (unsigned ms = 0; ms < i * 50; ms++) {
            pool_rig_step(&rig);
            usleep(1000);
        }
        pool_change(rig.manager, "p", &wanted, on_changed, &asked);
        pool_rig_until(&rig, has_changed, &asked);
        assert_false(asked.joined);
        atomic_store(&hold.over, true);
        pool_rig_until(&rig, has_joined, &asked);
        assert_page_cache(used);
    }
}

/* ---- Promises ---------------------------------------------------------------------- */

static const enum rig_engine engines[] = {RIG_URING, RIG_THREADS};

static struct load_options load_of(struct volume *v, struct oracle *o)
{
    return (struct load_options){.rig = &rig,
                                 .volume = v,
                                 .oracle = o,
                                 .seed = 7,
                                 .count = UINT32_MAX,
                                 .depth = 8,
                                 .region_bytes = VOLUME_BYTES,
                                 .align_bytes = 512,
                                 .bytes_max = 2 * EXTENT_BYTES,
                                 .mix = {.read = 30,
                                         .write = 37,
                                         .unmap = 5,
                                         .zero = 5,
                                         .flush = 2,
                                         .atomic = 5,
                                         .compare = 8},
                                 .fua_percent = 4};
}

static void assert_no_errors(void)
{
    struct pool_device_info info;
    pool_device_describe(pool_slot(rig.pool, 1), &info);
    assert_string_equal(info.state, "online");
    assert_int_equal(info.read_errors + info.write_errors + info.sync_errors, 0);
}

/* What was flushed, or written with FUA, is there after a kill. */
static void a_kill_keeps_what_was_flushed(void **state)
{
    struct vio_load *loads[LANES];
    struct oracle_cut cut;
    open_rig(*(const enum rig_engine *)*state, true, true);
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    const struct load_options load = load_of(v, o);
    vio_loads_start(&load, loads, LANES);
    usleep(200000);
    oracle_cut_begin(o, &cut);
    pool_rig_cut(&rig);
    oracle_cut_end(o, &cut);
    assert_int_equal(vio_loads_stop(&rig, loads, LANES), 0);
    assert_null(oracle_offence(o));
    assert_page_cache(true);
    assert_no_errors();
    pool_rig_reopen_cut(&rig);
    assert_page_cache(true);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), &cut));
    rig_assert_sound(&rig);
    oracle_destroy(o);
}

/* Back and forth while blocks are written that share pages of the cache. */
static void changes_under_load_lose_and_fail_nothing(void **state)
{
    struct vio_load *loads[LANES];
    open_rig(*(const enum rig_engine *)*state, true, false);
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    const struct load_options load = load_of(v, o);
    vio_loads_start(&load, loads, LANES);
    for (unsigned i = 0; i < rig_times(CHANGES); i++) {
        assert_int_equal(change(i % 2 == 0 ? &on : &off), 0);
        assert_page_cache(i % 2 == 0);
        usleep(i % 7 * 3000);
    }
    assert_int_equal(vio_loads_stop(&rig, loads, LANES), 0);
    assert_null(oracle_offence(o));
    assert_no_errors();
    assert_true(oracle_verify(o, &rig, v, NULL));
    pool_rig_reopen(&rig);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), NULL));
    rig_assert_sound(&rig);
    assert_no_errors();
    oracle_destroy(o);
}

#define PLAIN(test) cmocka_unit_test_teardown(test, teardown)
#define WITH_ENGINES(test)                                                               \
    {.name = #test "/uring",                                                             \
     .test_func = (test),                                                                \
     .teardown_func = teardown,                                                          \
     .initial_state = (void *)(uintptr_t)&engines[0]},                                   \
    {                                                                                    \
        .name = #test "/threads", .test_func = (test), .teardown_func = teardown,        \
        .initial_state = (void *)(uintptr_t)&engines[1]                                  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(a_pool_is_direct_unless_it_is_asked_for),
        PLAIN(one_that_is_made_with_it_keeps_it_over_a_start),
        PLAIN(a_change_holds_at_once_and_over_a_start),
        PLAIN(a_change_that_is_not_durable_is_none),
        PLAIN(a_device_that_joins_follows_the_pool),
        PLAIN(one_that_joins_during_a_change_follows_it),
        WITH_ENGINES(a_kill_keeps_what_was_flushed),
        WITH_ENGINES(changes_under_load_lose_and_fail_nothing),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
