/* SPDX-License-Identifier: Apache-2.0 */
/* The cap on what a pool promises: what is refused, with which figures, and what counts.
 * The pool has 16 MiB less the superblock's extent. */
#include "tests/unit/lunmgr/manage_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POOL_BYTES (16 * MIB - EXTENT_BYTES)

static int cap(uint32_t percent)
{
    const struct pool_change change = {.overcommit_cap_percent = &percent};
    struct answer a = {.came = false};
    pool_change(rig.manager, "p", &change, on_pool, &a);
    return wait_for(&a);
}

static int make(const char *name, uint64_t bytes, struct err *e)
{
    return pool_rig_make_volume(&rig, name, bytes, 0, NULL, e);
}

static int resize(const char *name, uint64_t bytes, bool loses, struct err *e)
{
    const struct volume_change change = {.size_bytes = bytes, .allow_data_loss = loses};
    return rig_change(&rig, name, &change, e);
}

static struct pool_info pool_now(void)
{
    struct pool_info info;
    pool_describe(rig.pool, &info);
    return info;
}

static void what_is_beyond_the_cap_is_refused_with_all_figures(void **state)
{
    struct err e;
    char figures[200];
    (void)state;
    assert_int_equal(cap(200), 0);
    assert_int_equal(make("a", POOL_BYTES, &e), 0);
    assert_int_equal(make("b", POOL_BYTES + BLOCK_BYTES, &e), -ENOSPC);
    assert_string_equal(e.field, "size");
    snprintf(figures, sizeof(figures),
             "pool p has an overcommit cap of 200 %%: of its %llu bytes that is %llu, "
             "%llu are provisioned, and this would be %llu more",
             POOL_BYTES, 2 * POOL_BYTES, POOL_BYTES, POOL_BYTES + BLOCK_BYTES);
    assert_string_equal(e.text, figures);
    assert_null(volume_find(rig.manager, "b"));
    assert_int_equal(make("b", POOL_BYTES, &e), 0); /* all of it */
    assert_int_equal(pool_now().overcommit_percent, 200);
    assert_int_equal(make("c", BLOCK_BYTES, &e), -ENOSPC);
    assert_int_equal(resize("b", POOL_BYTES + BLOCK_BYTES, false, &e), -ENOSPC);
    assert_string_equal(e.field, "size");
    assert_int_equal(pool_rig_delete_volume(&rig, "b", &e), 0);
    assert_int_equal(make("c", BLOCK_BYTES, &e), 0);
    assert_int_equal(pool_now().overcommit_percent, 101); /* 100.02 */
}

static void clones_and_rollbacks_count(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(make("a", 8 * MIB, &e), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, &e), 0);
    assert_int_equal(cap(99), 0); /* of 16 MiB */
    assert_int_equal(rig_clone(&rig, "a/s", "b", 0, NULL, &e), -ENOSPC);
    assert_string_equal(e.field, "size");
    assert_int_equal(resize("a", 4 * MIB, true, &e), 0);
    assert_int_equal(rig_clone(&rig, "a/s", "b", 0, NULL, &e), 0);
    assert_int_equal(rig_rollback(&rig, "a", "s", NULL, &e), -ENOSPC);
    assert_string_equal(e.field, "snapshot");
    assert_int_equal(volume_size_bytes(volume_find(rig.manager, "a")), 4 * MIB);
    assert_int_equal(cap(0), 0);
    assert_int_equal(rig_rollback(&rig, "a", "s", NULL, &e), 0);
    assert_int_equal(pool_now().provisioned_bytes, 16 * MIB);
}

static void two_at_once_do_not_both_have_the_rest(void **state)
{
    const struct volume_spec a = {.name = "a", .pool = "p", .size_bytes = 8 * MIB},
                             b = {.name = "b", .pool = "p", .size_bytes = 8 * MIB};
    struct answer first = {.came = false}, second = {.came = false};
    struct err e;
    (void)state;
    assert_int_equal(cap(75), 0);
    volume_create(rig.manager, &a, on_volume, &first);
    volume_create(rig.manager, &b, on_volume, &second);
    wait_for(&second);
    assert_refused(&second, -ENOSPC, "size");
    assert_int_equal(wait_for(&first), 0);
    /* What was refused or failed holds nothing. */
    assert_int_equal(make("a", 2 * MIB, &e), -EEXIST);
    assert_int_equal(make("c", 3 * MIB, &e), 0);
}

static void a_cap_below_what_is_there_refuses_what_is_new(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(make("a", 32 * MIB, &e), 0);
    assert_int_equal(cap(100), 0);
    assert_int_equal(pool_now().overcommit_cap_percent, 100);
    assert_int_equal(pool_now().overcommit_percent, 201);
    assert_int_equal(resize("a", 33 * MIB, false, &e), -ENOSPC);
    assert_int_equal(resize("a", 31 * MIB, true, &e), 0);
    assert_int_equal(resize("a", 31 * MIB, false, &e), 0); /* as it is */
    restart();
    assert_int_equal(pool_now().overcommit_cap_percent, 100);
    assert_int_equal(make("b", BLOCK_BYTES, &e), -ENOSPC);
}

static void a_cap_is_of_a_range(void **state)
{
    const struct pool_device_spec device = {.path = "/nowhere"};
    const struct pool_spec spec = {.name = "q",
                                   .devices = &device,
                                   .device_count = 1,
                                   .overcommit_cap_percent = POOL_CAP_PERCENT_MAX + 1};
    struct answer a = {.came = false};
    (void)state;
    pool_create(rig.manager, &spec, on_pool, &a);
    wait_for(&a);
    assert_refused(&a, -EINVAL, "overcommit_cap_percent");
    assert_int_equal(cap(POOL_CAP_PERCENT_MAX), 0);
    assert_int_equal(make("a", VOLUME_BYTES_MAX, NULL), -ENOSPC); /* 8388608 times it */
}

static void a_pool_is_not_deleted_while_it_is_changed(void **state)
{
    const struct pool_change none = {.overcommit_cap_percent = NULL};
    struct answer change = {.came = false}, again = {.came = false},
                  gone = {.came = false};
    (void)state;
    pool_change(rig.manager, "p", &none, on_pool, &change);
    pool_change(rig.manager, "p", &none, on_pool, &again);
    pool_delete(rig.manager, "p", on_done, &gone);
    wait_for(&gone);
    assert_refused(&gone, -EBUSY, "pool");
    wait_for(&again);
    assert_refused(&again, -EBUSY, "pool");
    assert_int_equal(wait_for(&change), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(what_is_beyond_the_cap_is_refused_with_all_figures),
        MANAGE_TEST(clones_and_rollbacks_count),
        MANAGE_TEST(two_at_once_do_not_both_have_the_rest),
        MANAGE_TEST(a_cap_below_what_is_there_refuses_what_is_new),
        MANAGE_TEST(a_cap_is_of_a_range),
        MANAGE_TEST(a_pool_is_not_deleted_while_it_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
