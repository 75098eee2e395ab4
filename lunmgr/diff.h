/* SPDX-License-Identifier: Apache-2.0 */
/* What of a volume or a snapshot is there, and what of it differs from another point: a
 * walk over both stacks of layers, a slice at a time, each slice in one transaction of a
 * catalog reader. Between slices it holds nothing but names, so nothing waits for who
 * reads it slowly: layers may be merged meanwhile, which moves words and changes no
 * content; a point that goes, or is rolled back or resized, ends it with an error.
 *
 * Whatever differs is told. Of a volume: all changes that were answered before the first
 * slice was asked for; those that come later may be told or not. What is told and yet the
 * same can only be what was written anew. Control thread. */
#ifndef LUNMGR_DIFF_H
#define LUNMGR_DIFF_H

#include "lunmgr/volume.h"

#define DIFF_RANGES_MAX 1024 /* in a slice */
#define DIFF_LENGTH_ALL UINT64_MAX

struct diff; /* one walk */

struct diff_spec {
    /* What it is compared with: the name of a snapshot of the same volume, VOLUME/NAME or
     * an id; else a volume as it is now, by name or id. NULL: with nothing, so that all
     * that is there is told. */
    const char *from;
    bool zeros; /* without from: what reads as zeros is told too */
    /* Bounds, widened to whole blocks of 4096 bytes. Length: DIFF_LENGTH_ALL, or less. */
    uint64_t offset_bytes, length_bytes;
};

/* In order; what touches and is of one kind is one range. Multiples of 4096. */
struct diff_range {
    uint64_t offset_bytes, length_bytes;
    bool is_zero; /* it reads as zeros, and has no data */
};

struct diff_slice { /* borrowed for the call */
    const struct diff_range *ranges;
    size_t count; /* may be 0 */
    bool is_last;
    uint64_t size_bytes; /* of the volume or snapshot */
};

/* slice NULL: e says why, and no more comes. -ENOENT: one of the two is gone; -EBUSY: it
 * was changed so that the list would be of neither; -EINVAL (field "from"): they have no
 * layer in common; else the catalog's. */
typedef void (*diff_slice_fn)(void *arg, const struct diff_slice *slice,
                              const struct err *e);

/* of: a volume or a snapshot, borrowed for the call. 0; -ENOENT (field "from"); -EBUSY: a
 * change of a volume that it is about is under way; -ENOMEM. */
int diff_create(struct lunmgr *m, struct volume *of, const struct diff_spec *spec,
                diff_slice_fn done, void *arg, struct diff **out,
                struct err *e) MUST_CHECK;
/* Asks for the next slice; done is called, never inside. Not while one is asked for, not
 * after the last or an error. */
void diff_next(struct diff *diff);
/* At any time but inside of done; done is not called any more. NULL is allowed. */
void diff_destroy(struct diff *diff);

#endif
