/* SPDX-License-Identifier: Apache-2.0 */
/* The leaf code: what goes in comes out, its length is bounded, and no byte of it can be
 * changed, added or lost without being refused. */
#include "rig.h"

#include "base/be.h"
#include "base/crc32c.h"
#include "db/leaf_codec.h"
#include "tests/lib/random.h"

#include <errno.h>
#include <string.h>

#define KEY UINT64_C(0x123456789)

static uint64_t random_state;

static uint64_t random_u64(void)
{
    return random_star(&random_state);
}

/* Runs of all kinds and lengths, as allocators and guests make them. */
static void random_leaf(uint64_t words[LEAF_WORDS])
{
    for (size_t i = 0; i < LEAF_WORDS;) {
        size_t count = 1 + random_u64() % (random_u64() % 2 != 0 ? 4 : 100);
        uint64_t kind = random_u64() % 4;
        uint64_t word = kind == 0 ? 0 : random_u64();
        for (; count > 0 && i < LEAF_WORDS; count--, i++) {
            words[i] = kind == 3 ? random_u64() : word;
            if (kind == 2)
                word += RUN_RISE;
        }
    }
}

static void every_leaf_decodes_to_itself(void **state)
{
    (void)state;
    random_state = 1;
    for (int turn = 0; turn < 20000; turn++) {
        uint64_t words[LEAF_WORDS], back[LEAF_WORDS];
        uint8_t blob[LEAF_BLOB_MAX];
        random_leaf(words);
        size_t bytes = leaf_encode(KEY, words, blob);
        assert_in_range(bytes, 1, LEAF_BLOB_MAX);
        assert_int_equal(leaf_decode(KEY, blob, bytes, back), 0);
        assert_memory_equal(words, back, sizeof(words));
    }
}

static size_t encoded_bytes(const uint64_t words[LEAF_WORDS])
{
    uint8_t blob[LEAF_BLOB_MAX];
    uint64_t back[LEAF_WORDS];
    size_t bytes = leaf_encode(KEY, words, blob);
    assert_int_equal(leaf_decode(KEY, blob, bytes, back), 0);
    assert_memory_equal(words, back, sizeof(back));
    return bytes;
}

static void usual_leaves_are_short(void **state)
{
    (void)state;
    uint64_t words[LEAF_WORDS] = {0};
    assert_int_equal(encoded_bytes(words), 1 + 2 + 4);
    for (size_t i = 0; i < LEAF_WORDS; i++)
        words[i] = (UINT64_C(1) << 51) + (1000 + i) * RUN_RISE + 0xffff;
    assert_int_equal(encoded_bytes(words), 1 + 10 + 4);
    words[255] = 0;
    words[3] = UINT64_C(1) << 62;
    assert_int_equal(encoded_bytes(words), 1 + 10 + 10 + 10 + 2 + 4);
}

static void the_worst_leaf_fits_the_bound(void **state)
{
    (void)state;
    uint64_t words[LEAF_WORDS];
    random_state = 2;
    for (size_t i = 0; i < LEAF_WORDS; i++)
        words[i] = random_u64() | 1;
    assert_int_equal(encoded_bytes(words), LEAF_BLOB_MAX);
    for (size_t i = 0; i < LEAF_WORDS; i += 2)
        words[i] = 0;
    assert_true(encoded_bytes(words) < LEAF_BLOB_MAX);
}

static void a_run_never_wraps_round(void **state)
{
    (void)state;
    uint64_t words[LEAF_WORDS] = {UINT64_MAX - 5, RUN_RISE - 6};
    (void)encoded_bytes(words);
}

static void any_changed_bit_is_refused(void **state)
{
    (void)state;
    uint64_t words[LEAF_WORDS], back[LEAF_WORDS];
    uint8_t blob[LEAF_BLOB_MAX];
    random_state = 3;
    random_leaf(words);
    size_t bytes = leaf_encode(KEY, words, blob);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(leaf_decode(KEY, blob, bytes, back), -EUCLEAN);
        blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(leaf_decode(KEY, blob, bytes, back), 0);
}

static void a_cut_or_longer_or_misplaced_blob_is_refused(void **state)
{
    (void)state;
    uint64_t words[LEAF_WORDS], back[LEAF_WORDS];
    uint8_t blob[LEAF_BLOB_MAX + 8] = {0};
    random_state = 4;
    random_leaf(words);
    size_t bytes = leaf_encode(KEY, words, blob);
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(leaf_decode(KEY, blob, cut, back), -EUCLEAN);
    assert_int_equal(leaf_decode(KEY, blob, bytes + 1, back), -EUCLEAN);
    assert_int_equal(leaf_decode(KEY, blob, sizeof(blob), back), -EUCLEAN);
    assert_int_equal(leaf_decode(KEY, NULL, 0, back), -EUCLEAN);
    assert_int_equal(leaf_decode(KEY + 1, blob, bytes, back), -EUCLEAN);
}

/* Bodies with a right CRC, as a foreign program or a bug of ours could leave them. */
static void malformed_runs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t bytes;
    } cases[] = {
        {"", 0},
        {"\x02\x00\xff", 3},                                  /* a format to come */
        {"\x01", 1},                                          /* no words */
        {"\x01\x00\xfe", 3},                                  /* 255 words */
        {"\x01\x00\xff\x00\x00", 5},                          /* 257 words */
        {"\x01\x00\x7f\x00\xff", 5},                          /* 384 words */
        {"\x01\x04\xff", 3},                                  /* no such run */
        {"\x01\x01\xff\x01\x02\x03\x04\x05\x06\x07", 10},     /* half a word */
        {"\x01\x03\xff\x01\x02\x03\x04\x05\x06\x07\x08", 11}, /* 1 word of 256 */
        {"\x01\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11}, /* rises past the end */
        {"\x01\x00\xff\x00", 4},                              /* a byte too many */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t blob[64], key[8];
        uint64_t back[LEAF_WORDS];
        be64_store(key, KEY);
        memcpy(blob, cases[i].body, cases[i].bytes);
        be32_store(blob + cases[i].bytes,
                   crc32c(crc32c(0, key, 8), blob, cases[i].bytes));
        assert_int_equal(leaf_decode(KEY, blob, cases[i].bytes + 4, back), -EUCLEAN);
    }
}

/* The bytes that docs/FORMAT.md shows. */
static void the_documented_example_is_what_is_written(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x01, 0x00, 0x01, 0x02, 0x02, 0x00, 0x08,
                                       0x00, 0x00, 0x00, 0x05, 0xff, 0xff, 0x00,
                                       0xfa, 0xb5, 0x1a, 0xbf, 0xe9};
    uint64_t words[LEAF_WORDS] = {0};
    uint8_t blob[LEAF_BLOB_MAX];
    for (size_t i = 0; i < 3; i++)
        words[2 + i] = UINT64_C(0x000800000005ffff) + i * RUN_RISE;
    assert_int_equal(leaf_encode(UINT64_C(1) << 23, words, blob), sizeof(expected));
    assert_memory_equal(blob, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_leaf_decodes_to_itself),
        cmocka_unit_test(usual_leaves_are_short),
        cmocka_unit_test(the_worst_leaf_fits_the_bound),
        cmocka_unit_test(a_run_never_wraps_round),
        cmocka_unit_test(any_changed_bit_is_refused),
        cmocka_unit_test(a_cut_or_longer_or_misplaced_blob_is_refused),
        cmocka_unit_test(malformed_runs_are_refused),
        cmocka_unit_test(the_documented_example_is_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
