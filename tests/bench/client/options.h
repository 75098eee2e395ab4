/* SPDX-License-Identifier: Apache-2.0 */
/* What ashlar-bench is asked to do: see options.c for the words. Read by all threads,
 * changed by none once they run. */
#ifndef TESTS_BENCH_CLIENT_OPTIONS_H
#define TESTS_BENCH_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SESSIONS_MAX 1024
#define DEPTH_MAX    256
#define THREADS_MAX  16

struct bench_options {
    char **urls; /* borrowed from argv; session i takes urls[i % url_count] */
    unsigned url_count;
    const char *initiator;
    unsigned sessions, depth, threads;
    uint32_t block_bytes;
    unsigned read_percent; /* the others are writes */
    bool sequential;       /* else at random */
    bool once;             /* each place is visited once, then it is over */
    bool verify;           /* what is read is what was written */
    bool header_digest, data_digest;
    bool hold;            /* logged in, it waits for a line on stdin before it begins */
    unsigned flush_every; /* writes of a slot, then a SYNCHRONIZE CACHE; 0: none */
    uint64_t count;       /* commands of each session; 0: not bounded by it */
    double rate;          /* commands a second of all sessions; 0: as fast as they end */
    double ramp_s;        /* not measured */
    double seconds;       /* measured; 0: not bounded by it */
    pid_t target_pid;     /* whose processor time is told; 0: nobody's */
    uint32_t seed;
};

/* Ends the program with 64 and a line that says why if they make no sense. */
void options_read(struct bench_options *o, int argc, char **argv);

#endif
