/* SPDX-License-Identifier: Apache-2.0 */
/* The wait is short beside the round that it spares those that come. After a vain one
 * some rounds do without, twice as many after each. */
#include "lunmgr/round_crowd.h"

#include "base/clock.h"

#include <event2/event.h>

#define WAIT_PART   2 /* of what the last round took */
#define WAIT_US_MAX 10000
#define IN_VAIN_MAX 64

static void crowd_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct round_crowd *c = arg;
    (void)fd;
    (void)what;
    c->over_us = 0;
    c->on_over(c->arg);
}

int crowd_init(struct round_crowd *c, struct event_base *base, void (*on_over)(void *arg),
               void *arg, struct err *e)
{
    *c = (struct round_crowd){.on_over = on_over, .arg = arg};
    c->timer = event_new(base, -1, 0, crowd_on_time, c);
    return c->timer == NULL ? err_oom(e) : 0;
}

void crowd_fini(struct round_crowd *c)
{
    if (c->timer != NULL)
        event_free(c->timer);
}

void crowd_on_come(struct round_crowd *c)
{
    c->waiting++;
}

static void crowd_learn(struct round_crowd *c)
{
    if (c->waiting >= c->expected)
        c->in_vain = 0;
    else if (c->in_vain < IN_VAIN_MAX)
        c->in_vain = c->in_vain == 0 ? 1 : 2 * c->in_vain;
    c->to_pass = c->in_vain;
}

void crowd_on_begin(struct round_crowd *c)
{
    event_del(c->timer);
    if (c->was_awaited)
        crowd_learn(c);
    c->was_awaited = false;
    c->answered = c->waiting;
    c->waiting = 0;
    c->began_us = clock_us();
}

static unsigned crowd_expected(struct round_crowd *c, int64_t took_us)
{
    unsigned all = c->answered + c->waiting;
    if (!c->is_wanted || took_us < CROWD_LONG_US || all > CROWD_MAX)
        return 0;
    if (c->to_pass > 0) {
        c->to_pass--;
        return 0;
    }
    return all;
}

void crowd_on_end(struct round_crowd *c)
{
    int64_t now_us = clock_us(), took_us = now_us - c->began_us;
    int64_t wait_us = took_us / WAIT_PART;
    c->expected = crowd_expected(c, took_us);
    c->over_us = now_us + (wait_us < WAIT_US_MAX ? wait_us : WAIT_US_MAX);
}

bool crowd_is_awaited(struct round_crowd *c)
{
    if (c->waiting >= c->expected)
        return false;
    int64_t left_us = c->over_us - clock_us();
    if (left_us <= 0)
        return false;
    c->was_awaited = true;
    struct timeval wait = {.tv_usec = left_us};
    return event_pending(c->timer, EV_TIMEOUT, NULL) != 0 ||
           event_add(c->timer, &wait) == 0;
}
