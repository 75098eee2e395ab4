/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets without gaps, and percentiles out of them. */
#include "base/buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BITS    3U
#define BUCKETS 208

static void small_values_have_buckets_of_their_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(bucket_of(i, BITS), i);
        assert_int_equal(bucket_end(i, BITS), i + 1);
    }
}

/* Each begins where the one before ends, and is an eighth of its power of two wide. */
static void buckets_leave_no_gap(void **state)
{
    (void)state;
    for (unsigned i = 1; i < BUCKETS; i++) {
        uint64_t low = bucket_end(i - 1, BITS), end = bucket_end(i, BITS);
        assert_int_equal(bucket_of(low, BITS), i);
        assert_int_equal(bucket_of(end - 1, BITS), i);
        assert_true(end > low && end - low <= (low < 8 ? 1 : low / 8));
    }
    assert_int_equal(bucket_end(BUCKETS - 1, BITS), 1U << 28);
    assert_int_equal(bucket_of(UINT64_MAX, BITS), 61 * 8 + 7);
    assert_int_equal(bucket_of(1000, 5), 5 * 32 + 30);
    assert_int_equal(bucket_end(5 * 32 + 30, 5), 1008);
}

static void percentiles_are_of_what_was_counted(void **state)
{
    uint64_t counts[BUCKETS] = {0};
    (void)state;
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0.5), 0);
    counts[bucket_of(100, BITS)] += 989; /* 96 to 103 */
    counts[bucket_of(1000, BITS)] += 10; /* 960 to 1023 */
    counts[bucket_of(50000, BITS)]++;    /* 49152 to 53247 */
    assert_int_equal(buckets_sum(counts, BUCKETS), 1000);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0), 104);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0.5), 104);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0.989), 104);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0.99), 1024);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 0.999), 1024);
    assert_int_equal(buckets_at(counts, BUCKETS, BITS, 1), 53248);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_values_have_buckets_of_their_own),
        cmocka_unit_test(buckets_leave_no_gap),
        cmocka_unit_test(percentiles_are_of_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
