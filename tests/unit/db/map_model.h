/* SPDX-License-Identifier: Apache-2.0 */
/* The map as plain arrays, with a random source of its own: what the catalog is compared
 * with. Small, so that rounds meet each other's words. */
#ifndef TESTS_UNIT_DB_MAP_MODEL_H
#define TESTS_UNIT_DB_MAP_MODEL_H

#include "rig.h"

#define MODEL_LAYERS      3
#define MODEL_LEAVES      5
#define MODEL_CHANGES_MAX (MODEL_LAYERS * MODEL_LEAVES * LEAF_WORDS)

struct map_model {
    uint32_t layers[MODEL_LAYERS];
    uint64_t words[MODEL_LAYERS][MODEL_LEAVES * LEAF_WORDS];
    uint64_t random;
};

void model_init(struct map_model *m, uint64_t seed);
uint64_t model_random(struct map_model *m);
/* Sorted changes of words, some to 0, in some leaves; returns how many. */
size_t model_random_round(struct map_model *m, struct word_change *out);
void model_apply(struct map_model *m, const struct word_change *changes, size_t count);
/* What clears all words of a layer. */
size_t model_zeros(const struct map_model *m, size_t layer, struct word_change *out);
/* layers[layer] is another one from now on: it has no words. */
void model_remove_layer(struct map_model *m, size_t layer);
/* Leaves with words that are not 0. */
int64_t model_leaf_count(const struct map_model *m);
/* leaf_load of each leaf and leaf_each of all say the same as the model. */
bool model_is(const struct map_model *m, struct catalog_txn *txn);

#endif
