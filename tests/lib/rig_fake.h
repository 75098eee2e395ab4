/* SPDX-License-Identifier: Apache-2.0 */
/* The fake engines of the rig (FAKE): what each of these does is said in fake_engine.h.
 * The home loop's is asked and told on its own thread, a lane's where lanes are turned by
 * hand. */
#ifndef TESTS_LIB_RIG_FAKE_H
#define TESTS_LIB_RIG_FAKE_H

#include "tests/lib/pool_rig.h"

/* ---- The home loop's ---- */

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

/* ---- A lane's ---- */

void rig_lane_hold(struct pool_rig *r, unsigned lane, unsigned ops);
unsigned rig_lane_waiting(struct pool_rig *r, unsigned lane, unsigned ops);
/* The oldest of those that match, which must be there; then turns. */
void rig_lane_let_go(struct pool_rig *r, unsigned lane, unsigned ops);

#endif
