/* SPDX-License-Identifier: Apache-2.0 */
/* One step after the other: leaves until none is left, then the deltas' rows, the lowest
 * first. The memory goes when the last row is gone. */
#include "db/fold.h"

#include "base/clock.h"
#include "db/limits.h"
#include "db/rows_delta.h"
#include "db/rows_leaf.h"
#include "db/sqlerr.h"

#include <errno.h>

void fold_begin(struct fold *f, const struct catalog_txn *txn)
{
    *f = (struct fold){.through = overlay_next_id(txn->overlay) - 1};
    if (overlay_bytes(txn->overlay) == 0)
        f->through = 0;
}

/* A leaf that cannot be read stays as it is: it is refused with or without these words,
 * and it must not hold all others back. */
static int fold_leaf(struct catalog_txn *txn, const struct leaf_patch *patch,
                     struct err *e)
{
    struct err why = {0};
    int rc = leaf_row_patch(txn, patch, &why);
    if (rc == -EUCLEAN)
        log_failure("a leaf of the map cannot be folded", &why);
    else if (rc != 0 && e != NULL)
        *e = why;
    return rc == -EUCLEAN ? 0 : rc;
}

/* 1: there may be more. */
static int fold_leaves(struct fold *f, struct catalog_txn *txn, struct err *e)
{
    struct leaf_patch patch;
    uint64_t lowest = overlay_lowest_id(txn->overlay);
    int64_t end_ms = clock_ms() + FOLD_STEP_MS;
    for (unsigned i = 0; i < FOLD_STEP_LEAVES && clock_ms() <= end_ms; i++) {
        int rc = overlay_next(txn->overlay, f->next_leaf, UINT64_MAX, lowest, f->through,
                              &patch);
        if (rc <= 0)
            return rc;
        rc = fold_leaf(txn, &patch, e);
        if (rc != 0)
            return rc;
        f->next_leaf = patch.leaf_key + 1;
    }
    return 1;
}

/* 1: there are more. */
static int fold_deltas(const struct fold *f, struct catalog_txn *txn, struct err *e)
{
    int64_t end_ms = clock_ms() + FOLD_STEP_MS;
    int rc;
    do
        rc = delta_rows_remove(txn, f->through, e);
    while (rc == 1 && clock_ms() <= end_ms);
    return rc;
}

static int fold_part(struct fold *f, struct catalog_txn *txn, struct err *e)
{
    int rc = f->are_leaves_done ? fold_deltas(f, txn, e) : fold_leaves(f, txn, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (f->are_leaves_done)
        f->through = 0;
    f->are_leaves_done = true;
    return 0;
}

static int fold_commit(struct fold *f, struct catalog_txn *txn, struct err *e)
{
    int rc = txn_exec(txn, "BEGIN IMMEDIATE", e);
    if (rc == 0)
        rc = fold_part(f, txn, e);
    if (rc == 0)
        rc = txn_exec(txn, "COMMIT", e);
    txn_rollback(txn);
    return rc;
}

int fold_step(struct fold *f, struct catalog_txn *txn, struct err *e)
{
    struct fold next = *f;
    int rc = txn_set_durable(txn, false, e);
    if (rc == 0)
        rc = fold_commit(&next, txn, e);
    if (rc != 0)
        return rc;
    if (!fold_is_under_way(&next))
        overlay_forget_through(txn->overlay, f->through);
    *f = next;
    return 0;
}
