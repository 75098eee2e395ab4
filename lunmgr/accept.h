/* SPDX-License-Identifier: Apache-2.0 */
/* Taking an older catalog for the truth after all: where the one that its devices know is
 * gone for good. Without a manager; main's thread. */
#ifndef LUNMGR_ACCEPT_H
#define LUNMGR_ACCEPT_H

#include "base/err.h"

struct catalog;

/* Blocking. Each device of the catalog that carries its own superblock of a later
 * generation is from now on of the catalog's age; the audit log says so. What was
 * written since may be lost, and a volume may show what was another's: docs/RUNBOOK.md.
 * *count: such devices. -ENODATA: there is none. */
int catalog_accept(struct catalog *catalog, unsigned *count, struct err *e) MUST_CHECK;

#endif
