/* SPDX-License-Identifier: Apache-2.0 */
/* Extents are handed out once, and what the catalog is told of them never says free too
 * early: the allocator against a plain array. */
#include "lunmgr/alloc.h"

#include "tests/lib/random.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GROUP       ((uint64_t)ALLOC_GROUP_EXTENTS)
#define EXTENTS     (2 * GROUP + 1000)
#define GROUP_COUNT 3

enum state { FREE, TAKEN, FREED, UNKEPT };

struct rig {
    struct alloc *a;
    uint8_t states[EXTENTS];
    uint64_t free_count;
    uint64_t seed;
};

static struct rig rig;

static int setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig.a = alloc_create(EXTENTS);
    rig.free_count = EXTENTS - 1;
    rig.seed = 99;
    return rig.a == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    alloc_destroy(rig.a);
    return 0;
}

static uint64_t take(uint64_t after)
{
    uint64_t x;
    assert_int_equal(alloc_take(rig.a, after, &x), 0);
    assert_in_range(x, 1, EXTENTS - 1);
    assert_int_equal(rig.states[x], FREE);
    rig.states[x] = TAKEN;
    rig.free_count--;
    return x;
}

static uint64_t any_in(enum state wanted)
{
    uint64_t start = draw(&rig.seed, EXTENTS);
    for (uint64_t i = 0; i < EXTENTS; i++) {
        uint64_t x = (start + i) % EXTENTS;
        if (x != 0 && rig.states[x] == wanted)
            return x;
    }
    return 0;
}

static void step(void)
{
    uint64_t x;
    switch (draw(&rig.seed, 5)) {
    case 0:
    case 1:
        if (rig.free_count > 0)
            take(draw(&rig.seed, 2) == 0 ? 0 : draw(&rig.seed, EXTENTS));
        break;
    case 2:
        x = any_in(TAKEN);
        if (x != 0 && draw(&rig.seed, 8) == 0) {
            alloc_untake(rig.a, x);
            rig.states[x] = FREE;
            rig.free_count++;
        } else if (x != 0) {
            rig.states[x] = FREED;
        }
        break;
    case 3:
        x = any_in(FREED);
        if (x != 0) {
            alloc_unkeep(rig.a, x);
            rig.states[x] = UNKEPT;
        }
        break;
    default:
        x = any_in(UNKEPT);
        if (x != 0) {
            alloc_release(rig.a, x);
            rig.states[x] = FREE;
            rig.free_count++;
        }
    }
    assert_int_equal(alloc_free_extents(rig.a), rig.free_count);
}

/* As the catalog has it after the copies so far. */
static uint8_t kept[GROUP_COUNT][BITMAP_BYTES];
static uint32_t kept_free[GROUP_COUNT];

static void copy_all(void)
{
    struct bitmap_change rows[GROUP_COUNT];
    size_t count;
    assert_true(alloc_copy_dirty(rig.a, 7, rows, GROUP_COUNT, &count));
    assert_int_equal(alloc_dirty_groups(rig.a), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].device_no, 7);
        assert_in_range(rows[i].gib, 0, GROUP_COUNT - 1);
        memcpy(kept[rows[i].gib], rows[i].bits, BITMAP_BYTES);
        kept_free[rows[i].gib] = rows[i].free_extents;
    }
}

static bool is_kept(uint64_t x)
{
    return kept[x / GROUP][x % GROUP / 8] >> x % 8 & 1;
}

static void the_copies_say_what_the_model_says(void **state)
{
    (void)state;
    memset(kept, 0, sizeof(kept));
    for (uint32_t g = 0; g < GROUP_COUNT; g++)
        kept_free[g] = (uint32_t)(g == 2 ? 1000 : GROUP - (g == 0));
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 500; i++)
            step();
        copy_all();
        uint32_t used[GROUP_COUNT] = {0};
        for (uint64_t x = 0; x < EXTENTS; x++) {
            bool want = rig.states[x] == TAKEN || rig.states[x] == FREED;
            assert_int_equal(is_kept(x), want);
            used[x / GROUP] += want;
        }
        for (uint64_t g = 0; g < GROUP_COUNT; g++) {
            uint64_t all = g == 2 ? 1000 : GROUP - (g == 0);
            assert_int_equal(kept_free[g], all - used[g]);
        }
    }
}

static void a_loaded_device_hands_out_only_the_rest(void **state)
{
    (void)state;
    struct bitmap_change row = {.gib = 1};
    memset(row.bits, 0xff, sizeof(row.bits));
    row.bits[5] = 0xfe; /* extent GROUP + 40 is free */
    assert_int_equal(alloc_load(rig.a, &row, NULL), 0);
    rig.free_count -= GROUP - 1;
    memset(rig.states + GROUP, TAKEN, GROUP);
    rig.states[GROUP + 40] = FREE;
    assert_int_equal(alloc_free_extents(rig.a), rig.free_count);
    assert_int_equal(alloc_dirty_groups(rig.a), 0); /* as the catalog has it */
    while (rig.free_count > 0)
        take(0);
    uint64_t x;
    assert_int_equal(alloc_take(rig.a, 0, &x), -ENOSPC);
    assert_int_equal(alloc_take(rig.a, 17, &x), -ENOSPC);
}

static void a_row_outside_the_device_is_refused(void **state)
{
    (void)state;
    struct err e;
    struct bitmap_change past = {.gib = 3};
    assert_int_equal(alloc_load(rig.a, &past, &e), -EUCLEAN);
    struct bitmap_change beyond = {.gib = 2};
    beyond.bits[125] = 1; /* extent 2 GiB + 1000 */
    assert_int_equal(alloc_load(rig.a, &beyond, &e), -EUCLEAN);
    struct bitmap_change superblock = {.gib = 0};
    superblock.bits[0] = 1;
    assert_int_equal(alloc_load(rig.a, &superblock, &e), -EUCLEAN);
}

static void writers_in_sequence_stay_adjacent(void **state)
{
    (void)state;
    uint64_t a = take(0), b = take(0);
    assert_int_not_equal(a / 64, b / 64); /* each has 4 MiB to go on in */
    for (int i = 1; i < 60; i++) {
        uint64_t next_a = take(a), next_b = take(b);
        assert_int_equal(next_a, a + 1);
        assert_int_equal(next_b, b + 1);
        a = next_a;
        b = next_b;
    }
}

/* The copy of a round is whole or none: a group that changed before it must be in it even
 * if others change meanwhile. */
static void a_copy_that_does_not_fit_takes_nothing(void **state)
{
    (void)state;
    struct bitmap_change rows[GROUP_COUNT];
    size_t count = 77;
    uint64_t x;
    assert_int_equal(alloc_take(rig.a, 2 * GROUP + 5, &x), 0);
    assert_int_equal(x, 2 * GROUP + 6);
    assert_int_equal(alloc_dirty_groups(rig.a), 1); /* room is made for one */
    assert_int_equal(alloc_take(rig.a, 4, &x), 0);
    assert_int_equal(x, 5); /* and then a second changes */
    assert_false(alloc_copy_dirty(rig.a, 1, rows, 1, &count));
    assert_int_equal(count, 0);
    assert_int_equal(alloc_dirty_groups(rig.a), 2);
    assert_true(alloc_copy_dirty(rig.a, 1, rows, 2, &count));
    assert_int_equal(count, 2);
    alloc_copy_failed(rig.a, 1, rows, count);
    assert_int_equal(alloc_dirty_groups(rig.a), 2);
    alloc_copy_failed(rig.a, 2, rows, count); /* another device's */
    assert_int_equal(alloc_dirty_groups(rig.a), 2);
}

static void only_what_nobody_names_is_a_leak(void **state)
{
    (void)state;
    struct bitmap_change row = {.gib = 0};
    for (unsigned x = 100; x < 110; x++)
        row.bits[x / 8] |= (uint8_t)(1U << x % 8);
    assert_int_equal(alloc_load(rig.a, &row, NULL), 0);
    size_t words;
    assert_int_equal(alloc_suspect_begin(rig.a, &words, NULL), 0);
    assert_int_equal(alloc_suspect_begin(rig.a, &words, NULL), -EBUSY);
    uint64_t after;
    assert_int_equal(alloc_take(rig.a, 150, &after), 0); /* meanwhile: no suspect */
    alloc_unkeep(rig.a, 105); /* freed meanwhile: none either */
    AUTO_FREE uint64_t *named = calloc(words, sizeof(*named));
    for (unsigned x = 100; x < 103; x++)
        named[x / 64] |= 1ULL << x % 64;
    uint64_t before = alloc_free_extents(rig.a);
    assert_int_equal(alloc_suspect_end(rig.a, named, true), 6); /* 103 104 106..109 */
    assert_int_equal(alloc_free_extents(rig.a), before + 6);
    alloc_release(rig.a, 105);

    copy_all();
    for (uint64_t x = 100; x < 110; x++)
        assert_int_equal(is_kept(x), x < 103);
    assert_true(is_kept(after));
    for (uint64_t x = 103; x < 110; x++) {
        uint64_t got;
        assert_int_equal(alloc_take(rig.a, x - 1, &got), 0);
        assert_int_equal(got, x);
    }
}

static void *taker(void *arg)
{
    uint64_t *mine = arg;
    for (uint64_t i = 0; i < 5000; i++) {
        int rc = alloc_take(rig.a, i == 0 ? 0 : mine[i - 1], &mine[i]);
        if (rc != 0)
            abort();
    }
    return NULL;
}

static void two_threads_never_get_the_same(void **state)
{
    (void)state;
    static uint64_t got[2][5000];
    pthread_t threads[2];
    for (int t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, taker, got[t]), 0);
    for (int t = 0; t < 2; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < 2; t++)
        for (int i = 0; i < 5000; i++) {
            assert_int_equal(rig.states[got[t][i]], FREE);
            rig.states[got[t][i]] = TAKEN;
        }
    assert_int_equal(alloc_free_extents(rig.a), EXTENTS - 1 - 10000);
}

#define ALLOC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOC_TEST(the_copies_say_what_the_model_says),
        ALLOC_TEST(a_loaded_device_hands_out_only_the_rest),
        ALLOC_TEST(a_row_outside_the_device_is_refused),
        ALLOC_TEST(writers_in_sequence_stay_adjacent),
        ALLOC_TEST(a_copy_that_does_not_fit_takes_nothing),
        ALLOC_TEST(only_what_nobody_names_is_a_leak),
        ALLOC_TEST(two_threads_never_get_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
