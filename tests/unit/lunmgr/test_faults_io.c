/* SPDX-License-Identifier: Apache-2.0 */
/* Each step of each operation fails in turn: the disk I/O of a lane, that of the pools'
 * loop, the catalog's writes and syncs. */
#include "tests/lib/fault_case.h"

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

static void home_fail(struct pool_rig *r, void *arg)
{
    fake_engine_fail(r->home_fake, FAKE_ALL, *(const unsigned *)arg, -EIO, false);
}

static void home_arm(unsigned nth)
{
    pool_rig_at_home(&fault_rig, home_fail, &nth);
}

static void home_has_struck(struct pool_rig *r, void *arg)
{
    *(bool *)arg = fake_engine_failed(r->home_fake);
}

static bool home_disarm(void)
{
    bool struck;
    pool_rig_at_home(&fault_rig, home_has_struck, &struck);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_io_of_a_lane_may_fail),
        cmocka_unit_test(each_io_of_the_pools_loop_may_fail),
        cmocka_unit_test(each_write_and_sync_of_the_catalog_may_fail),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
