/* SPDX-License-Identifier: Apache-2.0 */
/* One rod (lunmgr/rod.h) made on the rig's lane 0, waited for. The test's thread. */
#ifndef TESTS_LIB_RIG_ROD_H
#define TESTS_LIB_RIG_ROD_H

#include "lunmgr/rod.h"
#include "tests/lib/pool_rig.h"

#include <stdatomic.h>

struct rig_making {
    struct rod_ask ask;
    struct rod *rod; /* NULL, or the caller's until rod_put */
    atomic_bool ended;
    int rc;
};

void rig_making_start(struct rig_lane *lane, void *making);
bool rig_making_ended(void *making);
/* rod_make's outcome; *m stays where it is until then, as the pieces do. */
int rig_make_rod(struct pool_rig *r, struct rig_making *m, struct volume *source,
                 const struct rod_piece *pieces, unsigned count);

#endif
