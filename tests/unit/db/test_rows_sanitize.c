/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of volumes that are being sanitized: one a volume, with its whole pattern, and
 * gone with it. */
#include "rows_rig.h"

#include <stdio.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

COLLECTOR(sanitize_row)

static struct sanitize_row sample(const char *volume_id)
{
    struct sanitize_row row = {.unrestricted = true,
                               .inverts = true,
                               .passes = SANITIZE_PASSES_MAX,
                               .pattern_bytes = CATALOG_PATTERN_MAX};
    snprintf(row.volume_id, sizeof(row.volume_id), "%s", volume_id);
    for (size_t i = 0; i < sizeof(row.pattern); i++)
        row.pattern[i] = (uint8_t)(i * 7);
    return row;
}

static void a_row_comes_back_with_its_pattern(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    struct sanitize_row row = sample("v1");
    assert_int_equal(sanitize_row_set(&r->txn, &row, NULL), 0);
    struct sanitize_rows list = all_sanitize_row(r);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.rows[0].volume_id, "v1");
    assert_false(list.rows[0].failed);
    assert_false(list.rows[0].erases);
    assert_true(list.rows[0].unrestricted);
    assert_true(list.rows[0].inverts);
    assert_int_equal(list.rows[0].passes, SANITIZE_PASSES_MAX);
    assert_int_equal(list.rows[0].pattern_bytes, CATALOG_PATTERN_MAX);
    assert_memory_equal(list.rows[0].pattern, row.pattern, CATALOG_PATTERN_MAX);
}

static void a_volume_has_one_row_that_is_replaced(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    struct sanitize_row row = sample("v1");
    assert_int_equal(sanitize_row_set(&r->txn, &row, NULL), 0);
    row.failed = row.erases = true;
    row.passes = 1;
    row.pattern_bytes = 1;
    assert_int_equal(sanitize_row_set(&r->txn, &row, NULL), 0);
    struct sanitize_rows list = all_sanitize_row(r);
    assert_int_equal(list.count, 1);
    assert_true(list.rows[0].failed);
    assert_true(list.rows[0].erases);
    assert_int_equal(list.rows[0].pattern_bytes, 1);
    assert_int_equal(sanitize_row_remove(&r->txn, "v1", NULL), 0);
    assert_int_equal(all_sanitize_row(r).count, 0);
    assert_int_equal(sanitize_row_remove(&r->txn, "v1", NULL), 0);
}

static void a_row_is_of_a_volume_and_goes_with_it(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    struct sanitize_row row = sample("v1");
    assert_int_equal(sanitize_row_set(&r->txn, &row, NULL), 0);
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    assert_int_equal(all_sanitize_row(r).count, 0);
    assert_int_not_equal(sanitize_row_set(&r->txn, &row, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(a_row_comes_back_with_its_pattern),
        ROW_TEST(a_volume_has_one_row_that_is_replaced),
        ROW_TEST(a_row_is_of_a_volume_and_goes_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
