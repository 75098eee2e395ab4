/* SPDX-License-Identifier: Apache-2.0 */
/* Resolved views: what 256 extents look like through a sealed layer and all below it, as
 * one immutable list of words for each extent, whose blocks do not overlap; what none of
 * them has reads as zeros. A view keeps a long chain as fast as a short one. Built when
 * it is asked for, from the view of a layer further down where there is one, else in one
 * read of the catalog; cached under the leaves' bound (leaf_cache.h). stack.c's alone: it
 * says when a view is right. */
#ifndef LUNMGR_VIEW_H
#define LUNMGR_VIEW_H

#include "lunmgr/leaf.h"

struct view;
struct views; /* of a manager */

/* bytes_max: of the leaf cache. 0 or -ENOMEM. */
int views_create(struct lunmgr *m, uint64_t bytes_max, struct views **out,
                 struct err *e) MUST_CHECK;
/* After the leaf cache. NULL is allowed. */
void views_destroy(struct views *views);

/* NULL: there is none of that version. A lane in flight, who may use it until it leaves,
 * or the home loop, until it returns to its loop. */
const struct view *view_find(struct views *views, uint32_t layer_id, uint32_t leaf_index,
                             uint64_t version);
/* An extent's words, top first: their count, at most WORD_BLOCKS. */
unsigned view_words(const struct view *view, uint32_t extent_index, map_word *out);
/* None of its extents has one. */
bool view_is_zeros(const struct view *view);

/* A lane in flight: builds the view of top's parent where it is missing. Answered with 0
 * also where the tree or a word has changed meanwhile: who wants it looks again, and may
 * have to ask again. rc: -ENOMEM, or the catalog's. */
void view_ask(struct layer *top, uint32_t leaf_index, struct leaf_wait *wait);

/* How many were built and how many layers they were built from. Any thread. */
struct view_counts {
    uint64_t views, layers;
};
void views_count(struct views *views, struct view_counts *out);

#endif
