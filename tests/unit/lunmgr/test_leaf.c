/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a layer's leaves: what takes memory and when, who wins where several
 * install or own the same leaf. Loading from a catalog is test_restart.c's. */
#include "lunmgr/leaf.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t zeros[LEAF_WORDS];

static void a_leaf_that_was_not_loaded_is_not_there(void **state)
{
    struct layer *l = layer_create(NULL, 1000, 0);
    struct leaf *own = (struct leaf *)l;
    (void)state;
    assert_non_null(l);
    assert_null(layer_leaf(l, 0));
    assert_null(layer_leaf(l, 999));
    assert_int_equal(layer_leaf_own(l, 999, &own), 0);
    assert_null(own);
    layer_destroy(l);
}

static void zeros_take_no_memory_until_they_are_written(void **state)
{
    struct layer *l = layer_create(NULL, 1000, 0);
    struct leaf *own;
    (void)state;
    assert_int_equal(layer_install(l, 0, zeros), 0);
    assert_int_equal(layer_install(l, 1, zeros), 0);
    assert_ptr_equal(layer_leaf(l, 0), layer_leaf(l, 256)); /* the shared one */
    assert_true(leaf_is_zeros(layer_leaf(l, 3)));
    assert_int_equal(layer_leaf_own(l, 300, &own), 0);
    assert_false(leaf_is_zeros(own));
    assert_ptr_equal(layer_leaf(l, 300), own);
    assert_int_equal(own->index, 1);
    atomic_store(leaf_cell(own, 300), 77);
    assert_int_equal(leaf_word(layer_leaf(l, 300), 300), 77);
    assert_int_equal(leaf_word(layer_leaf(l, 299), 299), 0);
    assert_int_equal(leaf_word(layer_leaf(l, 44), 44), 0); /* the shared one stays so */
    struct leaf *again;
    assert_int_equal(layer_leaf_own(l, 301, &again), 0);
    assert_ptr_equal(again, own);
    layer_destroy(l);
}

static void what_is_installed_second_is_dropped(void **state)
{
    struct layer *l = layer_create(NULL, 1000, 0);
    uint64_t words[LEAF_WORDS] = {[5] = 50};
    struct leaf *own;
    (void)state;
    assert_int_equal(layer_install(l, 2, words), 0);
    assert_int_equal(layer_leaf_own(l, 512, &own), 0);
    atomic_store(leaf_cell(own, 512 + 5), 51);
    assert_int_equal(layer_install(l, 2, words), 0); /* a slower loader */
    assert_int_equal(leaf_word(layer_leaf(l, 512), 512 + 5), 51);
    assert_int_equal(layer_install(l, 2, zeros), 0);
    assert_int_equal(leaf_word(layer_leaf(l, 512), 512 + 5), 51);
    layer_forget_leaf(l, 2);
    assert_null(layer_leaf(l, 512));
    layer_forget_leaf(l, 2);
    layer_destroy(l);
}

static void the_last_extent_of_the_largest_volume_has_its_leaf(void **state)
{
    uint64_t size = 1ULL << 31;
    struct layer *l = layer_create(NULL, size, 0);
    uint64_t words[LEAF_WORDS] = {[255] = 9};
    (void)state;
    assert_non_null(l);
    layer_set_id(l, LAYER_ID_MAX, NULL);
    assert_int_equal(layer_install(l, (uint32_t)(size / LEAF_WORDS - 1), words), 0);
    assert_int_equal(leaf_word(layer_leaf(l, 0x7fffffff), 0x7fffffff), 9);
    layer_forget_all(l);
    assert_null(layer_leaf(l, 0x7fffffff));
    layer_destroy(l);
}

#define LEAVES 512

static void *owner(void *arg)
{
    struct layer *l = arg;
    for (uint32_t i = 0; i < LEAVES; i++) {
        struct leaf *own;
        if (layer_install(l, i, zeros) != 0 ||
            layer_leaf_own(l, i * LEAF_WORDS, &own) != 0 || own == NULL)
            abort();
        atomic_fetch_add(leaf_cell(own, i * LEAF_WORDS), 1);
    }
    return NULL;
}

static void two_threads_own_the_same_leaf(void **state)
{
    struct layer *l = layer_create(NULL, (uint64_t)LEAVES * LEAF_WORDS, 0);
    pthread_t threads[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, owner, l), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < LEAVES * LEAF_WORDS; i += LEAF_WORDS)
        assert_int_equal(leaf_word(layer_leaf(l, i), i), 2);
    layer_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_that_was_not_loaded_is_not_there),
        cmocka_unit_test(zeros_take_no_memory_until_they_are_written),
        cmocka_unit_test(what_is_installed_second_is_dropped),
        cmocka_unit_test(the_last_extent_of_the_largest_volume_has_its_leaf),
        cmocka_unit_test(two_threads_own_the_same_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
