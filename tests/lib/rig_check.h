/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true of the rig's pool and of what its volumes hold; the test fails where
 * it is not. */
#ifndef TESTS_LIB_RIG_CHECK_H
#define TESTS_LIB_RIG_CHECK_H

#include "tests/lib/pool_rig.h"

/* A check finds no extent that two words have or none may have, and shares as they are
 * counted; leaks may be. What it found. */
struct pool_check_report rig_assert_no_harm(struct pool_rig *r);
/* The same with the pool settled and checked after an unclean stop: no leak either. */
struct pool_check_report rig_assert_sound(struct pool_rig *r);
/* The volume begins with these bytes. */
void rig_assert_holds(struct pool_rig *r, struct volume *volume, const uint8_t *expect,
                      uint64_t bytes);

#endif
