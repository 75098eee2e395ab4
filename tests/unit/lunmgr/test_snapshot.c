/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: what they hold, what is refused, how they go, and that a restart finds them
 * as they were. */
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/snapshot_rig.h"

#include "lunmgr/layer.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void a_snapshot_keeps_what_its_volume_had(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    struct volume *s = snap("v", "one");
    assert_int_equal(rig_write(&rig, v, 4096, 8192, 2), 0);
    assert_int_equal(rig_write(&rig, v, 2 * MIB, 512, 3), 0);
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    assert_true(rig_reads(&rig, s, 2 * MIB, 4096, 0));
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_true(rig_reads(&rig, v, 4096, 8192, 2));
    assert_true(rig_reads(&rig, v, 12288, MIB - 12288, 1));
    assert_true(rig_reads(&rig, v, 2 * MIB, 512, 3));
    assert_true(rig_reads(&rig, v, 2 * MIB + 512, 4096 - 512, 0));
    pool_rig_reopen(&rig);
    s = snapshot_find(rig.manager, "v/one");
    v = volume_find(rig.manager, "v");
    assert_non_null(s);
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    assert_true(rig_reads(&rig, v, 4096, 8192, 2));
    rig_assert_sound(&rig);
}

static void volumes_are_sealed_at_one_instant(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "c"};
    struct volume *v[3], *s[3];
    for (int i = 0; i < 3; i++) {
        v[i] = make(names[i]);
        assert_int_equal(rig_write(&rig, v[i], 0, 4096, (uint8_t)(i + 1)), 0);
    }
    assert_int_equal(rig_snapshot_all(&rig, names, 3, "all", s, NULL), 0);
    struct snapshot_info first, info;
    snapshot_describe(s[0], &first);
    assert_string_not_equal(first.group_id, "");
    for (int i = 0; i < 3; i++) {
        snapshot_describe(s[i], &info);
        assert_string_equal(info.volume_name, names[i]);
        assert_string_equal(info.group_id, first.group_id);
        assert_true(rig_reads(&rig, s[i], 0, 4096, (uint8_t)(i + 1)));
    }
}

static void what_cannot_be_sealed_is_refused_whole(void **state)
{
    (void)state;
    make("a");
    make("b");
    snap("b", "s");
    struct err e;
    static const char *const twice[] = {"a", "a"};
    assert_int_equal(rig_snapshot_all(&rig, twice, 2, "t", NULL, &e), -EINVAL);
    assert_string_equal(e.field, "volumes/1");
    static const char *const gone[] = {"a", "x"};
    assert_int_equal(rig_snapshot_all(&rig, gone, 2, "t", NULL, &e), -ENOENT);
    assert_string_equal(e.field, "volumes/1");
    static const char *const taken[] = {"a", "b"};
    assert_int_equal(rig_snapshot_all(&rig, taken, 2, "s", NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_null(snapshot_find(rig.manager, "a/s"));
    assert_int_equal(rig_snapshot(&rig, "a", "-", NULL, &e), -EINVAL);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, &e), 0);
}

static void a_deleted_snapshot_leaves_its_volume_as_it_was(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "one");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    snap("v", "two");
    assert_int_equal(rig_write(&rig, v, 8192, 4096, 3), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), 0);
    assert_null(snapshot_find(rig.manager, "v/one"));
    assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), -ENOENT);
    struct volume *two = snapshot_find(rig.manager, "v/two");
    assert_true(rig_reads(&rig, two, 0, 4096, 2));
    assert_true(rig_reads(&rig, two, 4096, MIB - 4096, 1));
    assert_true(rig_reads(&rig, v, 8192, 4096, 3));
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_true(rig_reads(&rig, v, 4096, 4096, 1));
    assert_true(rig_reads(&rig, v, 8192, 4096, 3));
    rig_assert_sound(&rig);
}

static void count_layers(struct pool_rig *r, void *arg)
{
    unsigned *count = arg;
    *count = 0;
    for (const struct layer *l = r->pool->layers; l != NULL; l = l->next)
        ++*count;
}

static unsigned layer_count(void)
{
    unsigned count;
    pool_rig_settle(&rig);
    pool_rig_at_home(&rig, count_layers, &count);
    return count;
}

/* The older one's layer takes the place of the younger's, which goes: the sanitizers see
 * whether anybody still looks at it. */
static void a_snapshot_is_described_while_its_layer_goes(void **state)
{
    struct volume *v = make("v");
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct snapshot_info info;
        assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
        snap("v", "one");
        assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
        struct volume *two = snap("v", "two");
        assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), 0);
        while (atomic_load(&rig.pool->background_count) > 0) {
            snapshot_describe(two, &info);
            pool_rig_step(&rig);
        }
        snapshot_describe(two, &info);
        assert_int_equal(info.allocated_bytes, MIB);
        assert_int_equal(rig_snapshot_delete(&rig, "v/two", NULL), 0);
        pool_rig_settle(&rig);
    }
    rig_assert_sound(&rig);
}

/* A write, then a snapshot; eight times, each write beside and over parts of the others'.
 */
static void write_and_snap(struct volume *v, uint8_t *expect, int i)
{
    char name[8];
    uint64_t at = (uint64_t)i * 20 * 4096, bytes = (uint64_t)(i + 1) * 7 * 4096;
    assert_int_equal(rig_write(&rig, v, at, bytes, (uint8_t)(i + 1)), 0);
    memset(expect + at, i + 1, bytes);
    snprintf(name, sizeof(name), "s%d", i);
    snap("v", name);
}

/* order: in which the snapshots go. */
static void layers_merge_in_order(const int *order)
{
    static uint8_t expect[8][2 * MIB], now[2 * MIB];
    struct volume *v = make("v");
    char key[16];
    memset(now, 0, sizeof(now));
    for (int i = 0; i < 8; i++) {
        write_and_snap(v, now, i);
        memcpy(expect[i], now, sizeof(now));
    }
    for (int n = 0; n < 8; n++) {
        snprintf(key, sizeof(key), "v/s%d", order[n]);
        assert_int_equal(rig_snapshot_delete(&rig, key, NULL), 0);
        if (n % 3 == 2)
            pool_rig_reopen(&rig);
        assert_int_equal(layer_count(), 8 - n);
        rig_assert_holds(&rig, volume_find(rig.manager, "v"), now, sizeof(now));
        for (int left = n + 1; left < 8; left++) {
            snprintf(key, sizeof(key), "v/s%d", order[left]);
            rig_assert_holds(&rig, snapshot_find(rig.manager, key), expect[order[left]],
                             sizeof(now));
        }
        rig_assert_sound(&rig);
    }
}

static void snapshots_go_from_the_oldest(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){0, 1, 2, 3, 4, 5, 6, 7});
}

static void snapshots_go_from_the_youngest(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){7, 6, 5, 4, 3, 2, 1, 0});
}

static void snapshots_go_in_any_order(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){3, 6, 0, 5, 1, 7, 2, 4});
}

static void a_volume_goes_with_its_snapshots(void **state)
{
    (void)state;
    struct volume *v = make("v");
    for (int i = 0; i < 5; i++) {
        char name[8];
        assert_int_equal(rig_write(&rig, v, 0, 2 * MIB, (uint8_t)(i + 1)), 0);
        snprintf(name, sizeof(name), "s%d", i);
        snap("v", name);
    }
    struct pool_info info;
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    assert_null(snapshot_next(rig.manager, NULL));
    pool_rig_settle(&rig);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.used_bytes, 0);
    rig_assert_sound(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(a_snapshot_keeps_what_its_volume_had),
        SNAPSHOT_TEST(volumes_are_sealed_at_one_instant),
        SNAPSHOT_TEST(what_cannot_be_sealed_is_refused_whole),
        SNAPSHOT_TEST(a_deleted_snapshot_leaves_its_volume_as_it_was),
        SNAPSHOT_TEST(a_snapshot_is_described_while_its_layer_goes),
        SNAPSHOT_TEST(snapshots_go_from_the_oldest),
        SNAPSHOT_TEST(snapshots_go_from_the_youngest),
        SNAPSHOT_TEST(snapshots_go_in_any_order),
        SNAPSHOT_TEST(a_volume_goes_with_its_snapshots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
