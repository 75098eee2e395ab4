/* SPDX-License-Identifier: Apache-2.0 */
/* A pool to test on: a scratch directory with a real catalog, the manager, a pool "p" on
 * a file, up to three lanes that run on threads of their own or are turned by hand by
 * whoever waits. The test's thread is the control thread. Failures that no test can go on
 * from end the program, naming the place. */
#ifndef TESTS_LIB_POOL_RIG_H
#define TESTS_LIB_POOL_RIG_H

#include "lunmgr/lane.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/pool.h"
#include "lunmgr/round.h"
#include "lunmgr/volume.h"
#include "lunmgr/volume_io.h"
#include "tests/lib/cut_disk.h"
#include "tests/lib/fake_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RIG_LANES 3
#define MIB       (1ULL << 20)

enum rig_engine { RIG_URING, RIG_THREADS, RIG_FAKE, RIG_CUT };

struct pool_rig_options {
    enum rig_engine engine;
    unsigned lane_count;
    bool threads;        /* each lane on its own; else turned by hand */
    uint64_t pool_bytes; /* of its file */
    bool page_cache;     /* the pool's */
    unsigned tick_ms;    /* rounds nobody asked for; 0: none */
    unsigned space_grace_ms;
    uint64_t seed; /* FAKE: shuffles if not 0; CUT, BY HAND: 1 if 0 */
    /* Everything (the pools' loop and the catalog too) is turned by hand, in an order
     * drawn from the seed; else only what `threads` leaves. */
    bool by_hand;
    uint64_t leaf_cache_bytes; /* 0: the default */
    unsigned outdate_ms;       /* 0: the default */
    /* CUT: the caller's mains, and disks; NULL: the rig's own, one disk at pool_path. */
    struct power *power;
    /* BY HAND: the catalog's writer takes one in so many of its turns and one more, so
     * that rounds stay under way for long. 0: every one. */
    unsigned commit_delay;
};

struct pool_rig;

struct rig_lane {
    struct pool_rig *rig;
    struct loop *loop;
    struct lane *lane;
    struct fake_engine *fake; /* FAKE only */
};

struct pool_rig {
    struct pool_rig_options options;
    char dir[256];
    char pool_path[300];
    struct catalog *catalog;
    struct loop *control;
    struct lunmgr *manager;
    struct pool *pool; /* NULL: none, or not to be made */
    struct fake_engine *home_fake;
    struct power *power;
    struct cut_disk *disk; /* CUT; NULL: the caller's */
    uint64_t random;
    bool
        in_order; /* by hand: turns by rote, no chance in it: another thread is awaited */
    struct rig_lane lanes[RIG_LANES];
};

/* A new directory, a new pool. */
void pool_rig_create(struct pool_rig *r, const struct pool_rig_options *options);
/* The same without a pool. */
void pool_rig_create_bare(struct pool_rig *r, const struct pool_rig_options *options);
/* Stops in order; the directory stays. */
void pool_rig_close(struct pool_rig *r);
/* Opens what the directory holds. */
void pool_rig_open(struct pool_rig *r);
/* Both: a clean stop and a start. */
void pool_rig_reopen(struct pool_rig *r);
/* Closes if open, and removes the directory. */
void pool_rig_destroy(struct pool_rig *r);
/* False where this kernel has no io_uring. */
bool pool_rig_has(enum rig_engine engine);

/* Copies what a power cut (CUT) or a kill at this moment would leave. */
void pool_rig_cut(struct pool_rig *r);
/* After pool_rig_close: puts that copy in place of the directory's files. */
void pool_rig_take_cut(struct pool_rig *r);
/* All of it: a stop, and a start on that copy. */
void pool_rig_reopen_cut(struct pool_rig *r);
/* After pool_rig_close: the same of the catalog alone: an old backup comes back. */
void pool_rig_take_cut_catalog(struct pool_rig *r);

/* Turns the control loop and the lanes turned by hand, until reached(arg). */
void pool_rig_until(struct pool_rig *r, bool (*reached)(void *arg), void *arg);
/* One of what is turned by hand. */
void pool_rig_step(struct pool_rig *r);
/* A few turns of each. */
void pool_rig_turn(struct pool_rig *r);
/* fn on the home loop's thread, waited for. */
void pool_rig_at_home(struct pool_rig *r, void (*fn)(struct pool_rig *r, void *arg),
                      void *arg);
/* fn on a lane's thread, waited for. */
void pool_rig_at_lane(struct pool_rig *r, unsigned lane,
                      void (*fn)(struct rig_lane *lane, void *arg), void *arg);

/* ---- Management, waited for: 0 or the error's code ----------------------------------
 */
int pool_rig_make_pool(struct pool_rig *r, const char *name, const char *path,
                       uint64_t bytes, struct pool **out, struct err *e);
int pool_rig_delete_pool(struct pool_rig *r, const char *name, struct err *e);
int pool_rig_make_volume(struct pool_rig *r, const char *name, uint64_t bytes,
                         uint32_t block_bytes, struct volume **out, struct err *e);
/* Fails the test if it fails. */
struct volume *pool_rig_volume(struct pool_rig *r, const char *name, uint64_t bytes,
                               uint32_t block_bytes);
int pool_rig_delete_volume(struct pool_rig *r, const char *name, struct err *e);
int pool_rig_check(struct pool_rig *r, struct pool_check_report *report, struct err *e);
/* A whole round, as the tick and whoever waits for space begin: a flush commits its own
 * volume's changes alone, and lets nothing age. */
struct rig_round {
    struct round_wait wait;
    bool ended;
};
void rig_round_start(struct pool_rig *r, struct rig_round *round);
int rig_round_wait(struct pool_rig *r, struct rig_round *round);
/* Both. */
int rig_round(struct pool_rig *r);
/* Until no layer is being dropped and what was freed is free. */
void pool_rig_settle(struct pool_rig *r);
/* Those too that only their punch holds back: at home, where none ends meanwhile. */
uint64_t pool_rig_free_extents(struct pool_rig *r);
/* Until no check of the pool is under way, such as an unclean stop calls for. */
void pool_rig_await_checks(struct pool_rig *r);

/* ---- One I/O ------------------------------------------------------------------------
 */
struct rig_io {
    struct vio vio;
    struct pool_rig *rig;
    unsigned lane;
    struct note note;
    uint8_t *buffer;
    _Atomic bool ended;
    int rc;
};

/* With a buffer of its own for READ, WRITE, OR and COMPARE_WRITE. */
void rig_io_init(struct rig_io *io, struct pool_rig *r, unsigned lane,
                 struct volume *volume, enum vio_op op, uint64_t offset, uint64_t bytes);
void rig_io_fini(struct rig_io *io);
/* Where the first byte of the range lies. */
uint8_t *rig_io_data(struct rig_io *io);
/* COMPARE_WRITE: what has to be there, and behind it what is written then. */
uint8_t *rig_io_halves(struct rig_io *io);
/* A COMPARE_WRITE of bytes that are all alike. */
void rig_io_init_caw(struct rig_io *io, struct pool_rig *r, unsigned lane,
                     struct volume *volume, uint64_t offset, uint64_t bytes,
                     uint8_t expected, uint8_t fill);
void rig_io_start(struct rig_io *io);
int rig_io_wait(struct rig_io *io);
/* Waits, then frees its buffer. */
int rig_io_end(struct rig_io *io);
/* All of it: data is copied in or out. */
int rig_io_run(struct pool_rig *r, unsigned lane, struct volume *volume, enum vio_op op,
               uint64_t offset, uint64_t bytes, uint8_t *data);
int rig_write(struct pool_rig *r, struct volume *volume, uint64_t offset, uint64_t bytes,
              uint8_t fill);
/* One copy (lunmgr/copy.h) on lane 0, waited for; how it ended is in *copy. */
struct copy;
int rig_copy(struct pool_rig *r, struct copy *copy);
/* True if all bytes of the range read as fill. */
bool rig_reads(struct pool_rig *r, struct volume *volume, uint64_t offset, uint64_t bytes,
               uint8_t fill);
int rig_flush(struct pool_rig *r, struct volume *volume);

/* Iterations: n, or some times that where ASHLAR_NIGHTLY is 1 in the environment, or as
 * many times as it says. */
unsigned rig_times(unsigned n);

#endif
