/* SPDX-License-Identifier: Apache-2.0 */
/* The bits of a map word, as docs/FORMAT.md has them. */
#include "lunmgr/word.h"

#include "tests/lib/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_word_has_the_documented_bits(void **state)
{
    (void)state;
    map_word w = word_with_place(0, place_of(1, 5)) | WORD_MASK_FULL;
    assert_int_equal(w, 0x000800000005ffffULL); /* the example of docs/FORMAT.md */
    assert_int_equal(WORD_SHARED | WORD_OPAQUE | WORD_HELD, 0xe000000000000000ULL);
    w = word_with_place(0, place_of(PLACE_SLOT_MAX, PLACE_EXT_LIMIT - 1));
    assert_int_equal(w, 0x1fffffffffff0000ULL); /* the largest place fits */
}

static void a_place_comes_out_as_it_went_in(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        unsigned slot = (unsigned)draw(&seed, PLACE_SLOT_MAX) + 1;
        uint64_t extent = draw(&seed, PLACE_EXT_LIMIT);
        map_word flags = draw(&seed, 8) << 61;
        map_word mask = draw(&seed, WORD_MASK_FULL + 1);
        map_word old = draw(&seed, 1ULL << 45) << 16;
        map_word w = word_with_place(old | flags | mask, place_of(slot, extent));
        assert_int_equal(place_slot(word_place(w)), slot);
        assert_int_equal(place_extent(word_place(w)), extent);
        assert_int_equal(word_mask(w), mask);
        assert_int_equal(w >> 61, flags >> 61);
    }
}

static void blocks_are_the_bits_they_name(void **state)
{
    (void)state;
    for (unsigned first = 0; first < WORD_BLOCKS; first++)
        for (unsigned count = 1; first + count <= WORD_BLOCKS; count++)
            for (unsigned b = 0; b < 32; b++)
                assert_int_equal(word_blocks(first, count) >> b & 1,
                                 b >= first && b < first + count);
    assert_int_equal(word_blocks(0, WORD_BLOCKS), WORD_MASK_FULL);
}

static void what_is_of_memory_only_is_not_stored(void **state)
{
    map_word named = word_with_place(0, place_of(3, 77));
    (void)state;
    assert_int_equal(word_stored(named | 1 | WORD_HELD), named | 1);
    assert_int_equal(word_stored(named | 1 | WORD_OPAQUE | WORD_HELD),
                     named | 1 | WORD_OPAQUE);
    /* A first write that has not ended: its extent is no part of the committed map. */
    assert_int_equal(word_stored(named | WORD_HELD), 0);
    assert_int_equal(word_stored(named | WORD_OPAQUE), WORD_OPAQUE);
    assert_int_equal(word_stored(WORD_HELD), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_has_the_documented_bits),
        cmocka_unit_test(a_place_comes_out_as_it_went_in),
        cmocka_unit_test(blocks_are_the_bits_they_name),
        cmocka_unit_test(what_is_of_memory_only_is_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
