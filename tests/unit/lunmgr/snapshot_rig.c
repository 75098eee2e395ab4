/* SPDX-License-Identifier: Apache-2.0 */
/* See snapshot_rig.h. */
#include "tests/unit/lunmgr/snapshot_rig.h"

struct pool_rig rig;

int snapshot_setup(void **state)
{
    (void)state;
    struct pool_rig_options o = {
        .engine = RIG_THREADS, .lane_count = 2, .pool_bytes = 64 * MIB};
    pool_rig_create(&rig, &o);
    return 0;
}

int snapshot_teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, VOLUME_MIB * MIB, 512);
}

struct volume *snap(const char *volume, const char *name)
{
    struct volume *s = NULL;
    struct err e;
    assert_int_equal(rig_snapshot(&rig, volume, name, &s, &e), 0);
    assert_non_null(s);
    return s;
}
