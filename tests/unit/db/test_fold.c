/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is folded, rolled back, reopened or fails in between: the map reads as the
 * rounds that were committed, and each reader's as of its own moment. */
#include "map_model.h"
#include "rows_rig.h"

#include "db/fold.h"
#include "db/limits.h"
#include "db/overlay.h"
#include "db/rows_delta.h"
#include "fault_vfs.h"

#include <errno.h>

/* ---- Against a model ----------------------------------------------------------------
 */

static void model_round(struct rig *r, struct map_model *m)
{
    struct word_change words[MODEL_CHANGES_MAX];
    struct round_changes round = {.words = words,
                                  .word_count = model_random_round(m, words)};
    assert_int_equal(txn_exec(&r->txn, "BEGIN IMMEDIATE", NULL), 0);
    uint64_t first_delta = overlay_next_id(r->txn.overlay);
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    if (model_random(m) % 4 == 0) {
        txn_rollback(&r->txn);
        overlay_forget_from(r->txn.overlay, first_delta);
        return;
    }
    model_apply(m, words, round.word_count);
    assert_true(model_is(m, &r->txn)); /* its own changes are seen before the commit */
    assert_int_equal(txn_exec(&r->txn, "COMMIT", NULL), 0);
}

/* Begins one, or goes a step further in the one that is under way. */
static void fold_turn(struct rig *r, struct fold *f)
{
    if (!fold_is_under_way(f))
        fold_begin(f, &r->txn);
    if (fold_is_under_way(f))
        assert_int_equal(fold_step(f, &r->txn, NULL), 0);
}

/* Ends the one that is under way. */
static void fold_finish(struct rig *r, struct fold *f)
{
    while (fold_is_under_way(f))
        assert_int_equal(fold_step(f, &r->txn, NULL), 0);
}

/* A layer that has no words left goes; its number's words are then nobody's. */
static void model_drop_layer(struct rig *r, struct map_model *m)
{
    size_t i = model_random(m) % MODEL_LAYERS;
    if (m->layers[i] == 0)
        return;
    struct word_change words[LEAF_WORDS * MODEL_LEAVES];
    struct round_changes round = {.words = words, .word_count = model_zeros(m, i, words)};
    int want = round.word_count > 0 ? -EBUSY : 0;
    if (want != 0)
        assert_int_equal(layer_row_remove(&r->txn, m->layers[i], NULL), want);
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_int_equal(layer_row_remove(&r->txn, m->layers[i], NULL), 0);
    model_remove_layer(m, i);
    m->layers[i] = add_layer(r, 0);
}

/* A reader's connection, its snapshot, and the map as it was when that began. */
struct snapshot {
    struct catalog_txn txn;
    struct map_model model;
    bool is_open;
};

static void snapshot_begin(struct rig *r, struct snapshot *s, const struct map_model *m)
{
    int64_t ignored;
    s->txn.overlay = r->txn.overlay;
    s->model = *m;
    assert_int_equal(txn_exec(&s->txn, "BEGIN", NULL), 0);
    assert_int_equal(txn_query_int(&s->txn, "SELECT count(*) FROM pool", &ignored, NULL),
                     0);
    s->is_open = true;
}

static void snapshot_end(struct snapshot *s)
{
    txn_rollback(&s->txn);
    overlay_destroy(TAKE(s->txn.own_overlay));
    s->is_open = false;
}

/* Opens one, looks at it, or ends it. */
static void snapshot_turn(struct rig *r, struct snapshot *s, struct map_model *m)
{
    if (!s->is_open)
        snapshot_begin(r, s, m);
    else if (model_random(m) % 3 == 0)
        snapshot_end(s);
    if (s->is_open)
        assert_true(model_is(&s->model, &s->txn));
}

static void open_again(struct rig *r, struct fold *f)
{
    overlay_destroy(r->txn.overlay);
    txn_close(&r->txn);
    struct overlay *o = NULL;
    assert_int_equal(txn_open_writer(&r->txn, rig_path(r, "catalog.db"), NULL, NULL), 0);
    assert_int_equal(overlay_create(&o), 0);
    r->txn.overlay = o;
    assert_int_equal(delta_rows_load(&r->txn, o, NULL), 0);
    assert_int_equal(txn_set_durable(&r->txn, false, NULL), 0);
    *f = (struct fold){.through = 0};
}

static void open_all_again(struct rig *r, struct fold *f, struct snapshot *snapshots,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snapshot_end(&snapshots[i]);
        txn_close(&snapshots[i].txn);
    }
    open_again(r, f);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            txn_open_reader(&snapshots[i].txn, rig_path(r, "catalog.db"), NULL), 0);
}

/* Nothing here waits for the disk but where it is said to. */
static void add_layers(struct rig *r, struct map_model *m)
{
    assert_int_equal(txn_set_durable(&r->txn, false, NULL), 0);
    add_pool(r, "p1", "fast");
    for (size_t i = 0; i < MODEL_LAYERS; i++)
        m->layers[i] = add_layer(r, 0);
}

static void everyone_sees_the_rounds_of_their_moment(void **state)
{
    enum { SNAPSHOTS = 3, TURNS = 1200 };
    struct rig *r = *state;
    static struct snapshot snapshots[SNAPSHOTS];
    static struct map_model m;
    struct fold f = {.through = 0};
    model_init(&m, 1);
    add_layers(r, &m);
    for (size_t i = 0; i < SNAPSHOTS; i++)
        assert_int_equal(
            txn_open_reader(&snapshots[i].txn, rig_path(r, "catalog.db"), NULL), 0);
    for (int turn = 0; turn < TURNS; turn++) {
        uint64_t dice = model_random(&m) % 100;
        if (dice < 40)
            model_round(r, &m);
        else if (dice < 58)
            fold_turn(r, &f);
        else if (dice < 60)
            fold_finish(r, &f);
        else if (dice < 90)
            snapshot_turn(r, &snapshots[dice % SNAPSHOTS], &m);
        else if (dice < 97)
            assert_true(model_is(&m, &r->txn));
        else if (dice < 98)
            model_drop_layer(r, &m);
        else
            open_all_again(r, &f, snapshots, SNAPSHOTS);
    }
    assert_true(model_is(&m, &r->txn));
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        snapshot_end(&snapshots[i]);
        txn_close(&snapshots[i].txn);
    }
}

/* ---- What a fold leaves --------------------------------------------------------------
 */

static int64_t query(struct rig *r, const char *sql)
{
    int64_t value = -1;
    assert_int_equal(txn_query_int(&r->txn, sql, &value, NULL), 0);
    return value;
}

static void a_fold_leaves_leaf_rows_alone(void **state)
{
    struct rig *r = *state;
    static struct map_model m;
    model_init(&m, 2);
    add_layers(r, &m);
    for (int i = 0; i < 200; i++)
        model_round(r, &m);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), 0);
    assert_true(query(r, "SELECT count(*) FROM delta") > 100);
    fold_all(r);
    assert_int_equal(query(r, "SELECT count(*) FROM delta"), 0);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), model_leaf_count(&m));
    assert_int_equal(overlay_bytes(r->txn.overlay), 0);
    assert_true(model_is(&m, &r->txn));
}

static void a_layer_that_is_gone_leaves_no_rows(void **state)
{
    struct rig *r = *state;
    static struct map_model m;
    model_init(&m, 3);
    add_layers(r, &m);
    for (int i = 0; i < 20; i++)
        model_round(r, &m);
    fold_all(r);
    for (size_t i = 0; i < MODEL_LAYERS; i++) {
        struct word_change words[LEAF_WORDS * MODEL_LEAVES];
        struct round_changes round = {.words = words,
                                      .word_count = model_zeros(&m, i, words)};
        assert_int_equal(round_store(&r->txn, &round, NULL), 0);
        assert_int_equal(layer_row_remove(&r->txn, m.layers[i], NULL), 0);
    }
    assert_true(query(r, "SELECT count(*) FROM leaf") > 0);
    fold_all(r);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), 0);
    assert_int_equal(query(r, "SELECT count(*) FROM delta"), 0);
}

static void a_large_round_takes_several_rows(void **state)
{
    enum { WORDS = 40000 };
    struct rig *r = *state;
    static struct word_change words[WORDS];
    static struct map_model m;
    model_init(&m, 4);
    add_layers(r, &m);
    for (size_t i = 0; i < WORDS; i++)
        words[i] =
            (struct word_change){extent_key(m.layers[0], (uint32_t)(i * 300)), i + 1};
    struct round_changes round = {.words = words, .word_count = WORDS};
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    assert_in_range(query(r, "SELECT count(*) FROM delta"), 8, 9);
    assert_true(query(r, "SELECT max(length(words)) FROM delta") <= DELTA_BLOB_MAX);
    for (size_t i = 0; i < WORDS; i += 997) {
        uint64_t leaf[LEAF_WORDS];
        assert_int_equal(leaf_load(&r->txn, leaf_key_of(words[i].key), leaf, NULL), 0);
        assert_int_equal(leaf[words[i].key % LEAF_WORDS], i + 1);
    }
}

static void a_damaged_leaf_holds_no_other_back(void **state)
{
    struct rig *r = *state;
    static struct map_model m;
    model_init(&m, 5);
    add_layers(r, &m);
    struct word_change words[] = {{extent_key(m.layers[0], 0), 1},
                                  {extent_key(m.layers[0], 256), 2}};
    struct round_changes round = {.words = words, .word_count = 2};
    uint64_t leaf[LEAF_WORDS];
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    fold_all(r);
    assert_int_equal(txn_exec(&r->txn,
                              "UPDATE leaf SET words = x'0100ff00000000'"
                              " WHERE key = (SELECT min(key) FROM leaf)",
                              NULL),
                     0);
    words[0].word = 3;
    words[1].word = 4;
    assert_int_equal(round_store(&r->txn, &round, NULL), 0);
    fold_all(r);
    assert_int_equal(query(r, "SELECT count(*) FROM delta"), 0);
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(words[0].key), leaf, NULL), -EUCLEAN);
    assert_int_equal(leaf_load(&r->txn, leaf_key_of(words[1].key), leaf, NULL), 0);
    assert_int_equal(leaf[0], 4);
}

/* ---- Past the bound ------------------------------------------------------------------
 */

/* All words of `count` leaves from leaf `first` on, with no runs among them; the first
 * word of each leaf is `word`. */
static int store_wide(struct rig *r, uint32_t layer, uint32_t first, uint32_t count,
                      uint64_t word)
{
    size_t word_count = (size_t)count * LEAF_WORDS;
    AUTO_FREE struct word_change *words = calloc(word_count, sizeof(*words));
    assert_non_null(words);
    for (uint32_t i = 0; i < word_count; i++)
        words[i] = (struct word_change){
            extent_key(layer, first * LEAF_WORDS + i),
            i % LEAF_WORDS == 0 ? word : i * UINT64_C(0x9e3779b97f4a7c15) | 1};
    struct round_changes round = {.words = words, .word_count = word_count};
    return round_store(&r->txn, &round, NULL);
}

static uint64_t word_at(struct rig *r, uint32_t layer, uint32_t leaf_index)
{
    uint64_t words[LEAF_WORDS];
    uint64_t key = leaf_key_of(extent_key(layer, 0)) + leaf_index;
    assert_int_equal(leaf_load(&r->txn, key, words, NULL), 0);
    return words[0];
}

static void past_the_bound_new_leaves_are_stored_at_once(void **state)
{
    enum { WIDE = 1000 };
    struct rig *r = *state;
    static struct map_model m;
    model_init(&m, 6);
    add_layers(r, &m);
    assert_int_equal(txn_exec(&r->txn, "BEGIN", NULL), 0);
    for (uint64_t word = 1; overlay_bytes(r->txn.overlay) < OVERLAY_BYTES_MAX; word++)
        assert_int_equal(store_wide(r, m.layers[0], 0, WIDE, word), 0);
    size_t bytes = overlay_bytes(r->txn.overlay);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), 0);
    /* The last ten have deltas, the others do not. */
    assert_int_equal(store_wide(r, m.layers[0], WIDE - 10, 1000, 77), 0);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), 990);
    assert_true(overlay_bytes(r->txn.overlay) < bytes + 40000);
    for (uint32_t i = WIDE - 10; i < WIDE + 990; i += 9)
        assert_int_equal(word_at(r, m.layers[0], i), 77);
    assert_int_equal(txn_exec(&r->txn, "COMMIT", NULL), 0);
    fold_all(r);
    assert_int_equal(query(r, "SELECT count(*) FROM leaf"), WIDE + 990);
    for (uint32_t i = WIDE - 10; i < WIDE + 990; i += 9)
        assert_int_equal(word_at(r, m.layers[0], i), 77);
}

static void what_waits_to_be_folded_is_bounded(void **state)
{
    enum { WIDE = 1000 };
    struct rig *r = *state;
    static struct map_model m;
    model_init(&m, 7);
    add_layers(r, &m);
    assert_int_equal(txn_exec(&r->txn, "BEGIN", NULL), 0);
    int rc = 0;
    uint64_t word = 1;
    for (; rc == 0; word++) {
        rc = store_wide(r, m.layers[0], 0, WIDE, word);
        assert_true(overlay_bytes(r->txn.overlay) < 2 * OVERLAY_BYTES_MAX + WIDE * 2200);
    }
    assert_int_equal(rc, -ENOBUFS);
    assert_int_equal(word_at(r, m.layers[0], 5), word - 2);
}

/* ---- Failures ------------------------------------------------------------------------
 */

/* As the writer does: all of it or nothing, in memory too. */
static int try_round(struct rig *r, struct map_model *m)
{
    struct word_change words[MODEL_CHANGES_MAX];
    struct round_changes round = {.words = words,
                                  .word_count = model_random_round(m, words)};
    uint64_t first_delta = overlay_next_id(r->txn.overlay);
    int rc = txn_set_durable(&r->txn, true, NULL);
    if (rc == 0)
        rc = txn_exec(&r->txn, "BEGIN IMMEDIATE", NULL);
    if (rc == 0)
        rc = round_store(&r->txn, &round, NULL);
    if (rc == 0)
        rc = txn_exec(&r->txn, "COMMIT", NULL);
    if (rc == 0) {
        model_apply(m, words, round.word_count);
    } else {
        txn_rollback(&r->txn);
        overlay_forget_from(r->txn.overlay, first_delta);
    }
    return rc;
}

static int try_fold(struct rig *r, struct fold *f)
{
    int rc = 0;
    fold_begin(f, &r->txn);
    while (rc == 0 && fold_is_under_way(f))
        rc = fold_step(f, &r->txn, NULL);
    return rc;
}

/* true: the nth operation was reached, and failed. */
static bool fold_and_round_failing(struct rig *r, struct map_model *m, struct fold *f,
                                   int kinds, int nth)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(try_round(r, m), 0);
    fault_vfs_arm(kinds, nth, 1, SQLITE_IOERR_WRITE);
    int rc = try_fold(r, f);
    if (rc == 0)
        rc = try_round(r, m);
    if (rc == 0)
        rc = try_fold(r, f);
    fault_vfs_disarm();
    assert_int_equal(rc != 0, fault_vfs_failed());
    assert_true(model_is(m, &r->txn));
    assert_int_equal(try_round(r, m), 0); /* the log goes over what failed */
    open_again(r, f);
    assert_true(model_is(m, &r->txn));
    return rc != 0;
}

static void failing_each_operation(struct rig *r, int kinds)
{
    static struct map_model m;
    struct fold f = {.through = 0};
    int nth = 0;
    model_init(&m, 8);
    add_layers(r, &m);
    while (fold_and_round_failing(r, &m, &f, kinds, nth))
        nth++;
    assert_true(nth > 0);
}

static void a_write_that_fails_changes_nothing(void **state)
{
    failing_each_operation(*state, FAULT_WRITE);
}

static void a_sync_that_fails_changes_nothing(void **state)
{
    failing_each_operation(*state, FAULT_SYNC);
}

/* The same with each log cut off where a crash would have cut it: the copy is opened. */
static void a_crash_between_any_two_steps_loses_nothing(void **state)
{
    struct rig *r = *state;
    static struct map_model m;
    struct fold f = {.through = 0};
    model_init(&m, 9);
    add_layers(r, &m);
    for (int i = 0; i < 100; i++)
        assert_int_equal(try_round(r, &m), 0);
    fold_begin(&f, &r->txn);
    for (int step = 0; fold_is_under_way(&f); step++) {
        void *other_state = NULL;
        rig_setup(&other_state);
        struct rig *other = other_state;
        rig_copy_file(r, "catalog.db", other->dir);
        rig_copy_file(r, "catalog.db-wal", other->dir);
        struct fold fresh;
        assert_int_equal(
            txn_open_writer(&other->txn, rig_path(other, "catalog.db"), NULL, NULL), 0);
        open_again(other, &fresh);
        bool same = model_is(&m, &other->txn);
        fold_all(other);
        same = same && model_is(&m, &other->txn);
        rig_teardown(&other_state);
        assert_true(same);
        assert_int_equal(fold_step(&f, &r->txn, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(everyone_sees_the_rounds_of_their_moment),
        ROW_TEST(a_fold_leaves_leaf_rows_alone),
        ROW_TEST(a_layer_that_is_gone_leaves_no_rows),
        ROW_TEST(a_large_round_takes_several_rows),
        ROW_TEST(a_damaged_leaf_holds_no_other_back),
        ROW_TEST(past_the_bound_new_leaves_are_stored_at_once),
        ROW_TEST(what_waits_to_be_folded_is_bounded),
        ROW_TEST(a_write_that_fails_changes_nothing),
        ROW_TEST(a_sync_that_fails_changes_nothing),
        ROW_TEST(a_crash_between_any_two_steps_loses_nothing),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
