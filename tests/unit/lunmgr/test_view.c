/* SPDX-License-Identifier: Apache-2.0 */
/* Long stacks through views: they read right, whatever is merged or written meanwhile; a
 * view is built once, and anew when a word below has changed. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/leaf.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/view.h"

#include <stdio.h>
#include <string.h>

#define VOLUME_BYTES (2 * MIB)
#define DEPTH        20

static struct pool_rig rig;
static uint8_t expected[DEPTH][VOLUME_BYTES], now[VOLUME_BYTES];

static void open_rig(unsigned lanes, bool threads, uint64_t leaf_cache_bytes)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = 64 * MIB,
                                       .tick_ms = 5,
                                       .leaf_cache_bytes = leaf_cache_bytes};
    pool_rig_create(&rig, &options);
}

static int setup(void **state)
{
    (void)state;
    memset(now, 0, sizeof(now));
    open_rig(1, false, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *find_snapshot(int i)
{
    char key[16];
    snprintf(key, sizeof(key), "v/s%d", i);
    return snapshot_find(rig.manager, key);
}

/* Beside and over what the layers below have. */
static void write_layer(struct volume *v, int i)
{
    uint64_t at = (uint64_t)i * 9 * BLOCK_BYTES % (VOLUME_BYTES / 2);
    uint64_t bytes = (uint64_t)(i % 5 + 1) * 3 * BLOCK_BYTES;
    assert_int_equal(rig_write(&rig, v, at, bytes, (uint8_t)(i + 1)), 0);
    memset(now + at, i + 1, bytes);
    if (i % 4 != 3)
        return;
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, (uint64_t)i * EXTENT_BYTES / 2,
                                EXTENT_BYTES, NULL),
                     0);
    /* Of whole extents it gives zeros; of parts it may do nothing. */
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 0, VOLUME_BYTES, now), 0);
}

static struct volume *make_stack(void)
{
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    for (int i = 0; i < DEPTH; i++) {
        char name[8];
        write_layer(v, i);
        memcpy(expected[i], now, sizeof(now));
        snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(rig_snapshot(&rig, "v", name, NULL, NULL), 0);
    }
    return v;
}

static struct volume *restart(void)
{
    pool_rig_reopen(&rig);
    return volume_find(rig.manager, "v");
}

static struct view_counts counts(void)
{
    struct view_counts c;
    views_count(rig.manager->views, &c);
    return c;
}

/* ---- What they show ---------------------------------------------------------------- */

static void a_deep_stack_reads_right(void **state)
{
    (void)state;
    struct volume *v = make_stack();
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    for (int i = 0; i < DEPTH; i++)
        rig_assert_holds(&rig, find_snapshot(i), expected[i], VOLUME_BYTES);
    v = restart();
    for (int i = DEPTH - 1; i >= 0; i--)
        rig_assert_holds(&rig, find_snapshot(i), expected[i], VOLUME_BYTES);
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    rig_assert_sound(&rig);
}

static void a_clone_in_the_middle_has_its_own_view(void **state)
{
    (void)state;
    make_stack();
    struct volume *c = NULL;
    assert_int_equal(rig_clone(&rig, "v/s9", "c", 0, &c, NULL), 0);
    rig_assert_holds(&rig, c, expected[9], VOLUME_BYTES);
    assert_int_equal(rig_write(&rig, c, 0, 12288, 99), 0);
    memset(expected[9], 99, 12288);
    rig_assert_holds(&rig, c, expected[9], VOLUME_BYTES);
    rig_assert_holds(&rig, volume_find(rig.manager, "v"), now, VOLUME_BYTES);
}

static void merges_below_do_not_change_what_is_seen(void **state)
{
    (void)state;
    static const int order[] = {7, 8, 0, 19, 12, 3, 18, 1, 11, 2};
    struct volume *v = make_stack();
    for (size_t n = 0; n < ARRAY_LEN(order); n++) {
        char key[16];
        rig_assert_holds(&rig, v, now, VOLUME_BYTES);
        snprintf(key, sizeof(key), "v/s%d", order[n]);
        assert_int_equal(rig_snapshot_delete(&rig, key, NULL), 0);
        rig_assert_holds(&rig, v, now, VOLUME_BYTES); /* perhaps in the middle of it */
        assert_int_equal(
            rig_write(&rig, v, (uint64_t)n * 5 * BLOCK_BYTES, 8192, (uint8_t)(100 + n)),
            0);
        memset(now + n * 5 * BLOCK_BYTES, (int)(100 + n), 8192);
        for (int i = 0; i < DEPTH; i++)
            if (find_snapshot(i) != NULL)
                rig_assert_holds(&rig, find_snapshot(i), expected[i], VOLUME_BYTES);
    }
    pool_rig_settle(&rig);
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    rig_assert_sound(&rig);
}

/* ---- How often they are built ------------------------------------------------------ */

static void a_view_is_built_once(void **state)
{
    (void)state;
    struct volume *v = make_stack();
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    struct view_counts once = counts();
    for (int i = 0; i < 5; i++) {
        rig_assert_holds(&rig, v, now, VOLUME_BYTES);
        assert_int_equal(rig_write(&rig, v, (uint64_t)i * BLOCK_BYTES, BLOCK_BYTES, 70),
                         0);
        memset(now + (uint64_t)i * BLOCK_BYTES, 70, BLOCK_BYTES);
    }
    assert_int_equal(counts().views, once.views); /* writes are the top's alone */
    assert_int_equal(counts().layers, once.layers);
}

static void a_changed_word_below_builds_it_anew(void **state)
{
    (void)state;
    struct volume *v = make_stack();
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    struct view_counts before = counts();
    assert_int_equal(rig_snapshot_delete(&rig, "v/s5", NULL), 0);
    pool_rig_settle(&rig);
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    assert_true(counts().views > before.views);
}

static void a_long_chain_costs_one_view_a_leaf(void **state)
{
    (void)state;
    make_stack();
    struct volume *v = restart();
    assert_int_equal(counts().views, 0);
    assert_true(rig_reads(&rig, v, VOLUME_BYTES - BLOCK_BYTES, BLOCK_BYTES, 0));
    assert_int_equal(counts().views, 1);
    assert_int_equal(counts().layers, DEPTH);
    /* None of the leaves below is kept: the view and, once it is written, the top's. */
    assert_in_range(lunmgr_leaf_cache_bytes(rig.manager), 1,
                    3 * LEAF_WORDS * sizeof(uint64_t));
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    assert_int_equal(counts().views, 1);
}

static void a_view_stands_on_one_further_down(void **state)
{
    (void)state;
    make_stack();
    struct volume *v = restart();
    rig_assert_holds(&rig, find_snapshot(10), expected[10], VOLUME_BYTES);
    assert_int_equal(counts().layers, 10); /* s9 to s0 */
    rig_assert_holds(&rig, v, now, VOLUME_BYTES);
    assert_int_equal(counts().views, 2);
    assert_int_equal(counts().layers, 20); /* and s19 to s10 */
}

static bool is_bounded(void *arg)
{
    (void)arg;
    return lunmgr_leaf_cache_bytes(rig.manager) <= rig.options.leaf_cache_bytes;
}

static void views_go_with_the_bound(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(1, false, 1);
    struct volume *v = make_stack();
    for (int n = 0; n < 3; n++) {
        rig_assert_holds(&rig, v, now, VOLUME_BYTES);
        for (int i = 0; i < DEPTH; i++)
            rig_assert_holds(&rig, find_snapshot(i), expected[i], VOLUME_BYTES);
        assert_int_equal(rig_flush(&rig, v), 0);
        pool_rig_until(&rig, is_bounded, NULL);
    }
    assert_true(counts().views > 2 * DEPTH);
}

/* ---- Beside others ----------------------------------------------------------------- */

/* No UNMAP: over a snapshot it may leave parts of extents as they are. */
static void readers_without_leaves_beside_merges(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(2, true, 1);
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    struct vio_load *loads[2];
    const struct load_options load = {
        .rig = &rig,
        .volume = v,
        .oracle = o,
        .seed = 31,
        .count = UINT32_MAX,
        .depth = 8,
        .region_bytes = VOLUME_BYTES,
        .align_bytes = 512,
        .bytes_max = 2 * EXTENT_BYTES,
        .mix = {.read = 60, .write = 25, .zero = 10, .flush = 5}};
    vio_loads_start(&load, loads, 2);
    for (unsigned i = 0; i < rig_times(24); i++) {
        char key[16];
        snprintf(key, sizeof(key), "v/s%u", i);
        assert_int_equal(rig_snapshot(&rig, "v", key + 2, NULL, NULL), 0);
        if (i < 4)
            continue;
        snprintf(key, sizeof(key), "v/s%u", i - 1 - i % 4);
        (void)rig_snapshot_delete(&rig, key, NULL); /* or it has gone already */
    }
    assert_int_equal(vio_loads_stop(&rig, loads, 2), 0);
    assert_null(oracle_offence(o));
    assert_true(oracle_verify(o, &rig, v, NULL));
    assert_true(oracle_verify(o, &rig, restart(), NULL));
    oracle_destroy(o);
    rig_assert_sound(&rig);
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIEW_TEST(a_deep_stack_reads_right),
        VIEW_TEST(a_clone_in_the_middle_has_its_own_view),
        VIEW_TEST(merges_below_do_not_change_what_is_seen),
        VIEW_TEST(a_view_is_built_once),
        VIEW_TEST(a_changed_word_below_builds_it_anew),
        VIEW_TEST(a_long_chain_costs_one_view_a_leaf),
        VIEW_TEST(a_view_stands_on_one_further_down),
        VIEW_TEST(views_go_with_the_bound),
        VIEW_TEST(readers_without_leaves_beside_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
