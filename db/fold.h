/* SPDX-License-Identifier: Apache-2.0 */
/* Folding: what deltas say is stored in leaf rows, in order of key, a leaf once for many
 * rounds; then the deltas are deleted. In small transactions, each of which leaves a
 * catalog that reads the same (db/overlay.h says why). None of them is synced: if a crash
 * loses the last ones, the deltas are there again and are folded again. The log keeps
 * their order, and the next commit that is synced takes them with it.
 *
 * The writer's thread. */
#ifndef DB_FOLD_H
#define DB_FOLD_H

#include "db/overlay.h"
#include "db/txn.h"

struct fold {             /* all zero: none is under way */
    uint64_t through;     /* folds the deltas up to this id; 0: none is under way */
    uint64_t next_leaf;   /* lower ones are folded */
    bool are_leaves_done; /* what is left is to delete the deltas */
};

static inline bool fold_is_under_way(const struct fold *f)
{
    return f->through != 0;
}
/* Of what txn->overlay has now. Nothing to fold: none is under way. */
void fold_begin(struct fold *f, const struct catalog_txn *txn);
/* One transaction. On failure nothing has changed: the same step can be tried again. */
int fold_step(struct fold *f, struct catalog_txn *txn, struct err *e) MUST_CHECK;

#endif
