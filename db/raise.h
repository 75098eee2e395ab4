/* SPDX-License-Identifier: Apache-2.0 */
/* Raising the generation that catalog and devices have in common (docs/FORMAT.md, "The
 * device's superblock"), in three steps, each durable before the next: odd in the rows,
 * new in the superblocks, new in the rows. Cut off anywhere, the two still go together,
 * and a copy of the catalog from before goes with none of the devices that have the new
 * one. On the writer's thread, outside a transaction. */
#ifndef DB_RAISE_H
#define DB_RAISE_H

#include "db/txn.h"

struct catalog_hooks;

/* 0 also where devices could not be stamped: their rows stay odd. */
int raise_devices(struct catalog_txn *txn, const struct catalog_hooks *hooks,
                  struct err *e) MUST_CHECK;

#endif
