/* SPDX-License-Identifier: Apache-2.0 */
/* A device on its way into a pool: what was asked for, what was found there, and, once
 * its rows are committed, the device. Whoever asks goes through these steps in order, on
 * the threads that they name. */
#ifndef LUNMGR_JOINING_H
#define LUNMGR_JOINING_H

#include "lunmgr/pool_priv.h"

struct joining {
    struct device_row row; /* no: when it is in the catalog */
    uint64_t size_bytes;   /* of the device to be; 0: as it is */
    bool force;
    int fd; /* the device while it is ours alone; -1 */
    bool direct;
    enum device_way way;
    bool is_formatted;
    struct device *device; /* ours until it is the pool's */
};

/* Control thread. -EINVAL: the path or the size cannot be; e's field is one of the
 * device's members. */
int joining_init(struct joining *j, const struct pool_device_spec *spec,
                 const char *pool_id, unsigned slot, struct err *e) MUST_CHECK;
/* Blocking: opens it, looks at what it carries, and writes the superblock; a dry run only
 * looks. live: the claim, but for force. */
int joining_format(struct joining *j, const struct device_claim *live, const char *box_id,
                   bool dry, struct err *e) MUST_CHECK;
/* Control thread: all that it takes in memory, so that nothing can fail after the commit.
 * -ENOMEM. */
int joining_prepare(struct joining *j, struct err *e) MUST_CHECK;
/* Its row is committed: the device, to be given to the pool. */
struct device *joining_finish(struct joining *j);
/* Blocking. The rows were refused: the device is nobody's again. */
void joining_undo(struct joining *j);
/* Closes what is left open, frees what was not taken. */
void joining_fini(struct joining *j);

/* Control thread. The devices that this box's pools have; claim->live is the caller's, to
 * be freed. -ENOMEM. */
int joining_live(struct lunmgr *m, struct device_claim *claim, struct err *e) MUST_CHECK;

#endif
