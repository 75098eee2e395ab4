/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing: volumes get fresh, empty top layers at one instant, and snapshots name what
 * was written until then. Both the snapshot of one or more volumes and the rollback are
 * this. Runs on the home loop under the shape turn:
 *
 *   a round            so that little is left to be committed after
 *   the fences         of all volumes: what they cover ends, what comes new waits
 *   one step           the tops are changed, the rows ride on the next round
 *   release            a snapshot's stall is one drain, whatever is dirty
 *   that round's commit
 *
 * A rollback is released after the commit. If that fails, its step is taken back, and
 * nobody saw it. A snapshot's writers have gone on meanwhile: the seal is abandoned, the
 * fresh tops stay in use, nothing is named, and what was sealed is merged again once a
 * round succeeds; until then the tree rests. One whose record is refused must not fail
 * its round, which others wait for: its rows are left out, or of a snapshot the names,
 * and it is taken back, or abandoned, once the round has ended. */
#ifndef LUNMGR_SEAL_H
#define LUNMGR_SEAL_H

#include "lunmgr/layer.h"
#include "lunmgr/pool_priv.h"

struct seal_part {
    struct seal *seal;
    struct fence_wait raise;
    struct volume *volume;   /* gets a fresh top; stays until done() */
    struct volume *snapshot; /* names the old one; the caller's once done() said 0 */
    struct layer *fresh;     /* the caller's until the step; numbered there */
    struct volume *base;     /* NULL: fresh stands on the old top; else on this
                                snapshot's, and the volume's size becomes its */
    struct volume_row row;   /* of the snapshot: top_layer and naa_serial are set here */
    struct layer *sealed;    /* the old top */
    uint64_t old_bytes, size_bytes; /* of the volume, before and after */
};

struct seal {
    struct pool *pool;
    enum fence_kind fence;
    /* NULL; or a rollback's: home loop, committed, still behind the fences; then
     * seal_release. */
    void (*committed)(struct seal *seal);
    /* Home loop. rc 0: durable. Else nothing was made; if is_abandoned, the seal is the
     * pool's from then on, and undone() comes, perhaps. */
    void (*done)(struct seal *seal);
    /* Control thread: an abandoned one is over, its volumes may change again. It is freed
     * after. */
    void (*undone)(struct seal *seal);
    int rc;
    bool is_abandoned;
    /* What is recorded with the rows, while it is not abandoned; NULL: nothing. */
    const struct record *record;
    /* By the record (rc is -EEXIST), or for want of room for what its volumes are
     * guaranteed (-ENOSPC): err says why. */
    bool is_refused;
    struct err err;
    void *arg; /* the caller's */
    /* its own */
    struct shape_wait turn;
    struct note note;
    struct round_wait round;
    struct round_rider rider;
    size_t raised;
    bool is_sealed;
    bool has_turn;
    struct seal *next; /* of the pool's abandoned ones */
    size_t count;
    struct seal_part parts[]; /* in order of volume id, all of `pool` */
};

/* A dry run, on the catalog's writer, of one that was not started: writes rows as the
 * seal would, to be rolled back. */
int seal_try(struct catalog_txn *txn, struct seal *seal, struct err *e) MUST_CHECK;

/* For a dry run, too: -ENOSPC: the pool lacks room for what its volumes are guaranteed
 * with tops that have taken nothing. */
int seal_has_room(struct seal *seal, struct err *e) MUST_CHECK;

/* Home loop. */
void seal_start(struct seal *seal);
void seal_release(struct seal *seal);
/* With fresh layers that were not linked and snapshots; what lunmgr does to one that was
 * never started or has failed, and the pool to abandoned ones as it goes. */
void seal_free(struct seal *seal);

#endif
