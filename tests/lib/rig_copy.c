/* SPDX-License-Identifier: Apache-2.0 */
/* One copy of the rig, on lane 0's thread or turned here. */
#include "tests/lib/rig_copy.h"

static void copying_on_done(struct copy *copy, int rc)
{
    struct rig_copying *c = container_of(copy, struct rig_copying, copy);
    c->rc = rc;
    atomic_store(&c->ended, true);
}

bool rig_copying_ended(void *arg)
{
    return atomic_load(&((struct rig_copying *)arg)->ended);
}

static void copying_start(struct rig_lane *lane, void *arg)
{
    struct rig_copying *c = arg;
    c->copy.lane = lane->lane;
    c->copy.done = copying_on_done;
    copy_start(&c->copy);
}

void rig_copying_start(struct pool_rig *r, struct rig_copying *c)
{
    atomic_store(&c->ended, false);
    pool_rig_at_lane(r, 0, copying_start, c);
}

int rig_copying_wait(struct pool_rig *r, struct rig_copying *c)
{
    pool_rig_until(r, rig_copying_ended, c);
    return c->rc;
}

int rig_copy(struct pool_rig *r, struct copy *copy)
{
    struct rig_copying c = {.copy = *copy};
    rig_copying_start(r, &c);
    int rc = rig_copying_wait(r, &c);
    *copy = c.copy;
    return rc;
}
