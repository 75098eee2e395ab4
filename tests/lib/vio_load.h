/* SPDX-License-Identifier: Apache-2.0 */
/* A random load on one lane of the rig: so many I/Os at once, each told to the oracle and
 * each read held against it. Runs on the lane's thread; the test's thread starts it and
 * looks whether it has ended. */
#ifndef TESTS_LIB_VIO_LOAD_H
#define TESTS_LIB_VIO_LOAD_H

#include "tests/lib/oracle.h"
#include "tests/lib/pool_rig.h"

#define LOAD_DEPTH_MAX 16

struct load_mix {                                     /* weights */
    unsigned read, write, unmap, zero, flush, atomic; /* atomic: writes */
    unsigned compare; /* COMPARE AND WRITE of what was read, or of something else */
};

struct load_options {
    struct pool_rig *rig;
    unsigned lane;
    struct volume *volume;
    struct oracle *oracle; /* of the volume */
    uint64_t seed;
    unsigned count; /* I/Os in all */
    unsigned depth;
    uint64_t first_bytes, region_bytes; /* where; multiples of align_bytes */
    uint32_t align_bytes;               /* of every I/O: 512 or 4096 */
    uint64_t bytes_max;                 /* of one I/O */
    struct load_mix mix;
    unsigned fua_percent;
    uint64_t unmap_bytes; /* what UNMAP surely zeroes if it covers all of one; 0: a block.
                             EXTENT_BYTES where there are snapshots */
    bool loses_data;      /* a sync is to fail: reads may show what it has dropped */
    bool may_be_full;     /* -ENOSPC is part of the test */
    bool may_fail;        /* any error is: else they are an offence */
};

struct vio_load;

struct vio_load *vio_load_start(const struct load_options *options);
bool vio_load_ended(struct vio_load *load);
/* No new I/O from now on. */
void vio_load_stop(struct vio_load *load);
/* After it has ended; how many I/Os failed. */
unsigned vio_load_finish(struct vio_load *load);
/* Starts, waits, finishes. */
unsigned vio_load_run(const struct load_options *options);

/* ---- Several at once ---- */

/* One on each of the first `count` lanes; the seed is one more from lane to lane. */
void vio_loads_start(const struct load_options *options, struct vio_load **loads,
                     unsigned count);
void vio_loads_wait(struct pool_rig *r, struct vio_load *const *loads, unsigned count);
/* Waits, finishes; how many I/Os failed. */
unsigned vio_loads_finish(struct pool_rig *r, struct vio_load *const *loads,
                          unsigned count);
/* Stops those that would go on, then the same. */
unsigned vio_loads_stop(struct pool_rig *r, struct vio_load *const *loads,
                        unsigned count);

/* Reads the whole volume (on lane 0) and holds it against the oracle; cut: as after it,
 * NULL: as it is. */
bool oracle_verify(struct oracle *o, struct pool_rig *r, struct volume *volume,
                   const struct oracle_cut *cut);

#endif
