/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the catalog's files that are made behind the daemon's back go out of date:
 * while anything is committed the generation of catalog and devices is raised now and
 * then, and at an orderly end (db/catalog.h, catalog_raise). Control thread. */
#ifndef LUNMGR_OUTDATE_H
#define LUNMGR_OUTDATE_H

#include "base/err.h"

struct lunmgr;

int outdate_start(struct lunmgr *m, struct err *e) MUST_CHECK;
/* None begins any more. */
void outdate_stop(struct lunmgr *m);
/* Blocking, at the end, with the devices open and no round left; says so where it cannot.
 */
void outdate_finish(struct lunmgr *m);

#endif
