/* SPDX-License-Identifier: Apache-2.0 */
/* A full pool fails the writes that need a new extent and nothing else, and serves again
 * as soon as space comes back: by UNMAP, by a deleted volume, across a restart. */
#include "tests/lib/rig_check.h"
#include "tests/lib/vio_load.h"

#include "db/catalog.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pool_rig rig;
static struct volume *vol;

static void open_rig(unsigned lanes, bool threads, uint64_t pool_bytes, unsigned tick_ms)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = pool_bytes,
                                       .tick_ms = tick_ms};
    pool_rig_create(&rig, &options);
}

/* Fifteen extents. */
static int setup(void **state)
{
    (void)state;
    open_rig(2, false, MIB, 0);
    vol = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static uint64_t free_extents(void)
{
    return pool_free_extents(rig.pool);
}

static void fill_pool(struct volume *v)
{
    for (uint64_t at = 0; free_extents() > 0; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, v, at, EXTENT_BYTES, 0x11), 0);
}

static int unmap(struct volume *v, uint64_t offset, uint64_t bytes)
{
    return rig_io_run(&rig, 0, v, VIO_UNMAP, offset, bytes, NULL);
}

/* ---- Full -------------------------------------------------------------------------- */

static void a_full_pool_fails_only_what_needs_an_extent(void **state)
{
    (void)state;
    fill_pool(vol);
    assert_int_equal(rig_write(&rig, vol, 15 * EXTENT_BYTES, 4096, 2), -ENOSPC);
    assert_int_equal(rig_write(&rig, vol, 15 * EXTENT_BYTES + 512, 512, 2), -ENOSPC);
    assert_int_equal(rig_write(&rig, vol, 0, 4096, 2), 0);
    assert_int_equal(rig_write(&rig, vol, 512, 512, 3), 0);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_ZERO, 8192, 4096, NULL), 0);
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_ZERO, 20 * EXTENT_BYTES + 512,
                                2 * EXTENT_BYTES, NULL),
                     0); /* zeros already */
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_true(rig_reads(&rig, vol, 0, 512, 2));
    assert_true(rig_reads(&rig, vol, 512, 512, 3));
    assert_true(rig_reads(&rig, vol, 8192, 4096, 0));
    assert_true(rig_reads(&rig, vol, 15 * EXTENT_BYTES, 4096, 0));
}

/* ---- Told -------------------------------------------------------------------------- */

struct told {
    unsigned spaces, failures;
    uint64_t writes;
    int error;
};

static void on_refused(void *arg, const char *id, const char *pool, uint64_t writes,
                       unsigned waiting)
{
    struct told *told = arg;
    told->spaces++;
    told->writes += writes;
    assert_int_equal(waiting, 0);
    assert_string_equal(id, rig.pool->id);
    assert_string_equal(pool, "p");
}

static void on_failed(void *arg, const char *id, const char *path, const char *pool,
                      const char *reason, int error)
{
    struct told *told = arg;
    told->failures++;
    told->error = error;
    assert_string_equal(id, pool_slot(rig.pool, 1)->row.id);
    assert_string_equal(path, rig.pool_path);
    assert_string_equal(pool, "p");
    assert_string_equal(reason, "a test");
}

static void listen_with(struct told *told)
{
    const struct lunmgr_news news = {
        .arg = told, .device_failed = on_failed, .space_refused = on_refused};
    *told = (struct told){0};
    lunmgr_set_news(rig.manager, &news);
}

/* However many are refused, the first is told at once and the others later, together. */
static void refused_writes_are_told_of_now_and_then(void **state)
{
    struct told told;
    (void)state;
    listen_with(&told);
    fill_pool(vol);
    assert_int_equal(told.spaces, 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(rig_write(&rig, vol, 15 * EXTENT_BYTES, 4096, 2), -ENOSPC);
    loop_run_once(rig.control, false);
    assert_true(told.spaces >= 1);
    atomic_store(&rig.pool->refused_told_ms, 0); /* a while ago */
    assert_int_equal(rig_write(&rig, vol, 15 * EXTENT_BYTES, 4096, 2), -ENOSPC);
    loop_run_once(rig.control, false);
    assert_int_equal(told.writes, 11);
}

static void a_failed_device_is_told_of_once(void **state)
{
    struct told told;
    (void)state;
    listen_with(&told);
    for (unsigned i = 0; i < 3; i++)
        device_fail(pool_slot(rig.pool, 1), "a test", EIO);
    loop_run_once(rig.control, false);
    assert_int_equal(told.failures, 1);
    assert_int_equal(told.error, EIO);
}

/* ---- Half -------------------------------------------------------------------------- */

/* What had its extent is written, what had not is as before. */
static void a_write_that_half_fits_fails(void **state)
{
    (void)state;
    fill_pool(vol);
    assert_int_equal(rig_write(&rig, vol, 14 * EXTENT_BYTES, 3 * EXTENT_BYTES, 7),
                     -ENOSPC);
    assert_true(rig_reads(&rig, vol, 15 * EXTENT_BYTES, 2 * EXTENT_BYTES, 0));
    assert_int_equal(free_extents(), 0);
}

static void space_comes_back_by_unmap(void **state)
{
    (void)state;
    fill_pool(vol);
    for (uint8_t i = 1; i < 20; i++) {
        uint64_t gone = (uint64_t)(i - 1) * EXTENT_BYTES;
        uint64_t fresh = (uint64_t)(14 + i) * EXTENT_BYTES;
        assert_int_equal(rig_write(&rig, vol, fresh, EXTENT_BYTES, i), -ENOSPC);
        assert_int_equal(unmap(vol, gone, EXTENT_BYTES), 0);
        /* At once: it waits for the round that it asks for. */
        assert_int_equal(rig_write(&rig, vol, fresh, EXTENT_BYTES, i), 0);
        assert_true(rig_reads(&rig, vol, fresh, EXTENT_BYTES, i));
        assert_true(rig_reads(&rig, vol, gone, EXTENT_BYTES, 0));
    }
    assert_int_equal(rig_flush(&rig, vol), 0);
    assert_int_equal(rig_assert_no_harm(&rig).leaked_extents, 0);
}

static void many_that_wait_are_all_served(void **state)
{
    struct rig_io io[12];
    (void)state;
    fill_pool(vol);
    assert_int_equal(unmap(vol, 0, 12 * EXTENT_BYTES), 0);
    for (unsigned i = 0; i < 12; i++) {
        rig_io_init(&io[i], &rig, i % 2, vol, VIO_WRITE, (20 + i) * EXTENT_BYTES, 4096);
        memset(rig_io_data(&io[i]), 0x77, 4096);
        rig_io_start(&io[i]);
    }
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(rig_io_end(&io[i]), 0);
    }
    assert_int_equal(free_extents(), 0);
}

/* More wait than is freed: the rest fail, nobody waits for ever. */
static void those_for_whom_nothing_is_left_fail(void **state)
{
    struct rig_io io[8];
    unsigned good = 0;
    (void)state;
    fill_pool(vol);
    assert_int_equal(unmap(vol, 0, 3 * EXTENT_BYTES), 0);
    for (unsigned i = 0; i < 8; i++) {
        rig_io_init(&io[i], &rig, i % 2, vol, VIO_WRITE, (20 + i) * EXTENT_BYTES, 4096);
        rig_io_start(&io[i]);
    }
    for (unsigned i = 0; i < 8; i++) {
        int rc = rig_io_wait(&io[i]);
        assert_true(rc == 0 || rc == -ENOSPC);
        good += rc == 0;
        rig_io_fini(&io[i]);
    }
    assert_int_equal(good, 3);
}

/* The last freed extents may be released between a writer's look and its parking. */
struct waiter {
    struct space_wait wait;
    bool came;
};

static void on_space(struct note *note)
{
    container_of(note, struct waiter, wait.note)->came = true;
}

static bool has_come(void *arg)
{
    return ((struct waiter *)arg)->came;
}

static void who_parks_when_space_is_free_again_is_called_at_once(void **state)
{
    struct waiter w = {.wait = {.note.run = on_space, .inbox = loop_inbox(rig.control)}};
    (void)state;
    assert_int_equal(limbo_count(rig.pool), 0);
    assert_true(limbo_park(rig.pool, &w.wait));
    pool_rig_until(&rig, has_come, &w);
    fill_pool(vol);
    assert_false(limbo_park(rig.pool, &w.wait));
}

static void a_full_pool_under_load_loses_nothing(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(RIG_LANES, true, 2 * MIB, 2);
    vol = pool_rig_volume(&rig, "v", 4 * MIB, 512);
    struct oracle *o = oracle_create(4 * MIB);
    struct vio_load *loads[RIG_LANES];
    const struct load_options load = {
        .rig = &rig,
        .volume = vol,
        .oracle = o,
        .seed = 40,
        .count = rig_times(1500),
        .depth = 4,
        .region_bytes = 4 * MIB,
        .align_bytes = 512,
        .bytes_max = 4 * EXTENT_BYTES,
        .mix = {.read = 20, .write = 50, .unmap = 20, .zero = 10, .flush = 1},
        .may_fail = true};
    vio_loads_start(&load, loads, RIG_LANES);
    assert_true(vio_loads_finish(&rig, loads, RIG_LANES) > 0); /* it was full */
    assert_true(oracle_verify(o, &rig, vol, NULL));
    assert_null(oracle_offence(o));
    oracle_destroy(o);
    assert_int_equal(unmap(vol, 0, 4 * MIB), 0);
    pool_rig_settle(&rig);
    assert_int_equal(free_extents(), 31); /* all is back */
}

/* ---- Deleted volumes --------------------------------------------------------------- */

static void a_deleted_volume_returns_all_its_space(void **state)
{
    (void)state;
    struct volume *other = pool_rig_volume(&rig, "w", 64 * MIB, 4096);
    assert_int_equal(rig_write(&rig, other, 40 * MIB, 4096, 9), 0);
    fill_pool(vol);
    assert_int_equal(rig_write(&rig, other, 0, 4096, 1), -ENOSPC);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_int_equal(info.volume_count, 1);
    pool_rig_settle(&rig);
    assert_int_equal(free_extents(), 14);
    fill_pool(other);
    assert_true(rig_reads(&rig, other, 40 * MIB, 4096, 9));
}

/* A page of each of 200 leaves; the drop takes them in several batches. */
#define SPREAD 200

static struct volume *spread_volume(void)
{
    struct volume *v = pool_rig_volume(&rig, "big", SPREAD * 16 * MIB, 512);
    for (uint64_t i = 0; i < SPREAD; i++)
        assert_int_equal(rig_write(&rig, v, i * 16 * MIB + 4096, 4096, 1), 0);
    return v;
}

static int count_layer(const struct layer_row *row, void *arg)
{
    (void)row;
    ++*(unsigned *)arg;
    return 0;
}

static int count_layers_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    return layer_row_each(txn, count_layer, arg, e);
}

static unsigned layer_count(void)
{
    unsigned count = 0;
    assert_int_equal(catalog_read_wait(rig.catalog, count_layers_work, &count, NULL), 0);
    return count;
}

static void a_drop_of_many_leaves_leaves_nothing(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(1, false, 16 * MIB, 0);
    spread_volume();
    assert_int_equal(free_extents(), 255 - SPREAD);
    assert_int_equal(pool_rig_delete_volume(&rig, "big", NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(free_extents(), 255);
    assert_int_equal(layer_count(), 0);
}

static void a_drop_goes_on_after_a_restart(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        pool_rig_destroy(&rig);
        open_rig(1, false, 16 * MIB, 0);
        spread_volume();
        assert_int_equal(pool_rig_delete_volume(&rig, "big", NULL), 0);
        if (cut == 1)
            pool_rig_cut(&rig);
        pool_rig_close(&rig); /* stops the drop at its next step */
        if (cut == 1)
            pool_rig_take_cut(&rig);
        pool_rig_open(&rig);
        assert_null(volume_find(rig.manager, "big"));
        pool_rig_settle(&rig);
        assert_int_equal(free_extents(), 255);
        assert_int_equal(layer_count(), 0);
    }
}

/* Also of a volume whose words were never committed. */
static void what_was_never_flushed_comes_back_too(void **state)
{
    (void)state;
    fill_pool(vol);
    assert_int_equal(unmap(vol, 0, EXTENT_BYTES), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(free_extents(), 15);
    assert_int_equal(layer_count(), 0);
}

static void volumes_made_and_deleted_under_load_leave_nothing(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(2, true, 8 * MIB, 2);
    for (unsigned n = 0; n < rig_times(12); n++) {
        vol = pool_rig_volume(&rig, "v", 4 * MIB, 512);
        struct oracle *o = oracle_create(4 * MIB);
        struct load_options load = {.rig = &rig,
                                    .lane = n % 2,
                                    .volume = vol,
                                    .oracle = o,
                                    .seed = n + 1,
                                    .count = 100,
                                    .depth = 8,
                                    .region_bytes = 4 * MIB,
                                    .align_bytes = 512,
                                    .bytes_max = 8 * EXTENT_BYTES,
                                    .mix = {.read = 40, .write = 60},
                                    .may_fail = true}; /* the last one's space is aging */
        vio_load_run(&load);
        assert_null(oracle_offence(o)); /* nothing of the volume before shows */
        oracle_destroy(o);
        assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    }
    pool_rig_settle(&rig);
    assert_int_equal(free_extents(), 127);
}

#define SPACE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPACE_TEST(a_full_pool_fails_only_what_needs_an_extent),
        SPACE_TEST(refused_writes_are_told_of_now_and_then),
        SPACE_TEST(a_failed_device_is_told_of_once),
        SPACE_TEST(a_write_that_half_fits_fails),
        SPACE_TEST(space_comes_back_by_unmap),
        SPACE_TEST(many_that_wait_are_all_served),
        SPACE_TEST(those_for_whom_nothing_is_left_fail),
        SPACE_TEST(who_parks_when_space_is_free_again_is_called_at_once),
        SPACE_TEST(a_full_pool_under_load_loses_nothing),
        SPACE_TEST(a_deleted_volume_returns_all_its_space),
        SPACE_TEST(a_drop_of_many_leaves_leaves_nothing),
        SPACE_TEST(a_drop_goes_on_after_a_restart),
        SPACE_TEST(what_was_never_flushed_comes_back_too),
        SPACE_TEST(volumes_made_and_deleted_under_load_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
