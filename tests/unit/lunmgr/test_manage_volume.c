/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: what is accepted, refused and by which field, what two that ask at once get,
 * what is there after a restart. */
#include "tests/unit/lunmgr/manage_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Names ------------------------------------------------------------------------- */

static const char long_name[] =
    "n23456789012345678901234567890123456789012345678901234567890123";

static void a_name_is_letters_digits_and_three_signs(void **state)
{
    static const char *const bad[] = {"",     ".a",   "-a",   "_a",  "a b",     "a/b",
                                      "a\nb", "a\"b", "\xc3", "a:b", "na\xc3me"};
    static const char *const good[] = {"a", "7", "A-b_c.9", long_name};
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(pool_rig_make_volume(&rig, bad[i], MIB, 0, NULL, &e), -EINVAL);
        assert_string_equal(e.field, "name");
        struct answer a = make_host_of(bad[i], "iqn.x");
        assert_refused(&a, -EINVAL, "name");
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(pool_rig_make_volume(&rig, good[i], MIB, 0, NULL, &e), 0);
    char longer[80];
    snprintf(longer, sizeof(longer), "%sx", long_name);
    assert_int_equal(strlen(longer), 64);
    assert_int_equal(pool_rig_make_volume(&rig, longer, MIB, 0, NULL, &e), -EINVAL);
}

/* ---- Volumes ----------------------------------------------------------------------- */

static void assert_physical_refused(uint32_t block_bytes, uint32_t physical_bytes)
{
    struct answer a = {.came = false};
    struct volume_spec spec = {.name = "v",
                               .pool = "p",
                               .size_bytes = MIB,
                               .block_bytes = block_bytes,
                               .physical_bytes = physical_bytes};
    volume_create(rig.manager, &spec, on_volume, &a);
    wait_for(&a);
    assert_refused(&a, -EINVAL, "physical_block_size");
}

static void a_volume_of_a_wrong_size_is_refused(void **state)
{
    static const uint64_t bad[] = {0, 1, 512, 4095, 4097, VOLUME_BYTES_MAX + 4096};
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(pool_rig_make_volume(&rig, "v", bad[i], 0, NULL, &e), -EINVAL);
        assert_string_equal(e.field, "size");
    }
    assert_int_equal(pool_rig_make_volume(&rig, "v", MIB, 1024, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "block_size");
    assert_physical_refused(512, 1024);
    assert_physical_refused(4096, 512);
    assert_int_equal(pool_rig_make_volume(&rig, "least", 4096, 0, NULL, &e), 0);
    assert_int_equal(pool_rig_make_volume(&rig, "most", VOLUME_BYTES_MAX, 4096, NULL, &e),
                     0);
}

static void a_volume_says_what_it_is_also_after_a_restart(void **state)
{
    struct volume_info before, after;
    (void)state;
    volume_describe(pool_rig_volume(&rig, "v", 3 * MIB, 4096), &before);
    assert_string_equal(before.name, "v");
    assert_string_equal(before.pool_name, "p");
    assert_int_equal(before.size_bytes, 3 * MIB);
    assert_int_equal(before.block_bytes, 4096);
    assert_int_equal(before.physical_bytes, 4096);
    assert_int_equal(before.allocated_bytes, 0);
    assert_int_equal(strlen(before.naa), 32);
    assert_int_equal(before.naa[0], '6');
    assert_int_equal(strlen(before.serial), 16);
    restart();
    assert_ptr_equal(volume_find(rig.manager, before.id), volume_find(rig.manager, "v"));
    volume_describe(volume_find(rig.manager, "v"), &after);
    assert_string_equal(after.id, before.id);
    assert_string_equal(after.pool_id, before.pool_id);
    assert_string_equal(after.naa, before.naa);
    assert_string_equal(after.serial, before.serial);
    assert_int_equal(after.size_bytes, before.size_bytes);
    assert_int_equal(after.block_bytes, before.block_bytes);
    assert_int_equal(after.created_s, before.created_s);
}

static void no_two_volumes_ever_have_one_naa(void **state)
{
    struct volume_info a, b, c;
    (void)state;
    volume_describe(pool_rig_volume(&rig, "a", MIB, 0), &a);
    volume_describe(pool_rig_volume(&rig, "b", MIB, 0), &b);
    assert_int_equal(pool_rig_delete_volume(&rig, "b", NULL), 0);
    restart();
    volume_describe(pool_rig_volume(&rig, "b", MIB, 0), &c);
    assert_string_not_equal(a.naa, b.naa);
    assert_string_not_equal(b.naa, c.naa);
    assert_string_not_equal(b.serial, c.serial);
    assert_memory_equal(a.naa, b.naa, 16); /* company and box are the same */
}

/* A page or so of memory for each 8 GiB that is looked at, nothing in advance. */
static long resident_kib(void)
{
    long total, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
    (void)fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void a_volume_of_64_tib_takes_no_memory(void **state)
{
    (void)state;
    uint64_t size = 64ULL << 40;
    long before = resident_kib();
    struct volume *v = pool_rig_volume(&rig, "huge", size, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_write(&rig, v, size - 4096, 4096, 2), 0);
    assert_int_equal(rig_write(&rig, v, size / 2, 4096, 3), 0);
    restart();
    v = volume_find(rig.manager, "huge");
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_true(rig_reads(&rig, v, size - 4096, 4096, 2));
    assert_true(rig_reads(&rig, v, size / 2, 4096, 3));
    assert_true(rig_reads(&rig, v, size / 3 / 4096 * 4096, 65536, 0));
    struct volume_info info;
    volume_describe(v, &info);
    assert_int_equal(info.allocated_bytes, 3 * EXTENT_BYTES);
#ifndef ASHLAR_MALLOC_BUFFERS /* a sanitizer's memory is its own */
    assert_in_range(resident_kib(), 1, before + 8 * 1024);
#else
    (void)before;
#endif
}

static void of_two_that_ask_for_a_name_one_gets_it(void **state)
{
    struct answer a = {.came = false}, b = {.came = false};
    struct volume_spec spec = {.name = "v", .pool = "p", .size_bytes = MIB};
    (void)state;
    volume_create(rig.manager, &spec, on_volume, &a);
    volume_create(rig.manager, &spec, on_volume, &b);
    assert_int_equal(wait_for(&a), 0);
    wait_for(&b);
    assert_refused(&b, -EEXIST, "name");
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_int_equal(info.volume_count, 1);
    assert_int_equal(info.provisioned_bytes, MIB);
    struct answer c = {.came = false};
    volume_create(rig.manager, &spec, on_volume, &c);
    wait_for(&c);
    assert_refused(&c, -EEXIST, "name");
}

static void a_volume_is_deleted_once(void **state)
{
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    (void)state;
    pool_rig_volume(&rig, "v", MIB, 0);
    volume_delete(rig.manager, "v", true, on_done, &a);
    volume_delete(rig.manager, "v", true, on_done, &b);
    assert_int_equal(wait_for(&a), 0);
    wait_for(&b);
    assert_refused(&b, -ENOENT, "volume");
    assert_null(volume_find(rig.manager, "v"));
    volume_delete(rig.manager, "v", true, on_done, &c);
    wait_for(&c);
    assert_refused(&c, -ENOENT, "volume");
    pool_rig_volume(&rig, "v", MIB, 0); /* the name is free */
}

static void a_volume_of_no_pool_is_refused(void **state)
{
    struct answer a = {.came = false};
    struct volume_spec spec = {.name = "v", .pool = "q", .size_bytes = MIB};
    (void)state;
    volume_create(rig.manager, &spec, on_volume, &a);
    wait_for(&a);
    assert_refused(&a, -ENOENT, "pool");
}

static void volumes_come_in_order_of_name(void **state)
{
    static const char *const names[] = {"c", "a", "b2", "b10", "B"};
    static const char *const order[] = {"B", "a", "b10", "b2", "c"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        pool_rig_volume(&rig, names[i], MIB, 0);
    for (int again = 0; again < 2; again++) {
        struct volume *v = NULL;
        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            struct volume_info info;
            v = volume_next(rig.manager, v);
            volume_describe(v, &info);
            assert_string_equal(info.name, order[i]);
        }
        assert_null(volume_next(rig.manager, v));
        restart();
    }
}

static void what_a_pool_has_is_told_without_its_description(void **state)
{
    (void)state;
    struct pool_info info;
    struct volume *v = pool_rig_volume(&rig, "v", 4 * MIB, 512);
    assert_ptr_equal(volume_pool(v), rig.pool);
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(pool_extents(rig.pool) * EXTENT_BYTES, info.size_bytes);
    assert_int_equal(pool_free_extents(rig.pool), pool_extents(rig.pool) - 16);
    assert_int_equal(volume_used_extents(v), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_name_is_letters_digits_and_three_signs),
        MANAGE_TEST(a_volume_of_a_wrong_size_is_refused),
        MANAGE_TEST(a_volume_says_what_it_is_also_after_a_restart),
        MANAGE_TEST(no_two_volumes_ever_have_one_naa),
        MANAGE_TEST(a_volume_of_64_tib_takes_no_memory),
        MANAGE_TEST(of_two_that_ask_for_a_name_one_gets_it),
        MANAGE_TEST(a_volume_is_deleted_once),
        MANAGE_TEST(a_volume_of_no_pool_is_refused),
        MANAGE_TEST(volumes_come_in_order_of_name),
        MANAGE_TEST(what_a_pool_has_is_told_without_its_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
