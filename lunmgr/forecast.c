/* SPDX-License-Identifier: Apache-2.0 */
/* A mean with weights that fall as time goes by: what was known before counts
 * SPAN / (SPAN + elapsed) of what it did. Divided by its weight it is right from the
 * first stretch on. */
#include "lunmgr/forecast.h"

#define ROUNDING 1e-6 /* what sums of fractions may be off */

void forecast_look(struct forecast *f, int64_t now_ms, uint64_t used)
{
    int64_t elapsed = now_ms - f->last_ms;
    if (f->begun && elapsed <= 0)
        return;
    if (f->begun) {
        double keep = FORECAST_SPAN_MS / (double)(FORECAST_SPAN_MS + elapsed);
        double came = (double)used - (double)f->last_used;
        f->rate = f->rate * keep + came / (double)elapsed * (1 - keep);
        f->weight = f->weight * keep + (1 - keep);
        f->known_ms += elapsed;
    }
    f->begun = true;
    f->last_ms = now_ms;
    f->last_used = used;
}

double forecast_rate(const struct forecast *f)
{
    if (f->known_ms < FORECAST_KNOWN_MS || f->rate <= 0)
        return 0;
    return f->rate / f->weight * 1000;
}

uint64_t forecast_full_s(const struct forecast *f, uint64_t left)
{
    double rate = forecast_rate(f);
    if (rate <= 0 || (double)left > rate * FORECAST_MAX_S)
        return 0;
    double seconds = (double)left / rate;
    uint64_t whole = (uint64_t)seconds;
    return whole + (seconds - (double)whole > ROUNDING);
}
