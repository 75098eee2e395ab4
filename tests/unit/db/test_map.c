/* SPDX-License-Identifier: Apache-2.0 */
/* A round's words, counts and bitmaps come back as leaves, layers and bitmaps. */
#include "rows_rig.h"

#include "db/stmt.h"

#include <errno.h>
#include <string.h>

#define LAYER_A 1
#define LAYER_B 2

/* A pool p1 with a device 1 and the layers A and B. */
static int map_setup(void **state)
{
    rig_setup_txn(state);
    struct rig *r = *state;
    struct pool_row pool = sample_pool("p1", "fast");
    struct device_row device = sample_device("d1", "p1", 1);
    struct layer_row a = sample_layer("p1", 0);
    struct layer_row b = sample_layer("p1", 0);
    if (pool_row_add(&r->txn, &pool, NULL) != 0 ||
        device_row_add(&r->txn, &device, NULL) != 0 ||
        layer_row_add(&r->txn, &a, NULL) != 0 || layer_row_add(&r->txn, &b, NULL) != 0)
        return -1;
    return a.id == LAYER_A && b.id == LAYER_B ? 0 : -1;
}

static void store_words(struct rig *r, const struct word_change *words, size_t count)
{
    struct round_changes round = {.words = words, .word_count = count};
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
}

/* After all is folded. */
static int64_t leaf_rows(struct rig *r)
{
    fold_all(r);
    int64_t count = -1;
    assert_int_equal(txn_query_int(&r->txn, "SELECT count(*) FROM leaf", &count, NULL),
                     0);
    return count;
}

static uint64_t word_at(struct rig *r, uint32_t layer, uint32_t extent)
{
    uint64_t words[LEAF_WORDS];
    uint64_t key = extent_key(layer, extent);
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(key), words, NULL), 0);
    return words[key % LEAF_WORDS];
}

static void a_leaf_without_a_row_reads_as_zeros(void **state)
{
    struct rig *r = *state;
    uint64_t words[LEAF_WORDS];
    memset(words, 0xff, sizeof(words));
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(extent_key(LAYER_A, 5)), words, NULL),
                     0);
    for (size_t i = 0; i < LEAF_WORDS; i++)
        assert_int_equal(words[i], 0);
}

static void words_come_back_from_their_leaves(void **state)
{
    struct rig *r = *state;
    static const uint32_t last = (1U << 31) - 1;
    const struct word_change words[] = {
        {extent_key(LAYER_A, 0), 0x0008000000010001},
        {extent_key(LAYER_A, 1), 0x0008000000020001},
        {extent_key(LAYER_A, 255), UINT64_MAX},
        {extent_key(LAYER_A, 256), 3},
        {extent_key(LAYER_A, last), 4},
        {extent_key(LAYER_B, 0), 5},
    };
    store_words(r, words, ARRAY_LEN(words));
    assert_int_equal(leaf_rows(r), 4);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_int_equal(word_at(r, (uint32_t)(words[i].key >> EXTENT_INDEX_BITS),
                                 (uint32_t)words[i].key & last),
                         words[i].word);
    assert_int_equal(word_at(r, LAYER_A, 2), 0);
    assert_int_equal(word_at(r, LAYER_B, 1), 0);
}

static void a_round_changes_only_its_words(void **state)
{
    struct rig *r = *state;
    const struct word_change before[] = {{extent_key(LAYER_A, 7), 70},
                                         {extent_key(LAYER_A, 8), 80}};
    const struct word_change after[] = {{extent_key(LAYER_A, 6), 61},
                                        {extent_key(LAYER_A, 8), 81}};
    store_words(r, before, 2);
    store_words(r, after, 2);
    assert_int_equal(word_at(r, LAYER_A, 6), 61);
    assert_int_equal(word_at(r, LAYER_A, 7), 70);
    assert_int_equal(word_at(r, LAYER_A, 8), 81);
    assert_int_equal(leaf_rows(r), 1);
}

static void a_leaf_of_zeros_has_no_row(void **state)
{
    struct rig *r = *state;
    struct word_change words[] = {{extent_key(LAYER_A, 1), 10},
                                  {extent_key(LAYER_A, 300), 20}};
    store_words(r, words, 2);
    assert_int_equal(leaf_rows(r), 2);
    words[0].word = 0;
    store_words(r, words, 2);
    assert_int_equal(leaf_rows(r), 1);
    words[1].word = 0;
    store_words(r, words, 2);
    store_words(r, words, 2); /* nor does it get one */
    assert_int_equal(leaf_rows(r), 0);
}

static void words_of_a_layer_that_is_gone_are_dropped(void **state)
{
    struct rig *r = *state;
    assert_int_equal(layer_row_remove(&r->txn, LAYER_A, NULL), 0);
    const struct word_change words[] = {
        {extent_key(LAYER_A, 1), 10},
        {extent_key(LAYER_A, 1000), 10},
        {extent_key(LAYER_B, 1), 20},
        {extent_key(77, 1), 30},
    };
    const struct layer_count counts[] = {{LAYER_A, 2, 0}, {LAYER_B, 1, 0}};
    const struct bitmap_change bitmap = {.device_no = 9, .free_extents = 1};
    struct round_changes round = {words, 4, counts, 2, &bitmap, 1, NULL, 0, NULL};
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_int_equal(leaf_rows(r), 1);
    assert_int_equal(word_at(r, LAYER_B, 1), 20);
    int64_t bitmaps = -1;
    assert_int_equal(
        txn_query_int(&r->txn, "SELECT count(*) FROM bitmap", &bitmaps, NULL), 0);
    assert_int_equal(bitmaps, 0);
}

struct seen_leaves {
    uint64_t keys[8];
    uint64_t sums[8];
    size_t count, stop_at;
};

static int see_leaf(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct seen_leaves *seen = arg;
    if (seen->count == 8)
        return -E2BIG;
    seen->keys[seen->count] = leaf_key;
    for (size_t i = 0; i < LEAF_WORDS; i++)
        seen->sums[seen->count] += words[i];
    seen->count++;
    return seen->count == seen->stop_at ? 55 : 0;
}

static void leaves_are_walked_in_order_within_their_bounds(void **state)
{
    struct rig *r = *state;
    const struct word_change words[] = {
        {extent_key(LAYER_A, 0), 1},   {extent_key(LAYER_A, 256), 20},
        {extent_key(LAYER_A, 300), 2}, {extent_key(LAYER_A, 600), 3},
        {extent_key(LAYER_B, 0), 4},
    };
    store_words(r, words, ARRAY_LEN(words));
    struct seen_leaves seen = {.count = 0};
    uint64_t first = leaf_key_of(extent_key(LAYER_A, 0));
    assert_int_equal(leaf_each(&r->txn, first + 1, first + 2, see_leaf, &seen, NULL), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.keys[0], first + 1);
    assert_int_equal(seen.sums[0], 22);
    assert_int_equal(seen.sums[1], 3);
    seen = (struct seen_leaves){.stop_at = 3};
    assert_int_equal(leaf_each(&r->txn, 0, UINT64_MAX, see_leaf, &seen, NULL), 55);
    assert_int_equal(seen.count, 3);
    seen = (struct seen_leaves){.count = 0};
    assert_int_equal(leaf_each(&r->txn, 0, UINT64_MAX, see_leaf, &seen, NULL), 0);
    assert_int_equal(seen.count, 4);
}

static void a_damaged_leaf_is_told_with_its_place(void **state)
{
    struct rig *r = *state;
    const struct word_change word = {extent_key(LAYER_B, 512), 1};
    uint64_t words[LEAF_WORDS];
    struct seen_leaves seen = {.count = 0};
    struct round_changes round = {.words = &word, .word_count = 1};
    struct err e = {0};
    store_words(r, &word, 1);
    fold_all(r);
    assert_int_equal(txn_exec(&r->txn, "UPDATE leaf SET words = x'0100ff00000000'", NULL),
                     0);
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(word.key), words, &e), -EUCLEAN);
    assert_string_equal(e.text, "catalog: the map of layer 2 is damaged at leaf 2");
    assert_int_equal(leaf_each(&r->txn, 0, UINT64_MAX, see_leaf, &seen, NULL), -EUCLEAN);
    assert_int_equal(seen.count, 0);
    assert_int_equal(round_store(&r->txn, &round, NULL), 0); /* what is new is kept */
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(word.key), words, &e), -EUCLEAN);
}

static int see_layer(const struct layer_row *row, void *arg)
{
    uint64_t *used = arg;
    used[row->id] = row->used_extents;
    return 0;
}

static void counts_are_stored_with_their_layers(void **state)
{
    struct rig *r = *state;
    const struct layer_count counts[] = {{LAYER_B, UINT64_C(1) << 31, 7}};
    struct round_changes round = {.layers = counts, .layer_count = 1};
    uint64_t used[3] = {0};
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_int_equal(layer_row_each(&r->txn, see_layer, used, NULL), 0);
    assert_int_equal(used[LAYER_A], 7);
    assert_int_equal(used[LAYER_B], UINT64_C(1) << 31);
}

struct seen_bitmaps {
    struct bitmap_change rows[3];
    size_t count;
};

static int see_bitmap(const struct bitmap_change *row, void *arg)
{
    struct seen_bitmaps *seen = arg;
    if (seen->count == 3)
        return -E2BIG;
    seen->rows[seen->count++] = *row;
    return 0;
}

static void bitmaps_come_back_in_order(void **state)
{
    struct rig *r = *state;
    struct bitmap_change bitmaps[] = {
        {.device_no = 1, .gib = (1U << 21) - 1, .free_extents = 16384},
        {.device_no = 1, .gib = 3, .free_extents = 9},
    };
    struct round_changes round = {.bitmaps = bitmaps, .bitmap_count = 2};
    bitmaps[1].bits[0] = 1;
    bitmaps[1].bits[BITMAP_BYTES - 1] = 0x80;
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    bitmaps[1].free_extents = 8;
    bitmaps[1].bits[1] = 2;
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    struct seen_bitmaps seen = {.count = 0};
    assert_int_equal(bitmap_each(&r->txn, 1, see_bitmap, &seen, NULL), 0);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(&seen.rows[0], &bitmaps[1], sizeof(bitmaps[0]));
    assert_memory_equal(&seen.rows[1], &bitmaps[0], sizeof(bitmaps[0]));
    seen.count = 0;
    assert_int_equal(bitmap_each(&r->txn, 2, see_bitmap, &seen, NULL), 0);
    assert_int_equal(seen.count, 0);
}

static void a_bitmap_with_too_many_free_extents_is_refused(void **state)
{
    struct rig *r = *state;
    const struct bitmap_change bitmap = {.device_no = 1, .free_extents = 16385};
    struct round_changes round = {.bitmaps = &bitmap, .bitmap_count = 1};
    struct err e = {0};
    assert_int_equal(round_store(&r->txn, &round, &e), -EINVAL);
    assert_string_equal(e.field, "free_extents");
}

static void scattered_leaves_all_come_back(void **state)
{
    struct rig *r = *state;
    enum { LEAVES = 500 };
    struct word_change words[LEAVES];
    for (size_t i = 0; i < LEAVES; i++)
        words[i] = (struct word_change){
            extent_key(LAYER_A, (uint32_t)i * 1000 * LEAF_WORDS + (uint32_t)i % 256),
            i + 1};
    store_words(r, words, LEAVES);
    assert_int_equal(leaf_rows(r), LEAVES);
    for (size_t i = 0; i < LEAVES; i++)
        assert_int_equal(
            word_at(r, LAYER_A, (uint32_t)i * 1000 * LEAF_WORDS + (uint32_t)i % 256),
            i + 1);
}

#define MAP_TEST(name) cmocka_unit_test_setup_teardown(name, map_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAP_TEST(a_leaf_without_a_row_reads_as_zeros),
        MAP_TEST(words_come_back_from_their_leaves),
        MAP_TEST(a_round_changes_only_its_words),
        MAP_TEST(a_leaf_of_zeros_has_no_row),
        MAP_TEST(words_of_a_layer_that_is_gone_are_dropped),
        MAP_TEST(leaves_are_walked_in_order_within_their_bounds),
        MAP_TEST(a_damaged_leaf_is_told_with_its_place),
        MAP_TEST(counts_are_stored_with_their_layers),
        MAP_TEST(bitmaps_come_back_in_order),
        MAP_TEST(a_bitmap_with_too_many_free_extents_is_refused),
        MAP_TEST(scattered_leaves_all_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
