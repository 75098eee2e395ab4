/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of ashlar-load with the sectors that it owns: it writes, zeroes, unmaps,
 * flushes and reads at random with several commands open, knows what every sector of its
 * own must hold and checks each read against that. Lanes share no sector, so each is
 * right or wrong by itself. A lane belongs to one thread; struct load is read by all and
 * changed under its lock. */
#ifndef TESTS_PROTOCOL_LANE_H
#define TESTS_PROTOCOL_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOAD_LUNS_MAX  8
#define LOAD_DEPTH_MAX 64

enum work {
    WORK_WRITE,
    WORK_READ,
    WORK_FLUSH,
    WORK_UNMAP,
    WORK_ZERO,
    WORK_KINDS,
};

struct load_options {
    const char *url;
    const char *initiator;
    unsigned luns[LOAD_LUNS_MAX];
    unsigned lun_count;
    unsigned lanes;
    unsigned depth;
    uint64_t region_bytes; /* owned by one lane on each LUN */
    uint64_t
        chunk_sectors; /* the region is cut into these, laid between the other lanes' */
    uint64_t extent_bytes; /* an unmapped one, whole and aligned, must read zeros */
    uint64_t ops;          /* of all lanes; 0: not bounded by it */
    unsigned seconds;      /* 0: not bounded by it */
    uint64_t seed;
    unsigned work_share[WORK_KINDS]; /* out of their sum */
    int timeout_s;
    bool header_digest;
    bool reconnect;
    bool residuals_ok;
    bool expect_zeros; /* sectors never written must read zeros */
};

struct load {
    struct load_options o;
    atomic_bool stop;
    atomic_uint_fast64_t done[WORK_KINDS];
    atomic_uint_fast64_t bytes;
    atomic_uint_fast64_t retries;
    pthread_mutex_t lock; /* of what is below */
    int exit_code;        /* 1: wrong data, 2: a command or a connection failed */
};

/* The whole life of lane `index`: log in, work until told to stop, read all back, log
 * out. */
void lane_run(struct load *load, unsigned index);

#endif
