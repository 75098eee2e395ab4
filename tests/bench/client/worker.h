/* SPDX-License-Identifier: Apache-2.0 */
/* A thread with its sessions. */
#ifndef TESTS_BENCH_CLIENT_WORKER_H
#define TESTS_BENCH_CLIENT_WORKER_H

#include "tests/bench/client/session.h"

#include <pthread.h>

struct worker {
    pthread_t thread;
    struct run *run;
    struct figures figures;
    struct session *sessions[SESSIONS_MAX];
    bool armed[SESSIONS_MAX]; /* epoll waits for room to send */
    unsigned count;
    atomic_uint *live; /* workers that have not ended */
};

/* The body of its thread: until all its sessions have ended. */
void *worker_run(void *worker);

#endif
