/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of the map in memory: leaves of sparse volumes go when it is passed and they
 * are clean, come back as they were, and lose nothing to those who write beside it. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/leaf.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define LEAF_BYTES ((uint64_t)LEAF_WORDS * EXTENT_BYTES)
#define LEAVES     256
#define BOUND      (8 * sizeof(struct leaf))

static struct pool_rig rig;

static void open_rig(unsigned lanes, bool threads, unsigned tick_ms, uint64_t bound)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = 256 * MIB,
                                       .tick_ms = tick_ms,
                                       .leaf_cache_bytes = bound};
    pool_rig_create(&rig, &options);
}

static int setup(void **state)
{
    (void)state;
    open_rig(1, false, 0, BOUND);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *sparse(void)
{
    return pool_rig_volume(&rig, "v", LEAVES * LEAF_BYTES, 512);
}

static bool is_bounded(void *arg)
{
    (void)arg;
    return lunmgr_leaf_cache_bytes(rig.manager) <= rig.options.leaf_cache_bytes;
}

static uint8_t fill_of(uint64_t leaf)
{
    return (uint8_t)(leaf % 251 + 1);
}

/* Block `block` of each leaf in turn; a flush now and then. */
static void write_leaves(struct volume *v, uint64_t first, uint64_t count, unsigned block)
{
    for (uint64_t i = first; i < first + count; i++) {
        uint64_t at = i * LEAF_BYTES + block * BLOCK_BYTES;
        assert_int_equal(rig_write(&rig, v, at, BLOCK_BYTES, fill_of(i + block)), 0);
        if (i % 32 == 31) {
            assert_int_equal(rig_flush(&rig, v), 0);
            pool_rig_until(&rig, is_bounded, NULL);
        }
    }
}

static void assert_leaves(struct volume *v, unsigned block)
{
    for (uint64_t i = 0; i < LEAVES; i++)
        assert_true(rig_reads(&rig, v, i * LEAF_BYTES + block * BLOCK_BYTES, BLOCK_BYTES,
                              fill_of(i + block)));
}

/* ---- Leaves that go ---------------------------------------------------------------- */

static void clean_leaves_go_when_the_bound_is_passed(void **state)
{
    (void)state;
    struct volume *v = sparse();
    write_leaves(v, 0, LEAVES, 0);
    assert_true(lunmgr_leaf_cache_bytes(rig.manager) > 0);
    assert_leaves(v, 0);
    pool_rig_until(&rig, is_bounded, NULL); /* what was read only goes too */
    rig_assert_sound(&rig);
}

static void what_comes_back_can_be_written_again(void **state)
{
    (void)state;
    struct volume *v = sparse();
    for (unsigned block = 0; block < 3; block++)
        write_leaves(v, 0, LEAVES, block);
    for (unsigned block = 0; block < 3; block++)
        assert_leaves(v, block);
    assert_int_equal(rig_flush(&rig, v), 0);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    for (unsigned block = 0; block < 3; block++)
        assert_leaves(v, block);
    rig_assert_sound(&rig);
}

static void dirty_leaves_stay_until_their_round(void **state)
{
    (void)state;
    struct volume *v = sparse();
    for (uint64_t i = 0; i < 31; i++)
        assert_int_equal(rig_write(&rig, v, i * LEAF_BYTES, BLOCK_BYTES, fill_of(i)), 0);
    for (int i = 0; i < 100; i++) {
        pool_rig_turn(&rig);
        assert_true(lunmgr_leaf_cache_bytes(rig.manager) >= 31 * sizeof(struct leaf));
    }
    assert_int_equal(rig_flush(&rig, v), 0);
    pool_rig_until(&rig, is_bounded, NULL);
    for (uint64_t i = 0; i < 31; i++)
        assert_true(rig_reads(&rig, v, i * LEAF_BYTES, BLOCK_BYTES, fill_of(i)));
}

struct look {
    struct volume *volume;
    uint32_t extent;
    bool is_there;
};

static void home_look(struct pool_rig *r, void *arg)
{
    struct look *look = arg;
    (void)r;
    look->is_there = layer_leaf_peek(volume_top(look->volume), look->extent) != NULL;
}

static bool leaf_is_there(struct volume *v, uint64_t leaf)
{
    struct look look = {.volume = v, .extent = (uint32_t)(leaf * LEAF_WORDS)};
    pool_rig_at_home(&rig, home_look, &look);
    return look.is_there;
}

/* The extent that it took is named in memory alone: forgotten, it would leak. */
static void a_leaf_with_a_failed_first_write_stays(void **state)
{
    (void)state;
    struct volume *v = sparse();
    fake_engine_fail(rig.lanes[0].fake, FAKE_WRITE, 1, -EIO, false);
    assert_int_equal(rig_write(&rig, v, 0, BLOCK_BYTES, 1), -EIO);
    uint64_t free_then = pool_free_extents(rig.pool);
    write_leaves(v, 1, LEAVES - 1, 0);
    assert_true(leaf_is_there(v, 0));
    assert_false(leaf_is_there(v, 1));
    assert_int_equal(rig_write(&rig, v, 0, BLOCK_BYTES, 2), 0);
    assert_int_equal(pool_free_extents(rig.pool), free_then - (LEAVES - 1));
    assert_int_equal(rig_flush(&rig, v), 0);
    rig_assert_sound(&rig);
}

static void what_an_io_in_flight_reads_is_not_freed(void **state)
{
    (void)state;
    struct volume *v = sparse();
    struct rig_io io;
    write_leaves(v, 0, 32, 0);
    assert_true(rig_reads(&rig, v, 0, BLOCK_BYTES, fill_of(0)));
    fake_engine_hold(rig.lanes[0].fake, FAKE_READ);
    rig_io_init(&io, &rig, 0, v, VIO_READ, 0, BLOCK_BYTES);
    rig_io_start(&io);
    for (uint64_t i = 32; i < LEAVES; i++) /* each leaf, without a disk I/O */
        assert_true(rig_reads(&rig, v, i * LEAF_BYTES, BLOCK_BYTES, 0));
    write_leaves(v, 32, 31, 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    for (int i = 0; i < 100; i++) {
        pool_rig_turn(&rig);
        assert_true(lunmgr_leaf_cache_bytes(rig.manager) > 16 * sizeof(struct leaf));
    }
    fake_engine_hold(rig.lanes[0].fake, 0);
    assert_int_equal(rig_io_wait(&io), 0);
    assert_int_equal(rig_io_data(&io)[0], fill_of(0));
    rig_io_fini(&io);
    pool_rig_until(&rig, is_bounded, NULL);
}

static void a_dropped_volume_takes_its_leaves_along(void **state)
{
    (void)state;
    struct volume *v = sparse();
    write_leaves(v, 0, LEAVES, 0);
    for (uint64_t i = 0; i < 16; i++) /* some on their way out, some dirty */
        assert_int_equal(rig_write(&rig, v, i * LEAF_BYTES, BLOCK_BYTES, 9), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_settle(&rig);
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_int_equal(info.used_bytes, 0);
    rig_assert_sound(&rig);
    pool_rig_close(&rig); /* which asserts that none of it is counted any more */
}

/* ---- Beside writers ---------------------------------------------------------------- */

#define RACE_LEAVES 6

static void race(uint64_t seed, const struct load_mix *mix)
{
    open_rig(2, true, 1, 2 * sizeof(struct leaf));
    struct volume *v = pool_rig_volume(&rig, "v", RACE_LEAVES * LEAF_BYTES, 512);
    struct oracle *o = oracle_create(RACE_LEAVES * LEAF_BYTES);
    struct vio_load *loads[2];
    const struct load_options load = {.rig = &rig,
                                      .volume = v,
                                      .oracle = o,
                                      .seed = seed * 7,
                                      .count = rig_times(3000),
                                      .depth = 8,
                                      .region_bytes = RACE_LEAVES * LEAF_BYTES,
                                      .align_bytes = seed % 2 == 0 ? 4096 : 512,
                                      .bytes_max = 16384,
                                      .mix = *mix};
    vio_loads_start(&load, loads, 2);
    assert_int_equal(vio_loads_finish(&rig, loads, 2), 0);
    assert_null(oracle_offence(o));
    assert_true(oracle_verify(o, &rig, v, NULL));
    assert_int_equal(rig_flush(&rig, v), 0);
    pool_rig_until(&rig, is_bounded, NULL);
    pool_rig_reopen(&rig);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), NULL));
    rig_assert_sound(&rig);
    oracle_destroy(o);
    pool_rig_destroy(&rig);
}

static void writers_beside_evictions_lose_nothing(void **state)
{
    static const struct load_mix mix = {.read = 30, .write = 60, .flush = 10};
    (void)state;
    race(1, &mix);
    race(2, &mix);
}

static void unmaps_beside_evictions_lose_nothing(void **state)
{
    static const struct load_mix mix = {
        .read = 20, .write = 40, .unmap = 20, .zero = 15, .flush = 5};
    (void)state;
    race(3, &mix);
    race(4, &mix);
}

/* ---- Entries of no kind of ours -------------------------------------------------------
 */

struct guest {
    struct cached cached;
    pthread_t adder;
};

static struct guest early, late;
static atomic_uint freed_guests;

static bool guest_unlink(struct cached *c)
{
    (void)c;
    return true;
}

static void guest_free(struct cached *c)
{
    (void)c;
    atomic_fetch_add(&freed_guests, 1);
}

static const struct cached_kind late_kind = {.unlink = guest_unlink, .free = guest_free};

static void *add_late(void *arg)
{
    (void)arg;
    leaf_cache_add(rig.manager->leaf_cache, &late.cached, &late_kind, BOUND + 1);
    return NULL;
}

/* Under the cache's lock: the late one is counted, and cannot be listed. */
static bool early_close(struct cached *c)
{
    (void)c;
    uint64_t before = leaf_cache_bytes(rig.manager->leaf_cache);
    assert_int_equal(pthread_create(&early.adder, NULL, add_late, NULL), 0);
    while (leaf_cache_bytes(rig.manager->leaf_cache) == before)
        sched_yield();
    return true;
}

static const struct cached_kind early_kind = {
    .close = early_close, .unlink = guest_unlink, .free = guest_free};

static bool guests_are_freed(void *arg)
{
    (void)arg;
    return atomic_load(&freed_guests) == 2;
}

static void what_is_counted_may_not_be_listed_yet(void **state)
{
    (void)state;
    leaf_cache_add(rig.manager->leaf_cache, &early.cached, &early_kind, BOUND + 1);
    pool_rig_until(&rig, guests_are_freed, NULL);
    pthread_join(early.adder, NULL);
}

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(clean_leaves_go_when_the_bound_is_passed),
        CACHE_TEST(what_comes_back_can_be_written_again),
        CACHE_TEST(dirty_leaves_stay_until_their_round),
        CACHE_TEST(a_leaf_with_a_failed_first_write_stays),
        CACHE_TEST(what_an_io_in_flight_reads_is_not_freed),
        CACHE_TEST(a_dropped_volume_takes_its_leaves_along),
        CACHE_TEST(what_is_counted_may_not_be_listed_yet),
        cmocka_unit_test(writers_beside_evictions_lose_nothing),
        cmocka_unit_test(unmaps_beside_evictions_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
