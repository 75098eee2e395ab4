/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of shared extents: runs that any change splits and joins, and what nobody names
 * any more. */
#include "rows_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXTENTS 48 /* of the model, from extent 1 on */

static int share_setup(void **state)
{
    rig_setup_txn(state);
    struct rig *r = *state;
    struct pool_row pool = sample_pool("p1", "fast");
    struct device_row d1 = sample_device("d1", "p1", 1);
    struct device_row d2 = sample_device("d2", "p1", 2);
    return pool_row_add(&r->txn, &pool, NULL) != 0 ||
                   device_row_add(&r->txn, &d1, NULL) != 0 ||
                   device_row_add(&r->txn, &d2, NULL) != 0
               ? -1
               : 0;
}

static int change(struct rig *r, uint32_t device, uint64_t extent, uint64_t extents,
                  int32_t by, struct extent_runs *unnamed, struct err *e)
{
    struct share_change c = {
        .device_no = device, .extent = extent, .extents = extents, .change = by};
    struct round_changes round = {.shares = &c, .share_count = 1, .unnamed = unnamed};
    return round_store(&r->txn, &round, e);
}

/* What the rows say of each extent of a device. */
struct seen {
    uint32_t counts[EXTENTS + 2];
    struct share_row last;
    unsigned rows;
};

static int see(const struct share_row *row, void *arg)
{
    struct seen *seen = arg;
    uint64_t end = seen->last.extent + seen->last.extents;
    assert_true(seen->rows == 0 || row->extent > end ||
                (row->extent == end && row->count != seen->last.count));
    assert_true(row->count >= 2);
    for (uint64_t i = row->extent; i < row->extent + row->extents; i++)
        seen->counts[i] = row->count;
    seen->last = *row;
    seen->rows++;
    return 0;
}

static struct seen look(struct rig *r, uint32_t device)
{
    struct seen seen = {.rows = 0};
    assert_int_equal(share_each(&r->txn, device, see, &seen, NULL), 0);
    return seen;
}

static void a_run_is_one_row(void **state)
{
    struct rig *r = *state;
    assert_int_equal(change(r, 1, 5, 10, 1, NULL, NULL), 0);
    assert_int_equal(change(r, 1, 15, 5, 1, NULL, NULL), 0);
    assert_int_equal(change(r, 1, 2, 3, 1, NULL, NULL), 0);
    struct seen seen = look(r, 1);
    assert_int_equal(seen.rows, 1);
    assert_int_equal(seen.last.extent, 2);
    assert_int_equal(seen.last.extents, 18);
    assert_int_equal(seen.last.count, 2);
    assert_int_equal(look(r, 2).rows, 0);
}

static void what_one_word_names_has_no_row(void **state)
{
    struct rig *r = *state;
    assert_int_equal(change(r, 1, 1, 20, 2, NULL, NULL), 0);
    assert_int_equal(change(r, 1, 8, 1, -2, NULL, NULL), 0);
    struct seen seen = look(r, 1);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(seen.counts[7], 3);
    assert_int_equal(seen.counts[8], 0);
    assert_int_equal(seen.counts[9], 3);
}

static void the_last_words_end_is_told(void **state)
{
    struct rig *r = *state;
    struct extent_runs unnamed = {.runs = NULL};
    assert_int_equal(change(r, 1, 4, 4, 1, &unnamed, NULL), 0);
    assert_int_equal(change(r, 1, 2, 8, -1, &unnamed, NULL), 0);
    assert_int_equal(unnamed.count, 2);
    assert_int_equal(unnamed.runs[0].extent, 2);
    assert_int_equal(unnamed.runs[0].extents, 2);
    assert_int_equal(unnamed.runs[1].extent, 8);
    assert_int_equal(unnamed.runs[1].extents, 2);
    assert_int_equal(look(r, 1).rows, 0);
    extent_runs_fini(&unnamed);
}

static void fewer_words_than_none_are_refused(void **state)
{
    struct rig *r = *state;
    struct err e;
    struct extent_runs unnamed = {.runs = NULL};
    assert_int_equal(change(r, 1, 4, 4, 1, &unnamed, NULL), 0);
    assert_int_equal(change(r, 1, 4, 5, -2, &unnamed, &e), -EUCLEAN);
    assert_non_null(strstr(e.text, "extent 8 of device 1"));
    extent_runs_fini(&unnamed);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (*state >> 33) % below;
}

/* The model: words of each extent; none has fewer than one. */
static void random_change(struct rig *r, uint32_t *words, uint64_t *random)
{
    uint64_t first = 1 + draw(random, EXTENTS), least = UINT64_MAX;
    uint64_t count = 1 + draw(random, EXTENTS + 1 - first);
    struct extent_runs unnamed = {.runs = NULL};
    for (uint64_t i = first; i < first + count; i++)
        least = words[i] < least ? words[i] : least;
    int32_t by = draw(random, 2) == 0 ? 1 : -(int32_t)draw(random, least + 1);
    assert_int_equal(change(r, 1, first, count, by, &unnamed, NULL), 0);
    uint64_t gone = 0;
    for (uint64_t i = first; by != 0 && i < first + count; i++) {
        words[i] += (uint32_t)by;
        gone += words[i] == 0;
        words[i] += words[i] == 0; /* it is somebody's again later */
    }
    for (size_t i = 0; i < unnamed.count; i++)
        gone -= unnamed.runs[i].extents;
    assert_int_equal(gone, 0);
    extent_runs_fini(&unnamed);
}

static void rows_say_what_the_model_says(void **state)
{
    struct rig *r = *state;
    uint32_t words[EXTENTS + 2];
    uint64_t random = 7;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        words[i] = 1;
    for (unsigned n = 0; n < 3000; n++) {
        random_change(r, words, &random);
        struct seen seen = look(r, 1);
        for (uint64_t i = 1; i <= EXTENTS; i++)
            assert_int_equal(seen.counts[i], words[i] > 1 ? words[i] : 0);
    }
}

#define SHARE_TEST(name) cmocka_unit_test_setup_teardown(name, share_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHARE_TEST(a_run_is_one_row),
        SHARE_TEST(what_one_word_names_has_no_row),
        SHARE_TEST(the_last_words_end_is_told),
        SHARE_TEST(fewer_words_than_none_are_refused),
        SHARE_TEST(rows_say_what_the_model_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
