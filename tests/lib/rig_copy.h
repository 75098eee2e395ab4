/* SPDX-License-Identifier: Apache-2.0 */
/* One copy (lunmgr/copy.h) on the rig's lane 0, under way beside what the test does, or
 * waited for. The test's thread. */
#ifndef TESTS_LIB_RIG_COPY_H
#define TESTS_LIB_RIG_COPY_H

#include "lunmgr/copy.h"
#include "tests/lib/pool_rig.h"

#include <stdatomic.h>

struct rig_copying {
    struct copy copy; /* the caller sets what is to be copied */
    atomic_bool ended;
    int rc;
};

void rig_copying_start(struct pool_rig *r, struct rig_copying *c);
/* arg: the copying; for pool_rig_until(). */
bool rig_copying_ended(void *arg);
/* How it has ended: 0 or -errno. */
int rig_copying_wait(struct pool_rig *r, struct rig_copying *c);

#endif
