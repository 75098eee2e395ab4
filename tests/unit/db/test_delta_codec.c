/* SPDX-License-Identifier: Apache-2.0 */
/* The delta code: what goes in comes out, a delta's length is bounded, and no byte of it
 * can be changed, added or lost without being refused. */
#include "rig.h"

#include "db/delta_codec.h"
#include "tests/lib/random.h"

#include <errno.h>
#include <string.h>

#define CHANGES_MAX 2000

static uint64_t random_state;

static uint64_t random_u64(void)
{
    return random_star(&random_state);
}

/* Keys near each other or far apart, words in runs or not. */
static size_t random_changes(struct word_change *changes)
{
    size_t count = 1 + random_u64() % CHANGES_MAX;
    uint64_t key = random_u64() >> (64 - LEAF_KEY_BITS - 8 + random_u64() % 30);
    uint64_t word = random_u64();
    size_t kept = 0;
    for (; kept < count && key >> (LEAF_KEY_BITS + 8) == 0; kept++) {
        changes[kept] = (struct word_change){key, word};
        key += random_u64() % 3 != 0 ? 1 : 1 + (random_u64() >> (20 + random_u64() % 44));
        uint64_t kind = random_u64() % 8;
        word = kind == 0  ? 0
               : kind < 4 ? word
               : kind < 6 ? word + RUN_RISE
                          : random_u64();
    }
    return kept;
}

static size_t same_leaf(const struct word_change *changes, size_t left)
{
    size_t count = 1;
    while (count < left && leaf_key_of(changes[count].key) == leaf_key_of(changes[0].key))
        count++;
    return count;
}

/* All of them in one delta. */
static size_t encode(uint64_t id, const struct word_change *changes, size_t count,
                     uint8_t *blob)
{
    struct delta_writer w;
    delta_begin(&w, blob);
    for (size_t at = 0, together = 0; at < count; at += together) {
        together = same_leaf(changes + at, count - at);
        assert_true(delta_put(&w, changes + at, together));
    }
    return delta_end(&w, id);
}

/* What the patch says, in order, behind what is there. */
static size_t patch_changes(const struct leaf_patch *patch, struct word_change *out)
{
    size_t count = 0;
    for (size_t i = 0; i < LEAF_WORDS; i++)
        if ((patch->set[i / 64] >> i % 64 & 1) != 0)
            out[count++] =
                (struct word_change){patch->leaf_key * LEAF_WORDS + i, patch->words[i]};
    return count;
}

static int decode(uint64_t id, const uint8_t *blob, size_t bytes, struct word_change *out,
                  size_t *count)
{
    struct delta_reader r;
    struct delta_section section;
    struct leaf_patch patch;
    *count = 0;
    int rc = delta_open(&r, id, blob, bytes);
    while (rc == 0 && (rc = delta_next(&r, &section)) > 0) {
        leaf_patch_init(&patch, section.leaf_key);
        rc = delta_section_read(blob + section.offset, section.bytes, &patch);
        *count += patch_changes(&patch, out + *count);
    }
    return rc;
}

static void every_delta_decodes_to_itself(void **state)
{
    (void)state;
    static struct word_change changes[CHANGES_MAX], back[CHANGES_MAX];
    static uint8_t blob[DELTA_BLOB_MAX];
    random_state = 1;
    for (int turn = 0; turn < 2000; turn++) {
        size_t count = random_changes(changes), back_count = 0;
        size_t bytes = encode((uint64_t)turn, changes, count, blob);
        assert_int_equal(decode((uint64_t)turn, blob, bytes, back, &back_count), 0);
        assert_int_equal(back_count, count);
        assert_memory_equal(changes, back, count * sizeof(changes[0]));
    }
}

/* docs/FORMAT.md has the same bytes. */
static void the_documented_delta_is_what_is_written(void **state)
{
    (void)state;
    static const uint8_t documented[] = {
        0x01,                                           /* format */
        0x80, 0x80, 0x80, 0x04, 0x01,                   /* leaf 0x800000, two runs */
        0x02, 0x02, 0x01, 0x00, 0x08, 0x00, 0x00, 0x00, /* from word 2 on, two */
        0x05, 0xff, 0xff,                               /* words that rise */
        0x09, 0x00, 0x00,                               /* word 9 is 0 */
        0x00, 0x00,                                     /* the next leaf, one run */
        0xff, 0x03, 0x00, 0x40, 0x08, 0x00, 0x00, 0x00, /* word 255: */
        0x07, 0x00, 0x03,                               /* a literal of one */
        0x16, 0xb8, 0x06, 0x9e,                         /* CRC32C */
    };
    const struct word_change changes[] = {
        {extent_key(1, 2), 0x000800000005ffff},
        {extent_key(1, 3), 0x000800000006ffff},
        {extent_key(1, 9), 0},
        {extent_key(1, 511), 0x4008000000070003},
    };
    static uint8_t blob[DELTA_BLOB_MAX];
    size_t bytes = encode(7, changes, ARRAY_LEN(changes), blob);
    assert_int_equal(bytes, sizeof(documented));
    assert_memory_equal(blob, documented, sizeof(documented));
}

static void a_scattered_word_takes_13_bytes(void **state)
{
    (void)state;
    static struct word_change changes[4096];
    static uint8_t blob[DELTA_BLOB_MAX];
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        changes[i] = (struct word_change){(i * 64 + 1) * LEAF_WORDS + i % 256, i + 1};
    assert_int_equal(encode(1, changes, ARRAY_LEN(changes), blob), 1 + 4096 * 13 + 4);
}

static void a_full_delta_takes_no_more_and_stays_whole(void **state)
{
    (void)state;
    static struct word_change changes[DELTA_BLOB_MAX], back[DELTA_BLOB_MAX];
    static uint8_t blob[DELTA_BLOB_MAX];
    struct delta_writer w;
    size_t count = 0, back_count = 0;
    random_state = 2;
    delta_begin(&w, blob);
    for (;; count += LEAF_WORDS) {
        for (size_t i = 0; i < LEAF_WORDS; i++)
            changes[count + i] = (struct word_change){count + i, random_u64() | 1};
        if (!delta_put(&w, changes + count, LEAF_WORDS))
            break;
    }
    size_t bytes = delta_end(&w, 3);
    assert_in_range(bytes, DELTA_BLOB_MAX - 2100, DELTA_BLOB_MAX);
    assert_int_equal(decode(3, blob, bytes, back, &back_count), 0);
    assert_int_equal(back_count, count);
    assert_memory_equal(changes, back, count * sizeof(changes[0]));
}

static void the_later_section_wins(void **state)
{
    (void)state;
    static uint8_t blob[2][DELTA_BLOB_MAX];
    const struct word_change first[] = {{1, 10}, {2, 20}}, second[] = {{2, 21}, {3, 30}};
    struct leaf_patch patch;
    struct word_change got[4];
    leaf_patch_init(&patch, 0);
    encode(1, first, 2, blob[0]);
    encode(2, second, 2, blob[1]);
    for (int i = 0; i < 2; i++) {
        struct delta_reader r;
        struct delta_section s;
        assert_int_equal(delta_open(&r, (uint64_t)i + 1, blob[i], 1 + 3 + 2 + 16 + 4), 0);
        assert_int_equal(delta_next(&r, &s), 1);
        assert_int_equal(delta_section_read(blob[i] + s.offset, s.bytes, &patch), 0);
    }
    assert_int_equal(patch_changes(&patch, got), 3);
    assert_int_equal(got[0].word, 10);
    assert_int_equal(got[1].word, 21);
    assert_int_equal(got[2].word, 30);
    assert_false(leaf_patch_is_full(&patch));
}

static void any_changed_bit_is_refused(void **state)
{
    (void)state;
    static struct word_change changes[CHANGES_MAX], back[CHANGES_MAX];
    static uint8_t blob[DELTA_BLOB_MAX];
    size_t back_count = 0;
    random_state = 3;
    (void)random_changes(changes);
    size_t bytes = encode(5, changes, 40, blob);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(decode(5, blob, bytes, back, &back_count), -EUCLEAN);
        blob[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(decode(6, blob, bytes, back, &back_count), -EUCLEAN);
    for (size_t cut = 0; cut < bytes; cut++)
        assert_int_equal(decode(5, blob, cut, back, &back_count), -EUCLEAN);
    assert_int_equal(decode(5, blob, bytes, back, &back_count), 0);
}

/* A right CRC over what no writer makes. */
static void assert_body_refused(const uint8_t *body, size_t bytes)
{
    static struct word_change back[LEAF_WORDS * 4];
    uint8_t blob[64];
    size_t count = 0;
    struct delta_writer w = {.next_leaf = 0};
    wire_init(&w.out, blob, sizeof(blob) - 4);
    wire_put_bytes(&w.out, body, bytes);
    bytes = delta_end(&w, 1);
    assert_int_equal(decode(1, blob, bytes, back, &count), -EUCLEAN);
}
#define BODY_REFUSED(...)                                                                \
    assert_body_refused((const uint8_t[]){__VA_ARGS__},                                  \
                        sizeof((const uint8_t[]){__VA_ARGS__}))

static void what_no_writer_makes_is_refused(void **state)
{
    (void)state;
    BODY_REFUSED(2, 0, 0, 0, 0, 0);                      /* another format */
    BODY_REFUSED(1, 0);                                  /* no runs */
    BODY_REFUSED(1, 0, 0, 0, 4, 0);                      /* another kind */
    BODY_REFUSED(1, 0, 0, 255, 0, 1);                    /* past the leaf */
    BODY_REFUSED(1, 0, 1, 5, 0, 0, 5, 0, 0);             /* the same place twice */
    BODY_REFUSED(1, 0, 1, 5, 0, 0, 4, 0, 0);             /* backwards */
    BODY_REFUSED(1, 0, 1, 5, 0, 0);                      /* a run is missing */
    BODY_REFUSED(1, 0, 0, 5, 3, 0, 1, 2, 3);             /* a word is cut off */
    BODY_REFUSED(1, 0x80, 0, 0, 5, 0, 0);                /* a varint that is too long */
    BODY_REFUSED(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff); /* one without an end */
    BODY_REFUSED(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 5, 0, 0); /* key */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_delta_decodes_to_itself),
        cmocka_unit_test(the_documented_delta_is_what_is_written),
        cmocka_unit_test(a_scattered_word_takes_13_bytes),
        cmocka_unit_test(a_full_delta_takes_no_more_and_stays_whole),
        cmocka_unit_test(the_later_section_wins),
        cmocka_unit_test(any_changed_bit_is_refused),
        cmocka_unit_test(what_no_writer_makes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
