/* SPDX-License-Identifier: Apache-2.0 */
/* Copies inside a pool: what is shared, what is moved, and that nobody writes what is
 * shared. */
#include "tests/lib/oracle.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/copy.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VOLUME_BYTES (4 * MIB)

static struct pool_rig rig;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options o = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 64 * MIB};
    pool_rig_create(&rig, &o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, VOLUME_BYTES, 512);
}

/* ---- One copy, waited for ---------------------------------------------------------- */

struct copying {
    struct copy copy;
    atomic_bool ended;
    int rc;
};

static void copying_on_done(struct copy *copy, int rc)
{
    struct copying *c = container_of(copy, struct copying, copy);
    c->rc = rc;
    atomic_store(&c->ended, true);
}

static bool copying_ended(void *arg)
{
    return atomic_load(&((struct copying *)arg)->ended);
}

static void copying_start(struct rig_lane *lane, void *arg)
{
    struct copying *c = arg;
    c->copy.lane = lane->lane;
    copy_start(&c->copy);
}

static void begin(struct copying *c, struct volume *from, uint64_t from_bytes,
                  struct volume *to, uint64_t to_bytes, uint64_t length_bytes)
{
    *c = (struct copying){.copy = {.from = from,
                                   .to = to,
                                   .from_bytes = from_bytes,
                                   .to_bytes = to_bytes,
                                   .length_bytes = length_bytes,
                                   .done = copying_on_done}};
    pool_rig_at_lane(&rig, 0, copying_start, c);
}

/* How many bytes were shared. */
static uint64_t copy(struct volume *from, uint64_t from_bytes, struct volume *to,
                     uint64_t to_bytes, uint64_t length_bytes)
{
    struct copy c = {.from = from,
                     .to = to,
                     .from_bytes = from_bytes,
                     .to_bytes = to_bytes,
                     .length_bytes = length_bytes};
    assert_int_equal(rig_copy(&rig, &c), 0);
    assert_int_equal(c.copied_bytes, length_bytes);
    return c.shared_bytes;
}

static struct volume *reopen(const char *name)
{
    pool_rig_reopen(&rig);
    return volume_find(rig.manager, name);
}

/* ---- The tests --------------------------------------------------------------------- */

static void a_copy_takes_no_space(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    assert_int_equal(copy(a, 0, b, MIB, MIB), MIB);
    assert_true(rig_reads(&rig, b, MIB, MIB, 1));
    assert_true(rig_reads(&rig, b, 0, MIB, 0));
    assert_int_equal(rig_assert_sound(&rig).shared_extents, 16);
    assert_int_equal(pool_free_extents(rig.pool), all - 16);
    b = reopen("b");
    assert_true(rig_reads(&rig, b, MIB, MIB, 1));
    assert_true(rig_reads(&rig, volume_find(rig.manager, "a"), 0, MIB, 1));
    assert_int_equal(rig_assert_sound(&rig).shared_extents, 16);
}

static void a_write_to_either_side_leaves_the_other(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, 4 * EXTENT_BYTES, 1), 0);
    copy(a, 0, b, 0, 4 * EXTENT_BYTES);
    assert_int_equal(rig_write(&rig, a, 4096, 4096, 2), 0);
    assert_int_equal(rig_write(&rig, b, EXTENT_BYTES + 512, 512, 3), 0);
    assert_int_equal(rig_write(&rig, b, 2 * EXTENT_BYTES, EXTENT_BYTES, 4), 0);
    assert_true(rig_reads(&rig, a, 4096, 4096, 2));
    assert_true(rig_reads(&rig, a, EXTENT_BYTES, 3 * EXTENT_BYTES, 1));
    assert_true(rig_reads(&rig, b, 0, EXTENT_BYTES + 512, 1));
    assert_true(rig_reads(&rig, b, EXTENT_BYTES + 512, 512, 3));
    assert_true(rig_reads(&rig, b, EXTENT_BYTES + 1024, EXTENT_BYTES - 1024, 1));
    assert_true(rig_reads(&rig, b, 2 * EXTENT_BYTES, EXTENT_BYTES, 4));
    rig_assert_sound(&rig);
    b = reopen("b");
    assert_true(rig_reads(&rig, b, EXTENT_BYTES + 512, 512, 3));
    assert_true(
        rig_reads(&rig, volume_find(rig.manager, "a"), EXTENT_BYTES, EXTENT_BYTES, 1));
    rig_assert_sound(&rig);
}

static void an_extent_is_free_when_its_last_word_has_gone(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b"), *c = make("c");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, EXTENT_BYTES, 1), 0);
    copy(a, 0, b, 0, EXTENT_BYTES);
    copy(b, 0, c, 0, EXTENT_BYTES);
    assert_int_equal(rig_io_run(&rig, 0, a, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all - 1);
    assert_int_equal(pool_rig_delete_volume(&rig, "b", NULL), 0);
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all - 1);
    assert_true(rig_reads(&rig, c, 0, EXTENT_BYTES, 1));
    assert_int_equal(rig_write(&rig, c, 0, 512, 2), 0); /* a fresh one instead */
    assert_int_equal(rig_flush(&rig, c), 0);
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all - 1);
    assert_int_equal(rig_io_run(&rig, 0, c, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    assert_int_equal(rig_flush(&rig, c), 0);
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all);
}

/* What is seen through two layers is moved, what is seen through one is shared, what is
 * not there becomes zeros. */
static void what_lies_in_two_layers_is_moved(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, 2 * EXTENT_BYTES, 1), 0);
    assert_int_equal(rig_write(&rig, b, 0, 3 * EXTENT_BYTES, 9), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, NULL), 0);
    assert_int_equal(rig_snapshot(&rig, "b", "s", NULL, NULL), 0);
    assert_int_equal(rig_write(&rig, a, 4096, 4096, 2), 0);
    assert_int_equal(copy(a, 0, b, 0, 3 * EXTENT_BYTES), EXTENT_BYTES);
    assert_true(rig_reads(&rig, b, 0, 4096, 1));
    assert_true(rig_reads(&rig, b, 4096, 4096, 2));
    assert_true(rig_reads(&rig, b, 8192, 2 * EXTENT_BYTES - 8192, 1));
    assert_true(rig_reads(&rig, b, 2 * EXTENT_BYTES, EXTENT_BYTES, 0));
    struct volume *s = snapshot_find(rig.manager, "b/s");
    assert_true(rig_reads(&rig, s, 0, 3 * EXTENT_BYTES, 9));
    rig_assert_sound(&rig);
}

/* A part of the extent, over another volume's snapshot: the rest is zeros. */
static void a_shared_part_hides_what_lies_below(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 8192, 4096, 1), 0);
    assert_int_equal(rig_write(&rig, b, 0, EXTENT_BYTES, 9), 0);
    assert_int_equal(rig_snapshot(&rig, "b", "s", NULL, NULL), 0);
    assert_int_equal(copy(a, 0, b, 0, EXTENT_BYTES), EXTENT_BYTES);
    assert_true(rig_reads(&rig, b, 0, 8192, 0));
    assert_true(rig_reads(&rig, b, 8192, 4096, 1));
    assert_true(rig_reads(&rig, b, 12288, EXTENT_BYTES - 12288, 0));
    rig_assert_sound(&rig);
}

static void merges_keep_shared_extents(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, 8192, 1), 0);
    assert_int_equal(rig_write(&rig, a, EXTENT_BYTES, 8192, 2), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, NULL), 0);
    copy(a, 0, b, 0, 2 * EXTENT_BYTES); /* the parent's are shared */
    assert_int_equal(rig_write(&rig, a, 8192, 4096, 3), 0);
    assert_int_equal(rig_write(&rig, a, EXTENT_BYTES + 8192, 4096, 4), 0);
    struct volume *c = make("c");
    /* The child's too: a word that it has alone. */
    assert_int_equal(rig_write(&rig, a, 2 * EXTENT_BYTES, 4096, 5), 0);
    copy(a, 2 * EXTENT_BYTES, c, 0, EXTENT_BYTES);
    assert_int_equal(rig_snapshot_delete(&rig, "a/s", NULL), 0);
    rig_assert_sound(&rig);
    assert_true(rig_reads(&rig, a, 0, 8192, 1));
    assert_true(rig_reads(&rig, a, 8192, 4096, 3));
    assert_true(rig_reads(&rig, a, EXTENT_BYTES, 8192, 2));
    assert_true(rig_reads(&rig, a, EXTENT_BYTES + 8192, 4096, 4));
    assert_true(rig_reads(&rig, b, 0, 8192, 1));
    assert_true(rig_reads(&rig, b, 8192, EXTENT_BYTES - 8192, 0));
    assert_true(rig_reads(&rig, c, 0, 4096, 5));
    assert_int_equal(pool_rig_delete_volume(&rig, "b", NULL), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "c", NULL), 0);
    rig_assert_sound(&rig);
}

/* As if a volume that is not there any more named the extent too. */
static void share_word_of(struct pool_rig *r, struct layer *layer)
{
    struct leaf *leaf = NULL;
    assert_int_equal(layer_leaf_own(layer, 0, &leaf), 0);
    assert_non_null(leaf);
    map_word w = atomic_fetch_or(leaf_cell(leaf, 0), WORD_SHARED);
    round_mark_word(r->pool, leaf, 0);
    assert_int_equal(share_add(r->pool, word_place(w), 1, 1, 0), 0);
    assert_true(space_share(layer, 1));
}

static void share_all_words(struct pool_rig *r, void *arg)
{
    for (struct layer *l = volume_top(arg); l != NULL; l = layer_parent(l))
        share_word_of(r, l);
}

/* No copy leaves such a pair behind; a merge must not write into either all the same. */
static void a_merge_of_two_shared_extents_takes_a_third(void **state)
{
    (void)state;
    struct pool_check_report report;
    struct volume *a = make("a");
    assert_int_equal(rig_write(&rig, a, 0, 8192, 1), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, NULL), 0);
    assert_int_equal(rig_write(&rig, a, 8192, 4096, 2), 0);
    pool_rig_at_home(&rig, share_all_words, a);
    assert_int_equal(rig_flush(&rig, a), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "a/s", NULL), 0);
    pool_rig_settle(&rig);
    assert_true(rig_reads(&rig, a, 0, 8192, 1));
    assert_true(rig_reads(&rig, a, 8192, 4096, 2));
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.named_extents, 1);
    assert_int_equal(report.leaked_extents, 2); /* whose others are not there */
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
}

static void a_power_cut_keeps_counts_and_words_together(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    copy(a, 0, b, 0, MIB);
    assert_int_equal(rig_flush(&rig, b), 0);
    assert_int_equal(rig_write(&rig, a, 0, MIB / 2, 2), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    a = volume_find(rig.manager, "a");
    b = volume_find(rig.manager, "b");
    assert_true(rig_reads(&rig, a, 0, MIB / 2, 2));
    assert_true(rig_reads(&rig, a, MIB / 2, MIB / 2, 1));
    assert_true(rig_reads(&rig, b, 0, MIB, 1));
    rig_assert_sound(&rig);
}

static void a_copy_waits_for_a_snapshot_and_the_other_way_round(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    for (int i = 0; i < 8; i++) {
        static const char *const both[] = {"b", "a"};
        struct copying c;
        char name[] = "s0";
        name[1] = (char)('0' + i);
        begin(&c, i % 2 == 0 ? a : b, 0, i % 2 == 0 ? b : a, 0, MIB);
        assert_int_equal(rig_snapshot_all(&rig, both, 2, name, NULL, NULL), 0);
        pool_rig_until(&rig, copying_ended, &c);
        assert_int_equal(c.rc, 0);
    }
    assert_true(rig_reads(&rig, a, 0, MIB, 1));
    assert_true(rig_reads(&rig, b, 0, MIB, 1));
    rig_assert_sound(&rig);
}

static void what_does_not_fit_any_more_is_refused(void **state)
{
    (void)state;
    struct copying c;
    struct volume *a = make("a"), *b = make("b");
    begin(&c, a, 0, b, VOLUME_BYTES - EXTENT_BYTES, 2 * EXTENT_BYTES);
    pool_rig_until(&rig, copying_ended, &c);
    assert_int_equal(c.rc, -ERANGE);
    assert_int_equal(c.copy.copied_bytes, 0);
}

/* ---- Beside writers ---------------------------------------------------------------- */

static struct vio_load *load_start(unsigned lane, struct volume *v, struct oracle *o)
{
    struct load_options options = {
        .rig = &rig,
        .lane = lane,
        .volume = v,
        .oracle = o,
        .seed = 40 + lane,
        .count = UINT32_MAX,
        .depth = 4,
        .region_bytes = VOLUME_BYTES,
        .align_bytes = 512,
        .bytes_max = 2 * EXTENT_BYTES,
        .mix = {.read = 30, .write = 50, .unmap = 10, .zero = 5, .flush = 5}};
    return vio_load_start(&options);
}

/* c and d get what a and b had at some time; what is written later to a and b must not be
 * seen there: copied twice, they are the same as long as nobody writes them. */
static void writers_beside_a_copy_change_no_copy(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    struct pool_rig_options o = {.engine = RIG_CUT,
                                 .lane_count = 3,
                                 .threads = true,
                                 .pool_bytes = 64 * MIB,
                                 .tick_ms = 5,
                                 .seed = 9};
    pool_rig_create(&rig, &o);
    static uint8_t first[VOLUME_BYTES], later[VOLUME_BYTES];
    struct volume *v[2] = {make("a"), make("b")}, *c = make("c");
    struct oracle *oracles[2];
    struct vio_load *loads[2];
    for (unsigned i = 0; i < 2; i++) {
        oracles[i] = oracle_create(VOLUME_BYTES);
        loads[i] = load_start(i + 1, v[i], oracles[i]);
    }
    for (unsigned n = 0; n < rig_times(12); n++) {
        copy(v[n % 2], 0, c, 0, VOLUME_BYTES);
        assert_int_equal(rig_io_run(&rig, 0, c, VIO_READ, 0, VOLUME_BYTES, first), 0);
        usleep(20000);
        assert_int_equal(rig_io_run(&rig, 0, c, VIO_READ, 0, VOLUME_BYTES, later), 0);
        assert_memory_equal(first, later, VOLUME_BYTES);
        assert_null(oracle_offence(oracles[0]));
        assert_null(oracle_offence(oracles[1]));
    }
    assert_int_equal(vio_loads_stop(&rig, loads, 2), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(oracle_verify(oracles[i], &rig, v[i], NULL));
        oracle_destroy(oracles[i]);
    }
    rig_assert_sound(&rig);
}

#define COPY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COPY_TEST(a_copy_takes_no_space),
        COPY_TEST(a_write_to_either_side_leaves_the_other),
        COPY_TEST(an_extent_is_free_when_its_last_word_has_gone),
        COPY_TEST(what_lies_in_two_layers_is_moved),
        COPY_TEST(a_shared_part_hides_what_lies_below),
        COPY_TEST(merges_keep_shared_extents),
        COPY_TEST(a_merge_of_two_shared_extents_takes_a_third),
        COPY_TEST(a_power_cut_keeps_counts_and_words_together),
        COPY_TEST(a_copy_waits_for_a_snapshot_and_the_other_way_round),
        COPY_TEST(what_does_not_fit_any_more_is_refused),
        COPY_TEST(writers_beside_a_copy_change_no_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
