/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the box, pools, devices, layers and tokens: each comes back as it was
 * stored, and what must not be is refused with its field. */
#include "rows_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

COLLECTOR(pool_row)
COLLECTOR(device_row)
COLLECTOR(layer_row)
COLLECTOR(token_row)

static struct err last;

/* ---- Box --------------------------------------------------------------------------- */

static void a_new_box_is_clean_and_has_no_id(void **state)
{
    struct rig *r = *state;
    struct box_row box;
    assert_int_equal(box_get(&r->txn, &box, NULL), 0);
    assert_string_equal(box.id, "");
    assert_int_equal(box.naa_serial, 0);
    assert_int_equal(box.generation, 0);
    assert_true(box.clean);
}

static void the_box_comes_back_as_set(void **state)
{
    struct rig *r = *state;
    struct box_row box = {
        .id = "b1", .naa_serial = INT64_MAX, .generation = 9, .clean = false};
    assert_int_equal(box_set(&r->txn, &box, NULL), 0);
    struct box_row back;
    assert_int_equal(box_get(&r->txn, &back, NULL), 0);
    assert_string_equal(back.id, "b1");
    assert_int_equal(back.naa_serial, INT64_MAX);
    assert_int_equal(back.generation, 9);
    assert_false(back.clean);
}

static void the_volume_serial_never_goes_back(void **state)
{
    struct rig *r = *state;
    struct box_row box = {.id = "b1", .naa_serial = 5};
    assert_int_equal(box_set(&r->txn, &box, NULL), 0);
    assert_int_equal(box_set(&r->txn, &box, NULL), 0);
    box.naa_serial = 4;
    assert_refused(box_set(&r->txn, &box, &last), -EINVAL, "naa_serial");
    box.naa_serial = UINT64_MAX;
    assert_refused(box_set(&r->txn, &box, &last), -EINVAL, "naa_serial");
}

/* ---- Pools ------------------------------------------------------------------------- */

static void pools_are_listed_by_name(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "slow");
    add_pool(r, "p2", "fast");
    add_pool(r, "p3", "Fast"); /* names are case-sensitive */
    struct pool_rows list = all_pool_row(r);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.rows[0].name, "Fast");
    assert_string_equal(list.rows[1].name, "fast");
    assert_string_equal(list.rows[1].id, "p2");
    assert_int_equal(list.rows[1].created_s, 1700000000);
    assert_int_equal(list.rows[1].overcommit_cap_percent, 150);
    assert_true(list.rows[1].page_cache);
    struct pool_row changed = list.rows[1];
    changed.overcommit_cap_percent = 0;
    changed.page_cache = false;
    assert_int_equal(pool_row_change(&r->txn, &changed, NULL), 0);
    assert_int_equal(all_pool_row(r).rows[1].overcommit_cap_percent, 0);
    assert_false(all_pool_row(r).rows[1].page_cache);
    assert_true(all_pool_row(r).rows[0].page_cache); /* another's stays */
    snprintf(changed.id, sizeof(changed.id), "p9");
    assert_refused(pool_row_change(&r->txn, &changed, &last), -ENOENT, "");
    assert_string_equal(list.rows[2].name, "slow");
}

static void a_second_pool_of_a_name_or_id_is_refused(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    struct pool_row row = sample_pool("p2", "fast");
    assert_refused(pool_row_add(&r->txn, &row, &last), -EEXIST, "name");
    row = sample_pool("p1", "other");
    assert_refused(pool_row_add(&r->txn, &row, &last), -EEXIST, "id");
    assert_int_equal(all_pool_row(r).count, 1);
}

static void a_name_that_is_empty_or_has_no_end_is_refused(void **state)
{
    struct rig *r = *state;
    struct pool_row row = sample_pool("p1", "");
    assert_refused(pool_row_add(&r->txn, &row, &last), -EINVAL, "name");
    memset(row.name, 'x', sizeof(row.name));
    assert_refused(pool_row_add(&r->txn, &row, &last), -EINVAL, "name");
    assert_int_equal(all_pool_row(r).count, 0);
}

static void a_pool_in_use_stays(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    uint32_t layer = add_layer(r, 0);
    assert_refused(pool_row_remove(&r->txn, "p1", &last), -EBUSY, "");
    assert_refused(pool_row_remove(&r->txn, "p2", &last), -ENOENT, "");
    assert_int_equal(layer_row_remove(&r->txn, layer, NULL), 0);
    assert_int_equal(pool_row_remove(&r->txn, "p1", NULL), 0);
    assert_int_equal(all_pool_row(r).count, 0);
}

static int stop_at_first(const struct pool_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
    return 77;
}

static void a_listing_stops_when_told_and_says_so(void **state)
{
    struct rig *r = *state;
    int calls = 0;
    add_pool(r, "p1", "a");
    add_pool(r, "p2", "b");
    assert_int_equal(pool_row_each(&r->txn, stop_at_first, &calls, NULL), 77);
    assert_int_equal(calls, 1);
}

static int list_again(const struct pool_row *row, void *arg)
{
    (void)row;
    struct rig *r = arg;
    struct pool_rows list = {.count = 0};
    int rc = pool_row_each(&r->txn, collect_pool_row, &list, NULL);
    return rc == 0 && list.count == 2 ? 0 : -EIO;
}

static void listings_nest(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "a");
    add_pool(r, "p2", "b");
    assert_int_equal(pool_row_each(&r->txn, list_again, r, NULL), 0);
}

/* ---- Devices ----------------------------------------------------------------------- */

static void a_device_comes_back_with_its_number(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    struct device_row one = sample_device("d1", "p1", 1);
    struct device_row two = sample_device("d2", "p1", 1023);
    assert_int_equal(device_row_add(&r->txn, &one, NULL), 0);
    assert_int_equal(device_row_add(&r->txn, &two, NULL), 0);
    assert_int_equal(one.no, 1);
    assert_int_equal(two.no, 2);
    assert_int_equal(device_row_set_generation(&r->txn, 2, 8, NULL), 0);
    struct device_rows list = all_device_row(r);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.rows[0].no, 1);
    assert_string_equal(list.rows[0].id, "d1");
    assert_string_equal(list.rows[0].pool_id, "p1");
    assert_int_equal(list.rows[0].slot, 1);
    assert_string_equal(list.rows[0].path, "/dev/d1");
    assert_int_equal(list.rows[0].extents, 1600);
    assert_int_equal(list.rows[0].generation, UINT64_C(1) << 40);
    assert_int_equal(list.rows[1].slot, 1023);
    assert_int_equal(list.rows[1].generation, 8);
}

static void a_device_that_clashes_is_refused(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    struct device_row row = sample_device("d1", "p1", 1);
    assert_int_equal(device_row_add(&r->txn, &row, NULL), 0);
    row = sample_device("d1", "p1", 2);
    row.path[0] = 'x';
    assert_refused(device_row_add(&r->txn, &row, &last), -EEXIST, "id");
    row = sample_device("d2", "p1", 1);
    assert_refused(device_row_add(&r->txn, &row, &last), -EEXIST, "slot");
    row = sample_device("d1", "p1", 2);
    row.id[1] = '3';
    assert_refused(device_row_add(&r->txn, &row, &last), -EEXIST, "path");
    row = sample_device("d4", "p9", 4);
    assert_refused(device_row_add(&r->txn, &row, &last), -ENOENT, "pool");
    row = sample_device("d5", "p1", 0);
    assert_refused(device_row_add(&r->txn, &row, &last), -EINVAL, "slot");
    row = sample_device("d5", "p1", 1024);
    assert_refused(device_row_add(&r->txn, &row, &last), -EINVAL, "slot");
    row.slot = 5;
    row.extents = (UINT64_C(1) << 35) + 1;
    assert_refused(device_row_add(&r->txn, &row, &last), -EINVAL, "extents");
    assert_refused(device_row_set_generation(&r->txn, 9, 1, &last), -ENOENT, "");
    assert_int_equal(all_device_row(r).count, 1);
}

static int count_bitmap(const struct bitmap_change *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
    return 0;
}

static int bitmap_count(struct rig *r, uint32_t device_no)
{
    int count = 0;
    assert_int_equal(bitmap_each(&r->txn, device_no, count_bitmap, &count, NULL), 0);
    return count;
}

static void a_pool_takes_its_devices_and_bitmaps_along(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_pool(r, "p2", "slow");
    struct device_row one = sample_device("d1", "p1", 1);
    struct device_row two = sample_device("d2", "p2", 1);
    assert_int_equal(device_row_add(&r->txn, &one, NULL), 0);
    assert_int_equal(device_row_add(&r->txn, &two, NULL), 0);
    const struct bitmap_change bitmaps[] = {
        {.device_no = 1, .gib = 0},
        {.device_no = 1, .gib = (1U << 21) - 1},
        {.device_no = 2, .gib = 0},
    };
    struct round_changes round = {.bitmaps = bitmaps, .bitmap_count = 3};
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_int_equal(bitmap_count(r, 1), 2);
    assert_int_equal(pool_row_remove(&r->txn, "p1", NULL), 0);
    assert_int_equal(bitmap_count(r, 1), 0);
    assert_int_equal(bitmap_count(r, 2), 1);
    assert_int_equal(all_device_row(r).count, 1);
    add_pool(r, "p1", "fast");
    assert_int_equal(pool_row_remove(&r->txn, "p2", NULL), 0);
    assert_int_equal(device_row_add(&r->txn, &one, NULL), 0);
    assert_int_equal(one.no, 3); /* a device's number never returns */
}

/* ---- Layers ------------------------------------------------------------------------ */

static void a_layer_comes_back(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    uint32_t base = add_layer(r, 0);
    uint32_t top = add_layer(r, base);
    assert_int_equal(layer_row_set_state(&r->txn, base, LAYER_DROPPING, NULL), 0);
    struct layer_rows list = all_layer_row(r);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.rows[0].id, base);
    assert_int_equal(list.rows[0].parent, 0);
    assert_int_equal(list.rows[0].state, LAYER_DROPPING);
    assert_int_equal(list.rows[1].id, top);
    assert_int_equal(list.rows[1].parent, base);
    assert_int_equal(list.rows[1].state, LAYER_LIVE);
    assert_string_equal(list.rows[1].pool_id, "p1");
    assert_int_equal(list.rows[1].size_extents, 1U << 31);
    assert_int_equal(list.rows[1].used_extents, 7);
    assert_int_equal(list.rows[1].shared_extents, 3);
}

static void a_layer_number_never_returns(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    uint32_t first = add_layer(r, 0);
    assert_int_equal(layer_row_remove(&r->txn, first, NULL), 0);
    assert_int_equal(add_layer(r, 0), first + 1);
}

static void the_last_layer_number_is_the_last(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    (void)add_layer(r, 0);
    assert_int_equal(
        txn_exec(&r->txn, "UPDATE sqlite_sequence SET seq = 4294967294", NULL), 0);
    assert_int_equal(add_layer(r, 0), LAYER_ID_MAX);
    struct layer_row row = sample_layer("p1", 0);
    assert_refused(layer_row_add(&r->txn, &row, &last), -ENOSPC, "");
    assert_int_equal(layer_row_remove(&r->txn, LAYER_ID_MAX, NULL), 0);
    assert_refused(layer_row_add(&r->txn, &row, &last), -ENOSPC, "");
}

static void a_layer_in_use_stays(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    uint32_t base = add_layer(r, 0);
    uint32_t top = add_layer(r, base);
    assert_refused(layer_row_remove(&r->txn, base, &last), -EBUSY, "");
    struct volume_row volume = sample_volume("v1", "web", top);
    assert_int_equal(volume_row_add(&r->txn, &volume, NULL), 0);
    assert_refused(layer_row_remove(&r->txn, top, &last), -EBUSY, "");
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    /* The last leaf that a layer can have, and the first of the next layer. */
    struct word_change words[] = {
        {.key = extent_key(top, (1U << 31) - 1), .word = 1},
        {.key = extent_key(top + 1, 0), .word = 1},
    };
    struct round_changes round = {.words = words, .word_count = 2};
    assert_int_equal(add_layer(r, 0), top + 1);
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_refused(layer_row_remove(&r->txn, top, &last), -EBUSY, "");
    words[0].word = 0;
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_int_equal(layer_row_remove(&r->txn, top, NULL), 0);
    assert_int_equal(layer_row_remove(&r->txn, base, NULL), 0);
    assert_refused(layer_row_remove(&r->txn, base, &last), -ENOENT, "");
}

static void a_layer_of_nothing_is_refused(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    struct layer_row row = sample_layer("p9", 0);
    assert_refused(layer_row_add(&r->txn, &row, &last), -ENOENT, "pool");
    row = sample_layer("p1", 9);
    assert_refused(layer_row_add(&r->txn, &row, &last), -ENOENT, "parent");
    row = sample_layer("p1", 0);
    row.size_extents++;
    assert_refused(layer_row_add(&r->txn, &row, &last), -EINVAL, "size_extents");
    assert_refused(layer_row_set_state(&r->txn, 9, LAYER_LIVE, &last), -ENOENT, "");
}

/* ---- Tokens ------------------------------------------------------------------------ */

static void a_token_comes_back(void **state)
{
    struct rig *r = *state;
    struct token_row row = sample_token("t1", "ci");
    assert_int_equal(token_row_add(&r->txn, &row, NULL), 0);
    struct token_rows list = all_token_row(r);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.rows[0].id, "t1");
    assert_string_equal(list.rows[0].name, "ci");
    assert_memory_equal(list.rows[0].hash, row.hash, sizeof(row.hash));
    assert_int_equal(list.rows[0].created_s, 1700000003);
    assert_int_equal(token_row_remove(&r->txn, "t1", NULL), 0);
    assert_refused(token_row_remove(&r->txn, "t1", &last), -ENOENT, "");
}

static void a_token_that_clashes_is_refused(void **state)
{
    struct rig *r = *state;
    struct token_row row = sample_token("t1", "ci");
    assert_int_equal(token_row_add(&r->txn, &row, NULL), 0);
    row = sample_token("t2", "ci");
    assert_refused(token_row_add(&r->txn, &row, &last), -EEXIST, "name");
    row = sample_token("t1", "other");
    row.hash[0] ^= 1;
    assert_refused(token_row_add(&r->txn, &row, &last), -EEXIST, "id");
    row = sample_token("t1", "other");
    row.id[1] = '3';
    assert_refused(token_row_add(&r->txn, &row, &last), -EEXIST, "hash");
}

static void a_token_of_a_host_goes_with_it(void **state)
{
    struct rig *r = *state;
    struct token_row row = sample_token("t1", "hv1");
    snprintf(row.scope, sizeof(row.scope), "attach");
    snprintf(row.host_id, sizeof(row.host_id), "h1");
    row.expires_s = 1800000000;
    assert_refused(token_row_add(&r->txn, &row, &last), -ENOENT, "host");
    add_host(r, "h1", "hv1");
    add_host(r, "h2", "hv2");
    assert_int_equal(token_row_add(&r->txn, &row, NULL), 0);
    row = sample_token("t2", "ci");
    assert_int_equal(token_row_add(&r->txn, &row, NULL), 0);
    struct token_rows list = all_token_row(r);
    assert_string_equal(list.rows[0].scope, "admin");
    assert_string_equal(list.rows[0].host_id, "");
    assert_int_equal(list.rows[0].expires_s, 0);
    assert_string_equal(list.rows[1].scope, "attach");
    assert_string_equal(list.rows[1].host_id, "h1");
    assert_int_equal(list.rows[1].expires_s, 1800000000);
    assert_int_equal(host_row_remove(&r->txn, "h2", NULL), 0);
    assert_int_equal(all_token_row(r).count, 2);
    assert_int_equal(host_row_remove(&r->txn, "h1", NULL), 0);
    list = all_token_row(r);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.rows[0].id, "t2");
}

static void a_token_has_one_of_the_scopes(void **state)
{
    struct rig *r = *state;
    struct token_row row = sample_token("t1", "ci");
    snprintf(row.scope, sizeof(row.scope), "root");
    assert_refused(token_row_add(&r->txn, &row, &last), -EINVAL, "scope");
    add_host(r, "h1", "hv1");
    row = sample_token("t1", "ci");
    snprintf(row.host_id, sizeof(row.host_id), "h1"); /* only attach has one */
    assert_refused(token_row_add(&r->txn, &row, &last), -EINVAL, "host");
    row = sample_token("t1", "ci");
    row.expires_s = -1;
    assert_refused(token_row_add(&r->txn, &row, &last), -EINVAL, "expires");
}

/* ---- Damage ------------------------------------------------------------------------ */

static void a_row_that_does_not_fit_is_told_not_cut(void **state)
{
    struct rig *r = *state;
    struct pool_rows list = {.count = 0};
    assert_int_equal(
        txn_exec(&r->txn,
                 "INSERT INTO pool VALUES ('p1', printf('%.64c', 'x'), 0, 0, '', 0)",
                 NULL),
        0);
    assert_refused(pool_row_each(&r->txn, collect_pool_row, &list, &last), -EUCLEAN, "");
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(a_new_box_is_clean_and_has_no_id),
        ROW_TEST(the_box_comes_back_as_set),
        ROW_TEST(the_volume_serial_never_goes_back),
        ROW_TEST(pools_are_listed_by_name),
        ROW_TEST(a_second_pool_of_a_name_or_id_is_refused),
        ROW_TEST(a_name_that_is_empty_or_has_no_end_is_refused),
        ROW_TEST(a_pool_in_use_stays),
        ROW_TEST(a_listing_stops_when_told_and_says_so),
        ROW_TEST(listings_nest),
        ROW_TEST(a_device_comes_back_with_its_number),
        ROW_TEST(a_device_that_clashes_is_refused),
        ROW_TEST(a_pool_takes_its_devices_and_bitmaps_along),
        ROW_TEST(a_layer_comes_back),
        ROW_TEST(a_layer_number_never_returns),
        ROW_TEST(the_last_layer_number_is_the_last),
        ROW_TEST(a_layer_in_use_stays),
        ROW_TEST(a_layer_of_nothing_is_refused),
        ROW_TEST(a_token_comes_back),
        ROW_TEST(a_token_that_clashes_is_refused),
        ROW_TEST(a_token_of_a_host_goes_with_it),
        ROW_TEST(a_token_has_one_of_the_scopes),
        ROW_TEST(a_row_that_does_not_fit_is_told_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
