/* SPDX-License-Identifier: Apache-2.0 */
/* What this box makes of its volumes' serials, as pool files want it. */
#ifndef LUNMGR_IDENTITY_H
#define LUNMGR_IDENTITY_H

#include "db/pool_file.h"

struct lunmgr;

/* Good as long as the manager, on any thread. */
struct identity_rule identity_rule_of(const struct lunmgr *m);

#endif
