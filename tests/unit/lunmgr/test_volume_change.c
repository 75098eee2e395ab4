/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a volume: its size up and down, its name, labels and flags. */
#include "tests/unit/lunmgr/snapshot_rig.h"

#include <errno.h>

static void a_volume_grows_and_shows_zeros(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change grow = {.size_bytes = 20000 * MIB};
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_int_equal(volume_size_bytes(v), 20000 * MIB);
    assert_int_equal(rig_write(&rig, v, 19999 * MIB, 4096, 5), 0);
    assert_true(rig_reads(&rig, v, VOLUME_MIB * MIB, MIB, 0));
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_int_equal(volume_size_bytes(v), 20000 * MIB);
    assert_true(rig_reads(&rig, v, 19999 * MIB, 4096, 5));
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
}

static void a_shrink_wants_leave_and_loses_the_rest(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change shrink = {.size_bytes = MIB + 4096};
    struct volume_change grow = {.size_bytes = VOLUME_MIB * MIB};
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, VOLUME_MIB * MIB, 1), 0);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 2 * MIB, 4096, 2), 0);
    assert_int_equal(rig_change(&rig, "v", &shrink, &e), -EINVAL);
    assert_string_equal(e.field, "size");
    shrink.allow_data_loss = true;
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    assert_int_equal(volume_size_bytes(v), MIB + 4096);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB + 4096, 1));
    assert_true(rig_reads(&rig, v, MIB + 4096, (VOLUME_MIB - 1) * MIB - 4096, 0));
    assert_true(rig_reads(&rig, s, 0, VOLUME_MIB * MIB, 1));
}

/* Every extent that is free, in a volume of its own. */
static void fill_the_pool(void)
{
    struct volume *filler = pool_rig_volume(&rig, "filler", 1024 * MIB, 512);
    uint64_t at = 0;
    while (rig_write(&rig, filler, at, EXTENT_BYTES, 9) == 0)
        at += EXTENT_BYTES;
    assert_int_equal(pool_free_extents(rig.pool), 0);
}

/* To clear a part of an extent that a snapshot has too wants another extent. */
static void a_shrink_in_a_full_pool_is_cleared_before_the_next_growth(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change shrink = {.size_bytes = 2 * MIB + 4096, .allow_data_loss = true};
    struct volume_change grow = {.size_bytes = VOLUME_MIB * MIB};
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, VOLUME_MIB * MIB, 1), 0);
    snap("v", "s");
    fill_the_pool();
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    shrink.size_bytes = MIB + 4096;
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    assert_int_equal(rig_change(&rig, "v", &grow, &e), -ENOSPC);
    assert_string_equal(e.text, "the pool is full");
    assert_int_equal(volume_size_bytes(v), MIB + 4096);
    assert_int_equal(pool_rig_delete_volume(&rig, "filler", NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB + 4096, 1));
    assert_true(rig_reads(&rig, v, MIB + 4096, (VOLUME_MIB - 1) * MIB - 4096, 0));
}

static void names_labels_and_flags_change_together(void **state)
{
    (void)state;
    make("v");
    make("w");
    snap("v", "s");
    static const struct label labels[] = {{"tier", "gold"}, {"app", ""}};
    struct label_list list = {labels, 2};
    bool yes = true, no = false;
    struct volume_change all = {.name = "web", .is_protected = &yes, .labels = &list};
    struct volume_change taken = {.name = "w"};
    struct volume_change open = {.is_protected = &no};
    struct err e;
    assert_int_equal(rig_change(&rig, "v", &taken, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(rig_change(&rig, "v", &all, NULL), 0);
    assert_null(volume_find(rig.manager, "v"));
    assert_non_null(snapshot_find(rig.manager, "web/s"));
    assert_int_equal(pool_rig_delete_volume(&rig, "web", &e), -EBUSY);
    pool_rig_reopen(&rig);
    struct volume_info info;
    volume_describe(volume_find(rig.manager, "web"), &info);
    assert_true(info.is_protected);
    assert_int_equal(info.labels.count, 2);
    assert_string_equal(info.labels.labels[0].key, "app");
    assert_string_equal(info.labels.labels[1].value, "gold");
    assert_int_equal(info.snapshot_count, 1);
    assert_int_equal(rig_change(&rig, "web", &open, NULL), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "web", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(a_volume_grows_and_shows_zeros),
        SNAPSHOT_TEST(a_shrink_wants_leave_and_loses_the_rest),
        SNAPSHOT_TEST(a_shrink_in_a_full_pool_is_cleared_before_the_next_growth),
        SNAPSHOT_TEST(names_labels_and_flags_change_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
