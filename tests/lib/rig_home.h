/* SPDX-License-Identifier: Apache-2.0 */
/* The fake engine of the rig's home loop, asked and told on its own thread. FAKE only;
 * what each does is said in fake_engine.h. */
#ifndef TESTS_LIB_RIG_HOME_H
#define TESTS_LIB_RIG_HOME_H

#include "tests/lib/pool_rig.h"

void rig_home_fail(struct pool_rig *r, unsigned ops, unsigned nth, int rc, bool sticky);
bool rig_home_failed(struct pool_rig *r);
/* ops 0: lets all go. */
void rig_home_hold(struct pool_rig *r, unsigned ops);
unsigned rig_home_waiting(struct pool_rig *r, unsigned ops);
/* Until so many of them wait, at the least. */
void rig_home_await(struct pool_rig *r, unsigned ops, unsigned count);
/* The oldest of those that match. */
bool rig_home_let_go(struct pool_rig *r, unsigned ops);
uint64_t rig_home_count(struct pool_rig *r, unsigned ops);

#endif
