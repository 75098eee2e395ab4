/* SPDX-License-Identifier: Apache-2.0 */
/* I/O of one kind on one lane, so many at once, for so long: each that ends is followed
 * by the next at once. Runs on the lane's thread; the control thread starts it and looks
 * whether it has ended. */
#ifndef TESTS_BENCH_TRAFFIC_H
#define TESTS_BENCH_TRAFFIC_H

#include "tests/bench/bench_rig.h"
#include "tests/bench/histogram.h"

#define TRAFFIC_DEPTH_MAX 128

/* When an I/O was under way. */
struct io_span {
    uint64_t began_ns, ended_ns;
};

/* The longest of those that were under way at any moment of the window; 0: none. */
uint64_t io_span_longest_in(const struct io_span *window, const struct io_span *spans,
                            size_t count);

/* Where the next one goes; on the lane's thread. False: there is no more. */
typedef bool (*traffic_next_fn)(void *arg, uint64_t *offset_bytes);

struct traffic_options {
    struct volume *volume;
    unsigned lane;
    unsigned depth;
    uint32_t io_bytes;
    unsigned write_percent; /* the others are reads */
    uint64_t milliseconds;  /* 0: until traffic_stop, or there is no more */
    traffic_next_fn next;
    void *next_arg;
    /* NULL, or room for this many, in the order of their ends; those beyond are lost. */
    struct io_span *spans;
    size_t span_max;
};

struct traffic_result {
    uint64_t count;
    double seconds;
    struct histogram latency;
    size_t span_count;
};

struct traffic;

struct traffic *traffic_start(struct bench_rig *r, const struct traffic_options *options);
/* No new I/O from now on. */
void traffic_stop(struct traffic *t);
bool traffic_ended(struct traffic *t);
/* Waits for its end and frees it. */
void traffic_finish(struct bench_rig *r, struct traffic *t, struct traffic_result *out);
/* Starts, waits, finishes. */
void traffic_run(struct bench_rig *r, const struct traffic_options *options,
                 struct traffic_result *out);
/* As if both had been one, one after the other; sum is zeroed at first. No spans. */
void traffic_add(struct traffic_result *sum, const struct traffic_result *result);
double traffic_iops(const struct traffic_result *result);

/* A place: any aligned one of the region, each as likely. */
struct random_place {
    uint64_t state; /* not 0 */
    uint64_t region_bytes;
    uint32_t align_bytes;
};
uint64_t random_next(uint64_t *state);
bool random_place_next(void *arg, uint64_t *offset_bytes);

#endif
