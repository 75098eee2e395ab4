/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes from inside lunmgr: made from their rows at start. */
#ifndef LUNMGR_VOLUME_PRIV_H
#define LUNMGR_VOLUME_PRIV_H

#include "db/catalog.h"
#include "lunmgr/pool_priv.h"

/* With one reference and no layer yet; NULL: out of memory. */
struct volume *volume_new(struct pool *pool, const struct volume_row *row);

#endif
