/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for space in a full pool: the pieces of commands that need an extent, until
 * the grace of their command is over. They are parked, and hold no word, no extent and
 * nothing in flight, so reads, overwrites, rounds and other pools do not know of them. A
 * lane has one list, in the order of their coming, and one timer, which looks while any
 * waits whether its pool has something to give. The lane's thread alone. */
#ifndef LUNMGR_GRACE_H
#define LUNMGR_GRACE_H

#include "base/err.h"

#include <stdbool.h>

#define GRACE_LOOK_MS 50

struct event;
struct extent_io;
struct lane;
struct vio;
struct volume;

struct grace_wait {
    struct grace_wait *next;
};

struct grace {
    struct grace_wait *first, *last;
    struct event *timer;
};

/* Before its loop runs. */
int grace_init(struct lane *lane, struct err *e) MUST_CHECK;
/* Nothing waits any more. */
void grace_fini(struct lane *lane);

/* The piece has left its stripe, and found no space. True: it waits, and begins again
 * from its word, or ends with -ENOSPC. False: it is not to wait, or not any longer. */
bool grace_park(struct extent_io *x);
/* Their waits end, and they fail, perhaps inside: what of one command waits, what of a
 * volume's does. */
void grace_end_vio(struct vio *vio);
void grace_end_volume(struct lane *lane, const struct volume *volume);

#endif
