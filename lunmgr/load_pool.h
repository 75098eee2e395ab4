/* SPDX-License-Identifier: Apache-2.0 */
/* Pools with their devices, bitmaps, layers, volumes and snapshots, made from rows: all
 * of them at start, one that is imported at run time, and how they go again. */
#ifndef LUNMGR_LOAD_POOL_H
#define LUNMGR_LOAD_POOL_H

#include "lunmgr/pool_priv.h"

struct pool_load {
    struct lunmgr *m;
    const char *pool_id; /* of this one alone; NULL: of all */
    /* Where they go: the manager's while nobody else is there, else the caller's. */
    struct index *pools, *volumes, *snapshots, *trash;
    /* As device_open does it. */
    int (*open)(struct pool_load *l, const struct device_row *row, struct device **out,
                struct err *e);
    /* Zero at first. */
    struct layer **layers; /* by id; the pools' */
    size_t layer_count, layer_max;
    struct volume **found; /* snapshots, by id in the end; their volumes' */
    size_t found_count, found_max;
    bool snapshots_adopted; /* by their volumes */
    struct pool *only;      /* the one that pool_id names */
    struct err *e;
};

/* On a db thread, inside work(), as nobody else has the indexes. What was made before a
 * failure is in them. */
int pool_load_rows(struct catalog_txn *txn, struct pool_load *l,
                   struct err *e) MUST_CHECK;
/* Home loop, or before it runs: drops and merges that were under way, or were to be, go
 * on. */
void pool_load_look(struct pool_load *l);
/* Control thread: so do a volume's wipe and its sanitize. */
void volume_resume(struct volume *volume);
/* Not what was made. */
void pool_load_fini(struct pool_load *l);

/* In no index any more: frees it with its snapshots. */
void volume_unload(struct volume *volume);

#endif
