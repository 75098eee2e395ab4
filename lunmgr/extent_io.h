/* SPDX-License-Identifier: Apache-2.0 */
/* What a write, OR, COMPARE AND WRITE, unmap or zero does to one extent: look at the
 * word, wait for a hold, take an extent, write, set the bits; or hold, compare, unshare,
 * fill or OR, write, release; or swap the word. Each piece goes its own way, so that no
 * holder ever waits for itself; those of an atomic write go together, and hold all words
 * or none while they wait. The lane's thread. */
#ifndef LUNMGR_EXTENT_IO_H
#define LUNMGR_EXTENT_IO_H

#include "lunmgr/buf.h"
#include "lunmgr/engine.h"
#include "lunmgr/grace.h"
#include "lunmgr/leaf.h"
#include "lunmgr/limbo.h"
#include "lunmgr/stripe.h"
#include "lunmgr/volume_io.h"

enum extent_kind {
    EXTENT_WRITE,
    EXTENT_OR,      /* data is ORed into what is there: always under a hold */
    EXTENT_CLEAR,   /* UNMAP: of a part, only if clearing bits gives zeros */
    EXTENT_ZERO,    /* the same, else zeros are written */
    EXTENT_ATOMIC,  /* WRITE of whole blocks, all pieces or none: extent_atomic.c; a
                       COMPARE AND WRITE of several logical blocks compares first */
    EXTENT_COMPARE, /* the same of one, alone and in place: extent_caw.c */
};

struct extent_io {
    struct vio *vio;
    uint32_t index;                      /* extent of the volume */
    uint16_t first_sector, sector_count; /* within it */
    enum extent_kind kind;
    bool zeros;   /* WRITE: data is a part of a block of zeros */
    bool held;    /* we hold the word */
    bool counted; /* in the stripe, under phase */
    uint32_t phase;
    uint32_t run_count; /* extents written by this one's io, itself the first; ATOMIC: the
                           pieces of all, which the first one leads */
    unsigned due; /* under a hold: reads to fill from; ATOMIC: drains, or I/Os, of all
                     pieces */
    int rc;
    uint8_t *data; /* of the first block touched */
    struct leaf *leaf;
    _Atomic uint64_t *cell;
    place place;     /* ATOMIC: of the fresh extent, while no word names it; 0: none */
    struct buf own;  /* blocks to fill from, or zeros to write */
    struct buf work; /* under a hold: of a copy to another extent, of what is shown */
    union {          /* it waits for one thing at a time */
        struct stripe_wait stripe;
        struct leaf_wait leaf;
        struct space_wait space;
        struct grace_wait grace;
    } wait;
    struct engine_io io;
    struct iovec iov;
    struct engine_io fill[2]; /* head and tail block */
    struct iovec fill_iov[2];
};

/* Starts the pieces of a window, submitting writes that lie together as one I/O. Each
 * ends by vio_extent_ended, perhaps inside. Of ATOMIC ones the first alone is started and
 * ends, for all that lie behind it. */
void extent_io_start_all(struct extent_io *pieces, uint32_t count);

/* volume_io.c: one piece ended. */
void vio_extent_ended(struct vio *vio, int rc);
/* volume_io.c: a piece parks, or goes on; the vio is in flight while any is active. */
void vio_extent_parks(struct vio *vio);
void vio_extent_wakes(struct vio *vio);

#endif
