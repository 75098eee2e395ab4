/* SPDX-License-Identifier: Apache-2.0 */
/* A timer of the control thread looks at what the pools have left, twice a second: tells
 * of their thresholds of use and that a pool which was full has space again, and keeps
 * the forecasts. When nothing has changed for a while and no job runs it rests: it looks
 * for the forecasts alone, until lunmgr_stir(). Control thread. */
#ifndef LUNMGR_POOL_WATCH_H
#define LUNMGR_POOL_WATCH_H

#include "base/err.h"
#include "lunmgr/forecast.h"
#include "lunmgr/usage.h"

#define POOL_WATCH_MS          500
#define POOL_WATCH_REST_MS     POOL_WATCH_FORECAST_MS
#define POOL_WATCH_QUIET_LOOKS 20 /* without a change: it rests */
#define POOL_WATCH_FORECAST_MS 10000

struct lunmgr;
struct pool;

/* Of one pool. */
struct pool_watch {
    struct forecast forecast;
    int64_t since_s;     /* it is watched, since 1970; 0: it is not yet */
    int64_t forecast_ms; /* of the forecast's last look */
    struct usage_watch usage;
    uint64_t used, size; /* extents, as the last look found them */
};

/* After the pools are loaded: thresholds that they are beyond have been told before. */
int pools_watch(struct lunmgr *m, struct err *e) MUST_CHECK;
void pools_unwatch(struct lunmgr *m);

#endif
