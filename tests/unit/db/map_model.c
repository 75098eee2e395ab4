/* SPDX-License-Identifier: Apache-2.0 */
/* See map_model.h. Layers are compared by position: their numbers rise, so the order of
 * the keys is not that of the array. */
#include "map_model.h"

#include "tests/lib/random.h"

#include <string.h>

static const uint64_t zeros[LEAF_WORDS];

void model_init(struct map_model *m, uint64_t seed)
{
    memset(m, 0, sizeof(*m));
    m->random = seed;
}

uint64_t model_random(struct map_model *m)
{
    return random_star(&m->random);
}

/* ---- Rounds ------------------------------------------------------------------------ */

static size_t leaf_changes(struct map_model *m, uint64_t first_key,
                           struct word_change *out)
{
    size_t count = 0;
    uint64_t one_in = model_random(m) % 4 == 0 ? 1 : 1 + model_random(m) % 200;
    uint64_t kind = model_random(m) % 4;
    for (uint64_t i = 0; i < LEAF_WORDS; i++) {
        uint64_t word = kind == 0 ? 0 : kind == 1 ? i << 16 | 1 : model_random(m) % 5;
        if (model_random(m) % one_in == 0)
            out[count++] = (struct word_change){first_key + i, word};
    }
    return count;
}

static int change_compare(const void *a, const void *b)
{
    const struct word_change *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

size_t model_random_round(struct map_model *m, struct word_change *out)
{
    size_t count = 0;
    for (size_t l = 0; l < MODEL_LAYERS; l++)
        for (uint32_t leaf = 0; leaf < MODEL_LEAVES; leaf++)
            if (model_random(m) % 3 == 0)
                count += leaf_changes(m, extent_key(m->layers[l], leaf * LEAF_WORDS),
                                      out + count);
    qsort(out, count, sizeof(out[0]), change_compare);
    return count;
}

void model_apply(struct map_model *m, const struct word_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < MODEL_LAYERS; l++)
            if (m->layers[l] == changes[i].key >> EXTENT_INDEX_BITS)
                m->words[l][changes[i].key - extent_key(m->layers[l], 0)] =
                    changes[i].word;
}

size_t model_zeros(const struct map_model *m, size_t layer, struct word_change *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < MODEL_LEAVES * LEAF_WORDS; i++)
        if (m->words[layer][i] != 0)
            out[count++] = (struct word_change){extent_key(m->layers[layer], i), 0};
    return count;
}

void model_remove_layer(struct map_model *m, size_t layer)
{
    memset(m->words[layer], 0, sizeof(m->words[layer]));
}

/* ---- Comparing --------------------------------------------------------------------- */

static bool leaf_is_empty(const uint64_t *words)
{
    return memcmp(words, zeros, sizeof(zeros)) == 0;
}

int64_t model_leaf_count(const struct map_model *m)
{
    int64_t count = 0;
    for (size_t l = 0; l < MODEL_LAYERS; l++)
        for (size_t leaf = 0; leaf < MODEL_LEAVES; leaf++)
            count += !leaf_is_empty(m->words[l] + leaf * LEAF_WORDS);
    return count;
}

struct comparison {
    const struct map_model *model;
    uint64_t last_key;
    int64_t count;
};

/* The leaf's words in the model; NULL: it has no such leaf. */
static const uint64_t *model_leaf(const struct map_model *m, uint64_t leaf_key)
{
    for (size_t l = 0; l < MODEL_LAYERS; l++) {
        uint64_t first = leaf_key_of(extent_key(m->layers[l], 0));
        if (leaf_key >= first && leaf_key < first + MODEL_LEAVES)
            return m->words[l] + (leaf_key - first) * LEAF_WORDS;
    }
    return NULL;
}

static int leaf_compare(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct comparison *c = arg;
    const uint64_t *expected = model_leaf(c->model, leaf_key);
    if (expected == NULL || memcmp(words, expected, sizeof(zeros)) != 0 ||
        leaf_is_empty(words) || (c->count > 0 && leaf_key <= c->last_key))
        return 1;
    c->last_key = leaf_key;
    c->count++;
    return 0;
}

static bool leaf_is(const struct map_model *m, struct catalog_txn *txn, size_t layer,
                    uint32_t leaf)
{
    uint64_t words[LEAF_WORDS];
    uint64_t key = leaf_key_of(extent_key(m->layers[layer], leaf * LEAF_WORDS));
    return leaf_load(txn, key, words, NULL) == 0 &&
           memcmp(words, m->words[layer] + leaf * LEAF_WORDS, sizeof(words)) == 0;
}

bool model_is(const struct map_model *m, struct catalog_txn *txn)
{
    for (size_t l = 0; l < MODEL_LAYERS; l++)
        for (uint32_t leaf = 0; leaf < MODEL_LEAVES; leaf++)
            if (!leaf_is(m, txn, l, leaf))
                return false;
    struct comparison c = {.model = m};
    return leaf_each(txn, 0, UINT64_MAX, leaf_compare, &c, NULL) == 0 &&
           c.count == model_leaf_count(m);
}
