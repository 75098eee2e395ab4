/* SPDX-License-Identifier: Apache-2.0 */
/* What a round leaves out for good after a device has failed (round.h says why). In a
 * round's copy phase, under the gate, but for the count. */
#ifndef LUNMGR_ROUND_LOST_H
#define LUNMGR_ROUND_LOST_H

#include <stdbool.h>

struct pool;

unsigned round_failed_devices(const struct pool *pool);
/* Something of a lost family stays where it is from now on: nothing is freed any more. */
void round_leave_out(struct pool *pool);
/* From the round's leaves and shares, before they are copied: what is not to be committed
 * any more. False: out of memory. */
bool round_sort_out(struct pool *pool);
/* Afterwards: a write's blocks were shown, and copied, after it had been asked who has
 * lost some. */
bool round_copied_lost(struct pool *pool);

#endif
