/* SPDX-License-Identifier: Apache-2.0 */
/* See rig_fake.h. */
#include "tests/lib/rig_fake.h"

/* ---- The home loop's -----------------------------------------------------------------
 */

struct home_call {
    unsigned ops, nth;
    int rc;
    bool sticky;
    uint64_t answer;
};

static void call_fail(struct pool_rig *r, void *arg)
{
    const struct home_call *c = arg;
    fake_engine_fail(r->home_fake, c->ops, c->nth, c->rc, c->sticky);
}

void rig_home_fail(struct pool_rig *r, unsigned ops, unsigned nth, int rc, bool sticky)
{
    struct home_call c = {.ops = ops, .nth = nth, .rc = rc, .sticky = sticky};
    pool_rig_at_home(r, call_fail, &c);
}

static void call_failed(struct pool_rig *r, void *arg)
{
    ((struct home_call *)arg)->answer = fake_engine_failed(r->home_fake);
}

bool rig_home_failed(struct pool_rig *r)
{
    struct home_call c = {.ops = 0};
    pool_rig_at_home(r, call_failed, &c);
    return c.answer != 0;
}

static void call_hold(struct pool_rig *r, void *arg)
{
    fake_engine_hold(r->home_fake, ((const struct home_call *)arg)->ops);
}

void rig_home_hold(struct pool_rig *r, unsigned ops)
{
    struct home_call c = {.ops = ops};
    pool_rig_at_home(r, call_hold, &c);
}

static void call_waiting(struct pool_rig *r, void *arg)
{
    struct home_call *c = arg;
    c->answer = fake_engine_waiting(r->home_fake, c->ops);
}

unsigned rig_home_waiting(struct pool_rig *r, unsigned ops)
{
    struct home_call c = {.ops = ops};
    pool_rig_at_home(r, call_waiting, &c);
    return (unsigned)c.answer;
}

struct awaited {
    struct pool_rig *rig;
    unsigned ops, count;
};

static bool so_many_wait(void *arg)
{
    const struct awaited *a = arg;
    return rig_home_waiting(a->rig, a->ops) >= a->count;
}

void rig_home_await(struct pool_rig *r, unsigned ops, unsigned count)
{
    struct awaited a = {.rig = r, .ops = ops, .count = count};
    pool_rig_until(r, so_many_wait, &a);
}

static void call_let_go(struct pool_rig *r, void *arg)
{
    struct home_call *c = arg;
    c->answer = fake_engine_let_go(r->home_fake, c->ops, 0);
}

bool rig_home_let_go(struct pool_rig *r, unsigned ops)
{
    struct home_call c = {.ops = ops};
    pool_rig_at_home(r, call_let_go, &c);
    return c.answer != 0;
}

static void call_count(struct pool_rig *r, void *arg)
{
    struct home_call *c = arg;
    c->answer = fake_engine_count(r->home_fake, c->ops);
}

uint64_t rig_home_count(struct pool_rig *r, unsigned ops)
{
    struct home_call c = {.ops = ops};
    pool_rig_at_home(r, call_count, &c);
    return c.answer;
}

/* ---- A lane's ------------------------------------------------------------------------
 */

void rig_lane_hold(struct pool_rig *r, unsigned lane, unsigned ops)
{
    fake_engine_hold(r->lanes[lane].fake, ops);
}

unsigned rig_lane_waiting(struct pool_rig *r, unsigned lane, unsigned ops)
{
    return fake_engine_waiting(r->lanes[lane].fake, ops);
}

void rig_lane_let_go(struct pool_rig *r, unsigned lane, unsigned ops)
{
    assert_true(fake_engine_let_go(r->lanes[lane].fake, ops, 0));
    pool_rig_turn(r);
}
