/* SPDX-License-Identifier: Apache-2.0 */
/* What was done while it was measured, and what is told of it. Each thread fills figures
 * of its own; they are put together when all have ended. */
#ifndef TESTS_BENCH_CLIENT_FIGURES_H
#define TESTS_BENCH_CLIENT_FIGURES_H

#include "tests/bench/client/options.h"
#include "tests/bench/histogram.h"

#include <sys/types.h>

enum kind {
    KIND_READ,
    KIND_WRITE,
    KIND_FLUSH,
    KINDS,
};

struct figures {
    struct histogram latency[KINDS];
    uint64_t again; /* commands that were sent again: busy, task set full */
};

void figures_merge(struct figures *into, const struct figures *from);

/* Processor time so far, in seconds. */
double cpu_of_process(pid_t pid); /* 0: there is none */
double cpu_of_client(void);

/* The span that figures are of. */
struct span {
    double seconds;
    double target_cpu_s; /* -1: not known */
    double client_cpu_s;
};

/* A line of JSON, then one for people. Latencies in microseconds. */
void figures_tell(const struct figures *f, const struct span *span,
                  const struct bench_options *o);

#endif
