/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, writes, unmaps, zeroes and flushes of a volume, on a lane's thread.
 *
 * The rules are those of docs/ARCHITECTURE.md: volatile write cache (SBC-4 4.15): what
 * VIO_FLUSH or fua covered survives any crash; what completed later may be lost, never
 * torn below a block, never another's data. Several vios of one volume run side by side;
 * where they overlap, the order is undefined, as SAM-5 has it for simple tasks. */
#ifndef LUNMGR_VOLUME_IO_H
#define LUNMGR_VOLUME_IO_H

#include "base/inbox.h"
#include "lunmgr/lane.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_BYTES          4096U
#define EXTENT_BYTES         65536U
#define SECTOR_BYTES         512U
#define VIO_BYTES_MAX        (8U << 20) /* of one READ, WRITE or OR */
#define VIO_ATOMIC_BYTES_MAX (1U << 20) /* of an atomic WRITE, a COMPARE_WRITE */

/* In how many extents so many bytes of a volume lie. */
static inline uint64_t extents_for(uint64_t bytes)
{
    return (bytes + EXTENT_BYTES - 1) / EXTENT_BYTES;
}

enum vio_op {
    VIO_READ,
    VIO_WRITE,
    VIO_OR, /* ORWRITE, SBC-4 5.11: data is ORed into what is there, extent by extent;
               between what is read of one and its write nothing else changes it */
    VIO_COMPARE_WRITE, /* COMPARE AND WRITE, SBC-4 5.3: if what is there is as it has to
                          be, the write, as an atomic one; nothing comes between */
    VIO_UNMAP, /* SBC-4 5.37: whole extents return to the pool; parts of one read as zeros
                  or as before */
    VIO_ZERO,  /* WRITE SAME of zeros: reads as zeros after; space may return too */
    VIO_FLUSH, /* SYNCHRONIZE CACHE, of the whole volume */
    VIO_STATUS, /* which blocks have space of their own: GET LBA STATUS; no disk I/O */
    VIO_INNER,  /* lunmgr's own: a command that the fence counts */
};

/* A stretch of the volume, all mapped or all not. */
struct vio_status {
    uint64_t offset_bytes, length_bytes; /* whole blocks */
    bool mapped;
};

struct vio_private {
    struct vio *next, *prev; /* in one list at a time: in flight, fenced off, finished */
    uint64_t epoch;          /* of its entry into the in-flight set */
    enum vio_op op;          /* what is done: a WRITE of zeros may be a ZERO */
    bool changes;            /* blocks: the fence looks at it */
    bool op_began;           /* windows have been done: it goes on at the cursor */
    uint64_t cursor_bytes;   /* where the next window of extents begins */
    struct buf work;         /* the window's extents, or a read's pieces */
    uint32_t pending;        /* of the window, not ended */
    uint32_t active;         /* of those, not parked */
    uint32_t waiting;        /* of those, in a full pool: grace.c */
    int64_t grace_end_ms;    /* until when they wait; 0: none has waited */
    bool given_up;           /* none is to wait any more */
    int rc;                  /* the first failure */
};

struct vio {
    /* The caller sets these; untouched by vio. */
    struct lane *lane;
    struct volume *volume;
    enum vio_op op;
    bool is_wipe; /* lunmgr's own: a ZERO beyond the end of a volume that was shrunk, or
                     what a sanitize does */
    bool fua;     /* what changes blocks: durable before done() */
    /* What brings data, or a ZERO, and needs an extent in a full pool waits for one, so
     * long as the manager's grace says. */
    bool patient;
    bool may_unmap; /* ZERO: asked for; space returns without it too, for now */
    /* WRITE: all of it or nothing, for each READ beside it and after a crash:
     * SBC-4, 4.29. Whole blocks, VIO_ATOMIC_BYTES_MAX at most. Takes fresh extents, and
     * needs as many free ones as it touches. */
    bool atomic;
    uint64_t offset_bytes; /* multiples of SECTOR_BYTES, inside the volume */
    /* READ, WRITE, OR: 1 sector to VIO_BYTES_MAX; COMPARE_WRITE: whole logical blocks,
     * VIO_ATOMIC_BYTES_MAX at most; UNMAP, ZERO: any */
    uint64_t length_bytes;
    /* READ, WRITE, OR, COMPARE_WRITE: BUF_ALIGN-aligned memory for the whole blocks that
     * the range touches, the first byte of the range at data + offset_bytes %
     * BLOCK_BYTES. What lies around the range in its first and last block is scratch: vio
     * may write it. OR: twice as much, the second half is scratch. COMPARE_WRITE: all of
     * it is scratch. The caller's; not freed. */
    uint8_t *data;
    /* COMPARE_WRITE: what has to be there, and behind it as many bytes that are written
     * then. The caller's. */
    const uint8_t *halves;
    uint64_t differs_at_bytes; /* COMPARE_WRITE, of -EILSEQ: in the range, the first */
    /* STATUS: filled in order from the block of offset_bytes, until the range or the room
     * ends. The caller's. */
    struct vio_status *status;
    uint32_t status_max, status_count;
    /* On the lane's thread, never inside vio_submit. rc: 0; -ENOSPC the pool is full;
     * -EIO a disk failed; -ENOMEM; -ERANGE: the volume ends before; -EINPROGRESS: it is
     * being sanitized, or that has failed (sanitize.h); -EILSEQ: COMPARE_WRITE found
     * something else. After a failed WRITE or OR each block holds old or new data; after
     * an atomic one, or a COMPARE_WRITE of several logical blocks, all hold the old, or,
     * where only its round failed (fua), the new. */
    void (*done)(struct vio *vio, int rc);
    void (*inner)(struct vio *vio); /* INNER: the fence that held it lets it through */
    struct vio_private p;           /* zero before the first use; reusable after done() */
};

/* Bytes of buffer that a range needs, whole blocks; an OR needs them twice. */
static inline size_t vio_buffer_bytes(uint64_t offset_bytes, uint64_t length_bytes)
{
    uint64_t first = offset_bytes / BLOCK_BYTES;
    uint64_t last = (offset_bytes + length_bytes - 1) / BLOCK_BYTES;
    return (size_t)((last - first + 1) * BLOCK_BYTES);
}

/* On the lane's thread. The vio is busy until done(); it cannot be cancelled: an aborted
 * command is answered when its disk I/O has ended. */
void vio_submit(struct vio *vio);
/* On the lane's thread, submitted or not: it does not wait for space any more. What
 * waits fails, and done() comes as ever. */
void vio_give_up(struct vio *vio);

#endif
