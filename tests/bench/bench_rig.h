/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured: lunmgr on a real catalog and a pool file, in a scratch directory on
 * the disk that holds the working directory, with lanes on threads of their own, as the
 * daemon has its reactors. The caller's thread is the control thread. Failures end the
 * program. */
#ifndef TESTS_BENCH_BENCH_RIG_H
#define TESTS_BENCH_BENCH_RIG_H

#include "lunmgr/job.h"
#include "lunmgr/lane.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/pool.h"
#include "lunmgr/snapshot.h"
#include "lunmgr/volume.h"
#include "lunmgr/volume_io.h"

#include <stdbool.h>
#include <stdint.h>

#define BENCH_LANES             2
#define BENCH_ROUND_INTERVAL_MS 3000 /* the daemon's default */

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

struct bench_options {
    enum engine_kind engine; /* AUTO: io_uring, or threads where it is refused */
    uint64_t pool_bytes;     /* of a sparse file */
    /* No: every block of it is written first, and none becomes a hole again later, as of
     * a device that takes no discards. */
    bool is_written;
    uint64_t leaf_cache_bytes; /* 0: the default */
    bool times_syncs;          /* sync_timer.h */
};

struct bench_rig {
    struct bench_options options;
    char dir[256];
    char pool_path[300];
    struct catalog *catalog;
    struct loop *control;
    struct lunmgr *manager;
    struct pool *pool;
    struct loop *loops[BENCH_LANES];
    struct lane *lanes[BENCH_LANES];
};

_Noreturn void bench_die(const char *what, const char *why);
/* A whole number of at least `least`, or the end. */
uint64_t bench_number(const char *option, const char *text, uint64_t least);
uint64_t bench_now_ns(void);

/* A new directory, nothing open. */
void bench_rig_init(struct bench_rig *r, const struct bench_options *options);
/* Opens what the directory holds; the pool "p" is made if there is none. */
void bench_rig_open(struct bench_rig *r);
/* Stops in order. */
void bench_rig_close(struct bench_rig *r);
/* Closes if open, and removes the directory. */
void bench_rig_fini(struct bench_rig *r);
/* The page cache forgets the catalog: what comes next reads it from the disk. */
void bench_rig_chill(const struct bench_rig *r);

/* Turns the control loop until reached(arg). */
void bench_until(struct bench_rig *r, bool (*reached)(void *arg), void *arg);
void bench_sleep(struct bench_rig *r, unsigned ms);

/* Answered. */
struct volume *bench_volume(struct bench_rig *r, const char *name, uint64_t bytes);
/* For good, its snapshots with it, and its space is free. */
void bench_remove(struct bench_rig *r, const char *volume);
struct volume *bench_snapshot(struct bench_rig *r, const char *volume, const char *name);
/* One I/O; data has room for it. */
void bench_io(struct bench_rig *r, struct volume *volume, enum vio_op op,
              uint64_t offset_bytes, uint64_t bytes, uint8_t *data);

/* Whose every block is on the disk, and which is given no discards. */
struct device *bench_add_device(struct bench_rig *r, const char *file, uint64_t bytes);
/* Begun; it goes on beside the traffic. */
struct job *bench_evacuate(struct bench_rig *r, const struct device *device);
void bench_remove_device(struct bench_rig *r, const struct device *device);

/* "VmRSS" or "VmHWM" of this process. */
uint64_t bench_memory_bytes(const char *field);

#endif
