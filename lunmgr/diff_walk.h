/* SPDX-License-Identifier: Apache-2.0 */
/* One slice of a diff (diff.h): both stacks of layers as one transaction of the catalog
 * has them, leaf by leaf. What no layer of its own has anything of is passed by without a
 * look; what two points share of their stacks is read only where one of them looks
 * through to it. On a catalog reader, inside work(). */
#ifndef LUNMGR_DIFF_WALK_H
#define LUNMGR_DIFF_WALK_H

#include "db/catalog.h"
#include "lunmgr/diff.h"

struct diff_walk {
    char of_id[CATALOG_ID_MAX];
    char from_id[CATALOG_ID_MAX]; /* "": none */
    bool zeros;
    uint64_t at_bytes, end_bytes; /* what is left; the end is cut to the size */
    /* As the first slice finds them; 0: it has not come yet. */
    uint64_t size_bytes, from_bytes;
    struct diff_range run; /* length 0: none; may grow in the next slice */
    /* What the slice has found, for its caller to empty. */
    struct diff_range ranges[DIFF_RANGES_MAX];
    size_t count;
};

/* Goes on as far as it has room and time. 0, w->at_bytes == w->end_bytes: it was the
 * last. The errors of diff_slice_fn. */
int diff_walk_slice(struct catalog_txn *txn, struct diff_walk *w,
                    struct err *e) MUST_CHECK;

#endif
