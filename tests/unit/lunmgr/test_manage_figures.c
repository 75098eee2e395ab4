/* SPDX-License-Identifier: Apache-2.0 */
/* What volumes, snapshots and their pool are said to use: exact, without looking at the
 * map, and the same as its committed words say. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "db/catalog.h"
#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/rig_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, 8 * MIB, 0);
}

static void write_extents(struct volume *v, uint64_t from, uint64_t count)
{
    assert_int_equal(
        rig_write(&rig, v, from * EXTENT_BYTES, count * EXTENT_BYTES, (uint8_t)from), 0);
}

static void copy_extents(struct volume *from, struct volume *to, uint64_t count)
{
    struct copy c = {.from = from, .to = to, .length_bytes = count * EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &c), 0);
}

/* In extents. */
static void assert_figures(const struct volume *v, uint64_t used, uint64_t unique,
                           uint64_t shared)
{
    struct volume_info info;
    volume_describe(v, &info);
    assert_int_equal(info.used_bytes, used * EXTENT_BYTES);
    assert_int_equal(info.unique_bytes, unique * EXTENT_BYTES);
    assert_int_equal(info.shared_bytes, shared * EXTENT_BYTES);
}

static uint64_t pool_used(void)
{
    struct pool_info info;
    pool_rig_settle(&rig);
    pool_describe(rig.pool, &info);
    return info.used_bytes / EXTENT_BYTES;
}

/* ---- By layers -----------------------------------------------------------------------
 */

static void snapshots_and_clones_divide_what_there_is(void **state)
{
    struct volume *s, *c;
    struct snapshot_info info;
    (void)state;
    struct volume *v = make("v");
    assert_figures(v, 0, 0, 0);
    write_extents(v, 0, 10);
    assert_figures(v, 10, 10, 0);
    assert_int_equal(rig_snapshot(&rig, "v", "s", &s, NULL), 0);
    assert_figures(v, 10, 0, 10);
    write_extents(v, 0, 4);
    assert_figures(v, 14, 4, 10); /* what was overwritten stays the snapshot's */
    assert_figures(s, 10, 10, 0);
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, &c, NULL), 0);
    write_extents(c, 20, 3);
    assert_figures(c, 13, 3, 10);
    snapshot_describe(s, &info);
    assert_int_equal(info.unique_bytes, 10 * EXTENT_BYTES);
    /* What is unique comes back. */
    assert_int_equal(pool_used(), 17);
    assert_int_equal(pool_rig_delete_volume(&rig, "c", NULL), 0);
    assert_int_equal(pool_used(), 14);
    assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
    assert_int_equal(pool_used(), 10);
    assert_figures(v, 10, 10, 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    assert_int_equal(pool_used(), 0);
}

static void copies_share(void **state)
{
    (void)state;
    struct volume *v = make("v"), *w = make("w");
    write_extents(v, 0, 10);
    copy_extents(v, w, 10);
    assert_figures(v, 10, 0, 10);
    assert_figures(w, 10, 0, 10);
    write_extents(w, 0, 3);
    assert_figures(w, 10, 3, 7);
    assert_int_equal(
        rig_io_run(&rig, 0, w, VIO_UNMAP, 5 * EXTENT_BYTES, 5 * EXTENT_BYTES, NULL), 0);
    assert_figures(w, 5, 3, 2);
    assert_int_equal(pool_used(), 13);
    restart();
    assert_figures(volume_find(rig.manager, "v"), 10, 0, 10);
    assert_figures(volume_find(rig.manager, "w"), 5, 3, 2);
}

/* ---- By the map ----------------------------------------------------------------------
 */

struct census {
    uint64_t used, shared; /* of the layer at hand, by its words */
    unsigned layers;
};

static int census_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct census *c = arg;
    (void)key;
    for (int i = 0; i < LEAF_WORDS; i++) {
        c->used += word_place(words[i]) != 0;
        c->shared += (words[i] & WORD_SHARED) != 0;
    }
    return 0;
}

struct census_rows {
    struct layer_row rows[64];
    size_t count;
};

static int census_layer(const struct layer_row *row, void *arg)
{
    struct census_rows *list = arg;
    assert_true(list->count < ARRAY_LEN(list->rows));
    list->rows[list->count++] = *row;
    return 0;
}

static int census_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct census *c = arg;
    struct census_rows list = {.count = 0};
    int rc = layer_row_each(txn, census_layer, &list, e);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        uint32_t id = list.rows[i].id;
        c->used = c->shared = 0;
        rc = leaf_each(txn, leaf_key_of(extent_key(id, 0)),
                       leaf_key_of(extent_key(id, 0x7fffffff)), census_leaf, c, e);
        if (c->used != list.rows[i].used_extents ||
            c->shared != list.rows[i].shared_extents)
            return err_set(e, -EUCLEAN, NULL, "layer %u: %llu used and %llu shared", id,
                           (unsigned long long)c->used, (unsigned long long)c->shared);
        c->layers++;
    }
    return rc;
}

static void assert_counts_are_the_words(unsigned layers)
{
    struct census c = {.layers = 0};
    struct err e = {.code = 0};
    assert_int_equal(rig_round(&rig), 0);
    if (catalog_read_wait(rig.catalog, census_work, &c, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(c.layers, layers);
}

static void random_change(struct volume *v, struct volume *w, unsigned *seed)
{
    uint64_t at = (unsigned)rand_r(seed) % 100, n = 1 + (unsigned)rand_r(seed) % 8;
    struct volume *of = rand_r(seed) % 2 == 0 ? v : w;
    struct copy c = {.from = of,
                     .to = of == v ? w : v,
                     .from_bytes = at * EXTENT_BYTES,
                     .to_bytes = (100 - at) * EXTENT_BYTES,
                     .length_bytes = n * EXTENT_BYTES};
    switch (rand_r(seed) % 4) {
    case 0:
        assert_int_equal(rig_copy(&rig, &c), 0);
        break;
    case 1:
        assert_int_equal(
            rig_io_run(&rig, 0, of, VIO_UNMAP, at * EXTENT_BYTES, n * EXTENT_BYTES, NULL),
            0);
        break;
    case 2:
        assert_int_equal(rig_write(&rig, of, at * EXTENT_BYTES + 512, 512, 7), 0);
        break;
    default:
        write_extents(of, at, n);
    }
}

/* Writes, copies and unmaps of two volumes, snapshots that come and go, restarts. */
static void whatever_was_done_the_counts_are_the_words(void **state)
{
    unsigned seed = 5;
    (void)state;
    struct volume *v = make("v"), *w = make("w");
    for (unsigned turn = 0; turn < rig_times(8); turn++) {
        for (unsigned i = 0; i < 30; i++)
            random_change(v, w, &seed);
        assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
        assert_int_equal(rig_snapshot(&rig, "w", "s", NULL, NULL), 0);
        for (unsigned i = 0; i < 30; i++)
            random_change(v, w, &seed);
        assert_counts_are_the_words(4);
        assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
        assert_int_equal(rig_snapshot_delete(&rig, "w/s", NULL), 0);
        pool_rig_settle(&rig);
        assert_counts_are_the_words(2);
        struct volume_info before, after;
        volume_describe(v, &before);
        restart();
        v = volume_find(rig.manager, "v");
        w = volume_find(rig.manager, "w");
        volume_describe(v, &after);
        assert_int_equal(before.used_bytes, after.used_bytes);
        assert_int_equal(before.unique_bytes, after.unique_bytes);
    }
    rig_assert_sound(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(snapshots_and_clones_divide_what_there_is),
        MANAGE_TEST(copies_share),
        MANAGE_TEST(whatever_was_done_the_counts_are_the_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
