/* SPDX-License-Identifier: Apache-2.0 */
/* What a benchmark says: rows of a Markdown table on stdout, "| claim | figure | bound |
 * verdict |", as docs/BENCHMARKS.md and tests/accept/ take them. What it does meanwhile
 * goes to stderr. */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include <stdbool.h>

struct report {
    bool judges; /* false: a smoke; figures of so short a run are no verdict */
    bool failed;
};

/* A claim with a bound: PASS or FAIL, or "-" where nothing is judged. */
void report_claim(struct report *r, bool holds, const char *claim, const char *bound,
                  const char *figure, ...) __attribute__((format(printf, 5, 6)));
/* A figure that is shown beside it. */
void report_figure(const char *what, const char *figure, ...)
    __attribute__((format(printf, 2, 3)));
void report_progress(const char *what, ...) __attribute__((format(printf, 1, 2)));
/* The program's exit status. */
int report_end(const struct report *r);

#endif
