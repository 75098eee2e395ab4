/* SPDX-License-Identifier: Apache-2.0 */
/* Each step of each operation fails in turn: the disk I/O of a lane, that of the pools'
 * loop, the catalog's writes and syncs. */
#include "tests/lib/fault_case.h"
#include "tests/lib/rig_fake.h"

#include "lunmgr/pool_priv.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

/* ---- A lane's I/O ------------------------------------------------------------------ */

static void lane_arm(unsigned nth)
{
    fake_engine_fail(fault_rig.lanes[0].fake, FAKE_ALL, nth, -EIO, false);
}

static bool lane_disarm(void)
{
    bool struck = fake_engine_failed(fault_rig.lanes[0].fake);
    lane_arm(0);
    return struck;
}

/* ---- The home lane's --------------------------------------------------------------- */

static void home_arm(unsigned nth)
{
    rig_home_fail(&fault_rig, FAKE_ALL, nth, -EIO, false);
}

static bool home_disarm(void)
{
    bool struck = rig_home_failed(&fault_rig);
    home_arm(0);
    return struck;
}

/* ---- The catalog's ----------------------------------------------------------------- */

static void catalog_arm(unsigned nth)
{
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, (int)nth - 1, 1, SQLITE_FULL);
}

static bool catalog_disarm(void)
{
    fault_vfs_disarm();
    return fault_vfs_failed() != 0;
}

/* ------------------------------------------------------------------------------------ */

static void run_all(const struct fault *fault, const char *what)
{
    for (size_t i = 0; i < fault_case_count; i++) {
        unsigned steps = fault_case_run(&fault_cases[i], fault) - 1;
        print_message("%s: %s: %u steps\n", what, fault_cases[i].name, steps);
    }
}

static void each_io_of_a_lane_may_fail(void **state)
{
    static const struct fault fault = {.arm = lane_arm, .disarm = lane_disarm};
    (void)state;
    run_all(&fault, "lane");
}

static void each_io_of_the_pools_loop_may_fail(void **state)
{
    static const struct fault fault = {.arm = home_arm, .disarm = home_disarm};
    (void)state;
    run_all(&fault, "home");
}

static void each_write_and_sync_of_the_catalog_may_fail(void **state)
{
    static const struct fault fault = {.arm = catalog_arm, .disarm = catalog_disarm};
    (void)state;
    run_all(&fault, "catalog");
}

/* ---- A shrink whose rest could not be cleared -------------------------------------- */

#define SHRUNK (2 * EXTENT_BYTES + 4096)

static int resize(uint64_t bytes, struct err *e)
{
    struct volume_change change = {.size_bytes = bytes, .allow_data_loss = true};
    return rig_change(&fault_rig, "v", &change, e);
}

/* Over a snapshot a part of an extent is cleared by writing zeros, which fails. */
static struct volume *shrink_by_half(void)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB};
    struct err e;
    pool_rig_create(&fault_rig, &options);
    struct volume *v = pool_rig_volume(&fault_rig, "v", MIB, 512);
    assert_int_equal(rig_write(&fault_rig, v, 0, MIB, 1), 0);
    assert_int_equal(rig_snapshot(&fault_rig, "v", "s", NULL, NULL), 0);
    home_arm(1);
    assert_int_equal(resize(SHRUNK, &e), 0);
    assert_true(home_disarm());
    assert_int_equal(volume_size_bytes(v), SHRUNK);
    return v;
}

static void what_was_cut_off_never_comes_back(void **state)
{
    struct err e;
    (void)state;
    struct volume *v = shrink_by_half();
    assert_int_equal(resize(MIB, &e), 0);
    assert_true(rig_reads(&fault_rig, v, 0, SHRUNK, 1));
    assert_true(rig_reads(&fault_rig, v, SHRUNK, MIB - SHRUNK, 0));
    pool_rig_destroy(&fault_rig);
}

static void the_same_size_again_clears_the_rest(void **state)
{
    struct err e;
    (void)state;
    struct volume *v = shrink_by_half();
    assert_int_equal(resize(SHRUNK, &e), 0);
    assert_int_equal(v->wipe_bytes, 0);
    pool_rig_destroy(&fault_rig);
}

/* A clone of it could be larger, and show what was cut off. */
static void no_snapshot_is_taken_of_what_is_not_cleared(void **state)
{
    struct err e;
    (void)state;
    shrink_by_half();
    assert_int_equal(rig_snapshot(&fault_rig, "v", "t", NULL, &e), -EBUSY);
    assert_string_equal(e.field, "volume");
    assert_int_equal(rig_rollback(&fault_rig, "v", "s", "kept", &e), -EBUSY);
    assert_int_equal(resize(SHRUNK, &e), 0);
    assert_int_equal(rig_snapshot(&fault_rig, "v", "t", NULL, &e), 0);
    struct volume *c = NULL;
    assert_int_equal(rig_clone(&fault_rig, "v/t", "c", MIB, &c, NULL), 0);
    assert_true(rig_reads(&fault_rig, c, 0, SHRUNK, 1));
    assert_true(rig_reads(&fault_rig, c, SHRUNK, MIB - SHRUNK, 0));
    pool_rig_destroy(&fault_rig);
}

/* ---- A catalog that refuses everything --------------------------------------------- */

static void on_clone(void *arg, struct volume *v, const struct err *e)
{
    assert_null(v);
    assert_non_null(e);
    *(bool *)arg = true;
}

/* The clone waits for its turn, which the snapshot keeps until its rows are committed. */
static void closing_ends_behind_an_abandoned_snapshot(void **state)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .tick_ms = 5};
    struct volume_spec clone = {.name = "c", .snapshot = "v/s"};
    bool answered = false;
    struct err e;
    (void)state;
    pool_rig_create(&fault_rig, &options);
    struct volume *v = pool_rig_volume(&fault_rig, "v", MIB, 512);
    assert_int_equal(rig_write(&fault_rig, v, 0, MIB, 1), 0);
    assert_int_equal(rig_snapshot(&fault_rig, "v", "s", NULL, NULL), 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    assert_int_equal(rig_snapshot(&fault_rig, "v", "t", NULL, &e), -EIO);
    volume_create(fault_rig.manager, &clone, on_clone, &answered);
    pool_rig_close(&fault_rig);
    assert_true(answered);
    fault_vfs_disarm();
    pool_rig_open(&fault_rig);
    assert_null(snapshot_find(fault_rig.manager, "v/t"));
    assert_true(rig_reads(&fault_rig, volume_find(fault_rig.manager, "v"), 0, MIB, 1));
    pool_rig_destroy(&fault_rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_io_of_a_lane_may_fail),
        cmocka_unit_test(each_io_of_the_pools_loop_may_fail),
        cmocka_unit_test(each_write_and_sync_of_the_catalog_may_fail),
        cmocka_unit_test(closing_ends_behind_an_abandoned_snapshot),
        cmocka_unit_test(what_was_cut_off_never_comes_back),
        cmocka_unit_test(the_same_size_again_clears_the_rest),
        cmocka_unit_test(no_snapshot_is_taken_of_what_is_not_cleared),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
