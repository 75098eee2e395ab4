/* SPDX-License-Identifier: Apache-2.0 */
/* The records at start and at the end: from the catalog into memory, and away. */
#ifndef LUNMGR_LOAD_H
#define LUNMGR_LOAD_H

#include "lunmgr/lunmgr_priv.h"

/* Before the pools' loop runs. Raises the devices' generations, marks the catalog
 * unclean. */
int load_all(struct lunmgr *m, struct err *e) MUST_CHECK;
/* Frees every object. */
void load_free(struct lunmgr *m);

#endif
