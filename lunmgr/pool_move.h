/* SPDX-License-Identifier: Apache-2.0 */
/* A pool moves to another box, with all its volumes: an export gives it away with a file
 * of its rows (db/pool_file.h), an import takes it. Control thread. done: on it, never
 * inside the call. */
#ifndef LUNMGR_POOL_MOVE_H
#define LUNMGR_POOL_MOVE_H

#include "lunmgr/pool.h"

/* Gives the pool away: it is brought to rest, its rows go into a new file at path and
 * then leave the catalog, its devices are let go of. A crash in between leaves the pool
 * here, and a file that is too old for its devices. -EBUSY: a volume is mapped or being
 * changed or sanitized, a job or a change of the devices is under way, or a device does
 * not serve. -EEXIST, field path: the file is there. -EINVAL, field path: not absolute.
 */
void pool_export(struct lunmgr *m, const char *name_or_id, const char *path, done_fn done,
                 void *arg);

struct pool_import_spec {
    const char *path; /* the file, absolute; it is only read */
    const char *name; /* the pool's here; NULL: as it was */
    /* Where the devices are now, in any order; 0: where they were. */
    const char *const *devices;
    size_t device_count;
};

/* Takes it: rows, then superblocks that name this box, under a higher generation, so that
 * the file is too old from then on. Volumes keep ids, identities and what was set; a
 * crash leaves the pool here, or the file as good as it was. -EEXIST: the pool, its name
 * (field name), names, ids or identities of its volumes (field volumes), or its devices
 * are here already. -ESTALE: the file is older than a device (field path) or a device
 * than the file (field devices). -ENOENT, field devices: some are missing, or not of the
 * pool. -EBUSY: in use. Of the file, field path: -EUCLEAN, -EPROTO as pool_file_open. */
void pool_import(struct lunmgr *m, const struct pool_import_spec *spec, pool_done_fn done,
                 void *arg);

#endif
