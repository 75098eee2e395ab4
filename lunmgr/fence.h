/* SPDX-License-Identifier: Apache-2.0 */
/* The fence: the one way to exclude a volume's commands on all lanes. The asker raises
 * it; each lane holds new commands and acknowledges when its own in flight have ended;
 * the asker acts; release runs what was held. Raises of one volume queue, so none can
 * deadlock. Unused it costs a command one load. raise and release: any thread; enter and
 * leave: the lane's. */
#ifndef LUNMGR_FENCE_H
#define LUNMGR_FENCE_H

#include "base/inbox.h"
#include "lunmgr/lane.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vio;
struct fence;

enum fence_kind {
    FENCE_ALL,    /* every command, until its I/O and its round have ended */
    FENCE_WRITES, /* what changes blocks, until they are changed: it waits for no round,
                     and reads pass */
};

/* The asker's; its note comes to its inbox when every lane has acknowledged. */
struct fence_wait {
    struct note note;
    struct inbox *inbox;
    enum fence_kind kind;
    struct fence_wait *next;
};

struct fence_lane { /* its lane's thread alone */
    struct note note;
    struct fence *fence;
    struct lane *lane;
    uint32_t commands; /* in flight */
    uint32_t changes;  /* of those: have blocks to change yet */
    bool held;
    enum fence_kind kind; /* of what holds */
    bool owes_ack;
    struct vio *parked, *parked_last;
};

struct fence {
    struct lunmgr *manager;
    pthread_mutex_t lock;
    struct fence_wait *active, *queue;
    atomic_uint acks_due;
    struct fence_lane lanes[LANE_MAX];
};

void fence_init(struct fence *f, struct lunmgr *manager);
void fence_fini(struct fence *f);

void fence_raise(struct fence *f, struct fence_wait *wait);
/* By who was told that it is raised. */
void fence_release(struct fence *f);

/* False: held; vio_resume comes when it is released. */
bool fence_enter(struct fence *f, struct vio *vio);
/* Somebody waits for the vio's end, or acts and holds what comes after it. */
bool fence_is_up(const struct fence *f, const struct vio *vio);
/* A vio that changes blocks has changed them; it leaves later. */
void fence_changed(struct fence *f, struct vio *vio);
void fence_leave(struct fence *f, struct vio *vio);
/* Between two parts of a long one: true if somebody waits; then it has left, and
 * vio_resume comes. */
bool fence_step_aside(struct fence *f, struct vio *vio);
/* volume_io.c: enters again and goes on. */
void vio_resume(struct vio *vio);

#endif
