/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets as moments in time, after the virtual scheduling of ATM's generic cell rate
 * algorithm: no bucket is ever filled, no timer runs. A limit with a burst is two of
 * them: one at the limit's own rate, deep enough to pay for a burst after a rest; one at
 * the burst's rate, which bounds how fast that may go. */
#include "lunmgr/throttle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S     1000000000LL
#define DEPTH_MAX_NS (INT64_MAX / 4) /* 73 years: deeper is no different */

/* ---- One bucket -------------------------------------------------------------------- */

static void bucket_init(struct bucket *b, uint64_t rate, int64_t depth_ns)
{
    b->rate = rate;
    b->share = rate / (NS_PER_S / THROTTLE_SHARE_NS);
    b->depth_ns = depth_ns;
    atomic_init(&b->taken_ns, INT64_MIN);
}

/* Rounded up: never more than the rate. */
static int64_t bucket_time(const struct bucket *b, uint64_t units)
{
    uint64_t whole = units / b->rate, rest = units % b->rate;
    return (int64_t)(whole * NS_PER_S + (rest * NS_PER_S + b->rate - 1) / b->rate);
}

/* Takes units; they may be used from the moment that it returns. */
static int64_t bucket_take(struct bucket *b, uint64_t units, int64_t now_ns)
{
    int64_t cost_ns = bucket_time(b, units);
    int64_t floor_ns = now_ns - b->depth_ns;
    int64_t from_ns;
    int_fast64_t was = atomic_load_explicit(&b->taken_ns, memory_order_relaxed);
    do {
        from_ns = was > floor_ns ? was : floor_ns;
    } while (!atomic_compare_exchange_weak_explicit(&b->taken_ns, &was, from_ns + cost_ns,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
    return from_ns;
}

/* ---- A lane ------------------------------------------------------------------------ */

/* The lane gets what is missing, unless what it took last is still to come. */
static void lane_fill(struct throttle_lane *lane, struct bucket *b,
                      enum throttle_bucket i, uint64_t need, int64_t now_ns)
{
    if (lane->credit[i] >= need || lane->from_ns[i] > now_ns)
        return;
    uint64_t units = need - lane->credit[i];
    if (units < b->share)
        units = b->share;
    lane->from_ns[i] = bucket_take(b, units, now_ns);
    lane->credit[i] += units;
}

static uint64_t need_of(enum throttle_bucket i, uint64_t bytes)
{
    return i == BUCKET_IOPS || i == BUCKET_BURST_IOPS ? 1 : bytes;
}

int64_t throttle_take(struct throttle *t, unsigned lane_no, uint64_t bytes,
                      int64_t now_ns)
{
    assert(lane_no < t->lane_count);
    struct throttle_lane *lane = &t->lanes[lane_no];
    int64_t due_ns = now_ns;
    for (enum throttle_bucket i = 0; i < BUCKETS; i++) {
        uint64_t need = need_of(i, bytes);
        if (t->buckets[i].rate == 0 || need == 0)
            continue;
        lane_fill(lane, &t->buckets[i], i, need, now_ns);
        if (lane->from_ns[i] > due_ns)
            due_ns = lane->from_ns[i];
    }
    if (due_ns > now_ns)
        return due_ns;
    for (enum throttle_bucket i = 0; i < BUCKETS; i++)
        if (t->buckets[i].rate != 0)
            lane->credit[i] -= need_of(i, bytes);
    return now_ns;
}

void throttle_return(struct throttle *t, unsigned lane_no, uint64_t bytes)
{
    assert(lane_no < t->lane_count);
    for (enum throttle_bucket i = 0; i < BUCKETS; i++)
        if (t->buckets[i].rate != 0)
            t->lanes[lane_no].credit[i] += need_of(i, bytes);
}

/* ---- Life -------------------------------------------------------------------------- */

/* What a burst has more than its limit, as time of the limit. */
static int64_t burst_depth_ns(uint64_t rate, uint64_t burst, uint64_t burst_s)
{
    double ns = (double)(burst - rate) / (double)rate * (double)burst_s * NS_PER_S;
    return ns < (double)DEPTH_MAX_NS ? (int64_t)ns : DEPTH_MAX_NS;
}

static void throttle_limit(struct throttle *t, enum throttle_bucket i, uint64_t rate,
                           uint64_t burst)
{
    if (rate == 0)
        return;
    int64_t depth_ns = THROTTLE_REST_NS;
    if (burst != 0) {
        depth_ns += burst_depth_ns(rate, burst, t->qos.of[QOS_BURST_S]);
        bucket_init(&t->buckets[i + 1], burst, THROTTLE_REST_NS);
    }
    bucket_init(&t->buckets[i], rate, depth_ns);
}

struct throttle *throttle_create(const struct qos *qos, unsigned lanes)
{
    assert(qos_is_limited(qos));
    size_t bytes = sizeof(struct throttle) + lanes * sizeof(struct throttle_lane);
    struct throttle *t = aligned_alloc(_Alignof(struct throttle), bytes);
    if (t == NULL)
        return NULL;
    memset(t, 0, bytes);
    atomic_init(&t->refs, 1);
    t->lane_count = lanes;
    t->qos = *qos;
    throttle_limit(t, BUCKET_IOPS, qos->of[QOS_IOPS], qos->of[QOS_BURST_IOPS]);
    throttle_limit(t, BUCKET_BYTES, qos->of[QOS_BYTES], qos->of[QOS_BURST_BYTES]);
    for (unsigned i = 0; i < lanes; i++)
        for (enum throttle_bucket b = 0; b < BUCKETS; b++)
            t->lanes[i].from_ns[b] = INT64_MIN;
    return t;
}

struct throttle *throttle_get(struct throttle *t)
{
    if (t != NULL)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void throttle_put(struct throttle *t)
{
    /* acq_rel: what the other holders did with it happened before it is freed. */
    if (t != NULL && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        free(t);
}
