/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of snapshots and of all that stands on them share: a rig whose disk I/O
 * goes to threads, volumes of one size on it, and their snapshots. */
#ifndef TESTS_UNIT_LUNMGR_SNAPSHOT_RIG_H
#define TESTS_UNIT_LUNMGR_SNAPSHOT_RIG_H

#include "tests/lib/rig_manage.h"

#define VOLUME_MIB 4

extern struct pool_rig rig;

int snapshot_setup(void **state);
int snapshot_teardown(void **state);

/* Each fails the test if it fails. */
struct volume *make(const char *name);
struct volume *snap(const char *volume, const char *name);

#define SNAPSHOT_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, snapshot_setup, snapshot_teardown)

#endif
