/* SPDX-License-Identifier: Apache-2.0 */
/* Freed extents between limbo and the allocator: their space is returned to the file or
 * the device below first, adjacent ones at once, slowly, in the background. An extent is
 * not handed out while that is under way, so that what is written to it later is safe.
 * Nothing depends on it: what a crash, a stop, a refusal or a writer in need of space
 * cuts short is free all the same. Home loop, unless said otherwise. */
#ifndef LUNMGR_DISCARD_H
#define LUNMGR_DISCARD_H

#include "base/err.h"
#include "lunmgr/engine.h"
#include "lunmgr/pool.h"
#include "lunmgr/word.h"

#include <stdbool.h>
#include <stddef.h>

#define DISCARD_RUNS_MAX        4    /* under way at once */
#define DISCARD_RUN_EXTENTS_MAX 1024 /* 64 MiB */
#define DISCARD_PAUSE_MS        5    /* between some and the next */
/* What writers in need of space are given back at a time. */
#define DISCARD_TAKE_BACK_EXTENTS 1024

struct device;
struct event;
struct pool;

/* How a device is given space back; found out when it is first wanted. */
enum discard_way {
    DISCARD_UNKNOWN,
    DISCARD_PUNCH, /* a hole in the file */
    DISCARD_TRIM,  /* BLKDISCARD */
    DISCARD_NONE,  /* it refused */
};

struct discard_run {
    struct engine_io io;
    struct note note; /* of the thread that trims */
    struct pool *pool;
    struct device *device;
    uint64_t first, count; /* extents; count 0: not in use */
    int rc;
};

struct discard {
    size_t waiting_count; /* in the devices' sets */
    unsigned under_way;
    bool is_busy;    /* counted as background work */
    bool is_stopped; /* the pool is to go */
    struct event *pause;
    struct discard_run runs[DISCARD_RUNS_MAX];
};

/* Before the home loop has the pool, and after it had. */
int discard_init(struct pool *pool, struct err *e) MUST_CHECK;
void discard_fini(struct pool *pool);
/* No more of it from now on (what is under way is background work, to be waited for), or
 * as before. */
void discard_stop(struct pool *pool);
void discard_go_on(struct pool *pool);

/* p has aged, and limbo.c counts it. False: it is to be released at once. */
bool discard_add(struct pool *pool, place p) MUST_CHECK;
/* Releases some of those that wait: so many are no longer to be counted. */
size_t discard_take_back(struct pool *pool, size_t max);
/* The device has another size now, or goes: those of it that wait are released as they
 * are; those under way go on. */
void discard_forget(struct pool *pool, struct device *device);
/* Some of it are under way. */
bool discard_has_device(const struct pool *pool, const struct device *device);

#endif
