/* SPDX-License-Identifier: Apache-2.0 */
/* One rod of the rig. */
#include "tests/lib/rig_rod.h"

static void making_on_done(struct rod_ask *ask, struct rod *rod, int rc)
{
    struct rig_making *m = container_of(ask, struct rig_making, ask);
    m->rod = rod;
    m->rc = rc;
    atomic_store(&m->ended, true);
}

bool rig_making_ended(void *making)
{
    return atomic_load(&((struct rig_making *)making)->ended);
}

void rig_making_start(struct rig_lane *lane, void *making)
{
    struct rig_making *m = making;
    m->ask.lane = lane->lane;
    m->ask.done = making_on_done;
    rod_make(&m->ask);
}

int rig_make_rod(struct pool_rig *r, struct rig_making *m, struct volume *source,
                 const struct rod_piece *pieces, unsigned count)
{
    *m = (struct rig_making){
        .ask = {
            .source = source, .host = "host", .pieces = pieces, .piece_count = count}};
    pool_rig_at_lane(r, 0, rig_making_start, m);
    pool_rig_until(r, rig_making_ended, m);
    return m->rc;
}
