/* SPDX-License-Identifier: Apache-2.0 */
/* Time that only goes forward. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* All since some moment before the start. This one is some milliseconds coarse, and
 * cheap. */
static inline int64_t clock_coarse_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

/* To the next whole multiple of every_us (more than 0): what waits for those is one
 * wake-up of a thread, however much of it there is. */
static inline int64_t clock_us_to_next(int64_t every_us)
{
    return every_us - clock_us() % every_us;
}

/* As a timer takes it; not negative. */
static inline struct timeval clock_span_us(int64_t us)
{
    return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

static inline struct timeval clock_span_ms(int64_t ms)
{
    return clock_span_us(ms * 1000);
}

#endif
