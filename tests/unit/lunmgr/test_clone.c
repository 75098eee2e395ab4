/* SPDX-License-Identifier: Apache-2.0 */
/* Clones: volumes of their own, on what a snapshot holds. */
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/snapshot_rig.h"

#include <errno.h>

static void a_clone_is_a_volume_of_its_own(void **state)
{
    (void)state;
    struct volume *v = make("v"), *c = NULL;
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 2 * VOLUME_MIB * MIB, &c, &e), 0);
    assert_int_equal(rig_write(&rig, c, 512, 512, 9), 0);
    assert_int_equal(rig_write(&rig, c, (VOLUME_MIB + 1) * MIB, 4096, 8), 0);
    assert_true(rig_reads(&rig, c, 0, 512, 1));
    assert_true(rig_reads(&rig, c, 512, 512, 9));
    assert_true(rig_reads(&rig, c, 1024, MIB - 1024, 1));
    assert_true(rig_reads(&rig, c, VOLUME_MIB * MIB, MIB, 0));
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    struct snapshot_info info;
    snapshot_describe(s, &info);
    assert_int_equal(info.clone_count, 1);
    assert_int_equal(rig_clone(&rig, "v/s", "d", MIB, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "size");
    assert_int_equal(rig_clone(&rig, "v/x", "d", 0, NULL, &e), -ENOENT);
    assert_string_equal(e.field, "snapshot");
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_reopen(&rig);
    c = volume_find(rig.manager, "c");
    assert_true(rig_reads(&rig, c, 0, 512, 1));
    assert_true(rig_reads(&rig, c, 512, 512, 9));
    assert_true(rig_reads(&rig, c, 1024, MIB - 1024, 1));
    rig_assert_sound(&rig);
}

static void expect_blocks_512_native(const char *snapshot)
{
    struct snapshot_info info;
    snapshot_describe(snapshot_find(rig.manager, snapshot), &info);
    assert_int_equal(info.block_bytes, 512);
    assert_int_equal(info.physical_bytes, 512);
}

static void block_sizes_go_with_snapshots_and_clones(void **state)
{
    (void)state;
    struct volume_spec spec = {
        .name = "v", .pool = "p", .size_bytes = MIB, .physical_bytes = 512};
    struct volume_spec clone = {.name = "d", .snapshot = "v/s", .physical_bytes = 4096};
    struct volume_info info;
    struct err e;
    assert_int_equal(rig_make(&rig, &spec, NULL, NULL), 0);
    snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, NULL, NULL), 0);
    assert_int_equal(rig_make(&rig, &clone, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "physical_block_size");
    expect_blocks_512_native("v/s");
    pool_rig_reopen(&rig);
    expect_blocks_512_native("v/s");
    volume_describe(volume_find(rig.manager, "c"), &info);
    assert_int_equal(info.block_bytes, 512);
    assert_int_equal(info.physical_bytes, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(a_clone_is_a_volume_of_its_own),
        SNAPSHOT_TEST(block_sizes_go_with_snapshots_and_clones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
