/* SPDX-License-Identifier: Apache-2.0 */
/* Saved mode parameters, over restarts and beside snapshots and clones. */
#include "tests/unit/lunmgr/snapshot_rig.h"

static bool has_modes(struct volume *v, const struct modes *want)
{
    struct modes saved;
    return volume_saved_modes(v, &saved) && modes_equal(&saved, want);
}

static void saved_modes_are_found_again_and_nobody_inherits_them(void **state)
{
    struct modes modes = {.write_protect = true, .tells_one = true}, none;
    struct volume *clone;
    (void)state;
    modes.thresholds[2] = (struct threshold){true, true, THRESHOLD_USED, 7};
    struct volume *v = make("v");
    assert_false(volume_saved_modes(v, &none));
    assert_int_equal(rig_save_modes(&rig, v, &modes, NULL), 0);
    assert_true(has_modes(v, &modes));
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, &clone, NULL), 0);
    assert_false(volume_saved_modes(s, &none));
    assert_false(volume_saved_modes(clone, &none));
    pool_rig_reopen(&rig);
    assert_true(has_modes(volume_find(rig.manager, "v"), &modes));
    assert_false(volume_saved_modes(snapshot_find(rig.manager, "v/s"), &none));
    assert_false(volume_saved_modes(volume_find(rig.manager, "c"), &none));

    modes.write_cache = true;
    assert_int_equal(
        rig_save_modes(&rig, snapshot_find(rig.manager, "v/s"), &modes, NULL), 0);
    pool_rig_reopen(&rig);
    assert_true(has_modes(snapshot_find(rig.manager, "v/s"), &modes));
    assert_false(has_modes(volume_find(rig.manager, "v"), &modes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(saved_modes_are_found_again_and_nobody_inherits_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
