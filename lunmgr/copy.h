/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a range from one volume or snapshot to another, or to elsewhere in the same
 * volume. Inside a pool, whole extents whose data all comes from one layer are shared
 * instead of moved (share_run.h), where source and target lie the same way in theirs;
 * the rest is read and written (copy_data.h). What is not mapped in the source, or is
 * zeros, is unmapped in the target. A lane's thread. */
#ifndef LUNMGR_COPY_H
#define LUNMGR_COPY_H

#include "lunmgr/copy_data.h"
#include "lunmgr/round.h"
#include "lunmgr/share_run.h"

struct copy_private {
    struct vio guard;           /* a command of the source, as its fence sees it */
    struct vio into;            /* one of the target that changes blocks, in flight */
    bool guard_in, into_in;     /* past their fences */
    struct buf run;             /* a share_run */
    uint64_t run_bytes;         /* of the range: where it began, */
    uint32_t run_at, run_count; /* how far its moved ones are, and its extents */
    struct run_bits run_moved;
    struct copy_data data;
    bool moving; /* data is under way */
    union {
        struct stripe_wait stripe;
        struct round_wait round;
    } wait;
    struct note note; /* the next step, or the end */
    bool stopping;
    int rc;
};

struct copy {
    /* The caller sets these; untouched by copy. Both volumes stay until done(), as for a
     * vio. */
    struct lane *lane;
    struct volume *from, *to; /* `to` is no snapshot; they may be the same */
    /* Multiples of SECTOR_BYTES, inside the volumes. Ranges of one volume do not overlap,
     * unless they are the same. */
    uint64_t from_bytes, to_bytes, length_bytes;
    bool patient; /* as a vio: waits for space, so long as the manager's grace says */
    /* On the lane's thread, never inside copy_start. rc as vio's; -ECANCELED: copy_stop.
     * The first copied_bytes of the range are copied, of these shared_bytes without
     * moving data; both grow meanwhile. They are durable with the next flush. */
    void (*done)(struct copy *copy, int rc);
    uint64_t copied_bytes, shared_bytes;
    struct copy_private p;
};

void copy_start(struct copy *copy);
/* On the lane's thread, before done(), any number of times: done() comes when what is
 * under way has ended. */
void copy_stop(struct copy *copy);

#endif
