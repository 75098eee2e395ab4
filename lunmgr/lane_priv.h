/* SPDX-License-Identifier: Apache-2.0 */
/* A lane from inside lunmgr. Its own thread alone, but for `oldest`. */
#ifndef LUNMGR_LANE_PRIV_H
#define LUNMGR_LANE_PRIV_H

#include "lunmgr/grace.h"
#include "lunmgr/lane.h"
#include "lunmgr/plan.h"
#include "lunmgr/volume_io.h"

#include <stdatomic.h>

#define WINDOW_EXTENTS                                                                   \
    ((VIO_BYTES_MAX / EXTENT_BYTES) + 1) /* an unaligned one touches one more */
#define LANE_IDLE UINT64_MAX

struct event;

struct lane {
    struct lunmgr *manager;
    struct loop *loop;
    struct engine *engine;
    struct buf_pool *buffers;
    struct event *trim; /* gives free buffers back that a load has left */
    unsigned index;
    _Atomic uint64_t oldest;  /* epoch of the first in flight; LANE_IDLE: none */
    struct vio *first, *last; /* in flight, in order of epoch */
    struct vio *finished, *finished_last;
    struct grace grace;
    struct loop_hook hook; /* answers what is finished */
    struct plan_run
        runs[WINDOW_EXTENTS * WORD_BLOCKS]; /* scratch of one read's planning */
};

/* Into and out of the in-flight set. An I/O enters before it reads a word. */
void lane_enter(struct lane *lane, struct vio *vio);
void lane_leave(struct lane *lane, struct vio *vio);
/* done() of vio is called at the end of the turn. */
void lane_finish(struct lane *lane, struct vio *vio);

#endif
