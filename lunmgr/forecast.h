/* SPDX-License-Identifier: Apache-2.0 */
/* When what fills will be full: a mean of how fast it filled, the newest counting most,
 * those of FORECAST_SPAN_MS ago about a third as much. Space that came back counts
 * against it. Pure; the caller has the clock. */
#ifndef LUNMGR_FORECAST_H
#define LUNMGR_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

#define FORECAST_SPAN_MS  3600000   /* an hour */
#define FORECAST_KNOWN_MS 30000     /* watched for less, nothing is said */
#define FORECAST_MAX_S    315360000 /* ten years: nor is what is further off */

/* Zeroed: never looked at. */
struct forecast {
    bool begun;
    int64_t last_ms, known_ms;
    uint64_t last_used;
    double rate, weight; /* units a ms, and how much of it is known: 0 to 1 */
};

/* now_ms does not go back. used: in whatever unit. */
void forecast_look(struct forecast *f, int64_t now_ms, uint64_t used);
/* Units a second; 0: it does not fill, or that is not known. */
double forecast_rate(const struct forecast *f);
/* Seconds until `left` units more are used, rounded up; 0: not known, not filling,
 * further off than FORECAST_MAX_S, or nothing is left. */
uint64_t forecast_full_s(const struct forecast *f, uint64_t left);

#endif
