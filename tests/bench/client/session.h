/* SPDX-License-Identifier: Apache-2.0 */
/* A session under load: slots that each have one command under way, or wait for the
 * moment when one is due. Made and logged in on the main thread; then its worker's. */
#ifndef TESTS_BENCH_CLIENT_SESSION_H
#define TESTS_BENCH_CLIENT_SESSION_H

#include "tests/bench/client/figures.h"
#include "tests/bench/client/options.h"

#include <stdatomic.h>
#include <stdbool.h>

enum phase {
    PHASE_RAMP,    /* under load, not measured */
    PHASE_MEASURE, /* what ends now counts */
    PHASE_OVER,    /* nothing new begins */
};

/* All that the threads have in common. */
struct run {
    struct bench_options o;
    _Atomic enum phase phase;
    atomic_bool failed; /* somebody said why on stderr; the phase is over */
    int64_t began_ns;   /* the first command is due; set before the threads run */
};

int64_t now_ns(void); /* CLOCK_MONOTONIC */
void run_fail(struct run *run, const char *why, const char *detail);

struct session;

/* Logs in. NULL: run_fail() was called. f is its worker's, and outlives it. */
struct session *session_open(struct run *run, unsigned index, struct figures *f);
void session_close(struct session *s); /* NULL: nothing */

/* Sends what may be sent now. */
void session_go(struct session *s, int64_t now);
/* Reads what has come, sends what follows from it. revents as poll's, 0: looks for
 * commands without an answer. */
void session_serve(struct session *s, unsigned revents);
int session_fd(const struct session *s);
/* It has more to send than the socket takes. */
bool session_wants_out(const struct session *s);
/* The moment when its next command is due and can go; INT64_MAX: not by time. */
int64_t session_due_ns(const struct session *s);
/* Nothing is under way and nothing more will be. */
bool session_ended(const struct session *s);
/* When its last command ended. */
int64_t session_last_ns(const struct session *s);

#endif
