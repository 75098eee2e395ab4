/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of words, each a round's. */
#include "tests/lib/map_maker.h"

#include "base/auto.h"
#include "lunmgr/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_WORDS (1U << 20) /* of a round: 4,096 leaves */

struct map_maker {
    struct catalog *catalog;
    size_t word_count;
    struct word_change words[BATCH_WORDS];
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "map maker: %s: %s\n", what, why);
    exit(1);
}

static void must(int rc, const char *what, const struct err *e)
{
    if (rc != 0)
        die(what, e->text);
}

static int store_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    return round_store(txn, arg, e);
}

static void store(struct map_maker *mm, struct round_changes *changes)
{
    struct err e = {.code = 0};
    must(catalog_write_wait(mm->catalog, store_work, changes, &e), "round_store", &e);
}

struct map_maker *map_maker_open(const char *dir)
{
    struct err e = {.code = 0};
    struct catalog_options options = {.dir = dir, .reader_count = 1};
    struct map_maker *mm = malloc(sizeof(*mm));
    if (mm == NULL)
        die("map_maker", "out of memory");
    mm->word_count = 0;
    must(catalog_open(&options, &mm->catalog, &e), "catalog_open", &e);
    return mm;
}

static void store_words(struct map_maker *mm)
{
    struct round_changes changes = {.words = mm->words, .word_count = mm->word_count};
    store(mm, &changes);
    mm->word_count = 0;
}

void map_maker_word(struct map_maker *mm, uint64_t key, uint64_t word)
{
    mm->words[mm->word_count++] = (struct word_change){.key = key, .word = word};
    if (mm->word_count == BATCH_WORDS)
        store_words(mm);
}

void map_maker_count(struct map_maker *mm, uint32_t layer, uint64_t used_extents)
{
    struct layer_count count = {.layer = layer, .used_extents = used_extents};
    struct round_changes changes = {.layers = &count, .layer_count = 1};
    store(mm, &changes);
}

static void bitmap_use(struct bitmap_change *row, uint64_t count)
{
    uint64_t first = (uint64_t)row->gib * ALLOC_GROUP_EXTENTS;
    row->free_extents = ALLOC_GROUP_EXTENTS;
    for (unsigned i = 0; i < ALLOC_GROUP_EXTENTS; i++) {
        if (first + i < 1 || first + i > count)
            continue;
        row->bits[i / 8] |= (uint8_t)(1U << i % 8);
        row->free_extents--;
    }
}

void map_maker_use(struct map_maker *mm, uint32_t device_no, uint64_t count)
{
    uint32_t groups = (uint32_t)(count / ALLOC_GROUP_EXTENTS + 1);
    struct bitmap_change *rows = calloc(groups, sizeof(*rows));
    if (rows == NULL)
        die("map_maker", "out of memory");
    for (uint32_t gib = 0; gib < groups; gib++) {
        rows[gib].device_no = device_no;
        rows[gib].gib = gib;
        bitmap_use(&rows[gib], count);
    }
    struct round_changes changes = {.bitmaps = rows, .bitmap_count = groups};
    store(mm, &changes);
    free(rows);
}

struct reading {
    uint64_t *words;
    uint64_t first_key, last_key;
};

static int read_leaf(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    const struct reading *reading = arg;
    memcpy(reading->words + (leaf_key - reading->first_key) * LEAF_WORDS, words,
           LEAF_WORDS * sizeof(words[0]));
    return 0;
}

static int read_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct reading *reading = arg;
    return leaf_each(txn, reading->first_key, reading->last_key, read_leaf, arg, e);
}

void map_maker_read(struct map_maker *mm, uint32_t layer, uint64_t *words, size_t count)
{
    struct err e = {.code = 0};
    uint64_t first = leaf_key_of(extent_key(layer, 0));
    struct reading reading = {
        .words = words, .first_key = first, .last_key = first + count / LEAF_WORDS - 1};
    memset(words, 0, count * sizeof(words[0]));
    must(catalog_read_wait(mm->catalog, read_work, &reading, &e), "leaf_each", &e);
}

void map_maker_close(struct map_maker *mm)
{
    store_words(mm);
    catalog_close(mm->catalog);
    free(mm);
}
