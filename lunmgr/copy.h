/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of whole extents from one volume or snapshot to another of the same pool. Where
 * an extent's data all comes from one layer it is shared instead of moved (share_word.h);
 * else it is read and written. A lane's thread. */
#ifndef LUNMGR_COPY_H
#define LUNMGR_COPY_H

#include "lunmgr/share_word.h"
#include "lunmgr/volume_io.h"

struct copy_private {
    struct vio guard;       /* a command of the source, as its fence sees it */
    struct vio into;        /* one of the target that changes blocks, in flight */
    bool guard_in, into_in; /* past their fences */
    struct vio data;        /* what cannot be shared is read, then written */
    struct buf buf;
    struct share_word share;
    union {
        struct leaf_wait leaf;
        struct stripe_wait stripe;
    } wait;
    struct note note; /* the next extent, or the end */
    int rc;
};

struct copy {
    /* The caller sets these; untouched by copy. Both volumes stay until done(), as for a
     * vio. */
    struct lane *lane;
    struct volume *from, *to; /* `to` is no snapshot; they may be the same */
    /* Multiples of EXTENT_BYTES, inside the volumes. Ranges of one volume do not overlap.
     */
    uint64_t from_bytes, to_bytes, length_bytes;
    /* On the lane's thread, never inside copy_start. rc as vio's. The first copied_bytes
     * of the range are copied, of these shared_bytes without moving data; they are
     * durable with the next flush. */
    void (*done)(struct copy *copy, int rc);
    uint64_t copied_bytes, shared_bytes;
    struct copy_private p;
};

void copy_start(struct copy *copy);

#endif
