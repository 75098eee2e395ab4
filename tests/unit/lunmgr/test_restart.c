/* SPDX-License-Identifier: Apache-2.0 */
/* What a start finds: leaves that are loaded on demand, leaks of an unclean stop, a
 * catalog or a device that is not of its age, missing, or another's. A pool that cannot
 * be served is "failed", and the daemon starts all the same. */
#include "tests/lib/log_keep.h"
#include "tests/lib/pool_rig.h"
#include "tests/lib/rig_check.h"

#include "db/catalog.h"
#include "lunmgr/device.h"
#include "lunmgr/pool_priv.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pool_rig rig;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 2, .pool_bytes = 16 * MIB};
    pool_rig_create(&rig, &options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_vfs_disarm();
    pool_rig_destroy(&rig);
    return 0;
}

/* Opens with the log kept. */
static void open_listening(void)
{
    log_keep_begin();
    pool_rig_open(&rig);
    log_keep_end();
}

static void assert_pool_is(const char *state)
{
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_string_equal(info.state, state);
}

/* A volume of a failed pool is there, and its I/O fails: also where its map has nothing,
 * which an older map would show as zeros. */
static void assert_failed(const char *why)
{
    assert_non_null(rig.pool);
    assert_pool_is("failed");
    assert_non_null(strstr(log_kept(), "a pool's device cannot be used"));
    assert_non_null(strstr(log_kept(), why));
    struct volume *v = volume_find(rig.manager, "v");
    uint8_t data[4096];
    assert_non_null(v);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 0, 4096, data), -EIO);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 8 * MIB, 4096, data), -EIO);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, 8 * MIB, 4096, NULL), -EIO);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_ZERO, 8 * MIB, 4096, NULL), -EIO);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 5), -EIO);
    assert_int_equal(rig_write(&rig, v, 512, 512, 5), -EIO);
    assert_int_equal(rig_write(&rig, v, 8 * MIB, 4096, 5), -EIO);
    assert_int_equal(rig_flush(&rig, v), -EIO);
}

/* A volume with a block of 1s, flushed. */
static void make_volume(void)
{
    struct volume *v = pool_rig_volume(&rig, "v", 16 * MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
}

/* And what a copy of before has not. */
static void make_volume_more(void)
{
    struct volume *v = volume_find(rig.manager, "v");
    assert_int_equal(rig_write(&rig, v, 4 * MIB, 4096, 2), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
}

static void assert_serves(void)
{
    assert_pool_is("online");
    assert_true(rig_reads(&rig, volume_find(rig.manager, "v"), 0, 4096, 1));
    rig_assert_sound(&rig);
}

/* ---- Leaves ------------------------------------------------------------------------ */

static void leaves_are_loaded_as_they_are_needed(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 4096 * MIB, 512);
    for (uint8_t i = 0; i < 20; i++)
        assert_int_equal(rig_write(&rig, v, i * 200 * MIB, 4096, i), 0);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_null(layer_leaf(v->top, 0));
    for (uint8_t i = 0; i < 20; i++)
        assert_true(rig_reads(&rig, v, i * 200 * MIB, 4096, i));
    assert_non_null(layer_leaf(v->top, 0));
    assert_null(layer_leaf(v->top, (uint32_t)(100 * MIB / EXTENT_BYTES)));
    rig_assert_sound(&rig);
}

/* A read, a write and an unmap of the same leaf, by both lanes, while it is loaded. */
static void all_that_wait_for_a_leaf_go_on(void **state)
{
    struct rig_io io[12];
    (void)state;
    make_volume();
    pool_rig_reopen(&rig);
    struct volume *v = volume_find(rig.manager, "v");
    static const enum vio_op ops[] = {VIO_READ, VIO_WRITE, VIO_UNMAP, VIO_ZERO};
    for (unsigned i = 0; i < 12; i++) {
        uint64_t at = i == 0 ? 0 : (i + 2) * EXTENT_BYTES;
        rig_io_init(&io[i], &rig, i % 2, v, ops[i % 4], at, 4096);
        if (ops[i % 4] == VIO_WRITE)
            memset(rig_io_data(&io[i]), (int)i, 4096);
        rig_io_start(&io[i]);
    }
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(rig_io_wait(&io[i]), 0);
        if (ops[i % 4] == VIO_WRITE)
            assert_true(rig_reads(&rig, v, (i + 2) * EXTENT_BYTES, 4096, (uint8_t)i));
        if (i == 0)
            assert_int_equal(io[0].buffer[100], 1);
        rig_io_fini(&io[i]);
    }
    rig_assert_sound(&rig);
}

/* A range of many leaves that are not there yet. */
static void an_unmap_of_a_whole_volume_loads_its_leaves(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 2048 * MIB, 512);
    uint64_t all = pool_free_extents(rig.pool);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(rig_write(&rig, v, i * 127 * MIB, 4096, 1), 0);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, 0, 2048 * MIB, NULL), 0);
    assert_true(rig_reads(&rig, v, 127 * MIB, 4096, 0));
    pool_rig_settle(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all);
    rig_assert_sound(&rig);
}

/* Puts the word of `arg` into the map as a damaged catalog might have it, whole by its
 * checksum. */
static int set_word(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct round_changes changes = {.words = arg, .word_count = 1};
    return round_store(txn, &changes, e);
}

static void a_word_that_is_not_the_pools_is_an_error_not_an_end(void **state)
{
    (void)state;
    static const uint64_t words[] = {
        (uint64_t)2 << 35 << PLACE_SHIFT | 5 << PLACE_SHIFT | 1,    /* no such device */
        (uint64_t)1 << 35 << PLACE_SHIFT | 1000 << PLACE_SHIFT | 1, /* beyond its end */
        (uint64_t)1 << 35 << PLACE_SHIFT | 1,                       /* its superblock */
        WORD_HELD | (uint64_t)1 << 35 << PLACE_SHIFT | 9 << PLACE_SHIFT | 1,
        WORD_SHARED | WORD_OPAQUE, /* a share of nothing */
        1,                         /* blocks without an extent */
    };
    uint8_t data[4096];
    make_volume();
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct volume *v = volume_find(rig.manager, "v");
        struct word_change change = {.key = extent_key(v->top->id, 3), .word = words[i]};
        assert_int_equal(catalog_write_wait(rig.catalog, set_word, &change, NULL), 0);
        pool_rig_reopen(&rig);
        v = volume_find(rig.manager, "v");
        log_keep_begin();
        assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 3 * EXTENT_BYTES, 4096, data),
                         -EIO);
        assert_int_equal(rig_write(&rig, v, 3 * EXTENT_BYTES, 4096, 5), -EIO);
        log_keep_end();
        assert_non_null(strstr(log_kept(), "extent=3 "));
    }
    /* Deleting it gives back nothing by that word, and does not end the daemon either. */
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_settle(&rig);
}

/* ---- Unclean stops ----------------------------------------------------------------- */

static void an_unclean_stop_leaves_no_leaks_for_long(void **state)
{
    (void)state;
    make_volume();
    struct volume *v = volume_find(rig.manager, "v");
    uint64_t before = pool_free_extents(rig.pool);
    /* Extents handed out whose words are not committed. */
    fake_engine_hold(rig.lanes[0].fake, FAKE_WRITE);
    struct rig_io io;
    rig_io_init(&io, &rig, 0, v, VIO_WRITE, MIB, 5 * EXTENT_BYTES);
    rig_io_start(&io);
    assert_int_equal(rig_io_run(&rig, 1, v, VIO_FLUSH, 0, 0, NULL), 0);
    pool_rig_cut(&rig);
    fake_engine_hold(rig.lanes[0].fake, 0);
    assert_int_equal(rig_io_end(&io), 0);
    pool_rig_reopen_cut(&rig);
    assert_serves();
    assert_int_equal(pool_free_extents(rig.pool), before);
    pool_rig_close(&rig); /* and the repair is committed */
    pool_rig_open(&rig);
    assert_int_equal(pool_free_extents(rig.pool), before);
    assert_serves();
}

/* The check for leaks runs beside writes and unmaps and must not take what is theirs. */
static void the_check_for_leaks_spares_what_is_in_use(void **state)
{
    (void)state;
    for (unsigned n = 0; n < rig_times(10); n++) {
        pool_rig_destroy(&rig);
        setup(NULL);
        struct volume *v = pool_rig_volume(&rig, "v", 16 * MIB, 512);
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(rig_write(&rig, v, i * EXTENT_BYTES, 4096, 1), 0);
        assert_int_equal(rig_flush(&rig, v), 0);
        pool_rig_cut(&rig);
        pool_rig_reopen_cut(&rig);
        v = volume_find(rig.manager, "v");
        for (uint64_t i = 0; i < 100; i += 3) {
            assert_int_equal(
                rig_io_run(&rig, 1, v, VIO_UNMAP, i * EXTENT_BYTES, EXTENT_BYTES, NULL),
                0);
            assert_int_equal(rig_write(&rig, v, (100 + i) * EXTENT_BYTES, 4096, 2), 0);
            if (i % 2 == 0)
                assert_int_equal(rig_flush(&rig, v), 0);
        }
        rig_assert_sound(&rig);
        for (uint64_t i = 0; i < 100; i++) {
            assert_true(rig_reads(&rig, v, i * EXTENT_BYTES, 4096, i % 3 == 0 ? 0 : 1));
            assert_true(
                rig_reads(&rig, v, (100 + i) * EXTENT_BYTES, 4096, i % 3 == 0 ? 2 : 0));
        }
        assert_int_equal(pool_free_extents(rig.pool), 255 - 100);
    }
}

/* ---- Catalogs and devices of other ages -------------------------------------------- */

static void an_old_catalog_is_refused(void **state)
{
    (void)state;
    make_volume();
    pool_rig_reopen(&rig);
    pool_rig_cut(&rig);    /* the backup */
    pool_rig_reopen(&rig); /* a start since */
    pool_rig_close(&rig);
    pool_rig_take_cut_catalog(&rig);
    open_listening();
    assert_failed("older than device");
}

/* A copy of its files that was made while it ran, put back after an orderly stop. */
static void a_copy_of_the_last_run_is_refused(void **state)
{
    (void)state;
    make_volume();
    pool_rig_cut(&rig);
    make_volume_more();
    pool_rig_close(&rig);
    pool_rig_take_cut_catalog(&rig);
    open_listening();
    assert_failed("older than device");
}

static uint64_t generation_on_disk(void)
{
    struct superblock sb;
    int fd = open(rig.pool_path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(device_read_superblock(fd, &sb, NULL), 0);
    close(fd);
    return sb.generation;
}

static bool generation_differs(void *arg)
{
    return generation_on_disk() != *(const uint64_t *)arg;
}

/* The daemon never stops, as far as the copy knows: it goes out of date all the same,
 * once something was written that it has not. */
static void a_copy_goes_out_of_date_by_itself(void **state)
{
    struct pool_rig_options o = rig.options;
    (void)state;
    pool_rig_destroy(&rig);
    o.outdate_ms = 20;
    pool_rig_create(&rig, &o);
    make_volume();
    pool_rig_cut(&rig);
    uint64_t before = generation_on_disk();
    make_volume_more();
    pool_rig_until(&rig, generation_differs, &before);
    assert_int_equal(generation_on_disk() % 2, 0);
    assert_true(generation_on_disk() > before);
}

static bool generation_rests(void)
{
    uint64_t before = generation_on_disk();
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        pool_rig_turn(&rig);
    }
    return generation_on_disk() == before;
}

/* What was committed, folded and checkpointed is raised behind; then nothing is written.
 */
static void an_idle_box_writes_no_generation(void **state)
{
    struct pool_rig_options o = rig.options;
    (void)state;
    pool_rig_destroy(&rig);
    o.outdate_ms = 5;
    pool_rig_create(&rig, &o);
    make_volume();
    int looks = 0;
    while (!generation_rests() && looks < 100)
        looks++;
    assert_in_range(looks, 0, 99);
}

static int copy_pool(const char *to)
{
    char command[700];
    snprintf(command, sizeof(command), "cp %s %s/%s", rig.pool_path, rig.dir, to);
    return system(command); /* NOLINT: our own names */
}

static int restore_pool(const char *from)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", rig.dir, from);
    return rename(path, rig.pool_path);
}

static void an_old_device_is_refused(void **state)
{
    (void)state;
    make_volume();
    pool_rig_close(&rig);
    assert_int_equal(copy_pool("old.img"), 0);
    pool_rig_open(&rig);
    pool_rig_close(&rig);
    assert_int_equal(restore_pool("old.img"), 0);
    open_listening();
    assert_failed("older than the catalog");
}

static void a_missing_device_fails_its_pool_alone(void **state)
{
    char path[400];
    (void)state;
    make_volume();
    snprintf(path, sizeof(path), "%s/q.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, NULL), 0);
    pool_rig_close(&rig);
    assert_int_equal(copy_pool("kept.img"), 0);
    assert_int_equal(unlink(rig.pool_path), 0);
    open_listening();
    assert_failed("cannot open");
    struct pool_info info;
    pool_describe(pool_find(rig.manager, "q"), &info);
    assert_string_equal(info.state, "online");
    pool_rig_close(&rig);
    assert_int_equal(restore_pool("kept.img"), 0);
    pool_rig_open(&rig);
    assert_serves();
}

/* Two devices that changed places: neither pool is served, and what is done to the one
 * does nothing to the device of the other. */
static void a_swapped_device_is_left_alone(void **state)
{
    char other[400], third[400];
    struct err e;
    (void)state;
    make_volume();
    snprintf(other, sizeof(other), "%s/q.img", rig.dir);
    snprintf(third, sizeof(third), "%s/t.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", other, 16 * MIB, NULL, NULL), 0);
    pool_rig_close(&rig);
    assert_int_equal(rename(rig.pool_path, third), 0);
    assert_int_equal(rename(other, rig.pool_path), 0);
    assert_int_equal(rename(third, other), 0);
    open_listening();
    assert_failed("carries device");
    struct pool_info info;
    pool_describe(pool_find(rig.manager, "q"), &info);
    assert_string_equal(info.state, "failed");
    assert_int_equal(pool_rig_delete_pool(&rig, "q", &e), 0);
    pool_rig_close(&rig);
    assert_int_equal(rename(other, rig.pool_path), 0); /* p's own again */
    pool_rig_open(&rig);
    assert_serves();
}

/* Killed between the two steps of raising a device's generation. */
static int set_odd(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct device *d = pool_slot(rig.pool, 1);
    return device_row_set_generation(txn, d->row.no,
                                     d->row.generation + *(const uint64_t *)arg, e);
}

static void a_start_that_was_cut_off_is_no_old_catalog(void **state)
{
    (void)state;
    make_volume();
    pool_rig_cut(&rig); /* the catalog with row g, the device with g */
    uint64_t one = 1;
    assert_int_equal(catalog_write_wait(rig.catalog, set_odd, &one, NULL), 0);
    pool_rig_reopen(&rig); /* row g + 1, device g */
    assert_serves();
    pool_rig_reopen(&rig);
    assert_serves();
    /* Now row g' - 1 and device g': cut off behind the superblock. */
    uint64_t less = (uint64_t)-1;
    assert_int_equal(catalog_write_wait(rig.catalog, set_odd, &less, NULL), 0);
    pool_rig_reopen(&rig);
    assert_serves();
}

/* ---- A failed pool goes ------------------------------------------------------------ */

static void a_failed_pool_can_be_deleted(void **state)
{
    struct err e;
    (void)state;
    make_volume();
    struct volume *w = pool_rig_volume(&rig, "w", 100 * 16 * MIB, 512);
    for (uint64_t i = 0; i < 100; i++) /* more leaves than are removed at once */
        assert_int_equal(rig_write(&rig, w, i * 16 * MIB, 4096, 1), 0);
    pool_rig_close(&rig);
    assert_int_equal(unlink(rig.pool_path), 0);
    open_listening();
    assert_failed("cannot open");
    assert_int_equal(pool_rig_delete_volume(&rig, "w", &e), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", &e), -EBUSY);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", &e), 0);
    for (int i = 0; i < 100 && pool_rig_delete_pool(&rig, "p", &e) != 0; i++)
        usleep(1000);
    assert_null(pool_find(rig.manager, "p"));
    rig.pool = NULL;
}

#define RESTART_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESTART_TEST(leaves_are_loaded_as_they_are_needed),
        RESTART_TEST(all_that_wait_for_a_leaf_go_on),
        RESTART_TEST(an_unmap_of_a_whole_volume_loads_its_leaves),
        RESTART_TEST(a_word_that_is_not_the_pools_is_an_error_not_an_end),
        RESTART_TEST(an_unclean_stop_leaves_no_leaks_for_long),
        RESTART_TEST(the_check_for_leaks_spares_what_is_in_use),
        RESTART_TEST(an_old_catalog_is_refused),
        RESTART_TEST(a_copy_of_the_last_run_is_refused),
        RESTART_TEST(a_copy_goes_out_of_date_by_itself),
        RESTART_TEST(an_idle_box_writes_no_generation),
        RESTART_TEST(an_old_device_is_refused),
        RESTART_TEST(a_missing_device_fails_its_pool_alone),
        RESTART_TEST(a_swapped_device_is_left_alone),
        RESTART_TEST(a_start_that_was_cut_off_is_no_old_catalog),
        RESTART_TEST(a_failed_pool_can_be_deleted),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
