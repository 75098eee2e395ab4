/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what is there and of what differs, held against what the two points read as:
 * nothing that differs is missed, and nothing is told that was not written. */
#include "tests/lib/random.h"
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/snapshot_rig.h"

#include "lunmgr/copy.h"
#include "lunmgr/diff.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_MIB   16
#define RANGES_MAX 20000
#define WHOLE      ((struct diff_spec){.length_bytes = DIFF_LENGTH_ALL})
#define FROM(name) ((struct diff_spec){.from = (name), .length_bytes = DIFF_LENGTH_ALL})

/* ---- One list ---------------------------------------------------------------------- */

struct list {
    struct diff *diff;
    struct diff_range ranges[RANGES_MAX];
    size_t count;
    unsigned slices;
    uint64_t size_bytes;
    bool came, is_whole;
    struct err err;
};

static struct list list; /* the last */

static void on_slice(void *arg, const struct diff_slice *slice, const struct err *e)
{
    struct list *l = arg;
    l->came = true;
    if (e != NULL) {
        l->err = *e;
        return;
    }
    assert_true(l->count + slice->count <= RANGES_MAX);
    if (slice->count > 0)
        memcpy(l->ranges + l->count, slice->ranges,
               slice->count * sizeof(slice->ranges[0]));
    l->count += slice->count;
    l->slices++;
    l->is_whole = slice->is_last;
    l->size_bytes = slice->size_bytes;
}

static bool slice_came(void *arg)
{
    return ((struct list *)arg)->came;
}

static int list_begin(struct volume *of, struct diff_spec spec)
{
    list.count = list.slices = 0;
    list.is_whole = false;
    list.err = (struct err){.code = 0};
    return diff_create(rig.manager, of, &spec, on_slice, &list, &list.diff, &list.err);
}

/* The next slice; false: no more comes. */
static bool list_go_on(void)
{
    list.came = false;
    diff_next(list.diff);
    pool_rig_until(&rig, slice_came, &list);
    return list.err.code == 0 && !list.is_whole;
}

/* In order, of whole blocks, joined where they touch. */
static void assert_orderly(void)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct diff_range *r = &list.ranges[i], *before = r - 1;
        assert_true(r->length_bytes > 0);
        assert_int_equal(r->offset_bytes % BLOCK_BYTES, 0);
        assert_int_equal(r->length_bytes % BLOCK_BYTES, 0);
        if (i == 0)
            continue;
        uint64_t end = before->offset_bytes + before->length_bytes;
        assert_true(end < r->offset_bytes ||
                    (end == r->offset_bytes && r->is_zero != before->is_zero));
    }
}

/* All of it: 0, or the error's code. */
static int list_take(struct volume *of, struct diff_spec spec)
{
    int rc = list_begin(of, spec);
    if (rc != 0)
        return rc;
    while (list_go_on())
        ;
    diff_destroy(list.diff);
    if (list.err.code == 0)
        assert_orderly();
    return list.err.code;
}

static struct diff_range data(uint64_t offset_bytes, uint64_t length_bytes)
{
    return (struct diff_range){offset_bytes, length_bytes, false};
}

static struct diff_range zero(uint64_t offset_bytes, uint64_t length_bytes)
{
    return (struct diff_range){offset_bytes, length_bytes, true};
}

static void assert_ranges(const struct diff_range *want, size_t count)
{
    assert_int_equal(list.err.code, 0);
    assert_true(list.is_whole);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list.ranges[i].offset_bytes, want[i].offset_bytes);
        assert_int_equal(list.ranges[i].length_bytes, want[i].length_bytes);
        assert_int_equal(list.ranges[i].is_zero, want[i].is_zero);
    }
}

#define ASSERT_LIST(of, spec, ...)                                                       \
    do {                                                                                 \
        const struct diff_range want[] = {__VA_ARGS__};                                  \
        assert_int_equal(list_take(of, spec), 0);                                        \
        assert_ranges(want, ARRAY_LEN(want));                                            \
    } while (0)

static void assert_none(struct volume *of, struct diff_spec spec)
{
    assert_int_equal(list_take(of, spec), 0);
    assert_ranges(NULL, 0);
}

static void write_blocks(struct volume *v, uint64_t first, uint64_t count, uint8_t fill)
{
    assert_int_equal(rig_write(&rig, v, first * BLOCK_BYTES, count * BLOCK_BYTES, fill),
                     0);
}

static void unmap(struct volume *v, uint64_t offset_bytes, uint64_t bytes)
{
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, offset_bytes, bytes, NULL), 0);
}

/* ---- By hand ----------------------------------------------------------------------- */

static void what_is_there_is_told_to_the_block(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_none(v, WHOLE);
    write_blocks(v, 3, 1, 1);
    write_blocks(v, 14, 4, 1); /* over an extent's end */
    ASSERT_LIST(v, WHOLE, data(3 * 4096, 4096), data(14 * 4096, 4 * 4096));
    assert_int_equal(list.size_bytes, VOLUME_MIB * MIB);
    struct volume *s = snap("v", "s");
    write_blocks(v, 4, 1, 2);
    ASSERT_LIST(v, WHOLE, data(3 * 4096, 2 * 4096), data(14 * 4096, 4 * 4096));
    ASSERT_LIST(s, WHOLE, data(3 * 4096, 4096), data(14 * 4096, 4 * 4096));
}

static void holes_are_told_if_asked_for(void **state)
{
    struct diff_spec spec = {.zeros = true, .length_bytes = DIFF_LENGTH_ALL};
    uint64_t all = VOLUME_MIB * MIB;
    (void)state;
    struct volume *v = make("v");
    ASSERT_LIST(v, spec, zero(0, all));
    write_blocks(v, 3, 1, 1);
    ASSERT_LIST(v, spec, zero(0, 3 * 4096), data(3 * 4096, 4096),
                zero(4 * 4096, all - 4 * 4096));
}

static void bounds_cut_the_list(void **state)
{
    struct diff_spec spec = {.offset_bytes = 2 * 4096 + 1, .length_bytes = 4096};
    (void)state;
    struct volume *v = make("v");
    write_blocks(v, 0, 16, 1);
    ASSERT_LIST(v, spec, data(2 * 4096, 2 * 4096)); /* widened to whole blocks */
    spec.offset_bytes = 15 * 4096;
    spec.length_bytes = DIFF_LENGTH_ALL;
    ASSERT_LIST(v, spec, data(15 * 4096, 4096));
    spec.offset_bytes = VOLUME_MIB * MIB;
    assert_none(v, spec);
    spec.offset_bytes = UINT64_MAX;
    assert_none(v, spec);
    spec.offset_bytes = 0;
    spec.length_bytes = 0;
    assert_none(v, spec);
}

static void a_difference_goes_either_way(void **state)
{
    (void)state;
    struct volume *v = make("v");
    write_blocks(v, 0, 16, 1);
    write_blocks(v, 32, 2, 1);
    struct volume *a = snap("v", "a");
    write_blocks(v, 1, 1, 2);
    write_blocks(v, 40, 1, 2);
    unmap(v, 2 * EXTENT_BYTES, EXTENT_BYTES); /* blocks 32 to 47 */
    struct volume *b = snap("v", "b");
    write_blocks(v, 5, 1, 3);
    ASSERT_LIST(b, FROM("a"), data(4096, 4096), zero(32 * 4096, 2 * 4096));
    ASSERT_LIST(a, FROM("b"), data(4096, 4096), data(32 * 4096, 2 * 4096));
    ASSERT_LIST(v, FROM("b"), data(5 * 4096, 4096));
    ASSERT_LIST(v, FROM("v/a"), data(4096, 4096), data(5 * 4096, 4096),
                zero(32 * 4096, 2 * 4096));
    ASSERT_LIST(b, FROM(volume_id(v)), data(5 * 4096, 4096));
    ASSERT_LIST(b, FROM("v"), data(5 * 4096, 4096));
    assert_none(a, FROM("a"));
    assert_none(v, FROM(volume_id(v)));
}

/* Back at what it was, a volume differs from what it left, not from where it went. */
static void a_volume_that_was_rolled_back_is_compared_by_content(void **state)
{
    (void)state;
    struct volume *v = make("v");
    write_blocks(v, 0, 4, 1);
    snap("v", "a");
    write_blocks(v, 2, 4, 2);
    snap("v", "b");
    assert_int_equal(rig_rollback(&rig, "v", "a", "kept", NULL), 0);
    assert_none(v, FROM("a"));
    ASSERT_LIST(v, FROM("b"), data(2 * 4096, 2 * 4096), zero(4 * 4096, 2 * 4096));
    assert_none(snapshot_find(rig.manager, "v/kept"), FROM("b"));
}

static void a_clone_is_compared_with_its_origin(void **state)
{
    struct volume *c = NULL;
    (void)state;
    struct volume *v = make("v"), *other = make("other");
    write_blocks(v, 0, 4, 1);
    write_blocks(other, 0, 4, 1);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, &c, NULL), 0);
    write_blocks(c, 1, 1, 2);
    write_blocks(v, 3, 1, 2);
    ASSERT_LIST(c, FROM("v/s"), data(4096, 4096));
    ASSERT_LIST(c, FROM("v"), data(4096, 4096), data(3 * 4096, 4096));
    ASSERT_LIST(s, FROM("c"), data(4096, 4096));
    assert_int_equal(list_take(c, FROM("other")), -EINVAL);
    assert_string_equal(list.err.field, "from");
    assert_int_equal(list_take(c, FROM("nix")), -ENOENT);
    assert_string_equal(list.err.field, "from");
}

/* Of what lies beyond the end of the other one nothing is known: all is told. */
static void a_grown_tail_is_told_whole(void **state)
{
    const uint64_t end = VOLUME_MIB * MIB;
    struct volume_change grow = {.size_bytes = 2 * end};
    (void)state;
    struct volume *v = make("v");
    write_blocks(v, 0, 1, 1);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_int_equal(rig_write(&rig, v, end + 4096, 4096, 1), 0);
    ASSERT_LIST(v, FROM("s"), zero(end, 4096), data(end + 4096, 4096),
                zero(end + 8192, end - 8192));
    assert_none(s, FROM("v"));
    struct diff_spec from_s = {
        .from = "s", .offset_bytes = end + 4096, .length_bytes = 2 * 4096};
    ASSERT_LIST(v, from_s, data(end + 4096, 4096), zero(end + 8192, 4096));
}

/* What a shrink cut off does not come back from the layers that it shares. */
static void a_shrunk_point_ends_where_it_ends(void **state)
{
    struct volume_change shrink = {.size_bytes = MIB, .allow_data_loss = true};
    struct volume *c = NULL;
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, 2 * MIB, 1), 0);
    snap("v", "large");
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    struct volume *small = snap("v", "small");
    assert_none(small, FROM("large"));
    assert_int_equal(rig_clone(&rig, "v/large", "c", 0, &c, NULL), 0);
    ASSERT_LIST(c, FROM("v/small"), data(MIB, MIB), zero(2 * MIB, 2 * MIB));
}

/* A word that a copy has made names the extent that the snapshot shows already. */
static void what_a_copy_shares_does_not_differ(void **state)
{
    (void)state;
    struct volume *v = make("v");
    write_blocks(v, 0, 16, 1);
    struct volume *s = snap("v", "s");
    write_blocks(v, 0, 16, 2);
    ASSERT_LIST(v, FROM("s"), data(0, 16 * 4096));
    struct copy c = {.from = s, .to = v, .length_bytes = EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &c), 0);
    assert_int_equal(c.shared_bytes, EXTENT_BYTES);
    assert_none(v, FROM("s"));
    assert_none(s, FROM("v"));
    write_blocks(v, 0, 1, 3);
    assert_int_equal(list_take(v, FROM("s")), 0);
    assert_int_equal(list.ranges[0].offset_bytes, 0);
}

/* 64 TiB: by what is there, not by its size. */
static void a_sparse_volume_costs_what_is_there(void **state)
{
    const uint64_t size = 64ULL << 40;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", size, 512);
    for (uint64_t i = 1; i <= 4; i++)
        assert_int_equal(rig_write(&rig, v, i * (size / 5) / 4096 * 4096, 4096, 1), 0);
    assert_int_equal(list_take(v, WHOLE), 0);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.slices, 1);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, size - 4096, 4096, 2), 0);
    ASSERT_LIST(v, FROM("s"), data(size - 4096, 4096));
    assert_int_equal(list.slices, 1);
}

/* ---- Between two slices ------------------------------------------------------------ */

#define SCATTERED 1200 /* more than a slice */

/* Every second block of a volume is written: some slices. */
static struct volume *scatter(const char *name)
{
    struct volume *v = pool_rig_volume(&rig, name, 2 * SCATTERED * 4096, 512);
    for (uint64_t i = 0; i < SCATTERED; i++)
        write_blocks(v, 2 * i, 1, 1);
    return v;
}

static void assert_scattered(void)
{
    assert_true(list.slices > 1);
    assert_int_equal(list.err.code, 0);
    assert_int_equal(list.count, SCATTERED);
    for (size_t i = 0; i < SCATTERED; i++)
        assert_int_equal(list.ranges[i].offset_bytes, 2 * i * 4096);
    assert_orderly();
}

static void a_long_list_comes_in_slices(void **state)
{
    (void)state;
    struct volume *v = scatter("v");
    assert_int_equal(list_take(v, WHOLE), 0);
    assert_scattered();
    assert_int_equal(list_begin(v, WHOLE), 0);
    assert_true(list_go_on());
    diff_destroy(list.diff);
    assert_int_equal(list_begin(v, WHOLE), 0);
    diff_next(list.diff);
    list.came = false;
    diff_destroy(list.diff); /* while it is asked for: nothing comes */
    pool_rig_settle(&rig);
    assert_false(list.came);
}

/* A slice is fetched, something happens, and the rest is asked for. */
static int list_across(struct volume *of, struct diff_spec spec, int (*event)(void))
{
    assert_int_equal(list_begin(of, spec), 0);
    assert_true(list_go_on());
    assert_int_equal(event(), 0);
    while (list_go_on())
        ;
    diff_destroy(list.diff);
    return list.err.code;
}

static int delete_s(void)
{
    return rig_snapshot_delete(&rig, "v/s", NULL);
}

static int delete_early(void)
{
    int rc = rig_snapshot_delete(&rig, "v/early", NULL);
    pool_rig_settle(&rig);
    return rc;
}

static int roll_back(void)
{
    static unsigned times;
    char kept[VOLUME_NAME_MAX];
    snprintf(kept, sizeof(kept), "kept%u", ++times);
    return rig_rollback(&rig, "v", "s", kept, NULL);
}

static int grow(void)
{
    struct volume_change change = {.size_bytes = 4 * SCATTERED * 4096};
    return rig_change(&rig, "v", &change, NULL);
}

static int rename_it(void)
{
    struct volume_change change = {.name = "w"};
    return rig_change(&rig, "v", &change, NULL);
}

static int snap_another(void)
{
    snap("v", "another");
    return 0;
}

static int trash_it(void)
{
    return rig_trash(&rig, "v", NULL);
}

static void a_point_that_goes_ends_the_list(void **state)
{
    (void)state;
    struct volume *v = scatter("v");
    struct volume *s = snap("v", "s");
    assert_int_equal(list_across(s, WHOLE, delete_s), -ENOENT);
    s = snap("v", "s");
    assert_int_equal(list_across(v, WHOLE, grow), -EBUSY);
    assert_int_equal(list_across(v, WHOLE, roll_back), -EBUSY);
    assert_int_equal(list_across(s, WHOLE, roll_back), 0);
    assert_scattered();
    assert_int_equal(list_across(s, WHOLE, trash_it), -ENOENT);
}

static void what_moves_words_alone_does_not_show(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 2 * SCATTERED * 4096, 512);
    snap("v", "s");
    for (uint64_t i = 0; i < SCATTERED; i++) {
        if (i == SCATTERED / 2)
            snap("v", "early");
        write_blocks(v, 2 * i, 1, 1);
    }
    assert_int_equal(list_across(v, FROM("s"), delete_early), 0);
    assert_scattered();
    assert_int_equal(list_across(v, FROM("s"), snap_another), 0);
    assert_scattered();
    assert_int_equal(list_across(v, FROM("s"), rename_it), 0);
    assert_scattered();
}

/* ---- Faults ------------------------------------------------------------------------ */

static int store_word(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct round_changes changes = {.words = arg, .word_count = 1};
    return round_store(txn, &changes, e);
}

/* In the middle of a list, after a slice that was sound. */
static void a_damaged_map_is_an_error(void **state)
{
    (void)state;
    struct volume *v = scatter("v");
    assert_int_equal(rig_flush(&rig, v), 0);
    struct word_change change = {
        .key = extent_key(v->top->id, 2 * SCATTERED / WORD_BLOCKS - 1), .word = 1};
    assert_int_equal(list_begin(v, WHOLE), 0);
    assert_true(list_go_on());
    assert_int_equal(catalog_write_wait(rig.catalog, store_word, &change, NULL), 0);
    while (list_go_on())
        ;
    assert_int_equal(list.err.code, -EUCLEAN);
    assert_non_null(strstr(list.err.text, "damaged"));
    diff_destroy(list.diff);
    change.word = 0;
    assert_int_equal(catalog_write_wait(rig.catalog, store_word, &change, NULL), 0);
}

/* ---- By chance --------------------------------------------------------------------- */

#define WINDOWS       3 /* a MiB at the begin of each of so many leaves */
#define WINDOW_BLOCKS (MIB / BLOCK_BYTES)
#define BLOCKS        (WINDOWS * WINDOW_BLOCKS)
#define POINTS_MAX    6
#define CHANCE_BYTES  (WINDOWS * LEAF_MIB * MIB)

struct chance {
    uint64_t random;
    unsigned made; /* names */
    uint64_t tag;
    struct volume *volumes[2];                /* and a clone; NULL: not yet */
    char points[POINTS_MAX][VOLUME_NAME_MAX]; /* snapshots of v; "": none */
    bool loose[BLOCKS / WORD_BLOCKS];         /* extents that a copy has touched */
};

static uint64_t block_bytes(uint64_t block)
{
    return block / WINDOW_BLOCKS * LEAF_MIB * MIB + block % WINDOW_BLOCKS * BLOCK_BYTES;
}

static struct volume *chance_volume(struct chance *c)
{
    unsigned i = (unsigned)draw(&c->random, 2);
    return c->volumes[i] == NULL ? c->volumes[0] : c->volumes[i];
}

/* A run of blocks inside a window. */
static uint64_t chance_run(struct chance *c, uint64_t *count)
{
    uint64_t first = draw(&c->random, BLOCKS);
    uint64_t room = WINDOW_BLOCKS - first % WINDOW_BLOCKS;
    *count = 1 + draw(&c->random, draw(&c->random, 2) == 0 ? 4 : 64);
    *count = *count < room ? *count : room;
    return first;
}

/* No two blocks ever hold the same, but for zeros. */
static void chance_write(struct chance *c)
{
    uint64_t count, first = chance_run(c, &count);
    AUTO_FREE uint64_t *words = calloc(count, BLOCK_BYTES);
    assert_non_null(words);
    for (uint64_t i = 0; i < count; i++)
        words[i * (BLOCK_BYTES / 8)] = ++c->tag;
    assert_int_equal(rig_io_run(&rig, 0, chance_volume(c), VIO_WRITE, block_bytes(first),
                                count * BLOCK_BYTES, (uint8_t *)words),
                     0);
}

static void chance_unmap(struct chance *c)
{
    uint64_t count, first = chance_run(c, &count);
    if (draw(&c->random, 2) == 0) { /* whole extents */
        first -= first % WORD_BLOCKS;
        count = WORD_BLOCKS;
    }
    unmap(chance_volume(c), block_bytes(first), count * BLOCK_BYTES);
}

static struct volume *chance_point(struct chance *c)
{
    unsigned i = (unsigned)draw(&c->random, POINTS_MAX + 2);
    char key[SNAPSHOT_KEY_MAX];
    if (i >= POINTS_MAX || c->points[i][0] == '\0')
        return chance_volume(c);
    snprintf(key, sizeof(key), "v/%s", c->points[i]);
    struct volume *s = snapshot_find(rig.manager, key);
    assert_non_null(s);
    return s;
}

/* To the same place, where it may be shared. */
static void chance_copy(struct chance *c)
{
    uint64_t extent = draw(&c->random, BLOCKS / WORD_BLOCKS);
    struct volume *from = chance_point(c), *to = chance_volume(c);
    struct copy copy = {.from = from, .to = to, .length_bytes = EXTENT_BYTES};
    copy.from_bytes = copy.to_bytes = block_bytes(extent * WORD_BLOCKS);
    if (from == to)
        return;
    c->loose[extent] = true;
    assert_int_equal(rig_copy(&rig, &copy), 0);
}

static void chance_snapshot(struct chance *c)
{
    unsigned i = (unsigned)draw(&c->random, POINTS_MAX);
    char key[SNAPSHOT_KEY_MAX];
    snprintf(key, sizeof(key), "v/%s", c->points[i]);
    if (c->points[i][0] != '\0')
        assert_int_equal(rig_snapshot_delete(&rig, key, NULL), 0);
    snprintf(c->points[i], sizeof(c->points[i]), "s%u", ++c->made);
    snap("v", c->points[i]);
}

static void chance_rollback(struct chance *c)
{
    unsigned i = (unsigned)draw(&c->random, POINTS_MAX);
    char kept[VOLUME_NAME_MAX], key[SNAPSHOT_KEY_MAX];
    if (c->points[i][0] == '\0')
        return;
    snprintf(kept, sizeof(kept), "k%u", ++c->made);
    snprintf(key, sizeof(key), "v/%s", kept);
    assert_int_equal(rig_rollback(&rig, "v", c->points[i], kept, NULL), 0);
    assert_int_equal(rig_snapshot_delete(&rig, key, NULL), 0);
}

static void chance_clone(struct chance *c)
{
    unsigned i = (unsigned)draw(&c->random, POINTS_MAX);
    char key[SNAPSHOT_KEY_MAX];
    if (c->points[i][0] == '\0')
        return;
    snprintf(key, sizeof(key), "v/%s", c->points[i]);
    if (c->volumes[1] != NULL)
        assert_int_equal(pool_rig_delete_volume(&rig, "c", NULL), 0);
    assert_int_equal(rig_clone(&rig, key, "c", 0, &c->volumes[1], NULL), 0);
}

static void chance_step(struct chance *c)
{
    unsigned what = (unsigned)draw(&c->random, 40);
    if (what < 22)
        chance_write(c);
    else if (what < 30)
        chance_unmap(c);
    else if (what < 34)
        chance_copy(c);
    else if (what < 37)
        chance_snapshot(c);
    else if (what < 39)
        chance_rollback(c);
    else
        chance_clone(c);
}

/* The tag of each block. */
static void read_tags(struct volume *v, uint64_t tags[BLOCKS])
{
    static uint8_t window[MIB];
    for (uint64_t i = 0; i < BLOCKS; i++) {
        if (i % WINDOW_BLOCKS == 0)
            assert_int_equal(
                rig_io_run(&rig, 0, v, VIO_READ, block_bytes(i), MIB, window), 0);
        memcpy(&tags[i], window + i % WINDOW_BLOCKS * BLOCK_BYTES, sizeof(tags[i]));
    }
}

enum told { TOLD_NOT, TOLD_DATA, TOLD_ZERO };

static enum told told_of(uint64_t offset_bytes)
{
    size_t low = 0, high = list.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct diff_range *r = &list.ranges[middle];
        if (offset_bytes < r->offset_bytes)
            high = middle;
        else if (offset_bytes >= r->offset_bytes + r->length_bytes)
            low = middle + 1;
        else
            return r->is_zero ? TOLD_ZERO : TOLD_DATA;
    }
    return TOLD_NOT;
}

/* from NULL: zeros everywhere. */
static void assert_told(const struct chance *c, struct volume *of, struct volume *from,
                        uint64_t begin, uint64_t end)
{
    static uint64_t now[BLOCKS], then[BLOCKS];
    read_tags(of, now);
    memset(then, 0, sizeof(then));
    if (from != NULL)
        read_tags(from, then);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        enum told told = told_of(block_bytes(i));
        enum told due = now[i] == then[i] ? TOLD_NOT
                        : now[i] == 0     ? TOLD_ZERO
                                          : TOLD_DATA;
        if (block_bytes(i) < begin || block_bytes(i) >= end)
            due = TOLD_NOT;
        /* A copy may move zeros, and writes what it shares no longer to another place. */
        if (c->loose[i / WORD_BLOCKS] && due != TOLD_DATA && told != TOLD_NOT &&
            (told == TOLD_DATA || now[i] == 0))
            continue;
        if (told != due)
            fail_msg("block %u is told as %d and not %d", (unsigned)i, told, due);
    }
}

static void chance_compare(struct chance *c)
{
    struct volume *of = chance_point(c);
    struct volume *from = draw(&c->random, 4) == 0 ? NULL : chance_point(c);
    struct diff_spec spec = {.from = from == NULL ? NULL : volume_id(from),
                             .length_bytes = DIFF_LENGTH_ALL};
    uint64_t begin = 0, end = CHANCE_BYTES;
    if (draw(&c->random, 3) == 0) {
        begin = block_bytes(draw(&c->random, BLOCKS));
        end = begin + (1 + draw(&c->random, 2 * BLOCKS)) * BLOCK_BYTES;
        spec.offset_bytes = begin;
        spec.length_bytes = end - begin;
    }
    assert_int_equal(list_take(of, spec), 0);
    assert_told(c, of, from, begin, end);
}

static void lists_are_what_reading_shows(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= rig_times(4); seed++) {
        struct chance c = {.random = seed * 0x9e3779b97f4a7c15ULL};
        c.volumes[0] = pool_rig_volume(&rig, "v", CHANCE_BYTES, 512);
        for (unsigned i = 0; i < 300; i++) {
            chance_step(&c);
            if (i % 3 == 0)
                chance_compare(&c);
        }
        if (c.volumes[1] != NULL)
            assert_int_equal(pool_rig_delete_volume(&rig, "c", NULL), 0);
        assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
        pool_rig_settle(&rig);
        rig_assert_sound(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(what_is_there_is_told_to_the_block),
        SNAPSHOT_TEST(holes_are_told_if_asked_for),
        SNAPSHOT_TEST(bounds_cut_the_list),
        SNAPSHOT_TEST(a_difference_goes_either_way),
        SNAPSHOT_TEST(a_volume_that_was_rolled_back_is_compared_by_content),
        SNAPSHOT_TEST(a_clone_is_compared_with_its_origin),
        SNAPSHOT_TEST(a_grown_tail_is_told_whole),
        SNAPSHOT_TEST(a_shrunk_point_ends_where_it_ends),
        SNAPSHOT_TEST(what_a_copy_shares_does_not_differ),
        SNAPSHOT_TEST(a_sparse_volume_costs_what_is_there),
        SNAPSHOT_TEST(a_long_list_comes_in_slices),
        SNAPSHOT_TEST(a_point_that_goes_ends_the_list),
        SNAPSHOT_TEST(what_moves_words_alone_does_not_show),
        SNAPSHOT_TEST(a_damaged_map_is_an_error),
        SNAPSHOT_TEST(lists_are_what_reading_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
