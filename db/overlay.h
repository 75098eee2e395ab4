/* SPDX-License-Identifier: Apache-2.0 */
/* The deltas that are not yet folded into leaf rows, in memory, by leaf.
 *
 * Why a reader gets the words of its own snapshot, whatever the writer does meanwhile:
 * - The rows of `delta` are numbered in rising order and deleted from the lowest up. So
 *   those that a snapshot has are all from its lowest id to its highest, which it reads
 *   from the table itself, and no id is given twice while the process lives.
 * - A leaf's words are its row in that snapshot, then what these deltas say, in order. A
 *   fold stores in the row what a prefix of them says; to say it once more, each word's
 *   newest last, changes nothing. A delta that the snapshot no longer has was folded
 *   before it was deleted. So the row may be of any moment of any fold.
 * - An overlay has every delta of a snapshot: the writer adds one before its commit makes
 *   it visible, and takes it out after the commit that deleted it. What it has beyond the
 *   snapshot is left out by id. It may have forgotten the snapshot's lowest ones only if
 *   they were deleted since the snapshot began; it says so (-ESTALE), and the reader
 * makes an overlay of its own from the rows, which its snapshot still has.
 *
 * One writer, which adds and forgets; any number of readers beside it. */
#ifndef DB_OVERLAY_H
#define DB_OVERLAY_H

#include "db/delta_codec.h"

struct delta {
    struct delta *next; /* the next higher id */
    uint64_t id;
    size_t sections; /* leaves */
    size_t bytes;    /* of blob */
    uint8_t blob[];
};
/* With room for the largest blob. NULL: no memory. Freed by free(). */
struct delta *delta_alloc(void);
/* Gives back what its blob does not need; d is then what this returns. */
struct delta *delta_trim(struct delta *d);

struct overlay;
int overlay_create(struct overlay **out) MUST_CHECK;
/* NULL is allowed. */
void overlay_destroy(struct overlay *o);

/* What it takes up, about, in bytes. */
size_t overlay_bytes(const struct overlay *o);
/* The lowest id that it can still answer for. */
uint64_t overlay_lowest_id(const struct overlay *o);
/* What the next delta must be numbered; the writer's to ask. */
uint64_t overlay_next_id(const struct overlay *o);
/* Takes the delta over when it answers 0; its id is at least the next one. -EUCLEAN: its
 * blob is damaged. -ENOMEM. */
int overlay_add(struct overlay *o, struct delta *d) MUST_CHECK;
/* Those from this id on were rolled back: their ids are free again. */
void overlay_forget_from(struct overlay *o, uint64_t id);
/* Those up to this id are deleted. */
void overlay_forget_through(struct overlay *o, uint64_t id);

/* What the deltas lowest to highest say of the first leaf from first_leaf to last_leaf of
 * which they say anything. 1: *out is filled; 0: nothing; -ESTALE: the lowest is
 * forgotten. */
int overlay_next(struct overlay *o, uint64_t first_leaf, uint64_t last_leaf,
                 uint64_t lowest, uint64_t highest, struct leaf_patch *out) MUST_CHECK;

#endif
