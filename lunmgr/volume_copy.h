/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of volumes that an admin asks for: a job each. Control thread. */
#ifndef LUNMGR_VOLUME_COPY_H
#define LUNMGR_VOLUME_COPY_H

#include "lunmgr/job.h"

/* Of the whole volume, what it holds at one moment, or what a snapshot of it holds, into
 * a volume that is made, or over the beginning of another; or of a range. */
struct volume_copy_spec {
    const char *snapshot; /* NAME, VOLUME/NAME or an id; NULL: what the volume holds */
    const char *name;     /* of a volume that is made, as large; NULL: see to */
    const char *pool;     /* with name: name or id; NULL: the volume's */
    const char *to;       /* a volume that is there: name or id */
    /* With `to`: a range, which is read as it is, not at one moment, unless snapshot.
     * Multiples of either's logical block. length 0: the whole, from_bytes is 0. */
    uint64_t from_bytes, to_bytes, length_bytes;
    bool force; /* also over a volume that sessions see */
};

/* done when the job is durable and begun. Inside a pool a new volume is made as a clone
 * is, over an existing one extents are shared; into another pool data is read and
 * written. The job begins anew after a restart, at the moment that it began with.
 * Cancelled or failed, a volume that it made is removed; one that was there keeps what
 * was copied. While it runs, neither of both may be deleted, resized or rolled back.
 * -ENOENT, -EINVAL (e names the member), -EEXIST (name), -EBUSY: `to` is protected, or
 * seen by sessions, without force. */
void volume_copy(struct lunmgr *m, const char *volume,
                 const struct volume_copy_spec *spec, job_done_fn done, void *arg);

#endif
