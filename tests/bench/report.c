/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a table. */
#include "tests/bench/report.h"

#include <stdarg.h>
#include <stdio.h>

static void report_row(const char *claim, const char *bound, const char *verdict,
                       const char *figure, va_list args)
{
    printf("| %s | ", claim);
    vprintf(figure, args);
    printf(" | %s | %s |\n", bound, verdict);
    fflush(stdout);
}

void report_claim(struct report *r, bool holds, const char *claim, const char *bound,
                  const char *figure, ...)
{
    const char *verdict = holds ? "PASS" : "FAIL";
    va_list args;
    va_start(args, figure);
    report_row(claim, bound, r->judges ? verdict : "-", figure, args);
    va_end(args);
    r->failed = r->failed || (r->judges && !holds);
}

void report_figure(const char *what, const char *figure, ...)
{
    va_list args;
    va_start(args, figure);
    report_row(what, "-", "-", figure, args);
    va_end(args);
}

void report_progress(const char *what, ...)
{
    va_list args;
    va_start(args, what);
    vfprintf(stderr, what, args);
    va_end(args);
    fputc('\n', stderr);
}

int report_end(const struct report *r)
{
    return r->failed ? 1 : 0;
}
