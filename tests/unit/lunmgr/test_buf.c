/* SPDX-License-Identifier: Apache-2.0 */
/* Data buffers: alignment, capacity, what a pool keeps and counts. One thread. */
#include "lunmgr/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static int pool_setup(void **state)
{
    *state = buf_pool_create(1U << 20);
    return *state == NULL ? -1 : 0;
}

static int pool_teardown(void **state)
{
    buf_pool_destroy(*state);
    return 0;
}

static void buffer_is_aligned_and_large_enough(void **state)
{
    static const size_t sizes[] = {1,     512,   4095,  4096,          4097,
                                   65536, 65537, 99999, BUF_BYTES_MAX, BUF_BYTES_MAX - 1};
    struct buf_pool *pool = *state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct buf b = {0};
        assert_int_equal(buf_get(pool, sizes[i], &b), 0);
        assert_int_equal((uintptr_t)b.base % BUF_ALIGN, 0);
        assert_true(b.capacity_bytes >= sizes[i]);
        assert_int_equal(b.capacity_bytes % BUF_ALIGN, 0);
        memset(b.base, 0xa5, b.capacity_bytes);
        buf_put(pool, &b);
        assert_null(b.base);
    }
}

static void out_bytes_counts_what_is_handed_out(void **state)
{
    struct buf_pool *pool = *state;
    struct buf a = {0};
    struct buf b = {0};
    assert_int_equal(buf_get(pool, 4096, &a), 0);
    assert_int_equal(buf_get(pool, 10000, &b), 0);
    assert_int_equal(buf_pool_out_bytes(pool), a.capacity_bytes + b.capacity_bytes);
    buf_put(pool, &a);
    assert_int_equal(buf_pool_out_bytes(pool), b.capacity_bytes);
    buf_put(pool, &b);
    assert_int_equal(buf_pool_out_bytes(pool), 0);
}

static void buffers_out_at_once_do_not_overlap(void **state)
{
    struct buf_pool *pool = *state;
    struct buf bufs[32] = {0};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(bufs); i++) {
            assert_int_equal(buf_get(pool, 8192, &bufs[i]), 0);
            memset(bufs[i].base, (int)i, 8192);
        }
        for (size_t i = 0; i < ARRAY_LEN(bufs); i++) {
            assert_int_equal(bufs[i].base[0], i);
            assert_int_equal(bufs[i].base[8191], i);
            buf_put(pool, &bufs[i]);
        }
    }
}

static void empty_buffer_may_be_put(void **state)
{
    struct buf b = {0};
    buf_put(*state, &b);
    assert_int_equal(buf_pool_out_bytes(*state), 0);
}

static void pool_that_may_keep_nothing_still_serves(void **state)
{
    (void)state;
    struct buf_pool *pool = buf_pool_create(0);
    assert_non_null(pool);
    for (int i = 0; i < 3; i++) {
        struct buf b = {0};
        assert_int_equal(buf_get(pool, 65536, &b), 0);
        b.base[65535] = 1;
        buf_put(pool, &b);
    }
    buf_pool_destroy(pool);
}

/* Part of it by two, who give it up one after the other. */
static void what_is_lent_is_nobody_else_s(void **state)
{
    struct buf_pool *pool = *state;
    struct buf lent = {0}, next = {0};
    assert_int_equal(buf_get(pool, 8192, &lent), 0);
    uint8_t *memory = lent.base;
    struct buf_loan first = {.first = memory, .end = memory + 1};
    struct buf_loan last = {.first = memory + 8191, .end = memory + 8192};
    memset(memory, 0xa5, 8192);
    buf_lend(pool, &first);
    buf_lend(pool, &last);
    buf_put(pool, &lent);
    assert_int_equal(buf_pool_out_bytes(pool), 0);
    buf_unlend(pool, &first);
    assert_int_equal(buf_get(pool, 8192, &next), 0);
    memset(next.base, 0x11, 8192);
    assert_int_equal(memory[0], 0xa5);
    assert_int_equal(memory[8191], 0xa5);
    buf_unlend(pool, &last);
    buf_put(pool, &next);
}

#ifndef ASHLAR_MALLOC_BUFFERS
/* Only what was there all the time between two trims goes, and no more than is asked. */
static void a_trim_frees_what_nobody_wanted(void **state)
{
    (void)state;
    const size_t mib = 1U << 20;
    struct buf_pool *pool = buf_pool_create(64 * mib);
    struct buf bufs[4] = {0};
    assert_non_null(pool);
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        assert_int_equal(buf_get(pool, mib, &bufs[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_put(pool, &bufs[i]);
    buf_pool_trim(pool, 0);
    assert_int_equal(buf_pool_kept_bytes(pool), 4 * mib);
    assert_int_equal(buf_get(pool, mib, &bufs[0]), 0);
    buf_put(pool, &bufs[0]);
    buf_pool_trim(pool, 0);
    assert_int_equal(buf_pool_kept_bytes(pool), mib);
    buf_pool_trim(pool, mib);
    assert_int_equal(buf_pool_kept_bytes(pool), mib);
    buf_pool_trim(pool, mib - 1);
    assert_int_equal(buf_pool_kept_bytes(pool), 0);
    buf_pool_destroy(pool);
}

/* Beside a buffer that is lent nothing is. */
static void a_buffer_comes_back_when_it_is_lent_no_more(void **state)
{
    struct buf_pool *pool = *state;
    struct buf b = {0};
    assert_int_equal(buf_get(pool, 4096, &b), 0);
    const uint8_t *memory = b.base;
    struct buf_loan before = {.first = memory - 4096, .end = memory};
    struct buf_loan behind = {.first = memory + 4096, .end = memory + 8192};
    struct buf_loan all = {.first = memory, .end = memory + 4096};
    buf_lend(pool, &before);
    buf_lend(pool, &behind);
    buf_put(pool, &b);
    assert_int_equal(buf_get(pool, 4096, &b), 0);
    assert_ptr_equal(b.base, memory);
    buf_lend(pool, &all);
    buf_put(pool, &b);
    buf_unlend(pool, &before);
    buf_unlend(pool, &all);
    assert_int_equal(buf_get(pool, 4096, &b), 0);
    assert_ptr_equal(b.base, memory);
    buf_put(pool, &b);
    buf_unlend(pool, &behind);
}

static void kept_buffer_serves_the_next_of_its_class(void **state)
{
    struct buf_pool *pool = *state;
    struct buf b = {0};
    assert_int_equal(buf_get(pool, 16384, &b), 0);
    const uint8_t *before = b.base;
    buf_put(pool, &b);
    assert_int_equal(buf_get(pool, 8193, &b), 0);
    assert_ptr_equal(b.base, before);
    assert_int_equal(b.capacity_bytes, 16384);
    buf_put(pool, &b);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(buffer_is_aligned_and_large_enough, pool_setup,
                                        pool_teardown),
        cmocka_unit_test_setup_teardown(out_bytes_counts_what_is_handed_out, pool_setup,
                                        pool_teardown),
        cmocka_unit_test_setup_teardown(buffers_out_at_once_do_not_overlap, pool_setup,
                                        pool_teardown),
        cmocka_unit_test_setup_teardown(empty_buffer_may_be_put, pool_setup,
                                        pool_teardown),
        cmocka_unit_test(pool_that_may_keep_nothing_still_serves),
        cmocka_unit_test_setup_teardown(what_is_lent_is_nobody_else_s, pool_setup,
                                        pool_teardown),
#ifndef ASHLAR_MALLOC_BUFFERS
        cmocka_unit_test(a_trim_frees_what_nobody_wanted),
        cmocka_unit_test_setup_teardown(a_buffer_comes_back_when_it_is_lent_no_more,
                                        pool_setup, pool_teardown),
        cmocka_unit_test_setup_teardown(kept_buffer_serves_the_next_of_its_class,
                                        pool_setup, pool_teardown),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
