/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of one volume or one host at work: buckets that all reactors share, and for
 * each reactor what it has taken from them and not used yet. Its limits never change:
 * other limits are another throttle, which begins rested. No clock, no queue here: who
 * asks says what time it is, and waits by itself.
 *
 * A bucket is one moment, up to which its units are taken; a reactor takes some by moving
 * it on, and may use them when the moment at which they begin has come. So reactors are
 * served in the order of their asking, none asks twice for the same, and their sum never
 * exceeds the rate. A reactor takes what a command needs, or THROTTLE_SHARE_NS worth of
 * it if that is more: the shared line is touched some times in a millisecond, not at each
 * command. */
#ifndef LUNMGR_THROTTLE_H
#define LUNMGR_THROTTLE_H

#include "base/auto.h"
#include "base/qos.h"

#include <stdatomic.h>
#include <stdint.h>

#define THROTTLE_SHARE_NS 1000000   /* 1 ms: what a reactor takes at once, and may keep */
#define THROTTLE_REST_NS  100000000 /* 0.1 s: unused time that is made up for */

enum throttle_bucket {
    BUCKET_IOPS,
    BUCKET_BURST_IOPS,
    BUCKET_BYTES,
    BUCKET_BURST_BYTES,
    BUCKETS,
};

struct bucket {
    uint64_t rate;                             /* units a second; 0: there is none */
    uint64_t share;                            /* units that are taken at least */
    int64_t depth_ns;                          /* time that counts as unused at most */
    _Alignas(64) atomic_int_fast64_t taken_ns; /* up to this moment all is taken */
};

/* One reactor's; its own thread, save for the figures. */
struct throttle_lane {
    _Alignas(64) uint64_t credit[BUCKETS]; /* units taken and not used */
    int64_t from_ns[BUCKETS];              /* when they may be used */
    /* Commands that have waited here, and for how long together. */
    atomic_uint_fast64_t commands, us;
};

struct throttle {
    atomic_uint refs;
    unsigned lane_count;
    struct qos qos;
    struct bucket buckets[BUCKETS];
    struct throttle_lane lanes[];
};

/* qos is limited; lanes: one for each reactor. It is rested. One reference, the caller's;
 * NULL: no memory. */
struct throttle *throttle_create(const struct qos *qos, unsigned lanes);
/* Any thread. NULL is allowed. */
struct throttle *throttle_get(struct throttle *t);
void throttle_put(struct throttle *t);

/* The lane's thread: one command that moves `bytes` is to begin. now_ns: of a clock that
 * goes forward and that all lanes share. Returns now_ns, and it is paid for; or when to
 * ask again, and it is not. */
int64_t throttle_take(struct throttle *t, unsigned lane, uint64_t bytes,
                      int64_t now_ns) MUST_CHECK;
/* The lane's thread: one that was paid for will not begin; the next of its lane has it.
 */
void throttle_return(struct throttle *t, unsigned lane, uint64_t bytes);

#endif
