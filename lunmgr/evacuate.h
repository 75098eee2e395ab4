/* SPDX-License-Identifier: Apache-2.0 */
/* Emptying a device that serves: all extents that words name on it are moved to others,
 * slowly, beside the hosts' I/O. It hands none out meanwhile. Passes over the map go on
 * until one finds nothing and nothing was handed on behind its back (merges and copies
 * take words along). A restart begins with the first pass again. Home loop. */
#ifndef LUNMGR_EVACUATE_H
#define LUNMGR_EVACUATE_H

#include "base/err.h"
#include "lunmgr/device.h"
#include "lunmgr/progress.h"

#define EVACUATE_MOVES    4 /* under way at once */
#define EVACUATE_BURST    8 /* moved between two pauses, while hosts have I/O in flight */
#define EVACUATE_PAUSE_MS 2
#define EVACUATE_SHARERS  4096 /* words that move together, at most */

/* The device is marked DEVICE_EVACUATING. An extent is a unit of progress. done: the
 * caller's, on the home loop, never inside; e NULL: no committed word names an extent of
 * it, and nothing of it is on its way to be free. -ECANCELED: progress said stop, or
 * lunmgr closes; else why it cannot go on. */
void evacuate_start(struct pool *pool, struct device *device, struct progress *progress,
                    void (*done)(void *arg, const struct err *e), void *arg);

#endif
